#include "storage/index/index.h"
#include "tests/unit/store_talk.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { MAP = 256 * 1024 * 1024 };

/* ---- the index is in step ---- */

static void do_something(struct oracle *oracle, int64_t now)
{
	switch (talk_chance(8)) {
	case 0:
		talk_hide(oracle);
		return;
	case 1:
	case 2:
		talk_ask_again(oracle, now);
		return;
	case 3:
		talk_import(oracle->fixture, talk_chance(40));
		break;
	default:
		talk_append(oracle->fixture, now);
	}
	oracle_look(oracle, TURN_SUPERSEDED);
}

START_TEST(whatever_happens_to_turns_recall_finds_what_a_search_of_all_would)
{
	struct fixture fixture;
	struct oracle oracle;
	size_t found = 0;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	talk_append(&fixture, 1);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (int64_t i = 0; i < 250; i++) {
		do_something(&oracle, i);
		found += talk_recall(&oracle);
		if (i % 100 == 99)
			fixture_reopen(&fixture);
	}
	ck_assert_uint_gt(found, 1000);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_memory_of_several_spans_is_ranked_as_a_whole)
{
	struct fixture fixture;
	struct oracle oracle;
	size_t found = 0;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	for (int i = 0; i < 5; i++)
		talk_import(&fixture, 999);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (int i = 0; i < 20; i++) {
		talk_hide(&oracle);
		talk_ask_again(&oracle, i);
		found += talk_recall(&oracle);
	}
	ck_assert_uint_gt(found, 1000);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_user_who_comes_back_is_indexed_from_the_first_new_turn)
{
	struct fixture fixture;
	struct oracle oracle;
	fixture_init(&fixture, MAP);
	talk_import(&fixture, 101);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	oracle_init(&oracle, &fixture);
	ck_assert_uint_eq(oracle_ask(&oracle, "wordaa wordab"), 0);
	talk_import(&fixture, 90);
	oracle_look(&oracle, TURN_SUPERSEDED);
	ck_assert_uint_gt(oracle_ask(&oracle, "wordaa wordab"), 0);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

/* How many records a table has. */
static uint64_t count_records(struct fixture *fixture, enum table table)
{
	struct transaction transaction;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	uint64_t count = table_count(&transaction, table);
	transaction_abort(&transaction);
	return count;
}

START_TEST(forgetting_a_user_leaves_nothing_in_the_index)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	talk_import(&fixture, 300);
	ck_assert_uint_gt(count_records(&fixture, TABLE_POSTINGS), 0);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_uint_eq(count_records(&fixture, TABLE_DOCUMENTS), 0);
	ck_assert_uint_eq(count_records(&fixture, TABLE_TERMS), 0);
	ck_assert_uint_eq(count_records(&fixture, TABLE_POSTINGS), 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_hidden_turn_leaves_no_term_behind)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	/* Once while its terms wait, once when they are in postings. */
	for (size_t more = 0; more < 200; more += 150) {
		struct append append = fixture_exchange("xylophone zeppelin", "quagmire", 5);
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		struct job_list jobs;
		ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
		uint64_t exchange = jobs.jobs[jobs.count - 2].exchange;
		talk_import(&fixture, more);
		uint64_t records = count_records(&fixture, TABLE_POSTINGS) +
				   count_records(&fixture, TABLE_TERMS);
		ck_assert_int_eq(fixture_learned(&fixture, exchange, NULL, 0, true), STORE_OK);
		/* Two turns that wait, or one list for each of the three words and their stems. */
		uint64_t left = count_records(&fixture, TABLE_POSTINGS) +
				count_records(&fixture, TABLE_TERMS);
		ck_assert_uint_ge(records - left, more == 0 ? 2 : 3);
	}
	fixture_finish(&fixture);
}
END_TEST

START_TEST(no_user_is_given_what_another_said)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	talk_import(&fixture, 200);
	struct append append = fixture_exchange("wordaa of ben", "wordab for ben", 7);
	append.user = SLICE("ben");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	struct recall_question question = fixture_question(&fixture, "wordaa wordab wordac");
	struct recall recall = {.user = fixture_key("ben"),
				.question = &question,
				.carried_from = UINT32_MAX,
				.text_limit = SIZE_MAX};
	struct recall_result result = fixture_recall(&fixture, &recall);
	ck_assert_uint_eq(result.ranked, 2);
	ck_assert_uint_eq(result.count, 2);
	unit_assert_slice(slice_part(result.turns[0].text, 7, result.turns[0].text.size),
			  result.turns[0].role == ROLE_USER ? "of ben" : "for ben");
	recall.user = fixture_key("nobody");
	ck_assert_uint_eq(fixture_recall(&fixture, &recall).ranked, 0);
	fixture_finish(&fixture);
}
END_TEST

/* They rank before the only other one, and would fill what room there is. */
START_TEST(what_the_request_says_itself_leaves_the_room_to_others)
{
	enum { SAID = 300 };
	struct fixture fixture;
	uint64_t hashes[2 * SAID];
	fixture_init(&fixture, MAP);
	struct append other = fixture_exchange("kayak", "nothing", 1);
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	for (uint64_t i = 0; i < SAID; i++) {
		char text[64];
		(void)snprintf(text, sizeof(text), "kayak paddle number %u", (unsigned)i);
		struct append append = fixture_exchange(text, "That one was counted.", 2);
		append.user_hash = hashes[2 * i] = 2 * i + 1;
		append.answer_hash = hashes[2 * i + 1] = 2 * i + 2;
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	struct recall_question question = fixture_question(&fixture, "kayak paddle");
	struct recall recall = {.user = fixture_key("alex"),
				.question = &question,
				.carried_from = UINT32_MAX,
				.carried = {hashes, 2 * SAID},
				.text_limit = 4096};
	struct recall_result result = fixture_recall(&fixture, &recall);
	ck_assert_uint_gt(result.count, 0);
	unit_assert_slice(result.turns[0].text, "kayak");
	for (size_t i = 0; i < result.count; i++)
		ck_assert(!slice_starts_with(result.turns[i].text, SLICE("kayak paddle")));
	recall.carried.count = 0;
	result = fixture_recall(&fixture, &recall);
	ck_assert(slice_starts_with(result.turns[0].text, SLICE("kayak paddle")));
	fixture_finish(&fixture);
}
END_TEST

static void say(struct fixture *fixture, const char *question, const char *answer, int64_t now)
{
	struct append append = fixture_exchange(question, answer, now);
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

START_TEST(of_turns_that_say_the_same_only_the_newest_is_given)
{
	enum { TIMES = 20 };
	struct fixture fixture;
	size_t same = 0;
	fixture_init(&fixture, MAP);
	for (int64_t i = 0; i < TIMES; i++)
		say(&fixture, "the kayak lies in the garage", "ok", i);
	say(&fixture, "the kayak is in the shed", "ok", TIMES);
	struct recall_question question = fixture_question(&fixture, "kayak");
	struct recall recall = {.user = fixture_key("alex"),
				.question = &question,
				.carried_from = UINT32_MAX,
				.text_limit = SIZE_MAX};
	struct recall_result result = fixture_recall(&fixture, &recall);
	for (size_t i = 0; i < result.count; i++) {
		bool is_one = slice_starts_with(result.turns[i].text, SLICE("the kayak lies"));
		same += is_one;
		ck_assert(!is_one || result.turns[i].id == 2 * TIMES - 1);
	}
	ck_assert_uint_eq(same, 1);
	/* Short answers mean what was said before them, and all stay. */
	ck_assert_uint_eq(result.count, 2 + TIMES + 1);
	/* None of them when an earlier request was given one. */
	const uint64_t given[] = {3};
	recall.given = given;
	recall.given_count = 1;
	result = fixture_recall(&fixture, &recall);
	ck_assert_uint_eq(result.count, 1 + TIMES + 1);
	for (size_t i = 0; i < result.count; i++)
		ck_assert(!slice_starts_with(result.turns[i].text, SLICE("the kayak lies")));
	recall.given_count = 0;
	/* Skipped turns were read as well. */
	recall.text_limit = 5 * strlen("the kayak lies in the garage");
	ck_assert_uint_lt(fixture_recall(&fixture, &recall).count, 5);
	fixture_finish(&fixture);
}
END_TEST

/* ---- beside the writer ---- */

struct reader {
	pthread_t thread;
	struct fixture *fixture;
	atomic_bool *stop;
	size_t recalled;
	bool failed;
};

static void *read_on(void *cookie)
{
	struct reader *reader = cookie;
	/* A busy machine may let it begin when all is written. */
	while (!reader->failed && (!atomic_load(reader->stop) || reader->recalled == 0)) {
		struct arena arena = {0};
		struct recall_question question;
		recall_read_question(SLICE("wordaa wordbc wordca"), 0, &question, &arena);
		struct recall recall = {.user = fixture_key("alex"),
					.question = &question,
					.carried_from = UINT32_MAX,
					.text_limit = 4096};
		struct recall_result recalled;
		enum store_result result =
			store_recall(reader->fixture->store, &recall, &recalled, &arena);
		/* Both turns of an exchange, or neither. */
		if (result == STORE_OK && recalled.ranked % 2 == 0)
			reader->recalled += recalled.count;
		else
			reader->failed = true;
		arena_finish(&arena);
	}
	return NULL;
}

START_TEST(readers_beside_the_writer_see_whole_exchanges)
{
	struct fixture fixture;
	atomic_bool stop = false;
	struct reader readers[3];
	fixture_init(&fixture, MAP);
	for (size_t i = 0; i < 3; i++) {
		readers[i] = (struct reader){.fixture = &fixture, .stop = &stop};
		ck_assert_int_eq(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
	}
	for (int i = 0; i < 300; i++) {
		struct append append = fixture_exchange("wordaa wordbc", "wordca", i);
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_join(readers[i].thread, NULL), 0);
		ck_assert(!readers[i].failed);
	}
	fixture_finish(&fixture);
}
END_TEST

/* ---- what holds no longer ---- */

static void learn(struct fixture *fixture, uint64_t exchange, const char *value, uint64_t ends)
{
	const struct change changes[] = {
		{.kind = CHANGE_ADD,
		 .fact = {.entity = SLICE("user"),
			  .kind = SLICE("user"),
			  .key = SLICE("city"),
			  .value = slice_of(value),
			  .quote = slice_of(value),
			  .confidence = 0.9,
			  .exchange = exchange,
			  .observed_at = 5},
		 .replaced_by = -1},
		{.kind = CHANGE_UPDATE,
		 .fact = {.id = ends, .state = FACT_SUPERSEDED, .ended_at = 200, .observed_at = 5},
		 .replaced_by = 0},
	};
	ck_assert_int_eq(fixture_learned(fixture, exchange, changes, ends > 0 ? 2 : 1, false),
			 STORE_OK);
}

static void say_in(struct fixture *fixture, const char *session, const char *text, int64_t now)
{
	struct append append = fixture_exchange(text, "Noted", now);
	append.session = slice_of(session);
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static bool has_turn(const struct recall_result *result, uint64_t id)
{
	for (size_t i = 0; i < result->count; i++) {
		if (result->turns[i].id == id)
			return true;
	}
	return false;
}

START_TEST(who_finds_what_held_once_finds_what_holds_now)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say_in(&fixture, "a", "My flat in Bonn has a balcony", 100);
	say_in(&fixture, "b", "Rome is lovely, the boxes are unpacked", 200);
	struct recall_question question = fixture_question(&fixture, "flat with a balcony");
	const struct recall_hint hints[] = {{99, 0.5f}, {1, 0.1f}};
	const struct recall recall = {.user = fixture_key("alex"),
				      .question = &question,
				      .carried_from = UINT32_MAX,
				      .hints = hints,
				      .hint_count = 2,
				      .text_limit = 10000};
	struct recall_result result = fixture_recall(&fixture, &recall);
	ck_assert(has_turn(&result, 1) && !has_turn(&result, 3));
	ck_assert_uint_eq(fixture_view(&fixture, "a").outdated_count, 0);
	learn(&fixture, 1, "Bonn", 0);
	learn(&fixture, 3, "Rome", 1);
	result = fixture_recall(&fixture, &recall);
	ck_assert(has_turn(&result, 1) && has_turn(&result, 3));
	const struct memory_view view = fixture_view(&fixture, "a");
	ck_assert_uint_eq(view.outdated_count, 1);
	ck_assert_uint_eq(view.outdated[0].exchange, 1);
	ck_assert_int_eq(view.outdated[0].ended_at, 200);
	unit_assert_slice(view.outdated[0].quote, "Bonn");
	question = fixture_question(&fixture, "Rome and its boxes");
	result = fixture_recall(&fixture, &recall);
	ck_assert(has_turn(&result, 3));
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_recall", whatever_happens_to_turns_recall_finds_what_a_search_of_all_would,
	  a_memory_of_several_spans_is_ranked_as_a_whole,
	  a_user_who_comes_back_is_indexed_from_the_first_new_turn,
	  forgetting_a_user_leaves_nothing_in_the_index, a_hidden_turn_leaves_no_term_behind,
	  no_user_is_given_what_another_said,
	  what_the_request_says_itself_leaves_the_room_to_others,
	  of_turns_that_say_the_same_only_the_newest_is_given,
	  readers_beside_the_writer_see_whole_exchanges,
	  who_finds_what_held_once_finds_what_holds_now)
