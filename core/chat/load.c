/* Builds the store's query for a request, and decides which replays still hold. */
#include "core/base/ids.h"
#include "core/base/utf8.h"
#include "core/chat/parts.h"
#include "core/clients/forms.h"

/* After this time a provider's prompt cache has gone cold, so the context may be rebuilt. */
enum { FROZEN_IDLE = 60 * 60 * 1000 };
/* How many turns are read back to see whether a request quotes one of them, and the shortest
 * quote. */
enum { SIDE_TURNS = 40, SIDE_QUOTE = 200, QUOTED_FROM = 64 * 1024 };
/* A user turn may get a third of what the conversation's budget has left, so that the budget lasts,
 * but at least a 128th of the whole; if less is left, the budget is full. */
enum { SHARE_OF_REST = 3, LEAST_SHARE = 128 };
/* A cut leaves two thirds of history_tokens. What replaces the removed turns, made with the cut,
 * may have a quarter; the questions until the next cut get the rest. A conversation is full if less
 * is left, in tokens, than a turn takes. */
enum { TRIMMED_SHARE = 4, TRIMMED_SHARE_OF_REST = 12, LEAST_TRIMMED_SHARE = 8, LEAST_TRIMMED = 96 };
/* How many bytes of turns are read back per token that may be given: a token is four bytes or more,
 * and some turns are skipped. */
enum { TEXT_PER_TOKEN = 5, LEAST_TEXT = 2048 };

static bool may_quote_an_answer(const struct chat *chat)
{
	return chat->read.own_text.size >= SIDE_QUOTE && chat->read.is_alone;
}

static bool trims(const struct chat *chat)
{
	return chat->settings.trims;
}

static size_t text_for(size_t tokens)
{
	return tokens * TEXT_PER_TOKEN + LEAST_TEXT;
}

/* Finding a cut needs everything that the summary does not cover. */
static size_t uncovered_text(const struct chat *chat)
{
	if (trims(chat))
		return SIZE_MAX;
	return mode_uses_summary(chat->mode) ? text_for(chat->settings.context_tokens) : 0;
}

/* The user's last texts before the newest turn, where a compaction stands for all answers. */
static void load_compacted(const struct chat *chat, struct load *load, struct arena *arena)
{
	if (!load->is_compacted || load->fingerprint_count > 0)
		return;
	for (size_t i = chat->read.newest.first; i > 0 && load->compacted_count < LOAD_COMPACTED;
	     i--) {
		if (chat->read.request.steps[i - 1].kind != STEP_USER)
			continue;
		if (chat_own_text(&chat->read, i - 1, 1, arena).size > 0)
			load->compacted[load->compacted_count++] =
				chat_own_hash(&chat->read, i - 1, arena);
	}
}

void chat_load(struct chat *chat, int64_t now, struct load *load, struct arena *arena)
{
	enum mode mode = chat->mode;
	/* Everything in such a request is new, not history. */
	bool chains = chat_chains(chat);
	bool has_open = !chains && chat->read.open_fingerprint.hash != 0;
	bool buffers = mode == MODE_BUFFER || mode == MODE_AUTO;
	unsigned turns = buffers ? (unsigned)chat->settings.buffer_messages : 0;
	bool asks = mode_recalls(mode) || mode_uses_facts(mode) || trims(chat);
	if (may_quote_an_answer(chat) && turns < SIDE_TURNS)
		turns = SIDE_TURNS;
	if (asks)
		chat_read_question(chat, now, arena);
	/* the words of what is hidden are taken out of turns and summaries */
	const bool hides = (chat->settings.pii.hide & PII_OF_MODEL) != 0;
	if (turns < chat_turns_before_question(chat))
		turns = chat_turns_before_question(chat);
	*load = (struct load){
		.user = chat->user,
		.session = chat->identity.session,
		.previous = chat_previous(chat, arena),
		.is_compacted = chat->read.request.is_compacted,
		.fingerprints = chat->read.fingerprints,
		.fingerprint_count = chains ? 0 : chat->read.fingerprint_count,
		.open = has_open ? &chat->read.open_fingerprint : NULL,
		.earlier_answers = chains ? 0 : chat->read.earlier_answers,
		.newest_hash = chat->read.own_hash,
		.newest_text = chat->read.own_text,
		.newest_turns = turns,
		.uncovered_text = uncovered_text(chat),
		.trims = trims(chat),
		.facts = mode_uses_facts(mode) || mode_recalls(mode) || hides,
		.past_facts = chat->read.question.about_past || hides,
		.conversations =
			chat->mode == MODE_AUTO ? (size_t)chat->settings.auto_hybrid_sessions : 0,
		.now = now,
	};
	load_compacted(chat, load, arena);
}

static bool quotes_an_answer(const struct chat *chat, const struct memory_view *view,
			     struct arena *arena)
{
	if (!may_quote_an_answer(chat))
		return false;
	struct slice *answers = arena_alloc(arena, view->turn_count * sizeof(*answers));
	size_t count = 0;
	for (size_t i = 0; i < view->turn_count; i++) {
		const struct turn *turn = &view->turns[i];
		if (turn->role == ROLE_ASSISTANT)
			answers[count++] = utf8_cut(turn->text, QUOTED_FROM);
	}
	return form_quotes_one_of(chat->read.own_text, answers, count);
}

/* ---- what stands ---- */

static bool holds_all(const struct id_list *list, const uint64_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!ids_hold(list->ids, list->count, ids[i]))
			return false;
	}
	return true;
}

/* Whether the block corrects what the provider keeps as far as it no longer holds, and nothing
 * else. */
static bool tells_ended(const struct memory_view *view)
{
	const struct frozen *frozen = &view->frozen;
	if (frozen->ended_count != view->ended_count)
		return false;
	for (size_t i = 0; i < view->ended_count; i++) {
		if (frozen->ended[i] != view->ended[i].id)
			return false;
	}
	return true;
}

/* Whether all facts in what was given are unchanged. */
static bool facts_stand(const struct chat *chat, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	struct id_list current = {0};
	for (size_t i = 0; i < view->fact_count; i++) {
		if (view->facts[i].state == FACT_CURRENT)
			id_list_add(&current, arena, view->facts[i].id);
	}
	id_list_sort(&current);
	for (size_t i = 0; i < chat->decided.replay_count; i++) {
		const struct replay *replay = &chat->decided.replayed[i];
		if (!holds_all(&current, replay->facts, replay->fact_count))
			return false;
	}
	return tells_ended(view) &&
	       holds_all(&current, view->frozen.facts, view->frozen.fact_count);
}

/* Whether what was given may still stand (CONTRACT, prefix stability). */
static bool frozen_stands(const struct chat *chat, int64_t now, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	const struct frozen *frozen = &view->frozen;
	if (!view->has_frozen || chat_shows_hidden(chat, arena))
		return false;
	if (!chat->read.newest.is_last || chat->read.request.is_retry)
		return true;
	if (!chat_mode_stands(chat))
		return false;
	if (now - view->last_active >= FROZEN_IDLE)
		return false;
	/* A fact that was learned here left the turns that are sent, or returned. */
	if ((view->answers > 0 && view->leaves_out) || frozen->turns.size > 0 ||
	    frozen->chat_turns.size > 0)
		return false;
	return frozen->cut_before == chat->decided.cut.cut_before && facts_stand(chat, arena);
}

/* The ordinal up to which the summary covers this conversation. */
static uint32_t covered_up_to(const struct memory_view *view)
{
	uint32_t covered = view->answers;
	if (!view->has_summary || view->turn_count >= MEMORY_MAX_TURNS)
		return 0; /* what is not covered may continue before those turns */
	for (size_t i = 0; i < view->turn_count; i++) {
		const struct turn *turn = &view->turns[i];
		if (turn->conversation == view->conversation && turn->id > view->summary.covers &&
		    turn->ordinal < covered)
			covered = turn->ordinal;
	}
	return covered;
}

size_t chat_estimated(const struct chat *chat, uint64_t tokens)
{
	return (size_t)((double)tokens / chat->settings.token_rate);
}

static void choose_cut(struct chat *chat, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	if (!trims(chat) || chat_chains(chat) || view->conversation == 0 ||
	    view->carried_from == UINT32_MAX)
		return;
	struct history_limits limits = {
		.tokens = chat_estimated(chat, chat->settings.history_tokens),
		.ordinal = view->carried_from,
		.covered = covered_up_to(view),
	};
	if (view->carried_from == 0 && view->has_summary)
		limits.standing = view->frozen.cut_before;
	/* Within a loop of tool calls, the cut stays as the user turn found it. */
	if (!chat->read.newest.is_last)
		limits.fixed = &view->frozen.cut_before;
	chat->decided.cut = history_choose_cut(&chat->read.request, &limits, arena);
	/* While the summary lags behind, stored turns can still be recalled. */
	if (chat->decided.cut.falls_short && !view->begin_is_lost) {
		limits.covered = view->answers;
		chat->decided.cut = history_choose_cut(&chat->read.request, &limits, arena);
	}
}

/* Whether the newest turn is to be given something of its own. */
static bool is_open(const struct chat *chat)
{
	return chat->read.newest.is_last && chat->read.question.text.size > 0 &&
	       !(chat->decided.stands && chat_newest_is_replayed(chat));
}

static bool is_trimmed(const struct chat *chat)
{
	return chat->decided.cut.end > chat->decided.cut.first;
}

bool chat_recalls(const struct chat *chat)
{
	return chat_may_replay(chat) && (mode_recalls(chat->decided.injects) || is_trimmed(chat));
}

/* The estimated tokens that a conversation's memory may have. */
struct allowance {
	size_t whole;
	size_t begin; /* of these, for what is made at the beginning */
	size_t share_of_rest;
	size_t least_share;
};

static struct allowance plan_allowance(const struct chat *chat)
{
	size_t whole = chat_estimated(chat, chat->settings.conversation_tokens);
	return (struct allowance){whole, whole, SHARE_OF_REST, whole / LEAST_SHARE};
}

/* In a trimmed request, memory may use what the history leaves of the limit. */
static struct allowance plan_trimmed_allowance(const struct chat *chat)
{
	size_t limit = chat_estimated(chat, chat->settings.history_tokens);
	size_t history = chat->decided.cut.total - chat->decided.cut.tokens;
	size_t left = limit > history ? limit - history : 0;
	size_t begin = limit / TRIMMED_SHARE;
	size_t whole = size_min(left > begin ? left : begin,
				chat_estimated(chat, chat->settings.conversation_tokens));
	return (struct allowance){
		.whole = whole,
		.begin = size_min(begin, whole),
		.share_of_rest = TRIMMED_SHARE_OF_REST,
		.least_share = size_min(LEAST_TRIMMED, whole / LEAST_TRIMMED_SHARE),
	};
}

static void plan_budget(struct chat *chat)
{
	const struct allowance allowance =
		is_trimmed(chat) ? plan_trimmed_allowance(chat) : plan_allowance(chat);
	size_t kept = size_min(chat_kept_tokens(chat), allowance.whole);
	chat->decided.budget = size_min(chat_estimated(chat, chat->settings.context_tokens),
					size_min(allowance.begin, allowance.whole - kept));
	if (!chat->decided.stands || !chat->read.newest.is_last)
		return;
	size_t used = chat->view->frozen.tokens + chat_replayed_tokens(chat) + kept;
	size_t rest = used < allowance.whole ? allowance.whole - used : 0;
	size_t share = size_max(rest / allowance.share_of_rest, allowance.least_share);
	bool wants_more = is_open(chat) && chat_recalls(chat);
	if (used > allowance.whole || (wants_more && rest < allowance.least_share))
		chat->decided.stands = false;
	else
		chat->decided.budget = size_min(size_min(share, rest), chat->decided.budget);
}

enum chat_next chat_decide(struct chat *chat, const struct memory_view *view, int64_t now,
			   struct arena *arena)
{
	struct memory_view *copy = arena_alloc(arena, sizeof(*copy));
	*copy = *view;
	chat->view = copy;
	chat->status = CHAT_EMPTY;
	chat_go_on(chat);
	chat_keep_apart(chat);
	if (quotes_an_answer(chat, view, arena)) {
		chat->status = CHAT_SIDE;
		return CHAT_READY;
	}
	if (chat->settings.refuses_memory)
		chat->status = CHAT_OFF;
	if (!chat->inject)
		return CHAT_READY;
	chat_read_earlier(chat, arena);
	chat_choose_branch(chat);
	choose_cut(chat, arena);
	chat->decided.carried = chat_carried_texts(chat, arena);
	chat_find_replays(chat, arena);
	chat->decided.stands = frozen_stands(chat, now, arena);
	plan_budget(chat);
	if (!chat->decided.stands) {
		chat->decided.replay_count = 0;
		chat_prefer_wording(chat);
	}
	return is_open(chat) && chat_recalls(chat) ? CHAT_RECALL : CHAT_READY;
}

/* ---- what to ask next ---- */

/* The turns that the request is already given, and the one being asked again. */
static struct id_list list_given(const struct chat *chat, struct arena *arena)
{
	const struct frozen *frozen = &chat->view->frozen;
	const struct chain_link *link = chat_link(chat);
	struct id_list given = {0};
	if (chat->decided.stands)
		id_list_add_all(&given, arena, frozen->given, frozen->given_count);
	for (size_t i = 0; i < chat->decided.replay_count; i++)
		id_list_add_all(&given, arena, chat->decided.replayed[i].turns,
				chat->decided.replayed[i].turn_count);
	if (link != NULL)
		id_list_add_all(&given, arena, link->turns, link->turn_count);
	if (chat->view->same_exchange != 0)
		id_list_add(&given, arena, chat->view->same_exchange);
	id_list_sort(&given);
	return given;
}

void chat_recall(const struct chat *chat, struct recall *recall, struct arena *arena)
{
	uint32_t carried_from = chat->view->carried_from;
	if (chat->decided.cut.cut_before > carried_from)
		carried_from = chat->decided.cut
				       .cut_before; /* turns that were taken out may be recalled */
	*recall = (struct recall){
		.user = chat->user,
		.question = &chat->read.question,
		.conversation = chat->view->conversation,
		.carried_from = carried_from,
		.asked_again = chat->view->same_exchange,
		.only_conversation = !mode_recalls(chat->decided.injects),
		.carried = chat->decided.carried,
		.text_limit = text_for(chat->decided.budget),
	};
	struct recall_hint *hints = arena_alloc(arena, chat->view->fact_count * sizeof(*hints));
	recall->hint_count = recall_hint_turns(&chat->read.question, chat->view->facts,
					       chat->view->fact_count, hints, arena);
	recall->hints = hints;
	struct id_list given = list_given(chat, arena);
	recall->given = given.ids;
	recall->given_count = given.count;
}
