/* What the last call of a server failed with: for the log, once a minute at most, and for whoever
 * asks how things stand. Thread-safe; lives as long as the process. */
#ifndef RECALLD_PROXY_UPSTREAM_LAST_FAILURE_H
#define RECALLD_PROXY_UPSTREAM_LAST_FAILURE_H

#include "core/base/bytes.h"

#include <pthread.h>

/* "it refused (status 401)", or without a status where there was no answer. Nothing that a user
 * said may be in it. */
struct trouble_words {
	char text[320];
};

struct trouble {
	pthread_mutex_t lock;
	struct trouble_words why; /* empty: the last call went well, or there was none */
	uint64_t logged_at;       /* see log_is_due() */
};

/* `status` is 0 where there was no answer. */
struct trouble_words trouble_words(const char *why, int status);

void trouble_init(struct trouble *trouble);
/* A call failed. True: it is to be logged now. */
bool trouble_note(struct trouble *trouble, const struct trouble_words *why);
/* One went well. */
void trouble_end(struct trouble *trouble);
/* Another server may be asked from now on: the next failure is logged at once. */
void trouble_clear(struct trouble *trouble);
/* The words; empty: there is none. In the arena. */
struct slice trouble_read(struct trouble *trouble, struct arena *arena);

#endif
