#include "core/recall/rank.h"

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

size_t recall_top(const float *scores, size_t count, struct recall_hit *hits, size_t limit)
{
	size_t found = 0;
	/* Starting with the newest, so that among equals an older one never replaces a newer. */
	for (size_t i = count; limit > 0 && i-- > 0;) {
		struct recall_hit hit = {(uint32_t)i, scores[i]};
		if (!(hit.score > 0))
			continue;
		if (found < limit)
			sift_up(hits, found++, hit);
		else if (is_worse(hits[0], hit))
			sift_down(hits, limit, hit);
	}
	/* Moves the worst remaining hit to the end until only the best is left. */
	for (size_t left = found; left > 1; left--) {
		struct recall_hit last = hits[left - 1];
		hits[left - 1] = hits[0];
		sift_down(hits, left - 1, last);
	}
	return found;
}
