#include "core/facts/key.h"
#include "core/grounding/asks.h"
#include "core/grounding/past.h"
#include "core/grounding/subject.h"
#include "core/learn/entry.h"
#include "core/text/text.h"
#include "lists.h"

static bool is_pair(const struct learn_entry *a, const struct learn_entry *b, struct arena *arena)
{
	return a->op == LEARN_SET && b->op == LEARN_SET && a->key.size > 0 && b->key.size > 0 &&
	       slice_equal(fact_key(a->key, arena), fact_key(b->key, arena)) &&
	       slice_equal(fact_fold(a->entity, arena), fact_fold(b->entity, arena)) &&
	       !fact_same_value(a->value, b->value, arena);
}

/* "Ben and Ida", "Ben und Ida", "犬と猫" */
static bool are_joined(const struct said *said, struct slice first, struct slice second,
		       struct arena *arena)
{
	const struct slice text = text_comparable(said->text, arena);
	const struct slice a = text_comparable(first, arena);
	const struct slice b = text_comparable(second, arena);
	for (size_t at = slice_find(text, a, 0); at < text.size; at = slice_find(text, a, at + 1)) {
		const size_t end = at + a.size;
		const size_t next = slice_find(text, b, end);
		if (next < text.size &&
		    slice_is_any(slice_trim(slice_part(text, end, next)), list_and))
			return true;
	}
	return false;
}

/* What was, or is not so. */
static bool is_over(const struct said *said, const struct learn_entry *entry)
{
	const size_t at = said_clause_with(said, entry->value);
	return at < said->count &&
	       (said_is_past(&said->clauses[at]) || said_is_ended(&said->clauses[at]));
}

/* A key that everybody has one value of needs an "and". */
static bool are_several(const struct said *said, const struct learn_entry *a,
			const struct learn_entry *b, struct arena *arena)
{
	if (are_joined(said, a->value, b->value, arena) ||
	    are_joined(said, b->value, a->value, arena))
		return true;
	return fact_key_names(fact_key(a->key, arena)).size == 0 && !said_corrects(said) &&
	       !is_over(said, a) && !is_over(said, b);
}

void learn_find_several(const struct said *said, struct learn_entries *entries, struct arena *arena)
{
	for (size_t i = 0; i < entries->count; i++) {
		for (size_t j = i + 1; j < entries->count; j++) {
			struct learn_entry *a = &entries->list[i];
			struct learn_entry *b = &entries->list[j];
			if (is_pair(a, b, arena) && are_several(said, a, b, arena))
				a->is_beside = b->is_beside = true;
		}
	}
}
