/* A reply reads the same and holds back the same wherever it is torn. The input's first byte picks
 * the format and the limit, the second the size of the pieces. */
#include "core/reply.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

/* Feeds the reply in pieces, each from memory that ends where it does. Returns what the last call
 * held back. */
static size_t feed(struct reply_reader *reader, struct slice bytes, size_t piece)
{
	size_t held = 0;
	for (size_t at = 0; at < bytes.size; at += piece) {
		size_t size = bytes.size - at < piece ? bytes.size - at : piece;
		char *copy = xmalloc(size);
		memcpy(copy, bytes.data + at, size);
		held = reply_read(reader, (struct slice){copy, size});
		FUZZ_ASSERT(held <= at + size);
		free(copy);
	}
	return held;
}

static void check_equal(struct reply a, struct reply b, size_t limit)
{
	FUZZ_ASSERT(slice_equal(a.text, b.text) && a.text.size <= limit);
	FUZZ_ASSERT(a.finished == b.finished && a.done == b.done && a.failed == b.failed);
	FUZZ_ASSERT(a.unreadable == b.unreadable && a.truncated == b.truncated);
	FUZZ_ASSERT(a.has_tool_calls == b.has_tool_calls);
	FUZZ_ASSERT(a.tool_calls_hash == b.tool_calls_hash);
	FUZZ_ASSERT(a.prompt_tokens == b.prompt_tokens && a.cached_tokens == b.cached_tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	enum reply_format format = (data[0] & 1) != 0 ? REPLY_JSON : REPLY_EVENTS;
	size_t limit = (data[0] & 2) != 0 ? 8 : 1024 * 1024;
	struct slice bytes = {(const char *)data + 2, size - 2};
	struct reply_reader *whole = reply_reader_create(format, limit);
	struct reply_reader *torn = reply_reader_create(format, limit);
	size_t held = feed(whole, bytes, bytes.size);
	FUZZ_ASSERT(feed(torn, bytes, 1 + data[1] % 64) == held);
	check_equal(reply_result(whole), reply_result(torn), limit);
	reply_reader_destroy(whole);
	reply_reader_destroy(torn);
	return 0;
}
