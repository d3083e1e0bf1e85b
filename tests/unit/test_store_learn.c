#include "core/memory/fact_order.h"
#include "tests/unit/store_fixture.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAP = 64 * 1024 * 1024 };

/* One exchange after the other, all of one conversation. */
static void say(struct fixture *fixture, const char *user_text, const char *answer, int64_t now)
{
	struct append append = fixture_exchange(user_text, answer, now);
	append.session = SLICE("chat");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static struct change add(const char *key, const char *value, uint64_t exchange)
{
	return (struct change){
		.kind = CHANGE_ADD,
		.fact = {.entity = SLICE("user"),
			 .kind = SLICE("user"),
			 .key = slice_of(key),
			 .value = slice_of(value),
			 .quote = slice_of(value),
			 .confidence = 0.9,
			 .exchange = exchange,
			 .observed_at = 5},
		.replaced_by = -1,
	};
}

static void learn_ok(struct fixture *fixture, uint64_t exchange, const struct change *changes,
		     size_t count, bool hide)
{
	ck_assert_int_eq(fixture_learned(fixture, exchange, changes, count, hide), STORE_OK);
}

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

static bool holds(struct slice text, const char *word)
{
	return text.size > 0 && slice_find(text, slice_of(word), 0) < text.size;
}

/* Whether the word is in anything that is read of the user. */
static bool is_remembered(struct fixture *fixture, const char *word)
{
	struct memory_view view = fixture_view(fixture, "chat");
	bool found = holds(view.summary.text, word) || holds(view.frozen.block, word);
	for (size_t i = 0; i < view.turn_count; i++)
		found = found || holds(view.turns[i].text, word);
	for (size_t i = 0; i < view.fact_count; i++)
		found = found || holds(view.facts[i].value, word) ||
			holds(view.facts[i].quote, word);
	return found;
}

START_TEST(a_forgotten_fact_takes_all_that_was_made_of_it_along)
{
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	struct frozen frozen = {.block = SLICE("works at Acme")};
	struct append append = fixture_exchange("I work at Acme", "Noted: Acme", 100);
	append.session = SLICE("chat");
	append.frozen = &frozen;
	append.receipt.id = 5;
	append.receipt.text = SLICE("Acme");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	say(&fixture, "I like tea", "Fine", 200);
	struct change facts[] = {add("employer", "Acme", 1), add("role", "engineer", 1)};
	learn_ok(&fixture, 1, facts, 2, false);
	ck_assert_int_eq(fixture_summarized(&fixture, "Works at Acme", 2, 0), STORE_OK);
	say(&fixture, "Forget where I work", "Done", 300);
	ck_assert(is_remembered(&fixture, "Acme"));

	struct change forget = {.kind = CHANGE_FORGET, .fact = {.id = 1}, .replaced_by = -1};
	learn_ok(&fixture, 5, &forget, 1, true);
	ck_assert(!is_remembered(&fixture, "Acme"));
	ck_assert_int_eq(fixture_receipt(&fixture, 5, &text), STORE_NOT_FOUND);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert(!view.has_frozen && !view.has_summary);
	ck_assert_uint_eq(view.turn_count, 2);
	unit_assert_slice(view.turns[0].text, "I like tea");
	/* The other fact of that turn stays, without the user's words. */
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "engineer");
	ck_assert_uint_eq(view.facts[0].quote.size, 0);
	/* The summary is to be made anew of what is left. */
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 2);
	ck_assert_uint_eq(jobs.jobs[1].uncovered, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_second_fact_of_a_hidden_turn_leaves_frozen_contexts_too)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "I am an engineer at Acme", "Noted", 100);
	say(&fixture, "forget Acme", "Done", 200);
	say(&fixture, "forget my job", "Done", 300);
	struct change facts[] = {add("employer", "Acme", 1), add("role", "engineer", 1)};
	learn_ok(&fixture, 1, facts, 2, false);
	struct change forget = {.kind = CHANGE_FORGET, .fact = {.id = 1}, .replaced_by = -1};
	learn_ok(&fixture, 3, &forget, 1, false);
	struct frozen frozen = {.block = SLICE("an engineer")};
	struct append append = fixture_exchange("hm", "yes", 400);
	append.session = SLICE("chat");
	append.frozen = &frozen;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert(is_remembered(&fixture, "engineer"));
	forget.fact.id = 2;
	learn_ok(&fixture, 5, &forget, 1, false);
	ck_assert(!is_remembered(&fixture, "engineer"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(hiding_a_text_hides_every_exchange_that_has_it)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "My doctor is Dr. Weiss", "Noted", 100);
	say(&fixture, "Whom do I see?", "DR.  WEISS, you said", 200);
	say(&fixture, "I like tea", "Fine", 300);
	struct append again = fixture_exchange("I like tea", "Earl Grey?", 350);
	again.conversation = 1;
	again.same_exchange = 5;
	ck_assert_int_eq(fixture_append(&fixture, &again), STORE_OK);
	say(&fixture, "Forget the doctor", "Done", 400);
	say(&fixture, "Teak is a wood", "It is", 150);
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("dr. weiss"), .observed_at = 400}};
	const struct change changes[] = {
		hide,
		{.kind = CHANGE_HIDE, .fact = {.value = SLICE("tea"), .observed_at = 200}},
	};
	learn_ok(&fixture, 8, changes, 2, true);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 4);
	unit_assert_slice(view.turns[0].text, "Teak is a wood");
	unit_assert_slice(view.turns[2].text, "I like tea");
	/* Jobs of hidden exchanges are gone: they would learn it again. */
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 3);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 5);
	/* A superseded answer is no hiding place. */
	hide.fact.value = SLICE("fine");
	learn_ok(&fixture, 5, &hide, 1, false);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_said_after_a_request_to_forget_stays)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	const struct imported_turn later = {.role = ROLE_ASSISTANT,
					    .text = SLICE("Tea is back"),
					    .hash = fixture_hash("Tea is back"),
					    .created_at = 350};
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("tea"), .observed_at = 200}};
	say(&fixture, "I like tea", "Good", 100);
	say(&fixture, "My team has five people", "Nice", 110);
	say(&fixture, "Forget the tea", "Done", 200);
	say(&fixture, "Tea is what I drink again", "Fine", 300);
	ck_assert_int_eq(fixture_import(&fixture, &later, 1, false), STORE_OK);
	learn_ok(&fixture, 5, &hide, 1, true);
	ck_assert(!is_remembered(&fixture, "I like tea"));
	ck_assert(is_remembered(&fixture, "team"));
	ck_assert(is_remembered(&fixture, "drink again"));
	ck_assert(is_remembered(&fixture, "Tea is back"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_text_without_spaces_is_found_within_another)
{
	struct fixture fixture;
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("李明"), .observed_at = 200}};
	fixture_init(&fixture, MAP);
	say(&fixture, "我欠李明钱", "好的", 100);
	say(&fixture, "忘记吧", "好的", 200);
	learn_ok(&fixture, 3, &hide, 1, false);
	ck_assert(!is_remembered(&fixture, "李明"));
	ck_assert(is_remembered(&fixture, "忘记吧"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_said_while_a_text_is_searched_for_is_hidden_too)
{
	struct fixture fixture;
	struct fixture_loop held;
	struct fixture_wait waits[3] = {{0}};
	fixture_init(&fixture, MAP);
	say(&fixture, "I owe Bob money", "I see", 100);
	say(&fixture, "Forget Bob", "Done", 200);
	/* The writer stands still while it posts to a loop that is held: what is queued is not
	 * written yet when the search is made. */
	fixture_loop_init(&held);
	pthread_mutex_lock(&held.lock);
	struct append append = fixture_exchange("I like tea", "Fine", 300);
	(void)store_append(fixture.store, &append, &held.loop, fixture_done, &waits[0]);
	append = fixture_exchange("And Bob?", "No", 150);
	(void)store_append(fixture.store, &append, &held.loop, fixture_done, &waits[1]);
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("Bob"), .observed_at = 200}};
	(void)store_learned(fixture.store, fixture_key("alex"), 3, UINT64_MAX, &hide, 1, true, 500,
			    &held.loop, fixture_done, &waits[2]);
	pthread_mutex_unlock(&held.lock);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(fixture_await(&held, &waits[i]), STORE_OK);
	ck_assert(!is_remembered(&fixture, "Bob"));
	ck_assert_uint_eq(fixture_view(&fixture, "chat").turn_count, 2);
	fixture_loop_finish(&held);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_of_turns_hidden_meanwhile_is_refused)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "I owe Bob money", "I see", 100);
	say(&fixture, "Forget that", "Done", 200);
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("Bob"), .observed_at = 200}};
	learn_ok(&fixture, 3, &hide, 1, false);
	ck_assert_int_eq(fixture_summarized(&fixture, "Owes Bob", 4, 0), STORE_CHANGED);
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_uint_eq(input.uncovered_count, 2);
	ck_assert_int_eq(fixture_summarized(&fixture, "Asked", 4, 0), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_a_request_was_given_before_a_hiding_is_not_kept)
{
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	say(&fixture, "I owe Bob money", "I see", 100);
	say(&fixture, "Forget that", "Done", 200);
	struct frozen frozen = {.block = SLICE("Owes Bob")};
	struct append append = fixture_exchange("hi", "hello", 300);
	append.session = SLICE("chat");
	append.forget_epoch = fixture_view(&fixture, "chat").forget_epoch;
	append.frozen = &frozen;
	append.receipt.id = 9;
	append.receipt.text = SLICE("Bob");
	struct append again = append;
	again.same_exchange = 1;
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("Bob"), .observed_at = 200}};
	learn_ok(&fixture, 3, &hide, 1, false);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert(!fixture_view(&fixture, "chat").has_frozen);
	ck_assert_int_eq(fixture_receipt(&fixture, 9, &text), STORE_NOT_FOUND);
	ck_assert_int_eq(fixture_append(&fixture, &again), STORE_STALE);
	append.forget_epoch = fixture_view(&fixture, "chat").forget_epoch;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert(fixture_view(&fixture, "chat").has_frozen);
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
		(void)store_learned(fixture.store, fixture_key("alex"), NO_EXCHANGE, UINT64_MAX,
				    NULL, 0, false, 500, &fixture.loop.loop, fixture_done,
				    &waits[0]);
		(void)usleep(2000); /* time enough for the writer, if it did not wait */
		(void)store_append(fixture.store, &append, &fixture.loop.loop, fixture_done,
				   &waits[1]);
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

UNIT_MAIN("store_learn", a_job_is_done_once_and_its_facts_are_known,
	  facts_come_from_the_store_in_the_order_in_which_core_shows_them,
	  a_superseded_fact_names_the_one_in_its_place,
	  a_job_is_given_what_came_before_in_its_conversation,
	  a_summary_moves_on_and_never_backwards,
	  a_forgotten_fact_takes_all_that_was_made_of_it_along,
	  a_second_fact_of_a_hidden_turn_leaves_frozen_contexts_too,
	  hiding_a_text_hides_every_exchange_that_has_it,
	  what_is_said_after_a_request_to_forget_stays,
	  a_text_without_spaces_is_found_within_another,
	  what_is_said_while_a_text_is_searched_for_is_hidden_too,
	  a_summary_of_turns_hidden_meanwhile_is_refused,
	  what_a_request_was_given_before_a_hiding_is_not_kept,
	  what_was_learned_waits_for_the_next_exchange)
