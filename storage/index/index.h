/* The lexical index: what recall knows about each of a user's turns, and which turns contain a
 * term. It is written in the same transaction as the turn.
 *
 * A turn's document shares a block with its neighbours'. Its terms wait beside it until the block
 * is full; then the whole block's terms move into the postings at once, so that appending a turn
 * touches few pages, and no more of them in a long memory than in a short one. Turns are identified
 * by their ids, which are consecutive per user. */
#ifndef RECALLD_STORAGE_INDEX_INDEX_H
#define RECALLD_STORAGE_INDEX_INDEX_H

#include "core/recall/recall.h"
#include "storage/store.h"
#include "storage/user/memory.h"

enum { DOCUMENT_BLOCK = 64 };

/* ---- documents ---- */

/* The documents of one block. */
struct document_block {
	uint64_t first; /* the turn of the first document */
	bool is_empty;  /* none was stored when it was read */
	struct recall_document documents[DOCUMENT_BLOCK];
};
/* Reads the block of a turn; documents that are not stored are zeroed. */
void documents_read_block(const struct memory *memory, uint64_t turn, struct document_block *block);
void documents_put_block(const struct memory *memory, const struct document_block *block);
struct recall_document *documents_of(struct document_block *block, uint64_t turn);

/* The range of turns that may have documents. False: there are none. */
bool documents_range(const struct memory *memory, uint64_t *first, uint64_t *end);

/* Of a memory with no more documents, recall reads all. */
enum { NARROW_FROM = 8 * 1024 };

/* All documents of a user, or of a long memory those around some turns. */
struct documents {
	uint64_t first; /* the turn of the first of all */
	size_t total;   /* of all */
	struct recall_document *documents;
	size_t count;
	size_t live;
	uint64_t *turns; /* of each document, ascending; NULL: from `first` on, without a gap */
	struct recall_document *sample; /* if there are turns: some from all parts of the memory */
	size_t sample_count;
};
/* Finds out which there are, and reads none. */
void documents_find(const struct memory *memory, struct documents *documents);
/* Finds and reads all. */
void documents_read(const struct memory *memory, struct documents *documents);
/* Reads the documents of those of the turns (ascending) that were found, of the three turns before
 * and after each, and a sample. */
void documents_read_near(const struct memory *memory, const uint64_t *turns, size_t count,
			 struct documents *documents);
uint64_t documents_turn(const struct documents *documents, size_t place);
/* False: the turn's document was not read. */
bool documents_place(const struct documents *documents, uint64_t turn, size_t *place);

/* ---- terms ---- */

/* The terms with the hashes that the store has of them, in the same order; none if the user has no
 * keys. `stores`: by ascending hash, and a user without keys gets some. */
struct term_list terms_hidden(const struct memory *memory, const struct term_list *terms,
			      bool stores, struct arena *arena);
/* Stores the terms of a new turn, whose block must be the newest. */
void terms_put(const struct memory *memory, uint64_t turn, const struct term_list *terms);
/* Moves the terms of the block before a new one into the postings. */
void terms_move(const struct memory *memory, uint64_t first_of_block);
/* Whether the turn's terms wait beside its block. */
bool terms_waits(const struct memory *memory, uint64_t turn);
void terms_erase(const struct memory *memory, uint64_t turn, const struct term_list *terms);

/* The postings of each of the question's terms, as distances from the first turn of all. For a long
 * memory, only those of the terms that recall_choose_terms() selects, and of a term that has more
 * than it may have, only the newest. */
struct recall_postings *postings_of(const struct memory *memory, const struct documents *documents,
				    const struct recall_question *question);
/* The postings of the documents that were read, by their places. */
struct recall_postings *postings_narrow(const struct recall_postings *postings, size_t terms,
					const struct documents *documents, struct arena *arena);

/* A term in a turn. */
struct occurrence {
	uint64_t hash; /* as the store has it, see terms_hidden() */
	uint64_t turn;
	uint32_t count;
};

/* Many occurrences go in or out of the lists at once, so that each list is read and written once.
 * Zero-initialize it. */
struct occurrences {
	struct occurrence *list;
	size_t count;
	size_t capacity;
};

/* Removes a turn's terms if they wait beside its block; otherwise adds what its lists have of it.
 */
void terms_take_out(const struct memory *memory, uint64_t turn, const struct term_list *terms,
		    struct occurrences *gone);
/* Frees the occurrences. */
void lists_erase(const struct memory *memory, struct occurrences *occurrences);

/* ---- lists on disk ---- */

/* For each turn of a span that has a term, the distance from the previous one, and the term's count
 * if it exceeds one. Most entries take one byte. The span's number of turns bounds a list and keeps
 * what one append touches close together. */
enum { POSTINGS_SPAN = 2048 };

/* `document` is the position in the span and must ascend. */
void postings_write(struct buffer *out, const struct recall_posting *postings, size_t count);

/* Returns the postings of documents below `end`, counted from `first`, the document at the span's
 * start (it may lie before document 0; then it has wrapped). `postings` has room for one more than
 * the span's documents below `end`. */
size_t postings_read(struct slice value, uint32_t first, uint32_t end,
		     struct recall_posting *postings);

/* ---- all of it ---- */

/* Indexes a turn that is new or whose state may have changed. */
void index_put_turn(const struct memory *memory, const struct turn *turn);
/* Rebuilds the index of a store that has none or whose terms were extracted by other rules, in
 * transactions of bounded size. An interrupted rebuild starts over at the next opening. */
enum store_result index_renew(struct store *store, const struct store_progress *progress);

/* ---- vectors ---- */

/* Vectors: one block for neighbouring turns, each vector with its length. All of a user's vectors
 * come from one model. */

struct stored_embedding {
	struct slice model;
	uint32_t dimensions; /* 0: the model has not produced a vector yet */
	uint64_t next;       /* every turn before it has a vector or is known to get none */
};
record_fields stored_embedding_fields;

/* False: the user has no vectors. */
bool vectors_embedding(const struct memory *memory, struct stored_embedding *embedding);
void vectors_put_embedding(const struct memory *memory, struct stored_embedding *embedding);

/* Whether the turn has a vector of `dimensions`, or is known to get none. */
bool vectors_have(const struct memory *memory, uint64_t turn, size_t dimensions);
/* NULL: the turn gets none. */
void vectors_put(const struct memory *memory, uint64_t turn, const int8_t *vector,
		 size_t dimensions);
void vectors_erase(const struct memory *memory, uint64_t turn);
/* A superseded turn is current again: the scan for missing vectors may have passed it. */
void vectors_miss(const struct memory *memory, uint64_t turn);

/* Whether the user has vectors that are comparable with the question's. */
bool vectors_can_compare(const struct memory *memory, const struct recall_question *question);
/* For recall_corpus: a number for each document, in memory->arena. NULL: no vectors are comparable
 * with the question's. */
const float *vectors_compare(const struct memory *memory, const struct recall_question *question,
			     const struct documents *documents);

#endif
