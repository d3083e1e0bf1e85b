#include "proxy/chat.h"

#include "core/client_forms.h"
#include "core/secrets.h"
#include "core/text.h"

#include <string.h>

/* Old enough that a provider's prompt cache has gone cold, so that the context may be made anew. */
enum { FROZEN_IDLE = 60 * 60 * 1000 };
/* Assistant turns looked up to find the conversation; the newest tell it apart best. */
enum { MAX_MARKS = 256 };
/* How many turns are read back to see whether a request quotes one of them. */
enum { SIDE_TURNS = 40, SIDE_QUOTE = 200 };

const char *chat_status_name(enum chat_status status)
{
	static const char *const names[] = {
		[CHAT_INJECTED] = "injected", [CHAT_EMPTY] = "empty",
		[CHAT_OFF] = "off",           [CHAT_ANONYMOUS] = "anonymous",
		[CHAT_SIDE] = "side",         [CHAT_BYPASSED] = "bypassed",
	};
	return names[status];
}

static struct slice field(const struct http_head *head, const char *name)
{
	return http_field_value(head->fields, head->field_count, slice_of(name));
}

static enum chat_verdict refuse(struct chat_refusal *refusal, int status, const char *code,
				const char *message)
{
	*refusal = (struct chat_refusal){.status = status, .code = code, .message = message};
	return CHAT_REFUSED;
}

static enum chat_verdict pass(struct chat *chat, enum chat_status status)
{
	chat->status = status;
	return CHAT_PASS;
}

void chat_bypass(struct chat *chat, enum metric_counter cause)
{
	chat->status = CHAT_BYPASSED;
	chat->context = (struct context){0};
	chat->is_fresh = false;
	chat->insertion_count = 0;
	chat->tokens = 0;
	metrics_count(cause, 1);
}

/* The mode of the configuration, or of the request's own word. */
static bool choose_mode(struct chat *chat, struct slice word)
{
	chat->mode = (enum mode)chat->settings.mode;
	chat->inject = chat->settings.inject;
	chat->learn = chat->settings.learn;
	if (chat->settings.mode_header && word.size > 0) {
		enum mode asked;
		if (!mode_read(word, &asked) || asked == MODE_VECTOR || asked == MODE_AUTO)
			return false;
		chat->explicit_mode = true;
		if (asked == MODE_READONLY) {
			chat->learn = false;
			chat->mode_word = mode_name(MODE_READONLY);
			/* Who asks to read where the default is off, reads what hybrid gives. */
			if (chat->mode == MODE_OFF)
				chat->mode = MODE_HYBRID;
			return true;
		}
		chat->mode = asked;
	}
	chat->mode_word = mode_name(chat->mode);
	return true;
}

static struct slice message_text(const struct chat *chat, size_t index, struct arena *arena)
{
	return request_text(&chat->request, &chat->request.messages[index], arena);
}

static struct slice read_own_text(const struct chat *chat, size_t first, size_t count,
				  struct arena *arena)
{
	struct buffer joined;
	buffer_init(&joined, chat->body.size + count * 2);
	for (size_t i = first; i < first + count; i++) {
		struct slice own = slice_trim(form_own_text(message_text(chat, i, arena), arena));
		if (own.size > 0 && joined.size > 0)
			buffer_append(&joined, SLICE("\n\n"));
		buffer_append(&joined, own);
	}
	struct slice text = arena_copy(arena, buffer_slice(&joined));
	buffer_finish(&joined);
	return text;
}

/* A message that the reply is to continue is no answer yet. */
static bool is_history(const struct chat *chat, size_t index)
{
	return index + 1 < chat->request.message_count ||
	       chat->request.messages[index].has_tool_calls;
}

static bool is_mark(const struct chat *chat, size_t index)
{
	return chat->request.messages[index].role == ROLE_ASSISTANT && is_history(chat, index);
}

/* Where the newest MAX_MARKS of them begin. */
static size_t first_mark(const struct chat *chat)
{
	size_t index = chat->request.message_count;
	for (size_t marks = 0; index > 0 && marks < MAX_MARKS; index--)
		marks += is_mark(chat, index - 1);
	return index;
}

static uint64_t hash_own_text(const struct chat *chat, size_t index, struct arena *arena)
{
	return text_hash(form_own_text(message_text(chat, index, arena), arena));
}

/* Of the newest user turn before `index`; 0: there is none. */
static uint64_t user_hash_before(const struct chat *chat, size_t index, struct arena *arena)
{
	while (index > 0 && chat->request.messages[index - 1].role != ROLE_USER)
		index--;
	return index == 0 ? 0 : hash_own_text(chat, index - 1, arena);
}

static struct answer_mark read_mark(const struct chat *chat, size_t index, uint64_t user_hash,
				    struct arena *arena)
{
	const struct message *message = &chat->request.messages[index];
	return (struct answer_mark){
		.hash = message->has_tool_calls ? message->tool_calls_hash
						: text_hash(message_text(chat, index, arena)),
		.user_hash = user_hash,
		.tool_calls = message->has_tool_calls,
	};
}

/* A user turn may be large and have many marks behind it: its text is hashed once. */
static void read_marks(struct chat *chat, struct arena *arena)
{
	size_t index = first_mark(chat);
	uint64_t user_hash = user_hash_before(chat, index, arena);
	chat->marks = arena_alloc(arena, MAX_MARKS * sizeof(*chat->marks));
	for (; index < chat->request.message_count; index++) {
		if (chat->request.messages[index].role == ROLE_USER)
			user_hash = hash_own_text(chat, index, arena);
		else if (is_mark(chat, index))
			chat->marks[chat->mark_count++] = read_mark(chat, index, user_hash, arena);
	}
}

/* The only message that is not a system message, when it is a user message; else NULL. */
static const struct message *only_user_message(const struct chat *chat)
{
	const struct message *only = NULL;
	for (size_t i = 0; i < chat->request.message_count; i++) {
		const struct message *message = &chat->request.messages[i];
		if (message->role == ROLE_SYSTEM || message->role == ROLE_DEVELOPER)
			continue;
		if (only != NULL || message->role != ROLE_USER)
			return NULL;
		only = message;
	}
	return only;
}

static bool has_side_shape(const struct chat *chat, struct arena *arena)
{
	const struct message *only = only_user_message(chat);
	return only != NULL && form_is_side_request(request_text(&chat->request, only, arena));
}

static bool may_quote_an_answer(const struct chat *chat)
{
	return chat->own_text.size >= SIDE_QUOTE && only_user_message(chat) != NULL;
}

static bool is_encoded(const struct http_head *head)
{
	struct slice coding = field(head, "Content-Encoding");
	return coding.size > 0 && !slice_equal_nocase(coding, SLICE("identity"));
}

static enum chat_verdict find_identity(struct chat *chat, const struct http_head *head,
				       const struct identity_path *path,
				       struct chat_refusal *refusal, struct arena *arena)
{
	const char *fault = NULL;
	switch (identity_find(chat->config, head, path, chat->scanned ? &chat->request : NULL,
			      &chat->identity, &fault, arena)) {
	case IDENTITY_OK:
		return CHAT_LOAD;
	case IDENTITY_UNSIGNED:
		return refuse(refusal, 401, "invalid_user_signature", fault);
	case IDENTITY_BAD:
	default:
		return refuse(refusal, 400, "invalid_user_id", fault);
	}
}

/* Reads what the request says of itself: dry run, identity, mode. CHAT_LOAD: go on. */
static enum chat_verdict read_request(struct chat *chat, const struct http_head *head,
				      const struct identity_path *path, bool is_local,
				      struct chat_refusal *refusal, struct arena *arena)
{
	struct slice dry = field(head, "X-Memory-Dry-Run");
	chat->dry_run = dry.size > 0 && !slice_equal(dry, SLICE("0"));
	if (chat->dry_run && !is_local && !identity_is_admin(chat->config, head))
		return refuse(refusal, 403, "dry_run_forbidden",
			      "A dry run is answered to loopback clients or with the admin token.");
	chat->scanned =
		!is_encoded(head) && request_scan(&chat->request, chat->body, arena) == REQUEST_OK;
	enum chat_verdict verdict = find_identity(chat, head, path, refusal, arena);
	if (verdict != CHAT_LOAD)
		return verdict;
	chat->settings = config_memory_for(chat->config, chat->request.model, chat->identity.tenant,
					   chat->identity.user);
	if (!choose_mode(chat, field(head, "X-Memory-Mode")))
		return refuse(refusal, 400, "invalid_memory_mode",
			      "X-Memory-Mode must be off, readonly, buffer, summary, entity or "
			      "hybrid (vector and auto: not in this version).");
	if (chat->dry_run && !chat->scanned)
		return refuse(refusal, 400, "invalid_request_body",
			      "A dry run needs an uncompressed JSON object with one \"messages\" "
			      "array.");
	return CHAT_LOAD;
}

enum chat_verdict chat_open(struct chat *chat, const struct config *config,
			    const struct http_head *head, const struct identity_path *path,
			    struct slice body, bool is_local, struct chat_refusal *refusal,
			    struct arena *arena)
{
	*chat = (struct chat){
		.config = config, .body = body, .authorization = field(head, "Authorization")};
	enum chat_verdict verdict = read_request(chat, head, path, is_local, refusal, arena);
	if (verdict != CHAT_LOAD)
		return verdict;
	if (chat->identity.user.size == 0)
		return pass(chat, CHAT_ANONYMOUS);
	chat->user = store_user_key(chat->identity.tenant, chat->identity.user);
	if (chat->mode == MODE_OFF)
		return pass(chat, CHAT_OFF);
	if (!chat->scanned) {
		chat_bypass(chat, METRIC_BYPASS_BODY);
		return CHAT_PASS;
	}
	if (chat->identity.task || has_side_shape(chat, arena))
		return pass(chat, CHAT_SIDE);
	chat->newest = request_newest_turn(&chat->request);
	chat->own_text = read_own_text(chat, chat->newest.first, chat->newest.count, arena);
	chat->own_hash = text_hash(chat->own_text);
	read_marks(chat, arena);
	return CHAT_LOAD;
}

void chat_load(struct chat *chat, int64_t now, struct load *load)
{
	unsigned turns = chat->mode == MODE_BUFFER ? (unsigned)chat->settings.buffer_messages : 0;
	if (may_quote_an_answer(chat) && turns < SIDE_TURNS)
		turns = SIDE_TURNS;
	*load = (struct load){
		.user = chat->user,
		.session = chat->identity.session,
		.marks = chat->marks,
		.mark_count = chat->mark_count,
		.newest_hash = chat->own_hash,
		.newest_turns = turns,
		.uncovered_turns = mode_uses_summary(chat->mode),
		.facts = mode_uses_facts(chat->mode),
		.now = now,
	};
}

static bool quotes_an_answer(const struct chat *chat, const struct memory_view *view)
{
	if (!may_quote_an_answer(chat))
		return false;
	for (size_t i = 0; i < view->turn_count; i++) {
		const struct turn *turn = &view->turns[i];
		if (turn->role == ROLE_ASSISTANT && form_quotes_answer(chat->own_text, turn->text))
			return true;
	}
	return false;
}

static bool has_fact(const struct memory_view *view, uint64_t id)
{
	for (size_t i = 0; i < view->fact_count; i++) {
		if (view->facts[i].id == id)
			return true;
	}
	return false;
}

/* Whether what was frozen may still stand (CONTRACT, prefix stability). */
static bool frozen_stands(const struct chat *chat, const struct memory_view *view, int64_t now)
{
	const struct frozen *frozen = &view->frozen;
	if (!view->has_frozen || frozen->mode != chat->mode)
		return false;
	if (!chat->newest.is_last)
		return true;
	if (now - view->last_active >= FROZEN_IDLE)
		return false;
	if (view->answers > 0 && view->carried_from > 0)
		return false; /* what was learned here is no longer among the turns sent */
	for (size_t i = 0; i < frozen->fact_count; i++) {
		if (!has_fact(view, frozen->facts[i]))
			return false;
	}
	return true;
}

static void build_context(struct chat *chat, struct memory_view *view, struct arena *arena)
{
	uint64_t budget = chat->settings.context_tokens;
	if (budget > chat->settings.conversation_tokens)
		budget = chat->settings.conversation_tokens;
	struct context_input input = {
		.mode = chat->mode,
		.budget = (size_t)budget,
		.buffer_messages = (unsigned)chat->settings.buffer_messages,
		.summary = view->has_summary ? &view->summary : NULL,
		.facts = view->facts,
		.fact_count = view->fact_count,
		.turns = view->turns,
		.turn_count = view->turn_count,
		.conversation = view->conversation,
		.carried_from = view->carried_from,
	};
	context_build(&input, &chat->context, arena);
	chat->is_fresh = true;
}

static enum placement choose_placement(const struct chat *chat, struct refusals *refusals)
{
	switch ((enum config_role)chat->settings.role) {
	case PLACE_AS_USER:
		return PLACE_USER;
	case PLACE_AS_DEVELOPER:
		return PLACE_DEVELOPER;
	case PLACE_AS_SYSTEM:
		return PLACE_SYSTEM;
	case ROLE_AUTO:
	default:
		return refusals_has(refusals, chat->request.model) ? PLACE_USER : PLACE_SYSTEM;
	}
}

void chat_inject(struct chat *chat, struct memory_view *view, struct refusals *refusals,
		 int64_t now, struct arena *arena)
{
	chat->view = arena_alloc(arena, sizeof(*view));
	*chat->view = *view;
	chat->status = CHAT_EMPTY;
	if (quotes_an_answer(chat, view)) {
		chat->status = CHAT_SIDE;
		return;
	}
	if (!chat->inject)
		return;
	chat->placement = choose_placement(chat, refusals);
	if (frozen_stands(chat, view, now)) {
		chat->context.block = view->frozen.block;
		chat->context.turns = view->frozen.turns;
		chat->context.tokens = view->frozen.tokens;
	} else {
		build_context(chat, view, arena);
	}
	struct injection injection = {
		.placement = chat->placement,
		.block = chat->context.block,
		.turns = chat->context.turns,
	};
	if (injection.block.size + injection.turns.size == 0)
		return;
	chat->insertion_count = request_inject(&chat->request, &injection, chat->insertions,
					       &chat->made_message, arena);
	if (chat->insertion_count > 0) {
		chat->status = CHAT_INJECTED;
		chat->tokens = chat->context.tokens;
	}
}

struct slice chat_body(const struct chat *chat, struct arena *arena)
{
	if (chat->insertion_count == 0)
		return chat->body;
	size_t size = request_spliced_size(chat->body, chat->insertions, chat->insertion_count);
	char *spliced = arena_alloc(arena, size);
	request_splice(chat->body, chat->insertions, chat->insertion_count, spliced);
	return (struct slice){spliced, size};
}

bool chat_learns_from(const struct chat *chat, int status)
{
	return chat->view != NULL && chat->learn && chat->status != CHAT_SIDE && status >= 200 &&
	       status < 300 && chat->newest.count > 0;
}

static void freeze(const struct chat *chat, int64_t now, struct frozen *frozen, struct arena *arena)
{
	const struct context *context = &chat->context;
	uint64_t *facts = arena_alloc(arena, context->item_count * sizeof(*facts));
	size_t count = 0;
	for (size_t i = 0; i < context->item_count; i++) {
		if (strcmp(context->items[i].kind, "fact") == 0)
			facts[count++] = context->items[i].id;
	}
	*frozen = (struct frozen){
		.mode = chat->mode,
		.placement = chat->placement,
		.made_at = now,
		.tokens = context->tokens,
		.block = context->block,
		.turns = context->turns,
		.facts = facts,
		.fact_count = count,
	};
}

static struct slice masked(const struct chat *chat, struct slice text, struct arena *arena)
{
	return chat->settings.secrets_redact ? secrets_mask(text, arena, NULL) : text;
}

bool chat_append(struct chat *chat, const struct reply *reply, bool broke_off, int64_t started_at,
		 int64_t now, struct append *append, struct frozen *frozen, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	bool called_tools = reply->has_tool_calls && !broke_off;
	if (reply->failed || reply->unreadable)
		broke_off = true;
	if (broke_off && reply->text.size == 0)
		return false;
	struct slice answer = text_without_reasoning(reply->text, arena);
	bool keeps_answer = !chat->request.has_response_format;
	*append = (struct append){
		.tenant = chat->identity.tenant,
		.user = chat->identity.user,
		.session = chat->identity.session,
		.ticket = view->ticket,
		.started_at = started_at,
		.now = now,
		.conversation = view->conversation,
		.ordinal = view->next_ordinal,
		.journal = !called_tools,
		.user_text = masked(chat, chat->own_text, arena),
		.user_hash = chat->own_hash,
		.answer_text = keeps_answer ? masked(chat, answer, arena) : (struct slice){0},
		.answer_hash = called_tools ? reply->tool_calls_hash : text_hash(answer),
		.complete = !broke_off,
		.same_exchange = view->same_exchange,
		.learn = chat->own_text.size > 0,
		.model = chat->request.model,
		.explicit_mode = chat->explicit_mode,
		.mode = chat->mode,
	};
	if (chat->is_fresh) {
		freeze(chat, now, frozen, arena);
		append->frozen = frozen;
	}
	return true;
}

static void receipt_item(struct buffer *out, const struct context_item *item, bool first)
{
	buffer_printf(out, "%s{\"kind\":\"%s\",\"id\":\"%llu\",\"text\":", first ? "" : ",",
		      item->kind, (unsigned long long)item->id);
	json_quote(out, item->text);
	buffer_printf(out, ",\"score\":null,\"source\":");
	if (item->source == 0)
		buffer_printf(out, "null");
	else
		buffer_printf(out, "\"%llu\"", (unsigned long long)item->source);
	buffer_printf(out, ",\"tokens\":%zu}", item->tokens);
}

static void receipt_items(struct buffer *out, const char *name, const struct context_item *items,
			  size_t count)
{
	buffer_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < count; i++)
		receipt_item(out, &items[i], i == 0);
	buffer_append_byte(out, ']');
}

struct slice chat_receipt(const struct chat *chat, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, 1 << 20);
	buffer_printf(&out, "{\"id\":\"%016llx\",\"user\":", (unsigned long long)chat->receipt);
	json_quote(&out, chat->identity.user);
	buffer_printf(&out, ",\"mode\":\"%s\",\"status\":\"%s\",\"tokens\":%zu,\"budget\":%llu",
		      chat->mode_word, chat_status_name(chat->status), chat->tokens,
		      (unsigned long long)chat->settings.context_tokens);
	receipt_items(&out, "items", chat->context.items, chat->context.item_count);
	receipt_items(&out, "dropped", chat->context.dropped, chat->context.dropped_count);
	buffer_printf(&out, ",\"bytes_in\":%zu,\"bytes_out\":%zu,\"elapsed_us\":%llu}",
		      chat->body.size,
		      request_spliced_size(chat->body, chat->insertions, chat->insertion_count),
		      (unsigned long long)chat->elapsed);
	struct slice text = arena_copy(arena, buffer_slice(&out));
	bool whole = !out.overflowed;
	buffer_finish(&out);
	return whole ? text : (struct slice){0};
}
