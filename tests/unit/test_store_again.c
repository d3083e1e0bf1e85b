/* The first turn, asked again by a client without sessions. */
#include "tests/unit/store_fixture.h"

enum { MAP = 64 * 1024 * 1024, HOUR = 60 * 60 * 1000, AT = 100 };

static const char *const asked = "Where is Bonn?";

static struct append first_turn(bool complete)
{
	struct append append = fixture_exchange(asked, "On the", AT);
	append.started_at = AT;
	append.complete = complete;
	return append;
}

/* Looks for the exchange that a request with only this text repeats at this time. */
static uint64_t asks_again(struct fixture *fixture, const char *text, int64_t now)
{
	struct load load = {
		.user = fixture_key("alex"),
		.newest_hash = fixture_hash(text),
		.newest_text = slice_of(text),
		.now = now,
	};
	return fixture_load(fixture, &load).same_exchange;
}

START_TEST(a_reply_that_broke_off_is_asked_for_again)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = first_turn(false);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(asks_again(&fixture, asked, AT + 1), 1);
	ck_assert_uint_eq(asks_again(&fixture, asked, AT + HOUR - 1), 1);
	ck_assert_uint_eq(asks_again(&fixture, asked, AT + HOUR), 0);
	ck_assert_uint_eq(asks_again(&fixture, "Where is Ulm?", AT + 1), 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_whole_reply_is_not)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = first_turn(true);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(asks_again(&fixture, asked, AT + 1), 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_session_is_gone_on_with_under_its_name_alone)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = first_turn(false);
	append.session = SLICE("chat");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(asks_again(&fixture, asked, AT + 1), 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_conversation_that_went_on_is_left_alone)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = first_turn(false);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	append = fixture_exchange("And Ulm?", "On the", AT + 1);
	append.started_at = AT + 1;
	append.complete = false;
	append.conversation = 1;
	append.ordinal = 1;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(asks_again(&fixture, asked, AT + 2), 0);
	fixture_finish(&fixture);
}
END_TEST

/* Of a turn asked of two models at once: how many user turns stand, where the second request came
 * `later` milliseconds after the first reply was stored. */
static size_t turns_of_two(int64_t later)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = first_turn(true);
	append.session = SLICE("chat");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	append.started_at = AT + later;
	append.now = AT + HOUR;
	append.answer_text = SLICE("By the Rhine");
	append.answer_hash = fixture_hash("By the Rhine");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	const struct memory_view view = fixture_view(&fixture, "chat");
	size_t count = 0;
	for (size_t i = 0; i < view.turn_count; i++)
		count += view.turns[i].role == ROLE_USER;
	fixture_finish(&fixture);
	return count;
}

/* The second request may not have seen what was stored in the millisecond of its arrival. */
START_TEST(a_turn_that_two_models_answer_at_once_is_one)
{
	ck_assert_uint_eq(turns_of_two(-1), 1);
	ck_assert_uint_eq(turns_of_two(0), 1);
	ck_assert_uint_eq(turns_of_two(1), 2);
}
END_TEST

UNIT_MAIN("store_again", a_reply_that_broke_off_is_asked_for_again, a_whole_reply_is_not,
	  a_session_is_gone_on_with_under_its_name_alone, a_conversation_that_went_on_is_left_alone,
	  a_turn_that_two_models_answer_at_once_is_one)
