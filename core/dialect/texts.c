/* The texts in the steps of a request. */
#include "core/dialect/dialect.h"

bool request_find_text(const struct request *request, struct json_value part,
		       struct json_value *text)
{
	return request->dialect->find_text(request->body, part, text);
}

static struct slice join_parts(const struct text_part *parts, size_t count, struct arena *arena)
{
	if (count == 0)
		return SLICE(""); /* it was looked for */
	if (count == 1)
		return parts[0].text.data == NULL ? SLICE("") : parts[0].text;
	struct slice *pieces = arena_alloc(arena, (2 * count - 1) * sizeof(*pieces));
	for (size_t i = 0; i < count; i++) {
		pieces[2 * i] = parts[i].text;
		if (i + 1 < count)
			pieces[2 * i + 1] = SLICE("\n");
	}
	return arena_join(arena, pieces, 2 * count - 1);
}

static struct text_parts read_parts(const struct request *request, struct json_value parts,
				    struct arena *arena)
{
	struct buffer texts;
	buffer_init(&texts, SIZE_MAX);
	struct text_part part;
	bool follows_text = false;
	struct json_walk walk = json_walk(request->body, parts);
	while (json_next(&walk)) {
		struct json_value text;
		part.follows_text = follows_text;
		follows_text = request_find_text(request, walk.value, &text) &&
			       text.type == JSON_TYPE_STRING;
		if (!follows_text)
			continue;
		part.text = json_string_text(request->body, text, arena);
		(void)buffer_append(&texts, (struct slice){(const char *)&part, sizeof(part)});
	}
	struct slice taken = arena_take(arena, &texts);
	struct text_parts read = {.texts = (const void *)taken.data,
				  .count = taken.size / sizeof(part)};
	read.joined = join_parts(read.texts, read.count, arena);
	return read;
}

struct text_parts step_text_parts(const struct request *request, const struct step *step,
				  struct arena *arena)
{
	if (step->content_kind == CONTENT_PARTS) {
		struct text_parts *parts = &request->parts[step - request->steps];
		if (parts->joined.data == NULL)
			*parts = read_parts(request, step->content, arena);
		return *parts;
	}
	struct text_part *only = arena_alloc(arena, sizeof(*only));
	*only = (struct text_part){.text = step_text(request, step, arena)};
	return (struct text_parts){.joined = only->text, .texts = only, .count = 1};
}

struct slice step_text(const struct request *request, const struct step *step, struct arena *arena)
{
	if (step->content_kind == CONTENT_PARTS)
		return step_text_parts(request, step, arena).joined;
	bool falls_back = step->content_kind == CONTENT_NONE;
	return json_string_text(request->body, falls_back ? step->fallback : step->content, arena);
}
