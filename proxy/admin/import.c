/* POST /v1/users/USER/messages: imports past turns. */
#include "core/clients/forms.h"
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/config/zone.h"
#include "proxy/learn/embedder.h"
#include "proxy/learn/learner.h"
#include "proxy/portable/forms.h"
#include "proxy/runtime/background.h"
#include "storage/deletions.h"

#include <jansson.h>

enum {
	PATIENCE_WITH_VECTORS = 10000, /* milliseconds */
	ANSWER_LIMIT = 4096,
};

struct import {
	struct buffer body;
	const char *fault; /* of it */
	struct imported_turn *turns;
	size_t count;
	size_t erased;     /* left out: somebody erased them... */
	int64_t erased_at; /* ...the last of them then */
	size_t undated;    /* of them: they count as said before */
	bool learn;
	struct intake intake;
	struct slice answer;
	struct admin_call *call;
	struct embedder_wait *wait; /* waits for the turns' vectors; NULL: none */
};

/* Messages of a chat log outside the talk, tool calls included, are not remembered. */
static bool is_left_out(json_t *message)
{
	static const char *const others[] = {"system", "developer", "tool", "function", NULL};
	const bool calls = json_array_size(json_object_get(message, "tool_calls")) > 0 ||
			   json_is_object(json_object_get(message, "function_call"));
	return slice_is_any(portable_text(message, "role"), others) ||
	       (calls && portable_says(message, "role", "assistant"));
}

struct content {
	struct text_part *texts;
	size_t count;
};

/* As in a chat: a string, or the texts among its parts. False: it is neither. */
static bool read_content(json_t *message, struct content *read, struct arena *arena)
{
	json_t *content = json_object_get(message, "content");
	struct text_part *texts =
		arena_alloc(arena, (json_array_size(content) + 1) * sizeof(*texts));
	bool follows_text = false;
	size_t i;
	json_t *part;
	texts[0].text = portable_text(message, "content");
	*read = (struct content){texts, json_is_string(content)};
	json_array_foreach(content, i, part)
	{
		const bool is_text = portable_says(part, "type", "text") &&
				     json_is_string(json_object_get(part, "text"));
		if (!json_is_object(part))
			return false;
		if (is_text)
			texts[read->count++] = (struct text_part){
				.text = portable_text(part, "text"), .follows_text = follows_text};
		follows_text = is_text;
	}
	return json_is_string(content) || json_is_array(content);
}

/* Of an answer: its texts, one on a line, without its reasoning. */
static struct slice join_texts(const struct content *content, struct arena *arena)
{
	struct slice *lines = arena_alloc(arena, (2 * content->count + 1) * sizeof(*lines));
	for (size_t i = 0; i < content->count; i++) {
		lines[2 * i] = content->texts[i].text;
		lines[2 * i + 1] = SLICE("\n");
	}
	const size_t count = content->count == 0 ? 0 : 2 * content->count - 1;
	return text_without_reasoning(arena_join(arena, lines, count), arena);
}

static const char *check_message(json_t *message, struct content *content, struct arena *arena)
{
	json_t *session = json_object_get(message, "session");
	if (portable_text(message, "role").size == 0 || !read_content(message, content, arena))
		return "each message needs a string \"role\" and a \"content\" that is a string or "
		       "an array of parts";
	if (!portable_says(message, "role", "user") && !portable_says(message, "role", "assistant"))
		return "a message's \"role\" must be user or assistant (system, developer and tool "
		       "are left out)";
	if (session != NULL && !json_is_null(session) &&
	    (!json_is_string(session) || json_string_length(session) > PORTABLE_MAX_SESSION))
		return "a message's \"session\" must be a string of at most 256 bytes";
	return NULL;
}

static const char *read_turn(json_t *message, struct intake *intake, struct imported_turn *turn,
			     struct arena *arena)
{
	struct content content;
	const char *fault = check_message(message, &content, arena);
	if (fault != NULL)
		return fault;
	json_t *created_at = json_object_get(message, "created_at");
	const int64_t now = clock_wall();
	turn->created_at = now;
	if (created_at != NULL && !json_is_null(created_at) &&
	    !text_read_time(portable_text(message, "created_at"), &turn->created_at))
		return "a message's \"created_at\" must be an RFC 3339 time with an offset, or a "
		       "date";
	if (time_is_ahead(turn->created_at, now))
		return "a message's \"created_at\" lies in the future";
	if (turn->created_at > now)
		turn->created_at = now;
	turn->role = portable_says(message, "role", "user") ? ROLE_USER : ROLE_ASSISTANT;
	size_t carrier;
	struct slice text = turn->role == ROLE_USER
				    ? form_own_parts(content.texts, content.count, &carrier, arena)
				    : join_texts(&content, arena);
	turn->hash = text_hash(text);
	turn->text = intake_text(intake, text, INTAKE_TURN, arena);
	turn->session = portable_text(message, "session");
	return NULL;
}

/* A message without a time, or with one that has not come, may be as old as what was erased. */
static bool was_erased(struct import *import, json_t *message, const struct imported_turn *turn)
{
	const struct admin_call *call = import->call;
	int64_t said_at;
	bool is_dated = text_read_time(portable_text(message, "created_at"), &said_at) &&
			said_at == turn->created_at;
	const int64_t at = store_erased_at(call->service->store, call->user, turn->hash,
					   is_dated ? said_at : INT64_MIN);
	if (at == INT64_MIN)
		return false;
	import->erased++;
	import->undated += !is_dated;
	if (at > import->erased_at)
		import->erased_at = at;
	return true;
}

/* A message's own tree and temporaries last only until its turn is read: for many short messages
 * they take a hundred times the text. */
static const char *read_message(struct import *import, struct slice text)
{
	struct arena scratch = {0};
	struct arena *kept = &import->call->arena;
	if (!portable_fits(text)) {
		import->intake.left_out[LEFT_TOO_LARGE]++;
		return NULL;
	}
	json_t *message = json_loadb(text.data, text.size, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
	const char *fault = message == NULL ? "the body is not JSON" : NULL;
	if (fault == NULL && !is_left_out(message)) {
		struct imported_turn *turn = &import->turns[import->count];
		fault = read_turn(message, &import->intake, turn, &scratch);
		if (fault == NULL && !was_erased(import, message, turn)) {
			import->count++;
			turn->text = arena_copy(kept, turn->text);
			turn->session = arena_copy(kept, turn->session);
		}
	}
	json_decref(message);
	arena_finish(&scratch);
	return fault;
}

static size_t count_elements(struct slice body, struct json_value array)
{
	struct json_walk walk = json_walk(body, array);
	size_t count = 0;
	while (json_next(&walk))
		count++;
	return count;
}

static const char *read_messages(struct import *import, struct slice body,
				 struct json_value messages)
{
	struct admin_call *call = import->call;
	struct config_memory settings = admin_memory_settings(call);
	struct json_walk walk = json_walk(body, messages);
	import->intake = config_intake(&settings);
	while (json_next(&walk) && !background_hurries(call->service->imports)) {
		const char *fault =
			read_message(import, slice_part(body, walk.value.begin, walk.value.end));
		if (fault != NULL)
			return fault;
	}
	for (size_t i = 0; i < import->count; i++)
		import->turns[i].utc_offset =
			zone_offset(settings.time_zone, import->turns[i].created_at);
	return NULL;
}

static const char *read_import(struct import *import, struct slice body)
{
	static const char *const names[] = {"messages", "learn"};
	struct admin_call *call = import->call;
	struct json_value document, found[2];
	if (!json_scan(body, &document))
		return "the body is not JSON";
	(void)JSON_PICK(body, document, names, found);
	size_t count = count_elements(body, found[0]);
	if (found[0].type != JSON_TYPE_ARRAY || count == 0)
		return "the body must be an object with a \"messages\" array that is not empty";
	bool has_learn = found[1].end > 0;
	if (has_learn && found[1].type != JSON_TYPE_TRUE && found[1].type != JSON_TYPE_FALSE)
		return "\"learn\" must be true or false";
	import->learn = !has_learn || found[1].type == JSON_TYPE_TRUE;
	import->turns = arena_alloc(&call->arena, count * sizeof(*import->turns));
	const char *fault = read_messages(import, body, found[0]);
	struct buffer answer;
	buffer_init(&answer, ANSWER_LIMIT);
	buffer_printf(&answer, "{\"imported\":%zu,\"left_out\":%zu,\"erased\":%zu", import->count,
		      count - import->count - import->erased, import->erased);
	if (import->erased > 0)
		buffer_printf(&answer, ",\"erased_at\":\"%.*s\",\"undated\":%zu",
			      SLICE_PRINT(text_time(import->erased_at, &call->arena)),
			      import->undated);
	if (import->intake.masked + import->intake.cut > 0)
		intake_print(&import->intake, &answer);
	buffer_append(&answer, SLICE("}\n"));
	import->answer = arena_take(&call->arena, &answer);
	return fault;
}

static void answer_import(struct import *import)
{
	admin_reply(import->call, 202, "application/json", import->answer);
}

static void on_embedded(void *cookie, bool all)
{
	struct import *import = cookie;
	(void)all; /* the rest is imported later */
	import->call->gone = NULL;
	answer_import(import);
}

static void on_importer_gone(struct admin_call *call)
{
	struct import *import = call->pending;
	embedder_wait_cancel(import->wait);
	admin_abandon(call);
}

/* A client that imports and then asks at once should find everything, so the answer waits a while
 * for the turns' vectors. */
static void wait_for_vectors(struct import *import)
{
	struct admin_call *call = import->call;
	struct config_memory settings = admin_memory_settings(call);
	bool embeds =
		call->config->model.embedding[0] != '\0' && mode_recalls((enum mode)settings.mode);
	if (embeds && call->request != NULL)
		import->wait = embedder_when_done(call->service->embedder, call->user, call->loop,
						  PATIENCE_WITH_VECTORS, on_embedded, import);
	else if (embeds)
		embedder_wake(call->service->embedder, call->user);
	if (import->wait == NULL) {
		answer_import(import);
		return;
	}
	call->pending = import;
	call->gone = on_importer_gone;
}

static void on_imported(void *cookie, enum store_result result)
{
	struct import *import = cookie;
	struct admin_call *call = import->call;
	background_end(call->service->imports);
	if (admin_has_failed(call, result))
		return;
	learner_wake(call->service->learner, call->user, false);
	wait_for_vectors(import);
}

static void on_read(void *cookie)
{
	struct import *import = cookie;
	struct admin_call *call = import->call;
	struct background *imports = call->service->imports;
	const bool hurries = background_hurries(imports);
	if (hurries || import->fault != NULL)
		background_end(imports);
	if (hurries)
		admin_reply_failure(call, STORE_FAILED);
	else if (import->fault != NULL)
		admin_reply_error(call, 400, "invalid_import", import->fault);
	else
		store_import(call->service->store, call->tenant, call->parameter, import->turns,
			     import->count, import->learn, (struct slice){0}, clock_wall(),
			     admin_store_loop(call, call->user), on_imported, import);
}

/* On the thread for imports. */
static void read_body(void *cookie)
{
	struct import *import = cookie;
	import->fault = read_import(import, buffer_slice(&import->body));
	buffer_finish(&import->body);
	loop_post(import->call->loop, on_read, import);
}

void admin_post_messages(struct admin_call *call)
{
	if (!admin_has_consent(call))
		return;
	struct import *import = arena_alloc(&call->arena, sizeof(*import));
	*import = (struct import){.call = call, .body = http_request_take_body(call->request)};
	/* this call and the store hold the turns and their texts, which may be short */
	http_request_hold(call->request, 6 * import->body.size);
	if (background_begin(call->service->imports, import->body.size, read_body, import))
		return;
	buffer_finish(&import->body);
	admin_refuse_crowd(call);
}
