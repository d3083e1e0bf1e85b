/* The dates that a question names, in words or figures. */
#ifndef RECALLD_CORE_RECALL_DATES_H
#define RECALLD_CORE_RECALL_DATES_H

#include "core/recall/recall.h"

/* Writes the periods that the text names, at most RECALL_MAX_PERIODS. A day or month without a year
 * stands for the latest ones that had begun by `now`. */
size_t recall_read_dates(struct slice text, int64_t now, struct recall_period *periods);

#endif
