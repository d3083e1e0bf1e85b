#include "tests/unit/proxy_fixture.h"

#include "proxy/runtime/log.h"
#include "proxy/runtime/process.h"
#include "tests/unit/config_reading.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAP_SIZE = 64 << 20, MOST_SIDES = 64, MOST_SEEN = 256 << 20 };

/* ---- the disk ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held;
	size_t waiting;
} disk = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};

/* LMDB's, as it ends each commit. */
int fdatasync(int fd)
{
	pthread_mutex_lock(&disk.lock);
	disk.waiting++;
	pthread_cond_broadcast(&disk.changed);
	while (disk.held)
		pthread_cond_wait(&disk.changed, &disk.lock);
	disk.waiting--;
	pthread_mutex_unlock(&disk.lock);
	return (int)syscall(SYS_fdatasync, fd);
}

static void set_disk(bool held)
{
	pthread_mutex_lock(&disk.lock);
	disk.held = held;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
}

void disk_hold(void)
{
	set_disk(true);
}

void disk_release(void)
{
	set_disk(false);
}

void disk_await(void)
{
	pthread_mutex_lock(&disk.lock);
	while (disk.waiting == 0)
		pthread_cond_wait(&disk.changed, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

/* ---- the worker ---- */

static uint16_t port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

struct config *proxy_config(const struct proxy *proxy, const char *settings)
{
	struct arena arena = {0};
	struct slice text =
		arena_printf(&arena, "[upstream]\nbase_url = http://127.0.0.1:%u/v1\n%s\n",
			     proxy->asked, settings);
	struct config *config = read_good(text.data);
	arena_finish(&arena);
	return config;
}

static int listen_anywhere(void)
{
	char error[200] = "";
	int fd = http_listen_socket("127.0.0.1:0", false, error, sizeof(error));
	ck_assert_msg(fd >= 0, "%s", error);
	return fd;
}

/* Tests may ask for what a side has seen after its end: it is kept until the next proxy begins. */
static struct buffer *kept[MOST_SIDES];
static size_t kept_count;

static struct side side_of(int fd)
{
	struct side side = {.fd = fd, .seen = xcalloc(1, sizeof(*side.seen))};
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_lt(kept_count, MOST_SIDES);
	kept[kept_count++] = side.seen;
	buffer_init(side.seen, MOST_SEEN);
	return side;
}

static void forget_sides(void)
{
	while (kept_count > 0) {
		buffer_finish(kept[--kept_count]);
		free(kept[kept_count]);
	}
}

void proxy_begin(struct proxy *proxy, const char *settings)
{
	forget_sides();
	(void)signal(SIGPIPE, SIG_IGN);
	*proxy = (struct proxy){0};
	fixture_init(&proxy->store, MAP_SIZE);
	proxy->upstream = listen_anywhere();
	proxy->asked = port_of(proxy->upstream);
	proxy->config = proxy_config(proxy, settings);
	struct service *service = &proxy->service;
	service->bound = proxy->config;
	service->store = proxy->store.store;
	service->model_traits = model_traits_create();
	service->descriptors = descriptors_limit();
	service->workers = 1;
	last_failure_init(&service->upstream);
	last_failure_init(&service->learning);
	last_failure_init(&service->embedding);
	client_log_init(&service->misses, LOG_BETWEEN_WARNINGS, false);
	client_log_init(&service->failures, LOG_BETWEEN_WARNINGS, true);
	int fd = listen_anywhere();
	proxy->port = port_of(fd);
	proxy->worker = worker_start(service, proxy->config, fd, 0);
	ck_assert_ptr_nonnull(proxy->worker);
}

void proxy_stop(struct proxy *proxy)
{
	worker_stop(proxy->worker);
	proxy->stopped = true;
}

void proxy_finish(struct proxy *proxy)
{
	if (!proxy->stopped) {
		proxy_await_rest(proxy);
		proxy_stop(proxy);
	}
	fixture_finish(&proxy->store);
	worker_destroy(proxy->worker);
	ck_assert_uint_eq(atomic_load(&proxy->service.exchanges), 0);
	ck_assert_uint_eq(atomic_load(&proxy->service.connections), 0);
	model_traits_destroy(proxy->service.model_traits);
	config_release(proxy->config);
	close(proxy->upstream);
}

/* ---- connections ---- */

struct side side_connect(const struct proxy *proxy)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(proxy->port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return side_of(fd);
}

static bool is_ready(int fd, int wait)
{
	struct pollfd ready = {fd, POLLIN, 0};
	return poll(&ready, 1, wait) > 0;
}

bool side_is_asked(const struct proxy *proxy)
{
	return is_ready(proxy->upstream, 0);
}

struct side side_accept(const struct proxy *proxy)
{
	ck_assert_msg(is_ready(proxy->upstream, WAIT_MS), "the upstream was not asked");
	return side_of(accept(proxy->upstream, NULL, NULL));
}

void side_send(struct side *side, const char *text)
{
	for (struct slice left = slice_of(text); left.size > 0;) {
		ssize_t sent = send(side->fd, left.data, left.size, MSG_NOSIGNAL);
		ck_assert_int_gt(sent, 0);
		left = slice_part(left, (size_t)sent, left.size);
	}
}

/* False: there is nothing more. */
static bool side_read(struct side *side)
{
	static char bytes[256 * 1024];
	ssize_t size = recv(side->fd, bytes, sizeof(bytes), 0);
	if (size > 0)
		buffer_append(side->seen, (struct slice){bytes, (size_t)size});
	return size > 0;
}

bool side_has(const struct side *side, const char *text)
{
	struct slice seen = buffer_slice(side->seen);
	return seen.size > 0 && slice_find(seen, slice_of(text), 0) < seen.size;
}

void side_await(struct side *side, const char *text)
{
	while (!side_has(side, text))
		ck_assert_msg(is_ready(side->fd, WAIT_MS) && side_read(side),
			      "\"%s\" never came after: %.*s", text,
			      SLICE_PRINT(buffer_slice(side->seen)));
}

void side_look(struct side *side)
{
	while (is_ready(side->fd, 0) && side_read(side))
		;
}

void side_close(struct side *side)
{
	close(side->fd);
}

void side_await_end(struct side *side)
{
	do
		ck_assert_msg(is_ready(side->fd, WAIT_MS), "it was not closed after: %.*s",
			      SLICE_PRINT(buffer_slice(side->seen)));
	while (side_read(side));
	close(side->fd);
}

void side_reset(struct side *side)
{
	const struct linger at_once = {1, 0};
	(void)setsockopt(side->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	side_close(side);
}

struct side proxy_ask(const struct proxy *proxy, const char *user, const char *more,
		      const char *text)
{
	struct arena arena = {0};
	struct slice body = arena_printf(
		&arena, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}",
		text);
	struct slice request = arena_printf(&arena,
					    "POST /v1/chat/completions HTTP/1.1\r\n"
					    "Host: localhost\r\nX-User-Id: %s\r\n%s"
					    "Content-Type: application/json\r\n"
					    "Content-Length: %zu\r\n\r\n%s",
					    user, more, body.size, body.data);
	struct side side = side_connect(proxy);
	side_send(&side, request.data);
	arena_finish(&arena);
	return side;
}

struct side proxy_asked(const struct proxy *proxy)
{
	struct side side = side_accept(proxy);
	side_await(&side, "\r\n\r\n");
	struct slice seen = buffer_slice(side.seen);
	size_t body = slice_find(seen, SLICE("\r\n\r\n"), 0) + 4;
	size_t length = slice_find(seen, SLICE("Content-Length: "), 0);
	size_t size = length < body ? strtoul(seen.data + length + 16, NULL, 10) : 0;
	while (side.seen->size < body + size)
		ck_assert(is_ready(side.fd, WAIT_MS) && side_read(&side));
	return side;
}

/* ---- what is told ---- */

static const struct timespec a_moment = {0, 500 * 1000};

static int state_count(const char *state)
{
	struct buffer text;
	struct arena arena = {0};
	buffer_init(&text, 1 << 20);
	metrics_print(&text);
	buffer_append_byte(&text, '\0');
	struct slice line = arena_printf(&arena, "recalld_exchanges{state=\"%s\"} ", state);
	const char *at = strstr(text.data, line.data);
	ck_assert_ptr_nonnull(at);
	int count = atoi(at + line.size);
	arena_finish(&arena);
	buffer_finish(&text);
	return count;
}

void proxy_await_state(const char *state, int count)
{
	int left = WAIT_MS * 2;
	while (state_count(state) != count) {
		ck_assert_msg(left-- > 0, "%d exchanges are %s, not %d", state_count(state), state,
			      count);
		nanosleep(&a_moment, NULL);
	}
}

void proxy_await_rest(struct proxy *proxy)
{
	static const char *const states[] = {"loading", "waiting", "relaying", "committing"};
	for (int left = WAIT_MS * 2; atomic_load(&proxy->service.exchanges) > 0; left--) {
		ck_assert_msg(left > 0, "%zu exchanges are left open",
			      atomic_load(&proxy->service.exchanges));
		nanosleep(&a_moment, NULL);
	}
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		proxy_await_state(states[i], 0);
}

void proxy_await_count(enum metric_counter counter, uint64_t count)
{
	for (int left = WAIT_MS * 2; metrics_counter(counter) < count; left--) {
		ck_assert_msg(left > 0, "counter %d stays at %lu, below %lu", (int)counter,
			      (unsigned long)metrics_counter(counter), (unsigned long)count);
		nanosleep(&a_moment, NULL);
	}
	ck_assert_uint_eq(metrics_counter(counter), count);
}

const char *proxy_memory(struct proxy *proxy, const char *user)
{
	const struct load load = {.user = store_user_key((struct slice){0}, slice_of(user)),
				  .newest_turns = 100,
				  .uncovered_text = 1 << 20,
				  .now = 1000};
	const struct memory_view view = fixture_load(&proxy->store, &load);
	struct slice text = arena_printf(&proxy->store.arena, "%s", "");
	for (size_t i = 0; i < view.turn_count; i++)
		text = arena_printf(&proxy->store.arena, "%s%s:%.*s%s|", text.data,
				    view.turns[i].role == ROLE_USER ? "USER" : "ASSISTANT",
				    SLICE_PRINT(view.turns[i].text),
				    view.turns[i].complete ? "" : "~");
	return text.data;
}
