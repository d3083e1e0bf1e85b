/* The best of many scores, without sorting them all. */
#ifndef RECALLD_CORE_RECALL_TOP_H
#define RECALLD_CORE_RECALL_TOP_H

#include "core/recall.h"

/* Writes the documents with the highest scores above 0, the best first, of equal ones the newest
 * (highest) first; at most `limit`. */
size_t recall_top(const float *scores, size_t count, struct recall_hit *hits, size_t limit);

#endif
