#include "tests/unit/branch_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAP = 64 * 1024 * 1024 };

/* ---- forks ---- */

START_TEST(a_fork_from_the_middle_goes_on_behind_its_place)
{
	struct fixture fixture;
	chat_three(&fixture);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	struct memory_view view =
		chat(&fixture, ASK("and runs", {one, "a1"}, {"I like walks", "b2"}), "b3", 500);
	ck_assert(!view.branches);
	ck_assert_uint_eq(view.next_ordinal, 2);
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I like walks / b2 / and runs / b3");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_client_that_goes_back_to_the_old_branch_gets_it_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("I moved to Rome last year", {one, "a1"}), "b2", 400);
	struct change rome[] = {city("Rome", 7, 399), superseded(1, 99, 0)};
	learn(&fixture, 7, rome, 2);
	assert_city(&fixture, "Rome");
	struct request old = ASK("next", {one, "a1"}, {two, "a2"}, {three, "a3"});
	struct memory_view view = view_for(&fixture, old, "chat");
	ck_assert(view.branches);
	ck_assert_uint_eq(view.next_ordinal, 3);
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Bonn");
	(void)chat(&fixture, old, "a4", 500);
	assert_city(&fixture, "Bonn");
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I moved to Bonn last year / "
					      "a2 / I like tea / a3 / next / a4");
	/* Nothing learned is learned again; what was still to be learned from gets its job. */
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.count, 3);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 5);
	ck_assert_uint_eq(jobs.jobs[1].exchange, 9);
	ck_assert_uint_eq(jobs.jobs[2].uncovered, 8);
	/* And once more to the other side. */
	(void)chat(&fixture, ASK("so", {one, "a1"}, {"I moved to Rome last year", "b2"}), "b3",
		   600);
	assert_city(&fixture, "Rome");
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I moved to Rome last year / b2 / so / b3");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_exchange_that_came_back_is_no_longer_taken_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	(void)chat(&fixture, ASK("I moved to Rome last year", {one, "a1"}), "b2", 400);
	struct portable_memory memory = fixture_memory(&fixture, "alex");
	ck_assert_int_eq(memory.turns[2].taken_back_at, 399);
	(void)chat(&fixture, ASK("next", {one, "a1"}, {two, "a2"}, {three, "a3"}), "a4", 500);
	memory = fixture_memory(&fixture, "alex");
	unit_assert_slice(memory.turns[2].turn.text, two);
	ck_assert_int_eq(memory.turns[2].turn.state, TURN_CURRENT);
	ck_assert_int_eq(memory.turns[2].taken_back_at, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(of_what_comes_back_and_what_was_said_since_the_newer_stands)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	struct append other = fixture_exchange("I live in Oslo", "ok", 450);
	other.session = SLICE("other");
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	struct change oslo[] = {city("Oslo", 9, 449), superseded(1, 99, 0)};
	learn(&fixture, 9, oslo, 2);
	(void)chat(&fixture, ASK(two, {one, "a1"}), "a2", 500);
	assert_city(&fixture, "Oslo");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_answer_that_a_history_goes_on_from_is_the_one_that_stands)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	(void)chat(&fixture, ASK(two, {one, "a1"}), "a2", 200);
	(void)chat(&fixture, ASK(two, {one, "a1"}), "b2", 300);
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I moved to Bonn last year / b2");
	(void)chat(&fixture, ASK(three, {one, "a1"}, {two, "a2"}), "a3", 400);
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I moved to Bonn last year / "
					      "a2 / I like tea / a3");
	(void)chat(&fixture, ASK("so", {one, "a1"}, {two, "b2"}), "b3", 500);
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I moved to Bonn last year / b2 / so / b3");
	fixture_finish(&fixture);
}
END_TEST

/* The second answer's mark is all that tells. */
START_TEST(a_first_turn_that_was_edited_is_left_when_its_answer_is_not_carried)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	(void)chat(&fixture, ASK_FIRST("I live in Paris today"), "a1", 100);
	(void)chat(&fixture, ASK_FIRST("I live in Rome today"), "b1", 200);
	struct memory_view view =
		chat(&fixture, ASK(three, {"I live in Rome today", "b1"}), "b2", 300);
	ck_assert(view.branches);
	ck_assert(!view.leaves_out);
	unit_assert_slice(standing(&fixture), "I live in Rome today / b1 / I like tea / b2");
	/* It is the first turn now, which can be edited again. */
	(void)chat(&fixture, ASK_FIRST("I live in Oslo today"), "c1", 400);
	unit_assert_slice(standing(&fixture), "I live in Oslo today / c1");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_fork_behind_what_memory_did_not_see_takes_back_what_came_after)
{
	struct fixture fixture;
	chat_three(&fixture);
	/* The second turn was edited while memory was off, and then gone on from. */
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}, {"in secret", "s2"}), "b3", 400);
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I like walks / b3");
	/* No answer of it is known: its user turns tell. */
	(void)chat(&fixture, ASK("I like runs", {one, "edited"}), "c2", 500);
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I like runs / c2");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_branch_behind_a_turn_that_was_hidden_takes_the_other_one_back)
{
	struct fixture fixture;
	chat_three(&fixture);
	(void)chat(&fixture, ASK("forget it", {one, "a1"}), "f2", 400);
	ck_assert_int_eq(fixture_learned(&fixture, 7, NULL, 0, true), STORE_OK);
	(void)chat(&fixture, ASK(two, {one, "a1"}), "a2", 500);
	(void)chat(&fixture, ASK("so", {one, "a1"}, {"forget it", "f2"}), "f3", 600);
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / so / f3");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_block_that_quotes_what_was_taken_back_is_not_given_again)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct append other = fixture_exchange("hello", "hi", 350);
	const uint64_t given[] = {5, 6};
	struct frozen frozen = {.block = SLICE("I like tea"), .given = given, .given_count = 2};
	other.session = SLICE("other");
	other.frozen = &frozen;
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	ck_assert(fixture_view(&fixture, "other").has_frozen);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}, {two, "a2"}), "b3", 400);
	ck_assert(!fixture_view(&fixture, "other").has_frozen);
	/* Nor what quotes an answer that was asked for anew. */
	struct memory_view view = fixture_view(&fixture, "other");
	other = fixture_exchange("and now", "hi", 450);
	other.session = SLICE("other");
	other.forget_epoch = view.forget_epoch;
	other.frozen =
		&(struct frozen){.block = SLICE("a2"), .given = &(uint64_t){4}, .given_count = 1};
	ck_assert_int_eq(fixture_append(&fixture, &other), STORE_OK);
	ck_assert(fixture_view(&fixture, "other").has_frozen);
	(void)chat(&fixture, ASK(two, {one, "a1"}), "c2", 500);
	ck_assert(!fixture_view(&fixture, "other").has_frozen);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(branches_appended_in_a_row_from_stale_views_leave_one)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct request walks = ASK("I like walks", {one, "a1"});
	struct request dogs = ASK("I like dogs", {one, "a1"});
	struct request again = ASK(two, {one, "a1"});
	struct memory_view view_walks = view_for(&fixture, walks, "chat");
	struct memory_view view_dogs = view_for(&fixture, dogs, "chat");
	struct memory_view view_again = view_for(&fixture, again, "chat");
	struct append append = append_for(&view_walks, walks, "b2", 400);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	append = append_for(&view_dogs, dogs, "c2", 410);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I like dogs / c2");
	/* The turn that is asked again was taken back meanwhile: it comes back. */
	append = append_for(&view_again, again, "d2", 420);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	unit_assert_slice(standing(&fixture),
			  "I live in Paris / a1 / I moved to Bonn last year / d2");
	struct job_list jobs = jobs_of(&fixture);
	ck_assert_uint_eq(jobs.count, 3);
	ck_assert_uint_eq(jobs.jobs[1].exchange, 3);
	ck_assert_uint_eq(jobs.jobs[2].uncovered, 4);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_request_appended_behind_a_branch_heals_with_the_next)
{
	struct fixture fixture;
	chat_three(&fixture);
	struct request next = ASK("next", {one, "a1"}, {two, "a2"}, {three, "a3"});
	struct memory_view view = view_for(&fixture, next, "chat");
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	struct append append = append_for(&view, next, "a4", 410);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	(void)chat(&fixture, ASK("so", {one, "a1"}, {"I like walks", "b2"}), "b3", 420);
	unit_assert_slice(standing(&fixture), "I live in Paris / a1 / I like walks / b2 / so / b3");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_forgotten_does_not_come_back_with_its_branch)
{
	struct fixture fixture;
	chat_three(&fixture);
	learn_cities(&fixture);
	(void)chat(&fixture, ASK("I like walks", {one, "a1"}), "b2", 400);
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("Bonn"), .observed_at = 400}};
	learn(&fixture, 7, &hide, 1);
	(void)chat(&fixture, ASK("next", {one, "a1"}, {two, "a2"}), "a3", 500);
	struct memory_view view = fixture_view(&fixture, "chat");
	for (size_t i = 0; i < view.turn_count; i++)
		ck_assert(!slice_equal(view.turns[i].text, slice_of(two)));
	assert_city(&fixture, "Paris");
	struct load load = {.user = fixture_key("alex"), .facts = true, .past_facts = true};
	ck_assert_uint_eq(fixture_load(&fixture, &load).fact_count, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(the_users_conversations_are_counted)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").conversations, 0);
	(void)chat(&fixture, ASK_FIRST(one), "a1", 100);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").conversations, 1);
	ck_assert_uint_eq(fixture_view(&fixture, "other").conversations, 1);
	fixture_finish(&fixture);
}
END_TEST

/* ---- any walk through a tree of branches ---- */

enum { NODES = 60, DEPTH = 12 };

struct node {
	size_t parent; /* its index; NODES: none */
	char user[64];
	char value[16];
	char answer[16];
	uint64_t exchange;
	int64_t created_at;
	bool learned;
};

struct walk {
	struct node nodes[NODES];
	size_t count;
	size_t path[DEPTH];
	size_t depth;
	unsigned seed;
};

static void take_path(struct walk *walk, size_t node)
{
	size_t reversed[DEPTH];
	walk->depth = 0;
	for (; node != NODES; node = walk->nodes[node].parent)
		reversed[walk->depth++] = node;
	for (size_t i = 0; i < walk->depth; i++)
		walk->path[i] = reversed[walk->depth - 1 - i];
}

static void grow_node(struct walk *walk, size_t parent, int64_t now)
{
	struct node *node = &walk->nodes[walk->count];
	*node = (struct node){.parent = parent, .created_at = now - 1};
	(void)snprintf(node->user, sizeof(node->user), "the turn that names city c%zu",
		       walk->count);
	(void)snprintf(node->value, sizeof(node->value), "c%zu", walk->count);
	(void)snprintf(node->answer, sizeof(node->answer), "answer %zu", walk->count);
	take_path(walk, walk->count++);
}

static void ask_at_path_end(struct fixture *fixture, struct walk *walk, int64_t now)
{
	struct said history[DEPTH];
	struct node *last = &walk->nodes[walk->path[walk->depth - 1]];
	for (size_t i = 0; i + 1 < walk->depth; i++) {
		const struct node *node = &walk->nodes[walk->path[i]];
		history[i] = (struct said){node->user, node->answer};
	}
	struct request request = {history, walk->depth - 1, last->user};
	(void)chat(fixture, request, last->answer, now);
	struct memory_view view = fixture_view(fixture, "chat");
	for (size_t i = 0; i < view.turn_count; i++) {
		if (slice_equal(view.turns[i].text, slice_of(last->user)))
			last->exchange = view.turns[i].exchange;
	}
}

/* The current turns are those of the path, and the city is the one that was named last of what was
 * learned there. */
static void assert_path_stands(struct fixture *fixture, const struct walk *walk)
{
	const struct node *newest = NULL;
	struct memory_view view = fixture_view(fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 2 * walk->depth);
	for (size_t i = 0; i < walk->depth; i++) {
		const struct node *node = &walk->nodes[walk->path[i]];
		size_t found = 0;
		for (size_t j = 0; j < view.turn_count; j++)
			found += view.turns[j].exchange == node->exchange;
		ck_assert_uint_eq(found, 2);
		if (node->learned && (newest == NULL || node->created_at > newest->created_at))
			newest = node;
	}
	assert_city(fixture, newest == NULL ? NULL : newest->value);
}

static void learn_some(struct fixture *fixture, struct walk *walk)
{
	struct job_list jobs = jobs_of(fixture);
	for (size_t i = 0; i < jobs.count; i++) {
		char answer[128];
		if (jobs.jobs[i].kind != JOB_FACTS || rand_r(&walk->seed) % 2 == 0)
			continue;
		for (size_t j = 0; j < walk->count; j++) {
			struct node *node = &walk->nodes[j];
			if (node->exchange != jobs.jobs[i].exchange)
				continue;
			(void)snprintf(answer, sizeof(answer),
				       "{\"entities\":[{\"key\":\"city\",\"value\":\"%s\","
				       "\"confidence\":0.9}]}",
				       node->value);
			ck_assert(!node->learned);
			learn_answer(fixture, node->exchange, answer);
			node->learned = true;
		}
	}
}

START_TEST(whatever_branch_a_client_goes_to_just_its_turns_and_facts_stand)
{
	for (unsigned round = 0; round < 6; round++) {
		struct fixture fixture;
		struct walk walk = {.seed = round + 1};
		int64_t now = 100;
		fixture_init(&fixture, MAP);
		grow_node(&walk, NODES, now);
		ask_at_path_end(&fixture, &walk, now);
		grow_node(&walk, 0, ++now);
		ask_at_path_end(&fixture, &walk, now);
		while (walk.count < NODES) {
			size_t from = (size_t)rand_r(&walk.seed) % walk.count;
			bool again = rand_r(&walk.seed) % 4 == 0;
			bool first = rand_r(&walk.seed) % 16 == 0;
			take_path(&walk, from);
			now += 10;
			if (!again && (first || walk.depth < DEPTH))
				grow_node(&walk, first ? NODES : from, now);
			ask_at_path_end(&fixture, &walk, now);
			assert_path_stands(&fixture, &walk);
			learn_some(&fixture, &walk);
			assert_path_stands(&fixture, &walk);
		}
		fixture_finish(&fixture);
	}
}
END_TEST

static void say_in(struct fixture *fixture, const char *session, const char *text, int64_t now)
{
	struct append append = fixture_exchange(text, "ok", now);
	append.session = slice_of(session);
	append.forget_epoch = fixture_view(fixture, session).forget_epoch;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static void take_first_back(struct fixture *fixture, uint32_t conversation, int64_t now)
{
	struct append append = fixture_exchange("never mind", "ok", now);
	append.conversation = conversation;
	append.supersede = true;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

START_TEST(a_fact_said_again_while_its_turn_is_taken_back_rests_on_the_repetition)
{
	struct fixture fixture;
	struct change paris = city("Paris", 1, 100);
	struct change again = {.kind = CHANGE_UPDATE,
			       .fact = {.id = 1, .state = FACT_CURRENT, .observed_at = 200},
			       .replaced_by = -1};
	fixture_init(&fixture, MAP);
	say_in(&fixture, "one", "I live in Paris", 100);
	learn(&fixture, 1, &paris, 1);
	say_in(&fixture, "two", "As I said, I live in Paris", 200);
	take_first_back(&fixture, 1, 300);
	assert_city(&fixture, NULL);
	/* The learner began before that. */
	learn(&fixture, 3, &again, 1);
	assert_city(&fixture, "Paris");
	take_first_back(&fixture, 2, 400);
	assert_city(&fixture, NULL);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_branches", the_answer_that_a_history_goes_on_from_is_the_one_that_stands,
	  a_first_turn_that_was_edited_is_left_when_its_answer_is_not_carried,
	  a_fork_behind_what_memory_did_not_see_takes_back_what_came_after,
	  a_branch_behind_a_turn_that_was_hidden_takes_the_other_one_back,
	  a_block_that_quotes_what_was_taken_back_is_not_given_again,
	  a_fork_from_the_middle_goes_on_behind_its_place,
	  a_client_that_goes_back_to_the_old_branch_gets_it_back,
	  an_exchange_that_came_back_is_no_longer_taken_back,
	  of_what_comes_back_and_what_was_said_since_the_newer_stands,
	  branches_appended_in_a_row_from_stale_views_leave_one,
	  a_request_appended_behind_a_branch_heals_with_the_next,
	  what_was_forgotten_does_not_come_back_with_its_branch,
	  the_users_conversations_are_counted,
	  whatever_branch_a_client_goes_to_just_its_turns_and_facts_stand,
	  a_fact_said_again_while_its_turn_is_taken_back_rests_on_the_repetition)
