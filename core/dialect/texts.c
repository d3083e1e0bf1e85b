/* The texts in the steps of a request. */
#include "core/dialect/request.h"

static struct slice text_of(const struct request *request, const struct request_text *text,
			    struct arena *arena)
{
	return json_string_text(request->body, text->string, arena);
}

struct slice step_text(const struct request *request, const struct step *step, struct arena *arena)
{
	const struct request_text *texts = request->texts + step->first_text;
	size_t count = step->text_count;
	if (count == 0)
		return (struct slice){0};
	if (count == 1)
		return text_of(request, texts, arena);
	struct slice *pieces = arena_alloc(arena, 2 * count * sizeof(*pieces));
	for (size_t i = 0; i < count; i++) {
		bool parts = i > 0 && !texts[i].joins;
		pieces[2 * i] = parts ? SLICE("\n") : SLICE("");
		pieces[2 * i + 1] = text_of(request, &texts[i], arena);
	}
	return arena_join(arena, pieces, 2 * count);
}

struct text_parts step_text_parts(const struct request *request, const struct step *step,
				  struct arena *arena)
{
	const struct request_text *texts = request->texts + step->first_text;
	size_t count = step->text_count;
	struct text_part *parts = arena_alloc(arena, count * sizeof(*parts));
	for (size_t i = 0; i < count; i++)
		parts[i] = (struct text_part){text_of(request, &texts[i], arena),
					      texts[i].follows_text, texts[i].is_programs};
	return (struct text_parts){parts, count};
}
