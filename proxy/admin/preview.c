/* Previews a question: the path of a request without the request. */
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/exchange/open.h"

#include <jansson.h>

enum { PREVIEW_LIMIT = 8 << 20 };

struct preview {
	struct admin_call *call;
	struct chat chat;
	uint64_t begun;
};

/* True if the members that may stand beside the question are texts. */
static bool has_texts(const json_t *document)
{
	static const char *const names[] = {"mode", "session", "model"};
	bool fits = true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *value = json_object_get(document, names[i]);
		fits &= value == NULL || json_is_string(value);
	}
	return fits;
}

static struct slice member(const json_t *document, const char *name, struct arena *arena)
{
	const json_t *value = json_object_get(document, name);
	return arena_copy(arena,
			  (struct slice){json_string_value(value), json_string_length(value)});
}

/* As a client of the dialect asks it: a list of one turn. */
static struct slice make_body(const struct dialect *dialect, struct slice model,
			      struct slice question, struct arena *arena)
{
	struct buffer out;
	struct buffer turn;
	buffer_init(&turn, PREVIEW_LIMIT);
	dialect_append_turn(&turn, ROLE_USER, question);
	buffer_init(&out, PREVIEW_LIMIT);
	buffer_append_byte(&out, '{');
	if (model.size > 0) {
		buffer_append(&out, SLICE("\"model\":"));
		json_quote(&out, model);
		buffer_append_byte(&out, ',');
	}
	json_quote(&out, slice_of(dialect->list));
	buffer_append(&out, SLICE(":["));
	/* Without the comma, for nothing follows it. */
	buffer_append(&out, slice_part(buffer_slice(&turn), 0, turn.size > 0 ? turn.size - 1 : 0));
	buffer_append(&out, SLICE("]}"));
	struct slice body = arena_copy(arena, buffer_slice(&out));
	buffer_finish(&turn);
	buffer_finish(&out);
	return body;
}

static void reply(struct preview *preview)
{
	struct admin_call *call = preview->call;
	struct buffer *out = &call->out;
	const struct slice *body;
	size_t pieces = chat_splice(&preview->chat, &body, &call->arena);
	const struct identity *identity = &preview->chat.identity;
	struct slice receipt = chat_receipt(&preview->chat, &call->arena).text;
	enum store_result result = store_tell_turns(
		call->service->store, store_user_key(identity->tenant, identity->user), &receipt,
		&call->arena);
	if (admin_has_failed(call, result))
		return;
	buffer_append(out, SLICE("{\"receipt\":"));
	buffer_append(out, receipt);
	json_put_text(out, "body", arena_join(&call->arena, body, pieces));
	buffer_append_byte(out, '}');
	admin_reply_json(call, 200);
}

static void end_lookup(struct preview *preview, enum store_result result)
{
	struct chat *chat = &preview->chat;
	if (result == STORE_OK && !chat->view->known)
		result = STORE_NOT_FOUND;
	chat->injected.elapsed = clock_steady() - preview->begun;
	if (result == STORE_OK)
		reply(preview);
	else
		admin_reply_failure(preview->call, result);
}

static void on_looked_up(void *cookie)
{
	struct preview *preview = cookie;
	preview->call->gone = NULL;
	end_lookup(preview, STORE_OK);
}

static void on_gone(struct admin_call *call)
{
	chat_lookup_cancel(call->pending);
	admin_abandon(call);
}

static void look_up(struct preview *preview, const struct chat_sources *sources)
{
	struct admin_call *call = preview->call;
	enum store_result result;
	call->pending = chat_lookup_start(&preview->chat, sources, clock_wall(), &result,
					  &call->arena, on_looked_up, preview);
	if (call->pending != NULL)
		call->gone = on_gone;
	else
		end_lookup(preview, result);
}

static void start(struct admin_call *call, const struct dialect *dialect, const json_t *document,
		  struct slice question)
{
	struct preview *preview = arena_alloc(&call->arena, sizeof(*preview));
	const struct chat_sources sources = {.store = call->service->store,
					     .vectors = call->vectors,
					     .config = call->config,
					     .model_traits = call->service->model_traits};
	const struct chat_asked asked = {
		.identity = {.user = call->parameter,
			     .tenant = call->tenant,
			     .session = member(document, "session", &call->arena)},
		.mode = member(document, "mode", &call->arena),
	};
	*preview = (struct preview){.call = call, .begun = clock_steady()};
	struct slice body =
		make_body(dialect, member(document, "model", &call->arena), question, &call->arena);
	switch (chat_open_preview(&preview->chat, &sources, dialect, asked, body, &call->arena)) {
	case CHAT_REFUSED:
		admin_reply_error(call, preview->chat.refusal.status, preview->chat.refusal.code,
				  preview->chat.refusal.message.data);
		return;
	case CHAT_LOAD:
		look_up(preview, &sources);
		return;
	case CHAT_PASS:
	default:
		reply(preview);
	}
}

void admin_post_preview(struct admin_call *call)
{
	struct slice body = http_request_body(call->request);
	struct slice name;
	json_error_t error;
	if (!admin_query(call, "dialect", &name))
		return;
	json_t *document = json_loadb(body.data == NULL ? "" : body.data, body.size, 0, &error);
	struct slice question = member(document, "question", &call->arena);
	const struct dialect *dialect = name.data == NULL ? &dialect_chat : dialect_named(name);
	if (slice_is_blank(question) || question.size > PREVIEW_LIMIT / 16 || !has_texts(document))
		admin_reply_error(call, 400, "invalid_preview",
				  "The body must be an object with a \"question\" and optionally "
				  "\"mode\", \"session\" and \"model\", all strings.");
	else if (dialect == NULL)
		admin_reply_error(call, 400, "invalid_dialect",
				  "?dialect= must be chat, responses, messages or ollama.");
	else
		start(call, dialect, document, question);
	json_decref(document);
}
