/* Measures the cost of reading a request: the scan alone, in bytes a second, over text and base64;
 * and scan, recall from a memory of 1,000 turns and splice of a 10 KB request, in microseconds of
 * CPU. Prints one line of JSON. */
#include "core/dialect/dialect.h"
#include "core/text/text.h"
#include "tests/bench/talk.h"
#include "tests/unit/store_fixture.h"

#include <time.h>

enum { TURNS = 1000, RUNS = 400, TEXT_LIMIT = 8 * 1024 };

static double cpu(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static void append_turn(struct text *body, unsigned seed, unsigned number, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		talk_turn(body, seed + 7919 * i, number);
}

/* A conversation of about `size` bytes, whose turns are of so many sentences. */
static struct text make_talk(size_t size, unsigned sentences)
{
	struct text body = {0};
	text_append(&body, "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"system\","
			   "\"content\":\"" TALK_SYSTEM "\"}");
	for (unsigned i = 0; body.size < size; i++) {
		text_append(&body, ",{\"role\":\"user\",\"content\":\"");
		append_turn(&body, i + 1, i, sentences);
		text_append(&body, "\"},{\"role\":\"assistant\",\"content\":\"");
		append_turn(&body, i + 100001, i, sentences);
		text_append(&body, "\"}");
	}
	text_append(&body, ",{\"role\":\"user\",\"content\":\"");
	talk_turn(&body, 77, 1);
	text_append(&body, "\"}]}");
	return body;
}

static struct text make_image(size_t size)
{
	struct text body = {0};
	text_append(&body,
		    "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":[{"
		    "\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,");
	while (body.size < size)
		text_append(&body, "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk");
	text_append(&body, "\"}}]}]}");
	return body;
}

/* Requests as Claude Code and Codex send them, with their tools. */
static struct text read_recorded(const char *name)
{
	struct text body = {0};
	char piece[4096];
	FILE *file = fopen(name, "rb");
	ck_assert_ptr_nonnull(file);
	for (size_t size; (size = fread(piece, 1, sizeof(piece), file)) > 0;)
		text_append_bytes(&body, piece, size);
	(void)fclose(file);
	return body;
}

static void print_speed(const char *name, const struct dialect *dialect, struct text body)
{
	double best[RUNS];
	for (int run = 0; run < RUNS; run++) {
		struct arena arena = {0};
		struct request request;
		double begin = cpu();
		enum request_verdict verdict =
			dialect->scan(&request, (struct slice){body.data, body.size}, &arena);
		best[run] = cpu() - begin;
		ck_assert_int_eq(verdict, REQUEST_OK);
		arena_finish(&arena);
	}
	qsort(best, RUNS, sizeof(*best), compare);
	printf("\"%s_gb_s\":%.3f,", name, (double)body.size / best[RUNS / 2] / 1e3);
	free(body.data);
}

static void remember(struct fixture *fixture)
{
	static struct fixture_turn turns[TURNS];
	for (unsigned i = 0; i < TURNS; i++) {
		struct text text = {0};
		talk_turn(&text, 500000 + i, i);
		struct slice said = {text.data, text.size};
		turns[i] = (struct fixture_turn){.role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
						 .text = said,
						 .hash = text_hash(said),
						 .created_at = 1000 + i,
						 .session = SLICE("older")};
	}
	ck_assert_int_eq(fixture_import(fixture, turns, TURNS, false), STORE_OK);
}

static size_t recall_text(struct fixture *fixture, struct slice asked, struct text *text,
			  struct arena *arena)
{
	struct recall_question question;
	struct recall_result recalled;
	recall_read_question(asked, INT64_C(9000000000), &question, arena);
	struct recall recall = {.user = fixture_key("alex"),
				.question = &question,
				.carried_from = UINT32_MAX,
				.text_limit = TEXT_LIMIT};
	ck_assert_int_eq(store_recall(fixture->store, &recall, &recalled, arena), STORE_OK);
	for (size_t i = 0; i < recalled.count && text->size < TEXT_LIMIT / 2; i++) {
		text_append_bytes(text, recalled.turns[i].text.data, recalled.turns[i].text.size);
		text_append(text, "\n");
	}
	return recalled.count;
}

static size_t whole_request(struct fixture *fixture, struct slice body)
{
	struct arena arena = {0};
	struct request request;
	struct text text = {0};
	struct edit *edits = NULL;
	bool made_message = false;
	ck_assert_int_eq(dialect_chat.scan(&request, body, &arena), REQUEST_OK);
	const struct newest_turn newest = request_newest_turn(&request);
	struct slice asked = step_text(&request, &request.steps[newest.first], &arena);
	size_t found = recall_text(fixture, asked, &text, &arena);
	struct replay_text replay = {newest.first, {text.data, text.size}};
	struct injection injection = {.placement = PLACE_SYSTEM,
				      .block = SLICE("What is known about the user: nothing yet."),
				      .replay_texts = &replay,
				      .replay_count = 1};
	size_t count = request_inject(&request, &injection, &edits, &made_message, &arena);
	ck_assert_uint_gt(count, 1);
	struct slice *pieces = arena_alloc(&arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(body, edits, count, pieces);
	ck_assert_uint_gt(arena_join(&arena, pieces, REQUEST_PIECES(count)).size, body.size);
	free(text.data);
	arena_finish(&arena);
	return found;
}

static void print_request(void)
{
	static double times[RUNS];
	struct fixture fixture;
	struct text body = make_talk(10000, 1);
	fixture_init(&fixture, UINT64_C(1) << 30);
	remember(&fixture);
	for (int run = 0; run < RUNS; run++) {
		double begin = cpu();
		size_t found = whole_request(&fixture, (struct slice){body.data, body.size});
		times[run] = cpu() - begin;
		ck_assert_uint_gt(found, 0);
	}
	qsort(times, RUNS, sizeof(*times), compare);
	printf("\"request_p50_us\":%.1f,\"request_p99_us\":%.1f}\n", times[RUNS / 2],
	       times[RUNS * 99 / 100]);
	fixture_finish(&fixture);
	free(body.data);
}

START_TEST(measurements)
{
	printf("{");
	print_speed("short_10kb", &dialect_chat, make_talk(10000, 1));
	print_speed("short_1mb", &dialect_chat, make_talk(1000000, 1));
	print_speed("long_10kb", &dialect_chat, make_talk(10000, 8));
	print_speed("long_1mb", &dialect_chat, make_talk(1000000, 8));
	print_speed("base64_10kb", &dialect_chat, make_image(10000));
	print_speed("base64_1mb", &dialect_chat, make_image(1000000));
	print_speed("chat_49kb", &dialect_chat, make_talk(49000, 3));
	print_speed("claude_code", &dialect_messages,
		    read_recorded(FIXTURES "/messages/claude_code/first_turn.json"));
	print_speed("chat_40kb", &dialect_chat, make_talk(40000, 3));
	print_speed("codex", &dialect_responses,
		    read_recorded(FIXTURES "/responses/codex/first_turn.json"));
	print_request();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {measurements};
	(void)setenv("CK_FORK", "no", true);
	return unit_run("scan", tests, 1);
}
