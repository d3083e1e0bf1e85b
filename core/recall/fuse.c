#include "core/recall/rank.h"

#include <string.h>

/* Reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009). Its customary constant of 60 is for
 * many rankings of equal worth; here the first few of either must stand out. */
static const float rank_constant = 10;
static const float lexical_share = 1;
static const float vector_share = 0.7f;
/* What is less similar than this has nothing to do with the question. */
static const float least_similarity = 0.2f;

enum { FUSED = 400 }; /* of each ranking */

static void add_ranks(const struct recall_hit *hits, size_t count, float share, float *fused)
{
	for (size_t i = 0; i < count; i++)
		fused[hits[i].document] += share / (rank_constant + (float)i + 1);
}

void recall_fuse(const struct recall_corpus *corpus, float *scores, struct arena *arena)
{
	struct recall_hit *hits = arena_alloc(arena, FUSED * sizeof(struct recall_hit));
	float *similar = arena_alloc(arena, corpus->count * sizeof(float));
	for (size_t i = 0; i < corpus->count; i++) {
		if (corpus->documents[i].is_live && corpus->similarities[i] > least_similarity)
			similar[i] = corpus->similarities[i];
	}
	size_t found = recall_top(scores, corpus->count, hits, FUSED);
	memset(scores, 0, corpus->count * sizeof(float));
	add_ranks(hits, found, lexical_share, scores);
	found = recall_top(similar, corpus->count, hits, FUSED);
	add_ranks(hits, found, vector_share, scores);
}
