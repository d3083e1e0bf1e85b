/* Reads the reply to a request of plain.c, in the pieces in which it arrives. */
#include "proxy/runtime/loop.h"
#include "proxy/upstream/plain.h"

#include <assert.h>

enum { MAX_LINE = 100 * 1024 };

/* Takes one line, which may have come in parts. */
static int take_line(struct transfer *transfer, struct slice *input)
{
	assert(input->data != NULL);
	size_t end_of_line = slice_find(*input, SLICE("\n"), 0);
	bool is_whole = end_of_line < input->size;
	struct slice part = slice_part(*input, 0, is_whole ? end_of_line + 1 : end_of_line);
	*input = slice_part(*input, part.size, input->size);
	bool fits = transfer->line.size + part.size <= MAX_LINE &&
		    transfer->head.lines.size + part.size < UPSTREAM_MAX_HEAD;
	if (!fits)
		transfer->broken = "The upstream sent a head that is too long.";
	if (!fits || (!is_whole && !buffer_append(&transfer->line, part)))
		return -1;
	if (!is_whole)
		return 0;
	if (transfer->line.size == 0)
		return reply_head_take(&transfer->head, part);
	buffer_append(&transfer->line, part);
	int taken = reply_head_take(&transfer->head, buffer_slice(&transfer->line));
	buffer_clear(&transfer->line);
	return taken;
}

static enum plain_progress read_head(struct transfer *transfer, struct slice *input)
{
	while (input->size > 0) {
		int taken = take_line(transfer, input);
		if (taken < 0 && transfer->broken == NULL)
			transfer->broken = "The upstream sent a malformed head.";
		if (taken < 0)
			return PLAIN_REFUSED;
		if (taken == 0)
			continue;
		return upstream_deliver_head(transfer) ? PLAIN_MORE : PLAIN_REFUSED;
	}
	return PLAIN_MORE;
}

static enum plain_progress deliver(struct transfer *transfer, struct slice data)
{
	if (data.size == 0)
		return PLAIN_MORE;
	transfer->moved_at = clock_steady();
	transfer->stopped = transfer->events.data(transfer->cookie, data) == UPSTREAM_STOP;
	return transfer->stopped ? PLAIN_REFUSED : PLAIN_MORE;
}

static enum plain_progress read_chunks(struct transfer *transfer, struct slice *input)
{
	struct buffer content;
	struct http_refusal refusal = {0};
	buffer_init(&content, SIZE_MAX);
	size_t taken = http_chunks_read(&transfer->chunks, *input, &content, &refusal);
	*input = slice_part(*input, taken, input->size);
	enum plain_progress progress = deliver(transfer, buffer_slice(&content));
	buffer_finish(&content);
	if (progress == PLAIN_MORE && refusal.status != 0) {
		transfer->broken = "The upstream's chunked reply is malformed.";
		return PLAIN_REFUSED;
	}
	return progress == PLAIN_MORE && transfer->chunks.finished ? PLAIN_WHOLE : progress;
}

static enum plain_progress read_plain(struct transfer *transfer, struct slice *input)
{
	bool is_last = transfer->missing <= input->size;
	size_t size = is_last ? (size_t)transfer->missing : input->size;
	if (transfer->missing != UINT64_MAX)
		transfer->missing -= size;
	enum plain_progress progress = deliver(transfer, slice_part(*input, 0, size));
	*input = slice_part(*input, size, input->size);
	return progress == PLAIN_MORE && is_last ? PLAIN_WHOLE : progress;
}

/* Holds the rest of the input back while the reply's reader is full. */
static enum plain_progress hold(struct transfer *transfer, struct slice input)
{
	transfer->paused = true;
	upstream_set_timeout(transfer, 0);
	event_del(transfer->connection->readable);
	buffer_append(&transfer->held, input);
	return PLAIN_HELD;
}

enum plain_progress plain_reply_take(struct transfer *transfer, struct slice input)
{
	enum plain_progress progress = PLAIN_MORE;
	if (!transfer->head.whole)
		progress = read_head(transfer, &input);
	if (progress != PLAIN_MORE || !transfer->head.whole)
		return progress;
	if (transfer->missing > 0 && input.size > 0) {
		if (transfer->events.full(transfer->cookie))
			return hold(transfer, input);
		bool chunked = transfer->head.chunked && transfer->missing == UINT64_MAX;
		progress = chunked ? read_chunks(transfer, &input) : read_plain(transfer, &input);
	} else if (transfer->missing == 0) {
		progress = PLAIN_WHOLE;
	}
	/* More than the reply: what follows it belongs to nobody. */
	if (progress == PLAIN_WHOLE && input.size > 0)
		transfer->connection->is_last = true;
	return progress;
}
