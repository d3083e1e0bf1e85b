/* Deleting parts of a memory, with all that was made of them. */
#include "core/facts/facts.h"
#include "storage/deletions.h"
#include "storage/rights.h"
#include "tests/unit/expire_fixture.h"

static struct deletion_report report;

static enum store_result delete_with(struct fixture *fixture, const struct deletion *deletion,
				     uint64_t token)
{
	struct fixture_wait wait = {0};
	(void)store_delete(fixture->store, fixture_key("alex"), deletion, token, 1000, &report,
			   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

static enum store_result delete (struct fixture *fixture, const struct deletion *deletion) {
	return delete_with(fixture, deletion, 0);
}

/* Lisbon (turns 1 and 2, fact 1) and Bergen (turns 3 and 4, fact 2). */
static void begin(struct fixture *fixture)
{
	fixture_init(fixture, MAP);
	say(fixture, "a", "I live in Lisbon", 100);
	say(fixture, "b", "I live in Bergen", 200);
	learn_city(fixture, 1, "Lisbon", 100, false);
	learn_city(fixture, 3, "Bergen", 200, false);
}

static bool has_fact(struct fixture *fixture, const char *value)
{
	struct memory_view view = fixture_view(fixture, "");
	for (size_t i = 0; i < view.fact_count; i++) {
		if (slice_equal(view.facts[i].value, slice_of(value)))
			return true;
	}
	return false;
}

static bool has_receipt(struct fixture *fixture, uint64_t id)
{
	struct slice text;
	return fixture_receipt(fixture, id, &text) == STORE_OK;
}

/* A request of a session of its own that was given a turn or a fact; its exchange says nothing. */
static void give(struct fixture *fixture, const char *session, uint64_t receipt, uint64_t turn,
		 uint64_t fact)
{
	struct append append = fixture_exchange("hm", "hm", 500);
	struct frozen frozen = {.block = SLICE("block"),
				.given = &turn,
				.given_count = turn != 0,
				.facts = &fact,
				.fact_count = fact != 0};
	struct replay replay = {.user_hash = 5,
				.text = SLICE("rides"),
				.turns = &turn,
				.turn_count = turn != 0,
				.facts = &fact,
				.fact_count = fact != 0};
	append.session = slice_of(session);
	append.learn = false;
	append.frozen = &frozen;
	append.replay = &replay;
	append.receipt = (struct receipt){.id = receipt,
					  .text = SLICE("{}"),
					  .turns = &turn,
					  .turn_count = turn != 0,
					  .facts = &fact,
					  .fact_count = fact != 0};
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

START_TEST(a_turn_goes_with_all_that_was_made_of_it)
{
	struct fixture fixture;
	begin(&fixture);
	give(&fixture, "c", 11, 1, 0);
	give(&fixture, "d", 12, 3, 2);
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 1}),
			 STORE_OK);
	ck_assert_uint_eq(report.turns, 2);
	ck_assert_uint_eq(report.postings, 2);
	ck_assert_uint_eq(report.facts, 1);
	ck_assert_uint_eq(report.conversations, 1);
	ck_assert_uint_eq(report.receipts, 1);
	ck_assert_uint_eq(report.frozen, 1);
	ck_assert_uint_eq(report.replays, 1);
	ck_assert(!has_fact(&fixture, "Lisbon"));
	ck_assert(has_fact(&fixture, "Bergen"));
	ck_assert(!has_receipt(&fixture, 11));
	ck_assert(has_receipt(&fixture, 12));
	ck_assert(!fixture_view(&fixture, "c").has_frozen);
	ck_assert(fixture_view(&fixture, "d").has_frozen);
	ck_assert(!recalls(&fixture, "Lisbon"));
	ck_assert(recalls(&fixture, "Bergen"));
	ck_assert(!store_has(&fixture, "Lisbon"));
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 1}),
			 STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(facts_may_stay_without_the_words)
{
	struct fixture fixture;
	begin(&fixture);
	const struct deletion deletion = {.kind = DELETION_TURN, .id = 2, .keeps_facts = true};
	ck_assert_int_eq(delete (&fixture, &deletion), STORE_OK);
	ck_assert_uint_eq(report.unquoted, 1);
	ck_assert_uint_eq(report.facts, 0);
	ck_assert(has_fact(&fixture, "Lisbon"));
	ck_assert(!store_has(&fixture, "live in Lisbon"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_fact_that_other_words_support_rests_on_those)
{
	struct fixture fixture;
	begin(&fixture);
	say(&fixture, "c", "As I said, I live in Lisbon", 300); /* the turns 5 and 6 */
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 1}),
			 STORE_OK);
	ck_assert_uint_eq(report.unquoted, 1);
	ck_assert(has_fact(&fixture, "Lisbon"));
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 5}),
			 STORE_OK);
	ck_assert(!has_fact(&fixture, "Lisbon"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_fact_goes_alone_or_with_its_source)
{
	struct fixture fixture;
	begin(&fixture);
	struct deletion deletion = {.kind = DELETION_FACT, .id = 1};
	ck_assert_int_eq(delete (&fixture, &deletion), STORE_OK);
	ck_assert_uint_eq(report.facts, 1);
	ck_assert_uint_eq(report.turns, 0);
	ck_assert(recalls(&fixture, "Lisbon"));
	deletion = (struct deletion){.kind = DELETION_FACT, .id = 2, .with_source = true};
	ck_assert_int_eq(delete (&fixture, &deletion), STORE_OK);
	ck_assert_uint_eq(report.facts, 1);
	ck_assert_uint_eq(report.turns, 2);
	ck_assert(!store_has(&fixture, "Bergen"));
	deletion.id = 77;
	ck_assert_int_eq(delete (&fixture, &deletion), STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

static size_t count_tombstones(struct fixture *fixture)
{
	struct job_input input;
	ck_assert_int_eq(fixture_input(fixture, JOB_FACTS, 7, &input), STORE_OK);
	return input.tombstones.count;
}

START_TEST(a_deleted_value_leaves_a_tombstone_where_it_never_may_come_back)
{
	struct fixture fixture;
	begin(&fixture);
	say(&fixture, "c", "I live in Oslo", 300);
	say(&fixture, "c", "I am here", 400);
	/* Oslo (fact 3) in place of Bergen (fact 2) */
	const struct change changes[] = {
		{.kind = CHANGE_UPDATE,
		 .fact = {.id = 2, .state = FACT_SUPERSEDED, .ended_at = 300, .observed_at = 200},
		 .replaced_by = 1},
		{.kind = CHANGE_ADD, .fact = city("Oslo", 5, 300).fact, .replaced_by = -1},
	};
	ck_assert_int_eq(fixture_learned(&fixture, 5, changes, 2, false), STORE_OK);
	struct deletion deletion = {.kind = DELETION_FACT, .id = 1};
	ck_assert_int_eq(delete (&fixture, &deletion), STORE_OK);
	ck_assert_uint_eq(count_tombstones(&fixture), 0);
	deletion = (struct deletion){.kind = DELETION_FACT, .id = 3, .never_again = true};
	ck_assert_int_eq(delete (&fixture, &deletion), STORE_OK);
	ck_assert_uint_eq(report.facts, 2);
	ck_assert_uint_eq(count_tombstones(&fixture), 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(facts_that_go_with_turns_may_never_come_again)
{
	const struct deletion deletions[] = {
		{.kind = DELETION_TURN, .id = 3, .never_again = true},
		{.kind = DELETION_CONVERSATION, .session = SLICE("b"), .never_again = true},
		{.kind = DELETION_SPAN, .since = 150, .until = 250, .never_again = true},
		{.kind = DELETION_TOPIC, .about = SLICE("Bergen"), .never_again = true},
		{.kind = DELETION_TOPIC,
		 .about = SLICE("Bergen"),
		 .keeps_facts = true,
		 .never_again = true},
	};
	for (size_t i = 0; i < sizeof(deletions) / sizeof(deletions[0]); i++) {
		struct fixture fixture;
		begin(&fixture);
		say(&fixture, "c", "I am here", 300);
		say(&fixture, "c", "I am still here", 400);
		ck_assert_int_eq(delete (&fixture, &deletions[i]), STORE_OK);
		ck_assert_uint_eq(report.turns, 2);
		ck_assert_uint_eq(report.facts, !deletions[i].keeps_facts);
		ck_assert_uint_eq(count_tombstones(&fixture), report.facts);
		fixture_finish(&fixture);
	}
}
END_TEST

START_TEST(a_conversation_goes_with_its_records)
{
	struct fixture fixture;
	begin(&fixture);
	const uint32_t conversation = fixture_view(&fixture, "a").conversation;
	struct deletion deletion = {.kind = DELETION_CONVERSATION, .id = conversation};
	ck_assert_int_eq(delete (&fixture, &deletion), STORE_OK);
	ck_assert_uint_eq(report.turns, 2);
	ck_assert_uint_eq(report.facts, 1);
	ck_assert_uint_eq(fixture_view(&fixture, "a").conversation, 0);
	ck_assert_uint_ne(fixture_view(&fixture, "b").conversation, 0);
	ck_assert_uint_eq(count(&fixture).turns, 2);
	ck_assert_int_eq(delete (&fixture, &deletion), STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_span_of_time_goes)
{
	struct fixture fixture;
	begin(&fixture);
	struct deletion span = {.kind = DELETION_SPAN, .since = 150, .until = 250};
	ck_assert_int_eq(delete (&fixture, &span), STORE_OK);
	ck_assert_uint_eq(report.turns, 2);
	ck_assert(has_fact(&fixture, "Lisbon"));
	ck_assert(!has_fact(&fixture, "Bergen"));
	ck_assert_int_eq(delete (&fixture, &span), STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_fact_goes_only_in_a_version_that_is_asked_for)
{
	struct fixture fixture;
	struct fact_account account;
	uint64_t version = 1;
	begin(&fixture);
	struct deletion lisbon = {.kind = DELETION_FACT,
				  .id = 1,
				  .match = {.is_asked = true, .versions = &version, .count = 1}};
	ck_assert_int_eq(delete (&fixture, &lisbon), STORE_CHANGED);
	ck_assert(has_fact(&fixture, "Lisbon"));
	ck_assert_int_eq(store_read_fact(fixture.store, fixture_key("alex"), lisbon.id, &account,
					 &fixture.arena),
			 STORE_OK);
	version = fact_version(&account.fact);
	ck_assert_int_eq(delete (&fixture, &lisbon), STORE_OK);
	ck_assert(!has_fact(&fixture, "Lisbon"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_topic_goes_as_it_was_shown_or_not_at_all)
{
	struct fixture fixture;
	struct deletion_preview preview;
	begin(&fixture);
	const struct deletion topic = {.kind = DELETION_TOPIC, .about = SLICE("lisbon")};
	ck_assert_int_eq(store_preview_deletion(fixture.store, fixture_key("alex"), &topic, 10,
						&preview, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(preview.fact_count, 1);
	ck_assert_uint_eq(preview.turn_count, 2);
	unit_assert_slice(preview.turns[0].text, "I live in Lisbon");
	ck_assert(has_fact(&fixture, "Lisbon"));
	say(&fixture, "c", "Lisbon is warm", 300);
	ck_assert_int_eq(delete_with(&fixture, &topic, preview.token), STORE_CHANGED);
	ck_assert(has_fact(&fixture, "Lisbon"));
	ck_assert_int_eq(store_preview_deletion(fixture.store, fixture_key("alex"), &topic, 1,
						&preview, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(preview.turn_count, 1);
	ck_assert_uint_eq(preview.report.turns, 4);
	ck_assert_int_eq(delete_with(&fixture, &topic, preview.token), STORE_OK);
	ck_assert_uint_eq(report.turns, 4);
	ck_assert(!store_has(&fixture, "Lisbon"));
	ck_assert_int_eq(store_preview_deletion(fixture.store, fixture_key("alex"), &topic, 1,
						&preview, &fixture.arena),
			 STORE_NOT_FOUND);
	ck_assert_int_eq(store_preview_deletion(fixture.store, fixture_key("ben"), &topic, 1,
						&preview, &fixture.arena),
			 STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(both_words_and_name_have_to_be_said)
{
	struct fixture fixture;
	begin(&fixture);
	say(&fixture, "c", "Maria moved to Lisbon", 300);
	const struct deletion topic = {
		.kind = DELETION_TOPIC, .about = SLICE("Lisbon"), .entity = SLICE("Maria")};
	ck_assert_int_eq(delete (&fixture, &topic), STORE_OK);
	ck_assert_uint_eq(report.turns, 2);
	ck_assert_uint_eq(report.facts, 0);
	ck_assert(store_has(&fixture, "live in Lisbon"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_said_during_the_search_goes_too)
{
	struct fixture fixture;
	struct fixture_wait waits[2] = {{0}};
	begin(&fixture);
	struct append append = fixture_exchange("Oh Lisbon", "yes", 300);
	const struct deletion topic = {.kind = DELETION_TOPIC, .about = SLICE("Lisbon")};
	append.session = SLICE("c");
	(void)store_append(fixture.store, &append,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[0]});
	(void)store_delete(fixture.store, fixture_key("alex"), &topic, 0, 1000, &report,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[1]});
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[0]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[1]), STORE_OK);
	ck_assert_uint_eq(report.turns, 4);
	ck_assert(!recalls(&fixture, "Lisbon"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_that_covers_it_goes_and_is_made_again_of_the_rest)
{
	struct fixture fixture;
	struct job_input input;
	begin(&fixture);
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_int_eq(fixture_summarized(&fixture, "lives in Lisbon", 4, 0), STORE_OK);
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 1}),
			 STORE_OK);
	ck_assert_uint_eq(report.summaries, 1);
	ck_assert(!fixture_view(&fixture, "").has_summary);
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_uint_eq(input.uncovered_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_exchange_under_way_keeps_nothing_of_what_it_was_given)
{
	struct fixture fixture;
	struct job_input input;
	begin(&fixture);
	say(&fixture, "c", "It rains in Bergen", 300); /* its job waits */
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 5, &input), STORE_OK);
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 1}),
			 STORE_OK);
	struct change change = city("Lisbon", 5, 300);
	ck_assert_int_eq(fixture_learned(&fixture, 5, &change, 1, false), STORE_CHANGED);
	ck_assert(!has_fact(&fixture, "Lisbon"));
	/* and the job of a deleted turn is gone */
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 5}),
			 STORE_OK);
	ck_assert_uint_eq(report.jobs, 1);
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 5, &input), STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_turn_under_way_loses_its_words)
{
	struct fixture fixture;
	const struct chain_link link = {
		.at = 250, .is_pending = true, .user_text = SLICE("And Lisbon?")};
	struct append append = fixture_exchange("hm", "hm", 250);
	begin(&fixture);
	append.session = SLICE("tools");
	append.link = &link;
	append.link_ids[0] = SLICE("resp_1");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 1}),
			 STORE_OK);
	const struct load load = {
		.user = fixture_key("alex"), .previous = SLICE("resp_1"), .now = 1000};
	const struct memory_view view = fixture_load(&fixture, &load);
	ck_assert(view.has_link && !view.link.is_pending);
	ck_assert_uint_eq(view.link.user_text.size, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(vectors_go_and_are_counted)
{
	struct fixture fixture;
	struct fixture_wait wait = {0};
	static const int8_t values[4] = {1, 2, 3, 4};
	begin(&fixture);
	const struct embedded_turn turns[] = {{.turn = 1, .vector = values},
					      {.turn = 3, .vector = values}};
	(void)store_embedded(fixture.store, fixture_key("alex"), SLICE("model"), 4, turns, 2,
			     (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 1}),
			 STORE_OK);
	ck_assert_uint_eq(report.vectors, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_long_conversation_goes_in_slices)
{
	struct fixture fixture;
	begin(&fixture);
	talk_import(&fixture, TALK_IMPORT);
	const uint32_t conversation = fixture_view(&fixture, "of old").conversation;
	const struct deletion deletion = {.kind = DELETION_CONVERSATION, .id = conversation};
	ck_assert_int_eq(delete (&fixture, &deletion), STORE_OK);
	ck_assert_uint_eq(report.turns, TALK_IMPORT);
	ck_assert_uint_eq(report.conversations, 1);
	ck_assert_uint_eq(report.jobs, TALK_IMPORT / 2);
	ck_assert_uint_eq(count(&fixture).turns, 4);
	ck_assert(recalls(&fixture, "Lisbon"));
	fixture_finish(&fixture);
}
END_TEST

/* The mark's record, as delete.c writes it. */
static void mark_fields(struct record *record, void *noun)
{
	const uint64_t *conversation = noun;
	(void)record_time(record, 1000);
	(void)record_number(record, *conversation, UINT32_MAX);
	(void)record_number(record, 2, UINT64_MAX);
	(void)record_number(record, 1, UINT64_MAX);
	(void)record_number(record, 1, UINT64_MAX);
}

START_TEST(the_next_start_finishes_what_a_crash_left)
{
	struct fixture fixture;
	begin(&fixture);
	uint64_t conversation = fixture_view(&fixture, "a").conversation;
	struct buffer value;
	buffer_init(&value, 100);
	ck_assert(record_write(&value, mark_fields, &conversation));
	fixture_put(&fixture, TABLE_META, key_user(key_of_name("deleting"), fixture_key("alex")),
		    buffer_slice(&value));
	fixture_reopen(&fixture);
	/* a write of the same user waits for it */
	say(&fixture, "c", "hello", 300);
	ck_assert_uint_eq(fixture_view(&fixture, "a").conversation, 0);
	ck_assert(!recalls(&fixture, "Lisbon"));
	ck_assert(recalls(&fixture, "Bergen"));
	fixture_reopen(&fixture);
	ck_assert(recalls(&fixture, "Bergen"));
	buffer_finish(&value);
	fixture_finish(&fixture);
}
END_TEST

/* Whether the text stands anywhere in the store's file. */
static bool file_has(const struct fixture *fixture, const char *text)
{
	char name[96];
	static char bytes[MAP];
	(void)snprintf(name, sizeof(name), "%s/data.mdb", fixture->path);
	FILE *file = fopen(name, "rb");
	ck_assert_ptr_nonnull(file);
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	return memmem(bytes, size, text, strlen(text)) != NULL;
}

static void reopen_scrubbed(struct fixture *fixture)
{
	char error[512] = "";
	const struct store_options options = {.path = fixture->path,
					      .map_size = fixture->map_size,
					      .receipts = fixture->receipts,
					      .scrubs = true,
					      .master = fixture_master()};
	store_close(fixture->store);
	fixture->store = store_open(&options, error, sizeof(error));
	ck_assert_msg(fixture->store != NULL, "%s", error);
}

START_TEST(a_scrub_leaves_nothing_of_it_in_the_file_and_all_else_in_place)
{
	struct fixture fixture;
	begin(&fixture);
	talk_import(&fixture, 200);
	ck_assert_int_eq(delete (&fixture, &(struct deletion){.kind = DELETION_TURN, .id = 1}),
			 STORE_OK);
	const uint64_t turns = count(&fixture).turns;
	ck_assert(file_has(&fixture, "Lisbon")); /* or the test shows nothing */
	reopen_scrubbed(&fixture);
	ck_assert(!file_has(&fixture, "Lisbon"));
	ck_assert(file_has(&fixture, "Bergen"));
	ck_assert(recalls(&fixture, "Bergen"));
	ck_assert(has_fact(&fixture, "Bergen"));
	ck_assert_uint_eq(count(&fixture).turns, turns);
	say(&fixture, "c", "Oslo is cold", 300);
	reopen_scrubbed(&fixture);
	ck_assert(recalls(&fixture, "Oslo"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_new_store_needs_no_scrub_and_one_that_fails_changes_nothing)
{
	struct fixture fixture;
	char error[512] = "";
	char name[96];
	struct store_options options = {
		.map_size = MAP, .receipts = 10, .scrubs = true, .master = fixture_master()};
	begin(&fixture);
	store_close(fixture.store);
	/* a file where the new one's folder would be */
	(void)snprintf(name, sizeof(name), "%s/scrub", fixture.path);
	fixture_put_file(&fixture, "scrub");
	options.path = fixture.path;
	ck_assert_ptr_null(store_open(&options, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "scrub"));
	ck_assert_int_eq(unlink(name), 0);
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_ptr_nonnull(fixture.store);
	ck_assert(recalls(&fixture, "Lisbon"));
	store_close(fixture.store);
	(void)snprintf(name, sizeof(name), "%s/data.mdb", fixture.path);
	ck_assert_int_eq(unlink(name), 0);
	fixture.store = store_open(&options, error, sizeof(error));
	ck_assert_ptr_nonnull(fixture.store);
	ck_assert_uint_eq(count(&fixture).turns, 0);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_delete", a_scrub_leaves_nothing_of_it_in_the_file_and_all_else_in_place,
	  a_new_store_needs_no_scrub_and_one_that_fails_changes_nothing,
	  a_turn_goes_with_all_that_was_made_of_it, facts_may_stay_without_the_words,
	  a_fact_that_other_words_support_rests_on_those, a_fact_goes_alone_or_with_its_source,
	  a_deleted_value_leaves_a_tombstone_where_it_never_may_come_back,
	  facts_that_go_with_turns_may_never_come_again, a_conversation_goes_with_its_records,
	  a_span_of_time_goes, a_fact_goes_only_in_a_version_that_is_asked_for,
	  a_topic_goes_as_it_was_shown_or_not_at_all, both_words_and_name_have_to_be_said,
	  what_is_said_during_the_search_goes_too,
	  a_summary_that_covers_it_goes_and_is_made_again_of_the_rest,
	  an_exchange_under_way_keeps_nothing_of_what_it_was_given,
	  a_turn_under_way_loses_its_words, vectors_go_and_are_counted,
	  a_long_conversation_goes_in_slices, the_next_start_finishes_what_a_crash_left)
