#include "core/recall/rank.h"

#include <math.h>

/* The telling terms that are looked for, by rising hash: of a question that says much in the light
 * of what came before it, those of its own. */
struct wanted {
	struct term terms[TERMS_FIND_LIMIT];
	float weights[TERMS_FIND_LIMIT];
	struct term_list list;
};

static bool is_telling(const struct recall_question *question, size_t term, size_t oldest)
{
	return recall_tells(question->terms.terms[term].kind) && question->ages[term] <= oldest;
}

static size_t count_telling(const struct recall_question *question, size_t oldest)
{
	size_t count = 0;
	for (size_t i = 0; i < question->terms.count; i++)
		count += is_telling(question, i, oldest);
	return count;
}

static void choose_terms(const struct recall_question *question, struct wanted *wanted)
{
	static const float of_earlier = 0.5f;
	size_t oldest = question->earlier;
	while (oldest > 0 && count_telling(question, oldest) > TERMS_FIND_LIMIT)
		oldest--;
	wanted->list = (struct term_list){.terms = wanted->terms};
	for (size_t i = 0; i < question->terms.count; i++) {
		size_t at = wanted->list.count;
		if (at == TERMS_FIND_LIMIT || !is_telling(question, i, oldest))
			continue;
		wanted->terms[at] = question->terms.terms[i];
		wanted->weights[at] = recall_kind_weight(wanted->terms[at].kind) *
				      (question->ages[i] == 0 ? 1 : of_earlier);
		wanted->list.count++;
	}
}

float recall_coverage(const struct recall_question *question, struct slice text,
		      struct arena *arena)
{
	struct wanted wanted;
	choose_terms(question, &wanted);
	uint64_t found = terms_find(&wanted.list, &text, 1, arena);
	float all = 0, covered = 0;
	for (size_t i = 0; i < wanted.list.count; i++) {
		all += wanted.weights[i];
		covered += (found >> i & 1) != 0 ? wanted.weights[i] : 0;
	}
	return all > 0 ? covered / all : 0;
}

/* The terms that stand in the fact, by their places. The quote is not read: it may be about more
 * than the fact. Nor is "user" as the name of whom it is about. */
static uint64_t find_terms(const struct term_list *wanted, const struct fact *fact,
			   struct arena *arena)
{
	const struct slice texts[] = {fact_is_about_user(fact) ? SLICE("") : fact->entity,
				      fact->key, fact->value, fact->keywords};
	return terms_find(wanted, texts, sizeof(texts) / sizeof(texts[0]), arena);
}

/* A term that few facts hold tells more. */
static void add_term(float weight, size_t place, const uint64_t *found, size_t count, float *scores)
{
	size_t holders = 0;
	for (size_t i = 0; i < count; i++)
		holders += found[i] >> place & 1;
	if (holders == 0)
		return;
	float rarity = logf(1 + (float)count / (float)holders);
	for (size_t i = 0; i < count; i++)
		scores[i] += (found[i] >> place & 1) != 0 ? weight * rarity : 0;
}

/* Of a question in which a fact says all; and how much it must say. */
static const float of_hint = 0.5f;
static const float least_hint = 0.3f;

size_t recall_hint_turns(const struct recall_question *question, const struct fact *facts,
			 size_t count, struct recall_hint *hints, struct arena *arena)
{
	struct wanted wanted;
	size_t hinted = 0;
	float all = 0;
	choose_terms(question, &wanted);
	for (size_t i = 0; i < wanted.list.count; i++)
		all += wanted.weights[i];
	for (size_t i = 0; i < count && question->has_subject; i++) {
		uint64_t found = find_terms(&wanted.list, &facts[i], arena);
		float said = 0;
		for (size_t j = 0; j < wanted.list.count; j++)
			said += (found >> j & 1) != 0 ? wanted.weights[j] : 0;
		if (facts[i].state == FACT_CURRENT && said > 0 && said >= least_hint * all)
			hints[hinted++] =
				(struct recall_hint){facts[i].exchange, of_hint * said / all};
	}
	return hinted;
}

void recall_rank_facts(const struct recall_question *question, const struct fact *facts,
		       size_t count, float *scores, struct arena *arena)
{
	struct wanted wanted;
	const bool slight = question->about_user && recall_asks(question->text);
	for (size_t i = 0; i < count; i++)
		scores[i] = slight && fact_is_about_user(&facts[i]) ? RECALL_SLIGHT : 0;
	choose_terms(question, &wanted);
	if (!question->has_subject || wanted.list.count == 0)
		return;
	uint64_t *found = arena_alloc(arena, count * sizeof(uint64_t));
	for (size_t i = 0; i < count; i++)
		found[i] = find_terms(&wanted.list, &facts[i], arena);
	for (size_t i = 0; i < wanted.list.count; i++)
		add_term(wanted.weights[i], i, found, count, scores);
}
