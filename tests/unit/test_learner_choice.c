#include "proxy/background/learn_job.h"
#include "proxy/background/next_job.h"
#include "tests/unit/config_reading.h"
#include "tests/unit/store_fixture.h"

enum { MAP = 64 * 1024 * 1024, NOW = 1000 * 1000 * 1000 };

static void postpone(struct fixture *fixture, struct job job)
{
	struct fixture_wait wait = {0};
	(void)store_postpone(fixture->store, fixture_key("alex"), &job,
			     (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

static int64_t now_is(void)
{
	return NOW;
}

/* How long alex's job has to wait that is to be tried next at `not_before`; 0: it is due. */
static int64_t wait_until(int64_t not_before)
{
	struct fixture fixture;
	struct config *config = read_good("");
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	postpone(&fixture, (struct job){.kind = JOB_SUMMARY, .parked = true});
	postpone(&fixture,
		 (struct job){.kind = JOB_FACTS, .exchange = 1, .not_before = not_before});
	struct next_job next = {.store = fixture.store,
				.config = config,
				.keys = key_ring_create(),
				.user = fixture_key("alex"),
				.quiet = INT64_MAX,
				.clock = now_is};
	next_job_choose(&next);
	int64_t wait = next.count > 0 ? 0 : next.wait;
	next_job_finish(&next);
	key_ring_destroy(next.keys);
	config_release(config);
	fixture_finish(&fixture);
	return wait;
}

START_TEST(a_job_waits_for_its_time_but_never_longer_than_any_pause_is)
{
	ck_assert_int_eq(wait_until(0), 0);
	ck_assert_int_eq(wait_until(NOW), 0);
	ck_assert_int_eq(wait_until(NOW + 1), 1);
	ck_assert_int_eq(wait_until(NOW + LEARN_JOB_LONGEST_PAUSE), LEARN_JOB_LONGEST_PAUSE);
	/* The clock was set back since. */
	ck_assert_int_eq(wait_until(NOW + LEARN_JOB_LONGEST_PAUSE + 1), 0);
	ck_assert_int_eq(wait_until(INT64_MAX), 0);
}
END_TEST

/* The choice among `said` exchanges of alex, the last of which came `age` ms ago and of which the
 * first has failed `tries` times. */
static struct next_job choose(unsigned said, unsigned tries, int64_t quiet, int64_t age,
			      bool is_pressing)
{
	struct fixture fixture;
	struct config *config = read_good("[memory]\nlearn_idle = 5s\nlearn_batch = 3\n");
	fixture_init(&fixture, MAP);
	for (unsigned i = 0; i < said; i++) {
		struct append append = fixture_exchange("hi", "hello", NOW - age - said + i + 1);
		append.session = SLICE("s");
		append.ordinal = i;
		append.conversation = i > 0;
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	postpone(&fixture, (struct job){.kind = JOB_SUMMARY, .parked = true});
	if (tries > 0)
		postpone(&fixture, (struct job){.kind = JOB_FACTS, .exchange = 1, .tries = tries});
	struct next_job next = {.store = fixture.store,
				.config = config,
				.keys = key_ring_create(),
				.user = fixture_key("alex"),
				.quiet = quiet,
				.is_pressing = is_pressing,
				.clock = now_is};
	next_job_choose(&next);
	next_job_finish(&next);
	key_ring_destroy(next.keys);
	config_release(config);
	fixture_finish(&fixture);
	return next;
}

START_TEST(exchanges_wait_for_each_other_or_for_quiet)
{
	static const struct {
		unsigned said, tries;
		int64_t quiet, age;
		bool is_pressing;
		size_t count;
		int64_t wait;
	} cases[] = {
		{1, 0, 0, 0, false, 0, 5000},
		{2, 0, 1000, 1000, false, 0, 4000},
		{2, 0, 5000, 5000, false, 2, -1},
		{3, 0, 0, 0, false, 3, -1},
		{5, 0, 0, 0, false, 3, -1},
		{1, 0, 0, 0, true, 1, -1},
		{3, 1, 0, 0, false, 1, -1},
		/* A scan found it after a start, or before its wake came. */
		{2, 0, INT64_MAX, 5000, false, 2, -1},
		{2, 0, INT64_MAX, 1000, false, 0, 4000},
		/* The clock was set. */
		{2, 0, 1000, 90000, false, 0, 4000},
		{2, 0, 1000, -90000, false, 0, 4000},
		{2, 0, INT64_MAX, -90000, false, 2, -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct next_job next = choose(cases[i].said, cases[i].tries, cases[i].quiet,
					      cases[i].age, cases[i].is_pressing);
		ck_assert_msg(next.count == cases[i].count && next.wait == cases[i].wait,
			      "case %zu: %zu, %lld", i, next.count, (long long)next.wait);
		ck_assert_int_eq(next.idles, cases[i].count == 0);
	}
}
END_TEST

static struct fixture raced;

/* A busy machine: while the learner asks for the time, another exchange comes. */
static int64_t now_while_another_comes(void)
{
	struct append append = fixture_exchange("hi again", "hello", NOW + 1);
	append.session = SLICE("s");
	append.ordinal = append.conversation = 1;
	ck_assert_int_eq(fixture_append(&raced, &append), STORE_OK);
	return NOW;
}

START_TEST(an_exchange_that_comes_during_the_choice_makes_nothing_due)
{
	struct config *config = read_good("[memory]\nlearn_idle = 5s\nlearn_batch = 3\n");
	fixture_init(&raced, MAP);
	struct append append = fixture_exchange("hi", "hello", NOW);
	append.session = SLICE("s");
	ck_assert_int_eq(fixture_append(&raced, &append), STORE_OK);
	struct next_job next = {.store = raced.store,
				.config = config,
				.keys = key_ring_create(),
				.user = fixture_key("alex"),
				.quiet = INT64_MAX, /* its wake has not come either */
				.clock = now_while_another_comes};
	next_job_choose(&next);
	ck_assert_uint_eq(next.count, 0);
	ck_assert_int_eq(next.wait, 5000);
	next_job_finish(&next);
	key_ring_destroy(next.keys);
	config_release(config);
	fixture_finish(&raced);
}
END_TEST

/* Nothing else wakes the learner for an exchange, who would walk over all that wait with it. */
START_TEST(the_learner_follows_the_modes_that_learn)
{
	static const struct {
		enum mode mode;
		bool learns;
		bool trims;
		bool follows;
	} cases[] = {
		{MODE_HYBRID, true, false, true},  {MODE_ENTITY, true, false, true},
		{MODE_SUMMARY, true, false, true}, {MODE_AUTO, true, false, true},
		{MODE_BUFFER, true, false, false}, {MODE_VECTOR, true, false, false},
		{MODE_BUFFER, true, true, true},   {MODE_VECTOR, true, true, true},
		{MODE_OFF, true, true, false},     {MODE_HYBRID, false, true, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_memory settings = {.learn = cases[i].learns};
		settings.history = cases[i].trims ? HISTORY_TRIM : HISTORY_PASS;
		ck_assert_msg(learner_follows(&settings, cases[i].mode, false) == cases[i].follows,
			      "case %zu", i);
		ck_assert_msg(learner_follows(&settings, cases[i].mode, true) ==
				      (cases[i].learns && cases[i].mode != MODE_OFF),
			      "a wish to forget, case %zu", i);
	}
}
END_TEST

UNIT_MAIN("learner_choice", exchanges_wait_for_each_other_or_for_quiet,
	  an_exchange_that_comes_during_the_choice_makes_nothing_due,
	  a_job_waits_for_its_time_but_never_longer_than_any_pause_is,
	  the_learner_follows_the_modes_that_learn)
