/* The beginning and the end of a step's text that is too large to be read. */
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

/* The texts of a step, as they lie in the body. */
struct texts {
	struct json_value first;
	struct json_value last;
	size_t count;
	size_t size;
};

static struct texts find_texts(const struct request *request, const struct step *step)
{
	struct json_value text = step->content;
	struct texts texts = {text, text, 1, text.end - text.begin};
	if (step->content_kind == CONTENT_STRING)
		return texts;
	texts = (struct texts){0};
	struct json_walk walk = json_walk(request->body, step->content);
	while (step->content_kind == CONTENT_PARTS && json_next(&walk)) {
		if (!request_find_text(request, walk.value, &text) || text.type != JSON_TYPE_STRING)
			continue;
		texts.first = texts.count++ == 0 ? text : texts.first;
		texts.last = text;
		texts.size += text.end - text.begin;
	}
	return texts;
}

size_t step_text_size(const struct request *request, const struct step *step)
{
	return find_texts(request, step).size;
}

struct text_ends step_text_ends(const struct request *request, const struct step *step, size_t most,
				struct arena *arena)
{
	struct texts texts = {0};
	if (step->content.end - step->content.begin > most)
		texts = find_texts(request, step);
	if (texts.size <= most)
		return (struct text_ends){.head = step_text(request, step, arena)};
	return (struct text_ends){
		.head = head_of(request->body, texts.first, most / 4 * 3, arena),
		.tail = tail_of(request->body, texts.last, most / 4, arena),
		.is_cut = true,
		.tail_is_whole =
			texts.count > 1 && texts.last.end - texts.last.begin - 2 <= most / 4,
	};
}
