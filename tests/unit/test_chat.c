#include "proxy/exchange/open.h"

#include "config_reading.h"
#include "core/text/text.h"
#include "unit.h"

#include <jansson.h>
#include <string.h>

enum { NOW = 1000000 };

struct talk {
	struct config *config;
	struct model_traits *model_traits;
	struct arena arena;
	struct chat chat;
	struct memory_view view;
};

static void setup(struct talk *talk, const char *memory)
{
	*talk = (struct talk){0};
	struct slice text = arena_printf(&talk->arena, "[memory]\n%s", memory);
	talk->config = read_good(arena_string(&talk->arena, text));
	talk->model_traits = model_traits_create();
	talk->view = (struct memory_view){.known = true,
					  .conversation = 1,
					  .conversations = 1,
					  .last_active = NOW,
					  .has_frozen = true,
					  .frozen = {.mode = MODE_VECTOR}};
}

static void teardown(struct talk *talk)
{
	model_traits_destroy(talk->model_traits);
	config_release(talk->config);
	arena_finish(&talk->arena);
}

/* `messages`: the members of the array. */
static void open_with(struct talk *talk, const char *before, const char *messages)
{
	const struct chat_sources sources = {.config = talk->config,
					     .model_traits = talk->model_traits};
	const struct chat_asked asked = {.identity = {.user = SLICE("alex")}};
	struct slice body = arena_printf(&talk->arena, "{\"model\":\"m\",%s\"messages\":[%s]}",
					 before, messages);
	ck_assert_int_eq(
		chat_open_preview(&talk->chat, &sources, &dialect_chat, asked, body, &talk->arena),
		CHAT_LOAD);
	struct load load;
	chat_load(&talk->chat, NOW, &load, &talk->arena);
}

static enum chat_next decide(struct talk *talk, const char *messages)
{
	open_with(talk, "", messages);
	return chat_decide(&talk->chat, &talk->view, NOW, &talk->arena);
}

static struct slice body_upstream(struct talk *talk)
{
	const struct slice *pieces;
	size_t count = chat_splice(&talk->chat, &pieces, &talk->arena);
	return arena_join(&talk->arena, pieces, count);
}

static struct slice body_of(struct talk *talk)
{
	chat_inject(&talk->chat, NULL, &talk->arena);
	return body_upstream(talk);
}

static struct replay replay_of(uint32_t ordinal, const char *turn)
{
	return (struct replay){.ordinal = ordinal,
			       .user_hash = text_hash(slice_of(turn)),
			       .tokens = 1,
			       .text = SLICE("REPLAY")};
}

#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ASSISTANT(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"
#define RIDDEN(text) "{\"role\":\"user\",\"content\":\"REPLAY\\n\\n" text "\"}"

static void assert_rides(const char *messages, uint32_t next_ordinal, struct replay replay,
			 const char *expected)
{
	struct talk talk;
	setup(&talk, "mode = vector\n");
	talk.view.answers = talk.view.next_ordinal = next_ordinal;
	talk.view.replays = &replay;
	talk.view.replay_count = 1;
	(void)decide(&talk, messages);
	struct slice body =
		arena_printf(&talk.arena, "{\"model\":\"m\",\"messages\":[%s]}", expected);
	unit_assert_slice(body_of(&talk), arena_string(&talk.arena, body));
	teardown(&talk);
}

START_TEST(a_replay_rides_at_its_own_place_among_turns_that_read_alike)
{
	assert_rides(
		USER("yes") "," ASSISTANT("a") "," USER("yes") "," ASSISTANT("b") "," USER("Q"), 2,
		replay_of(1, "yes"),
		USER("yes") "," ASSISTANT("a") "," RIDDEN("yes") "," ASSISTANT("b") "," USER("Q"));
	/* A second answer that was stored nowhere: the places are counted back from the end. */
	assert_rides(USER("yes") "," ASSISTANT("a") "," ASSISTANT("x") "," USER(
			     "yes") "," ASSISTANT("b") "," USER("Q"),
		     2, replay_of(1, "yes"),
		     USER("yes") "," ASSISTANT("a") "," ASSISTANT("x") "," RIDDEN(
			     "yes") "," ASSISTANT("b") "," USER("Q"));
}
END_TEST

START_TEST(a_replay_of_a_turn_that_was_edited_rides_on_no_other)
{
	const char *edited =
		USER("no") "," ASSISTANT("a") "," USER("yes") "," ASSISTANT("b") "," USER("Q");
	assert_rides(edited, 2, replay_of(0, "yes"), edited);
	assert_rides(USER("Q"), 0, replay_of(0, "Q"), RIDDEN("Q"));
}
END_TEST

START_TEST(what_was_given_stands_within_a_loop_of_tool_calls_whatever_the_mode_is_now)
{
	struct talk talk;
	setup(&talk, "mode = buffer\n");
	talk.view.frozen.block = SLICE("BLOCK");
	(void)decide(&talk, USER("Q") ",{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"}]},"
				      "{\"role\":\"tool\",\"content\":\"fine\"}");
	ck_assert(talk.chat.decided.stands);
	ck_assert(unit_has(body_of(&talk), "BLOCK"));
	(void)decide(&talk, USER("Q"));
	ck_assert(!talk.chat.decided.stands);
	teardown(&talk);
}
END_TEST

START_TEST(what_was_given_stands_when_auto_takes_another_branch)
{
	struct talk talk;
	setup(&talk, "mode = auto\nauto_buffer_turns = 2\n");
	talk.view.frozen.mode = MODE_BUFFER;
	talk.view.answers = talk.view.next_ordinal = 2;
	const char *history =
		USER("a") "," ASSISTANT("b") "," USER("c") "," ASSISTANT("d") "," USER("Go on.");
	(void)decide(&talk, history);
	ck_assert(talk.chat.decided.stands);
	ck_assert_int_eq(talk.chat.decided.injects, MODE_SUMMARY);
	talk.view.last_active -= 2 * 60 * 60 * 1000;
	(void)decide(&talk, history);
	ck_assert(!talk.chat.decided.stands);
	ck_assert_int_eq(talk.chat.decided.injects, MODE_SUMMARY);
	talk.view.last_active = NOW;
	talk.view.frozen.mode = MODE_ENTITY; /* no choice of auto's */
	(void)decide(&talk, history);
	ck_assert(!talk.chat.decided.stands);
	teardown(&talk);
}
END_TEST

static bool recalls_fact(struct talk *talk, const char *quote)
{
	struct fact fact = {.id = 7,
			    .entity = SLICE("user"),
			    .key = SLICE("boat"),
			    .value = SLICE("Petrel"),
			    .quote = slice_of(quote),
			    .exchange = 3};
	talk->view.facts = &fact;
	talk->view.fact_count = 1;
	talk->view.answers = talk->view.next_ordinal = 1;
	(void)decide(talk, USER("Un caf\\u00e9") "," ASSISTANT("Petrel") "," USER("The boat?"));
	return unit_has(body_of(talk), "- boat: Petrel");
}

START_TEST(a_fact_is_recalled_unless_the_request_carries_the_words_that_it_rests_on)
{
	struct talk talk;
	setup(&talk, "mode = vector\n");
	ck_assert(recalls_fact(&talk, "elsewhere"));
	ck_assert(recalls_fact(&talk, ""));
	ck_assert(!recalls_fact(&talk, "Un caf\xc3\xa9"));
	/* The words of the question and of the assistant do not tell the source. */
	ck_assert(recalls_fact(&talk, "The boat"));
	ck_assert(recalls_fact(&talk, "Petrel"));
	teardown(&talk);
}
END_TEST

START_TEST(what_goes_up_without_memory_after_all_goes_up_whole)
{
	struct talk talk;
	setup(&talk, "mode = vector\n");
	(void)decide(&talk, USER("a") "," ASSISTANT("b") "," USER("c"));
	talk.chat.decided.cut = (struct history_cut){.first = 0, .end = 2, .tokens = 100};
	(void)body_of(&talk);
	ck_assert_uint_gt(chat_tokens_saved(&talk.chat), 0);
	chat_bypass(&talk.chat);
	unit_assert_slice(body_upstream(&talk), arena_string(&talk.arena, talk.chat.read.body));
	ck_assert_uint_eq(talk.chat.decided.cut.end, 0);
	ck_assert_uint_eq(chat_tokens_saved(&talk.chat), 0);
	teardown(&talk);
}
END_TEST

START_TEST(a_receipt_is_whole_and_short_whatever_was_left_out)
{
	struct talk talk;
	enum { TURNS = 400 };
	static char text[20000];
	static struct turn turns[TURNS];
	setup(&talk, "mode = hybrid\ncontext_tokens = 40\n");
	memset(text, '"', sizeof(text));
	for (size_t i = 0; i < TURNS; i++)
		turns[i] = (struct turn){.id = i + 1,
					 .exchange = i + 1,
					 .conversation = 9,
					 .role = ROLE_USER,
					 .complete = true,
					 .text = {text, sizeof(text)}};
	talk.view.turns = turns;
	talk.view.turn_count = TURNS;
	talk.view.has_frozen = false;
	(void)decide(&talk, USER("What did we talk about last time?"));
	(void)body_of(&talk);
	struct slice receipt = chat_receipt(&talk.chat, &talk.arena).text;
	json_t *document = json_loadb(receipt.data, receipt.size, 0, NULL);
	ck_assert_ptr_nonnull(document);
	ck_assert_uint_gt(json_array_size(json_object_get(document, "dropped")), 390);
	ck_assert_uint_lt(receipt.size, TURNS * 700);
	json_decref(document);
	teardown(&talk);
}
END_TEST

/* Of what is new, and of what stands. */
START_TEST(a_receipt_tells_up_to_which_turn_the_summary_in_it_covers)
{
	struct talk talk;
	setup(&talk, "mode = summary\n");
	talk.view.has_summary = true;
	talk.view.summary = (struct summary){.text = SLICE("A trip to Portugal."), .covers = 7};
	talk.view.has_frozen = false;
	(void)decide(&talk, USER("Hello"));
	ck_assert(unit_has(body_of(&talk), "Portugal"));
	struct receipt receipt = chat_receipt(&talk.chat, &talk.arena);
	ck_assert_uint_eq(receipt.turn_count, 1);
	ck_assert_uint_eq(receipt.turns[0], 7);
	talk.view.has_frozen = true;
	talk.view.frozen =
		(struct frozen){.mode = MODE_SUMMARY, .block = SLICE("Portugal"), .covers = 5};
	(void)decide(&talk, USER("Hello"));
	receipt = chat_receipt(&talk.chat, &talk.arena);
	ck_assert_uint_eq(receipt.turn_count, 1);
	ck_assert_uint_eq(receipt.turns[0], 5);
	teardown(&talk);
}
END_TEST

START_TEST(a_question_is_embedded_without_its_secrets)
{
	struct talk talk;
	const char *question =
		USER("Is sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH mine?");
	setup(&talk, "mode = vector\n");
	(void)decide(&talk, question);
	ck_assert(unit_has(talk.chat.read.question.text, "abcdefghijklmnop"));
	ck_assert(!unit_has(chat_question_text(&talk.chat, &talk.arena), "abcdefghijklmnop"));
	teardown(&talk);
	setup(&talk, "mode = vector\nsecrets = keep\n");
	(void)decide(&talk, question);
	ck_assert(unit_has(chat_question_text(&talk.chat, &talk.arena), "abcdefghijklmnop"));
	teardown(&talk);
}
END_TEST

/* The answer that is journalled when the reply goes on what the request ends with. */
static void assert_answer(const char *messages, const char *said, const char *expected)
{
	struct talk talk;
	struct append append;
	setup(&talk, "mode = buffer\n");
	(void)decide(&talk, messages);
	const struct reply reply = {.text = slice_of(said), .finished = true};
	ck_assert(chat_append(&talk.chat, &reply, false, NOW, NOW, &append, &talk.arena));
	unit_assert_slice(append.answer_text, expected);
	ck_assert_uint_eq(append.answer_hash, text_hash(slice_of(expected)));
	ck_assert_uint_eq(append.rest_hash,
			  strcmp(said, expected) == 0 ? 0 : text_hash(slice_of(said)));
	teardown(&talk);
}

START_TEST(what_is_continued_is_kept_once)
{
	assert_answer(USER("Q") "," ASSISTANT("Once upon "), "a time", "Once upon a time");
	assert_answer(USER("Q") "," ASSISTANT("Once upon "), "Once upon a time",
		      "Once upon a time");
	assert_answer(USER("Q") "," ASSISTANT("Ha"), "Haha!", "HaHaha!");
	assert_answer(USER("Q") "," ASSISTANT("哈"), "哈哈", "哈哈哈");
	assert_answer(USER("Q") "," ASSISTANT("I"), "I think", "I think");
	assert_answer(USER("Q") "," ASSISTANT("{"), "{1: 2}", "{1: 2}");
	assert_answer(USER("Q") "," ASSISTANT("Ja"), "Ja", "Ja");
	assert_answer(USER("Q") "," ASSISTANT(" "), "Yes", "Yes");
	assert_answer(USER("Q") "," ASSISTANT("Once ") "," ASSISTANT("upon "), "a time",
		      "Once upon a time");
	/* A long one may have been cut off within a word. */
	assert_answer(USER("Q") "," ASSISTANT("Once upon a ti"
					      "me the"),
		      "Once upon a time there was", "Once upon a time there was");
	assert_answer(USER("Q") "," ASSISTANT("abcdefghijklmnop"), "abcdefghijklmnopq",
		      "abcdefghijklmnopq");
	assert_answer(USER("Q") "," ASSISTANT("abcdefghijklmno"), "abcdefghijklmnop",
		      "abcdefghijklmnoabcdefghijklmnop");
}
END_TEST

/* The model's rate after one request for which so many tokens were counted. */
static double rate_after(const char *before, const char *message, int64_t counted)
{
	struct talk talk;
	static char words[4001];
	for (size_t i = 0; i + 5 <= sizeof(words); i += 5)
		memcpy(words + i, "word ", 5);
	setup(&talk, "mode = vector\n");
	struct slice messages = arena_printf(
		&talk.arena, "{\"role\":\"user\",\"content\":\"%s\"},%s", words, message);
	open_with(&talk, before, arena_string(&talk.arena, messages));
	(void)chat_decide(&talk.chat, &talk.view, NOW, &talk.arena);
	(void)body_of(&talk);
	const struct reply reply = {.prompt_tokens = counted};
	chat_note_tokens(&talk.chat, talk.model_traits, &reply, &talk.arena);
	double rate = model_traits_token_rate(talk.model_traits, SLICE("m"));
	teardown(&talk);
	return rate;
}

START_TEST(only_what_is_all_text_tells_how_a_model_counts)
{
	const char *question = USER("Go on.");
	ck_assert_double_gt(rate_after("", question, 2000), 1.5);
	ck_assert_double_gt(rate_after("\"stream\":true,\"temperature\":0.7,", question, 2000),
			    1.5);
	ck_assert_double_eq(rate_after("",
				       "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
				       "\"image_url\":{\"url\":\"https://a.test/b.png\"}}]}",
				       2000),
			    1);
	static char tools[1024] = "\"tools\":\"";
	memset(tools + strlen(tools), 'x', 900);
	ck_assert_double_eq(rate_after(strcat(tools, "\","), question, 2000), 1);
}
END_TEST

UNIT_MAIN("chat", a_replay_rides_at_its_own_place_among_turns_that_read_alike,
	  a_replay_of_a_turn_that_was_edited_rides_on_no_other,
	  what_was_given_stands_within_a_loop_of_tool_calls_whatever_the_mode_is_now,
	  what_was_given_stands_when_auto_takes_another_branch,
	  a_fact_is_recalled_unless_the_request_carries_the_words_that_it_rests_on,
	  what_goes_up_without_memory_after_all_goes_up_whole,
	  a_receipt_is_whole_and_short_whatever_was_left_out,
	  a_receipt_tells_up_to_which_turn_the_summary_in_it_covers,
	  a_question_is_embedded_without_its_secrets, what_is_continued_is_kept_once,
	  only_what_is_all_text_tells_how_a_model_counts)
