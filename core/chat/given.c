/* Composes the context of a request: replays that still hold, and new items. */
#include "core/base/ids.h"
#include "core/chat/parts.h"

/* How many bytes of the user's earlier words are searched for the words of each fact. */
enum { CARRIED_WORDS = 64 * 1024 };

static const struct recalled_turn *join_scores(const struct recall_result *recalled,
					       struct arena *arena)
{
	struct recalled_turn *turns =
		(struct recalled_turn *)arena_bytes(arena, recalled->count * sizeof(*turns));
	for (size_t i = 0; i < recalled->count; i++)
		turns[i] = (struct recalled_turn){recalled->turns[i],
						  (double)recalled->scores[i].score};
	return turns;
}

/* The user's words before the newest turn, as far as they go upstream, newest first. */
static struct slice carried_words(const struct chat *chat, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, CARRIED_WORDS);
	for (size_t i = chat->read.newest.first; i-- > 0;) {
		const struct step *step = &chat->read.request.steps[i];
		if (step->kind != STEP_USER || chat_is_cut(chat, i))
			continue;
		buffer_append(&out, chat_ends_text(&chat->read, i, arena));
		buffer_append_byte(&out, '\n');
		if (out.overflowed)
			break;
	}
	struct slice words = arena_copy(arena, buffer_slice(&out));
	buffer_finish(&out);
	return words;
}

static bool holds_quote(struct slice words, const struct fact *fact)
{
	return fact->quote.size > 0 && slice_find(words, fact->quote, 0) < words.size;
}

static struct id_list replayed_facts(const struct chat *chat, struct arena *arena)
{
	struct id_list list = {0};
	for (size_t i = 0; i < chat->decided.replay_count; i++)
		id_list_add_all(&list, arena, chat->decided.replayed[i].facts,
				chat->decided.replayed[i].fact_count);
	id_list_sort(&list);
	return list;
}

/* Skips what the conversation was given already, and what was learned from words that the request
 * itself carries. */
static void pass_over_known(const struct chat *chat, float *scores, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	const struct slice words = carried_words(chat, arena);
	const struct id_list replayed = replayed_facts(chat, arena);
	for (size_t i = 0; i < view->fact_count; i++) {
		const struct fact *fact = &view->facts[i];
		if (ids_hold(replayed.ids, replayed.count, fact->id) || holds_quote(words, fact))
			scores[i] = -1;
	}
}

static const float *score_facts(const struct chat *chat, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	if (chat->read.question.text.size == 0 || view->fact_count == 0)
		return NULL;
	float *scores = arena_alloc(arena, view->fact_count * sizeof(*scores));
	recall_rank_facts(&chat->read.question, view->facts, view->fact_count, scores, arena);
	if (chat->decided.stands)
		pass_over_known(chat, scores, arena);
	return scores;
}

static void build_context(struct chat *chat, const struct recall_result *recalled,
			  struct arena *arena)
{
	const struct memory_view *view = chat->view;
	struct context_input input = {
		.mode = chat->decided.injects,
		.budget = chat->decided.budget,
		.profile = chat_estimated(chat, chat->settings.profile_tokens),
		.has_floor = chat->mode == MODE_AUTO || chat->decided.injects == MODE_HYBRID,
		.buffer_messages = (unsigned)chat->settings.buffer_messages,
		.summary = view->has_summary ? &view->summary : NULL,
		.facts = view->facts,
		.fact_count = view->fact_count,
		.ended = view->ended,
		.ended_count = view->ended_count,
		.question = chat_may_replay(chat) ? &chat->read.question : NULL,
		.outdated = view->outdated,
		.outdated_count = view->outdated_count,
		.fact_scores = score_facts(chat, arena),
		.turns = view->turns,
		.turn_count = view->turn_count,
		.conversation = view->conversation,
		.carried_from = view->carried_from,
		.asked_again = view->same_exchange,
		.carried = chat->decided.carried,
		.cut_before = chat->decided.cut.cut_before,
		.is_frozen = chat->decided.stands,
	};
	if (recalled != NULL) {
		input.recalled = join_scores(recalled, arena);
		input.recalled_count = recalled->count;
		chat->injected.ranked = recalled->ranked;
	}
	if (chat->decided.stands) {
		input.frozen_facts = view->frozen.facts;
		input.frozen_fact_count = view->frozen.fact_count;
	}
	context_build(&input, &chat->injected.context, arena);
	chat->injected.is_fresh = !chat->decided.stands;
}

/* Whether something new is to be given: for the conversation, or for this turn. */
static bool gives_new(const struct chat *chat)
{
	bool selects = chat_recalls(chat) || mode_uses_facts(chat->decided.injects);
	return !chat->decided.stands ||
	       (chat_may_replay(chat) && selects && chat->read.newest.is_last &&
		!chat_newest_is_replayed(chat));
}

static void use_frozen(struct chat *chat)
{
	chat->injected.context.block = chat->view->frozen.block;
	chat->injected.context.turns = chat->view->frozen.turns;
	chat->injected.context.tokens = chat->view->frozen.tokens;
}

/* Turns frozen by an earlier version are chat completion messages. */
static struct slice render_turns(const struct chat *chat, struct arena *arena)
{
	struct slice earlier =
		chat->decided.stands ? chat->view->frozen.chat_turns : (struct slice){0};
	if (earlier.size > 0 && chat->read.dialect == &dialect_chat)
		return earlier;
	return dialect_render_turns(chat->injected.context.turns, arena);
}

static void edit_request(struct chat *chat, size_t replay_count, struct arena *arena)
{
	struct injection injection = {
		.placement = chat->settings.placement,
		.block =
			chat_block_is_kept(chat) ? (struct slice){0} : chat->injected.context.block,
		.block_with_text = chat_first_carrier(chat, arena),
		.turns = render_turns(chat, arena),
		.replay_texts = chat->decided.replay_texts,
		.replay_count = replay_count,
		.cut_first = chat->decided.cut.first,
		.cut_end = chat->decided.cut.end,
	};
	chat->injected.edit_count =
		request_inject(&chat->read.request, &injection, &chat->injected.edits,
			       &chat->injected.made_message, arena);
}

void chat_inject(struct chat *chat, const struct recall_result *recalled, struct arena *arena)
{
	const struct newest_turn *newest = &chat->read.newest;
	size_t replay_texts = chat->decided.replay_count;
	if (chat->status == CHAT_SIDE || !chat->inject)
		return;
	if (gives_new(chat)) {
		struct hidden *hidden = chat_hide(chat, recalled, arena);
		build_context(chat, recalled, arena);
		chat_hide_made(chat, hidden);
	}
	if (chat->decided.stands)
		use_frozen(chat);
	size_t kept = chat_kept_tokens(chat);
	size_t tokens = chat->injected.context.tokens + chat_replayed_tokens(chat) + kept;
	if (chat->injected.context.recalled.size > 0) {
		chat->decided.replay_texts[replay_texts++] = (struct replay_text){
			chat_own_carrier(&chat->read, newest->first, newest->count, arena),
			chat->injected.context.recalled};
		tokens += chat->injected.context.recalled_tokens;
	}
	edit_request(chat, replay_texts, arena);
	if (chat->injected.edit_count > 0 || kept > 0 || chat_block_is_kept(chat)) {
		chat->status = CHAT_INJECTED;
		chat->injected.tokens = (size_t)((double)tokens * chat->settings.token_rate + 0.5);
	}
}

size_t chat_splice(const struct chat *chat, const struct slice **pieces, struct arena *arena)
{
	size_t count = REQUEST_PIECES(chat->injected.edit_count);
	struct slice *spliced = arena_alloc(arena, count * sizeof(*spliced));
	request_splice(chat->read.body, chat->injected.edits, chat->injected.edit_count, spliced);
	*pieces = spliced;
	return count;
}
