/* The engine for plain "http://": HTTP/1.1 over sockets of our own, at a fraction of libcurl's
 * cost. A connection's readable event stays awaited from one request to the next, so that an
 * exchange on a kept connection needs one sendmsg(), one recv() and a look at the socket. */
#include "proxy/upstream/plain.h"

#include "proxy/runtime/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

enum {
	READ_SIZE = 16 * 1024,
	ONE_TURN = 64 * 1024, /* after so many bytes of one reply the loop gets a turn */
	VECTORS = 16,
	MAX_LINE = 100 * 1024,
};

bool upstream_plain_takes(const struct upstream_request *request)
{
	struct plain_route route;
	return plain_route_read(request, &route);
}

/* ---- the request ---- */

static void append_line(struct buffer *out, struct slice name, struct slice value)
{
	buffer_append(out, name);
	buffer_append(out, value.size == 0 ? SLICE(":") : SLICE(": "));
	buffer_append(out, value);
	buffer_append(out, SLICE("\r\n"));
}

static void append_target(struct buffer *out, const struct upstream_request *request)
{
	const char *authority = request->url + SLICE("http://").size;
	const char *target = authority + strcspn(authority, "/?#");
	if (target[0] != '/')
		buffer_append_byte(out, '/');
	buffer_append(out, slice_of(target));
}

static struct slice make_head(const struct upstream_request *request, struct slice host,
			      bool has_body, struct arena *arena)
{
	struct buffer out;
	uint64_t size = 0;
	buffer_init(&out, SIZE_MAX);
	buffer_append(&out, request->method);
	buffer_append_byte(&out, ' ');
	append_target(&out, request);
	buffer_append(&out, SLICE(" HTTP/1.1\r\n"));
	append_line(&out, SLICE("Host"), host);
	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];
		if (!upstream_writes_itself(request, field->name) && http_field_is_valid(*field))
			append_line(&out, field->name, field->value);
	}
	for (size_t i = 0; i < request->body_count; i++)
		size += request->body[i].size;
	if (has_body)
		append_line(&out, SLICE("Content-Length"), arena_number(arena, size));
	buffer_append(&out, SLICE("\r\n"));
	return arena_take(arena, &out);
}

/* ---- ends ---- */

static bool is_sent(const struct plain_connection *connection)
{
	return connection->piece == connection->transfer->body.count + 1;
}

/* The reply is whole. */
static void succeed(struct transfer *transfer)
{
	struct plain_connection *connection = transfer->connection;
	if (connection->is_last || !is_sent(connection) || !transfer->head.persists) {
		upstream_finish(transfer, UPSTREAM_OK, "");
		return;
	}
	transfer->connection = NULL;
	plain_keep(connection);
	upstream_finish(transfer, UPSTREAM_OK, "");
}

static void connect_transfer(struct transfer *transfer, const struct plain_route *route);

/* The connection is of no more use before the reply was whole. */
static void break_off(struct plain_connection *connection)
{
	struct transfer *transfer = connection->transfer;
	if (!connection->reused || connection->heard || !upstream_may_send_again(transfer)) {
		upstream_finish(transfer, transfer->sent ? UPSTREAM_BROKEN : UPSTREAM_UNREACHABLE,
				transfer->head.whole
					? "The upstream broke off its reply."
					: "The upstream closed the connection before its reply.");
		return;
	}
	const struct plain_route route = connection->route;
	transfer->sent_again = true;
	connect_transfer(transfer, &route);
	plain_close(connection);
}

/* ---- sending ---- */

static size_t fill_vectors(const struct plain_connection *connection, struct iovec *vectors)
{
	const struct transfer *transfer = connection->transfer;
	size_t count = 0;
	size_t skip = connection->offset;
	for (size_t i = connection->piece; i <= transfer->body.count && count < VECTORS; i++) {
		struct slice piece = i == 0 ? transfer->request_head : transfer->body.pieces[i - 1];
		vectors[count].iov_base = (void *)(uintptr_t)(piece.data + skip);
		vectors[count++].iov_len = piece.size - skip;
		skip = 0;
	}
	return count;
}

static void note_sent(struct plain_connection *connection, size_t size)
{
	const struct transfer *transfer = connection->transfer;
	while (connection->piece <= transfer->body.count) {
		struct slice piece = connection->piece == 0
					     ? transfer->request_head
					     : transfer->body.pieces[connection->piece - 1];
		size_t left = piece.size - connection->offset;
		if (size < left) {
			connection->offset += size;
			return;
		}
		size -= left;
		connection->piece++;
		connection->offset = 0;
	}
}

/* Sends what the socket takes. A failure shows when the reply is read, which may have come. */
static void send_request(struct plain_connection *connection)
{
	struct transfer *transfer = connection->transfer;
	struct iovec vectors[VECTORS];
	while (!is_sent(connection)) {
		struct msghdr message = {.msg_iov = vectors};
		message.msg_iovlen = fill_vectors(connection, vectors);
		ssize_t size = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN) {
			event_add(connection->writable, NULL);
			return;
		}
		if (size < 0) {
			connection->send_failed = true;
			return;
		}
		transfer->sent = true;
		transfer->moved_at = clock_steady();
		note_sent(connection, (size_t)size);
	}
}

/* ---- connecting ---- */

static void begin_request(struct plain_connection *connection, struct transfer *transfer)
{
	connection->transfer = transfer;
	connection->piece = 0;
	connection->offset = 0;
	connection->heard = false;
	connection->send_failed = false;
	transfer->connection = connection;
}

/* A failure here is reported by a later turn of the loop. */
static void connect_transfer(struct transfer *transfer, const struct plain_route *route)
{
	struct plain_connection *connection = plain_connection_new(transfer->upstream, route);
	begin_request(connection, transfer);
	transfer->connect_timeout = transfer->connect_limit;
	transfer->connect_began = clock_steady();
	if (transfer->connect_limit > 0 && transfer->connect_limit < transfer->first_byte_timeout)
		upstream_set_timeout(transfer, transfer->connect_limit);
	connection->is_last = transfer->is_last;
	if (!plain_connect_next(connection)) {
		transfer->fault = errno;
		event_active(transfer->resume, EV_TIMEOUT, 0);
	}
}

static void fail_to_connect(struct transfer *transfer)
{
	const struct plain_route *route = &transfer->connection->route;
	const char *cause = strerror(transfer->fault);
	if (route->local_socket.size == 0)
		cause = arena_printf(&transfer->arena, "Failed to connect to %.*s: %s",
				     SLICE_PRINT(route->authority), cause)
				.data;
	upstream_finish(transfer, transfer->sent ? UPSTREAM_BROKEN : UPSTREAM_UNREACHABLE, cause);
}

static void on_connected(struct plain_connection *connection)
{
	struct transfer *transfer = connection->transfer;
	int fault = 0;
	socklen_t size = sizeof(fault);
	(void)getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &fault, &size);
	if (fault == 0) {
		connection->connected = true;
		transfer->connect_timeout = 0;
		event_add(connection->readable, NULL);
		send_request(connection);
	} else if (!plain_connect_next(connection)) {
		transfer->fault = fault;
		fail_to_connect(transfer);
	}
}

void plain_on_writable(evutil_socket_t fd, short what, void *cookie)
{
	struct plain_connection *connection = cookie;
	(void)fd;
	(void)what;
	if (connection->connected)
		send_request(connection);
	else
		on_connected(connection);
}

/* ---- the reply ---- */

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

/* Goes on after some input. False: the transfer or the connection is gone. */
static bool settle(struct transfer *transfer, enum plain_progress progress)
{
	if (progress == PLAIN_WHOLE)
		succeed(transfer);
	else if (progress == PLAIN_REFUSED && transfer->stopped)
		upstream_finish(transfer, UPSTREAM_STOPPED, "");
	else if (progress == PLAIN_REFUSED)
		upstream_finish(transfer, UPSTREAM_BROKEN, transfer->broken);
	return progress == PLAIN_MORE;
}

static bool take_input(struct transfer *transfer, struct slice input)
{
	upstream_enter(transfer->upstream);
	enum plain_progress progress = plain_reply_take(transfer, input);
	upstream_leave(transfer->upstream);
	return settle(transfer, progress);
}

/* The server has closed, or the connection broke. */
static void take_end(struct plain_connection *connection, bool is_closed)
{
	struct transfer *transfer = connection->transfer;
	bool until_close =
		transfer->head.whole && transfer->missing == UINT64_MAX && !transfer->head.chunked;
	if (until_close && is_closed && !connection->send_failed) {
		connection->is_last = true;
		succeed(transfer);
	} else {
		break_off(connection);
	}
}

void plain_on_readable(evutil_socket_t fd, short what, void *cookie)
{
	struct plain_connection *connection = cookie;
	char bytes[READ_SIZE];
	(void)what;
	if (connection->transfer == NULL) {
		plain_close(connection);
		return;
	}
	for (size_t read = 0; read < ONE_TURN; read += sizeof(bytes)) {
		ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (size <= 0) {
			take_end(connection, size == 0);
			return;
		}
		connection->heard = true;
		if (!take_input(connection->transfer, (struct slice){bytes, (size_t)size}) ||
		    (size_t)size < sizeof(bytes))
			return;
	}
}

/* ---- the engine ---- */

static void on_resume(evutil_socket_t fd, short what, void *cookie)
{
	struct transfer *transfer = cookie;
	(void)fd;
	(void)what;
	if (transfer->fault != 0) {
		fail_to_connect(transfer);
		return;
	}
	transfer->paused = false;
	upstream_set_timeout(transfer, transfer->idle_timeout);
	struct buffer held = transfer->held;
	buffer_init(&transfer->held, SIZE_MAX);
	event_add(transfer->connection->readable, NULL);
	(void)take_input(transfer, buffer_slice(&held));
	buffer_finish(&held);
}

static void start(struct transfer *transfer, const struct upstream_request *request)
{
	struct plain_route route;
	struct upstream *upstream = transfer->upstream;
	bool has_body = request->has_body && !transfer->is_head_request;
	(void)plain_route_read(request, &route);
	buffer_init(&transfer->line, SIZE_MAX);
	buffer_init(&transfer->held, SIZE_MAX);
	transfer->chunks.is_lax = true;
	transfer->connect_limit = request->connect_timeout;
	transfer->request_head = make_head(request, route.authority, has_body, &transfer->arena);
	if (has_body)
		upstream_keep_pieces(transfer, request);
	/* A server that ignores a body runs it as the connection's next request; nobody may get
	 * that reply. */
	transfer->is_last = has_body && !upstream_always_has_body(request->method);
	for (size_t i = 0, size = 0; i < transfer->body.count && transfer->is_last; i++) {
		size += transfer->body.pieces[i].size;
		transfer->is_last = size > 0 || i + 1 < transfer->body.count;
	}
	struct plain_connection *idle = request->fresh ? NULL : plain_take_idle(upstream, &route);
	if (idle == NULL) {
		connect_transfer(transfer, &route);
		return;
	}
	begin_request(idle, transfer);
	idle->is_last = transfer->is_last;
	send_request(idle);
}

static void release(struct transfer *transfer)
{
	if (transfer->connection != NULL)
		plain_close(transfer->connection);
}

const struct upstream_engine upstream_plain_engine = {start, release, on_resume};
