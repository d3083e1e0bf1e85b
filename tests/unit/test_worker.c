/* A worker's life: it takes over a new configuration, refuses what it has no descriptor for, drains
 * and stops. */
#include "proxy/runtime/process.h"
#include "tests/unit/exchange_fixture.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <time.h>

#define SHORT "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort"

static sem_t told;

static void tell(void *cookie)
{
	sem_post(cookie);
}

static void await_told(void)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_MS / 1000;
	ck_assert_int_eq(sem_timedwait(&told, &until), 0);
}

/* A connection that was used, and waits for its next request. */
static struct side idle_client(const struct proxy *proxy)
{
	struct side client = side_connect(proxy);
	side_send(&client, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
	struct side upstream = proxy_asked(proxy);
	side_send(&upstream, SHORT);
	side_await(&client, "short");
	side_close(&upstream);
	return client;
}

START_TEST(a_worker_is_drained_once_its_last_reply_is_out)
{
	enum { CHECKED_OFTEN_MS = 50 };
	struct proxy proxy;
	sem_init(&told, 0, 0);
	proxy_begin(&proxy, buffer_mode);
	struct side idle = idle_client(&proxy);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
	side_send(&upstream, STREAM EVENT("Hi"));
	side_await(&client, "Hi");
	worker_drain(proxy.worker, tell, &told);
	side_await_end(&idle);
	struct pollfd open = {client.fd, POLLIN, 0};
	ck_assert_int_eq(poll(&open, 1, CHECKED_OFTEN_MS), 0);
	ck_assert_int_eq(sem_trywait(&told), -1);
	side_send(&upstream, DONE);
	side_close(&upstream);
	await_told();
	side_await_end(&client);
	ck_assert(side_has(&client, "\r\n0\r\n\r\n"));
	ck_assert_int_eq(poll(NULL, 0, CHECKED_OFTEN_MS), 0);
	ck_assert_int_eq(sem_trywait(&told), -1); /* it is told once */
	ck_assert_uint_eq(atomic_load(&proxy.service.connections), 0);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_worker_without_a_connection_is_drained_at_once)
{
	struct proxy proxy;
	sem_init(&told, 0, 0);
	proxy_begin(&proxy, buffer_mode);
	worker_drain(proxy.worker, tell, &told);
	await_told();
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_request_that_is_still_coming_holds_the_drain_up)
{
	enum { CHECKED_OFTEN_MS = 50 };
	struct proxy proxy;
	sem_init(&told, 0, 0);
	proxy_begin(&proxy, buffer_mode);
	struct side client = side_connect(&proxy);
	side_send(&client, "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
			   "Expect: 100-continue\r\n\r\n");
	side_await(&client, "HTTP/1.1 100 ");
	side_send(&client, "ha");
	worker_drain(proxy.worker, tell, &told);
	ck_assert_int_eq(poll(NULL, 0, CHECKED_OFTEN_MS), 0);
	ck_assert_int_eq(sem_trywait(&told), -1);
	side_send(&client, "lf");
	struct side upstream = proxy_asked(&proxy);
	side_send(&upstream, SHORT);
	side_await_end(&client);
	ck_assert(side_has(&client, "short"));
	await_told();
	side_close(&upstream);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_worker_that_stops_cuts_off_what_is_open_and_keeps_what_came)
{
	struct proxy proxy;
	struct side client, upstream;
	begin_exchange(&proxy, buffer_mode, &client, &upstream);
	struct side waiting = proxy_ask(&proxy, "bob", "", "Hello");
	struct side unanswered = proxy_asked(&proxy);
	side_send(&upstream, STREAM EVENT("Ha"));
	side_await(&client, "Ha");
	proxy_stop(&proxy);
	side_await_end(&upstream);
	side_await_end(&unanswered);
	fixture_reopen(&proxy.store);
	assert_memory(&proxy, "alex", "USER:Hello|ASSISTANT:Ha~|");
	assert_memory(&proxy, "bob", "");
	proxy_finish(&proxy);
	side_await_end(&client);
	ck_assert(!side_has(&client, "\r\n0\r\n\r\n"));
	side_await_end(&waiting);
	ck_assert_uint_eq(waiting.seen->size, 0);
}
END_TEST

static void configure(struct proxy *proxy, const char *settings)
{
	struct config *config = proxy_config(proxy, settings);
	worker_configure(proxy->worker, config);
	config_release(config);
	loop_post(proxy->worker->loop, tell, &told); /* behind it */
	await_told();
}

START_TEST(a_new_configuration_is_for_the_exchanges_that_begin_then)
{
	struct proxy proxy;
	sem_init(&told, 0, 0);
	proxy_begin(&proxy, buffer_mode);
	struct side first = proxy_ask(&proxy, "alex", "", "Hello");
	struct side upstream = proxy_asked(&proxy);
	configure(&proxy, "[memory]\nmode = off\n[listen]\nmax_body = 64K\n");
	side_send(&upstream, STREAM EVENT("Hi") DONE);
	side_close(&upstream);
	side_await(&first, "\r\n0\r\n\r\n");
	ck_assert(side_has(&first, "X-Memory-Mode: buffer\r\n"));
	assert_memory(&proxy, "alex", "USER:Hello|ASSISTANT:Hi|");
	struct side second = proxy_ask(&proxy, "alex", "", "Hello again");
	upstream = proxy_asked(&proxy);
	side_send(&upstream, SHORT);
	side_await(&second, "short");
	ck_assert(side_has(&second, "X-Memory-Status: off\r\n"));
	struct side large = side_connect(&proxy);
	side_send(&large,
		  "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n");
	side_await(&large, "HTTP/1.1 413 ");
	side_close(&first);
	side_close(&second);
	side_close(&large);
	side_close(&upstream);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_request_without_a_descriptor_for_the_upstream_is_refused_for_now)
{
	enum { MANY = 100 * 1000 * 1000 };
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	atomic_fetch_add(&proxy.service.exchanges, MANY);
	struct side client = proxy_ask(&proxy, "alex", "", "Hello");
	side_await(&client, "too_many_connections");
	ck_assert(side_has(&client, "HTTP/1.1 503 "));
	ck_assert(side_has(&client, "Retry-After: 1\r\n"));
	ck_assert_uint_eq(metrics_counter(METRIC_ERRORS_CONNECTIONS), 1);
	ck_assert(!side_is_asked(&proxy));
	atomic_fetch_sub(&proxy.service.exchanges, MANY);
	side_close(&client);
	client = idle_client(&proxy);
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(connections_and_exchanges_share_the_descriptors)
{
	struct proxy proxy;
	proxy_begin(&proxy, buffer_mode);
	size_t room = descriptors_plan(proxy.service.descriptors, 1,
				       (size_t)proxy.config->listen.max_connections)
			      .room;
	atomic_fetch_add(&proxy.service.exchanges, room - 1); /* the client's own is one more */
	struct side client = side_connect(&proxy);
	side_send(&client, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
	side_await(&client, "too_many_connections");
	atomic_fetch_sub(&proxy.service.exchanges, 1);
	side_send(&client, "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n");
	struct side upstream = proxy_asked(&proxy);
	side_send(&upstream, SHORT);
	side_await(&client, "short");
	atomic_fetch_sub(&proxy.service.exchanges, room - 2);
	side_close(&upstream);
	side_close(&client);
	proxy_finish(&proxy);
}
END_TEST

START_TEST(a_new_configuration_has_the_next_failure_logged)
{
	struct proxy proxy;
	const struct failure_words refused = failure_words("it refused", 401);
	sem_init(&told, 0, 0);
	proxy_begin(&proxy, buffer_mode);
	ck_assert(last_failure_note(&proxy.service.upstream, &refused));
	ck_assert(!last_failure_note(&proxy.service.upstream, &refused)); /* within a minute */
	configure(&proxy, "[memory]\nmode = off\n");
	ck_assert(last_failure_note(&proxy.service.upstream, &refused));
	proxy_finish(&proxy);
}
END_TEST

UNIT_MAIN("worker", a_worker_is_drained_once_its_last_reply_is_out,
	  a_worker_without_a_connection_is_drained_at_once,
	  a_worker_that_stops_cuts_off_what_is_open_and_keeps_what_came,
	  a_new_configuration_is_for_the_exchanges_that_begin_then,
	  a_request_without_a_descriptor_for_the_upstream_is_refused_for_now,
	  a_request_that_is_still_coming_holds_the_drain_up,
	  connections_and_exchanges_share_the_descriptors,
	  a_new_configuration_has_the_next_failure_logged)
