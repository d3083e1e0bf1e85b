/* Corrections, tombstones and settings in a store, and what they do to the rest of it. */
#include "storage/rights.h"

#include "storage/user/memory.h"
#include "tests/unit/store_fixture.h"

enum { MAP = 64 * 1024 * 1024 };

static struct correction_outcome outcome;

static enum store_result correct_as(struct fixture *fixture, const char *user,
				    struct correction correction)
{
	struct fixture_wait wait = {0};
	correction.now = 500;
	correction.by = SLICE("admin");
	(void)store_correct(fixture->store, SLICE("shared"), slice_of(user), &correction, &outcome,
			    (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

static enum store_result correct(struct fixture *fixture, struct correction correction)
{
	return correct_as(fixture, "alex", correction);
}

static struct correction note(const char *key, const char *value)
{
	return (struct correction){.kind = CORRECTION_CREATE,
				   .members = CORRECTS_ENTITY | CORRECTS_KIND | CORRECTS_KEY |
					      CORRECTS_VALUE,
				   .given = {.entity = SLICE("user"),
					     .kind = SLICE("user"),
					     .key = slice_of(key),
					     .value = slice_of(value)}};
}

static struct correction patch(uint64_t id, const char *value)
{
	return (struct correction){.kind = CORRECTION_PATCH,
				   .id = id,
				   .members = CORRECTS_VALUE,
				   .given = {.value = slice_of(value)}};
}

static enum store_result put_settings(struct fixture *fixture, const char *user,
				      struct user_settings settings)
{
	struct fixture_wait wait = {0};
	(void)store_put_settings(fixture->store, fixture_key(user), &settings,
				 (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

static struct user_settings settings_of(struct fixture *fixture, const char *user)
{
	struct user_settings settings;
	ck_assert_int_eq(
		store_settings(fixture->store, fixture_key(user), &settings, &fixture->arena),
		STORE_OK);
	return settings;
}

static struct fact_account account_of(struct fixture *fixture, uint64_t id)
{
	struct fact_account account;
	ck_assert_int_eq(
		store_read_fact(fixture->store, fixture_key("alex"), id, &account, &fixture->arena),
		STORE_OK);
	return account;
}

/* An exchange that was given fact 1, in its block and before the turn. */
static void be_given(struct fixture *fixture)
{
	static const uint64_t given[] = {1};
	const struct frozen frozen = {
		.mode = MODE_HYBRID, .block = SLICE("Rome"), .facts = given, .fact_count = 1};
	const struct replay replay = {.text = SLICE("Rome"), .facts = given, .fact_count = 1};
	struct append append = fixture_exchange("hi", "hello", 100);
	append.session = SLICE("chat");
	append.frozen = &frozen;
	append.replay = &replay;
	append.receipt = (struct receipt){
		.id = 9,
		.text = SLICE("{\"items\":[{\"kind\":\"fact\",\"id\":\"1\",\"text\":\"Rome\"}]}"),
		.facts = given,
		.fact_count = 1};
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	append = fixture_exchange("hi you", "hello", 150);
	append.session = SLICE("chat");
	append.ordinal = 1;
	append.receipt = (struct receipt){.id = 10, .text = SLICE("{\"items\":[]}")};
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

START_TEST(a_note_makes_the_user_and_is_given_at_once)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(correct(&fixture, patch(1, "x")), STORE_NOT_FOUND);
	ck_assert_int_eq(correct(&fixture, note("city", "Rome")), STORE_OK);
	ck_assert_int_eq(outcome.result, CORRECTION_CREATED);
	ck_assert_uint_eq(outcome.id, 1);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert(view.known);
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Rome");
	ck_assert_int_eq(correct(&fixture, patch(9, "x")), STORE_OK);
	ck_assert_int_eq(outcome.result, CORRECTION_NO_FACT);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_correction_deletes_no_receipt_however_many_hold_the_old_value)
{
	enum { GIVEN = 300 };
	static const uint64_t fact = 1;
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	fixture.receipts = 1000;
	fixture_reopen(&fixture);
	ck_assert_int_eq(correct(&fixture, note("city", "Rome")), STORE_OK);
	for (uint64_t i = 0; i < GIVEN; i++) {
		struct append append = fixture_exchange("hm", "hm", 100 + (int64_t)i);
		append.session = SLICE("chat");
		append.learn = false;
		append.receipt = (struct receipt){
			.id = 10 + i,
			.text = SLICE("[{\"kind\":\"fact\",\"id\":\"1\",\"text\":\"Rome\"}]"),
			.facts = &fact,
			.fact_count = 1,
			.facts_left_out = i % 2};
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	ck_assert_int_eq(correct(&fixture, patch(1, "Lyon")), STORE_OK);
	for (uint64_t i = 0; i < GIVEN; i++) {
		ck_assert_int_eq(fixture_receipt(&fixture, 10 + i, &text), STORE_OK);
		unit_assert_slice(text, "[{\"kind\":\"fact\",\"id\":\"1\",\"text\":null}]");
	}
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_correction_drops_what_held_the_old_value)
{
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(correct(&fixture, note("city", "Rome")), STORE_OK);
	be_given(&fixture);
	struct fact_account account = account_of(&fixture, 1);
	ck_assert_uint_eq(account.receipts, 1);
	ck_assert_uint_eq(account.conversations, 1);
	ck_assert_int_eq(correct(&fixture, patch(1, "Lyon")), STORE_OK);
	ck_assert_uint_eq(outcome.id, 2);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert(!view.has_frozen);
	ck_assert_uint_eq(view.replay_count, 0);
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Lyon");
	ck_assert(view.facts[0].pinned);
	ck_assert_int_eq(fixture_receipt(&fixture, 9, &text), STORE_OK);
	unit_assert_slice(text, "{\"items\":[{\"kind\":\"fact\",\"id\":\"1\",\"text\":null}]}");
	ck_assert_int_eq(fixture_receipt(&fixture, 10, &text), STORE_OK);
	unit_assert_slice(text, "{\"items\":[]}");
	account = account_of(&fixture, 2);
	ck_assert_uint_eq(account.older_count, 1);
	unit_assert_slice(account.older[0].value, "Rome");
	ck_assert_uint_eq(account.receipts + account.conversations, 0);
	fixture_finish(&fixture);
}
END_TEST

/* A context and a recalled turn that say "Rome" without the fact, and a summary of it. */
static void be_told(struct fixture *fixture)
{
	static const uint64_t given[] = {1};
	const struct change change = {.kind = CHANGE_ADD,
				      .fact = {.entity = SLICE("user"),
					       .kind = SLICE("user"),
					       .key = SLICE("city"),
					       .value = SLICE("Rome"),
					       .exchange = 1,
					       .observed_at = 100},
				      .replaced_by = -1};
	const struct frozen frozen = {
		.mode = MODE_HYBRID, .block = SLICE("Rome"), .given = given, .given_count = 1};
	const struct replay replay = {.text = SLICE("Rome"), .turns = given, .turn_count = 1};
	struct append append = fixture_exchange("I live in Rome", "nice", 100);
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_learned(fixture, 1, &change, 1, false), STORE_OK);
	append = fixture_exchange("hi", "hello", 200);
	append.session = SLICE("chat");
	append.frozen = &frozen;
	append.replay = &replay;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

START_TEST(a_correction_drops_turns_and_summaries_that_say_the_old_value)
{
	struct fixture fixture;
	struct job_input input;
	fixture_init(&fixture, MAP);
	be_told(&fixture);
	ck_assert_int_eq(fixture_summarized(&fixture, "Alex lives there.", 2, 0), STORE_OK);
	ck_assert(fixture_view(&fixture, "chat").has_frozen);
	ck_assert_int_eq(correct(&fixture, patch(1, "Lyon")), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert(!view.has_frozen);
	ck_assert_uint_eq(view.replay_count, 0);
	ck_assert(!view.has_summary);
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_uint_eq(input.uncovered_count, 4);
	/* One that tells of something else stays, unless it says the value. */
	ck_assert_int_eq(correct(&fixture, note("pet", "dog")), STORE_OK);
	const uint64_t pet = outcome.id;
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	fixture.forget_epoch = input.forget_epoch;
	ck_assert_int_eq(fixture_summarized(&fixture, "Alex lives in Lyon.", 2, 0), STORE_OK);
	ck_assert_int_eq(correct(&fixture, patch(pet, "cat")), STORE_OK);
	ck_assert(fixture_view(&fixture, "chat").has_summary);
	ck_assert_int_eq(correct(&fixture, patch(2, "Nice")), STORE_OK);
	ck_assert(!fixture_view(&fixture, "chat").has_summary);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_under_way_does_not_keep_the_old_value)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(correct(&fixture, note("city", "Rome")), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	const uint64_t given[] = {1};
	const struct frozen frozen = {
		.mode = MODE_HYBRID, .block = SLICE("Rome"), .facts = given, .fact_count = 1};
	struct append append = fixture_exchange("hi", "hello", 100);
	append.session = SLICE("chat");
	append.frozen = &frozen;
	append.forget_epoch = view.forget_epoch;
	ck_assert_int_eq(correct(&fixture, patch(1, "Lyon")), STORE_OK);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert(!fixture_view(&fixture, "chat").has_frozen);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(learning_is_told_of_tombstones_and_settings)
{
	struct fixture fixture;
	struct job_input input;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(correct(&fixture, note("city", "Rome")), STORE_OK);
	for (int i = 0; i < 12; i++) {
		char value[] = {(char)('a' + i), '\0'};
		ck_assert_int_eq(correct(&fixture, patch(outcome.id, value)), STORE_OK);
	}
	struct user_settings settings = settings_default();
	settings.pii = PII_DROP;
	ck_assert_int_eq(put_settings(&fixture, "alex", settings), STORE_OK);
	struct append append = fixture_exchange("I live in Rome", "nice", 600);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 1, &input), STORE_OK);
	ck_assert_uint_eq(input.tombstones.count, 12);
	ck_assert_int_eq(input.settings.pii, PII_DROP);
	unit_assert_slice(input.tombstones.list[0].key, "city");
	/* An unreadable one is left out, one of nothing is not made, and a lifted one is gone. */
	ck_assert_uint_eq(fixture_spoil(&fixture, TABLE_TOMBSTONES, SLICE("?")), 12);
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 1, &input), STORE_OK);
	ck_assert_uint_eq(input.tombstones.count, 0);
	ck_assert_int_eq(correct(&fixture, note("city", "Rome")), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(facts_are_listed_a_page_at_a_time)
{
	struct fixture fixture;
	struct fact_page page;
	struct fact_filter filter = {.pii = -1, .until = INT64_MAX, .now = 1000};
	const struct user_key alex = fixture_key("alex");
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(store_list_facts(fixture.store, alex, &filter, 2, &page, &fixture.arena),
			 STORE_NOT_FOUND);
	ck_assert_int_eq(correct(&fixture, note("a", "1")), STORE_OK);
	ck_assert_int_eq(correct(&fixture, note("b", "2")), STORE_OK);
	ck_assert_int_eq(correct(&fixture, note("c", "3")), STORE_OK);
	ck_assert_int_eq(store_list_facts(fixture.store, alex, &filter, 2, &page, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(page.count, 2);
	ck_assert(page.more);
	filter.after = page.facts[1].id;
	ck_assert_int_eq(store_list_facts(fixture.store, alex, &filter, 2, &page, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(page.count, 1);
	ck_assert(!page.more);
	unit_assert_slice(page.facts[0].value, "3");
	filter.after = UINT64_MAX;
	ck_assert_int_eq(store_list_facts(fixture.store, alex, &filter, 2, &page, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(page.count, 0);
	struct fact_account account;
	ck_assert_int_eq(store_read_fact(fixture.store, alex, 99, &account, &fixture.arena),
			 STORE_NOT_FOUND);
	ck_assert_uint_eq(fixture_spoil(&fixture, TABLE_FACTS, SLICE("?")), 3);
	filter.after = 0;
	ck_assert_int_eq(store_list_facts(fixture.store, alex, &filter, 2, &page, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(page.count, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_suggestion_is_told_with_its_fact_and_given_to_nobody)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(correct(&fixture, note("city", "Rome")), STORE_OK);
	struct append append = fixture_exchange("I live in Lyon", "nice", 100);
	append.session = SLICE("chat");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	append = fixture_exchange("Nice it is", "nice", 200);
	append.session = SLICE("chat");
	append.ordinal = 1;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	const struct change suggestion = {.kind = CHANGE_ADD,
					  .fact = {.entity = SLICE("user"),
						   .key = SLICE("city"),
						   .value = SLICE("Lyon"),
						   .exchange = 1,
						   .observed_at = 100,
						   .superseded_by = 1,
						   .state = FACT_SUGGESTED},
					  .replaced_by = -1};
	ck_assert_int_eq(fixture_learned(&fixture, 1, &suggestion, 1, false), STORE_OK);
	struct fact_account account = account_of(&fixture, 1);
	ck_assert_uint_eq(account.suggested_count, 1);
	unit_assert_slice(account.suggested[0].value, "Lyon");
	const struct load load = {.user = fixture_key("alex"),
				  .session = SLICE("chat"),
				  .facts = true,
				  .past_facts = true,
				  .now = 1000};
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.fact_count, 1);
	/* A newer one takes its place. */
	const struct change changes[] = {
		{.kind = CHANGE_ADD, .fact = suggestion.fact, .replaced_by = -1},
		{.kind = CHANGE_DROP, .fact = {.id = 2}, .replaced_by = -1}};
	ck_assert_int_eq(fixture_learned(&fixture, 3, changes, 2, false), STORE_OK);
	account = account_of(&fixture, 1);
	ck_assert_uint_eq(account.suggested_count, 1);
	ck_assert_uint_eq(account.suggested[0].id, 3);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(who_is_not_learned_from_leaves_nothing)
{
	struct fixture fixture;
	struct job_list jobs;
	struct slice text;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("I am Alex", "hi", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	struct user_settings settings = settings_default();
	settings.learn = false;
	settings.note = SLICE("asked");
	ck_assert_int_eq(put_settings(&fixture, "alex", settings), STORE_OK);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_NOT_FOUND);
	append = fixture_exchange("I live in Rome", "hi", 200);
	append.receipt = (struct receipt){.id = 9, .text = SLICE("{}")};
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_STALE);
	const struct fixture_turn turn = {
		.role = ROLE_USER, .text = SLICE("old"), .hash = 1, .created_at = 5};
	ck_assert_int_eq(fixture_import(&fixture, &turn, 1, true), STORE_STALE);
	struct fixture_wait wait = {0};
	const struct receipt receipt = {.id = 8, .text = SLICE("{}")};
	(void)store_keep_receipt(fixture.store, fixture_key("alex"), UINT64_MAX, &receipt,
				 (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_STALE);
	ck_assert_int_eq(fixture_receipt(&fixture, 8, &text), STORE_NOT_FOUND);
	ck_assert_int_eq(fixture_receipt(&fixture, 9, &text), STORE_NOT_FOUND);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").turn_count, 2);
	/* The wish outlives the memory, and what it was explained with does not. */
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	fixture_reopen(&fixture);
	settings = settings_of(&fixture, "alex");
	ck_assert(settings.is_stored && !settings.learn);
	ck_assert_uint_eq(settings.note.size, 0);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_STALE);
	ck_assert_int_eq(put_settings(&fixture, "alex", settings_default()), STORE_OK);
	ck_assert(!settings_of(&fixture, "alex").is_stored);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(other_settings_go_with_the_memory)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct user_settings settings = settings_default();
	settings.consent_at = 7;
	settings.consent_by = SLICE("alex");
	settings.consent_text = SLICE("v1");
	settings.keep_facts = 86400000;
	ck_assert_int_eq(put_settings(&fixture, "alex", settings), STORE_OK);
	fixture_reopen(&fixture);
	settings = settings_of(&fixture, "alex");
	ck_assert_int_eq(settings.consent_at, 7);
	ck_assert_int_eq(settings.keep_facts, 86400000);
	ck_assert_int_eq(settings.keep_messages, SETTING_UNSET);
	ck_assert_int_eq(settings.pii, SETTING_UNSET);
	unit_assert_slice(settings.consent_text, "v1");
	ck_assert(!settings_of(&fixture, "ben").is_stored);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_NOT_FOUND);
	ck_assert(!settings_of(&fixture, "alex").is_stored);
	fixture_put(&fixture, TABLE_SETTINGS, key_of_user(fixture_key("alex")), SLICE("?"));
	settings = settings_of(&fixture, "alex");
	ck_assert(!settings.learn && !settings.inject);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_conversation_that_is_declined_leaves_nothing_and_stays_so)
{
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("I live in Rome", "nice", 100);
	append.session = SLICE("chat");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	struct change learned[] = {{.kind = CHANGE_ADD,
				    .fact = {.entity = SLICE("user"),
					     .key = SLICE("city"),
					     .value = SLICE("Rome"),
					     .exchange = 1,
					     .observed_at = 100},
				    .replaced_by = -1},
				   {.kind = CHANGE_ADD,
				    .fact = {.entity = SLICE("user"),
					     .key = SLICE("pet"),
					     .value = SLICE("cat"),
					     .exchange = 1,
					     .pinned = true,
					     .observed_at = 100},
				    .replaced_by = -1}};
	ck_assert_int_eq(fixture_learned(&fixture, 1, learned, 2, false), STORE_OK);
	append = fixture_exchange("Elsewhere", "yes", 150);
	append.session = SLICE("other");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	append = fixture_exchange("Don't remember this conversation.", "sure", 200);
	append.session = SLICE("chat");
	append.ordinal = 1;
	append.declines = true;
	append.receipt = (struct receipt){.id = 9, .text = SLICE("{}")};
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	append = fixture_exchange("I live in Lyon", "ok", 300);
	append.session = SLICE("chat");
	append.ordinal = 2;
	fixture_reopen(&fixture);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_ne(view.conversation, 0);
	ck_assert_uint_eq(view.answers, 3);
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "cat");
	ck_assert_uint_eq(view.turn_count, 2);
	unit_assert_slice(view.turns[0].text, "Elsewhere");
	ck_assert_int_eq(fixture_receipt(&fixture, 9, &text), STORE_NOT_FOUND);
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 3);
	/* So is one that begins with the wish. */
	append = fixture_exchange("Don't remember this conversation.", "fine", 400);
	append.session = SLICE("new");
	append.declines = true;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "new").turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_rights", a_correction_deletes_no_receipt_however_many_hold_the_old_value,
	  a_conversation_that_is_declined_leaves_nothing_and_stays_so,
	  a_note_makes_the_user_and_is_given_at_once, a_correction_drops_what_held_the_old_value,
	  a_correction_drops_turns_and_summaries_that_say_the_old_value,
	  what_is_under_way_does_not_keep_the_old_value,
	  learning_is_told_of_tombstones_and_settings, facts_are_listed_a_page_at_a_time,
	  a_suggestion_is_told_with_its_fact_and_given_to_nobody,
	  who_is_not_learned_from_leaves_nothing, other_settings_go_with_the_memory)
