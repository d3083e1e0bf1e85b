#include "core/recall/rank.h"

#include <math.h>
#include <stdlib.h>

/* BM25's parameters, and the power of the inverse document frequency: rare words say more than its
 * logarithm does. */
static const float saturation = 1;
static const float length_weight = 0.5f;
static const float rarity_power = 1.3f;

enum { MOST_TELLING = 8 };

float recall_kind_weight(enum term_kind kind)
{
	/* A word and its stem are two terms that count together. A function word only ranks what
	 * other words have found. */
	static const float weights[] = {
		[TERM_WORD] = 1,    [TERM_FORM] = 0.4f,  [TERM_STEM] = 0.75f,
		[TERM_PART] = 0.4f, [TERM_LIGHT] = 0.3f, [TERM_FUNCTION] = 0.15f,
	};
	return weights[kind];
}

bool recall_tells(enum term_kind kind)
{
	return kind != TERM_LIGHT && kind != TERM_FUNCTION;
}

/* Deleted turns leave documents without words. */
static float mean_of(const struct recall_document *documents, size_t count)
{
	uint64_t words = 0;
	uint64_t said = 0;
	for (size_t i = 0; i < count; i++) {
		words += documents[i].words;
		said += documents[i].words > 0;
	}
	return words == 0 ? 1 : (float)words / (float)said;
}

static float mean_words(const struct recall_corpus *corpus)
{
	if (corpus->whole.sample_count > 0)
		return mean_of(corpus->whole.sample, corpus->whole.sample_count);
	return mean_of(corpus->documents, corpus->count);
}

size_t recall_total(const struct recall_corpus *corpus)
{
	return corpus->whole.total > corpus->count ? corpus->whole.total : corpus->count;
}

size_t recall_found(const struct recall_postings *postings)
{
	return postings->found > postings->count ? postings->found : postings->count;
}

/* A word that nobody said is as rare as a word that was said once. */
float recall_rarity(size_t found, size_t count)
{
	found = found == 0 ? 1 : found;
	float others = (float)count - (float)found;
	return powf(logf(1 + (others + 0.5f) / ((float)found + 0.5f)), rarity_power);
}

static float weight_of(const struct recall_question *question, const struct recall_corpus *corpus,
		       size_t at)
{
	return recall_kind_weight(question->terms.terms[at].kind) *
	       recall_rarity(recall_found(&corpus->postings[at]), recall_total(corpus));
}

/* The MOST_TELLING heaviest terms, descending: a long text names more than any one document could
 * answer. */
struct telling {
	float heaviest[MOST_TELLING];
};

static void note_weight(struct telling *telling, float weight)
{
	for (size_t i = 0; i < MOST_TELLING && weight > 0; i++) {
		float lighter = telling->heaviest[i];
		if (weight > lighter) {
			telling->heaviest[i] = weight;
			weight = lighter;
		}
	}
}

static float sum_of(const struct telling *telling)
{
	float sum = 0;
	for (size_t i = 0; i < MOST_TELLING; i++)
		sum += telling->heaviest[i];
	return sum;
}

/* The weights of the terms of each age. */
struct age_weights {
	float of[RECALL_EARLIER + 1];
};

/* The score of a document that contains each of the most telling terms once. Words that nobody said
 * count as well, since otherwise "Write a haiku about snow." would be about writing; but at most
 * half of the most telling terms of a long text do. */
static float whole_match(const struct recall_question *question, const struct recall_corpus *corpus,
			 const struct age_weights *weights)
{
	struct telling telling = {{0}};
	size_t unknown = 0;
	for (size_t i = 0; i < question->terms.count; i++) {
		const struct recall_postings *found = &corpus->postings[i];
		if (!recall_tells(question->terms.terms[i].kind) || found->is_left_out)
			continue;
		unknown += recall_found(found) == 0;
		if (recall_found(found) > 0 || unknown <= MOST_TELLING / 2)
			note_weight(&telling, weights->of[question->ages[i]] *
						      weight_of(question, corpus, i));
	}
	return sum_of(&telling);
}

static void match_term(const struct recall_corpus *corpus, size_t at, bool tells, float weight,
		       float mean, float *scores)
{
	const struct recall_postings *found = &corpus->postings[at];
	for (size_t i = 0; i < found->count; i++) {
		struct recall_posting posting = found->postings[i];
		const struct recall_document *document = &corpus->documents[posting.document];
		float *score = &scores[posting.document];
		if (!document->is_live || (!tells && *score == 0))
			continue;
		float often = (float)posting.count;
		float length = 1 - length_weight + length_weight * (float)document->words / mean;
		*score += weight * often * (saturation + 1) / (often + saturation * length);
	}
}

static void match_age(const struct recall_question *question, const struct recall_corpus *corpus,
		      size_t age, float weight, float mean, float *scores)
{
	for (enum term_kind kind = TERM_WORD; kind <= TERM_FUNCTION; kind++) {
		for (size_t i = 0; i < question->terms.count; i++) {
			if (question->ages[i] == age && question->terms.terms[i].kind == kind)
				match_term(corpus, i, recall_tells(kind),
					   weight * weight_of(question, corpus, i), mean, scores);
		}
	}
}

/* The less the question itself finds, the more the turns before it count. A turn that contains a
 * single rare word counts as found: "And what happened then?" finds many turns, but none well. */
static struct age_weights weigh_ages(const struct recall_corpus *corpus, const float *scores)
{
	static const float earlier[RECALL_EARLIER + 1] = {1, 0.3f, 0.25f, 0.2f};
	static const float rare_words = 1.2f, most_doubt = 3;
	struct age_weights weights = {{1}};
	float best = 0;
	for (size_t i = 0; i < corpus->count; i++)
		best = fmaxf(best, scores[i]);
	const float sure = fminf(1, best / (rare_words * recall_rarity(1, recall_total(corpus))));
	const float doubt = most_doubt * (1 - sure * sure);
	for (size_t age = 1; age <= RECALL_EARLIER; age++)
		weights.of[age] = fminf(1, earlier[age] * (1 + doubt));
	return weights;
}

void recall_match(const struct recall_question *question, const struct recall_corpus *corpus,
		  float *scores)
{
	const float mean = mean_words(corpus);
	struct age_weights weights = {{1}};
	match_age(question, corpus, 0, 1, mean, scores);
	if (question->earlier > 0)
		weights = weigh_ages(corpus, scores);
	for (size_t age = 1; age <= question->earlier; age++)
		match_age(question, corpus, age, weights.of[age], mean, scores);
	const float whole = whole_match(question, corpus, &weights);
	for (size_t i = 0; i < corpus->count; i++)
		scores[i] = whole > 0 ? scores[i] / whole : 0;
}

struct term_size {
	size_t size;
	size_t index;
	bool tells;
};

static int compare_sizes(const void *left, const void *right)
{
	const struct term_size *a = left;
	const struct term_size *b = right;
	int order = b->tells - a->tells;
	if (order == 0)
		order = (a->size > b->size) - (a->size < b->size);
	return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

void recall_choose_terms(const struct recall_question *question, const size_t *sizes, size_t limit,
			 bool *chosen, struct arena *arena)
{
	size_t count = question->terms.count;
	struct term_size *order = arena_alloc(arena, count * sizeof(*order));
	size_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		order[i] = (struct term_size){
			sizes[i], i, recall_tells((enum term_kind)question->terms.terms[i].kind)};
		sum += sizes[i];
	}
	if (sum > limit)
		qsort(order, count, sizeof(*order), compare_sizes);
	sum = 0;
	for (size_t i = 0; i < count; i++) {
		size_t size = order[i].size;
		bool fits = size == 0 || sum == 0 || sum + size <= limit;
		sum += fits ? size : 0;
		chosen[order[i].index] = fits;
	}
}
