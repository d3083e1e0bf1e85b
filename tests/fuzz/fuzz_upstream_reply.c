/* The reader of an upstream's reply on hostile bytes: it must not crash, and must judge a reply
 * that comes torn, with its reader full now and then, as it judges the same reply in one piece. */
#include "proxy/upstream/plain.h"
#include "tests/fuzz/fuzz.h"

struct outcome {
	enum plain_progress progress;
	struct buffer said; /* the head and the body, as handed over */
	bool is_last;
	bool persists;
	unsigned full; /* asked how often; each second time it says yes */
	bool may_be_full;
};

static enum upstream_next on_head(void *cookie, const struct upstream_head *head)
{
	struct outcome *outcome = cookie;
	FUZZ_ASSERT(head->status == 101 || head->status >= 200);
	FUZZ_ASSERT(!(head->has_length && head->until_close));
	buffer_printf(&outcome->said, "%d %zu\n", head->status, head->field_count);
	for (size_t i = 0; i < head->field_count; i++) {
		FUZZ_ASSERT(http_field_is_valid(head->fields[i]));
		buffer_append(&outcome->said, head->fields[i].name);
		buffer_append(&outcome->said, head->fields[i].value);
	}
	return UPSTREAM_GO_ON;
}

static enum upstream_next on_data(void *cookie, struct slice bytes)
{
	struct outcome *outcome = cookie;
	FUZZ_ASSERT(bytes.size > 0);
	buffer_append(&outcome->said, bytes);
	return UPSTREAM_GO_ON;
}

static bool on_full(void *cookie)
{
	struct outcome *outcome = cookie;
	return outcome->may_be_full && outcome->full++ % 2 == 0;
}

static void ignore(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	(void)cookie;
}

/* Goes on as plain.c does when the reply's reader has room again. */
static enum plain_progress take(struct transfer *transfer, struct slice input)
{
	enum plain_progress progress = plain_reply_take(transfer, input);
	while (progress == PLAIN_HELD) {
		struct buffer held = transfer->held;
		buffer_init(&transfer->held, SIZE_MAX);
		transfer->paused = false;
		progress = plain_reply_take(transfer, buffer_slice(&held));
		buffer_finish(&held);
	}
	return progress;
}

static void read_reply(struct slice bytes, struct fuzz_tear tear, bool is_head_request,
		       struct event_base *base, struct outcome *outcome)
{
	struct plain_connection connection = {0};
	struct transfer transfer = {
		.engine = &upstream_plain_engine,
		.events = {on_head, on_data, on_full, NULL},
		.cookie = outcome,
		.connection = &connection,
		.is_head_request = is_head_request,
		.missing = UINT64_MAX,
		.timeout = event_new(base, -1, 0, ignore, NULL),
	};
	connection.readable = event_new(base, -1, 0, ignore, NULL);
	buffer_init(&transfer.head.lines, UPSTREAM_MAX_HEAD);
	buffer_init(&transfer.line, SIZE_MAX);
	buffer_init(&transfer.held, SIZE_MAX);
	buffer_init(&outcome->said, SIZE_MAX);
	outcome->progress = PLAIN_MORE;
	for (size_t at = 0; at < bytes.size && outcome->progress == PLAIN_MORE;) {
		size_t size = fuzz_next_piece(&tear, bytes.size - at);
		outcome->progress = take(&transfer, slice_part(bytes, at, at + size));
		at += size;
		/* Torn, the end of the reply may come before what follows it. */
		connection.is_last |= outcome->progress == PLAIN_WHOLE && at < bytes.size;
	}
	FUZZ_ASSERT(outcome->progress != PLAIN_REFUSED || transfer.broken != NULL);
	outcome->is_last = connection.is_last;
	outcome->persists = transfer.head.persists;
	event_free(transfer.timeout);
	event_free(connection.readable);
	buffer_finish(&transfer.head.lines);
	buffer_finish(&transfer.line);
	buffer_finish(&transfer.held);
	arena_finish(&transfer.arena);
}

/* The first byte says how the rest is torn, and whether the request was a HEAD. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_base *base;
	if (size < 2)
		return 0;
	if (base == NULL)
		base = event_base_new();
	struct slice input = {(const char *)data + 1, size - 1};
	char *copy = fuzz_copy(input);
	struct slice bytes = {copy, input.size};
	struct outcome whole = {0};
	struct outcome torn = {.may_be_full = true};
	bool is_head_request = (data[0] & 1) != 0;
	read_reply(bytes, fuzz_tear(7), is_head_request, base, &whole);
	read_reply(bytes, fuzz_tear(data[0] >> 1), is_head_request, base, &torn);
	FUZZ_ASSERT(whole.progress == torn.progress);
	FUZZ_ASSERT(slice_equal(buffer_slice(&whole.said), buffer_slice(&torn.said)));
	FUZZ_ASSERT(whole.is_last == torn.is_last && whole.persists == torn.persists);
	buffer_finish(&whole.said);
	buffer_finish(&torn.said);
	free(copy);
	return 0;
}
