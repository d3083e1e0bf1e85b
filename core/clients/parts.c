#include "core/clients/forms.h"
#include "core/clients/table.h"

/* The end of the run of texts that directly follow each other from `first` on. */
static size_t end_of_run(const struct text_part *parts, size_t first, size_t count)
{
	size_t end = first + 1;
	while (end < count && parts[end].follows_text)
		end++;
	return end;
}

/* The user's own text in a part; no text: there is none. */
struct own_part {
	struct slice text;
	size_t index;
};

/* The user's own text in a run, after removing documents in elements. */
static struct own_part own_of_run(const struct text_part *parts, size_t begin, size_t end,
				  struct arena *arena)
{
	struct own_part first = {0};
	struct own_part last = {0};
	for (size_t i = begin; i < end; i++) {
		if (parts[i].is_programs)
			continue;
		struct own_part own = {slice_trim(form_own_text(parts[i].text, arena)), i};
		if (own.text.size == 0 ||
		    (end - begin > 1 && client_form_find(FORM_FILE_REMARK, own.text) != NULL))
			continue;
		if (first.text.size == 0)
			first = own;
		last = own;
	}
	return last.text.size < first.text.size / 2 ? last : first;
}

struct slice form_own_parts(const struct text_part *parts, size_t count, size_t *carrier,
			    struct arena *arena)
{
	struct slice *own = arena_alloc(arena, 2 * count * sizeof(*own));
	size_t pieces = 0;
	*carrier = count;
	for (size_t i = 0; i < count;) {
		size_t end = end_of_run(parts, i, count);
		struct own_part part = own_of_run(parts, i, end, arena);
		if (part.text.size > 0) {
			own[pieces++] = *carrier < count ? SLICE("\n") : SLICE("");
			own[pieces++] = part.text;
			*carrier = part.index;
		}
		i = end;
	}
	if (pieces == 0)
		return (struct slice){0};
	return pieces == 2 ? own[1] : arena_join(arena, own, pieces);
}
