/* The best of many: the hits among documents, and the documents worth ranking at all. */
#include "core/recall/rank.h"

#include <stdlib.h>

static bool is_worse(struct recall_hit a, struct recall_hit b)
{
	return a.score < b.score || (a.score == b.score && a.document < b.document);
}

/* A heap with the worst hit at its root. */
static void sift_down(struct recall_hit *heap, size_t count, struct recall_hit hit)
{
	size_t at = 0;
	for (size_t child = 1; child < count; child = 2 * at + 1) {
		if (child + 1 < count && is_worse(heap[child + 1], heap[child]))
			child++;
		if (!is_worse(heap[child], hit))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = hit;
}

static void sift_up(struct recall_hit *heap, size_t at, struct recall_hit hit)
{
	while (at > 0 && is_worse(hit, heap[(at - 1) / 2])) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = hit;
}

/* Keeps the `limit` best hits as a heap; returns how many there are now. */
static size_t keep_best(struct recall_hit *heap, size_t count, size_t limit, struct recall_hit hit)
{
	if (count < limit)
		sift_up(heap, count++, hit);
	else if (limit > 0 && is_worse(heap[0], hit))
		sift_down(heap, limit, hit);
	return count;
}

size_t recall_top(const float *scores, size_t count, struct recall_hit *hits, size_t limit)
{
	size_t found = 0;
	/* Starting with the newest, so that among equals an older one never replaces a newer. */
	for (size_t i = count; limit > 0 && i-- > 0;) {
		struct recall_hit hit = {(uint32_t)i, scores[i]};
		if (!(hit.score > 0))
			continue;
		found = keep_best(hits, found, limit, hit);
	}
	/* Moves the worst remaining hit to the end until only the best is left. */
	for (size_t left = found; left > 1; left--) {
		struct recall_hit last = hits[left - 1];
		hits[left - 1] = hits[0];
		sift_down(hits, left - 1, last);
	}
	return found;
}

/* ---- candidates ---- */

/* Documents are scored so many at a time, which keeps their scores in the processor's cache. */
enum { AT_ONCE = 2048 };

struct choosing {
	const struct recall_question *question;
	const struct recall_postings *postings;
	const struct recall_choice *choice;
	float *weights;          /* of each term */
	size_t *left;            /* of the postings of each term; the last are seen first */
	struct recall_hit *best; /* a heap */
	size_t count;
	size_t limit;
	float scores[AT_ONCE];
	uint32_t scored[AT_ONCE];
	size_t scored_count;
};

/* How well the question itself matches decides how much the turns before it count; it is not known
 * yet, so here they count in between. */
static const float weights_of_ages[RECALL_EARLIER + 1] = {1, 0.6f, 0.5f, 0.4f};
static const float favour = 3;

static void weigh(struct choosing *choosing)
{
	const struct recall_question *question = choosing->question;
	for (size_t i = 0; i < question->terms.count; i++) {
		const struct recall_postings *found = &choosing->postings[i];
		choosing->weights[i] = recall_kind_weight(question->terms.terms[i].kind) *
				       weights_of_ages[question->ages[i]] *
				       recall_rarity(recall_found(found), choosing->choice->total);
		choosing->left[i] = found->count;
	}
}

/* Of documents as long as most; the newest first, so that among equals an older one never replaces
 * a newer. */
static void score_term(struct choosing *choosing, size_t term, uint32_t first)
{
	const struct recall_postings *found = &choosing->postings[term];
	const bool tells = recall_tells(choosing->question->terms.terms[term].kind);
	size_t left = choosing->left[term];
	for (; left > 0 && found->postings[left - 1].document >= first; left--) {
		const struct recall_posting posting = found->postings[left - 1];
		/* only in damaged data */
		if (posting.document - first >= AT_ONCE)
			continue;
		float *score = &choosing->scores[posting.document - first];
		if (*score == 0 && !tells)
			continue;
		if (*score == 0)
			choosing->scored[choosing->scored_count++] = posting.document;
		*score += choosing->weights[term] * 2 * (float)posting.count /
			  ((float)posting.count + 1);
	}
	choosing->left[term] = left;
}

static bool is_favoured(const struct recall_choice *choice, uint32_t document)
{
	for (size_t i = 0; i < choice->favoured_count; i++) {
		if (document >= choice->favoured[i].from && document < choice->favoured[i].until)
			return true;
	}
	return false;
}

static void keep_scored(struct choosing *choosing, uint32_t first)
{
	const struct recall_choice *choice = choosing->choice;
	for (size_t i = 0; i < choosing->scored_count; i++) {
		uint32_t document = choosing->scored[i];
		struct recall_hit hit = {document, choosing->scores[document - first]};
		choosing->scores[document - first] = 0;
		if (is_favoured(choice, document))
			hit.score *= favour;
		if (document >= choice->first)
			choosing->count =
				keep_best(choosing->best, choosing->count, choosing->limit, hit);
	}
	choosing->scored_count = 0;
}

static void choose_from(struct choosing *choosing, uint32_t first)
{
	const struct term_list *terms = &choosing->question->terms;
	/* A term that only ranks comes after one that finds. */
	for (size_t i = 0; i < 2 * terms->count; i++) {
		size_t term = i % terms->count;
		if (recall_tells(terms->terms[term].kind) == (i < terms->count))
			score_term(choosing, term, first);
	}
	keep_scored(choosing, first);
}

static int compare_documents(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left;
	uint32_t b = *(const uint32_t *)right;
	return (a > b) - (a < b);
}

size_t recall_candidates(const struct recall_question *question,
			 const struct recall_postings *postings, const struct recall_choice *choice,
			 uint32_t *candidates, size_t limit, struct arena *arena)
{
	size_t terms = question->terms.count;
	struct choosing *choosing = arena_alloc(arena, sizeof(*choosing));
	choosing->question = question;
	choosing->postings = postings;
	choosing->choice = choice;
	choosing->limit = limit;
	choosing->weights = arena_alloc(arena, terms * sizeof(*choosing->weights));
	choosing->left = arena_alloc(arena, terms * sizeof(*choosing->left));
	choosing->best = arena_alloc(arena, limit * sizeof(*choosing->best));
	weigh(choosing);
	for (size_t stretch = choice->total / AT_ONCE + 1; stretch-- > 0;)
		choose_from(choosing, (uint32_t)(stretch * AT_ONCE));
	for (size_t i = 0; i < choosing->count; i++)
		candidates[i] = choosing->best[i].document;
	if (choosing->count > 0)
		qsort(candidates, choosing->count, sizeof(*candidates), compare_documents);
	return choosing->count;
}
