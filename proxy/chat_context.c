/* What a request is given: the context that was frozen for its conversation, or a fresh one. */
#include "core/client_forms.h"
#include "proxy/chat.h"

/* Old enough that a provider's prompt cache has gone cold, so that the context may be made anew. */
enum { FROZEN_IDLE = 60 * 60 * 1000 };
enum { ACCOUNT_LIMIT = 1 << 20 };
/* How many turns are read back to see whether a request quotes one of them, and how long a quote
 * must be. */
enum { SIDE_TURNS = 40, SIDE_QUOTE = 200 };

static bool may_quote_an_answer(const struct chat *chat)
{
	return chat->own_text.size >= SIDE_QUOTE && chat->is_alone;
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

static void put_item(struct buffer *out, const struct context_item *item, bool first)
{
	buffer_printf(out, "%s{\"kind\":\"%s\",\"id\":\"%llu\",\"text\":", first ? "" : ",",
		      item->kind, (unsigned long long)item->id);
	json_quote(out, item->text);
	buffer_append(out, SLICE(",\"score\":null,\"source\":"));
	if (item->source == 0)
		buffer_append(out, SLICE("null"));
	else
		buffer_printf(out, "\"%llu\"", (unsigned long long)item->source);
	buffer_printf(out, ",\"tokens\":%zu}", item->tokens);
}

static void put_items(struct buffer *out, const struct context_item *items, size_t count)
{
	buffer_append_byte(out, '[');
	for (size_t i = 0; i < count; i++)
		put_item(out, &items[i], i == 0);
	buffer_append_byte(out, ']');
}

/* What the context holds and what the budget left out, as a receipt's members. It is frozen with
 * the context, whose later requests give the same account. */
static struct slice account_for(const struct context *context, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, ACCOUNT_LIMIT);
	buffer_append(&out, SLICE("\"items\":"));
	put_items(&out, context->items, context->item_count);
	buffer_append(&out, SLICE(",\"dropped\":"));
	put_items(&out, context->dropped, context->dropped_count);
	struct slice account = arena_copy(arena, buffer_slice(&out));
	bool whole = !out.overflowed;
	buffer_finish(&out);
	return whole ? account : SLICE("\"items\":[],\"dropped\":[]");
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
	chat->account = account_for(&chat->context, arena);
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
	if (frozen_stands(chat, view, now)) {
		chat->context.block = view->frozen.block;
		chat->context.turns = view->frozen.turns;
		chat->context.tokens = view->frozen.tokens;
		chat->account = view->frozen.account;
	} else {
		build_context(chat, view, arena);
	}
	struct injection injection = {
		.placement = choose_placement(chat, refusals),
		.block = chat->context.block,
		.turns = chat->context.turns,
	};
	if (injection.block.size + injection.turns.size == 0)
		return;
	chat->edit_count = request_inject(&chat->request, &injection, &chat->edits,
					  &chat->made_message, arena);
	if (chat->edit_count > 0) {
		chat->status = CHAT_INJECTED;
		chat->tokens = chat->context.tokens;
	}
}

struct slice chat_body(const struct chat *chat, struct arena *arena)
{
	if (chat->edit_count == 0)
		return chat->body;
	size_t size = request_spliced_size(chat->body, chat->edits, chat->edit_count);
	char *spliced = arena_bytes(arena, size);
	request_splice(chat->body, chat->edits, chat->edit_count, spliced);
	return (struct slice){spliced, size};
}
