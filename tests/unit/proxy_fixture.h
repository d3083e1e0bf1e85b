/* A worker with a store of its own, and a test that is both of its neighbours: the clients, and the
 * upstream that the worker asks. The worker runs on its own thread; the test's sockets block, for
 * WAIT_MS at most. Each test runs in a process of its own, so there is one of all this. */
#ifndef RECALLD_TESTS_PROXY_FIXTURE_H
#define RECALLD_TESTS_PROXY_FIXTURE_H

#include "proxy/exchange/worker.h"
#include "proxy/runtime/metrics.h"
#include "tests/unit/store_fixture.h"

struct proxy {
	struct fixture store;
	struct service service;
	struct config *config;
	struct worker *worker;
	int upstream;   /* the listening socket */
	uint16_t asked; /* its port */
	uint16_t port;  /* the worker's */
	bool stopped;
};

/* `settings` go on in the section [upstream]. Nothing is learned: there is no learner. */
void proxy_begin(struct proxy *proxy, const char *settings);
/* The worker is stopped and everything freed; no exchange may be open. */
void proxy_finish(struct proxy *proxy);
/* The worker stops, as the daemon does at its second signal. */
void proxy_stop(struct proxy *proxy);
/* A configuration as the proxy's, with other settings; the caller releases it. */
struct config *proxy_config(const struct proxy *proxy, const char *settings);

/* One end of a connection. */
struct side {
	int fd;
	struct buffer *seen;
};

struct side side_connect(const struct proxy *proxy); /* a client */
struct side side_accept(const struct proxy *proxy);  /* the upstream's end of the next one */
bool side_is_asked(const struct proxy *proxy);       /* whether there is a next one by now */
void side_send(struct side *side, const char *text);
/* Reads until the text has come. */
void side_await(struct side *side, const char *text);
bool side_has(const struct side *side, const char *text); /* in what was read */
/* Reads the bytes that have arrived, without waiting. */
void side_look(struct side *side);
/* Reads until the other end has closed, and closes. */
void side_await_end(struct side *side);
void side_close(struct side *side);
/* Closes so that the other end's next read fails. */
void side_reset(struct side *side);

/* A chat of `user`: a client that has sent it; `more` are header fields. */
struct side proxy_ask(const struct proxy *proxy, const char *user, const char *more,
		      const char *text);
/* The upstream's end of a request, read whole. */
struct side proxy_asked(const struct proxy *proxy);

/* Waits until so many exchanges stand in the state ("waiting"), as /metrics tells. */
void proxy_await_state(const char *state, int count);
/* Waits until no exchange is open, and asserts that no gauge counts one. */
void proxy_await_rest(struct proxy *proxy);
void proxy_await_count(enum metric_counter counter, uint64_t count);
/* A user's turns in one line: "USER:text|ASSISTANT:text|", the incomplete with a "~" behind it. In
 * the store's arena. */
const char *proxy_memory(struct proxy *proxy, const char *user);

/* While it is held, nothing reaches the disk. */
void disk_hold(void);
void disk_release(void);
/* Waits until a commit is held up. */
void disk_await(void);

#endif
