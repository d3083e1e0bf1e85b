#include "core/memory/position.h"
#include "tests/unit/unit.h"

/* Where a request stands in its conversation, without a store. User turn n of the tests' histories
 * has the hash n, its answer the hash 100 + n. */

enum { HISTORY = 3, HOUR = 60 * 60 * 1000 };

static const struct answer_fingerprint history[HISTORY] = {{.hash = 101, .user_hash = 1},
							   {.hash = 102, .user_hash = 2},
							   {.hash = 103, .user_hash = 3}};
static const struct conversation_match no_match;
static const struct past_exchanges none;

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
static struct user_turn_places places_of(size_t count)
{
	static const struct user_turn_place places[] = {{1, 0}, {2, 1}, {3, 2}};
	return (struct user_turn_places){places, count};
}

static struct conversation_match matched(uint32_t next_ordinal, size_t answers, size_t last_mark)
{
	return (struct conversation_match){.conversation = 1,
					   .next_ordinal = next_ordinal,
					   .answers = answers,
					   .last_mark = last_mark};
}

static struct request_position count(struct load load, struct past_conversation conversation,
				     struct conversation_match match,
				     struct user_turn_places places)
{
	struct request_position position;
	position_count(&position, &load, &conversation, &match, places);
	return position;
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

START_TEST(a_turn_that_was_said_at_two_places_has_no_place)
{
	const struct user_turn_place places[] = {{7, 4}, {8, 1}, {7, 4}, {8, 2}, {0, 3}};
	const struct user_turn_places in = {places, 5};
	uint32_t ordinal = 0;
	ck_assert(places_find_only(in, 7, &ordinal));
	ck_assert_uint_eq(ordinal, 4);
	ck_assert(!places_find_only(in, 8, &ordinal));
	ck_assert(!places_find_only(in, 9, &ordinal));
	ck_assert(!places_find_only(in, 0, &ordinal));
}
END_TEST

/* ---- where in it ---- */

START_TEST(a_history_that_is_found_again_goes_on_behind_it)
{
	const struct past_conversation conversation = {.answers = 9};
	struct request_position position =
		count(asking(4, "hm", 3), conversation, matched(3, 3, 2), places_of(0));
	ck_assert_uint_eq(position.next_ordinal, 3);
	ck_assert_uint_eq(position.carried_from, 0);
	/* Answers behind the last that was found count too. */
	position = count(asking(4, "hm", 3), conversation, matched(6, 1, 0), places_of(0));
	ck_assert_uint_eq(position.next_ordinal, 8);
	ck_assert_uint_eq(position.carried_from, 5);
	ck_assert_uint_eq(position.answers_sent, 3);
}
END_TEST

START_TEST(a_client_that_sends_its_newest_message_goes_on_at_the_end)
{
	const struct request_position position =
		count(asking(4, "hm", 0), (struct past_conversation){.answers = 9}, no_match,
		      places_of(3));
	ck_assert_uint_eq(position.next_ordinal, 9);
	ck_assert_uint_eq(position.carried_from, UINT32_MAX);
}
END_TEST

START_TEST(a_history_without_a_known_answer_is_placed_by_its_user_turns)
{
	const struct load load = asking(4, "hm", 3);
	const struct past_conversation conversation = {.answers = 1};
	ck_assert(position_needs_places(&load, &no_match));
	/* The second user turn stands at 1; the third one is not known. */
	struct request_position position = count(load, conversation, no_match, places_of(2));
	ck_assert_uint_eq(position.next_ordinal, 3);
	ck_assert(position.is_anchored);
	/* Else by how many answers there are. */
	position = count(load, conversation, no_match, places_of(0));
	ck_assert_uint_eq(position.next_ordinal, 3);
	ck_assert(!position.is_anchored);
	struct load other = load;
	other.session = (struct slice){0};
	ck_assert(!position_needs_places(&other, &no_match));
	ck_assert(!count(other, conversation, no_match, places_of(3)).is_anchored);
}
END_TEST

START_TEST(the_first_turn_may_be_asked_where_one_answer_stands_or_histories_came)
{
	const struct load load = asking(1, "I live in Paris", 0);
	struct past_conversation conversation = {.answers = 1};
	struct request_position position = count(load, conversation, no_match, places_of(0));
	ck_assert(position_may_be_first(&position, &load, &conversation, &no_match));
	conversation.answers = 2;
	ck_assert(!position_may_be_first(&position, &load, &conversation, &no_match));
	conversation.carries_history = true;
	ck_assert(position_may_be_first(&position, &load, &conversation, &no_match));
	position.answers_sent = 1;
	ck_assert(!position_may_be_first(&position, &load, &conversation, &no_match));
}
END_TEST

START_TEST(a_reworded_first_turn_is_one_only_of_a_client_that_sends_history)
{
	const struct load load = asking(5, "I live in Bonn", 0);
	const struct past_exchange first = stored(0, 1, 1, "I live in Paris");
	const struct past_exchanges there = {&first, 1};
	struct past_conversation conversation = {.answers = 1};
	struct request_position position = count(load, conversation, no_match, places_of(0));
	ck_assert(!position_try_first(&position, &load, &conversation, 0, there));
	ck_assert_uint_eq(position.next_ordinal, 1);
	conversation.carries_history = true;
	ck_assert(position_try_first(&position, &load, &conversation, 0, there));
	ck_assert(position.is_first);
	ck_assert_uint_eq(position.next_ordinal, 0);
	ck_assert_uint_eq(position.carried_from, 0);
	const struct load other = asking(6, "What is the capital of France?", 0);
	ck_assert(!position_try_first(&position, &other, &conversation, 0, there));
}
END_TEST

START_TEST(the_first_turn_asked_twice_is_one_of_any_client)
{
	const struct load load = asking(1, "I live in Paris", 0);
	const struct past_exchange first = stored(0, 1, 1, "I live in Paris");
	const struct past_conversation conversation = {.answers = 1};
	struct request_position position = count(load, conversation, no_match, places_of(0));
	ck_assert(position_try_first(&position, &load, &conversation, 0,
				     (struct past_exchanges){&first, 1}));
	ck_assert(!position_try_first(&position, &load, &conversation, 0, none));
}
END_TEST

/* ---- what it takes back ---- */

static bool is_certain(struct load load, struct past_conversation conversation,
		       struct conversation_match match, struct user_turn_places places)
{
	struct request_position position = count(load, conversation, match, places);
	return position_is_certain(&position, &load, &conversation, &match, places);
}

START_TEST(a_place_is_certain_when_the_history_is_found_where_it_is_counted_to_be)
{
	const struct past_conversation conversation = {.answers = 3};
	struct load load = asking(4, "hm", 3);
	ck_assert(is_certain(load, conversation, matched(3, 3, 2), places_of(0)));
	load.session = (struct slice){0};
	ck_assert(!is_certain(load, conversation, matched(3, 3, 2), places_of(0)));
	load = asking(4, "", 3);
	ck_assert(!is_certain(load, conversation, matched(3, 3, 2), places_of(0)));
	ck_assert(!is_certain(asking(4, "hm", 3), conversation, no_match, places_of(0)));
	ck_assert(is_certain(asking(4, "hm", 3), conversation, no_match, places_of(3)));
}
END_TEST

START_TEST(a_history_whose_middle_was_left_out_is_not_certain)
{
	const struct past_conversation conversation = {.answers = 9};
	const struct load load = asking(4, "hm", 3);
	const struct conversation_match match = matched(1, 1, 0);
	const struct user_turn_place elsewhere[] = {{1, 0}, {2, 1}, {3, 7}};
	ck_assert(position_has_unmatched(&load, &match));
	ck_assert(!is_certain(load, conversation, match, (struct user_turn_places){elsewhere, 3}));
	ck_assert(is_certain(load, conversation, match, places_of(3)));
	/* A user turn that is nowhere was reworded. */
	ck_assert(is_certain(load, conversation, match, places_of(2)));
	const struct conversation_match whole = matched(3, 3, 2);
	ck_assert(!position_has_unmatched(&load, &whole));
}
END_TEST

START_TEST(without_an_answer_only_a_first_turn_after_histories_is_certain)
{
	const struct load load = asking(1, "I live in Paris", 0);
	struct past_conversation conversation = {.answers = 1, .carries_history = true};
	struct request_position position = count(load, conversation, no_match, places_of(0));
	ck_assert(!position_is_certain(&position, &load, &conversation, &no_match, places_of(0)));
	position.is_first = true;
	ck_assert(position_is_certain(&position, &load, &conversation, &no_match, places_of(0)));
	conversation.carries_history = false;
	ck_assert(!position_is_certain(&position, &load, &conversation, &no_match, places_of(0)));
}
END_TEST

START_TEST(a_turn_that_was_taken_back_is_asked_again_only_at_a_certain_place)
{
	const struct request_position position = {.next_ordinal = 2};
	const struct load load = asking(7, "hm", 3);
	struct past_exchange list[] = {stored(2, 5, 7, "hm"), stored(2, 9, 8, "ho")};
	const struct past_exchanges there = {list, 2};
	ck_assert_uint_eq(position_same_exchange(&position, &load, false, there)->id, 5);
	list[0].state = TURN_SUPERSEDED;
	ck_assert_ptr_null(position_same_exchange(&position, &load, false, there));
	ck_assert_uint_eq(position_same_exchange(&position, &load, true, there)->id, 5);
	list[0].state = TURN_HIDDEN;
	ck_assert_ptr_null(position_same_exchange(&position, &load, true, there));
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
	const struct request_position position = {.next_ordinal = 2};
	struct load load = asking(8, "what is this?", 3);
	/* Unwrapped it is asked again, wrapped it is kept beside the new one. */
	ck_assert_ptr_eq(position_same_exchange(&position, &load, true, there), &exchange);
	ck_assert_ptr_null(position_same_exchange(&position, &load, false, there));
	ck_assert_ptr_null(exchanges_find_wrapped(there, 2, load.newest_text));
	struct slice whole = exchange.text;
	exchange.text = load.newest_text;
	ck_assert_ptr_eq(exchanges_find_wrapped(there, 2, whole), &exchange);
	load.newest_text = whole;
	ck_assert_ptr_null(position_same_exchange(&position, &load, true, there));
	exchange.state = TURN_SUPERSEDED;
	ck_assert_ptr_null(exchanges_find_wrapped(there, 2, whole));
}
END_TEST

START_TEST(a_history_differs_where_a_branch_was_or_an_answer_is_not_known)
{
	const struct request_position position = {.answers_sent = 3};
	struct past_conversation conversation = {.answers = 3};
	const struct conversation_match whole = matched(3, 3, 2);
	const struct conversation_match part = matched(3, 2, 2);
	ck_assert(!position_may_differ(&position, &conversation, &whole));
	ck_assert(position_may_differ(&position, &conversation, &part));
	conversation.branched = true;
	ck_assert(position_may_differ(&position, &conversation, &whole));
}
END_TEST

START_TEST(one_answer_at_the_end_shows_that_the_first_turn_was_edited)
{
	/* Three first turns were asked, and the client kept the last answer alone. */
	const struct load load = asking(4, "hm", 1);
	struct past_conversation conversation = {.answers = 3};
	struct conversation_match match = matched(3, 1, 0);
	struct request_position position = count(load, conversation, match, places_of(0));
	ck_assert_uint_eq(position.carried_from, 2);
	ck_assert(position_was_first_edited(&position, &conversation, &match));
	conversation.carries_history = true;
	ck_assert(!position_was_first_edited(&position, &conversation, &match));
	/* More were hardly edits. */
	conversation = (struct past_conversation){.answers = 9};
	match = matched(9, 1, 0);
	position = count(load, conversation, match, places_of(0));
	ck_assert(!position_was_first_edited(&position, &conversation, &match));
	/* The only turn there was is no edit. */
	conversation.answers = 1;
	match = matched(1, 1, 0);
	position = count(load, conversation, match, places_of(0));
	ck_assert(!position_was_first_edited(&position, &conversation, &match));
}
END_TEST

START_TEST(what_a_history_carries_ends_at_the_conversations_begin)
{
	const struct load load = asking(4, "hm", 3);
	struct request_position position = {.next_ordinal = 5};
	ck_assert_uint_eq(position_oldest_carried(&position, &load), 2);
	position.next_ordinal = 2;
	ck_assert_uint_eq(position_oldest_carried(&position, &load), 0);
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
	  a_turn_that_was_said_at_two_places_has_no_place,
	  a_history_that_is_found_again_goes_on_behind_it,
	  a_client_that_sends_its_newest_message_goes_on_at_the_end,
	  a_history_without_a_known_answer_is_placed_by_its_user_turns,
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
