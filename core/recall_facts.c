#include "core/fact_order.h"
#include "core/recall_rank.h"

#include <math.h>

/* So many of a question's terms are looked for in facts, one bit each. */
enum { MAX_TERMS = 64 };

/* The question's terms that stand in the fact, by their places. The quote is not read: it may be
 * about more than the fact. Nor is "user" as the name of whom it is about. */
static uint64_t find_terms(const struct recall_question *question, const struct fact *fact,
			   struct arena *arena)
{
	struct slice entity = fact_is_about_user(fact) ? SLICE("") : fact->entity;
	struct slice text = arena_printf(arena, "%.*s %.*s %.*s", SLICE_PRINT(entity),
					 SLICE_PRINT(fact->key), SLICE_PRINT(fact->value));
	struct term_list terms;
	terms_read(text, &terms, arena);
	uint64_t found = 0;
	size_t at = 0;
	for (size_t i = 0; i < question->terms.count && i < MAX_TERMS; i++) {
		const struct term *term = &question->terms.terms[i];
		while (at < terms.count && terms.terms[at].hash < term->hash)
			at++;
		if (at < terms.count && terms.terms[at].hash == term->hash &&
		    recall_tells(term->kind))
			found |= 1ULL << i;
	}
	return found;
}

/* A term that few facts hold tells more. */
static void add_term(const struct recall_question *question, size_t place, const uint64_t *found,
		     size_t count, float *scores)
{
	size_t holders = 0;
	for (size_t i = 0; i < count; i++)
		holders += found[i] >> place & 1;
	if (holders == 0)
		return;
	float rarity = logf(1 + (float)count / (float)holders);
	float weight = recall_kind_weight(question->terms.terms[place].kind) * rarity;
	for (size_t i = 0; i < count; i++)
		scores[i] += (found[i] >> place & 1) != 0 ? weight : 0;
}

void recall_rank_facts(const struct recall_question *question, const struct fact *facts,
		       size_t count, float *scores, struct arena *arena)
{
	uint64_t *found = arena_alloc(arena, count * sizeof(uint64_t));
	for (size_t i = 0; i < count; i++) {
		found[i] = find_terms(question, &facts[i], arena);
		scores[i] = 0;
	}
	for (size_t i = 0; i < question->terms.count && i < MAX_TERMS; i++)
		add_term(question, i, found, count, scores);
}
