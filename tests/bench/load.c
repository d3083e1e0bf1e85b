/* A load generator: a closed loop of keep-alive connections, one thread, epoll. Each request is a
 * new exchange of one of many users, who send their conversation's history again as chat clients
 * do; a user has one request open at a time. Prints one line of JSON: exchanges, events, bytes,
 * latencies, and what X-Memory-Status said. Its texts follow from --seed, so that every peer gets
 * the same requests. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load_options.h"
#include "tests/bench/load_reply.h"
#include "tests/bench/talk.h"

enum { MAX_SAMPLES = 1 << 22 };

static struct load_options options;

struct user {
	unsigned session;
	unsigned exchange;
};

struct connection {
	int fd;
	unsigned user; /* of the request that is open */
	bool is_open;  /* a request is */
	bool waits;    /* for its next request's time */
	struct text out;
	size_t sent;
	uint64_t begun;
	struct reply reply;
};

static struct {
	unsigned long exchanges, events, reads, injected, failed, broken;
	uint64_t bytes_sent, bytes_received;
	uint32_t *latency, *first; /* in units of 100 ns */
} total;

static struct user *users;
static struct connection *connections;
static int poller;
static uint64_t begin, end;
static unsigned long started;
static unsigned open_requests;
static unsigned waiting;
static char *image;

static uint64_t now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

/* ---- requests ---- */

static uint64_t turn_seed(unsigned user, unsigned session, unsigned number)
{
	uint64_t seed = options.seed;
	seed = seed * 1000003U + user + 1;
	seed = seed * 1000003U + session + 1;
	return seed * 1000003U + number + 1;
}

static void append_pair(struct text *body, uint64_t seed, unsigned number)
{
	text_append(body, "{\"role\":\"user\",\"content\":\"");
	talk_turn(body, seed, number);
	text_append(body, "\"},{\"role\":\"assistant\",\"content\":\"");
	text_append(body, options.answer);
	text_append(body, "\"},");
}

static void append_newest(struct text *body, uint64_t seed, unsigned number)
{
	text_append(body, "{\"role\":\"user\",\"content\":");
	text_append(body, options.image > 0 ? "[{\"type\":\"text\",\"text\":\"" : "\"");
	talk_turn(body, seed, number);
	if (options.image > 0) {
		text_append(body, "\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/"
				  "png;base64,");
		text_append_bytes(body, image, options.image);
		text_append(body, "\"}}]}");
	} else {
		text_append(body, "\"}");
	}
}

static void compose_body(struct text *body, unsigned number)
{
	const struct user *user = &users[number];
	unsigned older = 0;
	text_append(body, "{\"model\":\"");
	text_append(body, options.model);
	text_append(body, options.stream ? "\",\"stream\":true" : "\"");
	text_append(
		body,
		",\"temperature\":0.7,\"messages\":[{\"role\":\"system\",\"content\":\"" TALK_SYSTEM
		"\"},");
	for (size_t from = body->size; body->size - from < options.history; older++)
		append_pair(body, turn_seed(number, user->session, older), older);
	for (unsigned i = 0; i < user->exchange; i++)
		append_pair(body, turn_seed(number, user->session, older + i), older + i);
	older += user->exchange;
	append_newest(body, turn_seed(number, user->session, older), older);
	text_append(body, "]}");
}

static void compose(struct connection *connection)
{
	static struct text body;
	char head[2048];
	body.size = 0;
	compose_body(&body, connection->user);
	int size = snprintf(
		head, sizeof(head),
		"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
		"Authorization: Bearer sk-bench\r\nX-User-Id: user-%u\r\n"
		"X-Session-Id: s%u-%u\r\n%sContent-Length: %zu\r\n\r\n",
		options.path, options.port, options.first + connection->user, options.seed,
		users[connection->user].session, options.fields, body.size);
	connection->out.size = 0;
	text_append_bytes(&connection->out, head, (size_t)size);
	text_append_bytes(&connection->out, body.data, body.size);
}

/* ---- connections ---- */

static void fail(const char *what)
{
	fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(struct connection *connection, uint32_t events, int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = connection};
	if (epoll_ctl(poller, operation, connection->fd, &event) != 0)
		fail("epoll_ctl");
}

static void dial(struct connection *connection)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
	int on = 1;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect");
	(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)fcntl(connection->fd, F_SETFL, O_NONBLOCK);
	watch(connection, EPOLLIN, EPOLL_CTL_ADD);
}

static void send_more(struct connection *connection)
{
	while (connection->sent < connection->out.size) {
		ssize_t size = send(connection->fd, connection->out.data + connection->sent,
				    connection->out.size - connection->sent, MSG_NOSIGNAL);
		if (size < 0 && errno == EAGAIN) {
			watch(connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
			return;
		}
		if (size < 0)
			return; /* the read side will see it */
		connection->sent += (size_t)size;
	}
	watch(connection, EPOLLIN, EPOLL_CTL_MOD);
}

static bool may_start(void)
{
	return now() < end && (options.limit == 0 || started < options.limit);
}

/* Its next user's next exchange, unless the run is over or the rate says later. */
static void start(struct connection *connection)
{
	if (!may_start())
		return;
	if (options.rate > 0 && (double)(now() - begin) < (double)started / options.rate * 1e9) {
		waiting += !connection->waits;
		connection->waits = true;
		return;
	}
	started++;
	open_requests++;
	connection->is_open = true;
	connection->user += options.connections;
	if (connection->user >= options.users)
		connection->user = (unsigned)(connection - connections);
	compose(connection);
	connection->sent = 0;
	reply_init(&connection->reply, options.stream);
	connection->begun = now();
	total.bytes_sent += connection->out.size;
	send_more(connection);
}

static void redial(struct connection *connection)
{
	(void)close(connection->fd);
	dial(connection);
}

static void sample(const struct connection *connection)
{
	size_t at = total.exchanges;
	if (at >= MAX_SAMPLES)
		return;
	total.latency[at] = (uint32_t)((now() - connection->begun) / 100);
	total.first[at] = (uint32_t)((connection->reply.first - connection->begun) / 100);
}

static void finished(struct connection *connection)
{
	struct user *user = &users[connection->user];
	open_requests--;
	connection->is_open = false;
	total.events += connection->reply.events;
	if (connection->reply.status == 200) {
		sample(connection);
		total.exchanges++;
		total.injected += connection->reply.injected;
	} else {
		total.failed++;
	}
	if (++user->exchange == options.exchanges)
		*user = (struct user){.session = user->session + 1};
	start(connection);
}

/* A server may close a connection on which nothing was asked for a while. */
static void broke_off(struct connection *connection)
{
	redial(connection);
	if (!connection->is_open)
		return;
	total.broken++;
	connection->reply.status = 0;
	finished(connection);
}

static void receive(struct connection *connection)
{
	static char data[65536];
	ssize_t size = recv(connection->fd, data, sizeof(data), 0);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		broke_off(connection);
		return;
	}
	total.bytes_received += (size_t)size;
	total.reads++;
	if (reply_take(&connection->reply, data, (size_t)size, now()))
		finished(connection);
}

/* ---- the run ---- */

static int compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left;
	uint32_t b = *(const uint32_t *)right;
	return a < b ? -1 : a > b;
}

static void print_times(const char *name, uint32_t *samples)
{
	size_t count = total.exchanges < MAX_SAMPLES ? total.exchanges : MAX_SAMPLES;
	if (count == 0)
		return;
	qsort(samples, count, sizeof(*samples), compare);
	printf("\"%s_p50_us\":%.1f,\"%s_p99_us\":%.1f,", name, samples[count / 2] / 10.0, name,
	       samples[count * 99 / 100] / 10.0);
}

static void report(uint64_t over)
{
	printf("{");
	print_times("latency", total.latency);
	print_times("first", total.first);
	printf("\"exchanges\":%lu,\"injected\":%lu,\"failed\":%lu,\"broken\":%lu,\"events\":%lu,"
	       "\"reads\":%lu,\"bytes_sent\":%llu,\"bytes_received\":%llu,\"seconds\":%.6f}\n",
	       total.exchanges, total.injected, total.failed, total.broken, total.events,
	       total.reads, (unsigned long long)total.bytes_sent,
	       (unsigned long long)total.bytes_received, (double)(over - begin) / 1e9);
}

static void start_due(void)
{
	static unsigned turn;
	for (unsigned i = 0; i < options.connections && waiting > 0; i++) {
		struct connection *connection = &connections[turn++ % options.connections];
		if (connection->waits) {
			connection->waits = false;
			waiting--;
			start(connection);
			if (connection->waits)
				return;
		}
	}
}

static void run(void)
{
	struct epoll_event events[256];
	uint64_t give_up = end + UINT64_C(30000000000);
	for (unsigned i = 0; i < options.connections; i++)
		start(&connections[i]);
	while ((open_requests > 0 || (waiting > 0 && may_start())) && now() < give_up) {
		int count = epoll_wait(poller, events, 256, waiting > 0 ? 1 : 1000);
		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;
			if ((events[i].events & EPOLLOUT) != 0)
				send_more(connection);
			if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
				receive(connection);
		}
		start_due();
	}
	total.broken += open_requests;
}

static void prepare(void)
{
	if (options.users < options.connections)
		options.users = options.connections;
	users = calloc(options.users, sizeof(*users));
	for (unsigned i = 0; i < options.users; i++)
		users[i].exchange = options.done;
	connections = calloc(options.connections, sizeof(*connections));
	total.latency = calloc(MAX_SAMPLES, sizeof(*total.latency));
	total.first = calloc(MAX_SAMPLES, sizeof(*total.first));
	image = malloc(options.image + 1);
	for (size_t i = 0; i < options.image; i++)
		image[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
			[(i * 2654435761U >> 7) & 63];
	poller = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < options.connections; i++) {
		connections[i].user = i + options.users; /* start() goes round to its first */
		dial(&connections[i]);
	}
}

int main(int count, char **arguments)
{
	if (!load_options_read(&options, count, arguments))
		return 2;
	prepare();
	begin = now();
	end = begin + (uint64_t)(options.seconds * 1e9);
	run();
	report(now());
	return total.exchanges > 0 ? 0 : 1;
}
