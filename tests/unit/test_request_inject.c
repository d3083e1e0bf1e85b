#include "core/dialect/dialect.h"

#include "tests/unit/unit.h"

#include <string.h>

static const struct slice block = SLICE("Known: \"Alex\"\nlikes \\ tea");
#define BLOCK "Known: \\\"Alex\\\"\\nlikes \\\\ tea"
#define TURNS "{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"r\"},"
static const struct slice turns = SLICE(TURNS);

static struct request scan(const char *body, struct arena *arena)
{
	struct request request;
	ck_assert_msg(dialect_chat.scan(&request, slice_of(body), arena) == REQUEST_OK, "%s", body);
	return request;
}

static size_t first_user_text(const struct request *request, const struct injection *injection)
{
	bool cuts = request_can_cut(request, injection->cut_first, injection->cut_end);
	for (size_t i = 0; i < request->step_count; i++) {
		const struct step *step = &request->steps[i];
		bool stays = !cuts || i < injection->cut_first || i >= injection->cut_end;
		if (step->kind == STEP_USER && step->text_count > 0 && stays)
			return step->first_text;
	}
	return SIZE_MAX;
}

/* The messages array after the injection, brackets included. */
static struct slice inject(const char *messages, struct injection *injection, bool *made,
			   struct arena *arena)
{
	struct edit *edits;
	struct slice body = arena_printf(arena, "{\"messages\":%s}", messages);
	struct request request = scan(body.data, arena);
	injection->block_with_text = first_user_text(&request, injection);
	size_t count = request_inject(&request, injection, &edits, made, arena);
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(body, edits, count, pieces);
	struct slice spliced = arena_join(arena, pieces, REQUEST_PIECES(count));
	return slice_part(spliced, strlen("{\"messages\":"), spliced.size - 1);
}

START_TEST(the_block_goes_where_it_was_asked_for)
{
	static const struct {
		enum placement placement;
		bool made_message;
		const char *before;
		const char *after;
	} cases[] = {
		{PLACE_SYSTEM, false, "[{\"role\":\"system\",\"content\":\"s\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}]"},
		{PLACE_SYSTEM, false, "[{\"content\":\"s\\\\\",\"role\":\"developer\"}]",
		 "[{\"content\":\"s\\\\\\n\\n" BLOCK "\",\"role\":\"developer\"}]"},
		{PLACE_SYSTEM, false, "[{\"role\":\"system\",\"content\":\"\"}]",
		 "[{\"role\":\"system\",\"content\":\"" BLOCK "\"}]"},
		{PLACE_SYSTEM, false, "[{\"role\":\"system\",\"content\":[]}]",
		 "[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"" BLOCK
		 "\"}]}]"},
		{PLACE_SYSTEM, false,
		 "[{\"role\":\"system\",\"content\":[ {\"cache_control\":{}}]}]",
		 "[{\"role\":\"system\",\"content\":[ {\"cache_control\":{}},{\"type\":\"text\","
		 "\"text\":\"" BLOCK "\"}]}]"},
		{PLACE_SYSTEM, true, "[ {\"role\":\"user\",\"content\":\"u\"}]",
		 "[ {\"role\":\"system\",\"content\":\"" BLOCK "\"},"
		 "{\"role\":\"user\",\"content\":\"u\"}]"},
		{PLACE_DEVELOPER, true, "[{\"role\":\"user\",\"content\":\"u\"}]",
		 "[{\"role\":\"developer\",\"content\":\"" BLOCK "\"},"
		 "{\"role\":\"user\",\"content\":\"u\"}]"},
		{PLACE_DEVELOPER, false, "[{\"role\":\"system\",\"content\":\"s\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}]"},
		{PLACE_USER, false,
		 "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"},"
		 "{\"role\":\"user\",\"content\":\"v\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"" BLOCK
		 "\\n\\nu\"},{\"role\":\"user\",\"content\":\"v\"}]"},
		/* Inside the text, whatever stands round it. */
		{PLACE_USER, false,
		 "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]},"
		 "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"}]}]",
		 "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]},"
		 "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" BLOCK
		 "\\n\\nu\"}]}]"},
		/* A leading system message that has no place for it. */
		{PLACE_SYSTEM, false,
		 "[{\"role\":\"system\",\"content\":null},{\"role\":\"user\",\"content\":\"u\"}]",
		 "[{\"role\":\"system\",\"content\":null},{\"role\":\"user\",\"content\":\"" BLOCK
		 "\\n\\nu\"}]"},
		/* Never a second system message. */
		{PLACE_SYSTEM, false,
		 "[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"system\",\"content\":\"s\"}]",
		 "[{\"role\":\"user\",\"content\":\"" BLOCK "\\n\\nu\"},{\"role\":\"system\","
		 "\"content\":\"s\"}]"},
		/* No place at all. */
		{PLACE_SYSTEM, false, "[]", "[]"},
		{PLACE_USER, false, "[]", "[]"},
		{PLACE_USER, false, "[{\"role\":\"user\",\"content\":[ ]}]",
		 "[{\"role\":\"user\",\"content\":[ ]}]"},
		{PLACE_USER, false, "[{\"role\":\"assistant\",\"content\":\"a\"}]",
		 "[{\"role\":\"assistant\",\"content\":\"a\"}]"},
		{PLACE_USER, false, "[{\"role\":\"user\",\"content\":7}]",
		 "[{\"role\":\"user\",\"content\":7}]"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct injection injection = {.placement = cases[i].placement, .block = block};
		bool made = !cases[i].made_message;
		unit_assert_slice(inject(cases[i].before, &injection, &made, &arena),
				  cases[i].after);
		ck_assert_int_eq(made, cases[i].made_message);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(turns_go_before_the_clients_first_turn)
{
	static const struct {
		enum placement placement;
		const char *before;
		const char *after;
	} cases[] = {
		{PLACE_SYSTEM, "[{\"role\":\"user\",\"content\":\"u\"}]",
		 "[{\"role\":\"system\",\"content\":\"" BLOCK "\"}," TURNS
		 "{\"role\":\"user\",\"content\":\"u\"}]"},
		{PLACE_SYSTEM,
		 "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}," TURNS
		 "{\"role\":\"user\",\"content\":\"u\"}]"},
		{PLACE_USER, "[{\"role\":\"user\",\"content\":\"u\"}]",
		 "[" TURNS "{\"role\":\"user\",\"content\":\"" BLOCK "\\n\\nu\"}]"},
		/* The next message would not alternate, or answers a tool. */
		{PLACE_SYSTEM,
		 "[{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"u\"}"
		 "]",
		 "[{\"role\":\"system\",\"content\":\"" BLOCK
		 "\"},{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"user\",\"content\":"
		 "\"u\"}]"},
		{PLACE_SYSTEM, "[{\"role\":\"system\",\"content\":\"s\"}]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}]"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		bool made;
		struct injection injection = {
			.placement = cases[i].placement, .block = block, .turns = turns};
		unit_assert_slice(inject(cases[i].before, &injection, &made, &arena),
				  cases[i].after);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(turns_are_written_as_they_are_injected)
{
	struct buffer out;
	buffer_init(&out, 1024);
	dialect_append_turn(&out, ROLE_USER, SLICE("q"));
	dialect_append_turn(&out, ROLE_ASSISTANT, SLICE("r"));
	ck_assert(slice_equal(buffer_slice(&out), turns));
	buffer_finish(&out);
}
END_TEST

#define REPLAY "[2026-03-02] user: \"I\" moved"
#define IN_JSON "[2026-03-02] user: \\\"I\\\" moved"
#define SYSTEM "{\"role\":\"system\",\"content\":\"s\"}"
#define USER "{\"role\":\"user\",\"content\":\"u\"}"
#define ANSWER "{\"role\":\"assistant\",\"content\":\"a\"}"

START_TEST(a_replay_goes_before_the_text_of_its_message)
{
	static const struct {
		const char *before;
		const char *after;
	} cases[] = {
		{"[" USER "]", "[{\"role\":\"user\",\"content\":\"" IN_JSON "\\n\\nu\"}]"},
		{"[{\"role\":\"user\",\"content\":[ "
		 "{\"type\":\"image_url\"},{\"text\":\"u\",\"type\":"
		 "\"text\"}]}]",
		 "[{\"role\":\"user\",\"content\":[ {\"type\":\"image_url\"},{\"text\":\"" IN_JSON
		 "\\n\\nu\",\"type\":\"text\"}]}]"},
		/* No place for one. */
		{"[{\"role\":\"user\",\"content\":null}]",
		 "[{\"role\":\"user\",\"content\":null}]"},
		{"[{\"role\":\"user\",\"content\":{}}]", "[{\"role\":\"user\",\"content\":{}}]"},
		{"[{\"role\":\"user\"}]", "[{\"role\":\"user\"}]"},
		{"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]",
		 "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]"},
		{"[]", "[]"},
	};
	const struct replay_text replay = {0, SLICE(REPLAY)};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct injection injection = {.replay_texts = &replay, .replay_count = 1};
		bool made = true;
		unit_assert_slice(inject(cases[i].before, &injection, &made, &arena),
				  cases[i].after);
		ck_assert(!made);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(a_message_sent_again_as_history_gets_the_same_bytes)
{
	static const char *const contents[] = {"\"u\"", "\"\"",
					       "[{\"type\":\"text\",\"text\":\"u\"}]"};
	const struct replay_text replay_texts[] = {{0, SLICE("first")}, {2, SLICE("second")}};
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		struct arena arena = {0};
		bool made;
		struct injection injection = {.block = block,
					      .turns = turns,
					      .replay_texts = replay_texts,
					      .replay_count = 1};
		const char *newest =
			arena_printf(&arena, "[{\"role\":\"user\",\"content\":%s}", contents[i])
				.data;
		struct slice once =
			inject(arena_printf(&arena, "%s]", newest).data, &injection, &made, &arena);
		injection.replay_count = 2;
		struct slice again =
			inject(arena_printf(&arena, "%s," ANSWER "," USER "]", newest).data,
			       &injection, &made, &arena);
		ck_assert(slice_starts_with(again, slice_part(once, 0, once.size - 1)));
		arena_finish(&arena);
	}
}
END_TEST

#define HISTORY USER " , \n" ANSWER "," USER "," ANSWER ","
#define LAST "{\"role\":\"user\",\"content\":\"v\"}"
#define NEWEST "{\"role\":\"user\",\"content\":\"" IN_JSON "\\n\\nv\"}"
#define MADE "{\"role\":\"system\",\"content\":\"" BLOCK "\"},"

START_TEST(block_turns_replays_and_cut_go_together)
{
	static const struct {
		enum placement placement;
		size_t cut_first;
		size_t cut_end;
		size_t replay;
		const char *before;
		const char *after;
	} cases[] = {
		/* The block comes before the replay. */
		{PLACE_USER, 0, 0, 0, "[" LAST "]",
		 "[" TURNS "{\"role\":\"user\",\"content\":\"" BLOCK "\\n\\n" IN_JSON
		 "\\n\\nv\"}]"},
		/* In the first user message that stays. */
		{PLACE_USER, 0, 4, 4, "[" HISTORY LAST "]",
		 "[" TURNS "{\"role\":\"user\",\"content\":\"" BLOCK "\\n\\n" IN_JSON
		 "\\n\\nv\"}]"},
		{PLACE_USER, 0, 2, 4, "[ " HISTORY " " LAST "]",
		 "[ " TURNS "{\"role\":\"user\",\"content\":\"" BLOCK "\\n\\nu\"}," ANSWER
		 ", " NEWEST "]"},
		{PLACE_SYSTEM, 0, 4, 4, "[" HISTORY LAST "]", "[" MADE TURNS NEWEST "]"},
		{PLACE_SYSTEM, 0, 2, 4, "[" HISTORY LAST "]",
		 "[" MADE TURNS USER "," ANSWER "," NEWEST "]"},
		{PLACE_SYSTEM, 1, 3, 5, "[ " SYSTEM " , " HISTORY LAST "]",
		 "[ {\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"} , " TURNS USER "," ANSWER
		 "," NEWEST "]"},
		{PLACE_SYSTEM, 1, 5, 5, "[" SYSTEM "," HISTORY " " LAST " ]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}," TURNS NEWEST " ]"},
		{PLACE_SYSTEM, 2, 4, 4, "[" HISTORY LAST "]",
		 "[" MADE TURNS USER " , \n" ANSWER "," NEWEST "]"},
		/* A system message between them stays. */
		{PLACE_SYSTEM, 1, 4, 4, "[" SYSTEM "," USER "," SYSTEM ", " ANSWER " , " LAST "]",
		 "[{\"role\":\"system\",\"content\":\"s\\n\\n" BLOCK "\"}," SYSTEM ", " TURNS NEWEST
		 "]"},
		/* The replay goes with its message. */
		{PLACE_SYSTEM, 0, 2, 0, "[" HISTORY LAST "]",
		 "[" MADE TURNS USER "," ANSWER "," LAST "]"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		bool made;
		const struct replay_text replay = {cases[i].replay, SLICE(REPLAY)};
		struct injection injection = {.placement = cases[i].placement,
					      .block = block,
					      .turns = turns,
					      .replay_texts = &replay,
					      .replay_count = 1,
					      .cut_first = cases[i].cut_first,
					      .cut_end = cases[i].cut_end};
		unit_assert_slice(inject(cases[i].before, &injection, &made, &arena),
				  cases[i].after);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(a_cut_that_would_break_the_request_is_not_made)
{
	static const size_t cuts[][2] = {{0, 1}, {0, 3},  {1, 1},        {3, 2},        {0, 5},
					 {2, 7}, {9, 20}, {0, SIZE_MAX}, {SIZE_MAX, 2}, {4, 4}};
	const char *const messages = "[" HISTORY LAST "]";
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct arena arena = {0};
		bool made;
		struct injection injection = {.cut_first = cuts[i][0], .cut_end = cuts[i][1]};
		struct slice body = arena_printf(&arena, "{\"messages\":%s}", messages);
		struct request request = scan(body.data, &arena);
		ck_assert(!request_can_cut(&request, cuts[i][0], cuts[i][1]));
		unit_assert_slice(inject(messages, &injection, &made, &arena), messages);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(system_text_is_never_cut_out)
{
	struct arena arena = {0};
	struct request request =
		scan("{\"messages\":[" SYSTEM "," USER "," ANSWER "," USER "]}", &arena);
	ck_assert(request_can_cut(&request, 1, 3));
	ck_assert(request_can_cut(&request, 0, 3));
	ck_assert(!request_can_cut(&request, 0, 1));
	arena_finish(&arena);
}
END_TEST

START_TEST(replay_texts_in_disorder_do_no_harm)
{
	const struct replay_text replay_texts[] = {
		{9, SLICE("x")}, {4, SLICE("y")}, {4, SLICE("z")}, {SIZE_MAX, SLICE("x")},
		{0, SLICE("x")}, {1, SLICE("x")}, {2, SLICE("")},  {2, SLICE("x")}};
	struct arena arena = {0};
	bool made;
	struct injection injection = {.replay_texts = replay_texts + 1, .replay_count = 7};
	unit_assert_slice(inject("[" HISTORY LAST "]", &injection, &made, &arena),
			  "[" HISTORY "{\"role\":\"user\",\"content\":\"y\\n\\nv\"}]");
	injection.replay_texts = replay_texts;
	injection.replay_count = 8;
	unit_assert_slice(inject("[" HISTORY LAST "]", &injection, &made, &arena),
			  "[" HISTORY LAST "]");
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("request_inject", the_block_goes_where_it_was_asked_for,
	  turns_go_before_the_clients_first_turn, turns_are_written_as_they_are_injected,
	  a_replay_goes_before_the_text_of_its_message,
	  a_message_sent_again_as_history_gets_the_same_bytes,
	  block_turns_replays_and_cut_go_together, a_cut_that_would_break_the_request_is_not_made,
	  system_text_is_never_cut_out, replay_texts_in_disorder_do_no_harm)
