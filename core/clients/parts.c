#include "core/clients/forms.h"
#include "core/clients/table.h"

/* The run of texts from `first` on that follow each other directly; the end. */
static size_t end_of_run(const struct text_part *parts, size_t first, size_t count)
{
	size_t end = first + 1;
	while (end < count && parts[end].follows_text)
		end++;
	return end;
}

/* Of a run the user's own text, of which documents in elements are taken out first. */
static struct slice own_of_run(const struct text_part *parts, size_t count, struct arena *arena)
{
	struct slice first = {0};
	struct slice last = {0};
	for (size_t i = 0; i < count; i++) {
		struct slice own = slice_trim(form_own_text(parts[i].text, arena));
		if (own.size == 0 || (count > 1 && client_form_find(FORM_FILE_REMARK, own) != NULL))
			continue;
		if (first.size == 0)
			first = own;
		last = own;
	}
	return last.size < first.size / 2 ? last : first;
}

struct slice form_own_parts(const struct text_part *parts, size_t count, struct arena *arena)
{
	if (count == 1)
		return form_own_text(parts[0].text, arena);
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	for (size_t i = 0; i < count;) {
		size_t end = end_of_run(parts, i, count);
		struct slice own = own_of_run(parts + i, end - i, arena);
		if (own.size > 0 && out.size > 0)
			buffer_append_byte(&out, '\n');
		buffer_append(&out, own);
		i = end;
	}
	struct slice own = arena_copy(arena, buffer_slice(&out));
	buffer_finish(&out);
	return own;
}
