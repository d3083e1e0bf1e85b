#include "proxy/background/embedder.h"

#include "config_reading.h"
#include "unit.h"

struct outcome {
	unsigned calls;
	bool all;
};

static void on_done(void *cookie, bool all)
{
	struct outcome *outcome = cookie;
	outcome->calls++;
	outcome->all = all;
}

static const struct user_key user = {{1}};

/* There is no store behind it, and no upstream: nothing may ask for them. */
START_TEST(a_wait_that_comes_as_the_embedder_ends_begins_nothing)
{
	struct outcome outcome = {0};
	struct config *config = read_good("[model]\nembedding = e\n");
	struct loop *own = loop_create();
	struct loop *callers = loop_create();
	struct embedder *embedder = embedder_create(NULL, own, NULL, NULL, config, NULL);
	struct embedder_wait *wait =
		embedder_when_done(embedder, user, callers, 1000, on_done, &outcome);
	ck_assert_ptr_nonnull(wait);
	embedder_stop(embedder);
	ck_assert_ptr_null(embedder_when_done(embedder, user, callers, 1000, on_done, &outcome));
	embedder_wake(embedder, user);
	embedder_wait_cancel(wait);
	loop_destroy(callers); /* as the daemon does: its admin address is the first to go */
	loop_destroy(own);
	ck_assert_uint_eq(outcome.calls, 0);
	embedder_destroy(embedder);
	config_release(config);
}
END_TEST

START_TEST(without_a_model_nobody_waits)
{
	struct outcome outcome = {0};
	struct config *config = read_good("");
	struct loop *own = loop_create();
	struct loop *callers = loop_create();
	struct embedder *embedder = embedder_create(NULL, own, NULL, NULL, config, NULL);
	(void)embedder_when_done(embedder, user, callers, 1000, on_done, &outcome);
	loop_destroy(own);
	loop_destroy(callers);
	ck_assert_uint_eq(outcome.calls, 1);
	ck_assert(outcome.all);
	embedder_stop(embedder);
	embedder_destroy(embedder);
	config_release(config);
}
END_TEST

UNIT_MAIN("embedder", a_wait_that_comes_as_the_embedder_ends_begins_nothing,
	  without_a_model_nobody_waits)
