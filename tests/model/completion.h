/* One chat completion, from the request's JSON to what is to be sent, without a socket.
 *
 * Requests of recalld's learner are told by their instructions and answered with facts or a
 * summary; a request with tools may be answered with a call; every other one is answered by the
 * brain. */
#ifndef RECALLD_TESTS_MODEL_COMPLETION_H
#define RECALLD_TESTS_MODEL_COMPLETION_H

#include "core/base/bytes.h"

#include <jansson.h>

/* The beginnings of the last 64 requests' messages, as an upstream's prompt cache keeps them. All
 * zeroes is an empty one. */
enum { CACHED_REQUESTS = 64 };
struct prompt_cache {
	char *prefixes[CACHED_REQUESTS];
	size_t next;
};

void prompt_cache_finish(struct prompt_cache *cache);
/* Remembers the messages and returns how many of their tokens an earlier request began with: none
 * below 1024, then in steps of 128. */
size_t prompt_cache_tokens(struct prompt_cache *cache, const char *messages);

struct completion {
	char id[40];
	json_int_t created;
	const char *model; /* the request's; lives as long as that */
	bool stream;
	bool include_usage;
	struct slice text; /* empty when a tool is called */
	const char *finish_reason;
	json_t *tool_call; /* owned; NULL: none */
	json_t *usage;     /* owned */
};

/* NULL, or what is wrong with the request, in words for its sender. */
const char *completion_create(const json_t *request, struct prompt_cache *cache, int64_t now,
			      struct completion *completion, struct arena *arena);
void completion_finish(struct completion *completion);

/* The reply in one piece; a new reference. */
json_t *completion_object(const struct completion *completion);
/* The index-th piece of its text, a few words; empty after the last. */
struct slice completion_piece(const struct completion *completion, size_t index);
/* The chunks of a streamed one, in order: NULL after the last; a new reference. */
json_t *completion_chunk(const struct completion *completion, size_t index);

#endif
