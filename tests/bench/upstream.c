/* bench-upstream: an upstream and memory model for the benches and the soak, fast enough not to
 * matter: one thread, epoll, HTTP/1.1 with keep-alive.
 *
 *     bench-upstream [--events N] [--gap MILLISECONDS] [--answer TEXT] [--learn-faults N]
 *
 * It prints the port that the kernel chose, on 127.0.0.1, and serves until its standard input ends.
 * A request with "stream":true gets N events, the first at once and one each gap, each in a packet
 * of its own; any other one the answer. X-Stub asks for something else (upstream_behaviour.h).
 * Below /learn it is a memory model: it makes a fact of what a turn states (talk.h), and a summary;
 * with
 * --learn-faults each N-th answer is one of those that a model should not give. */
#include "tests/bench/upstream.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct upstream_options upstream_options = {.usual = {.events = 8, .status = 200, .cut = -1}};

static int poller;
static uint64_t tick;                          /* milliseconds */
static struct client *slots[LONGEST_WAIT + 1]; /* those that go on in the same millisecond */
static struct client *held;                    /* until they are released */
static unsigned long waiting;                  /* in all slots */

static void die(const char *what)
{
	(void)fprintf(stderr, "bench-upstream: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- waiting ---- */

static void enter(struct client *client, struct client **list)
{
	client->next = *list;
	client->link = list;
	if (client->next != NULL)
		client->next->link = &client->next;
	*list = client;
}

static void leave(struct client *client)
{
	*client->link = client->next;
	if (client->next != NULL)
		client->next->link = client->link;
	client->link = NULL;
}

void client_wait(struct client *client, long milliseconds)
{
	waiting++;
	enter(client, &slots[(tick + (uint64_t)milliseconds) % (LONGEST_WAIT + 1)]);
}

void client_wait_for_release(struct client *client)
{
	waiting++;
	enter(client, &held);
}

static void stop_waiting(struct client *client)
{
	if (client->link == NULL)
		return;
	waiting--;
	leave(client);
}

/* ---- bytes ---- */

static void watch(struct client *client, uint32_t events, int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = client};
	if (epoll_ctl(poller, operation, client->fd, &event) != 0)
		die("epoll_ctl");
}

/* A peer that is gone is seen by the read. */
static void flush(struct client *client)
{
	struct text *out = &client->out;
	if (out->size > 0) {
		ssize_t sent = send(client->fd, out->data, out->size, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return;
		if (sent < 0)
			sent = 0;
		out->size -= (size_t)sent;
		memmove(out->data, out->data + sent, out->size);
	}
	if (client->breaks_off && out->size == 0)
		(void)shutdown(client->fd, SHUT_RDWR);
}

/* Sends what it can, and is called again when there is room for the rest. */
static void send_out(struct client *client)
{
	flush(client);
	if (client->out.size > 0)
		watch(client, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void go_on(struct client *client)
{
	stop_waiting(client);
	reply_go_on(client);
	send_out(client);
}

void client_release_all(void)
{
	while (held != NULL)
		go_on(held);
}

static void drop(struct client *client)
{
	stop_waiting(client);
	(void)close(client->fd);
	free(client->in.data);
	free(client->out.data);
	free(client);
}

/* The bytes of the request in `in`; 0: it is not whole. The body begins at `body`. */
static size_t whole_request(const struct client *client, size_t *body)
{
	const char *data = client->in.data;
	const char *end = memmem(data, client->in.size, "\r\n\r\n", 4);
	if (end == NULL)
		return 0;
	*body = (size_t)(end - data) + 4;
	size_t length = 0;
	for (const char *line = data; line < end; line++) {
		line = memchr(line, '\n', (size_t)(end + 2 - line));
		if (strncasecmp(line + 1, "content-length:", 15) == 0)
			length = strtoull(line + 16, NULL, 10);
	}
	return client->in.size < *body + length ? 0 : *body + length;
}

/* One request: nobody here sends the next before it is answered. */
static void serve(struct client *client)
{
	size_t body;
	size_t size;
	char *data = client->in.data;
	if (client->replying || (size = whole_request(client, &body)) == 0)
		return;
	data[body - 1] = '\0';
	data[size] = '\0'; /* there is room: see receive() */
	client->in.size = 0;
	reply_begin(client, data, data + body);
	send_out(client);
}

static void receive(struct client *client)
{
	static char data[262144];
	ssize_t size = recv(client->fd, data, sizeof(data), 0);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		drop(client);
		return;
	}
	text_append_bytes(&client->in, data, (size_t)size);
	text_append_bytes(&client->in, "", 1);
	client->in.size--;
	serve(client);
}

static void send_rest(struct client *client)
{
	flush(client);
	if (client->out.size == 0)
		watch(client, EPOLLIN, EPOLL_CTL_MOD);
}

/* ---- the loop ---- */

static void accept_client(int listener)
{
	int on = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	struct client *client = calloc(1, sizeof(*client));
	if (client == NULL)
		abort();
	client->fd = fd;
	watch(client, EPOLLIN, EPOLL_CTL_ADD);
}

static void go_on_due(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	uint64_t now = (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
	if (waiting == 0)
		tick = now;
	while (tick < now) {
		tick++;
		struct client *next;
		for (struct client *client = slots[tick % (LONGEST_WAIT + 1)]; client != NULL;
		     client = next) {
			next = client->next;
			go_on(client);
		}
	}
}

static int open_listener(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		die("listen");
	printf("%d\n", ntohs(at.sin_port));
	(void)fflush(stdout);
	return fd;
}

static void watch_plain(int *fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = fd};
	if (epoll_ctl(poller, EPOLL_CTL_ADD, *fd, &event) != 0)
		die("epoll_ctl");
}

static void serve_all(int listener)
{
	static int input = STDIN_FILENO;
	struct epoll_event events[256];
	watch_plain(&listener);
	watch_plain(&input);
	for (;;) {
		int count = epoll_wait(poller, events, 256, waiting > 0 ? 1 : -1);
		go_on_due();
		for (int i = 0; i < count; i++) {
			void *of = events[i].data.ptr;
			if (of == &listener) {
				accept_client(listener);
			} else if (of == &input) {
				return;
			} else {
				if ((events[i].events & EPOLLOUT) != 0)
					send_rest(of);
				if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
					receive(of);
			}
		}
	}
}

int main(int count, char **arguments)
{
	static const struct option names[] = {{"events", 1, NULL, 'e'},
					      {"gap", 1, NULL, 'g'},
					      {"answer", 1, NULL, 'a'},
					      {"learn-faults", 1, NULL, 'l'},
					      {NULL, 0, NULL, 0}};
	struct upstream_options *options = &upstream_options;
	int option;
	while ((option = getopt_long(count, arguments, "", names, NULL)) != -1) {
		if (option == 'e')
			options->usual.events = atol(optarg);
		else if (option == 'g')
			options->usual.interval = atol(optarg);
		else if (option == 'a')
			options->answer = optarg;
		else if (option == 'l')
			options->learn_faults = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (options->usual.interval < 0 || options->usual.interval > LONGEST_WAIT)
		return 2;
	poller = epoll_create1(EPOLL_CLOEXEC);
	if (poller < 0)
		die("epoll");
	serve_all(open_listener());
	return 0;
}
