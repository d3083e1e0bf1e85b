/* The bench's upstream for streams, and its memory model: one thread, epoll, HTTP/1.1 with
 * keep-alive.
 *
 *     bench-stream-server [--events N] [--gap MILLISECONDS] [--answer TEXT]
 *
 * It prints the port that the kernel chose, on 127.0.0.1, and serves until its standard input ends.
 * A request with "stream":true gets its head and first event at once and one event each gap, each
 * in a packet of its own. A call for facts gets the one that the new turn states (talk.h), a call
 * for anything else a summary: both at once. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/bench/talk.h"

enum { MAX_GAP = 10000 };

struct client {
	int fd;
	struct text in;
	struct text out; /* what the socket did not take yet */
	unsigned events_left;
	struct client *next; /* in its slot: the streams that are due at the same millisecond */
	struct client **link;
};

static unsigned event_count = 100;
static unsigned gap = 10;
static int poller;
static int timer;
static uint64_t tick;
static struct client *slots[MAX_GAP];

/* What it says where no facts are asked for. */
static const char *plain_answer =
	"The user keeps a list of the things in use at home and at work and changes them often. "
	"They "
	"ask short questions about each, want plain answers without sources, and come back to the "
	"same few devices: a phone, a laptop, a printer and a camera. They prefer lists and "
	"dislike "
	"long explanations. Plans for the next months are a trip with the tent and the bike, and a "
	"new "
	"boiler for the house. Nothing was decided about the piano.";

static void die(const char *what)
{
	fprintf(stderr, "bench-stream-server: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void leave_slot(struct client *client)
{
	if (client->link == NULL)
		return;
	*client->link = client->next;
	if (client->next != NULL)
		client->next->link = client->link;
	client->link = NULL;
}

static void enter_slot(struct client *client)
{
	struct client **slot = &slots[tick % gap];
	client->next = *slot;
	client->link = slot;
	if (client->next != NULL)
		client->next->link = &client->next;
	*slot = client;
}

static void drop(struct client *client)
{
	leave_slot(client);
	(void)close(client->fd);
	free(client->in.data);
	free(client->out.data);
	free(client);
}

static void watch(struct client *client, uint32_t events, int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = client};
	if (epoll_ctl(poller, operation, client->fd, &event) != 0)
		die("epoll_ctl");
}

/* A peer that is gone is seen by the read. */
static void send_text(struct client *client, const char *bytes, size_t size)
{
	ssize_t sent = 0;
	if (client->out.size == 0)
		sent = send(client->fd, bytes, size, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		return;
	if (sent < 0)
		sent = 0;
	if ((size_t)sent < size) {
		text_append_bytes(&client->out, bytes + sent, size - (size_t)sent);
		watch(client, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
	}
}

static void send_rest(struct client *client)
{
	ssize_t sent = send(client->fd, client->out.data, client->out.size, MSG_NOSIGNAL);
	if (sent < 0)
		return;
	client->out.size -= (size_t)sent;
	memmove(client->out.data, client->out.data + sent, client->out.size);
	if (client->out.size == 0)
		watch(client, EPOLLIN, EPOLL_CTL_MOD);
}

static void send_chunk(struct client *client, const char *data)
{
	char chunk[1024];
	int size = snprintf(chunk, sizeof(chunk), "%zx\r\n%s\r\n", strlen(data), data);
	send_text(client, chunk, (size_t)size);
}

#define EVENT                                                                                      \
	"data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1,"     \
	"\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":"

/* The last event carries the finish, the end and the chunked body's end. */
static void send_event(struct client *client)
{
	client->events_left--;
	if (client->events_left > 0) {
		send_chunk(client,
			   EVENT "{\"content\":\" lantern\"},\"finish_reason\":null}]}\n\n");
		return;
	}
	leave_slot(client);
	send_chunk(client, EVENT "{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
	send_text(client, "0\r\n\r\n", 5);
}

static void start_stream(struct client *client)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				   "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
	client->events_left = event_count;
	send_text(client, head, sizeof(head) - 1);
	enter_slot(client);
	send_chunk(client,
		   EVENT "{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n");
}

static void send_answer(struct client *client, const char *content)
{
	char body[4096];
	char head[256];
	int size =
		snprintf(body, sizeof(body),
			 "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1,"
			 "\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"message\":"
			 "{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\"}],"
			 "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":9,"
			 "\"total_tokens\":18}}",
			 content);
	int head_size = snprintf(head, sizeof(head),
				 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				 "Content-Length: %d\r\n\r\n",
				 size);
	struct text reply = {0};
	text_append_bytes(&reply, head, (size_t)head_size);
	text_append_bytes(&reply, body, (size_t)size);
	send_text(client, reply.data, reply.size);
	free(reply.data);
}

static void answer_facts(struct client *client, const char *body)
{
	char content[1024];
	char value[64];
	char key[64];
	const char *turn = strstr(body, "=== New user turn");
	const char *stated = turn != NULL ? strstr(turn, TALK_STATEMENT) : NULL;
	if (stated == NULL ||
	    sscanf(stated + strlen(TALK_STATEMENT), "%63s for my %63[a-z]", value, key) != 2) {
		send_answer(client, "{\\\"entities\\\":[]}");
		return;
	}
	(void)snprintf(content, sizeof(content),
		       "{\\\"entities\\\":[{\\\"key\\\":\\\"%s\\\",\\\"value\\\":\\\"%s\\\","
		       "\\\"confidence\\\":0.9,\\\"quote\\\":\\\"" TALK_STATEMENT
		       "%s for my %s\\\"}]}",
		       key, value, value, key);
	send_answer(client, content);
}

static void answer(struct client *client, const char *body)
{
	if (strstr(body, "\"stream\":true") != NULL || strstr(body, "\"stream\": true") != NULL)
		start_stream(client);
	else if (strstr(body, "\"response_format\"") != NULL)
		answer_facts(client, body);
	else
		send_answer(client, plain_answer);
}

/* The bytes of the first request in `in`; 0: it is not whole. The body begins at `body`. */
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

static void serve(struct client *client)
{
	size_t body;
	size_t size;
	while (client->in.size > 0 && (size = whole_request(client, &body)) > 0) {
		char after = client->in.data[size]; /* there is room: see receive() */
		client->in.data[size] = '\0';
		answer(client, client->in.data + body);
		client->in.data[size] = after;
		client->in.size -= size;
		memmove(client->in.data, client->in.data + size, client->in.size);
	}
}

static void receive(struct client *client)
{
	static char data[65536];
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

static void ticks(void)
{
	uint64_t passed = 0;
	if (read(timer, &passed, sizeof(passed)) != sizeof(passed))
		return;
	while (passed-- > 0) {
		tick++;
		struct client *next;
		for (struct client *client = slots[tick % gap]; client != NULL; client = next) {
			next = client->next;
			send_event(client);
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
	watch_plain(&timer);
	watch_plain(&input);
	for (;;) {
		int count = epoll_wait(poller, events, 256, -1);
		for (int i = 0; i < count; i++) {
			void *of = events[i].data.ptr;
			if (of == &listener)
				accept_client(listener);
			else if (of == &timer)
				ticks();
			else if (of == &input)
				return;
			else if ((events[i].events & EPOLLOUT) != 0)
				send_rest(of);
			else
				receive(of);
		}
	}
}

int main(int count, char **arguments)
{
	static const struct option names[] = {{"events", 1, NULL, 'e'},
					      {"gap", 1, NULL, 'g'},
					      {"answer", 1, NULL, 'a'},
					      {"answer", 1, NULL, 'a'},
					      {NULL, 0, NULL, 0}};
	int option;
	while ((option = getopt_long(count, arguments, "", names, NULL)) != -1) {
		if (option == 'e')
			event_count = (unsigned)atoi(optarg);
		else if (option == 'g')
			gap = (unsigned)atoi(optarg);
		else if (option == 'a')
			plain_answer = optarg;
		else
			return 2;
	}
	if (gap < 1 || gap > MAX_GAP || event_count < 2)
		return 2;
	poller = epoll_create1(EPOLL_CLOEXEC);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct itimerspec every = {{0, 1000000}, {0, 1000000}};
	if (poller < 0 || timer < 0 || timerfd_settime(timer, 0, &every, NULL) != 0)
		die("timer");
	serve_all(open_listener());
	return 0;
}
