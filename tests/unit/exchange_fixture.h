/* Shared by the tests of exchanges: the upstream's answers, and what memory keeps of them. */
#ifndef RECALLD_TESTS_EXCHANGE_FIXTURE_H
#define RECALLD_TESTS_EXCHANGE_FIXTURE_H

#include "tests/unit/proxy_fixture.h"

#include <string.h>

#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define EVENT(text) "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define ANSWER(text)                                                                               \
	"{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" text       \
	"\"},\"finish_reason\":\"stop\"}]}"

static const char *const buffer_mode = "[memory]\nmode = buffer\n";

/* A worker whose client, alex, has said "Hello", and whose upstream has read the request. */
static inline void begin_exchange(struct proxy *proxy, const char *settings, struct side *client,
				  struct side *upstream)
{
	proxy_begin(proxy, settings);
	*client = proxy_ask(proxy, "alex", "", "Hello");
	*upstream = proxy_asked(proxy);
}

static inline void send_answer(struct side *upstream, const char *head, const char *body)
{
	struct arena arena = {0};
	side_send(upstream,
		  arena_printf(&arena, "%sContent-Length: %zu\r\n\r\n%s", head, strlen(body), body)
			  .data);
	arena_finish(&arena);
}

static inline void assert_memory(struct proxy *proxy, const char *user, const char *expected)
{
	ck_assert_str_eq(proxy_memory(proxy, user), expected);
}

#endif
