/* What the disk still holds of what was erased. */
#ifndef RECALLD_PROXY_ADMIN_SCRUB_H
#define RECALLD_PROXY_ADMIN_SCRUB_H

#include "proxy/admin/call.h"
#include "storage/deletions.h"

/* Appends an object: the schedule, the scrub in progress, the last and the next. */
void scrub_put_state(struct admin_call *call, struct buffer *out);
/* Appends the members of a deletion's report that tell of the disk, and of copies made before. */
void scrub_put_disk(struct admin_call *call, const struct deletion_report *report,
		    struct buffer *out);
/* Appends metrics. */
void scrub_put_metrics(struct admin_call *call, struct buffer *out);

#endif
