#include "core/client_forms.h"
#include "core/json.h"
#include "core/secrets.h"
#include "core/text.h"
#include "proxy/admin_call.h"
#include "proxy/embedder.h"
#include "proxy/identity.h"
#include "proxy/learner.h"
#include "proxy/learner_choice.h"

#include <inttypes.h>
#include <jansson.h>

enum {
	ANSWER_LIMIT = 256 << 20,
	MAX_TURNS_SHOWN = 10000,
	MAX_JOBS_COUNTED = 100000,
	MAX_SESSION = 256,             /* as in a request's header */
	PATIENCE_WITH_VECTORS = 10000, /* milliseconds */
};

/* ---- reading ---- */

struct reading {
	struct admin_call *call;
	size_t pending, parked, deferred;
	struct user_memory memory;
	enum store_result result;
};

static void put_time(struct buffer *out, const char *name, int64_t at, struct arena *arena)
{
	struct slice time = text_time(at, arena);
	buffer_printf(out, "\"%s\":\"%.*s\"", name, SLICE_PRINT(time));
}

static void put_text(struct buffer *out, const char *name, struct slice text)
{
	buffer_printf(out, "\"%s\":", name);
	json_quote(out, text);
}

static void put_summary(struct buffer *out, const struct user_memory *memory, struct arena *arena)
{
	buffer_append(out, SLICE(",\"summary\":"));
	if (!memory->has_summary) {
		buffer_append(out, SLICE("null"));
		return;
	}
	buffer_append_byte(out, '{');
	put_text(out, "text", memory->summary.text);
	buffer_append_byte(out, ',');
	put_time(out, "updated_at", memory->summary.updated_at, arena);
	buffer_append_byte(out, '}');
}

static void put_fact(struct buffer *out, const struct fact *fact, struct arena *arena)
{
	buffer_printf(out, "{\"id\":\"%" PRIu64 "\",", fact->id);
	put_text(out, "entity", fact->entity);
	buffer_append_byte(out, ',');
	put_text(out, "kind", fact->kind);
	buffer_append_byte(out, ',');
	put_text(out, "key", fact->key);
	buffer_append_byte(out, ',');
	put_text(out, "value", fact->value);
	buffer_printf(out, ",\"confidence\":%.3g,\"pii\":%s,", fact->confidence,
		      fact->pii ? "true" : "false");
	put_time(out, "observed_at", fact->observed_at, arena);
	if (fact->expires_at != 0) {
		buffer_append_byte(out, ',');
		put_time(out, "valid_until", fact->expires_at, arena);
	}
	buffer_printf(out, ",\"source\":{\"exchange\":\"%" PRIu64 "\",", fact->exchange);
	put_text(out, "quote", fact->quote);
	buffer_append(out, SLICE("}}"));
}

static void put_turn(struct buffer *out, const struct turn *turn, struct arena *arena)
{
	buffer_printf(out, "{\"role\":\"%s\",", role_name(turn->role));
	put_text(out, "content", turn->text);
	buffer_append_byte(out, ',');
	put_time(out, "created_at", turn->created_at, arena);
	buffer_append(out, SLICE(",\"session\":"));
	if (turn->session.size == 0)
		buffer_append(out, SLICE("null"));
	else
		json_quote(out, turn->session);
	buffer_printf(out, ",\"complete\":%s}", turn->complete ? "true" : "false");
}

static void put_memory(struct buffer *out, const struct reading *reading)
{
	const struct user_memory *memory = &reading->memory;
	struct arena *arena = &reading->call->arena;
	buffer_append_byte(out, '{');
	put_text(out, "user", memory->user);
	buffer_printf(out, ",\"pending\":%zu,\"parked\":%zu,\"deferred\":%zu", reading->pending,
		      reading->parked, reading->deferred);
	put_summary(out, memory, arena);
	buffer_append(out, SLICE(",\"facts\":["));
	for (size_t i = 0; i < memory->fact_count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_fact(out, &memory->facts[i], arena);
	}
	buffer_append(out, SLICE("],\"messages\":["));
	for (size_t i = 0; i < memory->turn_count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_turn(out, &memory->turns[i], arena);
	}
	buffer_append(out, SLICE("]}"));
}

static void on_memory(void *cookie, enum store_result result, struct user_memory *memory)
{
	struct reading *reading = cookie;
	reading->result = result;
	if (result == STORE_OK)
		reading->memory = *memory;
}

static void on_jobs(void *cookie, enum store_result result, struct job_list *list)
{
	struct reading *reading = cookie;
	for (size_t i = 0; result == STORE_OK && i < list->count; i++) {
		const struct job *job = &list->jobs[i];
		if (job->parked)
			reading->parked++;
		else if (learner_wants(reading->call->config, list, job, clock_wall()))
			reading->pending++;
		else if (job->kind == JOB_FACTS)
			reading->deferred++;
	}
}

static void get_memory(struct admin_call *call)
{
	struct reading reading = {.call = call, .result = STORE_FAILED};
	struct store *store = call->service->store;
	/* The jobs first: what is learned in between then counts as pending, never as lost. */
	store_user_jobs(store, call->user, 0, MAX_JOBS_COUNTED, &call->arena, on_jobs, &reading);
	store_read_user(store, call->user, MAX_TURNS_SHOWN, clock_wall(), &call->arena, on_memory,
			&reading);
	if (reading.result != STORE_OK) {
		admin_reply_failure(call, reading.result);
		return;
	}
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	put_memory(&out, &reading);
	admin_reply_json(call, 200, &out);
}

/* ---- importing ---- */

struct import {
	struct imported_turn *turns;
	size_t count;
	bool learn;
	struct slice answer;
	struct admin_call *call;
	struct embedder_wait *wait; /* for the turns' vectors; NULL: none */
};

/* With its NULs, which JSON allows in a string; empty: it is none. */
static struct slice string_of(json_t *value)
{
	return (struct slice){json_string_value(value), json_string_length(value)};
}

/* What a chat log holds beside the talk, calls of tools included: nothing of it is remembered. */
static bool is_left_out(json_t *message)
{
	struct slice role = string_of(json_object_get(message, "role"));
	bool calls = json_array_size(json_object_get(message, "tool_calls")) > 0 ||
		     json_is_object(json_object_get(message, "function_call"));
	return slice_equal(role, SLICE("system")) || slice_equal(role, SLICE("developer")) ||
	       slice_equal(role, SLICE("tool")) || slice_equal(role, SLICE("function")) ||
	       (slice_equal(role, SLICE("assistant")) && calls);
}

/* As in a chat: a string, or its text parts joined by a line break. False: it is neither. */
static bool read_content(json_t *content, struct message_parts *read, struct arena *arena)
{
	size_t most = json_is_string(content) ? 1 : json_array_size(content);
	struct text_part *texts = arena_alloc(arena, (most + 1) * sizeof(*texts));
	struct slice *lines = arena_alloc(arena, (2 * most + 1) * sizeof(*lines));
	*read = (struct message_parts){.texts = texts};
	if (json_is_string(content)) {
		texts[0].text = read->joined = string_of(content);
		read->count = 1;
		return true;
	}
	bool follows_text = false;
	size_t i;
	json_t *part;
	json_array_foreach(content, i, part)
	{
		struct slice type = string_of(json_object_get(part, "type"));
		json_t *said = json_object_get(part, "text");
		if (!json_is_object(part))
			return false;
		bool is_text = slice_equal(type, SLICE("text")) && json_is_string(said);
		if (is_text) {
			lines[2 * read->count] = string_of(said);
			lines[2 * read->count + 1] = SLICE("\n");
			texts[read->count++] = (struct text_part){string_of(said), follows_text};
		}
		follows_text = is_text;
	}
	read->joined = arena_join(arena, lines, read->count == 0 ? 0 : 2 * read->count - 1);
	return json_is_array(content);
}

static const char *check_message(json_t *message, struct message_parts *content,
				 struct arena *arena)
{
	struct slice role = string_of(json_object_get(message, "role"));
	json_t *session = json_object_get(message, "session");
	if (role.size == 0 || !read_content(json_object_get(message, "content"), content, arena))
		return "each message needs a \"role\", a string, and a \"content\", a string or "
		       "an array of parts";
	if (!slice_equal(role, SLICE("user")) && !slice_equal(role, SLICE("assistant")))
		return "a message's \"role\" must be user or assistant (system, developer and tool "
		       "are left out)";
	if (content->joined.size > TURN_TEXT_LIMIT)
		return "a message's \"content\" may be 1 MB at most";
	if (session != NULL && !json_is_null(session) &&
	    (!json_is_string(session) || json_string_length(session) > MAX_SESSION))
		return "a message's \"session\" must be a string of at most 256 bytes";
	return NULL;
}

static const char *read_turn(json_t *message, bool redact, struct imported_turn *turn,
			     struct arena *arena)
{
	struct message_parts content;
	const char *fault = check_message(message, &content, arena);
	if (fault != NULL)
		return fault;
	json_t *created_at = json_object_get(message, "created_at");
	turn->created_at = clock_wall();
	if (created_at != NULL && !json_is_null(created_at) &&
	    !text_read_time(string_of(created_at), &turn->created_at))
		return "a message's \"created_at\" must be a time of RFC 3339, with its offset, "
		       "or a date";
	struct slice role = string_of(json_object_get(message, "role"));
	turn->role = slice_equal(role, SLICE("user")) ? ROLE_USER : ROLE_ASSISTANT;
	struct slice text =
		turn->role == ROLE_USER
			? slice_trim(form_own_parts(content.texts, content.count, arena))
			: text_without_reasoning(content.joined, arena);
	turn->hash = text_hash(text);
	turn->text = redact ? secrets_mask(text, arena, NULL) : text;
	turn->session = string_of(json_object_get(message, "session"));
	return NULL;
}

static const char *read_import(struct admin_call *call, json_t *document, struct import *import)
{
	json_t *messages = json_object_get(document, "messages");
	json_t *learn = json_object_get(document, "learn");
	if (!json_is_array(messages) || json_array_size(messages) == 0)
		return "the body must be an object with a \"messages\" array that is not empty";
	if (learn != NULL && !json_is_boolean(learn))
		return "\"learn\" must be true or false";
	import->learn = learn == NULL || json_is_true(learn);
	import->turns =
		arena_alloc(&call->arena, json_array_size(messages) * sizeof(*import->turns));
	struct config_memory settings =
		config_memory_for(call->config, (struct slice){0}, call->tenant, call->parameter);
	size_t i;
	json_t *message;
	json_array_foreach(messages, i, message)
	{
		if (is_left_out(message))
			continue;
		const char *fault = read_turn(message, settings.secrets_redact,
					      &import->turns[import->count++], &call->arena);
		if (fault != NULL)
			return fault;
	}
	import->answer = arena_printf(&call->arena, "{\"imported\":%zu,\"left_out\":%zu}\n",
				      import->count, json_array_size(messages) - import->count);
	return NULL;
}

static void answer_import(struct import *import)
{
	admin_reply(import->call, 202, "application/json", import->answer);
}

static void on_embedded(void *cookie, bool all)
{
	struct import *import = cookie;
	(void)all; /* the rest follows later */
	import->call->gone = NULL;
	answer_import(import);
}

static void on_importer_gone(struct admin_call *call)
{
	struct import *import = call->pending;
	embedder_wait_cancel(import->wait);
	admin_abandon(call);
}

/* Who imports and asks at once is to find everything, so the answer waits a while for the turns'
 * vectors. */
static void wait_for_vectors(struct import *import)
{
	struct admin_call *call = import->call;
	struct config_memory settings =
		config_memory_for(call->config, (struct slice){0}, call->tenant, call->parameter);
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
	if (result != STORE_OK) {
		admin_reply_failure(call, result);
		return;
	}
	learner_wake(call->service->learner, call->user);
	wait_for_vectors(import);
}

static void post_messages(struct admin_call *call)
{
	struct slice body = http_request_body(call->request);
	const char *user_fault = identity_user_fault(call->parameter);
	if (user_fault != NULL) {
		admin_reply_error(call, 400, "invalid_user_id", user_fault);
		return;
	}
	json_error_t error;
	json_t *document =
		json_loadb(body.data == NULL ? "" : body.data, body.size, JSON_ALLOW_NUL, &error);
	struct import *import = arena_alloc(&call->arena, sizeof(*import));
	*import = (struct import){.call = call};
	const char *fault =
		document == NULL ? "the body is not JSON" : read_import(call, document, import);
	if (fault == NULL)
		store_import(call->service->store, call->tenant, call->parameter, import->turns,
			     import->count, import->learn, (struct slice){0}, clock_wall(),
			     loop_for_store(call->loop), on_imported, import);
	else
		admin_reply_error(call, 400, "invalid_import", fault);
	json_decref(document);
}

/* ---- forgetting ---- */

static void on_forgotten(void *cookie, enum store_result result)
{
	struct admin_call *call = cookie;
	if (result == STORE_OK || result == STORE_NOT_FOUND)
		admin_reply(call, 204, NULL, (struct slice){0});
	else
		admin_reply_failure(call, result);
}

static void delete_user(struct admin_call *call)
{
	learner_forget(call->service->learner, call->user);
	store_forget(call->service->store, call->user, loop_for_store(call->loop), on_forgotten,
		     call);
}

const struct admin_endpoint admin_user_endpoints[] = {
	{"GET", "/v1/users/{}/memory", false, get_memory},
	{"POST", "/v1/users/{}/messages", false, post_messages},
	{"DELETE", "/v1/users/{}", false, delete_user},
	{NULL, NULL, false, NULL},
};
