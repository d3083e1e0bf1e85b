/* Recall in a memory of which it does not read all. */
#include "tests/unit/random.h"
#include "tests/unit/store_oracle.h"

#include "storage/index/index.h"

#include <stdio.h>

enum { TURNS = NARROW_FROM + 2000, AT_ONCE = 1000, WORDS = 3000, MAP = 256 << 20 };

static const int64_t minute = 60000;

/* The rarer a word, the higher its number. */
static unsigned pick_word(struct random *chance)
{
	unsigned most = 1 + (unsigned)random_below(chance, WORDS);
	return (unsigned)random_below(chance, most);
}

static size_t say(struct random *chance, char *out, size_t room, size_t words)
{
	size_t size = 0;
	for (size_t i = 0; i < words; i++)
		size += (size_t)snprintf(out + size, room - size, "%sw%cx%cy%c", i > 0 ? " " : "",
					 "bcdfghjklmnpqrst"[pick_word(chance) / 256 % 16],
					 "bcdfghjklmnpqrst"[pick_word(chance) / 16 % 16],
					 "bcdfghjklmnpqrst"[pick_word(chance) % 16]);
	return size;
}

/* Turn i + 1 is said in minute i. Each conversation has 40 turns, but the last has 1,000. */
static void talk(struct fixture *fixture, struct random *chance)
{
	static char texts[AT_ONCE][512];
	static char sessions[AT_ONCE][32];
	static struct fixture_turn turns[AT_ONCE];
	for (size_t first = 0; first < TURNS; first += AT_ONCE) {
		size_t count = TURNS - first < AT_ONCE ? TURNS - first : AT_ONCE;
		for (size_t i = 0; i < count; i++) {
			size_t at = first + i;
			size_t size = say(chance, texts[i], sizeof(texts[i]),
					  3 + random_below(chance, 20));
			if (at == 77)
				(void)snprintf(texts[i] + size, 32, " zeppelin");
			(void)snprintf(sessions[i], sizeof(sessions[i]), "%zu",
				       at + AT_ONCE < TURNS ? at / 40 : TURNS);
			turns[i] = (struct fixture_turn){.role = i % 2 == 0 ? ROLE_USER
									    : ROLE_ASSISTANT,
							 .text = slice_of(texts[i]),
							 .hash = fixture_hash(texts[i]),
							 .created_at = (int64_t)at * minute,
							 .session = slice_of(sessions[i])};
		}
		ck_assert_int_eq(fixture_import(fixture, turns, count, false), STORE_OK);
	}
}

/* The best turns of a ranking of all documents. */
static size_t rank_all(struct fixture *fixture, const struct recall_question *question,
		       uint64_t *best, size_t limit)
{
	struct transaction transaction;
	struct arena arena = {0};
	struct recall_hit *hits = arena_alloc(&arena, 2 * limit * sizeof(*hits));
	struct documents documents;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	const struct memory memory = {&transaction, fixture_key("alex"), &arena};
	documents_read(&memory, &documents);
	ck_assert_uint_eq(documents.count, TURNS);
	const struct recall_corpus corpus = {.documents = documents.documents,
					     .count = documents.count,
					     .postings =
						     postings_of(&memory, &documents, question)};
	size_t count = recall_rank(question, &corpus, hits, limit, &arena);
	for (size_t i = 0; i < count; i++)
		best[i] = documents.first + hits[i].document;
	transaction_abort(&transaction);
	arena_finish(&arena);
	return count;
}

static bool has_turn(const struct recall_result *result, uint64_t id)
{
	size_t at = 0;
	while (at < result->count && result->turns[at].id != id)
		at++;
	return at < result->count;
}

static struct recall recall_of(const struct recall_question *question)
{
	return (struct recall){.user = fixture_key("alex"),
			       .question = question,
			       .carried_from = UINT32_MAX,
			       .text_limit = 16 * 1024};
}

static void is_found_as_in_all(struct fixture *fixture, struct random *chance)
{
	enum { QUESTIONS = 40, BEST = 10 };
	size_t wanted = 0;
	size_t given = 0;
	size_t first = 0;
	for (size_t i = 0; i < QUESTIONS; i++) {
		char text[256];
		uint64_t best[BEST];
		(void)say(chance, text, sizeof(text), 2 + random_below(chance, 8));
		struct recall_question question = fixture_question(fixture, text);
		const struct recall recall = recall_of(&question);
		struct recall_result result = fixture_recall(fixture, &recall);
		ck_assert_uint_le(result.ranked, TURNS / 2);
		size_t count = rank_all(fixture, &question, best, BEST);
		ck_assert_uint_gt(count, 0);
		wanted += count;
		for (size_t k = 0; k < count; k++)
			given += has_turn(&result, best[k]);
		first += result.count > 0 && result.turns[0].id == best[0];
	}
	/* In the order they may differ, as the mean of lengths is of a sample. */
	ck_assert_uint_ge(100 * given, 97 * wanted);
	ck_assert_uint_ge(10 * first, 9 * QUESTIONS);
}

static void a_rare_word_is_found_with_its_neighbours(struct fixture *fixture)
{
	struct recall_question question = fixture_question(fixture, "the zeppelin");
	const struct recall recall = recall_of(&question);
	struct recall_result result = fixture_recall(fixture, &recall);
	ck_assert(has_turn(&result, 78) && has_turn(&result, 77) && has_turn(&result, 79));
	ck_assert_uint_le(result.count, 7);
	ck_assert_uint_eq(result.ranked, 7);
}

/* Two days after the last turn: so many minutes ago began the day asked for. */
static void a_period_is_found_without_words(struct fixture *fixture)
{
	const int64_t day = 24 * 60 * minute;
	struct recall_question question;
	int64_t now = 3 * day + 60 * minute;
	recall_read_question(SLICE("What did we do yesterday?"), now, &question, &fixture->arena);
	ck_assert_uint_eq(question.period_count, 1);
	const struct recall recall = recall_of(&question);
	struct recall_result result = fixture_recall(fixture, &recall);
	ck_assert_uint_gt(result.count, 20);
	for (size_t i = 0; i < result.count; i++) {
		ck_assert_int_ge(result.turns[i].created_at, question.periods[0].from);
		ck_assert_int_lt(result.turns[i].created_at, question.periods[0].until);
	}
	/* nothing was said then */
	recall_read_question(SLICE("What did we do yesterday?"), now + 400 * day, &question,
			     &fixture->arena);
	ck_assert_uint_eq(fixture_recall(fixture, &recall).count, 0);
}

static void what_is_named_is_read(struct fixture *fixture)
{
	struct recall_question question = fixture_question(fixture, "gramophone");
	const struct recall_hint hints[] = {{500, 1}, {TURNS + 99, 1}};
	const uint64_t given[] = {500, 501};
	struct recall recall = recall_of(&question);
	recall.hints = hints;
	recall.hint_count = 2;
	struct recall_result result = fixture_recall(fixture, &recall);
	ck_assert(has_turn(&result, 500) && has_turn(&result, 503));
	recall.given = given;
	recall.given_count = 2;
	result = fixture_recall(fixture, &recall);
	ck_assert(!has_turn(&result, 500) && !has_turn(&result, 501) && has_turn(&result, 503));
}

/* Most turns with a common word are in the last conversation. */
static void what_is_carried_hides_nothing(struct fixture *fixture)
{
	struct recall_question question = fixture_question(fixture, "wbxbyb");
	struct recall recall = recall_of(&question);
	struct recall_result result = fixture_recall(fixture, &recall);
	ck_assert_uint_gt(result.count, 0);
	recall.conversation = (uint32_t)(TURNS - AT_ONCE) / 40 + 1;
	for (size_t i = 0; i < result.count; i++)
		if (result.turns[i].id > TURNS - AT_ONCE)
			recall.conversation = result.turns[i].conversation;
	recall.carried_from = 0;
	result = fixture_recall(fixture, &recall);
	ck_assert_uint_gt(result.count, 0);
	for (size_t i = 0; i < result.count; i++)
		ck_assert_uint_le(result.turns[i].id, TURNS - AT_ONCE);
	recall.carried_from = UINT32_MAX;
	recall.only_conversation = true;
	result = fixture_recall(fixture, &recall);
	ck_assert_uint_gt(result.count, 0);
	for (size_t i = 0; i < result.count; i++)
		ck_assert_uint_gt(result.turns[i].id, TURNS - AT_ONCE);
}

START_TEST(a_long_memory_is_searched_as_a_whole)
{
	struct fixture fixture;
	struct random chance = {20};
	fixture_init(&fixture, MAP);
	talk(&fixture, &chance);
	is_found_as_in_all(&fixture, &chance);
	a_rare_word_is_found_with_its_neighbours(&fixture);
	a_period_is_found_without_words(&fixture);
	what_is_named_is_read(&fixture);
	what_is_carried_hides_nothing(&fixture);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_long", a_long_memory_is_searched_as_a_whole)
