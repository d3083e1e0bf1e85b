/* The error of the last failed call to a server, for the log (once a minute at most) and for status
 * queries. Thread-safe; lives as long as the process. */
#ifndef RECALLD_PROXY_UPSTREAM_LAST_FAILURE_H
#define RECALLD_PROXY_UPSTREAM_LAST_FAILURE_H

#include "core/base/bytes.h"

#include <pthread.h>

/* For example "it refused (status 401)", without a status if no answer came. Must not contain
 * anything a user said. */
struct failure_words {
	char text[320];
	int status; /* 0: no answer came */
};

struct last_failure {
	pthread_mutex_t lock;
	struct failure_words why; /* empty: the last call succeeded, or there was none */
	uint64_t logged_at;       /* see log_is_due() */
};

/* `status` is 0 if no answer came. */
struct failure_words failure_words(const char *why, int status);

void last_failure_init(struct last_failure *failure);
/* Records a failed call. True: log it now. */
bool last_failure_note(struct last_failure *failure, const struct failure_words *why);
/* Records a successful call. */
void last_failure_end(struct last_failure *failure);
/* Records an answer that says nothing of the call that failed, if the server refused that one. */
void last_failure_end_outage(struct last_failure *failure);
/* The server may be another one from now on, so the next failure is logged at once. */
void last_failure_clear(struct last_failure *failure);
/* The recorded words, copied into the arena; empty if there are none. */
struct slice last_failure_read(struct last_failure *failure, struct arena *arena);

#endif
