#include "core/memory/fact_order.h"
#include "core/recall/rank.h"

#include <math.h>

/* The question's terms that occur in the fact, by their places. The quote is not read, since it may
 * be about more than the fact; nor is the entity "user". */
static uint64_t find_terms(const struct recall_question *question, const struct fact *fact,
			   struct arena *arena)
{
	const struct slice texts[] = {fact_is_about_user(fact) ? SLICE("") : fact->entity,
				      fact->key, fact->value};
	return terms_find(&question->terms, texts, sizeof(texts) / sizeof(texts[0]), arena);
}

/* A term that few facts hold says more. */
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
	for (size_t i = 0; i < count; i++)
		scores[i] = 0;
	if (!question->has_subject)
		return;
	uint64_t *found = arena_alloc(arena, count * sizeof(uint64_t));
	for (size_t i = 0; i < count; i++)
		found[i] = find_terms(question, &facts[i], arena);
	for (size_t i = 0; i < question->terms.count && i < TERMS_FIND_LIMIT; i++) {
		if (recall_tells(question->terms.terms[i].kind))
			add_term(question, i, found, count, scores);
	}
}
