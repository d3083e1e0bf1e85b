/* The lexical index: what recall knows of each of a user's turns, and which of them have a term. It
 * is written in the transaction that writes the turn.
 *
 * A turn's document lies in a block with those of its neighbours. Its terms wait beside it until
 * the block is full; then those of the whole block go into the postings at once, so that appending
 * a turn touches few pages, and as many of a long memory as of a short one. Turns are told by their
 * ids: a user's are consecutive. */
#ifndef RECALLD_STORAGE_INDEX_INDEX_H
#define RECALLD_STORAGE_INDEX_INDEX_H

#include "storage/user/memory.h"

enum { DOCUMENT_BLOCK = 64 };

/* A turn that is new, or whose state may have changed. */
void index_put_turn(const struct memory *memory, const struct turn *turn);
/* Takes all out that was made of the stored turn's text, its vector too. */
void index_erase_turn(const struct memory *memory, uint64_t id);

/* ---- documents ---- */

/* Those of one block, as many as it has. */
struct document_block {
	uint64_t first; /* the turn of the first one */
	bool is_empty;  /* none was stored when it was read */
	struct recall_document documents[DOCUMENT_BLOCK];
};
/* The block of a turn; of what is not stored the documents are all zeroes. */
void documents_read_block(const struct memory *memory, uint64_t turn, struct document_block *block);
void documents_put_block(const struct memory *memory, const struct document_block *block);
struct recall_document *documents_of(struct document_block *block, uint64_t turn);

/* The turns that there may be documents of. False: there are none. */
bool documents_range(const struct memory *memory, uint64_t *first, uint64_t *end);

/* All of a user's. */
struct documents {
	struct recall_document *documents;
	size_t count;
	uint64_t first; /* the turn of the first one */
	size_t live;
};
void documents_read(const struct memory *memory, struct documents *documents);

/* ---- terms ---- */

/* Those of a new turn, whose block is the newest. */
void terms_put(const struct memory *memory, uint64_t turn, const struct term_list *terms);
/* Moves those of the turns before a new block, which are of one block, into the postings. */
void terms_move(const struct memory *memory, uint64_t first_of_block);
void terms_erase(const struct memory *memory, uint64_t turn, const struct term_list *terms);

/* The postings of each of the question's terms, by the places of `documents`; of a long memory
 * only those of terms that recall_choose_terms() chooses. */
struct recall_postings *postings_of(const struct memory *memory, const struct documents *documents,
				    const struct recall_question *question);

#endif
