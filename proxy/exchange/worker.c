#include "proxy/exchange/worker.h"

#include "proxy/exchange/forward.h"
#include "proxy/exchange/question_vector.h"
#include "proxy/exchange/state.h"
#include "proxy/runtime/metrics.h"
#include "proxy/runtime/process.h"
#include "storage/lmdb/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	READ_SECONDS = 60,
	IDLE_SECONDS = 75, /* a little longer than most load balancers keep their connections */
	WRITE_SECONDS = 120,
};

struct running_worker {
	struct worker worker; /* first, so that a pointer to one is a pointer to the other */
	pthread_t thread;
};

static struct descriptor_plan plan(const struct worker *worker)
{
	return descriptors_plan(worker->service->descriptors, worker->service->workers,
				(size_t)worker->config->listen.max_connections);
}

/* Whether there are descriptors left for this request's upstream connection, beside those of all
 * open connections and exchanges. */
static bool has_descriptor(const struct worker *worker)
{
	const struct service *service = worker->service;
	return atomic_load(&service->connections) + atomic_load(&service->exchanges) <
	       plan(worker).room;
}

static void on_request(void *cookie, struct http_request *request)
{
	static const struct http_field retry[] = {{SLICE("Retry-After"), SLICE("1")}};
	if (has_descriptor(cookie)) {
		exchange_begin(cookie, request);
		return;
	}
	metrics_count(METRIC_ERRORS_CONNECTIONS, 1);
	http_reply_error(request, 503, "too_many_connections",
			 SLICE("There are too many connections; try again in a moment."), retry, 1);
}

static struct http_server_options server_options(struct worker *worker)
{
	return (struct http_server_options){
		.max_body = worker->config->listen.max_body,
		.connections = &worker->service->connections,
		.max_connections = plan(worker).connections,
		.in_flight = &worker->service->in_flight,
		.max_in_flight = worker->config->listen.max_in_flight,
		.read_timeout = READ_SECONDS,
		.idle_timeout = IDLE_SECONDS,
		.goes_on_with_http = forward_goes_on_with_http,
		.write_timeout = WRITE_SECONDS,
		.tls = worker->config->listen.tls,
	};
}

static void *run(void *cookie)
{
	struct worker *worker = cookie;
	loop_run(worker->loop);
	exchange_end_all(worker);
	return NULL;
}

struct worker *worker_start(struct service *service, struct config *config, int listen_fd,
			    size_t number)
{
	char name[THREAD_NAME_SIZE];
	struct running_worker *running = xcalloc(1, sizeof(*running));
	struct worker *worker = &running->worker;
	worker->service = service;
	worker->config = config_retain(config);
	worker->loop = loop_create();
	worker->upstream = upstream_create(loop_base(worker->loop), plan(worker).idle_upstream);
	worker->vectors = question_vectors_create(worker->loop, worker->upstream);
	struct http_server_options options = server_options(worker);
	worker->server = http_server_create(loop_base(worker->loop), &options, on_request, worker);
	http_server_listen(worker->server, listen_fd);
	(void)snprintf(name, sizeof(name), "work%zu", number);
	if (!thread_start(&running->thread, name, run, worker)) {
		worker_destroy(worker);
		return NULL;
	}
	return worker;
}

static void configure(void *cookie, void *config)
{
	struct worker *worker = cookie;
	config_release(worker->config);
	worker->config = config;
	last_failure_clear(&worker->service->upstream);
	client_log_clear(&worker->service->failures);
	if (worker->server != NULL) {
		struct http_server_options options = server_options(worker);
		http_server_set_options(worker->server, &options);
	}
}

void worker_configure(struct worker *worker, struct config *config)
{
	loop_post_with(worker->loop, configure, worker, config_retain(config));
}

static void drain(void *cookie)
{
	struct worker *worker = cookie;
	/* An exchange ends before its connection, which closes once the reply is out. */
	http_server_drain(worker->server, worker->drained, worker->drained_cookie);
}

void worker_drain(struct worker *worker, void (*drained)(void *cookie), void *cookie)
{
	worker->drained = drained;
	worker->drained_cookie = cookie;
	loop_post(worker->loop, drain, worker);
}

void worker_stop(struct worker *worker)
{
	loop_stop(worker->loop);
	pthread_join(((struct running_worker *)worker)->thread, NULL);
}

void worker_destroy(struct worker *worker)
{
	if (worker == NULL)
		return;
	http_server_destroy(worker->server);
	worker->server = NULL;
	question_vectors_destroy(worker->vectors);
	upstream_destroy(worker->upstream);
	loop_destroy(worker->loop);
	config_release(worker->config);
	free(worker);
}
