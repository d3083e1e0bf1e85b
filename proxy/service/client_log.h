/* Log lines about client programs: calls of paths that do not exist, and the upstream's refusals. A
 * program is the first product of a User-Agent (RFC 9110, section 10.1.5) without its version. No
 * line holds what a user said: names are cut at the first byte that no name has. Any thread. */
#ifndef RECALLD_PROXY_SERVICE_CLIENT_LOG_H
#define RECALLD_PROXY_SERVICE_CLIENT_LOG_H

#include "core/base/bytes.h"

#include <pthread.h>

enum { CLIENT_LOG_SLOTS = 64 };

/* The newest lines written, as hashes. A line gives way to a new one once `span` has passed: nobody
 * can flood the log, nor fill it for good with names that they invent. */
struct client_log {
	pthread_mutex_t lock;
	uint64_t span; /* microseconds */
	bool repeats;  /* a line may come again after the span, not only once it gave way */
	struct {
		uint64_t hash; /* 0: free */
		uint64_t at;
	} told[CLIENT_LOG_SLOTS];
};

void client_log_init(struct client_log *log, uint64_t span, bool repeats);
void client_log_clear(struct client_log *log);

/* "OpenAI/Python" from "OpenAI/Python 1.99.1". */
struct slice client_program(struct slice user_agent);
/* A name from a request, such as the model's or a host's, as far as it may be logged; "-": there
 * is none. */
struct slice client_name(struct slice name);
/* A request's path as it may be logged: without the user that it may name behind /u/. In the arena,
 * or the path itself where it names none. */
struct slice client_path(struct slice path, struct arena *arena);

/* A call that memory takes no part in, for a reason the client program's owner can mend. */
enum client_miss {
	CLIENT_MISS_NONE,
	CLIENT_MISS_API,  /* the API has no memory here */
	CLIENT_MISS_BASE, /* the base URL is wrong, such as http://ADDRESS/v1/v1 */
	CLIENT_MISS_USER, /* the base URL has no user id after /u/ */
	CLIENT_MISS_ID,   /* nothing names the user */
};

/* Logs it, once per program, path and kind while the log remembers. `origin` is recalld's, as the
 * client knows it. */
void client_log_miss(struct client_log *log, enum client_miss miss, struct slice user_agent,
		     struct slice path, struct slice origin);

/* Logs that the upstream failed, once per program, model, status and cause within the span.
 * `receipt` 0: there is none; `status` 0: no answer came. */
void client_log_failure(struct client_log *log, const char *why, int status,
			struct slice user_agent, struct slice model, uint64_t receipt);

/* Counts a request that named its user, by path. Paths without their own metric label count as
 * "other". */
void without_memory_count(struct slice path);

#endif
