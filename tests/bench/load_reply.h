/* Reads HTTP/1.1 replies as they come: where they end, when their body begins, and how many events
 * of a stream are in them. */
#ifndef RECALLD_TESTS_BENCH_LOAD_REPLY_H
#define RECALLD_TESTS_BENCH_LOAD_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_LINE = 4096 };

enum reading { STATUS_LINE, FIELDS, BODY_LENGTH, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER };

struct reply {
	enum reading reading;
	bool counts_events;
	int status;
	bool is_chunked;
	bool injected;  /* X-Memory-Status says so */
	uint64_t first; /* when the first byte of its body came; 0: not yet */
	uint64_t left;  /* of the body or the chunk */
	unsigned long events;
	char event[6]; /* the begin of a line of the body */
	size_t event_size;
	size_t line_size;
	char line[MAX_LINE];
};

void reply_init(struct reply *reply, bool counts_events);

/* True when the reply is over. `at` is the time when the bytes came. */
bool reply_take(struct reply *reply, const char *data, size_t size, uint64_t at);

#endif
