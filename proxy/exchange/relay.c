#include "proxy/exchange/relay.h"

#include "proxy/runtime/metrics.h"

#include <string.h>

/* How much of a reply is read for learning. Of a longer stream, the part up to there is learned; of
 * a longer JSON reply nothing, and the user's turn is stored with an empty answer. Held bytes,
 * bytes the client has not read and curl's buffer are together less than 256 KB, except for a
 * larger event that ends a stream: beyond HELD_LIMIT, or with those of all other exchanges beyond
 * relay_bound(), it goes on without waiting for the disk. */
enum { READ_LIMIT = 8 << 20, HELD_FULL = 64 * 1024, HELD_LIMIT = 64 << 20 };
/* For a stream, which is many times as long as its text. */
enum { DECODED_LIMIT = 32 << 20 };
/* More than any number of bytes that can arrive. */
static const size_t hold_all = SIZE_MAX;

void relay_start(struct relay *relay, struct http_request *request, const struct dialect *dialect,
		 bool is_stream, bool learns, bool holds, struct slice coding)
{
	*relay = (struct relay){
		.dialect = dialect, .request = request, .is_stream = is_stream, .line_ends = 2};
	buffer_init(&relay->held, HELD_LIMIT);
	relay->is_coded = coding.size > 0 && !slice_equal_nocase(coding, SLICE("identity"));
	if (!learns)
		return;
	relay->reader = reply_reader_create(
		dialect, is_stream ? dialect->stream_format : REPLY_JSON, READ_LIMIT);
	relay->holds = holds;
	if (relay->is_coded) {
		relay->decoder = decoder_create(coding);
		relay->undecodable = relay->decoder == NULL;
	}
}

void relay_bound(struct relay *relay, atomic_size_t *all_held, size_t most)
{
	relay->all_held = all_held;
	relay->most_held = most;
}

/* ---- what is held ---- */

/* False: all relays together would hold too much. */
static bool count_held(const struct relay *relay, size_t size)
{
	if (relay->all_held == NULL)
		return true;
	if (atomic_fetch_add(relay->all_held, size) + size <= relay->most_held)
		return true;
	atomic_fetch_sub(relay->all_held, size);
	return false;
}

static void drop_held(struct relay *relay, size_t size)
{
	if (relay->all_held != NULL)
		atomic_fetch_sub(relay->all_held, size);
	memmove(relay->held.data, relay->held.data + size, relay->held.size - size);
	relay->held.size -= size;
}

static bool keep_here(struct relay *relay, struct slice bytes)
{
	if (bytes.size == 0)
		return true;
	if (!count_held(relay, bytes.size))
		return false;
	if (buffer_append(&relay->held, bytes))
		return true;
	if (relay->all_held != NULL)
		atomic_fetch_sub(relay->all_held, bytes.size);
	return false;
}

void relay_finish(struct relay *relay)
{
	if (relay->held.size > 0)
		drop_held(relay, relay->held.size);
	reply_reader_destroy(relay->reader);
	decoder_destroy(relay->decoder);
	buffer_finish(&relay->held);
	*relay = (struct relay){0};
}

/* Tracks whether the client is at the beginning of a line, and whether after an empty one. */
static void follow_lines(struct relay *relay, struct slice bytes)
{
	/* The last four bytes are enough: any other byte among them restarts the count. */
	size_t from = bytes.size > 4 ? bytes.size - 4 : 0;
	for (size_t i = from; i < bytes.size; i++) {
		char byte = bytes.data[i];
		if (byte == '\n' && relay->after_return) {
			relay->after_return = false;
			continue;
		}
		relay->after_return = byte == '\r';
		if (byte == '\n' || byte == '\r')
			relay->line_ends++;
		else
			relay->line_ends = 0;
	}
}

static void pass_on(struct relay *relay, struct slice bytes)
{
	if (bytes.size == 0 || relay->request == NULL)
		return;
	follow_lines(relay, bytes);
	relay->bytes += bytes.size;
	http_reply_body(relay->request, bytes);
}

/* A few bytes may decode to a thousand times as many; decodes no more than are kept. */
static bool read_decoded(void *cookie, struct slice decoded)
{
	struct relay *relay = cookie;
	reply_read(relay->reader, decoded);
	relay->decoded += decoded.size;
	return relay->decoded <= (relay->is_stream ? DECODED_LIMIT : READ_LIMIT);
}

static void stop_decoding(struct relay *relay)
{
	decoder_destroy(relay->decoder);
	relay->decoder = NULL;
	relay->undecodable = true;
}

/* Shows the bytes to the reader; returns how many of the last ones must stay here. */
static size_t read_along(struct relay *relay, struct slice bytes)
{
	if (relay->decoder == NULL && !relay->undecodable)
		return reply_read(relay->reader, bytes);
	if (relay->decoder != NULL && !decoder_feed(relay->decoder, bytes, read_decoded, relay))
		stop_decoding(relay);
	/* The place of the stream's end in the coded bytes is unknown; it came with these. */
	return relay_is_done(relay) ? hold_all : 1;
}

void relay_feed(struct relay *relay, struct slice bytes)
{
	size_t hold = relay->reader == NULL ? 0 : read_along(relay, bytes);
	if (!relay->holds)
		hold = 0;
	size_t all = relay->held.size + bytes.size;
	size_t go = all > hold ? all - hold : 0;
	size_t from_held = go < relay->held.size ? go : relay->held.size;
	struct slice held = buffer_slice(&relay->held);
	if (from_held > 0) {
		pass_on(relay, slice_part(held, 0, from_held));
		drop_held(relay, from_held);
	}
	size_t from_bytes = go - from_held;
	pass_on(relay, slice_part(bytes, 0, from_bytes));
	struct slice rest = slice_part(bytes, from_bytes, bytes.size);
	if (!keep_here(relay, rest)) {
		metrics_count(METRIC_BYPASS_HELD, 1);
		relay_release(relay);
		pass_on(relay, rest);
	}
}

bool relay_is_done(const struct relay *relay)
{
	return relay->reader != NULL && reply_is_done(relay->reader);
}

bool relay_lacks_end(const struct relay *relay)
{
	return relay->is_stream && relay->reader != NULL && !relay->undecodable &&
	       relay->dialect->needs_end && !reply_result(relay->reader).done;
}

void relay_release(struct relay *relay)
{
	relay->holds = false;
	pass_on(relay, buffer_slice(&relay->held));
	if (relay->held.size > 0)
		drop_held(relay, relay->held.size);
}

/* The event that ends the stream may be large, and must arrive whole before it can go on. */
bool relay_is_full(const struct relay *relay)
{
	bool waits = relay_is_done(relay) || !relay->is_stream;
	return (waits && relay->held.size > HELD_FULL) ||
	       (relay->request != NULL && http_reply_full(relay->request));
}

void relay_error_event(struct relay *relay, int status, const char *code, struct slice message)
{
	const struct dialect *dialect = dialect_or_usual(relay->dialect);
	unsigned line_ends = dialect->stream_format == REPLY_LINES ? 1 : 2;
	if (relay->held.size > 0)
		drop_held(relay, relay->held.size);
	/* After a CR, the first LF only completes the existing line end. */
	bool one_is_enough = relay->line_ends + 1 == line_ends && !relay->after_return;
	if (relay->line_ends < line_ends)
		pass_on(relay, one_is_enough ? SLICE("\n") : SLICE("\n\n"));
	struct buffer event;
	buffer_init(&event, 64 * 1024);
	int64_t sequence = relay->reader == NULL ? 0 : reply_next_sequence(relay->reader);
	dialect->error_event(&event, sequence, status, code, message);
	pass_on(relay, buffer_slice(&event));
	buffer_finish(&event);
}
