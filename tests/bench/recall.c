/* How long recall takes, and what an append costs, at three sizes of a memory. Prints a table; run
 * it as build/tests/bench-recall. `vectors` as its argument gives each turn one. */
#include "tests/unit/random.h"
#include "tests/unit/store_oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	VOCABULARY = 30000,
	QUESTIONS = 400,
	APPENDS = 640,
	IMPORTED_AT_ONCE = 1000,
	DIMENSIONS = 384,
	TEXT_LIMIT = 8 * 1024, /* about 40 turns */
};

static struct random chance = {4711};
static double steps[VOCABULARY]; /* of the distribution of words, rising to 1 */
static bool with_vectors;

static double milliseconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void spread_words(void)
{
	double sum = 0;
	for (int i = 0; i < VOCABULARY; i++)
		steps[i] = sum += 1.0 / (i + 3);
	for (int i = 0; i < VOCABULARY; i++)
		steps[i] /= sum;
}

static int pick_word(void)
{
	double at = (double)random_below(&chance, 1 << 30) / (1 << 30);
	int low = 0;
	int high = VOCABULARY - 1;
	while (low < high) {
		int middle = (low + high) / 2;
		if (steps[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* `words` words by Zipf's law; a word is its number written in letters. */
static void say(char *out, size_t words)
{
	for (size_t i = 0; i < words; i++) {
		for (int word = pick_word() + 20; word > 0; word /= 20)
			*out++ = "bcdfghjklmnpqrstvwxz"[word % 20];
		*out++ = ' ';
	}
	*out = '\0';
}

static void give_vectors(struct fixture *fixture, uint64_t first, size_t count)
{
	struct embedded_turn *turns = xcalloc(count, sizeof(*turns));
	int8_t *vectors = xmalloc(count * DIMENSIONS);
	struct fixture_wait wait = {0};
	for (size_t i = 0; i < count * DIMENSIONS; i++)
		vectors[i] = (int8_t)((int)random_below(&chance, 255) - 127);
	for (size_t i = 0; i < count; i++)
		turns[i] = (struct embedded_turn){first + i, vectors + i * DIMENSIONS};
	(void)store_embedded(fixture->store, fixture_key("alex"), SLICE("model"), DIMENSIONS, turns,
			     count,
			     (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
	free(vectors);
	free(turns);
}

static void import(struct fixture *fixture, size_t first, size_t count)
{
	static char texts[IMPORTED_AT_ONCE][1024];
	struct fixture_turn turns[IMPORTED_AT_ONCE];
	char session[32];
	(void)snprintf(session, sizeof(session), "session %zu", first / 25);
	for (size_t i = 0; i < count; i++) {
		say(texts[i], 5 + random_below(&chance, 45));
		turns[i] = (struct fixture_turn){.role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
						 .text = slice_of(texts[i]),
						 .hash = fixture_hash(texts[i]),
						 .created_at = (int64_t)(first + i) * 60000,
						 .session = slice_of(session)};
	}
	ck_assert_int_eq(fixture_import(fixture, turns, count, false), STORE_OK);
	if (with_vectors)
		give_vectors(fixture, first + 1, count);
}

static int compare_times(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;
	return (a > b) - (a < b);
}

static void ask(struct fixture *fixture, size_t turns)
{
	double times[QUESTIONS];
	double work[QUESTIONS];
	char text[512];
	int8_t vector[DIMENSIONS];
	size_t given = 0;
	for (size_t i = 0; i < QUESTIONS; i++) {
		say(text, 12);
		for (size_t k = 0; k < DIMENSIONS; k++)
			vector[k] = (int8_t)((int)random_below(&chance, 255) - 127);
		struct recall_question question = fixture_question(fixture, text);
		question.vector = with_vectors ? vector : NULL;
		question.dimensions = DIMENSIONS;
		struct recall recall = {.user = fixture_key("alex"),
					.question = &question,
					.carried_from = UINT32_MAX,
					.text_limit = TEXT_LIMIT};
		double begin = milliseconds(CLOCK_MONOTONIC);
		double worked = milliseconds(CLOCK_THREAD_CPUTIME_ID);
		given += fixture_recall(fixture, &recall).count;
		work[i] = milliseconds(CLOCK_THREAD_CPUTIME_ID) - worked;
		times[i] = milliseconds(CLOCK_MONOTONIC) - begin;
		arena_finish(&fixture->arena);
	}
	qsort(times, QUESTIONS, sizeof(*times), compare_times);
	qsort(work, QUESTIONS, sizeof(*work), compare_times);
	printf("%7zu turns: recall %.3f ms median, %.3f ms p99 (of the processor %.3f, %.3f), %zu "
	       "turns given\n",
	       turns, times[QUESTIONS / 2], times[QUESTIONS * 99 / 100], work[QUESTIONS / 2],
	       work[QUESTIONS * 99 / 100], given / QUESTIONS);
}

/* Bytes that the process wrote so far, most of them pages of the store. */
static unsigned long long bytes_written(void)
{
	unsigned long long bytes = 0;
	FILE *file = fopen("/proc/self/io", "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "rchar: %*u\nwchar: %llu", &bytes) != 1)
		bytes = 0;
	(void)fclose(file);
	return bytes;
}

/* One commit each, as a lone chat's are. */
static void append(struct fixture *fixture)
{
	char texts[2][512];
	struct store_statistics before;
	struct store_statistics after;
	double times[APPENDS];
	store_statistics(fixture->store, &before);
	unsigned long long written = bytes_written();
	for (int i = 0; i < APPENDS; i++) {
		say(texts[0], 25);
		say(texts[1], 25);
		struct append append =
			fixture_exchange(texts[0], texts[1], INT64_C(9000000000) + i);
		append.session = SLICE("chat");
		append.learn = false;
		double begin = milliseconds(CLOCK_MONOTONIC);
		ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
		times[i] = milliseconds(CLOCK_MONOTONIC) - begin;
	}
	written = bytes_written() - written;
	store_statistics(fixture->store, &after);
	double sum = 0;
	for (int i = 0; i < APPENDS; i++)
		sum += times[i];
	qsort(times, APPENDS, sizeof(*times), compare_times);
	printf("append %.2f ms mean, %.2f ms median, %.2f ms p99, %llu bytes kept, %llu written\n",
	       sum / APPENDS, times[APPENDS / 2], times[APPENDS * 99 / 100],
	       (unsigned long long)(after.bytes_used - before.bytes_used) / APPENDS,
	       written / APPENDS);
}

static void measure(size_t turns)
{
	struct fixture fixture;
	fixture_init(&fixture, UINT64_C(4) << 30);
	double begin = milliseconds(CLOCK_MONOTONIC);
	for (size_t done = 0; done < turns;) {
		size_t left = turns - done;
		size_t part = left < IMPORTED_AT_ONCE ? left : IMPORTED_AT_ONCE;
		import(&fixture, done, part);
		done += part;
	}
	double imported = (milliseconds(CLOCK_MONOTONIC) - begin) / (double)turns;
	ask(&fixture, turns);
	printf("               import %.3f ms a turn; ", imported);
	append(&fixture);
	fixture_finish(&fixture);
}

START_TEST(measurements)
{
	for (size_t turns = 100; turns <= 100000; turns *= 10)
		measure(turns);
}
END_TEST

int main(int count, char **arguments)
{
	const TTest *const tests[] = {measurements};
	with_vectors = count > 1 && strcmp(arguments[1], "vectors") == 0;
	spread_words();
	(void)setenv("CK_FORK", "no", true); /* it takes as long as it takes */
	return unit_run("recall", tests, 1);
}
