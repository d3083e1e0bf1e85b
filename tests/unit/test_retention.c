/* Retention's thread: which users it looks at, when, and by which configuration. What goes of a
 * user's memory is the store's business; see test_store_expire.c. */
#include "proxy/background/retention.h"

#include "proxy/runtime/loop.h"
#include "proxy/runtime/metrics.h"
#include "tests/unit/branch_fixture.h"
#include "tests/unit/config_reading.h"
#include "tests/unit/store_fixture.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

enum { MAP = 64 << 20, LONG_AGO = 1000, AN_HOUR_AND_A_HALF = 90 * 60 * 1000 };

static struct fixture fixture;
static struct retention *retention;

static void begin(const char *settings)
{
	struct config *config = read_good(settings);
	retention = retention_start(fixture.store, config);
	ck_assert_ptr_nonnull(retention);
	config_release(config);
}

static void configure(const char *settings)
{
	struct config *config = read_good(settings);
	retention_configure(retention, config);
	config_release(config);
}

static void finish(void)
{
	retention_stop(retention);
	fixture_finish(&fixture);
	retention_destroy(retention);
}

static void say(const char *user, int64_t at)
{
	struct append append = fixture_exchange("Hello", "Hi", at);
	append.user = slice_of(user);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
}

static void await_expired(uint64_t exchanges)
{
	const struct timespec a_moment = {0, 500 * 1000};
	for (int left = WAIT_MS * 2; metrics_counter(METRIC_EXPIRED_EXCHANGES) < exchanges;
	     left--) {
		ck_assert_msg(left > 0, "%lu exchanges went, not %lu",
			      (unsigned long)metrics_counter(METRIC_EXPIRED_EXCHANGES),
			      (unsigned long)exchanges);
		nanosleep(&a_moment, NULL);
	}
	ck_assert_uint_eq(metrics_counter(METRIC_EXPIRED_EXCHANGES), exchanges);
}

static bool is_known(const char *user)
{
	const struct load load = {.user = fixture_key(user), .newest_turns = 10, .now = LONG_AGO};
	return fixture_load(&fixture, &load).known;
}

START_TEST(at_its_start_what_is_past_its_time_goes_and_nothing_else)
{
	fixture_init(&fixture, MAP);
	say("alex", LONG_AGO);
	say("bob", LONG_AGO);
	say("bob", clock_wall());
	say("carol", clock_wall());
	begin("[retention]\nmessages = 1h\n");
	await_expired(2);
	ck_assert(!is_known("alex"));
	ck_assert(is_known("bob"));
	ck_assert(is_known("carol"));
	finish();
}
END_TEST

START_TEST(all_users_are_looked_at_though_a_few_at_a_time)
{
	enum { USERS = 600, PAST = 10 }; /* every so-manieth is past its time */
	static struct fixture_wait waits[USERS];
	fixture_init(&fixture, MAP);
	for (size_t i = 0; i < USERS; i++) {
		char name[20];
		(void)snprintf(name, sizeof(name), "user-%zu", i);
		struct append append =
			fixture_exchange("Hello", "Hi", i % PAST == 0 ? LONG_AGO : clock_wall());
		append.user = slice_of(name);
		(void)store_append(
			fixture.store, &append,
			(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[i]});
	}
	for (size_t i = 0; i < USERS; i++)
		ck_assert_int_eq(fixture_await(&fixture.loop, &waits[i]), STORE_OK);
	begin("[retention]\nmessages = 1h\n");
	await_expired(USERS / PAST);
	finish();
}
END_TEST

START_TEST(a_new_configuration_is_gone_by_at_once)
{
	fixture_init(&fixture, MAP);
	say("alex", LONG_AGO);
	begin("");
	configure("[retention]\nmessages = 1h\n");
	await_expired(1);
	say("bob", LONG_AGO);
	configure("[retention]\nmessages = 2h\n"); /* the next look would come in minutes */
	await_expired(2);
	finish();
}
END_TEST

START_TEST(a_new_configuration_counts_at_once_though_the_last_look_is_ending)
{
	const struct timespec a_while = {0, 200 * 1000 * 1000};
	struct transaction transaction;
	fixture_init(&fixture, MAP);
	say("alex", clock_wall() - AN_HOUR_AND_A_HALF);
	/* The audit log is trimmed last, which waits for this transaction. */
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	begin("[retention]\nmessages = 2h\n");
	nanosleep(&a_while, NULL);
	configure("[retention]\nmessages = 1h\n");
	nanosleep(&a_while, NULL);
	transaction_abort(&transaction);
	await_expired(1);
	finish();
}
END_TEST

START_TEST(it_looks_again_by_itself)
{
	fixture_init(&fixture, MAP);
	say("alex", LONG_AGO);
	begin("[retention]\nmessages = 20s\n");
	await_expired(1);
	say("bob", clock_wall() - 19500); /* past its time by the next look only */
	await_expired(2);
	finish();
}
END_TEST

START_TEST(without_a_time_nothing_ever_goes)
{
	fixture_init(&fixture, MAP);
	say("alex", LONG_AGO);
	begin("[retention]\nmessages = 1h\n");
	await_expired(1);
	configure("");
	say("bob", LONG_AGO);
	configure("[retention]\nfacts = 1h\n");
	retention_stop(retention); /* both were taken over */
	ck_assert(is_known("bob"));
	fixture_finish(&fixture);
	retention_destroy(retention);
}
END_TEST

START_TEST(a_time_for_messages_takes_no_fact_however_old)
{
	struct store_statistics statistics;
	struct change change = city("Bonn", 3, LONG_AGO);
	fixture_init(&fixture, MAP);
	say("alex", LONG_AGO);
	say("alex", clock_wall());
	ck_assert_int_eq(fixture_learned(&fixture, 3, &change, 1, false), STORE_OK);
	begin("[retention]\nmessages = 1h\n");
	await_expired(1);
	store_statistics(fixture.store, &statistics);
	ck_assert_uint_eq(statistics.facts, 1);
	finish();
}
END_TEST

START_TEST(of_one_user_more_goes_in_one_look_than_in_one_step)
{
	enum { MANY = 100 };
	fixture_init(&fixture, MAP);
	for (int i = 0; i < MANY; i++)
		say("alex", LONG_AGO + i);
	begin("[retention]\nmessages = 1h\n"); /* the next look would come in minutes */
	await_expired(MANY);
	finish();
}
END_TEST

START_TEST(without_a_time_it_sleeps)
{
	enum { WHILE_MS = 200, MOST_MS = 50 };
	fixture_init(&fixture, MAP);
	say("alex", clock_wall());
	begin("");
	const clock_t before = clock(); /* of all threads, in processor time */
	ck_assert_int_eq(poll(NULL, 0, WHILE_MS), 0);
	ck_assert_int_le((clock() - before) * 1000 / CLOCKS_PER_SEC, MOST_MS);
	finish();
}
END_TEST

START_TEST(it_may_end_as_soon_as_it_began)
{
	fixture_init(&fixture, MAP);
	say("alex", LONG_AGO);
	begin("[retention]\nmessages = 1h\n");
	finish();
	retention_destroy(NULL);
}
END_TEST

static void assert_period(const char *settings, int64_t period)
{
	struct config *config = read_good(settings);
	ck_assert_msg(retention_period(config) == period, "%s: %ld", settings,
		      (long)retention_period(config));
	config_release(config);
}

START_TEST(how_often_it_looks_follows_from_the_shorter_time)
{
	enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
	assert_period("", HOUR); /* users have wishes of their own */
	assert_period("[retention tenant=t]\nreceipts = 12h\n", 30 * MINUTE);
	assert_period("[retention]\nfacts.place = 12s\nsummaries = 1d\n", SECOND);
	assert_period("[retention]\npii = drop\n", HOUR);
	assert_period("[retention]\nmessages = 12h\n", 30 * MINUTE);
	assert_period("[retention]\nfacts = 12h\n", 30 * MINUTE);
	assert_period("[retention]\nmessages = 12h\nfacts = 2h\n", 5 * MINUTE);
	assert_period("[retention]\nmessages = 2h\nfacts = 12h\n", 5 * MINUTE);
	assert_period("[retention]\nmessages = 365d\n", HOUR);
	assert_period("[retention]\nmessages = 12s\n", SECOND);
}
END_TEST

UNIT_MAIN("retention", at_its_start_what_is_past_its_time_goes_and_nothing_else,
	  all_users_are_looked_at_though_a_few_at_a_time, a_new_configuration_is_gone_by_at_once,
	  a_new_configuration_counts_at_once_though_the_last_look_is_ending,
	  it_looks_again_by_itself, without_a_time_nothing_ever_goes,
	  a_time_for_messages_takes_no_fact_however_old,
	  of_one_user_more_goes_in_one_look_than_in_one_step, without_a_time_it_sleeps,
	  it_may_end_as_soon_as_it_began, how_often_it_looks_follows_from_the_shorter_time)
