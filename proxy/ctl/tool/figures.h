/* Reads what /metrics says. */
#ifndef RECALLD_PROXY_CTL_TOOL_FIGURES_H
#define RECALLD_PROXY_CTL_TOOL_FIGURES_H

#include "core/base/bytes.h"

/* The value of the sample `name` with these labels, as they are printed: "recalld_x{a=\"b\"}".
 * 0: there is none. */
double figure_of(struct slice metrics, const char *sample);
/* The sum of all samples of the family. */
double figure_sum(struct slice metrics, const char *family);
/* Takes the next sample of the family that begins at or after `*at`. `label` is the first label's
 * value. False: there is none left. */
bool figure_next(struct slice metrics, const char *family, size_t *at, struct slice *label,
		 double *value);
/* Below how many seconds lies this share of what the histogram observed between the two texts; its
 * buckets' bounds are as exact as it gets. 0: nothing was observed. */
double figure_quantile(struct slice before, struct slice now, const char *family, double share);

#endif
