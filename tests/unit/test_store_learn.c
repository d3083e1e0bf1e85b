/* Tests a job's input and the effects of its result. */
#include "core/facts/facts.h"
#include "tests/unit/store_learn_fixture.h"

#include <time.h>
#include <unistd.h>

START_TEST(a_job_is_done_once_and_its_facts_are_known)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "I am Alex", "Hello", 100);
	struct change changes[] = {add("name", "Alex", 1), add("city", "Bonn", 1)};
	changes[1].fact.expires_at = 900; /* it is 1000 when the view is read */
	learn_ok(&fixture, 1, changes, 2, false);
	ck_assert_int_eq(fixture_learned(&fixture, 1, changes, 2, false), STORE_STALE);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Alex");
	ck_assert_uint_eq(view.facts[0].id, 1);
	ck_assert(view.facts[0].confidence == 0.9);
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 1);
	ck_assert_int_eq(jobs.jobs[0].kind, JOB_SUMMARY);
	unit_assert_slice(jobs.user, "alex");
	unit_assert_slice(jobs.tenant, "shared");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_superseded_fact_names_the_one_in_its_place)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "I live in Bonn", "Nice", 100);
	say(&fixture, "I moved to Rome", "Ciao", 200);
	struct change first = add("city", "Bonn", 1);
	learn_ok(&fixture, 1, &first, 1, false);
	/* The update comes before the fact that it names. */
	struct change changes[] = {
		{.kind = CHANGE_UPDATE,
		 .fact = {.id = 1, .state = FACT_SUPERSEDED, .ended_at = 200, .observed_at = 5},
		 .replaced_by = 1},
		add("city", "Rome", 3),
	};
	learn_ok(&fixture, 3, changes, 2, false);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Rome");
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 3, &input), STORE_OK);
	ck_assert_uint_eq(input.fact_count, 2);
	ck_assert_int_eq(input.facts[0].state, FACT_SUPERSEDED);
	ck_assert_uint_eq(input.facts[0].superseded_by, 2);
	ck_assert_int_eq(input.facts[0].ended_at, 200);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_job_is_given_what_came_before_in_its_conversation)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < 5; i++)
		say(&fixture, i == 4 ? "and now?" : "before", i == 4 ? "now" : "then", 100 + 2 * i);
	struct append other = fixture_exchange("elsewhere", "else", 150);
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 9, &input), STORE_OK);
	unit_assert_slice(input.user.text, "and now?");
	unit_assert_slice(input.assistant.text, "now");
	ck_assert_uint_eq(input.before_count, 6);
	for (size_t i = 0; i < input.before_count; i++)
		ck_assert_uint_eq(input.before[i].id, 3 + i);
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 1, &input), STORE_OK);
	ck_assert_uint_eq(input.before_count, 0);
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 99, &input), STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(several_exchanges_are_read_with_the_same_facts_up_to_one_that_is_gone)
{
	struct fixture fixture;
	struct job_input inputs[4];
	static const uint64_t exchanges[] = {1, 3, 99, 5};
	static const uint64_t gone[] = {99, 1};
	fixture_init(&fixture, MAP);
	say(&fixture, "one", "1", 100);
	say(&fixture, "two", "2", 200);
	say(&fixture, "three", "3", 300);
	size_t count = 4;
	ck_assert_int_eq(store_facts_inputs(fixture.store, fixture_key("alex"), exchanges, &count,
					    inputs, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(count, 2);
	unit_assert_slice(inputs[0].user.text, "one");
	unit_assert_slice(inputs[1].user.text, "two");
	ck_assert_ptr_eq(inputs[0].facts, inputs[1].facts);
	count = 2;
	ck_assert_int_eq(store_facts_inputs(fixture.store, fixture_key("alex"), gone, &count,
					    inputs, &fixture.arena),
			 STORE_NOT_FOUND);
	ck_assert_uint_eq(count, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_moves_on_and_never_backwards)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct job_input input;
	struct job_list jobs;
	say(&fixture, "one", "1", 100);
	say(&fixture, "two", "2", 200);
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert(!input.has_summary);
	ck_assert_uint_eq(input.uncovered_count, 4);
	ck_assert_int_eq(fixture_summarized(&fixture, "they counted", 2, 0), STORE_OK);
	ck_assert_int_eq(fixture_summarized(&fixture, "again", 3, 0), STORE_STALE);
	ck_assert_int_eq(fixture_summarized(&fixture, "what never was", 50, 2), STORE_STALE);
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	unit_assert_slice(input.summary.text, "they counted");
	ck_assert_uint_eq(input.uncovered[0].id, 3);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.jobs[jobs.count - 1].uncovered, 2);
	ck_assert_int_eq(jobs.jobs[jobs.count - 1].last_active, 200);
	/* Nothing is left to do: no job. */
	ck_assert_int_eq(fixture_summarized(&fixture, "all", 4, 2), STORE_OK);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_int_eq(jobs.jobs[jobs.count - 1].kind, JOB_FACTS);
	fixture_finish(&fixture);
}
END_TEST

static double milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static uint64_t commits(struct fixture *fixture)
{
	struct store_statistics statistics;
	store_statistics(fixture->store, &statistics);
	return statistics.commits;
}

/* It waits 10 ms for others; where both were not handed over in half of that, it is tried anew. */
START_TEST(what_was_learned_waits_for_the_next_exchange)
{
	enum { NO_EXCHANGE = 1000000 };
	struct fixture fixture;
	double took = 10;
	fixture_init(&fixture, MAP);
	for (int try = 0; try < 1000 && took > 5; try++) {
		struct fixture_wait waits[2] = {{0}};
		struct append append = fixture_exchange("I like tea", "Fine", 300);
		uint64_t before = commits(&fixture);
		double begun = milliseconds();
		(void)store_learned(
			fixture.store, fixture_key("alex"),
			&(struct learned){NO_EXCHANGE, UINT64_MAX, NULL, 0, false, 500},
			(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[0]});
		(void)usleep(2000); /* time enough for the writer, if it did not wait */
		(void)store_append(
			fixture.store, &append,
			(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[1]});
		took = milliseconds() - begun;
		ck_assert_int_eq(fixture_await(&fixture.loop, &waits[0]), STORE_STALE);
		ck_assert_int_eq(fixture_await(&fixture.loop, &waits[1]), STORE_OK);
		if (took <= 5)
			ck_assert_uint_eq(commits(&fixture), before + 1);
	}
	ck_assert_double_le(took, 5);
	fixture_finish(&fixture);
}
END_TEST

/* The user is one whatever the letters are; storage and core hold to one order. */
START_TEST(facts_come_from_the_store_in_the_order_in_which_core_shows_them)
{
	static const char *const entities[] = {"Zoe", "user", "anna", "User", "Anna", "USER"};
	enum { COUNT = sizeof(entities) / sizeof(entities[0]) };
	struct fixture fixture;
	struct change changes[COUNT];
	const struct fact *shown[COUNT];
	fixture_init(&fixture, MAP);
	say(&fixture, "I am Alex", "Hello", 100);
	for (size_t i = 0; i < COUNT; i++) {
		changes[i] = add("city", entities[i], 1);
		changes[i].fact.entity = slice_of(entities[i]);
	}
	learn_ok(&fixture, 1, changes, COUNT, false);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.fact_count, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		shown[i] = &view.facts[COUNT - 1 - i];
		ck_assert(fact_is_about_user(&view.facts[i]) == (i < 3));
	}
	fact_sort_shown(shown, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_ptr_eq(shown[i], &view.facts[i]);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_learn", a_job_is_done_once_and_its_facts_are_known,
	  a_superseded_fact_names_the_one_in_its_place,
	  a_job_is_given_what_came_before_in_its_conversation,
	  several_exchanges_are_read_with_the_same_facts_up_to_one_that_is_gone,
	  a_summary_moves_on_and_never_backwards, what_was_learned_waits_for_the_next_exchange,
	  facts_come_from_the_store_in_the_order_in_which_core_shows_them)
