/* The steps of ranking, for recall_rank() alone. Arrays hold one element for each document. */
#ifndef RECALLD_CORE_RECALL_RANK_H
#define RECALLD_CORE_RECALL_RANK_H

#include "core/recall/recall.h"

/* What a term of this kind weighs in a match, and whether it can make one by itself. */
float recall_kind_weight(enum term_kind kind);
bool recall_tells(enum term_kind kind);

/* Adds to each score how well the document's own words match the question's (BM25). */
void recall_match(const struct recall_question *question, const struct recall_corpus *corpus,
		  float *scores);

/* Fuses the ranks by these scores with those by similarity; the fused scores take their place. */
void recall_fuse(const struct recall_corpus *corpus, float *scores, struct arena *arena);

/* Lifts what matches by what is around it: writes to `lifted` each document's score with its
 * neighbours' and its conversation's, raised by who and when the question asks about. */
void recall_lift(const struct recall_question *question, const struct recall_corpus *corpus,
		 const float *scores, float *lifted, struct arena *arena);

/* Writes the documents with the highest scores above 0, the best first, of equal ones the newest
 * first; at most `limit`. */
size_t recall_top(const float *scores, size_t count, struct recall_hit *hits, size_t limit);

#endif
