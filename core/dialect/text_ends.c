/* The beginning and the end of a step's text that is too large to read whole. */
#include "core/dialect/request.h"

static struct slice head_of(struct slice body, struct json_value string, size_t most,
			    struct arena *arena)
{
	size_t end = string.end - 1;
	size_t room = string.begin + 1 + most;
	return json_string_part(body, string, string.begin + 1, end < room ? end : room, arena);
}

static struct slice tail_of(struct slice body, struct json_value string, size_t most,
			    struct arena *arena)
{
	size_t begin = string.begin + 1;
	size_t end = string.end - 1;
	return json_string_part(body, string, end - begin > most ? end - most : begin, end, arena);
}

size_t step_text_size(const struct request *request, const struct step *step)
{
	size_t size = 0;
	for (size_t i = 0; i < step->text_count; i++) {
		struct json_value string = request->texts[step->first_text + i].string;
		size += string.end - string.begin;
	}
	return size;
}

struct text_ends step_text_ends(const struct request *request, const struct step *step, size_t most,
				struct arena *arena)
{
	if (step_text_size(request, step) <= most)
		return (struct text_ends){.head = step_text(request, step, arena)};
	const struct request_text *texts = request->texts + step->first_text;
	struct json_value last = texts[step->text_count - 1].string;
	return (struct text_ends){
		.head = head_of(request->body, texts[0].string, most / 4 * 3, arena),
		.tail = tail_of(request->body, last, most / 4, arena),
		.is_cut = true,
		.tail_is_whole = step->text_count > 1 && last.end - last.begin - 2 <= most / 4,
	};
}
