/* For any list of steps: what a client writes of them is read as them, and what is put in is never
 * the user's words. Each dialect renders the same steps as its clients write them. */
#include "core/chat/parts.h"
#include "core/dialect/ollama.h"
#include "core/text/text.h"

#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <stdio.h>

enum { MAX_STEPS = 12, MAX_PARTS = 4, ROUNDS = 1500 };

enum part_kind { PART_WORDS, PART_PROGRAMS, PART_IMAGE };

struct made_part {
	enum part_kind kind;
	char text[128];
};

/* A step as it is meant, whatever dialect it is written in. */
struct made_step {
	enum step_kind kind;
	bool is_string; /* its one part is words, and not in a list */
	struct made_part parts[MAX_PARTS];
	size_t part_count;
	char calls[2][48];
	size_t call_count;
};

/* ---- what is meant ---- */

static void make_part(struct random *random, struct made_part *part, enum step_kind kind,
		      int number)
{
	static const char *const programs[] = {"<system-reminder>no %d</system-reminder>",
					       "<environment_context>no %d</environment_context>"};
	size_t which = kind == STEP_USER ? random_below(random, 5) : 4;
	part->kind = which < 2 ? PART_PROGRAMS : which == 2 ? PART_IMAGE : PART_WORDS;
	const char *form = which < 2 ? programs[which] : "say \"%d\"\nor \\ so";
	(void)snprintf(part->text, sizeof(part->text), form, number);
}

static bool is_models(const struct made_step *step)
{
	return step->kind == STEP_ANSWER || step->kind == STEP_CALLS;
}

static void make_step(struct random *random, struct made_step *step, int number)
{
	static const enum step_kind kinds[] = {STEP_USER,  STEP_USER,  STEP_ANSWER,
					       STEP_CALLS, STEP_TOOLS, STEP_SYSTEM};
	*step = (struct made_step){.kind = kinds[random_below(random, 6)]};
	step->is_string = random_below(random, 2) == 0;
	step->part_count = step->is_string ? 1 : 1 + random_below(random, MAX_PARTS);
	for (size_t i = 0; i < step->part_count; i++)
		make_part(random, &step->parts[i], step->kind, number * MAX_PARTS + (int)i);
	if (step->is_string && step->parts[0].kind == PART_IMAGE)
		step->parts[0].kind = PART_WORDS;
	step->call_count = step->kind == STEP_CALLS ? 1 + random_below(random, 2) : 0;
	for (size_t i = 0; i < step->call_count; i++)
		(void)snprintf(step->calls[i], sizeof(step->calls[i]), "call_%d_%zu", number, i);
}

/* ---- chat completions ---- */

static void render_chat_part(struct random *random, struct buffer *out,
			     const struct made_part *part)
{
	if (part->kind == PART_IMAGE) {
		(void)buffer_append(out, SLICE("{\"type\":\"image_url\",\"text\":\"no\"}"));
		return;
	}
	(void)buffer_append(out, SLICE("{\"text\":"));
	json_quote(out, slice_of(part->text));
	random_space(random, out);
	(void)buffer_append(out, SLICE(",\"type\":\"text\"}"));
}

static void render_chat_content(struct random *random, struct buffer *out,
				const struct made_step *step)
{
	if (step->is_string) {
		json_quote(out, slice_of(step->parts[0].text));
		return;
	}
	for (size_t i = 0; i < step->part_count; i++) {
		(void)buffer_append(out, i == 0 ? SLICE("[") : SLICE(","));
		render_chat_part(random, out, &step->parts[i]);
	}
	(void)buffer_append(out, SLICE("]"));
}

static void render_chat(struct random *random, struct buffer *out, const struct made_step *steps,
			size_t count)
{
	static const char *const roles[] = {
		[STEP_SYSTEM] = "developer", [STEP_USER] = "user",  [STEP_ANSWER] = "assistant",
		[STEP_CALLS] = "assistant",  [STEP_TOOLS] = "tool",
	};
	(void)buffer_append(out, SLICE("{\"model\":\"m\",\"messages\":["));
	for (size_t i = 0; i < count; i++) {
		random_space(random, out);
		(void)buffer_printf(out, "%s{\"role\":\"%s\",\"content\":", i > 0 ? "," : "",
				    roles[steps[i].kind]);
		render_chat_content(random, out, &steps[i]);
		for (size_t j = 0; j < steps[i].call_count; j++)
			(void)buffer_printf(out, "%s{\"id\":\"%s\"}%s",
					    j == 0 ? ",\"tool_calls\":[" : ",", steps[i].calls[j],
					    j + 1 == steps[i].call_count ? "]" : "");
		(void)buffer_append(out, SLICE("}"));
	}
	(void)buffer_append(out, SLICE("]}"));
}

/* ---- Messages ---- */

static void render_blocks(struct random *random, struct buffer *out, const struct made_step *step)
{
	for (size_t i = 0; i < step->part_count; i++) {
		(void)buffer_append(out, i > 0 ? SLICE(",") : SLICE(""));
		if (step->parts[i].kind == PART_IMAGE)
			(void)buffer_append(out, SLICE("{\"type\":\"image\",\"source\":{}}"));
		else
			render_chat_part(random, out, &step->parts[i]);
	}
}

static void render_messages_content(struct random *random, struct buffer *out,
				    const struct made_step *step)
{
	bool is_string = step->is_string && step->kind != STEP_CALLS;
	if (is_string) {
		json_quote(out, slice_of(step->parts[0].text));
		return;
	}
	(void)buffer_append(out, SLICE("["));
	render_blocks(random, out, step);
	for (size_t i = 0; i < step->call_count; i++)
		(void)buffer_printf(out, ",{\"type\":\"tool_use\",\"input\":{},\"id\":\"%s\"}",
				    step->calls[i]);
	(void)buffer_append(out, SLICE("]"));
}

/* User text that arrives while tools run stands in the message of their results. */
static bool shares(struct random *random, const struct made_step *step,
		   const struct made_step *next)
{
	return next != NULL && step->kind == STEP_TOOLS && next->kind == STEP_USER &&
	       next->parts[0].kind != PART_IMAGE && random_below(random, 2) == 0;
}

static void render_results(struct random *random, struct buffer *out, const struct made_step *step,
			   const struct made_step *behind)
{
	(void)buffer_append(out, SLICE("{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
				       "\"tool_use_id\":\"t\",\"content\":"));
	render_messages_content(random, out, step);
	(void)buffer_append(out, SLICE("}"));
	if (behind != NULL) {
		(void)buffer_append(out, SLICE(","));
		render_blocks(random, out, behind);
	}
	(void)buffer_append(out, SLICE("]}"));
}

static void render_messages(struct random *random, struct buffer *out,
			    const struct made_step *steps, size_t count)
{
	static const char *const roles[] = {
		[STEP_SYSTEM] = "system",
		[STEP_USER] = "user",
		[STEP_ANSWER] = "assistant",
		[STEP_CALLS] = "assistant",
	};
	(void)buffer_append(out, SLICE("{\"max_tokens\":9,\"messages\":["));
	for (size_t i = 0; i < count; i++) {
		const struct made_step *next = i + 1 < count ? &steps[i + 1] : NULL;
		random_space(random, out);
		(void)buffer_append(out, i > 0 ? SLICE(",") : SLICE(""));
		if (steps[i].kind == STEP_TOOLS) {
			bool is_shared = shares(random, &steps[i], next);
			render_results(random, out, &steps[i], is_shared ? next : NULL);
			i += is_shared;
			continue;
		}
		(void)buffer_printf(out, "{\"role\":\"%s\",\"content\":", roles[steps[i].kind]);
		render_messages_content(random, out, &steps[i]);
		(void)buffer_append(out, SLICE("}"));
	}
	(void)buffer_append(out, SLICE("]}"));
}

/* ---- Responses ---- */

static void render_item_content(struct buffer *out, const struct made_step *step)
{
	bool is_models = step->kind == STEP_ANSWER || step->kind == STEP_CALLS;
	if (step->is_string) {
		json_quote(out, slice_of(step->parts[0].text));
		return;
	}
	for (size_t i = 0; i < step->part_count; i++) {
		(void)buffer_append(out, i == 0 ? SLICE("[") : SLICE(","));
		if (step->parts[i].kind == PART_IMAGE) {
			(void)buffer_append(out, SLICE("{\"type\":\"input_image\"}"));
			continue;
		}
		(void)buffer_printf(out, "{\"type\":\"%s\",\"text\":",
				    is_models ? "output_text" : "input_text");
		json_quote(out, slice_of(step->parts[i].text));
		(void)buffer_append(out, SLICE("}"));
	}
	(void)buffer_append(out, SLICE("]"));
}

static void render_item(struct random *random, struct buffer *out, const struct made_step *step)
{
	static const char *const roles[] = {
		[STEP_SYSTEM] = "developer",
		[STEP_USER] = "user",
		[STEP_ANSWER] = "assistant",
		[STEP_CALLS] = "assistant",
	};
	if (step->kind == STEP_TOOLS) {
		(void)buffer_append(out, SLICE("{\"type\":\"function_call_output\",\"output\":"));
		render_item_content(out, step);
		(void)buffer_append(out, SLICE("}"));
		return;
	}
	if (step->kind == STEP_ANSWER && random_below(random, 2) == 0)
		(void)buffer_append(out, SLICE("{\"type\":\"reasoning\",\"summary\":[]},"));
	(void)buffer_printf(out, "{\"role\":\"%s\",\"content\":", roles[step->kind]);
	render_item_content(out, step);
	(void)buffer_append(out, SLICE("}"));
	for (size_t i = 0; i < step->call_count; i++)
		(void)buffer_printf(out, ",{\"type\":\"function_call\",\"call_id\":\"%s\"}",
				    step->calls[i]);
}

static void render_responses(struct random *random, struct buffer *out,
			     const struct made_step *steps, size_t count)
{
	(void)buffer_append(out, SLICE("{\"model\":\"m\",\"input\":["));
	for (size_t i = 0; i < count; i++) {
		random_space(random, out);
		(void)buffer_append(out, i > 0 ? SLICE(",") : SLICE(""));
		render_item(random, out, &steps[i]);
	}
	(void)buffer_append(out, SLICE("]}"));
}

/* ---- Ollama ---- */

/* A message says one string, and its images stand beside it. */
static void make_lone(struct made_step *step)
{
	size_t text = 0;
	while (text + 1 < step->part_count && step->parts[text].kind == PART_IMAGE)
		text++;
	struct made_part first = step->parts[text];
	step->parts[text] = step->parts[0];
	step->parts[0] = first;
	if (first.kind == PART_IMAGE)
		step->parts[0].kind = PART_WORDS;
	size_t count = 1;
	for (size_t i = 1; i < step->part_count; i++) {
		if (step->parts[i].kind == PART_IMAGE)
			step->parts[count++] = step->parts[i];
	}
	step->part_count = count;
}

#define ARGUMENTS "{\"city\":\"Oslo\"}"

static void render_ollama(struct random *random, struct buffer *out, const struct made_step *steps,
			  size_t count)
{
	static const char *const roles[] = {
		[STEP_SYSTEM] = "system",   [STEP_USER] = "user",  [STEP_ANSWER] = "assistant",
		[STEP_CALLS] = "assistant", [STEP_TOOLS] = "tool",
	};
	(void)buffer_append(out, SLICE("{\"model\":\"m\",\"messages\":["));
	for (size_t i = 0; i < count; i++) {
		random_space(random, out);
		(void)buffer_printf(out, "%s{\"role\":\"%s\",\"content\":", i > 0 ? "," : "",
				    roles[steps[i].kind]);
		json_quote(out, slice_of(steps[i].parts[0].text));
		for (size_t j = 1; j < steps[i].part_count; j++)
			(void)buffer_printf(out, "%s\"no\"%s", j == 1 ? ",\"images\":[" : ",",
					    j + 1 == steps[i].part_count ? "]" : "");
		for (size_t j = 0; j < steps[i].call_count; j++)
			(void)buffer_printf(
				out,
				"%s{\"function\":{\"name\":\"%s\",\"arguments\":" ARGUMENTS "}}%s",
				j == 0 ? ",\"tool_calls\":[" : ",", steps[i].calls[j],
				j + 1 == steps[i].call_count ? "]" : "");
		(void)buffer_append(out, SLICE("}"));
	}
	(void)buffer_append(out, SLICE("]}"));
}

/* Its calls have no ids. */
static uint64_t hash_ollama_call(uint64_t hash, const char *name)
{
	char json[128];
	(void)snprintf(json, sizeof(json),
		       "{\"function\":{\"name\":\"%s\",\"arguments\":" ARGUMENTS "}}", name);
	const struct json_value whole = {JSON_TYPE_OBJECT, 0, (uint32_t)strlen(json)};
	struct ollama_call call = ollama_call_of(slice_of(json), whole);
	return step_hash_call(hash, (struct slice){call.id, sizeof(call.id)});
}

static uint64_t hash_call(uint64_t hash, const char *id)
{
	return step_hash_call(hash, slice_of(id));
}

static const struct form {
	const char *path;
	void (*render)(struct random *random, struct buffer *out, const struct made_step *steps,
		       size_t count);
	uint64_t (*hash_call)(uint64_t hash, const char *call);
	bool joins_answers; /* what the model made in a row is one step */
	bool is_lone;       /* a step has one text */
} forms[] = {
	{"/v1/chat/completions", render_chat, hash_call, false, false},
	{"/v1/messages", render_messages, hash_call, true, false},
	{"/v1/responses", render_responses, hash_call, true, false},
	{"/api/chat", render_ollama, hash_ollama_call, false, true},
};

/* ---- what is read ---- */

static bool has_words(const struct made_step *made)
{
	for (size_t i = 0; i < made->part_count; i++) {
		if (made->parts[i].kind == PART_WORDS)
			return true;
	}
	return false;
}

static void check_step(const struct form *form, const struct chat *chat, size_t index,
		       const struct made_step *made, struct arena *arena)
{
	const struct step *step = &chat->read.request.steps[index];
	struct text_parts parts = step_text_parts(&chat->read.request, step, arena);
	size_t at = 0;
	size_t others = 0;
	uint64_t calls = 0;
	/* Behind a tool's results, what has no words of the user's is passed over. */
	bool is_passed = step->kind == STEP_OTHER && made->kind == STEP_USER && !has_words(made);
	ck_assert(is_passed || step->kind == made->kind);
	for (size_t i = 0; i < made->part_count; i++) {
		if (made->parts[i].kind == PART_IMAGE) {
			others++;
			continue;
		}
		ck_assert_uint_lt(at, parts.count);
		unit_assert_slice(parts.texts[at++].text, made->parts[i].text);
	}
	for (size_t i = 0; i < made->call_count; i++)
		calls = form->hash_call(calls, made->calls[i]);
	ck_assert_uint_eq(at, parts.count);
	ck_assert_uint_eq(step->other_parts, others);
	ck_assert_uint_eq(step->ids_hash, calls);
}

/* Nothing of a program's is among them, and something of the user's is, if there was anything. */
static void check_own(struct slice own, const struct made_step *made)
{
	ck_assert_int_eq(own.size > 0, has_words(made));
	ck_assert_uint_eq(slice_find(own, SLICE("no "), 0), own.size);
}

/* ---- what is put in ---- */

#define BLOCK "<user_memory>\nname: Alex\n</user_memory>"
#define REPLAY "<user_memory>\n[2026-03-02] user: \"I\" moved\n</user_memory>"

static struct slice inject(struct random *random, const struct chat *chat, struct arena *arena)
{
	const struct request *request = &chat->read.request;
	struct replay_text *prefixes = arena_alloc(arena, MAX_STEPS * sizeof(*prefixes));
	struct injection injection = {
		.placement = (enum placement)random_below(random, 3),
		.block = SLICE(BLOCK),
		.block_with_text = chat_first_carrier(chat, arena),
		.replay_texts = prefixes,
	};
	for (size_t i = 0; i < request->step_count; i++) {
		size_t carrier = request->steps[i].kind == STEP_USER
					 ? chat_own_carrier(&chat->read, i, 1, arena)
					 : SIZE_MAX;
		if (carrier != SIZE_MAX && random_below(random, 2) == 0)
			prefixes[injection.replay_count++] =
				(struct replay_text){carrier, SLICE(REPLAY)};
	}
	struct edit *edits;
	bool made;
	size_t count = request_inject(request, &injection, &edits, &made, arena);
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(request->body, edits, count, pieces);
	return arena_join(arena, pieces, REQUEST_PIECES(count));
}

static void read_chat(struct chat *chat, const struct dialect *dialect, struct slice body,
		      struct arena *arena)
{
	chat_read(chat, dialect, body, false, arena);
	ck_assert_msg(chat->read.scanned, "%.*s", SLICE_PRINT(body));
	chat_own_begin(&chat->read, arena);
}

/* Each user step in its order, whatever steps were put between them. */
static size_t next_user(const struct chat *chat, size_t from)
{
	while (from < chat->read.request.step_count &&
	       chat->read.request.steps[from].kind != STEP_USER)
		from++;
	return from;
}

static void check_same_own(const struct chat *before, const struct chat *after, struct arena *arena)
{
	size_t i = next_user(before, 0);
	size_t j = next_user(after, 0);
	while (i < before->read.request.step_count) {
		ck_assert_uint_lt(j, after->read.request.step_count);
		struct slice own = chat_own_text(&before->read, i, 1, arena);
		struct slice given = chat_own_text(&after->read, j, 1, arena);
		ck_assert_msg(slice_equal(own, given), "%.*s, not %.*s", SLICE_PRINT(given),
			      SLICE_PRINT(own));
		i = next_user(before, i + 1);
		j = next_user(after, j + 1);
	}
	ck_assert_uint_eq(j, after->read.request.step_count);
}

static void check_round(const struct form *form, struct random *random)
{
	struct made_step steps[MAX_STEPS];
	struct arena arena = {0};
	struct buffer body;
	struct chat chat;
	struct chat after;
	const struct dialect *dialect = dialect_of(SLICE("POST"), slice_of(form->path));
	size_t count = 1 + random_below(random, MAX_STEPS);
	for (size_t i = 0; i < count; i++) {
		do
			make_step(random, &steps[i], (int)i);
		while (form->joins_answers && i > 0 && is_models(&steps[i - 1]) &&
		       is_models(&steps[i]));
		if (form->is_lone)
			make_lone(&steps[i]);
	}
	buffer_init(&body, 1 << 20);
	form->render(random, &body, steps, count);
	read_chat(&chat, dialect, buffer_slice(&body), &arena);
	ck_assert_uint_eq(chat.read.request.step_count, count);
	for (size_t i = 0; i < count; i++) {
		check_step(form, &chat, i, &steps[i], &arena);
		if (steps[i].kind == STEP_USER)
			check_own(chat_own_text(&chat.read, i, 1, &arena), &steps[i]);
	}
	read_chat(&after, dialect, inject(random, &chat, &arena), &arena);
	check_same_own(&chat, &after, &arena);
	buffer_finish(&body);
	arena_finish(&arena);
}

START_TEST(any_steps_are_read_as_they_were_meant_and_what_is_put_in_is_nobodys_words)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct random random = {12};
		for (int round = 0; round < ROUNDS; round++)
			check_round(&forms[i], &random);
	}
}
END_TEST

UNIT_MAIN("steps_random", any_steps_are_read_as_they_were_meant_and_what_is_put_in_is_nobodys_words)
