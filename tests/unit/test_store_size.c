/* How much a user takes, and what has to go for him to take less. */
#include "storage/record/key.h"
#include "tests/unit/branch_fixture.h"

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

static struct expiry measure(struct fixture *fixture, uint64_t keep)
{
	struct expiry expiry = {.now = 7, .facts_until = 8, .pii = PII_REDACT};
	ck_assert(store_measure(fixture->store, fixture_key("alex"), keep, &expiry));
	ck_assert_int_eq(expiry.now, 7);
	ck_assert_int_eq(expiry.facts_until, 8);
	ck_assert_int_eq(expiry.pii, PII_REDACT);
	return expiry;
}

START_TEST(those_whose_turns_take_more_are_given)
{
	struct fixture fixture;
	struct user_size users[STORE_SIZES_AT_ONCE];
	struct user_key after = {{0}};
	bool more = true;
	fixture_init(&fixture, MAP);
	ck_assert_uint_eq(store_users_above(fixture.store, 0, &after, &more, users, &fixture.arena),
			  0);
	ck_assert(!more);
	memset(long_text, 'x', LONG_TEXT);
	say(&fixture, "alex", long_text, 100);
	say(&fixture, "bo", "short", 100);
	ck_assert_uint_eq(
		store_users_above(fixture.store, LONG_TEXT, &after, &more, users, &fixture.arena),
		1);
	ck_assert(!more);
	ck_assert(user_equal(users[0].key, fixture_key("alex")));
	unit_assert_slice(users[0].tenant, "shared");
	unit_assert_slice(users[0].user, "alex");
	uint64_t bytes = users[0].bytes;
	ck_assert_uint_gt(bytes, LONG_TEXT);
	/* None is behind the last one that was looked at. */
	ck_assert_uint_eq(store_users_above(fixture.store, 0, &after, &more, users, &fixture.arena),
			  0);
	/* Who takes just as much does not take more. */
	after = (struct user_key){{0}};
	ck_assert_uint_eq(
		store_users_above(fixture.store, bytes, &after, &more, users, &fixture.arena), 0);
	after = (struct user_key){{0}};
	ck_assert_uint_eq(store_users_above(fixture.store, 0, &after, &more, users, &fixture.arena),
			  2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(many_users_are_gone_through_in_steps_and_unreadable_ones_left_out)
{
	enum { UNREADABLE = STORE_SIZES_AT_ONCE + 20 };
	struct fixture fixture;
	struct transaction transaction;
	struct user_size users[STORE_SIZES_AT_ONCE];
	struct user_key after = {{0}};
	size_t found = 0;
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
		found += store_users_above(fixture.store, 0, &after, &more, users, &fixture.arena);
		/* Each step gets on. By which order is up to the store: an encrypted one masks
		 * keys. */
		ck_assert(!user_equal(after, before));
	}
	ck_assert_uint_eq(steps, 2);
	ck_assert_uint_eq(found, 2);
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
	struct expiry all = measure(&fixture, UINT64_MAX);
	ck_assert_int_eq(all.turns_until, INT64_MIN);
	ck_assert_uint_gt(all.counted, 0);
	ck_assert_uint_eq(all.left, all.counted);
	ck_assert_int_eq(measure(&fixture, all.counted).turns_until, INT64_MIN);
	struct expiry one_less = measure(&fixture, all.counted - 1);
	ck_assert_int_eq(one_less.turns_until, 99); /* the question came before its answer */
	ck_assert_uint_lt(one_less.left, all.counted);
	ck_assert_uint_eq(one_less.counted, all.counted);
	/* Just what is left fits; a byte less, and the next turn goes. */
	ck_assert_int_eq(measure(&fixture, one_less.left).turns_until, 99);
	ck_assert_int_eq(measure(&fixture, one_less.left - 1).turns_until, 100);
	struct expiry none = measure(&fixture, 0);
	ck_assert_int_eq(none.turns_until, 300);
	ck_assert_uint_eq(none.left, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_said_in_one_millisecond_goes_together)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	const struct imported_turn turns[] = {
		{.role = ROLE_USER, .text = SLICE("My dog is Rex"), .created_at = 50},
		{.role = ROLE_ASSISTANT, .text = SLICE("Hello Rex"), .created_at = 50},
		{.role = ROLE_USER, .text = SLICE("My cat is Tom"), .created_at = 60},
		{.role = ROLE_ASSISTANT, .text = SLICE("Hello Tom"), .created_at = 60},
	};
	ck_assert_int_eq(fixture_import(&fixture, turns, 4, false), STORE_OK);
	uint64_t all = measure(&fixture, UINT64_MAX).counted;
	struct expiry expiry = measure(&fixture, all - 1);
	ck_assert_int_eq(expiry.turns_until, 50);
	ck_assert_uint_eq(expiry.left, all / 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_measuring_says_has_to_go_leaves_no_more_than_is_kept)
{
	struct fixture fixture;
	struct expired_count count;
	fixture_init(&fixture, MAP);
	for (int64_t now = 1; now <= 20; now++)
		say(&fixture, "alex", "hello again and again", now * 100);
	uint64_t keep = measure(&fixture, UINT64_MAX).counted / 3;
	struct expiry expiry = measure(&fixture, keep);
	expiry.facts_until = INT64_MIN;
	ck_assert_uint_le(expiry.left, keep);
	do {
		struct fixture_wait wait = {0};
		(void)store_expire(fixture.store, fixture_key("alex"), &expiry, &count,
				   &fixture.loop.loop, fixture_done, &wait);
		ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	} while (count.more);
	struct expiry after = measure(&fixture, keep);
	ck_assert_int_eq(after.turns_until, INT64_MIN);
	ck_assert_uint_gt(after.left, 0);
	ck_assert_uint_le(after.left, keep);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(who_cannot_be_read_is_not_measured)
{
	struct fixture fixture;
	struct expiry expiry;
	fixture_init(&fixture, MAP);
	ck_assert(!store_measure(fixture.store, fixture_key("alex"), 0, &expiry));
	say(&fixture, "alex", "hello", 100);
	ck_assert_uint_gt(measure(&fixture, UINT64_MAX).left, 0);
	/* Turns that cannot be read are none to be deleted. */
	ck_assert_uint_eq(fixture_spoil(&fixture, TABLE_TURNS, SLICE("\7not ours")), 2);
	expiry = measure(&fixture, 0);
	ck_assert_uint_eq(expiry.left, 0);
	ck_assert_int_eq(expiry.turns_until, INT64_MIN);
	ck_assert_uint_eq(fixture_spoil(&fixture, TABLE_USERS, SLICE("\7not ours")), 1);
	ck_assert(!store_measure(fixture.store, fixture_key("alex"), 0, &expiry));
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_size", those_whose_turns_take_more_are_given,
	  many_users_are_gone_through_in_steps_and_unreadable_ones_left_out,
	  the_oldest_goes_first_and_no_more_than_has_to,
	  what_was_said_in_one_millisecond_goes_together,
	  what_measuring_says_has_to_go_leaves_no_more_than_is_kept,
	  who_cannot_be_read_is_not_measured)
