/* The beginning and the end of a message that is too large to be read. */
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

static bool is_text_part(struct slice body, struct json_value part, struct json_value *text)
{
	static const char *const names[] = {"type", "text"};
	struct json_value values[2];
	(void)JSON_PICK(body, part, names, values);
	*text = values[1];
	return text->type == JSON_TYPE_STRING && json_string_is(body, values[0], SLICE("text"));
}

/* The texts of a message, as they lie in the body. */
struct texts {
	struct json_value first;
	struct json_value last;
	size_t count;
	size_t size;
};

static struct texts find_texts(struct slice body, const struct message *message)
{
	struct json_value text = message->content;
	struct texts texts = {text, text, 1, text.end - text.begin};
	if (message->content_kind == CONTENT_STRING)
		return texts;
	texts = (struct texts){0};
	struct json_walk walk = json_walk(body, message->content);
	while (message->content_kind == CONTENT_PARTS && json_next(&walk)) {
		if (!is_text_part(body, walk.value, &text))
			continue;
		texts.first = texts.count++ == 0 ? text : texts.first;
		texts.last = text;
		texts.size += text.end - text.begin;
	}
	return texts;
}

size_t request_text_size(const struct chat_request *request, const struct message *message)
{
	return find_texts(request->body, message).size;
}

struct text_ends request_text_ends(const struct chat_request *request,
				   const struct message *message, size_t most, struct arena *arena)
{
	struct slice body = request->body;
	struct texts texts = {0};
	if (message->content.end - message->content.begin > most)
		texts = find_texts(body, message);
	if (texts.size <= most)
		return (struct text_ends){.head = request_text(request, message, arena)};
	return (struct text_ends){
		.head = head_of(body, texts.first, most / 4 * 3, arena),
		.tail = tail_of(body, texts.last, most / 4, arena),
		.is_cut = true,
		.tail_is_whole =
			texts.count > 1 && texts.last.end - texts.last.begin - 2 <= most / 4,
	};
}
