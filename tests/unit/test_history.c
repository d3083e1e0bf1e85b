#include "core/chat/history.h"
#include "core/dialect/dialect.h"

#include "tests/unit/unit.h"

#include <string.h>

enum { LIMIT = 3000, THIRD = LIMIT / 3 };

/* A request that is written message by message. */
struct draft {
	struct arena arena;
	struct buffer body;
	struct request request;
};

static void setup(struct draft *draft)
{
	*draft = (struct draft){0};
	buffer_init(&draft->body, 4 << 20);
	(void)buffer_append(&draft->body, SLICE("{\"messages\":["));
}

static void teardown(struct draft *draft)
{
	buffer_finish(&draft->body);
	arena_finish(&draft->arena);
}

static void add_json(struct draft *draft, const char *message)
{
	if (draft->body.data[draft->body.size - 1] != '[')
		(void)buffer_append_byte(&draft->body, ',');
	(void)buffer_append(&draft->body, slice_of(message));
}

/* A message whose text is of so many tokens. */
static void add(struct draft *draft, const char *role, size_t tokens)
{
	add_json(draft, "{\"role\":\"");
	(void)buffer_printf(&draft->body, "%s\",\"content\":\"", role);
	for (size_t i = 0; i < tokens; i++)
		(void)buffer_append(&draft->body, SLICE("WORD"));
	(void)buffer_append(&draft->body, SLICE("\"}"));
}

static void add_exchange(struct draft *draft, size_t tokens)
{
	add(draft, "user", tokens / 2);
	add(draft, "assistant", tokens / 2);
}

/* The cut of what was written so far; more can be written behind it. */
static struct history_cut choose(struct draft *draft, struct history_limits limits)
{
	size_t size = draft->body.size;
	(void)buffer_append(&draft->body, SLICE("]}"));
	struct slice body = arena_copy(&draft->arena, buffer_slice(&draft->body));
	draft->body.size = size;
	ck_assert_int_eq(dialect_chat.scan(&draft->request, body, &draft->arena), REQUEST_OK);
	return history_choose_cut(&draft->request, &limits, &draft->arena);
}

static void assert_no_cut(struct history_cut cut)
{
	ck_assert_uint_eq(cut.first, cut.end);
	ck_assert_uint_eq(cut.cut_before, 0);
	ck_assert_uint_eq(cut.tokens, 0);
}

static const struct history_limits all_covered = {.tokens = LIMIT, .covered = UINT32_MAX};

START_TEST(a_short_history_is_left_whole)
{
	struct draft draft;
	setup(&draft);
	assert_no_cut(choose(&draft, all_covered));
	add(&draft, "system", 5 * LIMIT);
	for (int i = 0; i < 13; i++)
		add_exchange(&draft, LIMIT / 15);
	add(&draft, "user", 5 * LIMIT);
	struct history_cut cut = choose(&draft, all_covered);
	assert_no_cut(cut);
	ck_assert_uint_gt(cut.total, LIMIT / 2);
	ck_assert_uint_le(cut.total, LIMIT);
	teardown(&draft);
}
END_TEST

START_TEST(the_cut_stands_until_another_third_has_come)
{
	struct draft draft;
	struct history_cut last = {0};
	size_t moved_at = 0;
	size_t moves = 0;
	setup(&draft);
	add(&draft, "system", 100);
	for (int i = 0; i < 300; i++) {
		add(&draft, "user", 40);
		struct history_cut cut = choose(&draft, all_covered);
		ck_assert_uint_ge(cut.end, last.end);
		if (cut.total <= LIMIT)
			ck_assert_uint_eq(cut.first, cut.end);
		else
			ck_assert_uint_le((cut.total - cut.tokens) * 3, LIMIT * 2);
		if (cut.end > 1 && cut.end != last.end) {
			/* A little less than an exchange is over; the first cut takes two. */
			ck_assert_uint_ge(cut.total - moved_at + 100, THIRD);
			ck_assert_uint_le(cut.tokens, (moves + 2) * (THIRD + 1) + 100);
			ck_assert_uint_ge(cut.tokens, (moves + 2) * THIRD);
			moved_at = cut.total;
			moves++;
		}
		last = cut;
		add(&draft, "assistant", 40);
	}
	ck_assert_uint_gt(moves, 5);
	ck_assert_uint_eq((last.total - LIMIT * 2 / 3 + THIRD) / (THIRD + 1), moves + 1);
	teardown(&draft);
}
END_TEST

/* The limit follows what the upstream counts, from reply to reply. */
START_TEST(a_cut_that_leaves_room_enough_stands_when_the_limit_moves)
{
	struct draft draft;
	uint32_t standing = 0;
	size_t moves = 0;
	setup(&draft);
	for (size_t i = 0; i < 300; i++) {
		add(&draft, "user", 40);
		struct history_limits limits = {.tokens = LIMIT + i * 37 % 200 - 100,
						.covered = UINT32_MAX,
						.standing = standing};
		struct history_cut cut = choose(&draft, limits);
		ck_assert_uint_ge(cut.cut_before, standing);
		ck_assert_uint_le(cut.total - cut.tokens, limits.tokens);
		moves += cut.cut_before != standing;
		standing = cut.cut_before;
		add(&draft, "assistant", 40);
	}
	ck_assert_uint_gt(moves, 5);
	ck_assert_uint_le(moves, 300 * 88 / THIRD + 1);
	teardown(&draft);
}
END_TEST

START_TEST(a_long_history_goes_up_in_a_quarter)
{
	for (size_t exchanges = 560; exchanges < 650; exchanges += 7) {
		struct draft draft;
		setup(&draft);
		for (size_t i = 0; i < exchanges; i++)
			add_exchange(&draft, 90);
		add(&draft, "user", 10);
		struct history_limits limits = {.tokens = 16000, .covered = UINT32_MAX};
		struct history_cut cut = choose(&draft, limits);
		ck_assert_uint_gt(cut.total, 54000);
		/* With room for memory, which may have a quarter of the limit. */
		ck_assert_uint_le(cut.total - cut.tokens + 4000, 15000);
		ck_assert_uint_ge(cut.total - cut.tokens, 16000 / 3 - 200);
		teardown(&draft);
	}
}
END_TEST

START_TEST(the_cut_ends_before_a_user_message_and_tool_groups_stay_whole)
{
	struct draft draft;
	setup(&draft);
	add(&draft, "system", 10);
	add(&draft, "developer", 10);
	add_exchange(&draft, 1200);
	add(&draft, "user", 200);
	add_json(&draft, "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"}]}");
	add(&draft, "tool", 300);
	add_json(&draft, "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"b\"}]}");
	add(&draft, "tool", 300);
	add(&draft, "assistant", 100);
	add_exchange(&draft, 1200);
	add(&draft, "user", 10);
	struct history_limits limits = {.tokens = LIMIT, .ordinal = 7, .covered = 99};
	struct history_cut cut = choose(&draft, limits);
	ck_assert_uint_eq(cut.first, 2);
	ck_assert_uint_eq(cut.end, 10);
	ck_assert_uint_eq(cut.cut_before, 9);
	ck_assert(request_can_cut(&draft.request, cut.first, cut.end));
	teardown(&draft);
}
END_TEST

START_TEST(what_memory_does_not_hold_stays)
{
	struct draft draft;
	struct history_cut cuts[61];
	setup(&draft);
	for (int i = 0; i < 60; i++)
		add_exchange(&draft, 100);
	add(&draft, "user", 10);
	size_t steps = 0;
	for (uint32_t covered = 0; covered <= 60; covered++) {
		struct history_limits limits = {.tokens = LIMIT, .covered = covered};
		cuts[covered] = choose(&draft, limits);
		ck_assert_uint_le(cuts[covered].cut_before, covered);
		ck_assert_uint_eq(cuts[covered].end, 2 * (size_t)cuts[covered].cut_before);
		if (covered > 0 && cuts[covered].end != cuts[covered - 1].end) {
			ck_assert_uint_gt(cuts[covered].tokens,
					  cuts[covered - 1].tokens + THIRD - 120);
			steps++;
		}
	}
	assert_no_cut(cuts[0]);
	assert_no_cut(cuts[5]);
	ck_assert_uint_eq(steps, 5);
	ck_assert_uint_eq(cuts[60].end, choose(&draft, all_covered).end);
	teardown(&draft);
}
END_TEST

START_TEST(a_fixed_cut_ends_at_its_ordinal_or_nowhere)
{
	struct draft draft;
	setup(&draft);
	for (int i = 0; i < 60; i++)
		add_exchange(&draft, 100);
	add(&draft, "user", 10);
	uint32_t fixed = 12;
	struct history_limits limits = {.tokens = LIMIT, .ordinal = 5, .fixed = &fixed};
	struct history_cut cut = choose(&draft, limits);
	ck_assert_uint_eq(cut.end, 14);
	ck_assert_uint_eq(cut.cut_before, 12);
	ck_assert_uint_gt(cut.tokens, 0);
	fixed = 0;
	assert_no_cut(choose(&draft, limits));
	fixed = 500;
	assert_no_cut(choose(&draft, limits));
	teardown(&draft);
}
END_TEST

START_TEST(a_cut_that_waits_for_memory_says_so)
{
	struct draft draft;
	setup(&draft);
	for (int i = 0; i < 60; i++)
		add_exchange(&draft, 100);
	add(&draft, "user", 10);
	ck_assert(!choose(&draft, all_covered).falls_short);
	struct history_limits limits = {.tokens = LIMIT, .covered = 20};
	ck_assert(choose(&draft, limits).falls_short);
	limits.covered = 0;
	ck_assert(choose(&draft, limits).falls_short);
	teardown(&draft);
}
END_TEST

START_TEST(an_exchange_is_a_user_turn_with_its_final_answer)
{
	struct draft draft;
	setup(&draft);
	add(&draft, "assistant", 10); /* a greeting answers nobody */
	add(&draft, "user", 10);
	add(&draft, "user", 10); /* one turn in two messages */
	add(&draft, "assistant", 10);
	add(&draft, "assistant", 10); /* and two answers */
	add(&draft, "user", 10);
	add_json(&draft, "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"}]}");
	add(&draft, "tool", 10);
	add(&draft, "user", 10); /* asked again without an answer */
	add(&draft, "assistant", LIMIT);
	add(&draft, "user", 10);
	struct history_cut cut = choose(&draft, all_covered);
	ck_assert_uint_eq(cut.first, 0);
	ck_assert_uint_eq(cut.end, 10);
	/* The store counts the greeting and the second answer too. */
	ck_assert_uint_eq(cut.cut_before, 4);
	teardown(&draft);
}
END_TEST

START_TEST(only_whole_exchanges_are_taken_out)
{
	struct draft draft;
	setup(&draft);
	add(&draft, "assistant", LIMIT); /* a greeting is no exchange */
	add(&draft, "user", 10);
	add_json(&draft, "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"}]}");
	add(&draft, "tool", 2 * LIMIT);
	assert_no_cut(choose(&draft, all_covered));
	add(&draft, "user", 10); /* before the answer came */
	assert_no_cut(choose(&draft, all_covered));
	add(&draft, "assistant", 10);
	add(&draft, "user", 10);
	struct history_cut cut = choose(&draft, all_covered);
	ck_assert_uint_eq(cut.end, 6);
	ck_assert_uint_eq(cut.cut_before, 2);
	teardown(&draft);

	setup(&draft);
	add_exchange(&draft, 10);
	add(&draft, "user", 10);
	add_json(&draft, "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"}]}");
	add(&draft, "tool", LIMIT);
	add(&draft, "user", 10);
	assert_no_cut(choose(&draft, all_covered));
	teardown(&draft);
}
END_TEST

START_TEST(the_newest_turn_and_what_follows_it_never_move_the_cut)
{
	struct draft draft;
	setup(&draft);
	for (int i = 0; i < 40; i++)
		add_exchange(&draft, 100);
	add(&draft, "user", 10);
	struct history_cut first = choose(&draft, all_covered);
	ck_assert_uint_gt(first.end, 0);
	for (int i = 0; i < 20; i++) {
		add_json(&draft, "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"}]}");
		add(&draft, "tool", LIMIT);
		ck_assert_uint_eq(choose(&draft, all_covered).end, first.end);
	}
	teardown(&draft);
}
END_TEST

START_TEST(system_messages_between_the_turns_are_no_part_of_the_history)
{
	struct draft draft;
	struct draft plain;
	setup(&draft);
	setup(&plain);
	for (int i = 0; i < 10; i++) {
		add_exchange(&draft, 1100);
		add_exchange(&plain, 1100);
		add(&draft, "system", 5 * LIMIT);
	}
	add(&draft, "user", 10);
	add(&plain, "user", 10);
	struct history_cut cut = choose(&draft, all_covered);
	struct history_cut same = choose(&plain, all_covered);
	ck_assert_uint_gt(cut.cut_before, 5);
	ck_assert_uint_eq(cut.cut_before, same.cut_before);
	ck_assert_uint_eq(cut.end, 3 * cut.cut_before);
	ck_assert_uint_eq(cut.tokens, same.tokens);
	ck_assert_uint_eq(cut.total, same.total);
	/* It stands where it stood. */
	struct history_limits limits = all_covered;
	limits.fixed = &same.cut_before;
	ck_assert_uint_eq(choose(&draft, limits).end, cut.end);
	teardown(&draft);
	teardown(&plain);
}
END_TEST

START_TEST(of_what_stays_whole_nothing_is_taken_out)
{
	struct draft draft;
	const uint32_t fixed = 1;
	struct history_limits limits = all_covered;
	setup(&draft);
	for (int i = 0; i < 10; i++)
		add_exchange(&draft, 1100);
	add(&draft, "user", 10);
	(void)choose(&draft, all_covered);
	for (size_t i = 0; i < 4; i++)
		draft.request.steps[i].stays = true;
	struct history_cut cut = history_choose_cut(&draft.request, &all_covered, &draft.arena);
	ck_assert_uint_eq(cut.first, 4);
	ck_assert_uint_gt(cut.end, 4);
	ck_assert_uint_eq(cut.cut_before, cut.end / 2);
	limits.fixed = &fixed;
	assert_no_cut(history_choose_cut(&draft.request, &limits, &draft.arena));
	for (size_t i = 0; i < draft.request.step_count; i++)
		draft.request.steps[i].stays = true;
	assert_no_cut(history_choose_cut(&draft.request, &all_covered, &draft.arena));
	teardown(&draft);
}
END_TEST

START_TEST(parts_and_tool_calls_have_their_tokens)
{
	struct draft draft;
	setup(&draft);
	add_json(&draft, "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"abcd\"},"
			 "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:...\"}}]}");
	add_json(&draft, "{\"role\":\"assistant\",\"content\":\"ok\"}");
	add(&draft, "user", 1);
	ck_assert_uint_eq(choose(&draft, all_covered).total, 4 + 1 + 800 + 4 + 1);
	teardown(&draft);

	setup(&draft);
	add(&draft, "user", 1);
	add_json(&draft, "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\","
			 "\"function\":{\"arguments\":\"{\\\"city\\\":\\\"Lisbon\\\"}\"}}]}");
	add(&draft, "tool", 1);
	add(&draft, "assistant", 1);
	add(&draft, "user", 1);
	ck_assert_uint_gt(choose(&draft, all_covered).total, 4 * 4 + 3 + 20);
	teardown(&draft);
}
END_TEST

START_TEST(any_limit_is_stood)
{
	static const size_t limits[] = {0, 1, 2, 3, SIZE_MAX};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct draft draft;
		setup(&draft);
		struct history_limits limit = {.tokens = limits[i], .covered = UINT32_MAX};
		assert_no_cut(choose(&draft, limit));
		for (int j = 0; j < 4; j++)
			add_exchange(&draft, 10);
		add(&draft, "user", 10);
		ck_assert_uint_eq(choose(&draft, limit).end, limits[i] == SIZE_MAX ? 0 : 8);
		teardown(&draft);
	}
}
END_TEST

UNIT_MAIN("history", a_short_history_is_left_whole, the_cut_stands_until_another_third_has_come,
	  a_cut_that_leaves_room_enough_stands_when_the_limit_moves,
	  a_long_history_goes_up_in_a_quarter,
	  the_cut_ends_before_a_user_message_and_tool_groups_stay_whole,
	  what_memory_does_not_hold_stays, a_fixed_cut_ends_at_its_ordinal_or_nowhere,
	  a_cut_that_waits_for_memory_says_so, an_exchange_is_a_user_turn_with_its_final_answer,
	  only_whole_exchanges_are_taken_out,
	  the_newest_turn_and_what_follows_it_never_move_the_cut,
	  system_messages_between_the_turns_are_no_part_of_the_history,
	  of_what_stays_whole_nothing_is_taken_out, parts_and_tool_calls_have_their_tokens,
	  any_limit_is_stood)
