/* The steps of ranking, only for recall_rank(). Arrays hold one element per document. */
#ifndef RECALLD_CORE_RECALL_RANK_H
#define RECALLD_CORE_RECALL_RANK_H

#include "core/recall/recall.h"

/* The weight of a term of this kind, and whether it can make a match by itself. */
float recall_kind_weight(enum term_kind kind);
bool recall_tells(enum term_kind kind);

/* How rare a term is that `found` of `count` documents have. */
float recall_rarity(size_t found, size_t count);
size_t recall_found(const struct recall_postings *postings);
/* The number of documents that the corpus stands for. */
size_t recall_total(const struct recall_corpus *corpus);

/* Whether the text contains a question, judging by its marks. */
bool recall_asks(struct slice text);

/* Adds to each score how well the document's own words match the question's (BM25), as a share of
 * what a document with each of the question's most telling terms once would have. So a score says
 * how much of the question a document answers, whatever the question's length. */
void recall_match(const struct recall_question *question, const struct recall_corpus *corpus,
		  float *scores);

/* Adds to each score how similar the document's vector is to the question's. */
void recall_fuse(const struct recall_corpus *corpus, float *scores);

/* The speakers of the corpus that the question names. */
struct recall_named {
	bool any;
	uint32_t only; /* 0 if there is none, or more than one */
};
struct recall_named recall_speaker_named(const struct recall_question *question,
					 const struct recall_corpus *corpus);

/* Raises matches by their surroundings: writes to `lifted` each document's score with its
 * neighbours' and its conversation's, raised by the speaker (`speaker`, 0: nobody) and the time
 * that the question asks about. */
void recall_lift(const struct recall_question *question, const struct recall_corpus *corpus,
		 uint32_t speaker, const float *scores, float *lifted, struct arena *arena);

/* Writes the documents with the highest scores above 0, best first, newest first among equals; at
 * most `limit`. */
size_t recall_top(const float *scores, size_t count, struct recall_hit *hits, size_t limit);

#endif
