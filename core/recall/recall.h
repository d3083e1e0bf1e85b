/* Recall: which past turns, and which facts, bear on a question.
 *
 * A turn matches by its terms (BM25); if there are vectors, the ranking by similarity is fused with
 * that (reciprocal rank fusion). The turn's neighbours, its conversation, the speaker asked about
 * and the dates that the question names then raise its score. These are pure functions: the store
 * supplies the postings, the clock is an argument. */
#ifndef RECALLD_CORE_RECALL_RECALL_H
#define RECALLD_CORE_RECALL_RECALL_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"
#include "core/memory/user.h"
#include "core/text/terms.h"

/* ---- the question ---- */

/* A stretch of time that a question names: [from, until). */
struct recall_period {
	int64_t from;
	int64_t until;
};

enum { RECALL_MAX_PERIODS = 8 };

struct recall_question {
	struct slice text; /* of a long text, its first and last KiB */
	/* Its terms and those of what was said before it, by ascending hash, without duplicates. */
	struct term_list terms;
	uint8_t *ages;  /* for each term: 0 is the question's own, 1 the turn's before it, and so on
			 */
	size_t earlier; /* the highest age */
	bool has_subject; /* a word says what it is about; a greeting has none */
	bool leans;       /* it says little itself: the turns before it say what it is about */
	bool about_user;  /* it is about the asker: "I", "my" */
	bool is_broad;    /* it asks about all that is known: "about me", "where we left off" */
	bool about_past;  /* it asks about the past: superseded facts bear on it */
	bool wants_words; /* it asks for exact wording: "verbatim", "word for word", "quote" */
	struct recall_period periods[RECALL_MAX_PERIODS];
	size_t period_count;
	const int8_t *vector; /* its embedding, quantized (vector_quantize()); NULL: none */
	size_t dimensions;
};

/* Reads the newest user turn's own text; of a long one only the first and last KiB, which bounds
 * the terms to about a thousand. `now` resolves "last week". Leaves `vector` NULL. */
void recall_read_question(struct slice text, int64_t now, struct recall_question *question,
			  struct arena *arena);

/* Reads the question in the light of the user's turns before it, newest first; the first
 * RECALL_EARLIER count, each less than the one after it, and less the more the question itself
 * says. "And at what time?" asks about what those turns were about. Reads the first and last KiB of
 * a long turn. A greeting or thanks stays one, whatever came before. */
enum { RECALL_EARLIER = 3 };
void recall_read_earlier(const struct slice *texts, size_t count, struct recall_question *question,
			 struct arena *arena);

/* ---- turns ---- */

/* Ranking's data about a stored turn besides its terms. The store keeps these bytes as they are. */
struct recall_document {
	int64_t created_at;
	uint32_t conversation;
	uint32_t ordinal;
	uint32_t speaker : 31; /* the speaker of the label that the text begins with ("Maria: ...");
				  0: none */
	uint32_t asks : 1;     /* it contains a question */
	uint16_t words;        /* at most 65535 */
	uint8_t role;          /* enum role */
	uint8_t is_live : 1;   /* 0: superseded, hidden or never stored; it cannot be found */
	uint8_t says_i : 1;    /* its speaker mentions himself */
};

/* The index's record of a turn: its document and its terms. */
void recall_describe(const struct turn *turn, struct recall_document *document,
		     struct term_list *terms, struct arena *arena);

/* The speaker that a word names, from the word's hash. */
uint32_t recall_speaker(uint64_t hash);

struct recall_posting {
	uint32_t document;
	uint32_t count;
};

struct recall_postings {
	const struct recall_posting *postings; /* by ascending document; some may be dead */
	size_t count;
	size_t found;     /* how many documents of all have the term, if more than `count` */
	bool is_left_out; /* recall_choose_terms() left it out: it has postings, but they were not
			     read */
};

/* A document that bears on the question by what was learned from it, as a share of a whole match.
 */
struct recall_hint {
	uint64_t document;
	float score;
};

/* The document `now` says what holds instead of something that `old` says. In the corpus both are
 * places, in what the store reads both are turns. */
struct recall_successor {
	uint64_t old;
	uint64_t now;
};

/* All that a user ever said, or of a long memory the documents worth ranking: in the order they
 * came, which is the order of their turns' ids. */
struct recall_corpus {
	const struct recall_document *documents;
	size_t count;
	/* Statistics of the full corpus, if this one is partial. Zero: it is complete. */
	struct {
		size_t total;          /* of documents */
		const uint64_t *turns; /* of each document; where ids are left out, there is a gap,
					  and the documents around it are no neighbours */
		const struct recall_document *sample; /* from all parts of the memory */
		size_t sample_count;
	} whole;
	const struct recall_postings *postings; /* one for each of the question's terms */
	/* The cosine between each document's vector and the question's; below -1: the document has
	 * none. NULL: there are no vectors. */
	const float *similarities;
	const struct recall_hint *hints; /* of documents that exist, like the successors */
	size_t hint_count;
	const struct recall_successor *successors; /* a successor's own comes after it */
	size_t successor_count;
};

struct recall_hit {
	uint32_t document;
	float score; /* above 0 */
};

/* Chooses the postings worth reading in a long memory, where common words have many. `sizes` has
 * roughly how many postings each of the question's terms has. Sets in `chosen` the terms to read:
 * first the rarest that can make a match by themselves, then the rarest others, up to `limit`
 * postings in all, but at least one term. Pass the other terms with no postings. */
void recall_choose_terms(const struct recall_question *question, const size_t *sizes, size_t limit,
			 bool *chosen, struct arena *arena);

/* The query of recall_candidates(). */
struct recall_choice {
	size_t total;   /* of documents; the postings are of all of them */
	uint32_t first; /* no document before it is wanted */
	const struct recall_stretch {
		uint32_t from;
		uint32_t until;
	} * favoured; /* documents of the periods that the question names */
	size_t favoured_count;
};

/* Chooses the documents of a long memory that the question's words bear on most, judged by the
 * words alone: recall_rank() ranks these and the documents around them. Writes at most `limit`, in
 * ascending order. */
size_t recall_candidates(const struct recall_question *question,
			 const struct recall_postings *postings, const struct recall_choice *choice,
			 uint32_t *candidates, size_t limit, struct arena *arena);

/* Writes the best hits, best first, newest first among equals; at most `limit`. A turn unrelated to
 * the question is not a hit, so a greeting gets none. */
size_t recall_rank(const struct recall_question *question, const struct recall_corpus *corpus,
		   struct recall_hit *hits, size_t limit, struct arena *arena);

/* The part of a long text that bears most on the question; the beginning if none does. At most
 * `limit` bytes, cut between sentences or words where such a place is near. Points into the
 * text. */
struct slice recall_excerpt(const struct recall_question *question, struct slice text, size_t limit,
			    struct arena *arena);

/* How much of what the question says stands in a text, as a share of its telling terms, weighed
 * alike: what no index knows of, such as a summary. 0: nothing, or the question has no subject. */
float recall_coverage(const struct recall_question *question, struct slice text,
		      struct arena *arena);

/* ---- facts ---- */

/* Writes for each fact that the question speaks of, in the words of its entity, key or value, the
 * turn that it was learned from; gives how many. `hints` has room for `count`. */
size_t recall_hint_turns(const struct recall_question *question, const struct fact *facts,
			 size_t count, struct recall_hint *hints, struct arena *arena);

/* scores[i] tells how much facts[i] bears on the question; 0: not at all. RECALL_SLIGHT: no word of
 * it does, but the user asks about themselves ("Where do I live?"), and it is a fact about them
 * ("city"). */
#define RECALL_SLIGHT 0.001f
void recall_rank_facts(const struct recall_question *question, const struct fact *facts,
		       size_t count, float *scores, struct arena *arena);

/* ---- what the store is asked ---- */

struct recall {
	struct user_key user;
	const struct recall_question *question;
	uint32_t conversation; /* the request carries its turns from carried_from on; 0: none */
	uint32_t carried_from;
	uint64_t asked_again; /* the exchange being asked again: its turns are left out too; 0: none
			       */
	bool only_conversation; /* only its own turns */
	/* Turns of any conversation with these texts are left out too. */
	struct carried_texts carried;
	const uint64_t *given; /* turns that the request is already given, ascending */
	size_t given_count;
	/* Turns that bear on the question by what was learned from them: `document` is a turn. */
	const struct recall_hint *hints;
	size_t hint_count;
	size_t text_limit; /* about this many bytes of turn text are wanted */
};

enum { STORE_MAX_RECALLED = 200 };

struct recall_result {
	struct recall_hit *scores; /* one for each of `turns` */
	struct turn *turns;        /* best first, without their sessions */
	size_t count;
	size_t ranked; /* how many turns were ranked: of a long memory, those worth it */
};

struct embedded_turn {
	uint64_t turn;
	const int8_t *vector; /* NULL: the model cannot embed it; do not ask again */
};

/* ---- vectors ---- */

/* Embeddings are kept as signed bytes: scaled so that the largest component is 127. A cosine needs
 * no scale. */
enum { VECTOR_MAX_DIMENSIONS = 4096 };

/* False: all numbers are 0, or one is not finite. */
bool vector_quantize(const float *values, size_t dimensions, int8_t *out);

/* Widens one operand of a dot product, which makes it several times as fast. It stays exact:
 * VECTOR_MAX_DIMENSIONS products fit. */
void vector_widen(const int8_t *vector, size_t dimensions, int16_t *out);
int32_t vector_dot(const int16_t *wide, const int8_t *vector, size_t dimensions);

float vector_length(const int8_t *vector, size_t dimensions);

#endif
