/* Which documents recall reads of a long memory. */
#ifndef RECALLD_STORAGE_ACCESS_NARROW_H
#define RECALLD_STORAGE_ACCESS_NARROW_H

#include "storage/access/outdated.h"

/* Reads the documents that bear on the question most and those around them: `most` by its words,
 * and what the recall, the periods and the ended facts name. False: more would match by their
 * words.
 */
bool narrow_documents(const struct memory *memory, const struct recall *recall,
		      const struct outdated *outdated, const struct recall_postings *postings,
		      size_t most, struct documents *documents);

#endif
