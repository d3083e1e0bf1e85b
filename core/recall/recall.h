/* Recall: which past turns, and which facts, bear on a question.
 *
 * A turn matches by its terms (BM25); with vectors, the ranks by similarity are fused in
 * (reciprocal rank fusion). It is then lifted by its neighbours in the same conversation, by its
 * conversation, by who is asked about, and by dates that the question names. Pure functions: the
 * store gives the postings, the clock is an argument. */
#ifndef RECALLD_CORE_RECALL_RECALL_H
#define RECALLD_CORE_RECALL_RECALL_H

#include "core/memory/memory.h"
#include "core/text/terms.h"

/* ---- the question ---- */

/* A stretch of time that a question names: [from, until). */
struct recall_period {
	int64_t from;
	int64_t until;
};

enum { RECALL_MAX_PERIODS = 8 };

struct recall_question {
	struct slice text; /* of a long one its first and its last KiB */
	/* Its terms and those of what was said before it, by rising hash, each once. */
	struct term_list terms;
	uint8_t *ages;    /* of each term: 0 its own, 1 of the turn before it, and so on */
	size_t earlier;   /* the highest age */
	bool has_subject; /* a word says what it is about; a greeting has none */
	bool leans;       /* it says little itself: what it is about was said before it */
	bool about_user;  /* it asks about the one who asks: "I", "my" */
	bool about_past;  /* it asks what was so, or how it came: superseded facts bear on it */
	bool wants_words; /* it asks for exact wording: "verbatim", "word for word", "quote" */
	struct recall_period periods[RECALL_MAX_PERIODS];
	size_t period_count;
	const int8_t *vector; /* its embedding, quantized (core/recall/vector.h); NULL: none */
	size_t dimensions;
};

/* Reads the newest user turn's own text; of a long one its first and its last KiB, so that the
 * terms are at most a thousand or so. `now` resolves "last week". `vector` is left NULL. */
void recall_read_question(struct slice text, int64_t now, struct recall_question *question,
			  struct arena *arena);

/* Reads the question in the light of the user's turns before it, the newest first, of which the
 * first RECALL_EARLIER count, each less than the one after it, and the less the more the
 * question says itself: "And at what time?" asks about what
 * they were about. Of a long one its first and its last KiB are read. A greeting or thanks stays
 * one, whatever came before. */
enum { RECALL_EARLIER = 3 };
void recall_read_earlier(const struct slice *texts, size_t count, struct recall_question *question,
			 struct arena *arena);

/* ---- turns ---- */

/* What ranking knows of a stored turn beside its terms. The store keeps it as it lies here. */
struct recall_document {
	int64_t created_at;
	uint32_t conversation;
	uint32_t ordinal;
	uint32_t speaker : 31; /* of the label that the text begins with ("Maria: ..."); 0: none */
	uint32_t asks : 1;     /* it holds a question */
	uint16_t words;        /* at most 65535 */
	uint8_t role;          /* enum role */
	uint8_t is_live;       /* 0: superseded, hidden or never there: not to be found */
};

/* What the index keeps of a turn: its document and its terms. */
void recall_describe(const struct turn *turn, struct recall_document *document,
		     struct term_list *terms, struct arena *arena);

/* The speaker that a word names, by the word's hash. */
uint32_t recall_speaker(uint64_t hash);

struct recall_posting {
	uint32_t document;
	uint32_t count;
};

struct recall_postings {
	const struct recall_posting *postings; /* by rising document; dead documents may be in it */
	size_t count;
	bool is_left_out; /* recall_choose_terms() did not choose it: there are some, not read */
};

/* All that a user ever said: documents in the order in which they came, which is the order of their
 * turns' ids. */
struct recall_corpus {
	const struct recall_document *documents;
	size_t count;
	const struct recall_postings *postings; /* one for each of the question's terms */
	/* Cosine of each document's vector and the question's; below -1: it has none. NULL: there
	 * are no vectors. */
	const float *similarities;
};

struct recall_hit {
	uint32_t document;
	float score; /* above 0 */
};

/* Of a long memory with common words more postings could be read than their weight is worth.
 * `sizes` has about how many each of the question's terms has; sets in `chosen` those to be read:
 * the rarest that can make a match by themselves, then the rarest others, `limit` postings in all
 * or those of one term. The others are to be given without any. */
void recall_choose_terms(const struct recall_question *question, const size_t *sizes, size_t limit,
			 bool *chosen, struct arena *arena);

/* Writes the best hits, the best first, of equal ones the newest first; at most `limit`. What has
 * nothing to do with the question is no hit, so a greeting gives none. */
size_t recall_rank(const struct recall_question *question, const struct recall_corpus *corpus,
		   struct recall_hit *hits, size_t limit, struct arena *arena);

/* The part of a long text that bears most on the question: at most `limit` bytes, from and to the
 * borders of sentences or words where these are near; the beginning when nothing in it does. Points
 * into the text. */
struct slice recall_excerpt(const struct recall_question *question, struct slice text, size_t limit,
			    struct arena *arena);

/* ---- facts ---- */

/* scores[i] tells how much facts[i] bears on the question; 0: not at all. */
void recall_rank_facts(const struct recall_question *question, const struct fact *facts,
		       size_t count, float *scores, struct arena *arena);

#endif
