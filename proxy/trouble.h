/* What the last call of a server that memory needs failed with: for the log, once a minute at most,
 * and for whoever asks how things stand. Thread-safe; lives as long as the process. */
#ifndef RECALLD_PROXY_TROUBLE_H
#define RECALLD_PROXY_TROUBLE_H

#include "core/bytes.h"

#include <pthread.h>

struct trouble {
	pthread_mutex_t lock;
	char why[160];      /* empty: the last call went well, or there was none */
	uint64_t logged_at; /* see log_is_due() */
};

void trouble_init(struct trouble *trouble);
/* A call failed, with this HTTP status if it was answered; nothing that a user said may be in
 * `why`. True: it is to be logged now. */
bool trouble_note(struct trouble *trouble, const char *why, int status);
/* One went well. */
void trouble_end(struct trouble *trouble);
/* Another server may be asked from now on: the next failure is logged at once. */
void trouble_clear(struct trouble *trouble);
/* "it refused (status 401)"; empty: there is none. In the arena. */
struct slice trouble_read(struct trouble *trouble, struct arena *arena);

#endif
