/* Posting lists as they lie on disk: for each turn of a span that has a term, how far it is from
 * the one before, and how often it has the term where that is more than once. Most take one byte.
 */
#ifndef RECALLD_STORAGE_RECORD_POSTINGS_H
#define RECALLD_STORAGE_RECORD_POSTINGS_H

#include "core/recall/recall.h"

/* So many turns are a span: a list is bounded, and what one append touches lies close together. */
enum { POSTINGS_SPAN = 2048 };

/* `document` is the place in the span, and rises. */
void postings_write(struct buffer *out, const struct recall_posting *postings, size_t count);

/* Gives those of the documents below `end`, counted from `first`, the document of the span's first
 * place (which may lie before the first of all: then it has wrapped). `postings` has room for one
 * more than the documents of the span below `end`. */
size_t postings_read(struct slice value, uint32_t first, uint32_t end,
		     struct recall_posting *postings);

#endif
