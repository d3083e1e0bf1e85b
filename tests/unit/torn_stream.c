#include "tests/unit/torn_stream.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1024 * 1024 };

struct torn_stream torn_stream_make(const char *marked, const char *line_break, struct arena *arena)
{
	struct torn_stream stream = {.last = SIZE_MAX};
	struct buffer out;
	buffer_init(&out, 64 * 1024);
	for (; *marked != '\0'; marked++) {
		if (*marked == *HERE)
			stream.last = out.size;
		else if (*marked == '\n')
			(void)buffer_append(&out, slice_of(line_break));
		else
			(void)buffer_append_byte(&out, *marked);
	}
	stream.bytes = arena_take(arena, &out);
	if (stream.last > stream.bytes.size)
		stream.last = stream.bytes.size;
	return stream;
}

size_t torn_stream_feed(struct reply_reader *reader, struct slice bytes, size_t begin, size_t end)
{
	size_t size = end - begin;
	char *copy = xmalloc(size == 0 ? 1 : size);
	if (size > 0)
		memcpy(copy, bytes.data + begin, size);
	size_t held = reply_read(reader, (struct slice){copy, size});
	free(copy);
	return held;
}

void torn_stream_check(const struct dialect *dialect, struct slice bytes,
		       void (*assert_reply)(struct reply_reader *reader, const void *expected),
		       const void *expected)
{
	for (size_t at = 0; at <= bytes.size; at++) {
		struct reply_reader *reader =
			reply_reader_create(dialect, dialect->stream_format, LIMIT);
		(void)torn_stream_feed(reader, bytes, 0, at);
		(void)torn_stream_feed(reader, bytes, at, bytes.size);
		assert_reply(reader, expected);
		reply_reader_destroy(reader);
	}
}
