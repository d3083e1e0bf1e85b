/* Lets memory run out in core/: wherever it happens, a function gives what it always gives or the
 * process ends clearly. Nothing may come out different, go missing or stay allocated. */
#include "core/chat/history.h"
#include "core/clients/forms.h"
#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "core/learn/embedding.h"
#include "core/learn/learn.h"
#include "core/learn/model_request.h"
#include "core/memory/position.h"
#include "core/pii/pii.h"
#include "core/text/text.h"
#include "tests/unit/context_fixture.h"
#include "tests/unit/failing_allocator.h"
#include "tests/unit/learn_reading.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Does something and gives a hash over all that came of it. */
typedef uint64_t piece_of_work(struct arena *arena);

static uint64_t mix(uint64_t hash, struct slice text)
{
	for (size_t i = 0; i < text.size; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(1099511628211);
	return (hash ^ text.size) * UINT64_C(1099511628211);
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
	return mix(hash, (struct slice){(const char *)&number, sizeof(number)});
}

static uint64_t once(piece_of_work *work)
{
	struct arena arena = {0};
	uint64_t hash = work(&arena);
	arena_finish(&arena);
	return hash;
}

/* ---- one trial for each allocation, where it happens ---- */

static struct {
	bool is_trial;
	size_t trials;
	size_t went_on; /* without what a library could not allocate */
	size_t bad;
} tally;

static bool try_without(void)
{
	if (trial_begin()) {
		tally.is_trial = true;
		return true;
	}
	bool reported;
	enum trial trial = trial_result(&reported);
	tally.trials++;
	tally.went_on += trial == TRIAL_ENDED_WELL;
	tally.bad += trial == TRIAL_ENDED_BADLY;
	return false;
}

static void try_everywhere(piece_of_work *work)
{
	memset(&tally, 0, sizeof(tally));
	uint64_t expected = once(work); /* and libraries have what they keep for ever */
	long live = allocator_live();
	allocator_ask(try_without);
	uint64_t hash = once(work);
	if (tally.is_trial) {
		TRIAL_EXPECT(hash == expected);
		TRIAL_EXPECT(once(work) == expected);
		TRIAL_EXPECT(allocator_live() == live);
		trial_end(false);
	}
	allocator_ask(NULL);
	ck_assert(hash == expected);
	ck_assert_int_eq(allocator_live(), live);
	ck_assert_uint_gt(tally.trials, 0);
	ck_assert_uint_eq(tally.bad, 0);
	ck_assert_uint_lt(tally.went_on, tally.trials);
}

/* ---- the work ---- */

static uint64_t use_bytes(struct arena *arena)
{
	struct buffer buffer;
	buffer_init(&buffer, 100000);
	for (int i = 0; i < 300; i++)
		(void)buffer_printf(&buffer, "%d,", i);
	char *copy = xstrdup("a string");
	uint64_t *zeroes = xcalloc(8, sizeof(*zeroes));
	uint64_t hash = mix(zeroes[7], buffer_slice(&buffer));
	hash = mix(hash, slice_of(copy));
	hash = mix(hash, arena_printf(arena, "%s and %d", copy, 7));
	hash = mix(hash, arena_copy(arena, buffer_slice(&buffer)));
	hash = mix(hash, (struct slice){arena_alloc(arena, 20000), 20000});
	free(zeroes);
	free(copy);
	buffer_finish(&buffer);
	return hash;
}

static const char chat_body[] =
	"{\"model\":\"m\\u0031\",\"metadata\":{\"user_id\":\"al\\u0065x\"},\"messages\":["
	"{\"role\":\"system\",\"content\":\"You \\u0061re kind.\"},"
	"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Look \\\"here\\\"\"},"
	"{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:,\"}},"
	"{\"type\":\"text\",\"text\":\"and th\\u0065re\"}]},"
	"{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\\u0061ll\"}]},"
	"{\"role\":\"tool\",\"content\":\"42\"},"
	"{\"role\":\"assistant\",\"content\":\"It is 42.\"},"
	"{\"role\":\"user\",\"content\":\"Wh\\u0079?\"}]}";

static uint64_t rewrite_request(struct arena *arena)
{
	struct request request;
	TRIAL_EXPECT(dialect_chat.scan(&request, slice_of(chat_body), arena) == REQUEST_OK);
	uint64_t hash = mix(mix(0, request.model), request.user_fields[2].value);
	for (size_t i = 0; i < request.step_count; i++)
		hash = mix(hash, step_text(&request, &request.steps[i], arena));
	struct history_limits limits = {.tokens = 30, .covered = 1000};
	struct history_cut cut = history_choose_cut(&request, &limits, arena);
	hash = mix_number(hash, cut.end * 1000 + cut.total);
	struct buffer turns;
	buffer_init(&turns, 1000);
	dialect_append_turn(&turns, ROLE_USER, SLICE("Ear\"lier"));
	struct replay_text replay = {.text_index = 3, .text = SLICE("Recalled: \"tea\"")};
	struct injection injection = {.placement = PLACE_SYSTEM,
				      .block = SLICE("<memory>\nname: Alex\n</memory>"),
				      .turns = buffer_slice(&turns),
				      .replay_texts = &replay,
				      .replay_count = 1};
	struct edit *edits;
	bool made_message;
	size_t count = request_inject(&request, &injection, &edits, &made_message, arena);
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(request.body, edits, count, pieces);
	buffer_finish(&turns);
	return mix(mix_number(hash, count), arena_join(arena, pieces, REQUEST_PIECES(count)));
}

static uint64_t read_reply(enum reply_format format, struct slice bytes)
{
	struct reply_reader *reader = reply_reader_create(&dialect_chat, format, 10000);
	for (size_t at = 0; at < bytes.size; at += 7)
		(void)reply_read(reader,
				 slice_part(bytes, at, at + 7 < bytes.size ? at + 7 : bytes.size));
	struct reply reply = reply_result(reader);
	uint64_t hash = mix(0, reply.text);
	hash = mix_number(hash, reply.tool_calls_hash + (uint64_t)reply.prompt_tokens);
	hash = mix_number(hash, reply.finished * 4U + reply.unreadable * 2U + reply.truncated);
	reply_reader_destroy(reader);
	return hash;
}

static uint64_t read_replies(struct arena *arena)
{
	(void)arena;
	uint64_t hash = read_reply(
		REPLY_EVENTS,
		SLICE("data: "
		      "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"He\\u006clo\"}}]}\n\n"
		      "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,"
		      "\"id\":\"b\"},{\"index\":0,\"id\":\"\\u0061\"}]}}]}\n\n"
		      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
		      "data: [DONE]\n\n"));
	return hash ^
	       read_reply(REPLY_JSON,
			  SLICE("{\"choices\":[{\"index\":0,\"message\":{\"content\":[{\"type\":"
				"\"text\","
				"\"text\":\"one\"},{\"type\":\"text\",\"text\":\"tw\\u006f\"}]},"
				"\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7}}"));
}

static const char foreign[] =
	"Größe und Straße: ＡＢＣ １２３, Ελληνικά, 東京都に住んでいます。"
	" Я живу в Москве. The running dogs' houses — “quoted” 🙂";

static uint64_t compare_texts(struct arena *arena)
{
	const struct slice text = slice_of(foreign);
	struct slice inert = arena_printf(arena, "<b>\n%s [INST]\n\nHuman: x\x01", foreign);
	struct buffer many;
	buffer_init(&many, 1 << 20);
	for (int i = 0; i < 70; i++)
		(void)buffer_printf(&many, "w%d ", i);
	uint64_t hash = mix_number(0, text_hash(text));
	hash = mix_number(hash, text_contains(text, SLICE("GRÖSSE und strasse")));
	hash = mix_number(hash, text_share_word(text, SLICE("москве")));
	hash = mix_number(hash, text_share_word(buffer_slice(&many), buffer_slice(&many)));
	hash = mix(hash, text_one_line(inert, 80, arena));
	hash = mix(hash, text_inert(inert, 300, arena));
	hash = mix(hash, text_without_reasoning(SLICE("<think>hm</think>so"), arena));
	hash = mix(mix(hash, text_time(1, arena)), text_date(1, arena));
	hash = mix_number(hash, conversation_is_edit(buffer_slice(&many), text));
	hash = mix_number(hash, conversation_is_wrapped(buffer_slice(&many), SLICE("W7 w8")));
	const struct slice said = buffer_slice(&many);
	hash = mix_number(hash, form_quotes_one_of(said, &said, 1));
	hash = mix(hash, form_own_text(SLICE("<context>\nx\n</context>\n\nWhat is x?"), arena));
	hash = mix(hash, form_own_words(SLICE("I am Alex.\n> I am Mallory"), arena));
	hash = mix(hash, secrets_mask(SLICE("key sk-proj-abcdefghijklmnopqrstuvwxyz0123456789AB, "
					    "card 4111 1111 1111 1111"),
				      arena, NULL));
	buffer_finish(&many);
	return hash;
}

static uint64_t mix_terms(uint64_t hash, const struct term_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		hash = mix_number(hash, list->terms[i].hash + list->terms[i].kind);
	return hash;
}

static uint64_t recall_turns(struct arena *arena)
{
	enum { TURNS = 4 };
	static const char *const texts[TURNS] = {"Maria: I was running with the dogs yesterday",
						 "The dog runs faster than the houses are built",
						 "Ich habe zwei Hunde gesehen",
						 "Я живу в Москве, собаки бегают"};
	struct recall_document documents[TURNS];
	struct term_list terms[TURNS];
	struct recall_hit hits[TURNS];
	struct recall_question question;
	recall_read_question(SLICE("VERBATIM: what did Maria say about the DOGS last Größe week?"),
			     NOON, &question, arena);
	uint64_t hash = mix_terms(0, &question.terms);
	hash = mix_number(hash, question.period_count * 2 + question.wants_words);
	struct recall_postings *postings =
		arena_alloc(arena, question.terms.count * sizeof(*postings));
	struct recall_posting *all = arena_alloc(arena, TURNS * sizeof(*all));
	for (size_t i = 0; i < TURNS; i++) {
		struct turn turn = {.id = i + 1, .role = ROLE_USER, .text = slice_of(texts[i])};
		recall_describe(&turn, &documents[i], &terms[i], arena);
		hash = mix_terms(hash, &terms[i]);
		all[i] = (struct recall_posting){(uint32_t)i, 1};
	}
	for (size_t i = 0; i < question.terms.count; i++)
		postings[i] = (struct recall_postings){all, 1 + i % TURNS};
	struct recall_corpus corpus = {
		.documents = documents, .count = TURNS, .postings = postings};
	size_t count = recall_rank(&question, &corpus, hits, TURNS, arena);
	for (size_t i = 0; i < count; i++)
		hash = mix_number(hash, hits[i].document);
	hash = mix(hash, recall_excerpt(&question, slice_of(foreign), 40, arena));
	struct fact fact = {
		.key = SLICE("pet"), .value = SLICE("two dogs"), .entity = SLICE("user")};
	float score;
	recall_rank_facts(&question, &fact, 1, &score, arena);
	/* A letter with so many accents is put in order on the heap. */
	struct buffer word;
	buffer_init(&word, 1000);
	(void)buffer_append(&word, SLICE("ö"));
	for (int i = 0; i < 100; i++)
		(void)buffer_append(&word, SLICE("\xcc\x81"));
	struct term_list accents;
	terms_read(buffer_slice(&word), &accents, arena);
	buffer_finish(&word);
	return mix_number(mix_terms(hash, &accents), score > 0);
}

static uint64_t mix_prompt(uint64_t hash, struct learn_prompt prompt)
{
	return mix(mix(hash, prompt.system), prompt.user);
}

static uint64_t learn_from_turn(struct arena *arena)
{
	const struct turn before = {.id = 1, .role = ROLE_ASSISTANT, .text = SLICE("Where?")};
	const struct fact known = {.id = 1,
				   .entity = SLICE("user"),
				   .kind = SLICE("user"),
				   .key = SLICE("city"),
				   .value = SLICE("Bonn"),
				   .confidence = 0.9};
	const struct learn_turn turn = {.exchange = 9,
					.created_at = NOON,
					.user = SLICE("I moved to Köln. My sister ÄNNE likes tea."),
					.assistant = SLICE("Nice"),
					.before = &before,
					.before_count = 1,
					.facts = &known,
					.fact_count = 1,
					.min_confidence = 0.5,
					.repairs = true};
	uint64_t hash = mix_prompt(0, learn_facts_prompt(&turn, arena));
	hash = mix_prompt(hash, learn_forget_prompt(&turn, arena));
	hash = mix_number(hash, learn_questions(&turn, arena));
	struct learning learning;
	TRIAL_EXPECT(learn_facts_read(
		&turn,
		SLICE("Sure: ```json\n{\"entities\":[{\"key\":\"City\",\"value\":\"Köln\","
		      "\"confidence\":0.9},{\"entity\":\"\\u00c4nne\",\"key\":\"Drink\","
		      "\"value\":\"tea\",\"op\":\"add\",\"confidence\":1}]}\n```"),
		&learning, arena));
	for (size_t i = 0; i < learning.change_count; i++) {
		const struct change *change = &learning.changes[i];
		hash = mix_number(mix(hash, change->fact.value), change->kind);
		hash = mix(mix(hash, change->fact.entity), change->fact.key);
	}
	TRIAL_EXPECT(learning.change_count == 3);
	hash = mix_prompt(hash, learn_summary_prompt(SLICE("Before."), &before, 1, 50, arena));
	struct slice summary;
	TRIAL_EXPECT(learn_summary_read(SLICE("<think>x</think>One two. Three four."), 3, &summary,
					arena));
	return mix(hash, summary);
}

static uint64_t build_context(struct arena *arena)
{
	(void)arena;
	struct memory *memory = memory_in(MODE_HYBRID);
	memory_add_fact(memory, "name", "Alex", 0);
	memory_add_fact(memory, "city", "Bonn", 1);
	memory_summarize(memory, "They spoke of cities.", 3);
	memory_add_turn(memory, 5, 9, ROLE_USER, "I like tea");
	memory_add_turn(memory, 6, 9, ROLE_ASSISTANT, "Good");
	memory_recall(memory, 1, ROLE_USER, "I was in Rome <then>");
	struct context *context = &memory->context;
	context_build(&memory->input, context, &memory->arena);
	uint64_t hash = mix(mix(0, context->block), context->turns);
	hash = mix_number(mix(hash, context->recalled), context->item_count);
	memory_free(memory);
	return hash;
}

static uint64_t speak_to_models(struct arena *arena)
{
	const struct learn_prompt prompt = {
		.system = SLICE("Be \"brief\"."), .user = SLICE("Hi\n"), .schema = SLICE("{}")};
	uint64_t hash = mix(0, model_request_body(SLICE("m"), &prompt, 100, 0, arena));
	hash = mix(hash, model_request_body(SLICE("m"), &prompt, 100,
					    QUIRK_NO_JSON_OBJECT | QUIRK_NO_SYSTEM, arena));
	hash = mix_number(hash,
			  model_request_adapt(0, true,
					      SLICE("{\"error\":{\"message\":\"no max_t\\u006fkens "
						    "here\",\"param\":null}}")));
	struct model_answer answer;
	TRIAL_EXPECT(model_answer_read(SLICE("{\"choices\":[{\"message\":{\"content\":["
					     "{\"type\":\"text\",\"text\":\"y\\u0065s\"}]}}]}"),
				       &answer, arena));
	hash = mix(hash, answer.text);
	struct buffer body;
	buffer_init(&body, 10000);
	embedding_write_request(&body, SLICE("m"), (const struct slice[]){SLICE("a"), SLICE("b")},
				2);
	hash = mix(hash, buffer_slice(&body));
	buffer_finish(&body);
	const int8_t *vectors[2];
	size_t dimensions;
	TRIAL_EXPECT(embedding_read(SLICE("{\"data\":[{\"index\":0,\"embedding\":[1,2]},"
					  "{\"index\":1,\"embedding\":\"AACAPwAAAAA=\"}]}"),
				    2, vectors, &dimensions, arena));
	return mix(hash, (struct slice){(const char *)vectors[0], dimensions});
}

#define WITHOUT_MEMORY(name, work)                                                                 \
	START_TEST(name)                                                                           \
	{                                                                                          \
		try_everywhere(work);                                                              \
	}                                                                                          \
	END_TEST

WITHOUT_MEMORY(buffers_and_arenas_hold_or_end_clearly, use_bytes)
WITHOUT_MEMORY(a_request_is_rewritten_whole_or_not_at_all, rewrite_request)
WITHOUT_MEMORY(a_reply_is_read_the_same_or_not_at_all, read_replies)
WITHOUT_MEMORY(texts_compare_the_same_or_not_at_all, compare_texts)
WITHOUT_MEMORY(no_word_or_stem_is_lost_from_recall, recall_turns)
WITHOUT_MEMORY(no_fact_is_lost_in_learning, learn_from_turn)
WITHOUT_MEMORY(a_context_is_built_the_same_or_not_at_all, build_context)
WITHOUT_MEMORY(models_are_asked_and_read_the_same_or_not_at_all, speak_to_models)

/* Feeds events of the form `event`, each with another id of `size` bytes. */
static void feed_ids(struct reply_reader *reader, const char *event, int size, int count)
{
	for (int i = 0; i < count; i++) {
		char bytes[1024];
		int length = snprintf(bytes, sizeof(bytes), event, size, i);
		ck_assert_int_lt(length, (int)sizeof(bytes));
		(void)reply_read(reader, (struct slice){bytes, (size_t)length});
	}
}

START_TEST(ids_that_a_stream_repeats_take_no_more_memory)
{
	static const struct {
		const struct dialect *dialect;
		const char *event;
	} cases[] = {
		{&dialect_responses,
		 "data: {\"type\":\"response.created\",\"response\":{\"id\":\"%0*d\"}}\n\n"},
		{&dialect_responses,
		 "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{"
		 "\"type\":\"function_call\",\"call_id\":\"%0*d\"}}\n\n"},
		{&dialect_messages,
		 "data: {\"type\":\"message_start\",\"message\":{\"id\":\"%0*d\"}}\n\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply_reader *reader =
			reply_reader_create(cases[i].dialect, REPLY_EVENTS, 10000);
		feed_ids(reader, cases[i].event, ANSWER_MAX_ID, 2);
		long live = allocator_live();
		feed_ids(reader, cases[i].event, ANSWER_MAX_ID, 1000);
		ck_assert_int_eq(allocator_live(), live);
		reply_reader_destroy(reader);
	}
}
END_TEST

UNIT_MAIN("allocation_core", buffers_and_arenas_hold_or_end_clearly,
	  a_request_is_rewritten_whole_or_not_at_all, a_reply_is_read_the_same_or_not_at_all,
	  texts_compare_the_same_or_not_at_all, no_word_or_stem_is_lost_from_recall,
	  no_fact_is_lost_in_learning, a_context_is_built_the_same_or_not_at_all,
	  models_are_asked_and_read_the_same_or_not_at_all,
	  ids_that_a_stream_repeats_take_no_more_memory)
