/* What the last call of a server failed with: for the log, once a minute at most, and for whoever
 * asks how things stand. Thread-safe; lives as long as the process. */
#ifndef RECALLD_PROXY_UPSTREAM_LAST_FAILURE_H
#define RECALLD_PROXY_UPSTREAM_LAST_FAILURE_H

#include "core/base/bytes.h"

#include <pthread.h>

/* "it refused (status 401)", or without a status where there was no answer. Nothing that a user
 * said may be in it. */
struct failure_words {
	char text[320];
};

struct last_failure {
	pthread_mutex_t lock;
	struct failure_words why; /* empty: the last call went well, or there was none */
	uint64_t logged_at;       /* see log_is_due() */
};

/* `status` is 0 where there was no answer. */
struct failure_words failure_words(const char *why, int status);

void last_failure_init(struct last_failure *failure);
/* A call failed. True: it is to be logged now. */
bool last_failure_note(struct last_failure *failure, const struct failure_words *why);
/* One went well. */
void last_failure_end(struct last_failure *failure);
/* Another server may be asked from now on: the next failure is logged at once. */
void last_failure_clear(struct last_failure *failure);
/* The words; empty: there is none. In the arena. */
struct slice last_failure_read(struct last_failure *failure, struct arena *arena);

#endif
