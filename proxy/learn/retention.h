/* Retention: one thread that takes out of the store what is past its time ([retention]).
 *
 * It looks at all users, a few at a time, when the daemon starts, when the configuration was read
 * again, and from then on as often as the times that are set ask for. To search a long memory takes
 * a while, so it has a thread and a loop of its own. */
#ifndef RECALLD_PROXY_LEARN_RETENTION_H
#define RECALLD_PROXY_LEARN_RETENTION_H

#include "proxy/config/config.h"
#include "storage/store.h"

struct retention;

/* NULL: no thread could be started. */
struct retention *retention_start(struct store *store, struct config *config);
/* From any thread. */
void retention_configure(struct retention *retention, struct config *config);
/* Joins the thread. Callbacks of the store may still be posted. */
void retention_stop(struct retention *retention);
/* After the store is closed. NULL is fine. */
void retention_destroy(struct retention *retention);

/* Milliseconds from one look at all users to the next; 0: nothing is ever past its time. */
int64_t retention_period(const struct config *config);

#endif
