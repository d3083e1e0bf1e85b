/* hold-connections --port PORT: opens many client connections and keeps them, as standard input
 * says, one order a line, each answered by one line "done HELD FAILED":
 *
 *     fresh N     N more connections that say nothing
 *     idle N      N more, each after one exchange
 *     streams N   N more, each with a streamed reply that has begun
 *     wait        until each stream has ended
 *     close       all of them */
#include "tests/bench/talk.h"
#include "tests/bench/wire_client.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IN_FLIGHT = 64, MAX_HELD = 100000, PAUSE_MICROSECONDS = 2000 };

enum kind { FRESH, IDLE, STREAM };

struct held {
	struct holder *holder;
	struct wire_client *client;
	enum kind kind;
	bool opened; /* it is as it is to be kept */
};

struct holder {
	struct event_base *base;
	struct event *order;
	struct event *tick;
	int port;
	struct held *all[MAX_HELD];
	size_t count;
	size_t wanted;
	size_t under_way;
	size_t failed;
	size_t streaming;
	enum kind kind;
	bool busy;
	bool waiting; /* for the streams' ends */
};

static void answer(struct holder *holder)
{
	printf("done %zu %zu\n", holder->count - holder->failed, holder->failed);
	(void)fflush(stdout);
	holder->busy = holder->waiting = false;
	event_add(holder->order, NULL);
}

static void send_chat(struct held *held, size_t number)
{
	char body[512];
	char head[512];
	int size = snprintf(body, sizeof(body),
			    "{\"model\":\"stub\",%s\"messages\":[{\"role\":\"system\",\"content\":"
			    "\"You are helpful.\"},{\"role\":\"user\",\"content\":\"I am number "
			    "%zu: " TALK_STATEMENT "town-%zu for my ship.\"}]}",
			    held->kind == STREAM ? "\"stream\":true," : "", number, number % 97);
	int head_size = snprintf(head, sizeof(head),
				 "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
				 "Authorization: Bearer bench\r\nX-User-Id: holder-%zu\r\n"
				 "X-Stub: say=%zu %s\r\nContent-Type: application/json\r\n"
				 "Content-Length: %d\r\n\r\n",
				 number % 5000, number, held->kind == STREAM ? "hold=1" : "", size);
	wire_send(held->client, head, (size_t)head_size);
	wire_send(held->client, body, (size_t)size);
}

static void opened(struct held *held)
{
	if (held->opened)
		return;
	held->opened = true;
	held->holder->under_way--;
}

static void on_event(void *cookie, enum wire_event event, const struct wire_reply *reply)
{
	struct held *held = cookie;
	struct holder *holder = held->holder;
	if (event == WIRE_BEGUN && held->kind == STREAM) {
		holder->streaming++;
		opened(held);
	} else if (event == WIRE_REPLIED) {
		if (reply->status != 200 || (held->kind == STREAM && !reply->has_done))
			holder->failed++;
		if (held->kind == STREAM)
			holder->streaming--;
		opened(held);
	} else if (event == WIRE_CLOSED) {
		opened(held);
		holder->failed++;
		held->client = NULL;
	}
}

static void open_one(struct holder *holder)
{
	struct held *held = calloc(1, sizeof(*held));
	held->holder = holder;
	held->kind = holder->kind;
	held->client = wire_open(holder->base, holder->port, 0, on_event, held);
	holder->all[holder->count++] = held;
	if (held->client == NULL) {
		holder->failed++;
		held->opened = true;
	} else if (held->kind == FRESH) {
		held->opened = true;
	} else {
		holder->under_way++;
		send_chat(held, holder->count);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *cookie)
{
	struct holder *holder = cookie;
	(void)fd;
	(void)what;
	for (int i = 0; i < IN_FLIGHT && holder->under_way < IN_FLIGHT; i++) {
		if (holder->count < holder->wanted)
			open_one(holder);
	}
	bool all = holder->count >= holder->wanted && holder->under_way == 0 &&
		   (!holder->waiting || holder->streaming == 0);
	if (holder->busy && all)
		answer(holder);
	else
		event_add(holder->tick, &(struct timeval){0, PAUSE_MICROSECONDS});
}

static void close_all(struct holder *holder)
{
	for (size_t i = 0; i < holder->count; i++) {
		wire_close(holder->all[i]->client);
		free(holder->all[i]);
	}
	holder->count = holder->wanted = holder->failed = holder->streaming = 0;
}

static void take_order(struct holder *holder, const char *line)
{
	static const struct {
		const char *word;
		enum kind kind;
	} words[] = {{"fresh ", FRESH}, {"idle ", IDLE}, {"streams ", STREAM}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t size = strlen(words[i].word);
		if (strncmp(line, words[i].word, size) != 0)
			continue;
		holder->kind = words[i].kind;
		holder->wanted = holder->count + strtoul(line + size, NULL, 10);
		if (holder->wanted > MAX_HELD)
			holder->wanted = MAX_HELD;
	}
	if (strncmp(line, "close", 5) == 0)
		close_all(holder);
	holder->waiting = strncmp(line, "wait", 4) == 0;
	holder->busy = true;
	event_add(holder->tick, &(struct timeval){0, PAUSE_MICROSECONDS});
}

/* Orders come one at a time, each after the answer to the last. */
static void on_order(evutil_socket_t fd, short what, void *cookie)
{
	struct holder *holder = cookie;
	char line[80] = "";
	(void)what;
	ssize_t size = read(fd, line, sizeof(line) - 1);
	if (size <= 0)
		event_base_loopbreak(holder->base);
	else
		take_order(holder, line);
}

int main(int argc, char **argv)
{
	static struct holder holder;
	if (argc != 3 || strcmp(argv[1], "--port") != 0) {
		(void)fputs("hold-connections --port PORT\n", stderr);
		return EXIT_FAILURE;
	}
	holder.port = atoi(argv[2]);
	holder.base = event_base_new();
	holder.order = event_new(holder.base, STDIN_FILENO, EV_READ, on_order, &holder);
	holder.tick = event_new(holder.base, -1, 0, on_tick, &holder);
	/* epoll takes no regular file; standard input is a pipe or a terminal. */
	if (event_add(holder.order, NULL) != 0)
		return EXIT_FAILURE;
	event_base_dispatch(holder.base);
	close_all(&holder);
	event_free(holder.order);
	event_free(holder.tick);
	event_base_free(holder.base);
	return EXIT_SUCCESS;
}
