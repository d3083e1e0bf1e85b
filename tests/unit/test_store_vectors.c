#include "core/recall/recall.h"
#include "storage/user/memory.h"
#include "tests/unit/random.h"
#include "tests/unit/store_oracle.h"

#include <stdio.h>
#include <string.h>

enum { MAP = 64 * 1024 * 1024, DIMENSIONS = 12, MOST = 256 };

static struct random chance = {31};

/* ---- the calls, made to wait ---- */

static struct unembedded wanted(struct fixture *fixture, const char *model, size_t limit)
{
	struct unembedded unembedded;
	ck_assert_int_eq(store_unembedded(fixture->store, fixture_key("alex"), slice_of(model),
					  limit, &unembedded, &fixture->arena),
			 STORE_OK);
	return unembedded;
}

static enum store_result embed(struct fixture *fixture, const char *model, size_t dimensions,
			       const struct embedded_turn *turns, size_t count)
{
	struct fixture_wait wait = {0};
	(void)store_embedded(fixture->store, fixture_key("alex"), slice_of(model), dimensions,
			     turns, count,
			     (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

static const int8_t *make_vector(struct fixture *fixture)
{
	int8_t *vector = arena_alloc(&fixture->arena, DIMENSIONS);
	for (size_t i = 0; i < DIMENSIONS; i++)
		vector[i] = (int8_t)((int)random_below(&chance, 255) - 127);
	vector[0] = 127;
	return vector;
}

/* Gives up to `limit` turns that want one a vector; each fourth gets none. Gives how many. */
static size_t embed_some(struct oracle *oracle, size_t limit)
{
	struct embedded_turn turns[MOST];
	struct unembedded unembedded = wanted(oracle->fixture, "model", limit);
	for (size_t i = 0; i < unembedded.count; i++) {
		bool none = random_below(&chance, 4) == 0;
		turns[i].turn = unembedded.turns[i].id;
		turns[i].vector = none ? NULL : make_vector(oracle->fixture);
		oracle->vectors[turns[i].turn] = turns[i].vector;
	}
	oracle->dimensions = DIMENSIONS;
	ck_assert_int_eq(embed(oracle->fixture, "model", DIMENSIONS, turns, unembedded.count),
			 STORE_OK);
	return unembedded.count;
}

static void say(struct fixture *fixture, int number)
{
	char text[64];
	(void)snprintf(text, sizeof(text), "topic%c with number %d", 'a' + number % 7, number);
	struct append append = fixture_exchange(text, "an answer to it", number);
	append.session = SLICE("chat");
	append.ordinal = fixture_view(fixture, "chat").next_ordinal;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static void say_many(struct fixture *fixture, int count)
{
	for (int i = 0; i < count; i++)
		say(fixture, i);
}

static size_t ask(struct oracle *oracle, size_t dimensions)
{
	struct recall_question question =
		fixture_question(oracle->fixture, "what of topica and topicd?");
	question.vector = make_vector(oracle->fixture);
	question.dimensions = dimensions;
	struct recall recall = {.user = fixture_key("alex"),
				.question = &question,
				.carried_from = UINT32_MAX,
				.text_limit = SIZE_MAX};
	return oracle_check(oracle, &recall);
}

/* ---- what must hold ---- */

START_TEST(each_turn_is_asked_for_once_the_oldest_first)
{
	struct fixture fixture;
	struct oracle oracle;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	ck_assert_uint_eq(wanted(&fixture, "model", 10).count, 0);
	say_many(&fixture, 50);
	oracle_look(&oracle, TURN_SUPERSEDED);
	ck_assert_uint_eq(wanted(&fixture, "model", 10).turns[9].id, 10);
	size_t embedded = 0;
	for (size_t some; (some = embed_some(&oracle, 7)) > 0;)
		embedded += some;
	ck_assert_uint_eq(embedded, 100);
	/* And what is said after that, also over a restart. */
	say(&fixture, 50);
	fixture_reopen(&fixture);
	struct unembedded unembedded = wanted(&fixture, "model", 10);
	ck_assert_uint_eq(unembedded.count, 2);
	ck_assert_uint_eq(unembedded.turns[0].id, 101);
	unit_assert_slice(unembedded.turns[0].text, "topicb with number 50");
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_came_out_of_order_leaves_the_gaps_to_be_asked_for)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say_many(&fixture, 40);
	struct embedded_turn turns[] = {{70, make_vector(&fixture)}, {3, NULL}, {1, NULL}};
	ck_assert_int_eq(embed(&fixture, "model", DIMENSIONS, turns, 3), STORE_OK);
	struct unembedded unembedded = wanted(&fixture, "model", 100);
	ck_assert_uint_eq(unembedded.count, 77);
	ck_assert_uint_eq(unembedded.turns[0].id, 2);
	ck_assert_uint_eq(unembedded.turns[1].id, 4);
	ck_assert_uint_eq(unembedded.turns[66].id, 69);
	ck_assert_uint_eq(unembedded.turns[67].id, 71);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(recall_compares_each_vector_with_the_question_s)
{
	struct fixture fixture;
	struct oracle oracle;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	say_many(&fixture, 100);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (int i = 0; i < 12; i++) {
		(void)embed_some(&oracle, random_below(&chance, 40));
		ck_assert_uint_gt(ask(&oracle, DIMENSIONS), 0);
	}
	/* One of another model's dimensions is not compared. */
	ck_assert_uint_gt(ask(&oracle, DIMENSIONS - 1), 0);
	fixture_reopen(&fixture);
	ck_assert_uint_gt(ask(&oracle, DIMENSIONS), 0);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(another_model_s_first_vectors_take_the_place_of_all)
{
	struct fixture fixture;
	struct oracle oracle;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	say_many(&fixture, 10);
	oracle_look(&oracle, TURN_SUPERSEDED);
	while (embed_some(&oracle, 8) > 0)
		;
	ck_assert_uint_eq(wanted(&fixture, "other", 100).count, 20);
	ck_assert_uint_eq(wanted(&fixture, "model", 100).count, 0);
	struct embedded_turn turn = {1, make_vector(&fixture)};
	ck_assert_int_eq(embed(&fixture, "other", DIMENSIONS, &turn, 1), STORE_OK);
	ck_assert_uint_eq(wanted(&fixture, "other", 100).count, 19);
	ck_assert_uint_eq(wanted(&fixture, "model", 100).count, 20);
	memset(oracle.vectors, 0, oracle.count * sizeof(*oracle.vectors));
	oracle.vectors[1] = turn.vector;
	ck_assert_uint_gt(ask(&oracle, DIMENSIONS), 0);
	/* So do the same model's of other dimensions. */
	turn.turn = 5;
	ck_assert_int_eq(embed(&fixture, "other", DIMENSIONS - 2, &turn, 1), STORE_OK);
	struct unembedded unembedded = wanted(&fixture, "other", 100);
	ck_assert_uint_eq(unembedded.count, 19);
	ck_assert_uint_eq(unembedded.turns[0].id, 1);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(word_that_there_is_no_vector_needs_no_dimensions)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say_many(&fixture, 3);
	struct embedded_turn none[] = {{1, NULL}, {2, NULL}};
	ck_assert_int_eq(embed(&fixture, "model", 0, none, 2), STORE_OK);
	ck_assert_uint_eq(wanted(&fixture, "model", 10).turns[0].id, 3);
	struct embedded_turn first = {3, make_vector(&fixture)};
	ck_assert_int_eq(embed(&fixture, "model", DIMENSIONS, &first, 1), STORE_OK);
	ck_assert_uint_eq(wanted(&fixture, "model", 10).turns[0].id, 4);
	none[0].turn = 4;
	ck_assert_int_eq(embed(&fixture, "model", 0, none, 1), STORE_OK);
	ck_assert_uint_eq(wanted(&fixture, "model", 10).turns[0].id, 5);
	fixture_finish(&fixture);
}
END_TEST

static bool is_kept(struct fixture *fixture, const int8_t *vector)
{
	struct transaction transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	struct slice bytes = {(const char *)vector, DIMENSIONS};
	bool found = false;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	scan_begin(&scan, &transaction, TABLE_VECTORS, key_empty(), FORWARD);
	while (!found && scan_next(&scan, &key, &value))
		found = slice_find(value, bytes, 0) < value.size;
	scan_end(&scan);
	transaction_abort(&transaction);
	return found;
}

START_TEST(the_vector_of_a_hidden_turn_is_gone)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say_many(&fixture, 2);
	struct embedded_turn turns[] = {{1, make_vector(&fixture)}, {3, make_vector(&fixture)}};
	ck_assert_int_eq(embed(&fixture, "model", DIMENSIONS, turns, 2), STORE_OK);
	ck_assert(is_kept(&fixture, turns[0].vector));
	ck_assert_int_eq(fixture_learned(&fixture, 1, NULL, 0, true), STORE_OK);
	ck_assert(!is_kept(&fixture, turns[0].vector));
	ck_assert(is_kept(&fixture, turns[1].vector));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_hidden_or_superseded_wants_no_vector)
{
	struct fixture fixture;
	struct oracle oracle;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	say_many(&fixture, 8);
	oracle_look(&oracle, TURN_SUPERSEDED);
	(void)embed_some(&oracle, 8);
	/* The exchanges of turns 1 and 9: before the cursor and behind it. */
	ck_assert_int_eq(fixture_learned(&fixture, 1, NULL, 0, true), STORE_OK);
	ck_assert_int_eq(fixture_learned(&fixture, 9, NULL, 0, true), STORE_OK);
	oracle_look(&oracle, TURN_HIDDEN);
	ck_assert_uint_gt(ask(&oracle, DIMENSIONS), 0);
	ck_assert_uint_eq(wanted(&fixture, "model", 10).turns[0].id, 11);
	struct append append = fixture_exchange("", "another answer", 99);
	append.same_exchange = 11;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert_uint_eq(wanted(&fixture, "model", 10).turns[1].id, 13);
	/* One that came too late is not kept. */
	struct embedded_turn late = {9, make_vector(&fixture)};
	ck_assert_int_eq(embed(&fixture, "model", DIMENSIONS, &late, 1), STORE_OK);
	oracle_look(&oracle, TURN_SUPERSEDED);
	ck_assert_uint_gt(ask(&oracle, DIMENSIONS), 0);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

static void set_state(struct fixture *fixture, uint64_t id, enum turn_state state)
{
	struct transaction transaction;
	struct memory memory = {&transaction, fixture_key("alex"), &fixture->arena};
	struct stored_turn turn;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	ck_assert(memory_turn(&memory, id, &turn));
	turn.turn.state = state;
	memory_put_turn(&memory, &turn);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

START_TEST(a_turn_that_was_passed_by_is_asked_for_when_it_stands_again)
{
	struct fixture fixture;
	struct oracle oracle;
	fixture_init(&fixture, MAP);
	oracle_init(&oracle, &fixture);
	say_many(&fixture, 5);
	oracle_look(&oracle, TURN_SUPERSEDED);
	set_state(&fixture, 4, TURN_SUPERSEDED);
	ck_assert_uint_eq(embed_some(&oracle, 10), 9);
	set_state(&fixture, 4, TURN_CURRENT);
	oracle_look(&oracle, TURN_SUPERSEDED);
	ck_assert_uint_gt(ask(&oracle, DIMENSIONS), 0);
	struct unembedded unembedded = wanted(&fixture, "model", 10);
	ck_assert_uint_eq(unembedded.count, 1);
	ck_assert_uint_eq(unembedded.turns[0].id, 4);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_long_text_is_cut_between_characters)
{
	enum { LIMIT = 8 * 1024 };
	struct fixture fixture;
	static char text[3 * LIMIT + 1];
	fixture_init(&fixture, MAP);
	for (size_t i = 0; i < LIMIT; i++)
		memcpy(text + 3 * i, "\xe4\xbd\xa0", 3);
	struct append append = fixture_exchange(text, "long", 5);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	struct slice cut = wanted(&fixture, "model", 1).turns[0].text;
	ck_assert_uint_eq(cut.size, LIMIT / 3 * 3);
	ck_assert_mem_eq(cut.data, text, cut.size);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(vectors_of_a_user_who_is_unknown_or_forgotten_are_not_kept)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct embedded_turn turn = {1, make_vector(&fixture)};
	ck_assert_int_eq(embed(&fixture, "model", DIMENSIONS, &turn, 1), STORE_STALE);
	say(&fixture, 1);
	ck_assert_int_eq(embed(&fixture, "model", DIMENSIONS, &turn, 1), STORE_OK);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_int_eq(embed(&fixture, "model", DIMENSIONS, &turn, 1), STORE_STALE);
	say(&fixture, 2);
	ck_assert_int_eq(embed(&fixture, "model", DIMENSIONS, &turn, 1), STORE_OK);
	ck_assert_uint_eq(wanted(&fixture, "model", 10).count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(vectors_that_are_too_long_are_refused)
{
	struct fixture fixture;
	static int8_t vector[VECTOR_MAX_DIMENSIONS + 1] = {1};
	struct embedded_turn turn = {1, vector};
	fixture_init(&fixture, MAP);
	say(&fixture, 1);
	ck_assert_int_eq(embed(&fixture, "model", VECTOR_MAX_DIMENSIONS + 1, &turn, 1),
			 STORE_FAILED);
	ck_assert_int_eq(embed(&fixture, "model", VECTOR_MAX_DIMENSIONS, &turn, 1), STORE_OK);
	ck_assert_uint_eq(wanted(&fixture, "model", 10).count, 1);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_vectors", each_turn_is_asked_for_once_the_oldest_first,
	  what_came_out_of_order_leaves_the_gaps_to_be_asked_for,
	  recall_compares_each_vector_with_the_question_s,
	  another_model_s_first_vectors_take_the_place_of_all,
	  word_that_there_is_no_vector_needs_no_dimensions, the_vector_of_a_hidden_turn_is_gone,
	  what_is_hidden_or_superseded_wants_no_vector,
	  a_turn_that_was_passed_by_is_asked_for_when_it_stands_again,
	  a_long_text_is_cut_between_characters,
	  vectors_of_a_user_who_is_unknown_or_forgotten_are_not_kept,
	  vectors_that_are_too_long_are_refused)
