/* The HTTP server on a socket: whatever a client sends and however it is torn, the same requests
 * reach the handler, the client gets the same statuses, and nothing is left of the connection.
 *
 * The input's first byte says how the rest is torn. */
#include "proxy/http/connection.h"

#include "tests/fuzz/fuzz.h"

#include <unistd.h>

int LLVMFuzzerInitialize(int *argument_count, char ***arguments);

enum { MAX_BODY = 2048, MAX_LOG = 1 << 20 };

static struct event_base *base;
static struct http_server *server;
static atomic_size_t connections;
static struct buffer *handled; /* what the handler was given */

static void note(struct slice text)
{
	(void)buffer_append(handled, text);
	(void)buffer_append_byte(handled, '\n');
}

static void on_request(void *cookie, struct http_request *request)
{
	const struct http_head *head = http_request_head(request);
	struct slice body = http_request_body(request);
	(void)cookie;
	FUZZ_ASSERT(body.size <= MAX_BODY && (head->chunked || body.size == head->length));
	FUZZ_ASSERT(!(head->chunked && head->has_length) && !head->upgrade);
	note(head->method);
	note(head->target);
	for (size_t i = 0; i < head->field_count; i++) {
		FUZZ_ASSERT(http_field_is_valid(head->fields[i]));
		note(head->fields[i].name);
		note(head->fields[i].value);
	}
	note(body);
	http_reply(request, 200, "text/plain", NULL, 0, SLICE("fine"));
}

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
	static const struct http_server_options options = {
		.max_body = MAX_BODY,
		.connections = &connections,
		.max_connections = 10,
		.read_timeout = 60,
		.idle_timeout = 60,
		.write_timeout = 60,
	};
	(void)argument_count;
	(void)arguments;
	base = event_base_new();
	server = http_server_create(base, &options, on_request, NULL);
	return 0;
}

static void take_replies(int fd, struct buffer *replies)
{
	static char bytes[64 * 1024];
	ssize_t size;
	while ((size = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		(void)buffer_append(replies, (struct slice){bytes, (size_t)size});
}

/* Of each reply its status. The rest depends on the time; of two faults that come in one piece
 * either may be named; and who has sent some of a body needs no leave to send it. */
static void keep_statuses(struct buffer *replies)
{
	static const struct slice version = SLICE("HTTP/1.1 ");
	struct slice all = buffer_slice(replies);
	replies->size = 0;
	for (size_t at = 0; at < all.size && (at = slice_find(all, version, at)) < all.size;) {
		at += version.size;
		FUZZ_ASSERT(all.size - at >= 3);
		if (memcmp(all.data + at, "100", 3) != 0)
			memmove(replies->data + 3 * replies->size++, all.data + at, 3);
	}
	replies->size *= 3;
}

static void turn(void)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void converse(struct slice bytes, struct fuzz_tear tear, struct buffer *replies)
{
	int fds[2];
	struct sockaddr peer = {.sa_family = AF_UNIX};
	FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	atomic_fetch_add(&connections, 1);
	http_connection_open(server, fds[1], &peer, false);
	for (size_t at = 0; at < bytes.size;) {
		size_t size = fuzz_next_piece(&tear, bytes.size - at);
		if (send(fds[0], bytes.data + at, size, MSG_NOSIGNAL) < 0)
			break;
		at += size;
		turn();
		take_replies(fds[0], replies);
	}
	turn();
	take_replies(fds[0], replies);
	close(fds[0]);
	turn();
	FUZZ_ASSERT(http_server_connections(server) == 0 && atomic_load(&connections) == 0);
	keep_statuses(replies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { WHOLE = 7 };
	if (size < 2)
		return 0;
	struct slice bytes = {(const char *)data + 1, size - 1};
	struct buffer whole, torn, whole_handled, torn_handled;
	buffer_init(&whole, MAX_LOG);
	buffer_init(&torn, MAX_LOG);
	buffer_init(&whole_handled, MAX_LOG);
	buffer_init(&torn_handled, MAX_LOG);
	handled = &whole_handled;
	converse(bytes, fuzz_tear(WHOLE), &whole);
	handled = &torn_handled;
	converse(bytes, fuzz_tear(data[0]), &torn);
	FUZZ_ASSERT(slice_equal(buffer_slice(&whole_handled), buffer_slice(&torn_handled)));
	FUZZ_ASSERT(slice_equal(buffer_slice(&whole), buffer_slice(&torn)));
	buffer_finish(&whole);
	buffer_finish(&torn);
	buffer_finish(&whole_handled);
	buffer_finish(&torn_handled);
	return 0;
}
