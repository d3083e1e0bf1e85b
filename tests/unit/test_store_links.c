#include "core/memory/position.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>

enum { MAP = 64 * 1024 * 1024, NOW = 1000 };

static struct memory_view going_on(struct fixture *fixture, const char *previous, int64_t now)
{
	const struct load load = {
		.user = fixture_key("alex"), .previous = slice_of(previous), .now = now};
	return fixture_load(fixture, &load);
}

static int64_t now = NOW;

/* A reply that requests may go on from, to a request that goes on from `previous`. */
static enum store_result reply(struct fixture *fixture, const char *previous, const char *id,
			       const char *user_text, bool calls_tools)
{
	const struct memory_view view = going_on(fixture, previous, now);
	struct append append = fixture_exchange(user_text, "fine", ++now);
	const struct chain_link link = {
		.at = append.now,
		.block_is_kept = true,
		.tokens = 7,
		.turns = (const uint64_t[]){2, UINT64_MAX},
		.turn_count = 2,
		.facts = (const uint64_t[]){5},
		.fact_count = 1,
		.is_pending = calls_tools,
		.user_text = calls_tools ? append.user_text : (struct slice){0},
		.user_hash = append.user_hash,
		.started_at = append.now,
	};
	append.conversation = view.conversation;
	append.ordinal = view.next_ordinal;
	append.same_exchange = view.same_exchange;
	append.journal = !calls_tools;
	append.link = &link;
	append.link_ids[0] = slice_of(id);
	append.link_ids[1] = SLICE("conv:c");
	return fixture_append(fixture, &append);
}

START_TEST(a_request_goes_on_where_the_reply_stands)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(reply(&fixture, "", "r1", "one", false), STORE_OK);
	ck_assert_int_eq(reply(&fixture, "r1", "r2", "two", false), STORE_OK);
	fixture_reopen(&fixture);
	const struct memory_view newest = going_on(&fixture, "r2", NOW);
	ck_assert(newest.has_link && newest.conversation != 0);
	ck_assert_uint_eq(newest.next_ordinal, 2);
	ck_assert_uint_eq(newest.carried_from, 0);
	ck_assert(newest.link.block_is_kept && !newest.link.is_pending);
	ck_assert_uint_eq(newest.link.tokens, 7);
	ck_assert_uint_eq(newest.link.turn_count, 2);
	ck_assert_uint_eq(newest.link.turns[1], UINT64_MAX);
	ck_assert_uint_eq(newest.link.facts[0], 5);
	const struct memory_view older = going_on(&fixture, "r1", NOW);
	ck_assert_uint_eq(older.conversation, newest.conversation);
	ck_assert_uint_eq(older.next_ordinal, 1);
	ck_assert_uint_eq(going_on(&fixture, "conv:c", NOW).next_ordinal, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_unknown_id_begins_a_conversation)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(reply(&fixture, "", "r1", "one", false), STORE_OK);
	const struct memory_view view = going_on(&fixture, "r0", NOW);
	ck_assert(!view.has_link);
	ck_assert_uint_eq(view.conversation, 0);
	ck_assert_uint_eq(view.next_ordinal, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_turn_that_waits_for_tools_is_gone_on_with_for_a_day)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(reply(&fixture, "", "r1", "one", true), STORE_OK);
	struct memory_view view = going_on(&fixture, "r1", NOW);
	ck_assert_uint_eq(view.next_ordinal, 0);
	ck_assert(view.link.is_pending);
	unit_assert_slice(view.link.user_text, "one");
	ck_assert_uint_eq(view.link.user_hash, fixture_hash("one"));
	ck_assert(load_goes_on(&(struct load){.now = NOW}, &view.link));
	ck_assert(!load_goes_on(&(struct load){.now = NOW + LINK_PENDING_MS + 1000}, &view.link));
	ck_assert(!load_goes_on(&(struct load){.now = NOW, .newest_text = SLICE("x")}, &view.link));
	/* Once it is answered, asking for it again is known. */
	ck_assert_int_eq(reply(&fixture, "r1", "r2", "one", false), STORE_OK);
	view = going_on(&fixture, "r1", NOW);
	ck_assert_uint_ne(view.same_exchange, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_forgotten_waits_no_more)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(reply(&fixture, "", "r0", "zero", false), STORE_OK);
	ck_assert_int_eq(reply(&fixture, "r0", "r1", "one", true), STORE_OK);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert(!going_on(&fixture, "r0", NOW).has_link);
	ck_assert(!going_on(&fixture, "r1", NOW).has_link);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(hiding_an_exchange_drops_the_turns_that_wait)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(reply(&fixture, "", "r0", "zero", false), STORE_OK);
	ck_assert_int_eq(reply(&fixture, "r0", "r1", "one", true), STORE_OK);
	ck_assert_int_eq(fixture_learned(&fixture, 1, NULL, 0, true), STORE_OK);
	const struct memory_view view = going_on(&fixture, "r1", NOW);
	ck_assert(!view.link.is_pending);
	ck_assert_uint_eq(view.link.user_text.size, 0);
	fixture_finish(&fixture);
}
END_TEST

enum { PENDING = 200 };

static size_t count_pending(struct fixture *fixture)
{
	size_t count = 0;
	for (int i = 0; i < PENDING; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "p%d", i);
		const struct memory_view view = going_on(fixture, id, now);
		ck_assert(view.has_link);
		ck_assert_int_eq(view.link.is_pending, view.link.user_text.size > 0);
		count += view.link.is_pending;
	}
	return count;
}

START_TEST(old_turns_that_wait_are_dropped_some_with_each_exchange)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < PENDING; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "p%d", i);
		ck_assert_int_eq(reply(&fixture, "conv:c", id, "one", true), STORE_OK);
	}
	ck_assert_int_eq(reply(&fixture, "conv:c", "r", "two", false), STORE_OK);
	ck_assert_uint_eq(count_pending(&fixture), PENDING);
	now += LINK_PENDING_MS + 1000;
	ck_assert_int_eq(reply(&fixture, "conv:c", "r", "three", false), STORE_OK);
	const size_t left = count_pending(&fixture);
	ck_assert(left < PENDING && left >= PENDING - 32);
	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(reply(&fixture, "conv:c", "r", "four", false), STORE_OK);
	ck_assert_uint_eq(count_pending(&fixture), 0);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_links", a_request_goes_on_where_the_reply_stands,
	  an_unknown_id_begins_a_conversation,
	  a_turn_that_waits_for_tools_is_gone_on_with_for_a_day, what_is_forgotten_waits_no_more,
	  hiding_an_exchange_drops_the_turns_that_wait,
	  old_turns_that_wait_are_dropped_some_with_each_exchange)
