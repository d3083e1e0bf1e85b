/* Resumes parked jobs, of one user or of all. */
#include "proxy/admin/call.h"
#include "proxy/learn/learner.h"

enum { ANSWER_LIMIT = 64 };

struct unparking {
	struct admin_call *call;
	bool everybody;
	size_t count;
};

static void on_unparked(void *cookie, enum store_result result)
{
	struct unparking *unparking = cookie;
	struct admin_call *call = unparking->call;
	if (result != STORE_OK) {
		admin_reply_failure(call, result);
		return;
	}
	if (unparking->everybody)
		learner_wake_all(call->service->learner);
	else
		learner_wake(call->service->learner, call->user, true);
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	buffer_printf(&out, "{\"unparked\":%zu}", unparking->count);
	admin_reply_json(call, 202, &out);
}

static void unpark(struct admin_call *call, bool everybody)
{
	struct unparking *unparking = arena_alloc(&call->arena, sizeof(*unparking));
	*unparking = (struct unparking){.call = call, .everybody = everybody};
	store_unpark(call->service->store, everybody ? NULL : &call->user, &unparking->count,
		     loop_for_store(call->loop), on_unparked, unparking);
}

static void unpark_user(struct admin_call *call)
{
	unpark(call, false);
}

static void unpark_all(struct admin_call *call)
{
	unpark(call, true);
}

const struct admin_endpoint admin_unpark_endpoints[] = {
	{"POST", "/v1/unpark", "", false, unpark_all},
	{"POST", "/v1/users/{}/unpark", "", false, unpark_user},
	{NULL, NULL, NULL, false, NULL},
};
