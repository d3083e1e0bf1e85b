#include "storage/key.h"
#include "storage/lmdb_engine.h"
#include "storage/lmdb_table.h"
#include "tests/unit/random.h"
#include "tests/unit/store_oracle.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAP = 256 * 1024 * 1024 };

/* ---- what is said ---- */

static struct random chance = {2026};

/* Words of which some are frequent and most are rare. */
static void say(char *out, size_t size)
{
	size_t words = random_below(&chance, 14);
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < words && used + 16 < size; i++) {
		size_t most = 1 + random_below(&chance, 400);
		size_t word = random_below(&chance, most);
		used += (size_t)snprintf(out + used, size - used, "word%c%c ",
					 'a' + (char)(word / 20), 'a' + (char)(word % 20));
	}
}

static uint64_t append_something(struct fixture *fixture, int64_t now)
{
	char texts[2][512];
	char session[16];
	say(texts[0], sizeof(texts[0]));
	say(texts[1], sizeof(texts[1]));
	(void)snprintf(session, sizeof(session), "chat %u", (unsigned)random_below(&chance, 5));
	struct append append = fixture_exchange(texts[0], texts[1], now);
	append.session = slice_of(session);
	append.ordinal = (uint32_t)fixture_view(fixture, session).next_ordinal;
	append.complete = random_below(&chance, 8) != 0;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	return fixture_view(fixture, session).turns[0].id;
}

static void import_many(struct fixture *fixture, size_t count)
{
	enum { MOST = 1000 };
	static char texts[MOST][512];
	struct imported_turn turns[MOST];
	for (size_t i = 0; i < count; i++) {
		say(texts[i], sizeof(texts[i]));
		turns[i] =
			(struct imported_turn){.role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
					       .text = slice_of(texts[i]),
					       .hash = fixture_hash(texts[i]),
					       .created_at = (int64_t)random_below(&chance, 9000),
					       .session = SLICE("of old")};
	}
	ck_assert_int_eq(fixture_import(fixture, turns, count, true), STORE_OK);
}

/* One of the current user turns. */
static struct turn pick(struct oracle *oracle)
{
	for (;;) {
		struct turn *turn = &oracle->turns[random_below(&chance, oracle->count)];
		if (turn->state == TURN_CURRENT && turn->role == ROLE_USER)
			return *turn;
	}
}

static void ask_again(struct oracle *oracle, int64_t now)
{
	char answer[512];
	struct turn turn = pick(oracle);
	say(answer, sizeof(answer));
	struct append append = fixture_exchange("", answer, now);
	append.user_text = turn.text;
	append.user_hash = turn.hash;
	append.same_exchange = turn.id;
	append.conversation = turn.conversation;
	append.ordinal = turn.ordinal;
	ck_assert_int_eq(fixture_append(oracle->fixture, &append), STORE_OK);
	oracle_look(oracle, TURN_SUPERSEDED);
}

static void hide(struct oracle *oracle)
{
	(void)fixture_learned(oracle->fixture, pick(oracle).id, NULL, 0, true);
	oracle_look(oracle, TURN_HIDDEN);
}

static void do_something(struct oracle *oracle, int64_t now)
{
	switch (random_below(&chance, 8)) {
	case 0:
		hide(oracle);
		return;
	case 1:
	case 2:
		ask_again(oracle, now);
		return;
	case 3:
		import_many(oracle->fixture, random_below(&chance, 40));
		break;
	default:
		(void)append_something(oracle->fixture, now);
	}
	oracle_look(oracle, TURN_SUPERSEDED);
}

static size_t ask_something(struct oracle *oracle)
{
	char text[512];
	uint64_t given[20];
	say(text, sizeof(text));
	struct recall_question question = fixture_question(oracle->fixture, text);
	struct recall recall = {.user = fixture_key("alex"),
				.question = &question,
				.conversation = (uint32_t)random_below(&chance, 4),
				.carried_from = (uint32_t)random_below(&chance, 30),
				.given = given,
				.text_limit = random_below(&chance, 3) == 0
						      ? SIZE_MAX
						      : random_below(&chance, 5000)};
	if (random_below(&chance, 4) == 0)
		recall.carried_from = UINT32_MAX;
	for (uint64_t turn = 0; recall.given_count < 20;)
		given[recall.given_count++] = turn += 1 + random_below(&chance, 100);
	return oracle_check(oracle, &recall);
}

/* ---- the index is in step ---- */

START_TEST(whatever_happens_to_turns_recall_finds_what_a_search_of_all_would)
{
	struct fixture fixture;
	struct oracle oracle;
	size_t found = 0;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	(void)append_something(&fixture, 1);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (int64_t i = 0; i < 250; i++) {
		do_something(&oracle, i);
		found += ask_something(&oracle);
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
		import_many(&fixture, 999);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (int i = 0; i < 20; i++) {
		hide(&oracle);
		ask_again(&oracle, i);
		found += ask_something(&oracle);
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
	import_many(&fixture, 101);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	oracle_init(&oracle, &fixture);
	ck_assert_uint_eq(oracle_ask(&oracle, "wordaa wordab"), 0);
	import_many(&fixture, 90);
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
	import_many(&fixture, 300);
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
		import_many(&fixture, more);
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
	import_many(&fixture, 200);
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

/* ---- built anew ---- */

/* What a store has that was written with other terms. */
static void make_outdated(struct fixture *fixture)
{
	struct transaction transaction;
	uint64_t version = 1;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	table_clear(&transaction, TABLE_POSTINGS);
	table_put(&transaction, TABLE_TERMS, key_u64(key_of_user(fixture_key("alex")), 3),
		  SLICE("of no use"));
	table_write(&transaction, TABLE_META, key_of_name("index_version"), stored_number_fields,
		    &version);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

/* A store of the format before, which had no index. */
static void make_old(struct fixture *fixture)
{
	struct transaction transaction;
	uint64_t format = 1;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	table_clear(&transaction, TABLE_POSTINGS);
	table_clear(&transaction, TABLE_DOCUMENTS);
	table_clear(&transaction, TABLE_TERMS);
	(void)table_delete(&transaction, TABLE_META, key_of_name("index_version"));
	table_write(&transaction, TABLE_META, key_of_name("format"), stored_number_fields, &format);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

START_TEST(an_index_of_other_terms_or_none_is_built_anew_when_the_store_is_opened)
{
	struct fixture fixture;
	struct oracle oracle;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	for (int i = 0; i < 5; i++)
		import_many(&fixture, 900);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (int i = 0; i < 10; i++) {
		ask_again(&oracle, i);
		hide(&oracle);
	}
	make_outdated(&fixture);
	fixture_reopen(&fixture);
	ck_assert_uint_gt(ask_something(&oracle) + oracle_ask(&oracle, "wordaa"), 0);
	make_old(&fixture);
	fixture_reopen(&fixture);
	ck_assert_uint_gt(ask_something(&oracle) + oracle_ask(&oracle, "wordaa"), 0);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

static void kill_while_opening(struct fixture *fixture, useconds_t after)
{
	pid_t child = fork();
	if (child == 0) {
		char error[256];
		struct store_options options = {fixture->path, MAP, 10};
		(void)store_open(&options, error, sizeof(error));
		pause();
	}
	usleep(after);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(a_kill_while_the_index_is_built_anew_leaves_no_half_of_it)
{
	struct fixture fixture;
	struct oracle oracle;
	char error[256];
	struct store_options options = {fixture.path, MAP, 10};
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	for (int i = 0; i < 7; i++)
		import_many(&fixture, 1000);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (useconds_t after = 1000; after < 200000; after *= 2) {
		make_outdated(&fixture);
		store_close(fixture.store);
		kill_while_opening(&fixture, after);
		fixture.store = store_open(&options, error, sizeof(error));
		ck_assert_msg(fixture.store != NULL, "%s", error);
		ck_assert_uint_gt(oracle_ask(&oracle, "wordaa wordbb"), 0);
	}
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

/* ---- beside the writer ---- */

struct reader {
	pthread_t thread;
	struct fixture *fixture;
	atomic_bool *stop;
	size_t recalled;
};

static void count_recalled(void *cookie, enum store_result result, struct recall_result *recalled)
{
	struct reader *reader = cookie;
	/* Both turns of an exchange, or neither. */
	if (result == STORE_OK && recalled->ranked % 2 == 0)
		reader->recalled += recalled->count;
	else
		atomic_store(reader->stop, true);
}

static void *read_on(void *cookie)
{
	struct reader *reader = cookie;
	while (!atomic_load(reader->stop)) {
		struct arena arena = {0};
		struct recall_question question;
		recall_read_question(SLICE("wordaa wordbc wordca"), 0, &question, &arena);
		struct recall recall = {.user = fixture_key("alex"),
					.question = &question,
					.carried_from = UINT32_MAX,
					.text_limit = 4096};
		(void)store_recall(reader->fixture->store, &recall, &arena, count_recalled, reader);
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
	ck_assert(!atomic_exchange(&stop, true));
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_join(readers[i].thread, NULL), 0);
		ck_assert_uint_gt(readers[i].recalled, 0);
	}
	fixture_finish(&fixture);
}
END_TEST

/* ---- what it costs ---- */

static uint64_t bytes_of_index(struct fixture *fixture)
{
	struct transaction transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	uint64_t bytes = 0;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	for (int table = TABLE_DOCUMENTS; table <= TABLE_POSTINGS; table++) {
		scan_begin(&scan, &transaction, (enum table)table, key_empty(), FORWARD);
		while (scan_next(&scan, &key, &value))
			bytes += key.size + value.size;
		scan_end(&scan);
	}
	transaction_abort(&transaction);
	return bytes;
}

START_TEST(the_index_grows_linearly)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < 5; i++)
		import_many(&fixture, 1000);
	uint64_t half = bytes_of_index(&fixture);
	for (int i = 0; i < 5; i++)
		import_many(&fixture, 1000);
	uint64_t whole = bytes_of_index(&fixture);
	ck_assert_uint_lt(whole, 2 * half + half / 10);
	ck_assert_uint_lt(whole / 10000, 200);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_recall", whatever_happens_to_turns_recall_finds_what_a_search_of_all_would,
	  a_memory_of_several_spans_is_ranked_as_a_whole,
	  a_user_who_comes_back_is_indexed_from_the_first_new_turn,
	  forgetting_a_user_leaves_nothing_in_the_index, a_hidden_turn_leaves_no_term_behind,
	  no_user_is_given_what_another_said,
	  an_index_of_other_terms_or_none_is_built_anew_when_the_store_is_opened,
	  a_kill_while_the_index_is_built_anew_leaves_no_half_of_it,
	  readers_beside_the_writer_see_whole_exchanges, the_index_grows_linearly)
