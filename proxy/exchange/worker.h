/* A worker: one thread with one event loop that serves traffic. It shares only the service with
 * other workers. */
#ifndef RECALLD_PROXY_EXCHANGE_WORKER_H
#define RECALLD_PROXY_EXCHANGE_WORKER_H

#include "proxy/config/config.h"
#include "proxy/exchange/question_vector.h"
#include "proxy/http/server.h"
#include "proxy/runtime/loop.h"
#include "proxy/service/service.h"
#include "proxy/upstream/upstream.h"

struct exchange;
struct question_vectors;

/* Visible to the exchanges that it runs, and to nobody else. */
struct worker {
	struct service *service;
	struct loop *loop;
	struct http_server *server;
	struct upstream *upstream;
	struct question_vectors *vectors;
	struct config *config;
	struct exchange *exchanges; /* the open ones, linked */
	void (*drained)(void *cookie);
	void *drained_cookie;
};

/* Takes ownership of the listening socket; `number` names the thread, which starts at once. NULL:
 * it cannot start. */
struct worker *worker_start(struct service *service, struct config *config, int listen_fd,
			    size_t number);
/* From any thread: exchanges that begin from now on use the new configuration. */
void worker_configure(struct worker *worker, struct config *config);
/* From any thread: stops accepting; calls `drained(cookie)` on the worker's thread once no
 * connection is open. */
void worker_drain(struct worker *worker, void (*drained)(void *cookie), void *cookie);
/* Ends what is still open and joins the thread. Callbacks of the store may still be posted. */
void worker_stop(struct worker *worker);
/* Call after the store is closed. */
void worker_destroy(struct worker *worker);

#endif
