/* Makes the records of an exchange: its turns for the journal, and its receipt. */
#include "core/base/ids.h"
#include "core/base/utf8.h"
#include "core/chat/parts.h"
#include "core/facts/intake.h"
#include "core/text/text.h"

#include <string.h>

enum {
	ESTIMATE_LIMIT = 256 * 1024, /* estimating a longer request would take noticeable time */
	TOKENS_PER_MESSAGE = 4,
	BESIDE_MESSAGES = 160, /* bytes: the model's name, "stream", "temperature" */
};

bool chat_learns_from(const struct chat *chat, int status)
{
	return chat->view != NULL && chat->learn && chat->status != CHAT_SIDE && status >= 200 &&
	       status < 300 && (chat->read.newest.count > 0 || chat->decided.goes_on);
}

/* The ids of given items of one kind, ascending; not of facts that hold no longer. */
static const uint64_t *list_ids(const struct chat *chat, const char *kind, bool recalled,
				size_t *count, struct arena *arena)
{
	const struct context *context = &chat->injected.context;
	struct id_list list = {0};
	for (size_t i = 0; i < context->item_count; i++) {
		const struct context_item *item = &context->items[i];
		if (strcmp(item->kind, kind) == 0 && item->is_recalled == recalled &&
		    !item->is_ended)
			id_list_add(&list, arena, item->id);
	}
	id_list_sort(&list);
	*count = list.count;
	return list.ids;
}

static const uint64_t *list_ended(const struct memory_view *view, size_t *count,
				  struct arena *arena)
{
	struct id_list list = {0};
	for (size_t i = 0; i < view->ended_count; i++)
		id_list_add(&list, arena, view->ended[i].id);
	*count = list.count;
	return list.ids;
}

static void freeze(struct chat *chat, struct frozen *frozen, struct arena *arena)
{
	chat->injected.receipt_items = chat_list_kept(chat, false, arena);
	*frozen = (struct frozen){
		.mode = chat->decided.injects,
		.tokens = chat->injected.context.tokens,
		.block = chat->injected.context.block,
		.turns = chat->injected.context.turns,
		.receipt_items = chat->injected.receipt_items,
		.cut_before = chat->decided.cut.cut_before,
	};
	frozen->facts = list_ids(chat, "fact", false, &frozen->fact_count, arena);
	frozen->ended = list_ended(chat->view, &frozen->ended_count, arena);
	frozen->given = list_ids(chat, "turn", false, &frozen->given_count, arena);
	size_t count;
	const uint64_t *summaries = list_ids(chat, "summary", false, &count, arena);
	frozen->covers = count > 0 ? summaries[0] : 0;
}

static void make_replay(struct chat *chat, struct replay *replay, struct arena *arena)
{
	*replay = (struct replay){
		.ordinal = chat->view->next_ordinal,
		.user_hash = chat->read.own_hash,
		.tokens = chat->injected.context.recalled_tokens,
		.text = chat->injected.context.recalled,
		.receipt_items = chat_list_kept(chat, true, arena),
	};
	replay->turns = list_ids(chat, "turn", true, &replay->turn_count, arena);
	replay->facts = list_ids(chat, "fact", true, &replay->fact_count, arena);
}

/* Some servers repeat the text that they continue. A short text may also be how the next word
 * begins: "Ha" and "Haha". */
static bool is_said_again(struct slice open, struct slice said)
{
	enum { LEAST_CERTAIN = 16 };
	open = slice_trim(open);
	if (!slice_starts_with(said, open))
		return false;
	if (open.size == 0 || open.size == said.size || open.size >= LEAST_CERTAIN)
		return true;
	uint32_t next;
	size_t behind = open.size + text_decode(said, open.size, &next);
	return !text_is_unspaced(next) && text_says(slice_part(said, 0, behind), open);
}

/* The answer as the user sees it: the text that the client ended its request with, and the reply
 * that continues it. */
static struct slice whole_answer(const struct chat *chat, struct slice said, struct arena *arena)
{
	const struct slice parts[] = {chat->read.open_text, said};
	return is_said_again(chat->read.open_text, said) ? said : arena_join(arena, parts, 2);
}

/* An error is not a reply; neither is a refusal, or a reply without text and tool calls. A reply
 * that the user stops may not have begun, and one that is too large was not read. */
static bool says_something(const struct reply *reply, bool broke_off)
{
	if (reply->end == END_REFUSED || reply->end == END_NOTHING)
		return false;
	if (reply->text.size > 0)
		return true;
	if (reply->failed || (reply->unreadable && !broke_off))
		return false;
	return reply->has_tool_calls || reply->truncated || broke_off;
}

/* A background reply whose stream broke off goes on at the provider, where the client fetches it.
 */
static bool is_fetched_later(const struct chat *chat, const struct reply *reply, bool broke_off)
{
	return broke_off && chat->read.request.is_background && reply->id.size > 0 &&
	       !reply->failed;
}

bool chat_append(struct chat *chat, const struct reply *reply, bool broke_off, int64_t started_at,
		 int64_t now, struct append *append, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	bool called_tools = reply->has_tool_calls && !broke_off;
	bool waits = is_fetched_later(chat, reply, broke_off);
	bool goes_on = waits || reply->end == END_PAUSED || reply->end == END_PENDING ||
		       reply->end == END_RETRIED;
	if (!goes_on && !says_something(reply, broke_off))
		return false;
	broke_off = !waits && (broke_off || reply->failed || reply->unreadable);
	struct slice whole = whole_answer(chat, reply->text, arena);
	struct slice answer = text_without_reasoning(whole, arena);
	bool keeps_answer = !chat->read.request.has_format;
	*append = (struct append){
		.tenant = chat->identity.tenant,
		.user = chat->identity.user,
		.session = chat->identity.session,
		.forget_epoch = view->forget_epoch,
		.started_at = chat->decided.goes_on ? view->link.started_at : started_at,
		.now = now,
		.conversation = view->conversation,
		.ordinal = view->next_ordinal,
		.utc_offset = chat->settings.utc_offset,
		.carries_history = chat->read.fingerprint_count > 0,
		.promised = true, /* there was room when the request came */
		.journal = !called_tools && !goes_on,
		.user_text = chat_masked(chat, chat->read.own_text, arena),
		.user_hash = chat->read.own_hash,
		.answer_text = keeps_answer ? chat_masked(chat, answer, arena) : (struct slice){0},
		.answer_hash = called_tools ? reply->tool_calls_hash
			       : goes_on    ? 0
					    : text_hash(answer),
		.rest_hash =
			called_tools || whole.size == reply->text.size ? 0 : text_hash(reply->text),
		.item_hash =
			chat->read.request.is_kept && !chat_chains(chat) ? reply->item_hash : 0,
		.complete = !broke_off,
		.same_exchange = view->same_exchange,
		.supersede = view->branches,
		.kept = view->kept,
		.kept_count = view->kept_count,
		.branch_from = view->branch_from,
		.carried = view->carried,
		.carried_count = view->carried_count,
		.learn = chat->read.own_text.size > 0,
		.model = chat->read.request.model,
		.explicit_mode = chat->explicit_mode,
		.mode = chat->mode,
	};
	append->history = chat_import_history(chat, started_at, &append->history_count, arena);
	if (chat->injected.is_fresh) {
		freeze(chat, &chat->injected.frozen, arena);
		append->frozen = &chat->injected.frozen;
		append->keeps_replays = chat_link(chat) != NULL;
	}
	if (chat->injected.context.recalled.size > 0) {
		make_replay(chat, &chat->injected.replay, arena);
		append->replay = &chat->injected.replay;
	}
	if (chat_make_link(chat, reply, append->replay, append, &chat->injected.link, arena))
		append->link = &chat->injected.link;
	return true;
}

/* ---- what the upstream counted ---- */

/* Estimates the texts that went upstream; 0: the upstream counted more than these. */
static size_t count_texts(const struct chat *chat, struct arena *arena)
{
	const struct request *request = &chat->read.request;
	size_t tokens = 0;
	for (size_t i = 0; i < request->step_count; i++) {
		const struct step *step = &request->steps[i];
		if (chat_is_cut(chat, i))
			continue;
		if (step->kind == STEP_CALLS || step->other_parts > 0)
			return 0; /* the cost of calls and images is unknown */
		tokens += text_tokens(step_text(request, step, arena)) + TOKENS_PER_MESSAGE;
	}
	return request->beside <= BESIDE_MESSAGES + tokens / 2 ? tokens : 0;
}

size_t chat_sent_tokens(const struct chat *chat, struct arena *arena)
{
	size_t size = request_spliced_size(chat->read.body, chat->injected.edits,
					   chat->injected.edit_count);
	if (size > ESTIMATE_LIMIT)
		return 0;
	size_t tokens = count_texts(chat, arena);
	size_t given = (size_t)((double)chat->injected.tokens / chat->settings.token_rate);
	return tokens > 0 ? tokens + given : 0;
}
