/* Streams for readers of replies: with other line breaks, and torn at every byte. */
#ifndef RECALLD_TESTS_TORN_STREAM_H
#define RECALLD_TESTS_TORN_STREAM_H

#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "tests/unit/unit.h"

/* Where in a written stream its last event begins. */
#define HERE "@"

struct torn_stream {
	struct slice bytes;
	size_t last; /* where the last event begins; the size: there is none */
};

/* A stream without its mark, with line feeds as `line_break`. */
struct torn_stream torn_stream_make(const char *marked, const char *line_break,
				    struct arena *arena);

/* Feeds [begin, end) from memory that ends there; what reply_read() returns. */
size_t torn_stream_feed(struct reply_reader *reader, struct slice bytes, size_t begin, size_t end);

/* Reads the stream in two parts, torn at every byte. */
void torn_stream_check(const struct dialect *dialect, struct slice bytes,
		       void (*assert_reply)(struct reply_reader *reader, const void *expected),
		       const void *expected);

#endif
