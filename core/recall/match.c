#include "core/recall/rank.h"

#include <math.h>
#include <stdlib.h>

/* BM25's parameters, and the power of the inverse document frequency: rare words tell more than its
 * logarithm says. */
static const float saturation = 1;
static const float length_weight = 0.5f;
static const float rarity_power = 1.3f;

float recall_kind_weight(enum term_kind kind)
{
	/* A word and its stem are two terms that are counted together. A function word only tells
	 * apart what other words have found. */
	static const float weights[] = {
		[TERM_WORD] = 1,     [TERM_FORM] = 0.4f,      [TERM_STEM] = 0.75f,
		[TERM_LIGHT] = 0.3f, [TERM_FUNCTION] = 0.15f,
	};
	return weights[kind];
}

bool recall_tells(enum term_kind kind)
{
	return kind != TERM_LIGHT && kind != TERM_FUNCTION;
}

static float mean_words(const struct recall_corpus *corpus)
{
	uint64_t words = 0;
	for (size_t i = 0; i < corpus->count; i++)
		words += corpus->documents[i].words;
	return words == 0 ? 1 : (float)words / (float)corpus->count;
}

static float rarity(size_t found, size_t count)
{
	float others = (float)count - (float)found;
	return powf(logf(1 + (others + 0.5f) / ((float)found + 0.5f)), rarity_power);
}

static void match_term(const struct recall_corpus *corpus, size_t at, enum term_kind kind,
		       float mean, float *scores)
{
	const struct recall_postings *found = &corpus->postings[at];
	float weight =
		recall_kind_weight(kind) * rarity(found->count, corpus->count) * (saturation + 1);
	for (size_t i = 0; i < found->count; i++) {
		struct recall_posting posting = found->postings[i];
		const struct recall_document *document = &corpus->documents[posting.document];
		float *score = &scores[posting.document];
		if (!document->is_live || (!recall_tells(kind) && *score == 0))
			continue;
		float often = (float)posting.count;
		float length = 1 - length_weight + length_weight * (float)document->words / mean;
		*score += weight * often / (often + saturation * length);
	}
}

void recall_match(const struct recall_question *question, const struct recall_corpus *corpus,
		  float *scores)
{
	float mean = mean_words(corpus);
	for (enum term_kind kind = TERM_WORD; kind <= TERM_FUNCTION; kind++) {
		for (size_t i = 0; i < question->terms.count; i++) {
			if (question->terms.terms[i].kind == kind)
				match_term(corpus, i, kind, mean, scores);
		}
	}
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
