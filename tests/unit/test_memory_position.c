#include "core/memory/position.h"
#include "tests/unit/unit.h"

/* Where a request stands in its conversation, without a store. User turn n of the tests' histories
 * has the hash n, its answer the hash 100 + n. */

enum { HISTORY = 3, HOUR = 60 * 60 * 1000 };

static const struct answer_fingerprint history[HISTORY] = {{.hash = 101, .user_hash = 1},
							   {.hash = 102, .user_hash = 2},
							   {.hash = 103, .user_hash = 3}};
static const struct conversation_match no_match;

/* A request of a session that carries the first `answers` of the history. */
static struct load asking(uint64_t hash, const char *text, size_t answers)
{
	return (struct load){.session = SLICE("chat"),
			     .fingerprints = history,
			     .fingerprint_count = answers,
			     .newest_hash = hash,
			     .newest_text = slice_of(text)};
}

static struct past_exchange stored(uint32_t ordinal, uint64_t id, uint64_t hash, const char *text)
{
	return (struct past_exchange){
		.id = id, .ordinal = ordinal, .user_hash = hash, .text = slice_of(text)};
}

/* The first `count` user turns of the history where they were said. */
static struct past_exchanges asked(size_t count)
{
	static const struct past_exchange turns[] = {{.user_hash = 1, .ordinal = 0},
						     {.user_hash = 2, .ordinal = 1},
						     {.user_hash = 3, .ordinal = 2}};
	return (struct past_exchanges){turns, count};
}

static struct conversation_match matched(uint32_t next_ordinal, size_t answers, size_t last_mark)
{
	return (struct conversation_match){.conversation = 1,
					   .next_ordinal = next_ordinal,
					   .answers = answers,
					   .last_mark = last_mark};
}

static struct position_known known(const struct load *load, struct past_conversation conversation,
				   struct conversation_match match, struct past_exchanges turns)
{
	return (struct position_known){.load = load,
				       .conversation_id = 1,
				       .conversation = conversation,
				       .match = match,
				       .asked = turns,
				       .first = UINT32_MAX};
}

static struct position find(struct load load, struct past_conversation conversation,
			    struct conversation_match match, struct past_exchanges turns)
{
	const struct position_known request = known(&load, conversation, match, turns);
	return position_find(&request);
}

/* The position of a request in whose conversation this exchange alone stands. */
static struct position find_first(struct load load, struct past_conversation conversation,
				  const struct past_exchange *first)
{
	struct position_known request = known(&load, conversation, no_match, asked(0));
	request.first = first->ordinal;
	request.at_first = (struct past_exchanges){first, 1};
	if (first->ordinal == 0)
		request.at_begin = request.at_first;
	return position_find(&request);
}

static unsigned reads(struct load load, struct past_conversation conversation,
		      struct conversation_match match)
{
	const struct position_known request = known(&load, conversation, match, asked(0));
	return position_reads(&request);
}

/* ---- what stands where ---- */

START_TEST(the_newest_exchange_of_a_state_is_found_at_its_ordinal)
{
	struct past_exchange list[] = {stored(0, 1, 7, "a"), stored(1, 3, 7, "a"),
				       stored(1, 5, 7, "a"), stored(1, 9, 7, "a"),
				       stored(2, 11, 7, "a")};
	const struct past_exchanges in = {list, 5};
	list[3].state = TURN_SUPERSEDED;
	ck_assert_uint_eq(exchanges_find(in, 1, 7, TURN_CURRENT)->id, 5);
	ck_assert_uint_eq(exchanges_find(in, 1, 7, TURN_SUPERSEDED)->id, 9);
	ck_assert_ptr_null(exchanges_find(in, 1, 7, TURN_HIDDEN));
	ck_assert_ptr_null(exchanges_find(in, 1, 8, TURN_CURRENT));
	ck_assert_ptr_null(exchanges_find(in, 3, 7, TURN_CURRENT));
	ck_assert_uint_eq(exchanges_find_any(in, 1, 7)->id, 5);
	list[1].state = list[2].state = TURN_HIDDEN;
	ck_assert_uint_eq(exchanges_find_any(in, 1, 7)->id, 9);
	list[0].user_hash = 0;
	ck_assert_ptr_null(exchanges_find(in, 0, 0, TURN_CURRENT));
}
END_TEST

/* ---- where in it ---- */

START_TEST(a_history_that_is_found_again_goes_on_behind_it)
{
	const struct past_conversation conversation = {.answers = 9};
	struct position position =
		find(asking(4, "hm", 3), conversation, matched(3, 3, 2), asked(0));
	ck_assert_uint_eq(position.next_ordinal, 3);
	ck_assert_uint_eq(position.carried_from, 0);
	/* Answers behind the last that was found count too. */
	position = find(asking(4, "hm", 3), conversation, matched(6, 1, 0), asked(0));
	ck_assert_uint_eq(position.next_ordinal, 8);
	ck_assert_uint_eq(position.carried_from, 5);
}
END_TEST

START_TEST(a_client_that_sends_its_newest_message_goes_on_at_the_end)
{
	const struct position position = find(
		asking(4, "hm", 0), (struct past_conversation){.answers = 9}, no_match, asked(3));
	ck_assert_uint_eq(position.next_ordinal, 9);
	ck_assert_uint_eq(position.carried_from, UINT32_MAX);
	ck_assert(!position.is_certain);
}
END_TEST

START_TEST(a_history_without_a_known_answer_is_placed_by_its_user_turns)
{
	const struct load load = asking(4, "hm", 3);
	const struct past_conversation conversation = {.answers = 1};
	ck_assert_uint_eq(reads(load, conversation, no_match), POSITION_READS_ASKED);
	/* The second user turn stands at 1; the third one is not known. */
	struct position position = find(load, conversation, no_match, asked(2));
	ck_assert_uint_eq(position.next_ordinal, 3);
	ck_assert(position.is_certain);
	/* Else by how many answers there are. */
	position = find(load, conversation, no_match, asked(0));
	ck_assert_uint_eq(position.next_ordinal, 3);
	ck_assert(!position.is_certain);
	struct load other = load;
	other.session = (struct slice){0};
	ck_assert_uint_eq(reads(other, conversation, no_match), 0);
	ck_assert(!find(other, conversation, no_match, asked(3)).is_certain);
}
END_TEST

START_TEST(a_user_turn_that_was_said_at_two_places_places_nothing)
{
	static const struct past_exchange twice[] = {{.user_hash = 3, .ordinal = 4},
						     {.user_hash = 2, .ordinal = 7},
						     {.user_hash = 3, .ordinal = 4},
						     {.user_hash = 2, .ordinal = 9},
						     {.user_hash = 0, .ordinal = 3}};
	const struct past_exchanges turns = {twice, 5};
	struct load load = asking(4, "hm", 3);
	const struct past_conversation conversation = {.answers = 1};
	/* The third was said at 4 alone, the second at 7 and at 9. */
	ck_assert_uint_eq(find(load, conversation, no_match, turns).next_ordinal, 5);
	load.fingerprint_count = 2;
	ck_assert_uint_eq(find(load, conversation, no_match, turns).next_ordinal, 2);
	ck_assert(!find(load, conversation, no_match, turns).is_certain);
}
END_TEST

START_TEST(a_reply_that_is_gone_on_from_tells_the_place)
{
	const struct load load = asking(4, "hm", 0);
	struct chain_link link = {.conversation = 1, .next_ordinal = 6};
	struct position_known request =
		known(&load, (struct past_conversation){.answers = 9}, no_match, asked(0));
	request.link = &link;
	struct position position = position_find(&request);
	ck_assert(position.is_linked && position.is_certain);
	ck_assert_uint_eq(position.next_ordinal, 6);
	ck_assert_uint_eq(position.carried_from, 0);
	link.conversation = 2;
	position = position_find(&request);
	ck_assert(!position.is_linked);
	ck_assert_uint_eq(position.next_ordinal, 9);
}
END_TEST

START_TEST(the_first_turn_may_be_asked_where_one_answer_stands_or_histories_came)
{
	const struct load load = asking(1, "I live in Paris", 0);
	struct past_conversation conversation = {.answers = 1};
	ck_assert_uint_eq(reads(load, conversation, no_match), POSITION_READS_FIRST);
	conversation.answers = 2;
	ck_assert_uint_eq(reads(load, conversation, no_match), 0);
	conversation.carries_history = true;
	ck_assert_uint_eq(reads(load, conversation, no_match), POSITION_READS_FIRST);
	ck_assert_uint_eq(reads(asking(1, "I live in Paris", 1), conversation, no_match),
			  POSITION_READS_ASKED);
}
END_TEST

START_TEST(a_reworded_first_turn_is_one_only_of_a_client_that_sends_history)
{
	const struct load load = asking(5, "I live in Bonn", 0);
	const struct past_exchange first = stored(0, 1, 1, "I live in Paris");
	struct past_conversation conversation = {.answers = 1};
	struct position position = find_first(load, conversation, &first);
	ck_assert_uint_eq(position.next_ordinal, 1);
	conversation.carries_history = true;
	position = find_first(load, conversation, &first);
	ck_assert(position.is_certain);
	ck_assert_uint_eq(position.next_ordinal, 0);
	ck_assert_uint_eq(position.carried_from, 0);
	position = find_first(asking(6, "What is the capital of France?", 0), conversation, &first);
	ck_assert_uint_eq(position.next_ordinal, 1);
	ck_assert(!position.is_certain);
}
END_TEST

START_TEST(the_first_turn_asked_twice_is_one_of_any_client)
{
	const struct load load = asking(1, "I live in Paris", 0);
	struct past_exchange first = stored(0, 1, 1, "I live in Paris");
	const struct past_conversation conversation = {.answers = 1};
	struct position position = find_first(load, conversation, &first);
	ck_assert_uint_eq(position.next_ordinal, 0);
	ck_assert(!position.is_certain);
	ck_assert_uint_eq(find(load, conversation, no_match, asked(0)).next_ordinal, 1);
	/* What stood at 0 was taken back later. */
	first.ordinal = 4;
	ck_assert_uint_eq(find_first(load, conversation, &first).next_ordinal, 4);
}
END_TEST

/* ---- what it takes back ---- */

START_TEST(a_place_is_certain_when_the_history_is_found_where_it_is_counted_to_be)
{
	const struct past_conversation conversation = {.answers = 3};
	struct load load = asking(4, "hm", 3);
	ck_assert(find(load, conversation, matched(3, 3, 2), asked(0)).is_certain);
	load.is_compacted = true;
	ck_assert(!find(load, conversation, matched(3, 3, 2), asked(0)).is_certain);
	load.is_compacted = false;
	load.session = (struct slice){0};
	ck_assert(!find(load, conversation, matched(3, 3, 2), asked(0)).is_certain);
	load = asking(4, "", 3);
	ck_assert(!find(load, conversation, matched(3, 3, 2), asked(0)).is_certain);
	ck_assert(!find(asking(4, "hm", 3), conversation, no_match, asked(0)).is_certain);
	ck_assert(find(asking(4, "hm", 3), conversation, no_match, asked(3)).is_certain);
}
END_TEST

START_TEST(a_history_whose_middle_was_left_out_is_not_certain)
{
	const struct past_conversation conversation = {.answers = 9};
	const struct load load = asking(4, "hm", 3);
	const struct conversation_match match = matched(1, 1, 0);
	static const struct past_exchange elsewhere[] = {{.user_hash = 1, .ordinal = 0},
							 {.user_hash = 2, .ordinal = 1},
							 {.user_hash = 3, .ordinal = 7}};
	ck_assert_uint_eq(reads(load, conversation, match), POSITION_READS_ASKED);
	ck_assert(
		!find(load, conversation, match, (struct past_exchanges){elsewhere, 3}).is_certain);
	ck_assert(find(load, conversation, match, asked(3)).is_certain);
	/* A user turn that is nowhere was reworded. */
	ck_assert(find(load, conversation, match, asked(2)).is_certain);
	ck_assert_uint_eq(reads(load, conversation, matched(3, 3, 2)), 0);
}
END_TEST

START_TEST(without_an_answer_only_a_first_turn_after_histories_is_certain)
{
	const struct load load = asking(1, "I live in Paris", 0);
	const struct past_exchange first = stored(0, 1, 1, "I live in Paris");
	struct past_conversation conversation = {.answers = 1, .carries_history = true};
	ck_assert(!find(load, conversation, no_match, asked(0)).is_certain);
	ck_assert(find_first(load, conversation, &first).is_certain);
	conversation.carries_history = false;
	ck_assert(!find_first(load, conversation, &first).is_certain);
}
END_TEST

START_TEST(a_turn_that_was_taken_back_is_asked_again_only_at_a_certain_place)
{
	struct position position = {.next_ordinal = 2};
	const struct load load = asking(7, "hm", 3);
	struct past_exchange list[] = {stored(2, 5, 7, "hm"), stored(2, 9, 8, "ho")};
	const struct past_exchanges there = {list, 2};
	ck_assert_uint_eq(position_same_exchange(&position, &load, there)->id, 5);
	list[0].state = TURN_SUPERSEDED;
	ck_assert_ptr_null(position_same_exchange(&position, &load, there));
	position.is_certain = true;
	ck_assert_uint_eq(position_same_exchange(&position, &load, there)->id, 5);
	list[0].state = TURN_HIDDEN;
	ck_assert_ptr_null(position_same_exchange(&position, &load, there));
}
END_TEST

START_TEST(a_turn_in_another_wrapping_is_no_other_one)
{
	static char document[200];
	memset(document, 'x', sizeof(document));
	memcpy(document + 180, "what is this?", 13);
	struct past_exchange exchange = stored(2, 5, 7, "");
	exchange.text = (struct slice){document, sizeof(document)};
	const struct past_exchanges there = {&exchange, 1};
	struct position position = {.next_ordinal = 2};
	struct load load = asking(8, "what is this?", 3);
	/* Unwrapped it is asked again, wrapped it is kept beside the new one. */
	ck_assert_ptr_null(position_same_exchange(&position, &load, there));
	position.is_certain = true;
	ck_assert_ptr_eq(position_same_exchange(&position, &load, there), &exchange);
	ck_assert_ptr_null(exchanges_find_wrapped(there, 2, load.newest_text));
	struct slice whole = exchange.text;
	exchange.text = load.newest_text;
	ck_assert_ptr_eq(exchanges_find_wrapped(there, 2, whole), &exchange);
	load.newest_text = whole;
	ck_assert_ptr_null(position_same_exchange(&position, &load, there));
	exchange.state = TURN_SUPERSEDED;
	ck_assert_ptr_null(exchanges_find_wrapped(there, 2, whole));
}
END_TEST

START_TEST(a_history_differs_where_a_branch_was_or_an_answer_is_not_known)
{
	const struct load load = asking(4, "hm", 3);
	struct past_conversation conversation = {.answers = 3};
	const struct position same = find(load, conversation, matched(3, 3, 2), asked(0));
	ck_assert(!same.may_differ);
	ck_assert_uint_eq(same.compared_from, 3);
	ck_assert(find(load, conversation, matched(3, 2, 2), asked(0)).may_differ);
	conversation.branched = true;
	const struct position other = find(load, conversation, matched(3, 3, 2), asked(0));
	ck_assert(other.may_differ);
	ck_assert_uint_eq(other.compared_from, 0);
}
END_TEST

START_TEST(one_answer_at_the_end_shows_that_the_first_turn_was_edited)
{
	/* Three first turns were asked, and the client kept the last answer alone. */
	const struct load load = asking(4, "hm", 1);
	struct past_conversation conversation = {.answers = 3};
	const struct position position = find(load, conversation, matched(3, 1, 0), asked(0));
	ck_assert_uint_eq(position.carried_from, 2);
	ck_assert(position.was_first_edited);
	conversation.carries_history = true;
	ck_assert(!find(load, conversation, matched(3, 1, 0), asked(0)).was_first_edited);
	/* More were hardly edits. */
	conversation = (struct past_conversation){.answers = 9};
	ck_assert(!find(load, conversation, matched(9, 1, 0), asked(0)).was_first_edited);
	/* The only turn there was is no edit. */
	conversation.answers = 1;
	ck_assert(!find(load, conversation, matched(1, 1, 0), asked(0)).was_first_edited);
}
END_TEST

START_TEST(what_a_history_carries_ends_at_the_conversations_begin)
{
	const struct load load = asking(4, "hm", 3);
	const struct past_conversation conversation = {.answers = 9, .branched = true};
	ck_assert_uint_eq(find(load, conversation, matched(5, 3, 2), asked(0)).compared_from, 2);
	ck_assert_uint_eq(find(load, conversation, matched(2, 2, 2), asked(0)).compared_from, 0);
}
END_TEST

/* ---- which conversation ---- */

START_TEST(a_first_turn_without_a_session_is_asked_again_within_the_hour)
{
	struct load load = asking(1, "I live in Paris", 0);
	ck_assert(!load_begins_anew(&load));
	load.session = (struct slice){0};
	ck_assert(load_begins_anew(&load));
	load.fingerprint_count = 1;
	ck_assert(!load_begins_anew(&load));
	load.now = 2 * HOUR;
	struct past_conversation conversation = {.last_active = HOUR + 1};
	ck_assert(conversation_may_be_asked_again(&conversation, &load));
	conversation.last_active = HOUR;
	ck_assert(!conversation_may_be_asked_again(&conversation, &load));
	conversation.last_active = HOUR + 1;
	conversation.answers = 1;
	ck_assert(!conversation_may_be_asked_again(&conversation, &load));
	conversation.answers = 0;
	conversation.session = SLICE("chat");
	ck_assert(!conversation_may_be_asked_again(&conversation, &load));
}
END_TEST

UNIT_MAIN("memory_position", the_newest_exchange_of_a_state_is_found_at_its_ordinal,
	  a_history_that_is_found_again_goes_on_behind_it,
	  a_client_that_sends_its_newest_message_goes_on_at_the_end,
	  a_history_without_a_known_answer_is_placed_by_its_user_turns,
	  a_user_turn_that_was_said_at_two_places_places_nothing,
	  a_reply_that_is_gone_on_from_tells_the_place,
	  the_first_turn_may_be_asked_where_one_answer_stands_or_histories_came,
	  a_reworded_first_turn_is_one_only_of_a_client_that_sends_history,
	  the_first_turn_asked_twice_is_one_of_any_client,
	  a_place_is_certain_when_the_history_is_found_where_it_is_counted_to_be,
	  a_history_whose_middle_was_left_out_is_not_certain,
	  without_an_answer_only_a_first_turn_after_histories_is_certain,
	  a_turn_that_was_taken_back_is_asked_again_only_at_a_certain_place,
	  a_turn_in_another_wrapping_is_no_other_one,
	  a_history_differs_where_a_branch_was_or_an_answer_is_not_known,
	  one_answer_at_the_end_shows_that_the_first_turn_was_edited,
	  what_a_history_carries_ends_at_the_conversations_begin,
	  a_first_turn_without_a_session_is_asked_again_within_the_hour)
