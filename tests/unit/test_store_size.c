/* How much a user takes, and what has to go for the user to take less. */
#include "storage/record/key.h"
#include "storage/rights.h"
#include "storage/user/memory.h"
#include "tests/unit/branch_fixture.h"

#include <lmdb.h>
#include <stdio.h>
#include <string.h>

enum { MAP = 64 * 1024 * 1024, LONG_TEXT = 5000 };

static char long_text[LONG_TEXT + 1];

static void say(struct fixture *fixture, const char *user, const char *text, int64_t now)
{
	struct append append = fixture_exchange(text, "ok", now);
	append.user = slice_of(user);
	append.session = SLICE("chat");
	append.ordinal = (uint32_t)now;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

/* In a conversation of its own, with a block and a receipt of `size` bytes each. */
static void ask(struct fixture *fixture, const char *user, int64_t now, size_t size, uint64_t limit)
{
	struct append append = fixture_exchange("x", "ok", now);
	const struct frozen frozen = {.mode = MODE_HYBRID, .block = {long_text, size}};
	const struct replay replay = {.text = {long_text, 10}};
	append.user = slice_of(user);
	append.frozen = &frozen;
	append.replay = &replay;
	append.receipt = (struct receipt){.id = (uint64_t)now << RECEIPT_TIME_SHIFT | 1,
					  .text = {long_text, size},
					  .user_limit = limit};
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static struct space space_at(struct fixture *fixture, const char *user)
{
	struct transaction transaction;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	const struct space space = space_of(&transaction, fixture_key(user));
	transaction_abort(&transaction);
	return space;
}

static uint64_t bytes_of(struct fixture *fixture, const char *user)
{
	return (uint64_t)space_at(fixture, user).all;
}

static bool has_receipt(struct fixture *fixture, int64_t now)
{
	struct slice text;
	return fixture_receipt(fixture, (uint64_t)now << RECEIPT_TIME_SHIFT | 1, &text) == STORE_OK;
}

static size_t records(struct fixture *fixture, enum table table, const char *user)
{
	struct transaction transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	size_t count = 0;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	scan_begin(&scan, &transaction, table, key_of_user(fixture_key(user)), FORWARD);
	while (scan_next(&scan, &key, &value))
		count++;
	scan_end(&scan);
	transaction_abort(&transaction);
	return count;
}

static int64_t until_for(struct fixture *fixture, uint64_t keep)
{
	struct expiry expiry = {.now = 7, .facts_until = 8, .pii = PII_REDACT};
	ck_assert(store_measure(fixture->store, fixture_key("alex"), keep, &expiry));
	ck_assert_int_eq(expiry.now, 7);
	ck_assert_int_eq(expiry.facts_until, 8);
	ck_assert_int_eq(expiry.pii, PII_REDACT);
	return expiry.turns_until;
}

static size_t above(struct fixture *fixture, uint64_t bytes, struct user_key *after, bool *more,
		    struct user_size users[STORE_SIZES_AT_ONCE])
{
	return store_users_above(fixture->store, bytes, after, more, users, &fixture->arena);
}

START_TEST(those_who_take_more_are_given)
{
	struct fixture fixture;
	struct user_size users[STORE_SIZES_AT_ONCE];
	struct user_key after = {{0}};
	bool more = true;
	fixture_init(&fixture, MAP);
	ck_assert_uint_eq(above(&fixture, 0, &after, &more, users), 0);
	ck_assert(!more);
	memset(long_text, 'x', LONG_TEXT);
	say(&fixture, "alex", long_text, 100);
	say(&fixture, "bo", "short", 100);
	ck_assert_uint_eq(above(&fixture, LONG_TEXT, &after, &more, users), 1);
	ck_assert(!more);
	ck_assert(user_equal(users[0].key, fixture_key("alex")));
	unit_assert_slice(users[0].tenant, "shared");
	unit_assert_slice(users[0].user, "alex");
	ck_assert(users[0].is_counted);
	uint64_t bytes = users[0].bytes;
	ck_assert_uint_gt(bytes, LONG_TEXT);
	/* A user at the limit is not over it. */
	after = (struct user_key){{0}};
	ck_assert_uint_eq(above(&fixture, bytes, &after, &more, users), 0);
	after = (struct user_key){{0}};
	ck_assert_uint_eq(above(&fixture, 0, &after, &more, users), 2);
	/* None is behind the last one that was looked at. */
	ck_assert_uint_eq(above(&fixture, 0, &after, &more, users), 0);
	/* The largest come first. */
	ck_assert_uint_eq(store_largest_users(fixture.store, users, &fixture.arena), 2);
	unit_assert_slice(users[0].user, "alex");
	unit_assert_slice(users[1].user, "bo");
	/* A deleted user takes no space. */
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_uint_eq(bytes_of(&fixture, "alex"), 0);
	ck_assert_uint_eq(store_largest_users(fixture.store, users, &fixture.arena), 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(many_users_are_gone_through_in_steps_and_unreadable_ones_have_no_name)
{
	enum { UNREADABLE = STORE_SIZES_AT_ONCE + 20 };
	struct fixture fixture;
	struct transaction transaction;
	struct user_size users[STORE_SIZES_AT_ONCE];
	struct user_key after = {{0}};
	size_t found = 0;
	size_t named = 0;
	size_t steps = 0;
	bool more = true;
	fixture_init(&fixture, MAP);
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	for (unsigned i = 1; i <= UNREADABLE; i++) {
		struct user_key user = {{(unsigned char)i, (unsigned char)(i >> 8), 1}};
		table_put(&transaction, TABLE_USERS, key_of_user(user), SLICE("\7not ours"));
	}
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	say(&fixture, "alex", "hello", 100);
	say(&fixture, "bo", "hello", 100);
	for (; more; steps++) {
		struct user_key before = after;
		size_t count = above(&fixture, 0, &after, &more, users);
		found += count;
		for (size_t i = 0; i < count; i++)
			named += users[i].user.size > 0;
		/* Each step gets on. By which order is up to the store: an encrypted one masks
		 * keys. */
		ck_assert(!user_equal(after, before));
	}
	ck_assert_uint_eq(steps, 2);
	ck_assert_uint_eq(found, UNREADABLE + 2);
	ck_assert_uint_eq(named, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_oldest_goes_first_and_no_more_than_has_to)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	/* Written in another order than they were said in. */
	say(&fixture, "alex", "second", 200);
	say(&fixture, "alex", "the first", 100);
	say(&fixture, "alex", "and the third", 300);
	const uint64_t all = bytes_of(&fixture, "alex");
	ck_assert_int_eq(until_for(&fixture, UINT64_MAX), INT64_MIN);
	ck_assert_int_eq(until_for(&fixture, all), INT64_MIN);
	ck_assert_int_eq(until_for(&fixture, all - 1),
			 99); /* the question came before its answer */
	ck_assert_int_eq(until_for(&fixture, 0), 300);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_said_in_one_millisecond_goes_together)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	const struct fixture_turn turns[] = {
		{.role = ROLE_USER, .text = SLICE("My dog is Rex"), .created_at = 50},
		{.role = ROLE_ASSISTANT, .text = SLICE("Hello Rex"), .created_at = 50},
		{.role = ROLE_USER, .text = SLICE("My cat is Tom"), .created_at = 60},
		{.role = ROLE_ASSISTANT, .text = SLICE("Hello Tom"), .created_at = 60},
	};
	ck_assert_int_eq(fixture_import(&fixture, turns, 4, false), STORE_OK);
	ck_assert_int_eq(until_for(&fixture, bytes_of(&fixture, "alex") - 1), 50);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_measuring_says_has_to_go_leaves_about_what_is_kept)
{
	struct fixture fixture;
	struct expired_count count;
	fixture_init(&fixture, MAP);
	memset(long_text, 'x', LONG_TEXT);
	for (int64_t now = 1; now <= 200; now++)
		say(&fixture, "alex", long_text, now * 100);
	const uint64_t keep = bytes_of(&fixture, "alex") / 3;
	struct expiry expiry = {.turns_until = until_for(&fixture, keep), .facts_until = INT64_MIN};
	do {
		struct fixture_wait wait = {0};
		(void)store_expire(fixture.store, fixture_key("alex"), &expiry, &count,
				   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
		ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	} while (count.more);
	const uint64_t left = bytes_of(&fixture, "alex");
	ck_assert_uint_le(left, keep + keep / 4);
	ck_assert_uint_ge(left, keep - keep / 4);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(turns_that_cannot_be_read_are_none_to_be_deleted)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(until_for(&fixture, 0), INT64_MIN);
	say(&fixture, "alex", "hello", 100);
	ck_assert_uint_eq(fixture_spoil(&fixture, TABLE_TURNS, SLICE("\7not ours")), 2);
	ck_assert_uint_eq(fixture_spoil(&fixture, TABLE_CONVERSATIONS, SLICE("\7not ours")), 1);
	ck_assert_int_eq(until_for(&fixture, 0), INT64_MIN);
	fixture_finish(&fixture);
}
END_TEST

/* ---- what requests were given ---- */

START_TEST(what_requests_were_given_fills_half_of_the_limit_and_the_oldest_goes)
{
	enum { LIMIT = 1 << 20, ASKED = 120, SIZE = LONG_TEXT };
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	memset(long_text, 'x', LONG_TEXT);
	ask(&fixture, "bo", 1, SIZE, LIMIT);
	for (int64_t now = 10; now < 10 + ASKED; now++) {
		ask(&fixture, "alex", now, SIZE, LIMIT);
		ck_assert_int_le(space_at(&fixture, "alex").given, LIMIT / 2);
		ck_assert(has_receipt(&fixture, now));
	}
	ck_assert_int_gt(space_at(&fixture, "alex").given, LIMIT / 3);
	/* The oldest went, and the others are there; the turns are, too. */
	bool gone = true;
	for (int64_t now = 10; now < 10 + ASKED; now++) {
		ck_assert(gone || has_receipt(&fixture, now));
		gone = gone && !has_receipt(&fixture, now);
	}
	ck_assert(!has_receipt(&fixture, 10));
	ck_assert_uint_eq(records(&fixture, TABLE_TURNS, "alex"), (size_t)2 * ASKED);
	/* Receipts go as old as blocks do. */
	const size_t receipts = records(&fixture, TABLE_USER_RECEIPTS, "alex");
	const size_t blocks = records(&fixture, TABLE_FROZEN, "alex");
	ck_assert_uint_ge(receipts + 1, blocks);
	ck_assert_uint_le(receipts, blocks + 1);
	ck_assert_uint_ge(records(&fixture, TABLE_REPLAYS, "alex") + 1, blocks);
	ck_assert(has_receipt(&fixture, 1));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_the_exchange_itself_leaves_stays_however_small_the_limit)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	memset(long_text, 'x', LONG_TEXT);
	for (int64_t now = 1; now <= 3; now++)
		ask(&fixture, "alex", now, LONG_TEXT, 1000);
	ck_assert(!has_receipt(&fixture, 2));
	ck_assert(has_receipt(&fixture, 3));
	ck_assert_uint_eq(records(&fixture, TABLE_FROZEN, "alex"), 1);
	ck_assert_uint_eq(records(&fixture, TABLE_REPLAYS, "alex"), 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_conversation_in_use_keeps_its_block_however_long_ago_it_began)
{
	enum { LIMIT = 256 * 1024 };
	struct fixture fixture;
	struct load load = {.user = fixture_key("alex"), .session = SLICE("old"), .now = 1000};
	fixture_init(&fixture, MAP);
	memset(long_text, 'x', LONG_TEXT);
	const struct frozen frozen = {.mode = MODE_HYBRID, .block = {long_text, LONG_TEXT}};
	for (int64_t now = 1; now < 100; now++) {
		struct append append = fixture_exchange("x", "ok", now);
		append.session = SLICE("old");
		append.ordinal = (uint32_t)now;
		append.frozen = now == 1 ? &frozen : NULL;
		if (now % 2 == 1)
			ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
		else
			ask(&fixture, "alex", now, LONG_TEXT, LIMIT);
	}
	ck_assert_uint_lt(records(&fixture, TABLE_FROZEN, "alex"), 40);
	ck_assert_uint_eq(fixture_load(&fixture, &load).frozen.block.size, LONG_TEXT);
	fixture_finish(&fixture);
}
END_TEST

static enum store_result make_room(struct fixture *fixture, const char *user, uint64_t limit)
{
	struct fixture_wait wait = {0};
	const struct user_key key = fixture_key(user == NULL ? "" : user);
	(void)store_make_room(fixture->store, user == NULL ? NULL : &key, limit, 1000,
			      (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

START_TEST(room_is_made_by_who_takes_most_but_by_nobody_under_a_hold)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	memset(long_text, 'x', LONG_TEXT);
	for (int64_t now = 1; now <= 200; now++)
		ask(&fixture, "alex", now, LONG_TEXT, 0);
	for (int64_t now = 201; now <= 220; now++)
		ask(&fixture, "bo", now, LONG_TEXT, 0);
	const int64_t bos = space_at(&fixture, "bo").given;
	ck_assert_int_eq(make_room(&fixture, NULL, 0), STORE_OK);
	ck_assert_int_eq(space_at(&fixture, "bo").given, bos);
	ck_assert_int_lt(space_at(&fixture, "alex").given, 7 * bos);
	/* Of one user, down to half of the limit. */
	ck_assert_int_eq(make_room(&fixture, "bo", (uint64_t)bos * 3), STORE_NOT_FOUND);
	ck_assert_int_eq(make_room(&fixture, "bo", (uint64_t)bos), STORE_OK);
	ck_assert_int_le(space_at(&fixture, "bo").given, bos / 2);
	const struct user_settings held = {.learn = true, .inject = true, .hold_until = 2000};
	struct fixture_wait wait = {0};
	(void)store_put_settings(fixture.store, fixture_key("bo"), &held,
				 (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	const int64_t left = space_at(&fixture, "bo").given;
	ck_assert_int_eq(make_room(&fixture, "bo", 1), STORE_NOT_FOUND);
	while (make_room(&fixture, NULL, 0) == STORE_OK)
		continue;
	ck_assert_int_eq(space_at(&fixture, "alex").given, 0);
	ck_assert_int_eq(space_at(&fixture, "bo").given, left);
	ck_assert_uint_eq(records(&fixture, TABLE_TURNS, "alex"), 400);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_store_that_fills_up_sheds_and_goes_on)
{
	enum { SMALL_MAP = 16 << 20, USERS = 25, EXCHANGES = 24 };
	struct fixture fixture;
	fixture_init(&fixture, SMALL_MAP);
	fixture.store->receipts = UINT32_MAX;
	memset(long_text, 'x', LONG_TEXT);
	int64_t now = 1;
	for (size_t i = 0; i < EXCHANGES; i++) {
		for (size_t user = 0; user < USERS; user++) {
			char name[8];
			(void)snprintf(name, sizeof(name), "u%zu", user);
			ask(&fixture, name, now++, LONG_TEXT, 1 << 30);
			ck_assert(has_receipt(&fixture, now - 1));
		}
	}
	ck_assert(store_has_room(fixture.store));
	/* Each has some. */
	int64_t least = INT64_MAX;
	int64_t most = 0;
	for (size_t user = 0; user < USERS; user++) {
		char name[8];
		(void)snprintf(name, sizeof(name), "u%zu", user);
		const int64_t given = space_at(&fixture, name).given;
		least = given < least ? given : least;
		most = given > most ? given : most;
	}
	ck_assert_int_gt(least, 0);
	ck_assert_int_lt(most, 4 * least);
	fixture_finish(&fixture);
}
END_TEST

/* ---- what an earlier version wrote ---- */

/* As an earlier version leaves it. */
static void forget_account(struct fixture *fixture)
{
	struct transaction transaction;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	ck_assert(table_delete(&transaction, TABLE_META, key_of_name("space")));
	ck_assert_int_eq(mdb_drop(transaction.handle, fixture->store->trees[TREE_SPACE], 0), 0);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

static void count_all(struct fixture *fixture)
{
	struct user_size users[STORE_SIZES_AT_ONCE];
	struct user_key after = {{0}};
	bool more;
	const size_t count = above(fixture, UINT32_MAX, &after, &more, users);
	for (size_t i = 0; i < count; i++) {
		struct fixture_wait waits[3] = {0};
		struct append append = fixture_exchange("meanwhile", "ok", 1000 + (int64_t)i);
		ck_assert(!users[i].is_counted);
		append.user = users[i].user;
		/* The first may be written between its reading and its writing. */
		(void)store_append(
			fixture->store, &append,
			(struct store_waiter){&fixture->loop.loop, fixture_done, &waits[0]});
		(void)store_count(
			fixture->store, users[i].key,
			(struct store_waiter){&fixture->loop.loop, fixture_done, &waits[1]});
		(void)store_append(
			fixture->store, &append,
			(struct store_waiter){&fixture->loop.loop, fixture_done, &waits[2]});
		for (size_t w = 0; w < 3; w++)
			ck_assert_int_eq(fixture_await(&fixture->loop, &waits[w]), STORE_OK);
	}
	say(fixture, "cy", "I am new", 5000);
	struct fixture_wait wait = {0};
	(void)store_note_counted(fixture->store,
				 (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

static void count_one(struct fixture *fixture, struct user_key user)
{
	struct fixture_wait wait = {0};
	(void)store_count(fixture->store, user,
			  (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

/* Those who came or went meanwhile. */
static size_t count_late(struct fixture *fixture)
{
	struct user_size users[STORE_SIZES_AT_ONCE];
	struct user_key after = {{0}};
	bool more;
	const size_t count = above(fixture, UINT32_MAX, &after, &more, users);
	for (size_t i = 0; i < count; i++) {
		ck_assert(!users[i].is_counted);
		count_one(fixture, users[i].key);
	}
	return count;
}

START_TEST(a_store_of_an_earlier_version_is_counted_while_it_is_written)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	memset(long_text, 'x', LONG_TEXT);
	for (int64_t now = 1; now <= 20; now++)
		ask(&fixture, now % 2 == 0 ? "alex" : "bo", now, LONG_TEXT, 0);
	ask(&fixture, "gone", 30, LONG_TEXT, 0);
	forget_account(&fixture);
	ck_assert(!store_is_counted(fixture.store));
	ask(&fixture, "alex", 40, LONG_TEXT, 1000); /* nothing gives way to a part of the account */
	ck_assert(has_receipt(&fixture, 2));
	ck_assert_int_eq(fixture_forget(&fixture, "gone"), STORE_OK);
	ask(&fixture, "new", 50, LONG_TEXT, 0);
	count_all(&fixture);
	ck_assert(store_is_counted(fixture.store));
	ck_assert_uint_eq(count_late(&fixture), 2);
	ck_assert_int_gt(space_at(&fixture, "cy").all, 0);
	ck_assert_int_eq(space_at(&fixture, "gone").all, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_store_that_an_earlier_version_wrote_meanwhile_is_counted_anew)
{
	struct fixture fixture;
	MDB_txn *theirs;
	MDB_val key = {5, "their"};
	MDB_val value = {5, "write"};
	fixture_init(&fixture, MAP);
	say(&fixture, "alex", "hello", 100);
	fixture_reopen(&fixture);
	ck_assert(store_is_counted(fixture.store));
	ck_assert_int_eq(mdb_txn_begin(fixture.store->env, NULL, 0, &theirs), 0);
	ck_assert_int_eq(mdb_put(theirs, fixture.store->trees[TABLE_META], &key, &value, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(theirs), 0);
	fixture_reopen(&fixture);
	ck_assert(!store_is_counted(fixture.store));
	ck_assert(!space_at(&fixture, "alex").is_whole);
	count_all(&fixture);
	ck_assert_uint_eq(count_late(&fixture), 1);
	fixture_reopen(&fixture);
	ck_assert(store_is_counted(fixture.store));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_user_who_cannot_be_read_is_not_counted)
{
	enum { MOST = 2000 };
	static struct transaction readers[MOST];
	struct fixture fixture;
	struct fixture_wait wait = {0};
	size_t count = 0;
	fixture_init(&fixture, MAP);
	say(&fixture, "alex", "hello", 100);
	forget_account(&fixture);
	while (count < MOST && transaction_begin_read(&readers[count], fixture.store))
		count++;
	ck_assert_uint_lt(count, MOST);
	(void)store_count(fixture.store, fixture_key("alex"),
			  (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_STALE);
	while (count-- > 0)
		transaction_abort(&readers[count]);
	ck_assert(!space_at(&fixture, "alex").is_whole);
	count_all(&fixture);
	ck_assert_uint_eq(count_late(&fixture), 1);
	fixture_finish(&fixture);
}
END_TEST

/* As an exchange of bo's does while the map is nearly full. */
static void relieve_at(struct fixture *fixture, int64_t now)
{
	struct transaction transaction;
	struct arena scratch = {0};
	const struct memory memory = {&transaction, fixture_key("bo"), &scratch};
	const struct leaves leaves = {.user = fixture_key("bo")};
	atomic_store(&fixture->store->is_crowded, true);
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	memory_make_room(&memory, &leaves, 0, now);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	atomic_store(&fixture->store->is_crowded, false);
	arena_finish(&scratch);
}

START_TEST(who_has_something_to_give_is_not_sought_at_each_exchange)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	memset(long_text, 'x', LONG_TEXT);
	say(&fixture, "alex", "hello", 100);
	relieve_at(&fixture, 10000);
	ask(&fixture, "alex", 200, LONG_TEXT, 0);
	const int64_t given = space_at(&fixture, "alex").given;
	relieve_at(&fixture, 10999);
	ck_assert_int_eq(space_at(&fixture, "alex").given, given);
	relieve_at(&fixture, 11000);
	ck_assert_int_lt(space_at(&fixture, "alex").given, given);
	/* The clock was set back. */
	relieve_at(&fixture, 12000);
	ask(&fixture, "alex", 300, LONG_TEXT, 0);
	relieve_at(&fixture, 5000);
	ck_assert_int_lt(space_at(&fixture, "alex").given, given);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_size", those_who_take_more_are_given,
	  many_users_are_gone_through_in_steps_and_unreadable_ones_have_no_name,
	  the_oldest_goes_first_and_no_more_than_has_to,
	  what_was_said_in_one_millisecond_goes_together,
	  what_measuring_says_has_to_go_leaves_about_what_is_kept,
	  turns_that_cannot_be_read_are_none_to_be_deleted,
	  what_requests_were_given_fills_half_of_the_limit_and_the_oldest_goes,
	  what_the_exchange_itself_leaves_stays_however_small_the_limit,
	  a_conversation_in_use_keeps_its_block_however_long_ago_it_began,
	  room_is_made_by_who_takes_most_but_by_nobody_under_a_hold,
	  a_store_that_fills_up_sheds_and_goes_on,
	  a_store_of_an_earlier_version_is_counted_while_it_is_written,
	  a_store_that_an_earlier_version_wrote_meanwhile_is_counted_anew,
	  a_user_who_cannot_be_read_is_not_counted,
	  who_has_something_to_give_is_not_sought_at_each_exchange)
