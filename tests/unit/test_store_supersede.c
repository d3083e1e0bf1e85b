#include "tests/unit/branch_fixture.h"

enum { MAP = 64 * 1024 * 1024 };

/* ---- what is no edit ---- */

START_TEST(an_assistant_text_that_was_trimmed_is_counted_and_no_edit)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct memory_view view = view_for(
		&fixture, ASK("next", {one, "a1"}, {two, "a2"}, {three, "a3 cut"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert_uint_eq(view.carried_from, 0);
	ck_assert(!view.branches);
	/* In the middle of the history, and at its begin. */
	view = view_for(&fixture, ASK("next", {one, "a1"}, {two, "a2 cut"}, {three, "a3"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert(!view.branches);
	view = view_for(&fixture, ASK("next", {two, "a2 cut"}, {three, "a3"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert_uint_eq(view.carried_from, 1);
	/* All of them: the conversation stands where it stands. */
	view = view_for(&fixture, ASK("next", {one, "a"}, {two, "b"}, {three, "c"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert(!view.branches);
	/* An edit behind an answer that the user changed; its user turn stands where it is counted.
	 */
	view = view_for(&fixture, ASK("I like milk", {one, "a1"}, {two, "a2 cut"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 2);
	ck_assert(view.branches);
	/* In a history whose middle was left out nothing is. */
	view = view_for(&fixture, ASK("I like milk", {one, "a1"}, {three, "a3 cut"}), "chat");
	ck_assert(!view.branches);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(answers_before_the_marks_count_as_carried)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct answer_fingerprint last = {fixture_hash("a3"), fixture_hash(three), false};
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("chat"),
			    .fingerprints = &last,
			    .fingerprint_count = 1};
	ck_assert_uint_eq(fixture_load(&fixture, &load).carried_from, 2);
	load.earlier_answers = 2;
	ck_assert_uint_eq(fixture_load(&fixture, &load).carried_from, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_user_turn_that_was_wrapped_or_unwrapped_is_no_edit)
{
	static const char wrapped[] =
		"Answer from these documents, and from nothing else, whatever it may be that you "
		"are asked:\n[1] The Rhine flows through Bonn.\n\nI moved to Bonn last year";
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK(wrapped, {one, "a1"}), "a2w", 400);
	assert_city(&fixture, "Bonn");
	/* The turns behind it were superseded: the request continues from there. */
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I moved to Bonn last year / "
					      "a2 / Answer from these documents, and from nothing "
					      "else, whatever it may be that you are asked:\n[1] "
					      "The Rhine flows through Bonn.\n\nI moved to Bonn "
					      "last year / a2w");
	fixture_finish(&fixture);

	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	(void)chat(&fixture, ASK(wrapped, {one, "a1"}), "a2w", 200);
	struct memory_view view = chat(&fixture, ASK(two, {one, "a1"}), "a2", 300);
	ck_assert_uint_eq(view.same_exchange, 3);
	ck_assert(!view.branches);
	ck_assert_uint_eq(jobs_of(&fixture).count, 3); /* two exchanges, one summary */
	fixture_finish(&fixture);
}
END_TEST

START_TEST(without_a_session_nothing_is_taken_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct memory_view view =
		view_for(&fixture, ASK("I moved to Rome last year", {one, "a1"}), "");
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 1);
	ck_assert(!view.branches);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_client_that_sends_only_its_newest_message_takes_nothing_back)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	struct memory_view view = chat(&fixture, ASK_FIRST("I live in Rome"), "a2", 200);
	ck_assert_uint_eq(view.next_ordinal, 1);
	ck_assert(!view.branches);
	/* Said twice, later on, it is said twice. */
	view = chat(&fixture, ASK_FIRST("I live in Rome"), "a3", 300);
	ck_assert_uint_eq(view.next_ordinal, 2);
	ck_assert_uint_eq(view.same_exchange, 0);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").turn_count, 6);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_window_over_equal_answers_takes_nothing_back)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST("add one"), "OK", 100);
	(void)chat(&fixture, ASK("go on", {"add one", "OK"}), "OK", 200);
	(void)chat(&fixture, ASK("go on", {"add one", "OK"}, {"go on", "OK"}), "OK", 300);
	struct memory_view view = view_for(&fixture, ASK("and now?", {"go on", "OK"}), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert(!view.branches);
	fixture_finish(&fixture);
}
END_TEST

/* ---- edits ---- */

START_TEST(an_edit_retracts_the_fact_and_revives_the_older_value)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	assert_city(&fixture, "Bonn");
	struct request edit = ASK("I like walks", {one, "a1"});
	struct memory_view view = view_for(&fixture, edit, "chat");
	ck_assert(view.branches);
	ck_assert_uint_eq(view.next_ordinal, 1);
	/* The request that edits is given what will stand. */
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Paris");
	ck_assert_int_eq(view.facts[0].state, FACT_CURRENT);
	assert_city(&fixture, "Bonn");

	(void)chat(&fixture, edit, "b2", 400);
	assert_city(&fixture, "Paris");
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I like walks / b2");
	view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.answers, 2);
	ck_assert_int_eq(view.facts[0].ended_at, 0);
	ck_assert_uint_eq(view.facts[0].superseded_by, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_reworded_turn_is_learned_from_as_if_the_old_one_had_never_been)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("I moved to Rome last year", {one, "a1"}), "b2", 400);
	learn_answer(&fixture, 7,
		     "{\"entities\":[{\"key\":\"city\",\"value\":\"Rome\",\"confidence\":0.9}]}");
	assert_city(&fixture, "Rome");
	struct load load = {.user = fixture_key("alex"), .facts = true, .past_facts = true};
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.fact_count, 2);
	unit_assert_slice(view.facts[0].value, "Paris");
	ck_assert_int_eq(view.facts[0].state, FACT_SUPERSEDED);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_fact_that_was_taken_back_can_be_forgotten)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("Forget that I was in Bonn", {one, "a1"}), "b2", 400);
	learn_answer(&fixture, 7,
		     "{\"entities\":[{\"key\":\"city\",\"value\":\"Bonn\",\"forget\":true}]}");
	(void)chat(&fixture, ASK("next", {one, "a1"}, {two, "a2"}), "a3", 500);
	assert_city(&fixture, "Paris");
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 9, &input), STORE_OK);
	for (size_t i = 0; i < input.fact_count; i++)
		ck_assert(!slice_equal(input.facts[i].value, SLICE("Bonn")));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(past_facts_are_given_when_asked_for_but_not_what_was_taken_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("chat"),
			    .facts = true,
			    .past_facts = true,
			    .now = 1000};
	struct memory_view view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.fact_count, 2);
	ck_assert_int_eq(view.facts[0].state, FACT_SUPERSEDED);
	ck_assert_int_eq(view.facts[0].ended_at, 199);
	unit_assert_slice(view.facts[1].value, "Bonn");
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	view = fixture_load(&fixture, &load);
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Paris");
	/* Nor is it in the way of what is learned from now on. */
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 7, &input), STORE_OK);
	ck_assert_uint_eq(input.fact_count, 2);
	unit_assert_slice(input.facts[1].value, "Bonn");
	ck_assert_int_eq(input.facts[1].state, FACT_RETRACTED);
	ck_assert_int_eq(input.facts[1].observed_at, INT64_MIN);
	ck_assert_int_eq(input.facts[1].ended_at, INT64_MIN);
	ck_assert_uint_eq(input.before_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_first_turn_is_edited_by_a_client_that_is_known_to_send_history)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct memory_view view = view_for(&fixture, ASK_FIRST("What is a monad?"), "chat");
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert(!view.branches);
	view = chat(&fixture, ASK_FIRST("I live in Rome"), "b1", 400);
	ck_assert(view.branches);
	ck_assert_uint_eq(view.next_ordinal, 0);
	ck_assert_uint_eq(view.carried_from, 0);
	assert_city(&fixture, NULL);
	unit_assert_slice(standing(&fixture), "I live in Rome / b1");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(jobs_of_what_was_taken_back_are_gone)
{
	struct fixture fixture;
	chat_three(&fixture);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	ck_assert_int_eq(fixture_learned(&fixture, 3, NULL, 0, false), STORE_STALE);
	ck_assert_int_eq(fixture_learned(&fixture, 5, NULL, 0, false), STORE_STALE);
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.count, 3);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 1);
	ck_assert_uint_eq(jobs.jobs[1].exchange, 7);
	ck_assert_uint_eq(jobs.jobs[2].uncovered, 4);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_fact_that_rests_on_a_standing_turn_too_moves_there)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	/* Bonn was said again in another conversation, at 349. */
	struct append other = fixture_exchange("As I said, Bonn", "yes", 350);
	other.session = SLICE("other");
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	struct change again = {.kind = CHANGE_UPDATE,
			       .fact = {.id = 2, .state = FACT_CURRENT, .observed_at = 349},
			       .replaced_by = -1};
	learn(&fixture, 7, &again, 1);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	assert_city(&fixture, "Bonn");
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.facts[0].exchange, 7);
	ck_assert_uint_eq(view.facts[0].quote.size, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_before_a_chain_of_taken_facts_stands_again)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct change rome[] = {city("Rome", 5, 299), superseded(2, 199, 0)};
	learn(&fixture, 5, rome, 2);
	/* First the newest goes, then all but the first. */
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}, {two, "a2"}), "b3", 400);
	assert_city(&fixture, "Bonn");
	(void)chat(&fixture, ASK(three, {one, "a1"}, {two, "a2"}), "a3", 500);
	assert_city(&fixture, "Rome");
	(void)chat(&fixture, ASK("I like dogs", {one, "a1"}), "c2", 600);
	assert_city(&fixture, "Paris");
	fixture_finish(&fixture);
}
END_TEST

/* ---- regenerations ---- */

START_TEST(a_regeneration_supersedes_the_answer_only)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct memory_view view =
		chat(&fixture, ASK(three, {one, "a1"}, {two, "a2"}), "a3 anew", 400);
	ck_assert_uint_eq(view.same_exchange, 5);
	ck_assert(!view.branches);
	assert_city(&fixture, "Bonn");
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I moved to Bonn last year / "
					      "a2 / I like tea / a3 anew");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_only_turn_asked_twice_is_a_regeneration)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	struct memory_view view = chat(&fixture, ASK_FIRST(one), "b1", 200);
	ck_assert_uint_eq(view.same_exchange, 1);
	unit_assert_slice(standing(&fixture), "I live in Paris / b1");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_older_turn_asked_again_takes_back_what_came_behind_it)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct memory_view view = chat(&fixture, ASK(two, {one, "a1"}), "b2", 400);
	ck_assert_uint_eq(view.same_exchange, 3);
	ck_assert(view.same_learned);
	ck_assert(view.branches);
	assert_city(&fixture, "Bonn");
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I moved to Bonn last year / b2");
	ck_assert_uint_eq(fixture_view(&fixture, "chat").answers, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_that_covers_an_answer_made_anew_goes)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	ck_assert_int_eq(fixture_summarized(&fixture, "a1", 2, 0), STORE_OK);
	(void)chat(&fixture, ASK_FIRST(one), "b1", 200);
	ck_assert(!fixture_view(&fixture, "chat").has_summary);
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.jobs[jobs.count - 1].uncovered, 2);
	fixture_finish(&fixture);
}
END_TEST

/* ---- summaries and what was given ---- */

START_TEST(the_summary_is_rebuilt_without_what_was_taken_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	ck_assert_int_eq(fixture_summarized(&fixture, "Bonn", 4, 0), STORE_OK);
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	struct append other = fixture_exchange("hello", "hi", 350);
	struct frozen frozen = {.block = SLICE("Bonn"), .covers = 4};
	other.session = SLICE("other");
	other.frozen = &frozen;
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	struct append third = fixture_exchange("good morning", "hi", 360);
	struct frozen without = {.block = SLICE("no summary")};
	third.session = SLICE("third");
	third.frozen = &without;
	ck_assert_int_eq(fixture_append(&fixture, &third), STORE_OK);
	struct request edit = ASK("I like walks", {one, "a1"});
	struct memory_view view = view_for(&fixture, edit, "chat");
	ck_assert(!view.has_summary);
	ck_assert_uint_eq(view.turn_count, 10);
	(void)chat(&fixture, edit, "b2", 400);
	view = fixture_view(&fixture, "other");
	ck_assert(!view.has_summary);
	ck_assert(!view.has_frozen);
	ck_assert(fixture_view(&fixture, "third").has_frozen);
	/* One that was being written meanwhile is refused, the next one is not. */
	ck_assert_int_eq(fixture_summarized(&fixture, "Bonn", 6, 4), STORE_CHANGED);
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_uint_eq(input.uncovered_count, 8);
	for (size_t i = 0; i < input.uncovered_count; i++)
		ck_assert(!slice_equal(input.uncovered[i].text, slice_of(two)));
	ck_assert_int_eq(fixture_summarized(&fixture, "walks", 12, 0), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_frozen_summary_goes_with_its_turns_when_there_is_no_newer_one)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct append other = fixture_exchange("hello", "hi", 350);
	other.session = SLICE("other");
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	struct append third = fixture_exchange("good morning", "hi", 360);
	third.session = SLICE("third");
	third.frozen = &(struct frozen){.block = SLICE("Bonn"), .covers = 8};
	ck_assert_int_eq(fixture_append(&fixture, &third), STORE_OK);
	/* The last turn that it covers, one of another conversation, stands. */
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	ck_assert(!fixture_view(&fixture, "third").has_frozen);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_of_other_turns_stays)
{
	struct fixture fixture;
	chat_three(&fixture);
	ck_assert_int_eq(fixture_summarized(&fixture, "Paris", 2, 0), STORE_OK);
	struct request edit = ASK("I like walks", {one, "a1"});
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert(view_for(&fixture, edit, "chat").has_summary);
	(void)chat(&fixture, edit, "b2", 400);
	ck_assert(fixture_view(&fixture, "chat").has_summary);
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.jobs[jobs.count - 1].uncovered, 2);
	/* All the same one that was under way may have read the old turns; one begun now has not.
	 */
	ck_assert_int_eq(fixture_summarized(&fixture, "Bonn", 6, 2), STORE_CHANGED);
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_int_eq(fixture_summarized(&fixture, "walks", 8, 2), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_worked_out_before_the_user_went_back_is_not_written)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	struct append other = fixture_exchange("I live in Rome now", "Nice", 350);
	other.session = SLICE("other");
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_FACTS, 7, &input), STORE_OK);
	const struct change rome[] = {city("Rome", 7, 350), superseded(2, 350, 0)};
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	assert_city(&fixture, "Paris");
	ck_assert_int_eq(fixture_learned(&fixture, 7, rome, 2, false), STORE_CHANGED);
	assert_city(&fixture, "Paris");
	learn_answer(&fixture, 7,
		     "{\"entities\":[{\"key\":\"city\",\"value\":\"Rome\","
		     "\"confidence\":0.9,\"quote\":\"I live in Rome now\"}]}");
	assert_city(&fixture, "Rome");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(replays_of_taken_turns_go_and_others_stay)
{
	struct fixture fixture;
	chat_three(&fixture);
	const uint64_t given[] = {1, 4};
	for (size_t i = 0; i < 2; i++) {
		struct append other = fixture_exchange(i == 0 ? "x" : "y", "z", 310);
		struct replay replay = {
			.user_hash = other.user_hash, .turns = &given[i], .turn_count = 1};
		other.session = SLICE("other");
		other.replay = &replay;
		other.ordinal = (uint32_t)i;
		ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	}
	/* This one was given the second answer too, and is appended when that is taken back. */
	struct append late = fixture_exchange("late", "z", 320);
	struct replay replay = {.user_hash = 5, .turns = &given[1], .turn_count = 1};
	late.session = SLICE("other");
	late.replay = &replay;
	late.receipt.id = 9;
	late.receipt.text = SLICE("{}");
	late.ordinal = 2;
	late.forget_epoch = fixture_view(&fixture, "other").forget_epoch;
	ck_assert_uint_eq(fixture_view(&fixture, "other").replay_count, 2);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	ck_assert_int_eq(fixture_append(&fixture, &late), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "other");
	ck_assert_uint_eq(view.replay_count, 1);
	ck_assert_uint_eq(view.replays[0].turns[0], 1);
	struct slice text;
	ck_assert_int_eq(fixture_receipt(&fixture, 9, &text), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_supersede", an_assistant_text_that_was_trimmed_is_counted_and_no_edit,
	  answers_before_the_marks_count_as_carried,
	  a_user_turn_that_was_wrapped_or_unwrapped_is_no_edit,
	  without_a_session_nothing_is_taken_back,
	  a_client_that_sends_only_its_newest_message_takes_nothing_back,
	  a_window_over_equal_answers_takes_nothing_back,
	  an_edit_retracts_the_fact_and_revives_the_older_value,
	  the_reworded_turn_is_learned_from_as_if_the_old_one_had_never_been,
	  a_fact_that_was_taken_back_can_be_forgotten,
	  past_facts_are_given_when_asked_for_but_not_what_was_taken_back,
	  the_first_turn_is_edited_by_a_client_that_is_known_to_send_history,
	  jobs_of_what_was_taken_back_are_gone,
	  a_fact_that_rests_on_a_standing_turn_too_moves_there,
	  what_was_before_a_chain_of_taken_facts_stands_again,
	  a_regeneration_supersedes_the_answer_only, the_only_turn_asked_twice_is_a_regeneration,
	  an_older_turn_asked_again_takes_back_what_came_behind_it,
	  a_summary_that_covers_an_answer_made_anew_goes,
	  the_summary_is_rebuilt_without_what_was_taken_back,
	  a_frozen_summary_goes_with_its_turns_when_there_is_no_newer_one,
	  a_summary_of_other_turns_stays,
	  what_was_worked_out_before_the_user_went_back_is_not_written,
	  replays_of_taken_turns_go_and_others_stay)
