/* Records that cannot be read, in each table: a chat goes on without them, and a user who is
 * forgotten is gone all the same. */
#include "core/text/text.h"
#include "storage/index/index.h"
#include "storage/user/memory.h"
#include "tests/unit/branch_fixture.h"
#include "tests/unit/store_picture.h"

#include <lmdb.h>

static void begin(struct transaction *transaction, struct fixture *fixture)
{
	ck_assert(transaction_begin_write(transaction, fixture->store));
}

/* All records of a table become what a later version may write. Gives how many they are. */
static size_t damage(struct fixture *fixture, enum table table)
{
	return fixture_spoil(fixture, table, SLICE("\7not ours"));
}

static size_t count_records(struct fixture *fixture, enum table table)
{
	struct transaction transaction;
	begin(&transaction, fixture);
	size_t count = (size_t)table_count(&transaction, table);
	transaction_abort(&transaction);
	return count;
}

static enum store_result keep_receipt(struct fixture *fixture, uint64_t forget_epoch, uint64_t id)
{
	struct fixture_wait wait = {0};
	(void)store_keep_receipt(fixture->store, fixture_key("alex"), forget_epoch,
				 &(struct receipt){.id = id, .text = SLICE("{}")},
				 (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

/* Something in every table that is a user's. */
static void fill(struct fixture *fixture)
{
	static const int8_t vector[] = {127, 9};
	static const struct frozen frozen = {
		.mode = MODE_HYBRID, .block = {"block", 5}, .receipt_items = {"[]", 2}};
	static const struct replay replay = {
		.ordinal = 3, .text = {"recalled", 8}, .receipt_items = {"[]", 2}};
	static const struct chain_link link = {.at = 400, .block_is_kept = true};
	const struct embedded_turn turn = {1, vector};
	chat_three(fixture);
	learn_cities(fixture);
	ck_assert_int_eq(fixture_summarized(fixture, "Cities.", 2, 0), STORE_OK);
	struct fixture_wait wait = {0};
	(void)store_embedded(fixture->store, fixture_key("alex"), SLICE("embedder"), 2, &turn, 1,
			     (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
	struct job job = {.kind = JOB_FACTS, .exchange = 5, .parked = true};
	wait = (struct fixture_wait){0};
	(void)store_postpone(fixture->store, fixture_key("alex"), &job,
			     (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
	struct append append = fixture_exchange("and coffee", "a4", 400);
	append.session = SLICE("chat");
	append.ordinal = 3;
	append.frozen = &frozen;
	append.replay = &replay;
	append.receipt.id = 70;
	append.receipt.text = SLICE("{}");
	append.link = &link;
	append.link_ids[0] = SLICE("resp_1");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	struct transaction transaction;
	begin(&transaction, fixture);
	const struct memory memory = {&transaction, fixture_key("alex"), &fixture->arena};
	struct user_settings settings = settings_default();
	settings.note = SLICE("note");
	memory_put_settings(&memory, &settings);
	memory_bury(&memory,
		    &(struct fact){
			    .entity = SLICE("user"), .key = SLICE("city"), .value = SLICE("Rome")},
		    1);
	uint64_t declined_at = 1;
	table_write(&transaction, TABLE_DECLINED, key_u32(key_of_user(memory.user), 99),
		    stored_number_fields, &declined_at);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

/* Without the record of the user there is no memory of him; without any other there is. Nobody
 * whose settings are unreadable is written of. */
static void go_on_without(enum table table)
{
	enum store_result expected = table == TABLE_USERS ? STORE_FAILED : STORE_OK;
	enum store_result appended = table == TABLE_SETTINGS ? STORE_STALE : expected;
	struct fixture fixture;
	struct buffer picture;
	fill(&fixture);
	size_t damaged = damage(&fixture, table);
	ck_assert_msg(damaged > 0 || table == TABLE_POSTINGS, "table %d", (int)table);
	buffer_init(&picture, SIZE_MAX);
	ck_assert_msg(store_picture(fixture.store, &picture) == expected, "table %d", (int)table);
	buffer_finish(&picture);
	struct append append = fixture_exchange("one more", "a5", 500);
	append.session = SLICE("chat");
	append.ordinal = 4;
	ck_assert_msg(fixture_append(&fixture, &append) == appended, "table %d", (int)table);
	enum store_result hidden = fixture_learned(&fixture, 7, NULL, 0, true);
	ck_assert_msg(hidden == (table == TABLE_JOBS ? STORE_STALE : expected), "table %d",
		      (int)table);
	append = fixture_exchange("Rome it was", "a6", 600);
	append.session = SLICE("chat");
	append.ordinal = 1;
	append.carries_history = true;
	append.supersede = true;
	ck_assert_msg(fixture_append(&fixture, &append) == appended, "table %d", (int)table);
	fixture_finish(&fixture);
}

START_TEST(a_chat_goes_on_beside_unreadable_records)
{
	for (int table = FIRST_USER_TABLE; table < TABLE_COUNT; table++)
		go_on_without((enum table)table);
}
END_TEST

START_TEST(a_user_is_forgotten_whatever_can_be_read)
{
	struct fixture fixture;
	fill(&fixture);
	for (int table = FIRST_USER_TABLE; table < TABLE_COUNT; table++)
		(void)damage(&fixture, (enum table)table);
	(void)damage(&fixture, TABLE_RECEIPTS);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	for (int table = FIRST_USER_TABLE; table < TABLE_COUNT; table++)
		ck_assert_msg(count_records(&fixture, (enum table)table) ==
				      (table == TABLE_SETTINGS ? 1 : 0),
			      "table %d", table);
	ck_assert_uint_eq(count_records(&fixture, TABLE_RECEIPTS), 0);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(receipts_make_room_for_newer_ones_whatever_can_be_read)
{
	struct fixture fixture;
	fixture_init(&fixture, 64 << 20);
	fixture.receipts = 3;
	fixture_reopen(&fixture);
	for (uint64_t id = 1; id <= 3; id++)
		ck_assert_int_eq(keep_receipt(&fixture, UINT64_MAX, id), STORE_OK);
	ck_assert_uint_eq(damage(&fixture, TABLE_RECEIPT_AGES), 3);
	ck_assert_uint_eq(damage(&fixture, TABLE_RECEIPTS), 3);
	for (uint64_t id = 11; id <= 15; id++)
		ck_assert_int_eq(keep_receipt(&fixture, UINT64_MAX, id), STORE_OK);
	ck_assert_uint_eq(count_records(&fixture, TABLE_RECEIPT_AGES), 3);
	struct slice text;
	for (uint64_t id = 1; id <= 15; id++)
		ck_assert_int_eq(fixture_receipt(&fixture, id, &text),
				 id >= 13 ? STORE_OK : STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(no_receipt_is_kept_of_what_was_forgotten_meanwhile)
{
	struct fixture fixture;
	struct slice text;
	chat_three(&fixture);
	uint64_t forget_epoch = fixture_view(&fixture, "chat").forget_epoch;
	ck_assert_int_eq(keep_receipt(&fixture, forget_epoch, 1), STORE_OK);
	ck_assert_int_eq(fixture_learned(&fixture, 5, NULL, 0, true), STORE_OK);
	ck_assert_int_eq(keep_receipt(&fixture, forget_epoch, 2), STORE_STALE);
	forget_epoch = fixture_view(&fixture, "chat").forget_epoch;
	ck_assert_int_eq(keep_receipt(&fixture, forget_epoch, 3), STORE_OK);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_int_eq(keep_receipt(&fixture, forget_epoch, 4), STORE_STALE);
	for (uint64_t id = 1; id <= 4; id++)
		ck_assert_int_eq(fixture_receipt(&fixture, id, &text), STORE_NOT_FOUND);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_new_conversation_takes_in_what_its_request_carries)
{
	struct fixture fixture;
	const struct imported_turn adopted[] = {
		{.role = ROLE_USER, .text = SLICE("My dog is Rex"), .created_at = 5},
		{.role = ROLE_ASSISTANT, .text = SLICE("Hello Rex"), .created_at = 6},
		{.role = ROLE_USER, .text = SLICE("without an answer"), .created_at = 7}};
	struct imported_turn turns[3];
	fixture_init(&fixture, 64 << 20);
	for (size_t i = 0; i < 3; i++) {
		turns[i] = adopted[i];
		turns[i].hash = text_hash(adopted[i].text);
	}
	struct append append = fixture_exchange("And now?", "Now he barks", 400);
	append.ordinal = 1;
	append.carries_history = true;
	append.history = turns;
	append.history_count = 3;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	unit_assert_slice(standing(&fixture),
			  "My dog is Rex / Hello Rex / And now? / Now he barks");
	/* Sending the history again leads to the conversation and its position. */
	struct memory_view view = view_for(
		&fixture, ASK("next", {"My dog is Rex", "Hello Rex"}, {"And now?", "Now he barks"}),
		"");
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 2);
	ck_assert_uint_eq(view.carried_from, 0);
	view = view_for(&fixture, ASK("otherwise", {"My dog is Rex", "Hello Rex"}), "");
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(parked_jobs_of_one_user_go_again_and_others_stay)
{
	struct fixture fixture;
	fixture_init(&fixture, 64 << 20);
	const char *const users[] = {"alex", "bo"};
	const struct job job = {.kind = JOB_FACTS, .exchange = 1, .parked = true};
	for (size_t i = 0; i < 2; i++) {
		struct append append = fixture_exchange("hi", "hello", 100);
		append.user = slice_of(users[i]);
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		struct fixture_wait wait = {0};
		(void)store_postpone(
			fixture.store, fixture_key(users[i]), &job,
			(struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
		ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	}
	struct fixture_wait wait = {0};
	const struct user_key bo = fixture_key("bo");
	size_t count = 9;
	(void)store_unpark(fixture.store, &bo, &count,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert(jobs_of(&fixture).jobs[0].parked);
	ck_assert_uint_eq(count_records(&fixture, TABLE_PARKED), 1);
	/* One that is gone is told so, and an unreadable one stays where it is. */
	wait = (struct fixture_wait){0};
	(void)store_postpone(fixture.store, bo, &(struct job){.kind = JOB_FACTS, .exchange = 9},
			     (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_STALE);
	ck_assert_uint_eq(damage(&fixture, TABLE_PARKED), 1);
	wait = (struct fixture_wait){0};
	(void)store_unpark(fixture.store, NULL, &count,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(count_records(&fixture, TABLE_PARKED), 1);
	fixture_finish(&fixture);
}
END_TEST

/* A key that no table has, in the tree that the tables share: a scan over all users ends at it. */
START_TEST(a_scan_ends_at_a_key_that_is_no_tables)
{
	static const struct slice keys[] = {
		SLICE("\0aaaaaaaaaaaaaaa\24 behind all tables"),
		SLICE("\0aaaaaaaaaaaaaaa\377"),
		SLICE("\377\377too short"),
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct fixture fixture;
		struct transaction transaction;
		fill(&fixture);
		begin(&transaction, &fixture);
		MDB_val key = {keys[i].size, (void *)(uintptr_t)keys[i].data};
		MDB_val value = {0};
		MDB_dbi tree = fixture.store->trees[FIRST_SHARED_TABLE];
		ck_assert_int_eq(mdb_put(transaction.handle, tree, &key, &value, 0), 0);
		(void)table_count(&transaction, TABLE_SUMMARIES);
		ck_assert_int_eq(transaction.result, STORE_FAILED);
		transaction_abort(&transaction);
		fixture_finish(&fixture);
	}
}
END_TEST

/* A key that does not rise from the one before it. */
START_TEST(a_block_of_documents_at_no_place_of_its_own_is_left_out)
{
	static const unsigned char numbers[] = {0x00, 0x7f};
	for (size_t i = 0; i < sizeof(numbers); i++) {
		struct fixture fixture;
		struct transaction transaction;
		struct document_block block = {.documents = {{.conversation = 1}}};
		struct documents documents;
		MDB_cursor *cursor;
		fill(&fixture);
		begin(&transaction, &fixture);
		const struct memory memory = {&transaction, fixture_key("ben"), &fixture.arena};
		for (unsigned number = 1; number <= 3; number++) {
			block.first = (uint64_t)number * DOCUMENT_BLOCK;
			documents_put_block(&memory, &block);
		}
		struct key user = key_of_user(memory.user);
		MDB_val key = {user.size, user.bytes};
		MDB_val value;
		ck_assert_int_eq(mdb_cursor_open(transaction.handle,
						 fixture.store->trees[FIRST_SHARED_TABLE], &cursor),
				 0);
		ck_assert_int_eq(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE), 0);
		ck_assert_int_eq(mdb_cursor_get(cursor, &key, &value, MDB_NEXT), 0);
		/* The page is this transaction's own. */
		unsigned char *low = (unsigned char *)key.mv_data + key.mv_size - 1;
		ck_assert_uint_eq(*low, 2);
		*low = numbers[i];
		mdb_cursor_close(cursor);
		documents_read(&memory, &documents);
		ck_assert_uint_eq(documents.first, DOCUMENT_BLOCK);
		ck_assert_uint_eq(documents.count, 2 * DOCUMENT_BLOCK + 1);
		transaction_abort(&transaction);
		fixture_finish(&fixture);
	}
}
END_TEST

UNIT_MAIN("store_damage", a_scan_ends_at_a_key_that_is_no_tables,
	  a_block_of_documents_at_no_place_of_its_own_is_left_out,
	  a_chat_goes_on_beside_unreadable_records, a_user_is_forgotten_whatever_can_be_read,
	  receipts_make_room_for_newer_ones_whatever_can_be_read,
	  no_receipt_is_kept_of_what_was_forgotten_meanwhile,
	  a_new_conversation_takes_in_what_its_request_carries,
	  parked_jobs_of_one_user_go_again_and_others_stay)
