/* A reply reads the same wherever it is torn, and at each place the same is held back. The input's
 * first byte picks the format, the limit and the dialect, the second how the rest is torn. */
#include "core/dialect/reply.h"

#include "core/dialect/dialect.h"
#include "tests/fuzz/fuzz.h"

/* Feeds the reply in pieces, each from memory that ends where it does. held[n] is what is to be
 * held back of the first n bytes: the first reader to come there writes it down. */
static void feed(struct reply_reader *reader, struct slice bytes, struct fuzz_tear tear,
		 size_t *held, bool first)
{
	for (size_t at = 0; at < bytes.size;) {
		size_t size = fuzz_next_piece(&tear, bytes.size - at);
		char *copy = fuzz_copy(slice_part(bytes, at, at + size));
		size_t now = reply_read(reader, (struct slice){copy, size});
		at += size;
		FUZZ_ASSERT(now <= at);
		if (first)
			held[at] = now;
		FUZZ_ASSERT(held[at] == now);
		free(copy);
	}
}

static void check_equal(struct reply a, struct reply b, size_t limit)
{
	FUZZ_ASSERT(slice_equal(a.text, b.text) && a.text.size <= limit);
	FUZZ_ASSERT(a.finished == b.finished && a.done == b.done && a.failed == b.failed);
	FUZZ_ASSERT(a.unreadable == b.unreadable && a.truncated == b.truncated);
	FUZZ_ASSERT(a.end == b.end && slice_equal(a.id, b.id));
	FUZZ_ASSERT(a.has_tool_calls == b.has_tool_calls);
	FUZZ_ASSERT(a.tool_calls_hash == b.tool_calls_hash);
	FUZZ_ASSERT(a.prompt_tokens == b.prompt_tokens && a.cached_tokens == b.cached_tokens);
}

static const struct dialect *choose_dialect(uint8_t control)
{
	if ((control & 4) != 0)
		return &dialect_responses;
	if ((control & 8) != 0)
		return &dialect_messages;
	return (control & 16) != 0 ? &dialect_ollama : &dialect_chat;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { SINGLE_BYTES = 0, WHOLE = 7 };
	if (size < 3)
		return 0;
	const struct dialect *dialect = choose_dialect(data[0]);
	enum reply_format format = (data[0] & 1) != 0 ? REPLY_JSON : dialect->stream_format;
	size_t limit = (data[0] & 2) != 0 ? 8 : 1024 * 1024;
	struct slice bytes = {(const char *)data + 2, size - 2};
	size_t *held = xcalloc(bytes.size + 1, sizeof(*held));
	struct reply_reader *single = reply_reader_create(dialect, format, limit);
	struct reply_reader *whole = reply_reader_create(dialect, format, limit);
	struct reply_reader *torn = reply_reader_create(dialect, format, limit);
	feed(single, bytes, fuzz_tear(SINGLE_BYTES), held, true);
	feed(whole, bytes, fuzz_tear(WHOLE), held, false);
	feed(torn, bytes, fuzz_tear(data[1]), held, false);
	check_equal(reply_result(single), reply_result(whole), limit);
	check_equal(reply_result(single), reply_result(torn), limit);
	reply_reader_destroy(single);
	reply_reader_destroy(whole);
	reply_reader_destroy(torn);
	free(held);
	return 0;
}
