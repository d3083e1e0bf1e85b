/* stub-upstream: an upstream and memory model for the benchmarks and the soak, fast enough not to
 * matter. Below /learn it is a memory model: it makes a fact of each turn, and a summary; with
 * --learn-faults N each Nth answer is one of those that a model should not give. */
#include "tests/bench/stub_behaviour.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { MAX_HEAD = 64 * 1024, BACKLOG = 4096 };

struct stub {
	struct event_base *base;
	LIST_HEAD(, connection) connections;
	unsigned long learn_faults;
	unsigned long learn_calls;
};

struct connection {
	LIST_ENTRY(connection) siblings;
	struct stub *stub;
	struct bufferevent *wire;
	struct event *timer;
	struct behaviour how;
	bool streams;
	bool replying;
	bool holding;
	bool head_sent;
	long sent; /* events */
};

static void connection_free(struct connection *connection)
{
	LIST_REMOVE(connection, siblings);
	event_free(connection->timer);
	bufferevent_free(connection->wire);
	free(connection);
}

static void pause_for(struct connection *connection, long milliseconds)
{
	event_add(connection->timer,
		  &(struct timeval){milliseconds / 1000, milliseconds % 1000 * 1000});
}

static struct evbuffer *out(struct connection *connection)
{
	return bufferevent_get_output(connection->wire);
}

static void send_plain(struct connection *connection, long status, const char *body, size_t size)
{
	evbuffer_add_printf(out(connection),
			    "HTTP/1.1 %ld Stub\r\nContent-Type: application/json\r\n"
			    "Content-Length: %zu\r\n\r\n",
			    status, size);
	evbuffer_add(out(connection), body, size);
	connection->replying = false;
}

static void send_completion(struct connection *connection, const char *message, const char *finish)
{
	struct evbuffer *body = evbuffer_new();
	evbuffer_add_printf(body,
			    "{\"id\":\"chatcmpl-stub\",\"object\":\"chat.completion\",\"created\":"
			    "1767225600,\"model\":\"stub\",\"choices\":[{\"index\":0,\"message\":{"
			    "\"role\":\"assistant\",%s},\"finish_reason\":\"%s\"}],\"usage\":{"
			    "\"prompt_tokens\":200,\"completion_tokens\":20,\"total_tokens\":220}}",
			    message, finish);
	size_t size = evbuffer_get_length(body);
	send_plain(connection, 200, (const char *)evbuffer_pullup(body, -1), size);
	evbuffer_free(body);
}

static void send_answer(struct connection *connection)
{
	struct evbuffer *text = evbuffer_new();
	evbuffer_add_printf(text, "\"content\":\"Answer %s", connection->how.say);
	for (long i = 1; i < connection->how.events; i++)
		evbuffer_add(text, " word", 5);
	evbuffer_add(text, "\"", 2);
	send_completion(connection, (const char *)evbuffer_pullup(text, -1), "stop");
	evbuffer_free(text);
}

static void send_tool_call(struct connection *connection)
{
	send_completion(connection,
			"\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\","
			"\"function\":{\"name\":\"look_up\",\"arguments\":\"{}\"}}]",
			"tool_calls");
}

/* As one chunk. */
static void send_event(struct connection *connection, const char *delta, size_t more,
		       const char *finish)
{
	static const char filler[] =
		"................................................................";
	struct evbuffer *event = evbuffer_new();
	evbuffer_add_printf(event,
			    "data: {\"id\":\"chatcmpl-stub\",\"object\":\"chat.completion.chunk\","
			    "\"created\":1767225600,\"model\":\"stub\",\"choices\":[{\"index\":0,"
			    "\"delta\":{%s",
			    delta);
	for (; more > 0; more -= more < sizeof(filler) - 1 ? more : sizeof(filler) - 1)
		evbuffer_add(event, filler, more < sizeof(filler) - 1 ? more : sizeof(filler) - 1);
	evbuffer_add_printf(event, "%s},\"finish_reason\":%s}]}\n\n", delta[0] == '\0' ? "" : "\"",
			    finish);
	evbuffer_add_printf(out(connection), "%zx\r\n", evbuffer_get_length(event));
	evbuffer_add_buffer(out(connection), event);
	evbuffer_add(out(connection), "\r\n", 2);
	evbuffer_free(event);
}

static void send_next_event(struct connection *connection)
{
	char delta[80];
	if (connection->sent == 0)
		(void)snprintf(delta, sizeof(delta), "\"content\":\"Answer %s",
			       connection->how.say);
	else
		(void)snprintf(delta, sizeof(delta), "\"content\":\" word");
	send_event(connection, delta, (size_t)connection->how.bytes, "null");
	connection->sent++;
}

/* What was sent before leaves first. */
static void break_off(struct connection *connection)
{
	int fd = bufferevent_getfd(connection->wire);
	(void)evbuffer_unfreeze(out(connection), 1); /* the bufferevent's alone till now */
	(void)evbuffer_write(out(connection), fd);
	connection_free(connection);
}

/* Sends on until it has to wait. */
static void stream(struct connection *connection)
{
	const struct behaviour *how = &connection->how;
	if (!connection->head_sent)
		evbuffer_add_printf(out(connection),
				    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				    "Transfer-Encoding: chunked\r\n\r\n");
	connection->head_sent = true;
	while (connection->sent < how->events) {
		if (connection->sent == how->cut) {
			break_off(connection);
			return;
		}
		send_next_event(connection);
		connection->holding = how->hold != 0 && connection->sent == 1;
		if (connection->holding)
			return;
		if (how->interval > 0) {
			pause_for(connection, how->interval);
			return;
		}
	}
	send_event(connection, "", 0, "\"stop\"");
	evbuffer_add_printf(out(connection), "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
	connection->replying = false;
}

static void reply(struct connection *connection)
{
	static const char error[] =
		"{\"error\":{\"message\":\"The stub was told so.\",\"type\":\"stub\","
		"\"param\":null,\"code\":null}}";
	static const char nonsense[] = "{\"choices\":[{\"message\":{\"content\":nan";
	const struct behaviour *how = &connection->how;
	if (how->garbage == 1) {
		evbuffer_add_printf(out(connection), "220 stub ESMTP\r\n\r\n");
		break_off(connection);
	} else if (how->cut == 0) {
		break_off(connection);
	} else if (how->status != 200) {
		send_plain(connection, how->status, error, sizeof(error) - 1);
	} else if (how->garbage != 0) {
		send_plain(connection, 200, nonsense, sizeof(nonsense) - 1);
	} else if (how->tools != 0) {
		send_tool_call(connection);
	} else if (connection->streams) {
		stream(connection);
	} else {
		send_answer(connection);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *cookie)
{
	struct connection *connection = cookie;
	(void)fd;
	(void)what;
	if (connection->head_sent)
		stream(connection);
	else
		reply(connection);
}

static void release_all(struct stub *stub)
{
	struct connection *next;
	for (struct connection *one = LIST_FIRST(&stub->connections); one != NULL; one = next) {
		next = LIST_NEXT(one, siblings);
		if (one->holding)
			stream(one);
	}
}

/* What a memory model should not answer, each in its turn. */
static void learn_badly(struct connection *connection, unsigned long which)
{
	static const char *const texts[] = {
		"\"content\":\"I am sorry, I cannot do that.\"",
		"\"content\":\"{\\\"entities\\\":[{\\\"key\\\":7,\\\"value\\\":[]},{\\\"key\\\":"
		"\\\"a\\\",\\\"value\\\":\\\"b\\\",\\\"confidence\\\":NaN}]}\"",
		"\"content\":\"```json\\n{\\\"entities\\\":[\\n```\"",
		"\"content\":null",
		"\"content\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"",
	};
	enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
	if (which % (TEXTS + 2) < TEXTS)
		send_completion(connection, texts[which % (TEXTS + 2)], "stop");
	else if (which % (TEXTS + 2) == TEXTS)
		send_plain(connection, 500, "oh", 2);
	else
		break_off(connection);
}

/* Up to the first byte that JSON would have to escape. */
static size_t plain_run(const char *text)
{
	size_t size = 0;
	while (size < 100 && (text[size] == ' ' || (text[size] >= 'a' && text[size] <= 'z') ||
			      (text[size] >= 'A' && text[size] <= 'Z') ||
			      (text[size] >= '0' && text[size] <= '9')))
		size++;
	return size;
}

static void learn(struct connection *connection, const char *body)
{
	struct stub *stub = connection->stub;
	unsigned long call = ++stub->learn_calls;
	char message[512];
	const char *turn = strstr(body, "from here to the end ===\\n");
	if (stub->learn_faults != 0 && call % stub->learn_faults == 0) {
		learn_badly(connection, call / stub->learn_faults);
		return;
	}
	if (turn == NULL) {
		send_completion(connection, "\"content\":\"The user speaks of cities and ships.\"",
				"stop");
		return;
	}
	turn += strlen("from here to the end ===\\n");
	int size = (int)plain_run(turn);
	(void)snprintf(
		message, sizeof(message),
		"\"content\":\"{\\\"entities\\\":[{\\\"key\\\":\\\"said_%lu\\\",\\\"value\\\":"
		"\\\"%.*s\\\",\\\"confidence\\\":0.9,\\\"quote\\\":\\\"%.*s\\\"}]}\"",
		call % 24, size, turn, size, turn);
	send_completion(connection, message, "stop");
}

static void take_request(struct connection *connection, const char *head, const char *body)
{
	connection->replying = true;
	connection->holding = connection->head_sent = false;
	connection->sent = 0;
	connection->streams = strstr(body, "\"stream\":true") != NULL;
	if (strncmp(head, "POST /learn/", 12) == 0) {
		learn(connection, body);
		return;
	}
	if (strncmp(head, "POST /stub/release", 18) == 0) {
		release_all(connection->stub);
		send_plain(connection, 200, "{}", 2);
		return;
	}
	connection->how = stub_read_behaviour(head);
	if (connection->how.refuse != 0 && strstr(body, "<user_memory>") != NULL)
		connection->how.status = 400;
	if (strstr(head, "/chat/completions") == NULL)
		send_plain(connection, 200, "{\"object\":\"list\",\"data\":[]}", 27);
	else if (connection->how.delay > 0)
		pause_for(connection, connection->how.delay);
	else
		reply(connection);
}

/* One request, if it is whole. Nobody here sends the next before it is answered. */
static void advance(struct connection *connection)
{
	struct evbuffer *in = bufferevent_get_input(connection->wire);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (connection->replying || end.pos < 0)
		return;
	size_t head_size = (size_t)end.pos + 4;
	char *head = malloc(head_size + 1);
	evbuffer_copyout(in, head, head_size);
	head[head_size] = '\0';
	const char *length = stub_field(head, "\r\nContent-Length:");
	size_t size = length == NULL ? 0 : strtoul(length, NULL, 10);
	if (evbuffer_get_length(in) >= head_size + size) {
		evbuffer_drain(in, head_size);
		char *body = malloc(size + 1);
		evbuffer_remove(in, body, size);
		body[size] = '\0';
		take_request(connection, head, body);
		free(body);
	}
	free(head);
}

static void on_readable(struct bufferevent *wire, void *cookie)
{
	(void)wire;
	advance(cookie);
}

static void on_end(struct bufferevent *wire, short what, void *cookie)
{
	(void)wire;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		connection_free(cookie);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int size, void *cookie)
{
	struct stub *stub = cookie;
	struct connection *connection = calloc(1, sizeof(*connection));
	(void)listener;
	(void)address;
	(void)size;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	connection->stub = stub;
	connection->wire = bufferevent_socket_new(stub->base, fd, BEV_OPT_CLOSE_ON_FREE);
	connection->timer = event_new(stub->base, -1, 0, on_timer, connection);
	bufferevent_setcb(connection->wire, on_readable, NULL, on_end, connection);
	bufferevent_enable(connection->wire, EV_READ | EV_WRITE);
	LIST_INSERT_HEAD(&stub->connections, connection, siblings);
}

/* Under its name only once it is whole. */
static bool tell_port(struct evconnlistener *listener, const char *file)
{
	struct sockaddr_in address = {0};
	socklen_t size = sizeof(address);
	char name[4096];
	(void)snprintf(name, sizeof(name), "%s.new", file);
	FILE *out_file = fopen(name, "w");
	if (out_file == NULL ||
	    getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &size) != 0)
		return false;
	(void)fprintf(out_file, "%u\n", (unsigned)ntohs(address.sin_port));
	return fclose(out_file) == 0 && rename(name, file) == 0;
}

static void on_signal(evutil_socket_t number, short what, void *cookie)
{
	(void)number;
	(void)what;
	event_base_loopbreak(cookie);
}

static bool serve(struct stub *stub, const char *port_file)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct evconnlistener *listener = evconnlistener_new_bind(
		stub->base, on_accept, stub, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, BACKLOG,
		(struct sockaddr *)&address, sizeof(address));
	if (listener == NULL || !tell_port(listener, port_file))
		return false;
	struct event *term = evsignal_new(stub->base, SIGTERM, on_signal, stub->base);
	event_add(term, NULL);
	event_base_dispatch(stub->base);
	while (!LIST_EMPTY(&stub->connections))
		connection_free(LIST_FIRST(&stub->connections));
	event_free(term);
	evconnlistener_free(listener);
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"port-file", required_argument, NULL, 'p'},
						{"learn-faults", required_argument, NULL, 'l'},
						{NULL, 0, NULL, 0}};
	struct stub stub = {0};
	const char *port_file = NULL;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'p')
			port_file = optarg;
		else if (option == 'l')
			stub.learn_faults = strtoul(optarg, NULL, 10);
		else
			return EXIT_FAILURE;
	}
	if (port_file == NULL) {
		(void)fputs("stub-upstream --port-file FILE [--learn-faults N]\n", stderr);
		return EXIT_FAILURE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	stub.base = event_base_new();
	LIST_INIT(&stub.connections);
	bool served = serve(&stub, port_file);
	event_base_free(stub.base);
	return served ? EXIT_SUCCESS : EXIT_FAILURE;
}
