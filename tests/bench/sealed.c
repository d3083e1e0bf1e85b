/* Measures the cost of encryption: CPU time of finding about 30 turns, of loading, of an exchange
 * and of an erasure, and bytes of the file, for a store in the clear and an encrypted one, side by
 * side. Run it as build/tests/bench-sealed. */
#include "storage/lmdb/engine.h"
#include "tests/unit/random.h"
#include "tests/unit/store_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	USERS = 100,
	EXCHANGES = 25, /* of each */
	ROUNDS = 2000,
	ERASED = 40,
	VOCABULARY = 300,
	TURN_WORDS = 80, /* 320 bytes */
	QUESTION_WORDS = 12,
	WANTED = 30 * 320,
	TEXT_SIZE = 1024,
	RECEIPT_SIZE = 900,
	NAME_SIZE = 16,
	KINDS = 2, /* in the clear, encrypted */
	MAP = 512 << 20,
};

struct side {
	struct fixture fixture;
	double recalls[ROUNDS], loads[ROUNDS], erasures[ERASED];
	double appends; /* of all */
	double found;   /* turns, by all recalls */
};

static struct random chance = {4711};

static double microseconds(clockid_t clock)
{
	struct timespec now;
	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;
	return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static void say(char *out, size_t words)
{
	for (size_t i = 0; i < words; i++) {
		for (uint64_t word = random_below(&chance, VOCABULARY) + 400; word > 0; word /= 20)
			*out++ = "bcdfghjklmnpqrstvwxz"[word % 20];
		*out++ = ' ';
	}
	*out = '\0';
}

static void name_user(char name[NAME_SIZE], uint64_t user)
{
	(void)snprintf(name, NAME_SIZE, "user%03u", (unsigned)user);
}

static void append(struct side *sides, uint64_t user, int exchange)
{
	static uint64_t receipt = 1;
	char name[NAME_SIZE];
	char said[TEXT_SIZE];
	char answered[TEXT_SIZE];
	char given[RECEIPT_SIZE];
	name_user(name, user);
	say(said, TURN_WORDS);
	say(answered, TURN_WORDS);
	memset(given, 'r', sizeof(given));
	struct append append = fixture_exchange(said, answered, 1000 * exchange + 1000);
	append.user = slice_of(name);
	append.receipt.id = receipt++;
	append.receipt.text = (struct slice){given, sizeof(given)};
	for (int kind = 0; kind < KINDS; kind++) {
		double begun = microseconds(CLOCK_PROCESS_CPUTIME_ID);
		ck_assert_int_eq(fixture_append(&sides[kind].fixture, &append), STORE_OK);
		sides[kind].appends += microseconds(CLOCK_PROCESS_CPUTIME_ID) - begun;
	}
}

static void ask(struct side *side, const char *name, const char *text, int round)
{
	struct arena arena = {0};
	struct recall_question question = fixture_question(&side->fixture, text);
	const struct recall recall = {.user = fixture_key(name),
				      .question = &question,
				      .text_limit = WANTED,
				      .carried_from = UINT32_MAX};
	const struct load load = {.user = recall.user,
				  .now = 1000 * 1000,
				  .newest_turns = 4,
				  .facts = true,
				  .past_facts = true};
	struct recall_result result;
	struct memory_view view;
	double begun = microseconds(CLOCK_THREAD_CPUTIME_ID);
	ck_assert_int_eq(store_load(side->fixture.store, &load, &view, &arena), STORE_OK);
	double loaded = microseconds(CLOCK_THREAD_CPUTIME_ID);
	ck_assert_int_eq(store_recall(side->fixture.store, &recall, &result, &arena), STORE_OK);
	side->recalls[round] = microseconds(CLOCK_THREAD_CPUTIME_ID) - loaded;
	side->loads[round] = loaded - begun;
	side->found += (double)result.count;
	arena_finish(&arena);
	arena_finish(&side->fixture.arena);
	side->fixture.arena = (struct arena){0};
}

static void measure(struct side *sides)
{
	char name[NAME_SIZE];
	char text[TEXT_SIZE];
	for (int exchange = 0; exchange < EXCHANGES; exchange++) {
		for (uint64_t user = 0; user < USERS; user++)
			append(sides, user, exchange);
	}
	for (int round = 0; round < ROUNDS; round++) {
		name_user(name, random_below(&chance, USERS));
		say(text, QUESTION_WORDS);
		for (int kind = 0; kind < KINDS; kind++)
			ask(&sides[(kind + round) % KINDS], name, text, round);
	}
}

static void erase(struct side *side)
{
	char name[NAME_SIZE];
	for (int i = 0; i < ERASED; i++) {
		name_user(name, (uint64_t)i);
		double begun = microseconds(CLOCK_MONOTONIC);
		ck_assert_int_eq(fixture_forget(&side->fixture, name), STORE_OK);
		side->erasures[i] = microseconds(CLOCK_MONOTONIC) - begun;
	}
}

static double bytes_of(struct side *side)
{
	return (double)engine_bytes_used(side->fixture.store);
}

static void print(const char *what, double clear, double sealed)
{
	(void)printf("| %s | %.1f | %.1f | %+.1f | %+.1f %% |\n", what, clear, sealed,
		     sealed - clear, 100 * (sealed / clear - 1));
}

START_TEST(measurements)
{
	static struct side sides[KINDS];
	const double exchanges = (double)USERS * EXCHANGES;
	for (int kind = 0; kind < KINDS; kind++) {
		(void)(kind == 0 ? unsetenv("ENCRYPTED") : setenv("ENCRYPTED", "1", 1));
		fixture_init(&sides[kind].fixture, MAP);
		sides[kind].fixture.receipts = (uint64_t)USERS * EXCHANGES;
		fixture_reopen(&sides[kind].fixture);
	}
	measure(sides);
	(void)printf("%.1f turns found by a lookup\n\n| | clear | encrypted | | |\n"
		     "| --- | ---: | ---: | ---: | ---: |\n",
		     sides[0].found / ROUNDS);
	print("lookup, us of CPU, median", median(sides[0].recalls, ROUNDS),
	      median(sides[1].recalls, ROUNDS));
	print("load, us of CPU, median", median(sides[0].loads, ROUNDS),
	      median(sides[1].loads, ROUNDS));
	print("an exchange, us of CPU, mean", sides[0].appends / exchanges,
	      sides[1].appends / exchanges);
	print("the file, bytes an exchange", bytes_of(&sides[0]) / exchanges,
	      bytes_of(&sides[1]) / exchanges);
	for (int kind = 0; kind < KINDS; kind++)
		erase(&sides[kind]);
	print("erasing a user, us elapsed, median", median(sides[0].erasures, ERASED),
	      median(sides[1].erasures, ERASED));
	for (int kind = 0; kind < KINDS; kind++)
		fixture_finish(&sides[kind].fixture);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {measurements};
	(void)setenv("CK_FORK", "no", 1); /* it takes as long as it takes */
	return unit_run("sealed", tests, 1);
}
