/* Posting lists on disk: for each turn of a span that has a term, the distance from the previous
 * one, and the term's count if it exceeds one. Most entries take one byte. */
#ifndef RECALLD_STORAGE_RECORD_POSTINGS_H
#define RECALLD_STORAGE_RECORD_POSTINGS_H

#include "core/recall/recall.h"

/* The number of turns in a span: it bounds a list and keeps what one append touches close
 * together. */
enum { POSTINGS_SPAN = 2048 };

/* `document` is the position in the span and must ascend. */
void postings_write(struct buffer *out, const struct recall_posting *postings, size_t count);

/* Returns the postings of documents below `end`, counted from `first`, the document at the span's
 * start (it may lie before document 0; then it has wrapped). `postings` has room for one more than
 * the span's documents below `end`. */
size_t postings_read(struct slice value, uint32_t first, uint32_t end,
		     struct recall_posting *postings);

#endif
