#include "tests/unit/store_fixture.h"

#include <stdlib.h>

enum { MAP = 64 * 1024 * 1024 };

/* An exchange of the session "chat" at an ordinal, with what was recalled for its user turn. */
static enum store_result replay(struct fixture *fixture, uint32_t ordinal, const char *user_text,
				const char *recalled, const struct frozen *frozen)
{
	static int64_t now = 100;
	struct append append = fixture_exchange(user_text, "fine", now++);
	struct replay made = {.ordinal = ordinal,
			      .user_hash = append.user_hash,
			      .tokens = 7,
			      .text = slice_of(recalled),
			      .receipt_items = SLICE("[1]"),
			      .turns = (const uint64_t[]){2, UINT64_MAX},
			      .turn_count = 2,
			      .facts = (const uint64_t[]){1},
			      .fact_count = 1};
	append.started_at = append.now;
	append.session = SLICE("chat");
	append.conversation = fixture_view(fixture, "chat").conversation;
	append.ordinal = ordinal;
	append.frozen = frozen;
	append.replay = recalled == NULL ? NULL : &made;
	return fixture_append(fixture, &append);
}

START_TEST(replays_come_back_byte_for_byte_by_ordinal)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(replay(&fixture, 0, "one", "<first>", NULL), STORE_OK);
	ck_assert_int_eq(replay(&fixture, 1, "two", NULL, NULL), STORE_OK);
	ck_assert_int_eq(replay(&fixture, 2, "three", "<third>", NULL), STORE_OK);
	fixture_reopen(&fixture);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.replay_count, 2);
	unit_assert_slice(view.replays[0].text, "<first>");
	ck_assert_uint_eq(view.replays[0].ordinal, 0);
	ck_assert_uint_eq(view.replays[0].user_hash, fixture_hash("one"));
	ck_assert_uint_eq(view.replays[0].tokens, 7);
	unit_assert_slice(view.replays[0].receipt_items, "[1]");
	ck_assert_uint_eq(view.replays[0].turn_count, 2);
	ck_assert_uint_eq(view.replays[0].turns[1], UINT64_MAX);
	ck_assert_uint_eq(view.replays[0].fact_count, 1);
	ck_assert_uint_eq(view.replays[1].ordinal, 2);
	ck_assert_uint_eq(fixture_view(&fixture, "other").replay_count, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(two_turns_at_one_ordinal_keep_their_own_and_the_newest_is_last)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(replay(&fixture, 0, "one", "<a>", NULL), STORE_OK);
	ck_assert_int_eq(replay(&fixture, 0, "another", "<b>", NULL), STORE_OK);
	ck_assert_int_eq(replay(&fixture, 0, "one", "<c>", NULL), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.replay_count, 2);
	unit_assert_slice(view.replays[0].text, "<b>");
	unit_assert_slice(view.replays[1].text, "<c>");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_new_frozen_context_ends_the_replays_before_it)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct frozen frozen = {.block = SLICE("block"), .cut_before = 3};
	ck_assert_int_eq(replay(&fixture, 0, "one", "<a>", NULL), STORE_OK);
	ck_assert_int_eq(replay(&fixture, 1, "two", "<b>", &frozen), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.frozen.cut_before, 3);
	ck_assert_uint_eq(view.replay_count, 1);
	unit_assert_slice(view.replays[0].text, "<b>");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_hidden_leaves_the_replays_and_so_does_a_forgotten_user)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(replay(&fixture, 0, "I owe Bob money", "<Bob>", NULL), STORE_OK);
	struct append late = fixture_exchange("hm", "well", 300);
	struct replay given = {.ordinal = 1, .user_hash = late.user_hash, .text = SLICE("<Bob>")};
	late.conversation = 1;
	late.ordinal = 1;
	late.replay = &given;
	late.forget_epoch = fixture_view(&fixture, "chat").forget_epoch;
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("Bob"), .observed_at = 300}};
	ck_assert_int_eq(fixture_learned(&fixture, 1, &hide, 1, false), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").replay_count, 0);
	/* Nor is what a request was given before it kept behind it. */
	ck_assert_int_eq(fixture_append(&fixture, &late), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").replay_count, 0);

	ck_assert_int_eq(replay(&fixture, 2, "more", "<c>", NULL), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").replay_count, 1);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_int_eq(replay(&fixture, 0, "back", NULL, NULL), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").replay_count, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(one_read_of_replays_is_bounded_and_gives_the_newest)
{
	enum { SIZE = 6 * 1024 * 1024 };
	struct fixture fixture;
	fixture_init(&fixture, (uint64_t)MAP * 8);
	char *large = xcalloc(1, SIZE + 1);
	for (size_t i = 0; i < SIZE; i++)
		large[i] = 'x';
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_int_eq(replay(&fixture, i, "question", large, NULL), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.replay_count, 2);
	ck_assert_uint_eq(view.replays[1].ordinal, 3);
	free(large);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_replays", replays_come_back_byte_for_byte_by_ordinal,
	  two_turns_at_one_ordinal_keep_their_own_and_the_newest_is_last,
	  a_new_frozen_context_ends_the_replays_before_it,
	  what_is_hidden_leaves_the_replays_and_so_does_a_forgotten_user,
	  one_read_of_replays_is_bounded_and_gives_the_newest)
