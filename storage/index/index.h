/* The lexical index: what recall knows about each of a user's turns, and which turns contain a
 * term. It is written in the same transaction as the turn.
 *
 * A turn's document shares a block with its neighbours'. Its terms wait beside it until the block
 * is full; then the whole block's terms move into the postings at once, so that appending a turn
 * touches few pages, and no more of them in a long memory than in a short one. Turns are identified
 * by their ids, which are consecutive per user. */
#ifndef RECALLD_STORAGE_INDEX_INDEX_H
#define RECALLD_STORAGE_INDEX_INDEX_H

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

/* All documents of a user. */
struct documents {
	struct recall_document *documents;
	size_t count;
	uint64_t first; /* the turn of the first document */
	size_t live;
};
void documents_read(const struct memory *memory, struct documents *documents);

/* ---- terms ---- */

/* Stores the terms of a new turn, whose block must be the newest. */
void terms_put(const struct memory *memory, uint64_t turn, const struct term_list *terms);
/* Moves the terms of the block before a new one into the postings. */
void terms_move(const struct memory *memory, uint64_t first_of_block);
void terms_erase(const struct memory *memory, uint64_t turn, const struct term_list *terms);

/* The postings of each of the question's terms, by index into `documents`. For a long memory, only
 * those of the terms that recall_choose_terms() selects. */
struct recall_postings *postings_of(const struct memory *memory, const struct documents *documents,
				    const struct recall_question *question);

#endif
