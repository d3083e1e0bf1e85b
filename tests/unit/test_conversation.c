#include "core/memory/position.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <string.h>

#define MATCH(...)                                                                                 \
	conversation_match((struct answer_hit[]){__VA_ARGS__},                                     \
			   sizeof((const struct answer_hit[]){__VA_ARGS__}) /                      \
				   sizeof(struct answer_hit))

START_TEST(no_hit_is_no_conversation)
{
	ck_assert_uint_eq(conversation_match(NULL, 0).conversation, 0);
	ck_assert_uint_eq(conversation_match(NULL, 0).answers, 0);
}
END_TEST

START_TEST(the_longest_run_wins_and_says_where_it_goes_on)
{
	struct conversation_match match =
		MATCH({.mark = 0, .conversation = 7, .ordinal = 3}, {0, 4, 0, false, true},
		      {1, 7, 4, false, false}, {2, 7, 5, false, false}, {2, 9, 0, false, true});
	ck_assert_uint_eq(match.conversation, 7);
	ck_assert_uint_eq(match.first_ordinal, 3);
	ck_assert_uint_eq(match.next_ordinal, 6);
	ck_assert_uint_eq(match.answers, 3);
}
END_TEST

START_TEST(a_gap_in_marks_or_ordinals_ends_a_run)
{
	struct conversation_match marks = MATCH({0, 1, 0, false, false}, {2, 1, 1, false, false});
	ck_assert_uint_eq(marks.answers, 1);
	ck_assert_uint_eq(marks.next_ordinal, 2);
	struct conversation_match ordinals =
		MATCH({0, 1, 0, false, false}, {1, 1, 2, false, false});
	ck_assert_uint_eq(ordinals.answers, 1);
	ck_assert_uint_eq(ordinals.next_ordinal, 3);
}
END_TEST

START_TEST(a_message_that_called_tools_shares_the_ordinal_of_its_answer)
{
	struct conversation_match match =
		MATCH({0, 2, 0, false, false}, {1, 2, 1, true, false}, {2, 2, 1, true, false},
		      {3, 2, 1, false, false}, {4, 2, 2, false, false});
	ck_assert_uint_eq(match.conversation, 2);
	ck_assert_uint_eq(match.answers, 3);
	ck_assert_uint_eq(match.next_ordinal, 3);
}
END_TEST

START_TEST(after_an_open_tool_call_the_answer_is_still_to_come)
{
	struct conversation_match match = MATCH({0, 2, 4, false, false}, {1, 2, 5, true, false});
	ck_assert_uint_eq(match.next_ordinal, 5);
	ck_assert_uint_eq(match.answers, 1);
}
END_TEST

START_TEST(user_turns_break_ties_then_the_later_run_then_the_newer_conversation)
{
	ck_assert_uint_eq(
		MATCH({0, 5, 0, false, false}, {0, 3, 0, false, true}, {1, 6, 0, false, false})
			.conversation,
		3);
	ck_assert_uint_eq(MATCH({0, 5, 0, false, false}, {1, 3, 0, false, false}).conversation, 3);
	ck_assert_uint_eq(
		MATCH({0, 5, 0, false, false}, {0, 8, 0, false, false}, {0, 6, 0, false, false})
			.conversation,
		8);
}
END_TEST

START_TEST(user_turns_never_outweigh_a_longer_run)
{
	struct conversation_match match =
		MATCH({0, 5, 0, false, false}, {0, 6, 0, false, true}, {1, 5, 1, false, false});
	ck_assert_uint_eq(match.conversation, 5);
}
END_TEST

START_TEST(the_same_answer_twice_in_one_conversation_keeps_both_runs_possible)
{
	struct conversation_match match =
		MATCH({0, 1, 0, false, false}, {0, 1, 3, false, false}, {1, 1, 1, false, false},
		      {1, 1, 4, false, false}, {2, 1, 5, false, false});
	ck_assert_uint_eq(match.first_ordinal, 3);
	ck_assert_uint_eq(match.next_ordinal, 6);
}
END_TEST

START_TEST(the_last_possible_ordinal_does_not_wrap)
{
	ck_assert_uint_eq(MATCH({0, 1, UINT32_MAX, false, false}).next_ordinal, UINT32_MAX);
}
END_TEST

START_TEST(of_equal_places_in_a_conversation_the_later_one_wins)
{
	struct conversation_match match = MATCH({0, 1, 0, false, false}, {0, 1, 5, false, false});
	ck_assert_uint_eq(match.first_ordinal, 5);
	/* Unless the user turn tells them apart. */
	match = MATCH({0, 1, 0, false, true}, {0, 1, 5, false, false});
	ck_assert_uint_eq(match.first_ordinal, 0);
}
END_TEST

START_TEST(the_last_mark_of_the_run_is_told)
{
	struct conversation_match match =
		MATCH({3, 1, 0, false, false}, {4, 1, 1, false, false}, {7, 1, 9, false, false});
	ck_assert_uint_eq(match.last_mark, 4);
}
END_TEST

/* Every run from every hit, by the words of the header. */
static struct conversation_match match_slowly(const struct answer_hit *hits, size_t count)
{
	struct conversation_match best = {0};
	uint64_t most[5] = {0};
	for (size_t i = 0; i < count; i++) {
		const struct answer_hit *last = &hits[i];
		size_t answers = !last->unfinished;
		uint64_t rank[5] = {1, last->user_matches};
		for (size_t j = i + 1; j < count; j++) {
			if (hits[j].mark != last->mark + 1 ||
			    hits[j].conversation != last->conversation ||
			    hits[j].ordinal != last->ordinal + !last->unfinished)
				continue;
			last = &hits[j];
			answers += !last->unfinished;
			rank[0]++;
			rank[1] += last->user_matches;
		}
		rank[2] = last->mark;
		rank[3] = hits[i].conversation;
		rank[4] = hits[i].ordinal;
		size_t at = 0;
		while (at < 4 && rank[at] == most[at])
			at++;
		if (best.conversation != 0 && rank[at] <= most[at])
			continue;
		memcpy(most, rank, sizeof(most));
		best = (struct conversation_match){hits[i].conversation, hits[i].ordinal,
						   last->ordinal + !last->unfinished, answers,
						   last->mark};
	}
	return best;
}

START_TEST(random_hits_match_as_if_every_run_were_followed)
{
	enum { MARKS = 12, CONVERSATIONS = 2, ORDINALS = 6 };
	struct random random = {3};
	for (int round = 0; round < 3000; round++) {
		struct answer_hit hits[MARKS * CONVERSATIONS * ORDINALS];
		size_t count = 0;
		size_t rarity = 1 + random_below(&random, 4);
		for (size_t i = 0; i < MARKS * CONVERSATIONS * ORDINALS; i++) {
			if (random_below(&random, rarity) == 0)
				hits[count++] = (struct answer_hit){
					.mark = i / (CONVERSATIONS * ORDINALS),
					.conversation =
						1 + (uint32_t)(i / ORDINALS % CONVERSATIONS),
					.ordinal = (uint32_t)(i % ORDINALS),
					.unfinished = random_below(&random, 4) == 0,
					.user_matches = random_below(&random, 2) == 0};
		}
		struct conversation_match wanted = match_slowly(hits, count);
		struct conversation_match match = conversation_match(hits, count);
		ck_assert_uint_eq(match.conversation, wanted.conversation);
		ck_assert_uint_eq(match.first_ordinal, wanted.first_ordinal);
		ck_assert_uint_eq(match.next_ordinal, wanted.next_ordinal);
		ck_assert_uint_eq(match.answers, wanted.answers);
		ck_assert_uint_eq(match.last_mark, wanted.last_mark);
	}
}
END_TEST

START_TEST(an_edit_shares_half_of_its_words)
{
	ck_assert(conversation_is_edit(SLICE("I live in Bonn"), SLICE("I live in Rome, now")));
	ck_assert(conversation_is_edit(SLICE("I LIVE in Bonn"), SLICE("i live in bonn")));
	ck_assert(!conversation_is_edit(SLICE("I live in Bonn"), SLICE("What is a monad?")));
	ck_assert(!conversation_is_edit(SLICE("Bonn"), SLICE("a text that names Bonn in passing")));
	ck_assert(!conversation_is_edit(SLICE(""), SLICE("")));
	ck_assert(conversation_is_edit(
		SLICE("\xe6\x88\x91\xe4\xbd\x8f\xe5\x9c\xa8\xe5\x8c\x97\xe4\xba\xac"),
		SLICE("\xe6\x88\x91\xe4\xbd\x8f\xe5\x9c\xa8\xe4\xb8\x8a\xe6\xb5\xb7")));
}
END_TEST

START_TEST(wrapped_is_what_lies_in_something_long)
{
	char whole[200];
	memset(whole, 'x', sizeof(whole));
	memcpy(whole + 90, " i live in BONN ", 16);
	struct slice long_text = {whole, sizeof(whole)};
	ck_assert(conversation_is_wrapped(long_text, SLICE("I live in Bonn")));
	ck_assert(!conversation_is_wrapped(long_text, SLICE("I live in Rome")));
	ck_assert(!conversation_is_wrapped(SLICE("I live in Bonn"), long_text));
	ck_assert(!conversation_is_wrapped(SLICE("I like tea and coffee"), SLICE("I like tea")));
	ck_assert(!conversation_is_wrapped(long_text, SLICE("")));
}
END_TEST

START_TEST(a_history_is_certain_from_its_first_exchange_that_is_known)
{
	static const struct past_exchange carried[] = {
		{.ordinal = 3}, {.id = 9, .ordinal = 4}, {.ordinal = 5}, {.id = 11, .ordinal = 6}};
	ck_assert_uint_eq(conversation_certain_from((struct past_exchanges){carried, 4}, 7), 4);
	ck_assert_uint_eq(conversation_certain_from((struct past_exchanges){carried, 1}, 4), 4);
	ck_assert_uint_eq(conversation_certain_from((struct past_exchanges){0}, 2), 2);
}
END_TEST

static struct past_conversation advanced(struct past_conversation conversation,
					 struct append append, uint32_t ordinal, bool branches)
{
	conversation_advance(&conversation, &append, ordinal, branches);
	return conversation;
}

START_TEST(a_complete_answer_moves_its_conversation_on)
{
	const struct past_conversation before = {.answers = 3, .last_active = 50};
	const struct append append = {.complete = true, .journal = true, .now = 60};
	struct past_conversation after = advanced(before, append, 3, false);
	ck_assert_uint_eq(after.answers, 4);
	ck_assert_int_eq(after.last_active, 60);
	ck_assert(!after.branched);
	ck_assert(!after.carries_history);
	/* An older place that is answered again leaves the end where it is. */
	ck_assert_uint_eq(advanced(before, append, 1, false).answers, 3);
}
END_TEST

START_TEST(a_broken_reply_and_one_that_calls_tools_leave_the_place_open)
{
	const struct past_conversation before = {.answers = 3, .last_active = 50};
	const struct append broken = {.journal = true, .now = 40, .carries_history = true};
	const struct append calls = {.complete = true, .now = 60};
	struct past_conversation after = advanced(before, broken, 3, false);
	ck_assert_uint_eq(after.answers, 3);
	ck_assert_int_eq(after.last_active, 50);
	ck_assert(after.carries_history);
	ck_assert_uint_eq(advanced(before, calls, 3, false).answers, 3);
}
END_TEST

START_TEST(a_branch_ends_its_conversation_where_it_begins)
{
	const struct past_conversation before = {.answers = 9};
	const struct append append = {.complete = true, .journal = true};
	struct past_conversation after = advanced(before, append, 2, true);
	ck_assert_uint_eq(after.answers, 3);
	ck_assert(after.branched);
	ck_assert_uint_eq(advanced(before, (struct append){.journal = true}, 2, true).answers, 2);
}
END_TEST

UNIT_MAIN("conversation", a_complete_answer_moves_its_conversation_on,
	  a_broken_reply_and_one_that_calls_tools_leave_the_place_open,
	  a_branch_ends_its_conversation_where_it_begins,
	  a_history_is_certain_from_its_first_exchange_that_is_known,
	  random_hits_match_as_if_every_run_were_followed, no_hit_is_no_conversation,
	  the_longest_run_wins_and_says_where_it_goes_on, a_gap_in_marks_or_ordinals_ends_a_run,
	  a_message_that_called_tools_shares_the_ordinal_of_its_answer,
	  after_an_open_tool_call_the_answer_is_still_to_come,
	  user_turns_break_ties_then_the_later_run_then_the_newer_conversation,
	  user_turns_never_outweigh_a_longer_run,
	  the_same_answer_twice_in_one_conversation_keeps_both_runs_possible,
	  the_last_possible_ordinal_does_not_wrap,
	  of_equal_places_in_a_conversation_the_later_one_wins, the_last_mark_of_the_run_is_told,
	  an_edit_shares_half_of_its_words, wrapped_is_what_lies_in_something_long)
