#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <string.h>

enum { MAP = 64 * 1024 * 1024, USERS = STORE_LISTED_AT_ONCE + 40 };

static void put_user(struct fixture *fixture, const char *name, const char *tenant)
{
	struct append append = fixture_exchange("hi", "hello", 100);
	append.user = slice_of(name);
	append.tenant = slice_of(tenant);
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static void put_users(struct fixture *fixture)
{
	char name[16];
	for (unsigned i = 0; i < USERS; i++) {
		(void)snprintf(name, sizeof(name), "u%u", i);
		put_user(fixture, name, i % 2 == 0 ? "even" : "odd");
	}
}

/* Walks all users, at most `limit` on each list. Gives how many were listed. */
static size_t walk(struct fixture *fixture, const struct user_filter *filter, size_t limit)
{
	struct user_key after = {0};
	struct user_key last = {0};
	struct listed_user users[USERS];
	struct user_list list = {.users = users, .limit = limit, .more = true};
	size_t count = 0;
	for (unsigned calls = 0; list.more; calls++) {
		ck_assert_uint_lt(calls, 2 * USERS);
		list.count = 0;
		ck_assert_int_eq(
			store_list_users(fixture->store, filter, &after, &list, &fixture->arena),
			STORE_OK);
		ck_assert_uint_le(list.count, limit);
		for (size_t i = 0; i < list.count; i++) {
			ck_assert(fixture_master() != NULL ||
				  memcmp(&last, &users[i].key, sizeof(last)) < 0);
			last = users[i].key;
		}
		count += list.count;
	}
	return count;
}

START_TEST(every_user_is_listed_once_however_the_list_is_cut)
{
	struct fixture fixture;
	const struct user_filter all = {0};
	fixture_init(&fixture, MAP);
	ck_assert_uint_eq(walk(&fixture, &all, USERS), 0);
	put_users(&fixture);
	const size_t limits[] = {1, 7, STORE_LISTED_AT_ONCE, USERS};
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(walk(&fixture, &all, limits[i]), USERS);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_tenant_and_a_prefix_select_users)
{
	struct fixture fixture;
	const struct slice odd = SLICE("odd");
	fixture_init(&fixture, MAP);
	put_users(&fixture);
	ck_assert_uint_eq(walk(&fixture, &(struct user_filter){.tenant = &odd}, 10), USERS / 2);
	ck_assert_uint_eq(walk(&fixture, &(struct user_filter){.prefix = SLICE("u10")}, 10), 11);
	ck_assert_uint_eq(
		walk(&fixture, &(struct user_filter){.tenant = &odd, .prefix = SLICE("u10")}, 10),
		5);
	ck_assert_uint_eq(walk(&fixture, &(struct user_filter){.prefix = SLICE("x")}, 10), 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(counting_goes_on_where_it_stopped)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	put_user(&fixture, "alexa", "shared"); /* a neighbour is not counted */
	struct fixture_turn turns[10];
	for (unsigned i = 0; i < 10; i++)
		turns[i] = (struct fixture_turn){.role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
						 .text = SLICE("hi"),
						 .created_at = 100 + i,
						 .session = i < 6 ? SLICE("one") : SLICE("two")};
	ck_assert_int_eq(fixture_import(&fixture, turns, 10, false), STORE_OK);
	for (size_t at_once = 1; at_once < 20; at_once++) {
		struct user_counts counts = {0};
		for (unsigned calls = 0; !counts.done; calls++) {
			size_t steps = at_once;
			ck_assert_uint_lt(calls, 40);
			ck_assert_int_eq(store_count_user(fixture.store, fixture_key("alex"), 200,
							  &counts, &steps),
					 STORE_OK);
			ck_assert_uint_le(steps, at_once);
		}
		ck_assert_uint_eq(counts.turns, 10);
		ck_assert_uint_eq(counts.conversations, 2);
		ck_assert_uint_eq(counts.facts, 0);
	}
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_users", every_user_is_listed_once_however_the_list_is_cut,
	  a_tenant_and_a_prefix_select_users, counting_goes_on_where_it_stopped)
