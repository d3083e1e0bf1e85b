#include "tests/unit/store_oracle.h"

#include "tests/unit/cosine.h"

#include <stdlib.h>
#include <string.h>

void oracle_init(struct oracle *oracle, struct fixture *fixture)
{
	*oracle = (struct oracle){.fixture = fixture};
}

void oracle_finish(struct oracle *oracle)
{
	free(oracle->turns);
	free(oracle->vectors);
	arena_finish(&oracle->arena);
}

static void make_room(struct oracle *oracle, size_t count)
{
	if (count <= oracle->count)
		return;
	oracle->turns = xrealloc(oracle->turns, count * sizeof(*oracle->turns));
	oracle->vectors = xrealloc(oracle->vectors, count * sizeof(*oracle->vectors));
	for (size_t i = oracle->count; i < count; i++) {
		oracle->turns[i] = (struct turn){.state = TURN_HIDDEN};
		oracle->vectors[i] = NULL;
	}
	oracle->count = count;
}

/* Hiding a turn hides the earlier answers of its exchange, too. */
static void hide_exchange(struct oracle *oracle, uint64_t exchange)
{
	for (size_t i = 0; i < oracle->count; i++) {
		if (oracle->turns[i].exchange == exchange)
			oracle->turns[i].state = TURN_HIDDEN;
	}
}

void oracle_look(struct oracle *oracle, enum turn_state gone)
{
	struct user_memory memory;
	(void)store_read_user(oracle->fixture->store, fixture_key("alex"), 1000000, 0, &memory,
			      &oracle->arena);
	for (size_t i = 0; i < memory.turn_count; i++)
		make_room(oracle, (size_t)memory.turns[i].id + 1);
	bool *is_current = xcalloc(oracle->count + 1, sizeof(bool));
	for (size_t i = 0; i < memory.turn_count; i++) {
		is_current[memory.turns[i].id] = true;
		oracle->turns[memory.turns[i].id] = memory.turns[i];
	}
	for (size_t i = 0; i < oracle->count; i++) {
		if (is_current[i] || oracle->turns[i].state != TURN_CURRENT)
			continue;
		oracle->turns[i].state = gone;
		if (gone == TURN_HIDDEN)
			hide_exchange(oracle, oracle->turns[i].exchange);
	}
	free(is_current);
}

/* ---- ranking ---- */

struct naive {
	struct recall_document *documents;
	struct term_list *terms;
	float *similarities;
	size_t first; /* the turn of the first document */
	size_t count;
};

static void describe(struct oracle *oracle, struct naive *naive, struct arena *arena)
{
	size_t first = 0;
	size_t end = oracle->count;
	while (first < end && oracle->turns[first].state == TURN_HIDDEN)
		first++;
	while (end > first && oracle->turns[end - 1].state == TURN_HIDDEN)
		end--;
	*naive = (struct naive){.first = first, .count = end - first};
	naive->documents = arena_alloc(arena, naive->count * sizeof(*naive->documents));
	naive->terms = arena_alloc(arena, naive->count * sizeof(*naive->terms));
	naive->similarities = arena_alloc(arena, naive->count * sizeof(float));
	for (size_t i = 0; i < naive->count; i++) {
		const struct turn *turn = &oracle->turns[first + i];
		naive->similarities[i] = -2;
		if (turn->state == TURN_HIDDEN)
			continue;
		recall_describe(turn, &naive->documents[i], &naive->terms[i], arena);
		naive->documents[i].is_live = turn->state == TURN_CURRENT && turn->text.size > 0;
	}
}

static struct recall_postings look_for(const struct naive *naive, uint64_t hash,
				       struct arena *arena)
{
	struct recall_posting *found = arena_alloc(arena, naive->count * sizeof(*found));
	size_t count = 0;
	for (size_t i = 0; i < naive->count; i++) {
		for (size_t k = 0; k < naive->terms[i].count; k++) {
			const struct term *term = &naive->terms[i].terms[k];
			if (term->hash == hash)
				found[count++] = (struct recall_posting){(uint32_t)i, term->count};
		}
	}
	return (struct recall_postings){found, count};
}

static bool is_given(const struct recall *recall, uint64_t turn)
{
	for (size_t i = 0; i < recall->given_count; i++) {
		if (recall->given[i] == turn)
			return true;
	}
	return false;
}

static void compare(const struct oracle *oracle, struct naive *naive,
		    const struct recall_question *question)
{
	for (size_t i = 0; i < naive->count; i++) {
		const int8_t *vector = oracle->vectors[naive->first + i];
		if (vector != NULL && oracle->turns[naive->first + i].state != TURN_HIDDEN)
			naive->similarities[i] =
				vector_cosine(question->vector, vector, question->dimensions);
	}
}

static size_t rank(struct oracle *oracle, struct naive *naive, const struct recall *recall,
		   struct recall_hit *hits, struct arena *arena)
{
	const struct recall_question *question = recall->question;
	for (size_t i = 0; i < naive->count; i++) {
		struct recall_document *document = &naive->documents[i];
		if (recall->conversation != 0 && document->conversation == recall->conversation &&
		    recall->carried_from != UINT32_MAX && document->ordinal >= recall->carried_from)
			document->is_live = 0;
	}
	struct recall_postings *postings =
		arena_alloc(arena, question->terms.count * sizeof(*postings));
	for (size_t i = 0; i < question->terms.count; i++)
		postings[i] = look_for(naive, question->terms.terms[i].hash, arena);
	bool has_vectors = question->vector != NULL && question->dimensions == oracle->dimensions;
	if (has_vectors)
		compare(oracle, naive, question);
	struct recall_corpus corpus = {.documents = naive->documents,
				       .count = naive->count,
				       .postings = postings,
				       .similarities = has_vectors ? naive->similarities : NULL};
	size_t limit = STORE_MAX_RECALLED + recall->given_count;
	return recall_rank(question, &corpus, hits, limit, arena);
}

size_t oracle_check(struct oracle *oracle, const struct recall *recall)
{
	struct arena arena = {0};
	struct naive naive;
	struct recall_result result = fixture_recall(oracle->fixture, recall);
	describe(oracle, &naive, &arena);
	size_t live = 0;
	for (size_t i = 0; i < naive.count; i++)
		live += naive.documents[i].is_live;
	ck_assert_uint_eq(result.ranked, live);
	struct recall_hit *hits =
		arena_alloc(&arena, (STORE_MAX_RECALLED + recall->given_count) * sizeof(*hits));
	size_t count = rank(oracle, &naive, recall, hits, &arena);
	size_t given = 0;
	size_t text = 0;
	for (size_t i = 0; i < count && text < recall->text_limit && given < STORE_MAX_RECALLED;
	     i++) {
		const struct turn *turn = &oracle->turns[naive.first + hits[i].document];
		if (is_given(recall, turn->id))
			continue;
		ck_assert_uint_lt(given, result.count);
		ck_assert_uint_eq(result.turns[given].id, turn->id);
		ck_assert(slice_equal(result.turns[given].text, turn->text));
		ck_assert_uint_eq(result.turns[given].session.size, 0);
		ck_assert_float_eq(result.scores[given].score, hits[i].score);
		text += turn->text.size;
		given++;
	}
	ck_assert_uint_eq(result.count, given);
	arena_finish(&arena);
	return given;
}

size_t oracle_ask(struct oracle *oracle, const char *text)
{
	struct recall_question question = fixture_question(oracle->fixture, text);
	struct recall recall = {.user = fixture_key("alex"),
				.question = &question,
				.carried_from = UINT32_MAX,
				.text_limit = SIZE_MAX};
	return oracle_check(oracle, &recall);
}

/* ---- the store's answer ---- */

struct recall_result fixture_recall(struct fixture *fixture, const struct recall *recall)
{
	struct recall_result result;
	ck_assert_int_eq(store_recall(fixture->store, recall, &result, &fixture->arena), STORE_OK);
	return result;
}

struct recall_question fixture_question(struct fixture *fixture, const char *text)
{
	struct recall_question question;
	recall_read_question(slice_of(text), 1000000, &question, &fixture->arena);
	return question;
}
