#include "core/text/forms.h"

#include "forms_map.h"

/* The head of a family, or 0. */
static uint64_t find_head(const char *stemmer, struct slice stem)
{
	uint64_t key = form_key(stemmer, stem);
	size_t at = (size_t)key & (FORM_SLOTS - 1);
	while (form_slots[at].key != 0 && form_slots[at].key != key)
		at = (at + 1) & (FORM_SLOTS - 1);
	return form_slots[at].head;
}

/* "gekauft" and "kauft" have the stem of "kaufen". Other words lose a "t" in all of their forms. */
static struct slice without_inflection(struct slice stem)
{
	enum { LEAST = 5 };
	const struct slice prefix = SLICE("ge");
	if (stem.size <= LEAST || stem.data[stem.size - 1] != 't')
		return stem;
	stem.size--;
	if (stem.size > LEAST && slice_starts_with(stem, prefix))
		return slice_part(stem, prefix.size, stem.size);
	return stem;
}

uint64_t forms_stem(const char *stemmer, struct slice stem)
{
	uint64_t head = find_head(stemmer, stem);
	if (head != 0 || strcmp(stemmer, "german") != 0)
		return head != 0 ? head : word_hash(stem);
	struct slice shorter = without_inflection(stem);
	head = find_head(stemmer, shorter);
	return head != 0 ? head : word_hash(shorter);
}
