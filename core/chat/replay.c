/* Puts what earlier turns of the conversation were given before them again, byte for byte. */
#include "core/base/ids.h"
#include "core/chat/parts.h"
#include "core/text/text.h"

/* A user turn of the request, during the search for replays. */
struct sent_turn {
	size_t step;
	size_t count;    /* number of consecutive messages */
	int64_t ordinal; /* in the stored conversation; negative: from before it */
};

static bool is_user(const struct chat *chat, size_t index)
{
	return chat->read.request.steps[index].kind == STEP_USER;
}

/* How many consecutive user messages start at `index`. */
static size_t run_length(const struct chat *chat, size_t index)
{
	size_t count = 0;
	while (index + count < chat->read.request.step_count && is_user(chat, index + count))
		count++;
	return count;
}

/* The last message that may carry a replay. */
static size_t last_place(const struct chat *chat)
{
	return chat->read.newest.count > 0 ? chat->read.newest.first
					   : chat->read.request.step_count - 1;
}

/* The ordinal of the first message, counted back from the end, whose place is certain. Behind the
 * newest turn stands its answer when the chat is to be compacted. */
static int64_t first_ordinal(const struct chat *chat)
{
	int64_t ordinal = chat->view->next_ordinal;
	for (size_t i = 0; i < chat->read.request.step_count; i++)
		ordinal -= chat_is_answer(&chat->read, i);
	return ordinal;
}

static uint64_t hash_turn(const struct chat *chat, const struct sent_turn *turn,
			  struct arena *arena)
{
	if (chat->read.newest.count > 0 && turn->step == chat->read.newest.first)
		return chat->read.own_hash;
	return text_hash(chat_own_text(&chat->read, turn->step, turn->count, arena));
}

/* The replay that belongs to this turn: same text, same place. `from`: the ones before it belong to
 * earlier turns. Returns the replay count if there is none. */
static size_t find_replay(const struct chat *chat, const struct sent_turn *turn, size_t *from,
			  struct arena *arena)
{
	const struct memory_view *view = chat->view;
	while (*from < view->replay_count && view->replays[*from].ordinal < turn->ordinal)
		++*from;
	size_t at = *from;
	if (at == view->replay_count || view->replays[at].ordinal != turn->ordinal)
		return view->replay_count;
	uint64_t hash = hash_turn(chat, turn, arena);
	while (at < view->replay_count && view->replays[at].ordinal == turn->ordinal) {
		if (view->replays[at].user_hash == hash)
			return at;
		at++;
	}
	return view->replay_count;
}

/* For the turns that the replays taken so far recall. */
static void begin_given(struct id_set *given, const struct memory_view *view)
{
	size_t most = 0;
	for (size_t i = 0; i < view->replay_count; i++)
		most += view->replays[i].turn_count;
	id_set_init(given, most);
}

static bool is_given(const struct id_set *given, const struct replay *replay)
{
	size_t i = 0;
	while (i < replay->turn_count && !id_set_has(given, replay->turns[i]))
		i++;
	return i < replay->turn_count;
}

/* Two branches may have been given the same past turn at different places. If the client sends both
 * places, only the first carries it, so that later parts of a request change nothing before
 * them. */
static void take_replay(struct chat *chat, const struct sent_turn *turn,
			const struct replay *replay, struct id_set *given, struct arena *arena)
{
	size_t carrier = chat_own_carrier(&chat->read, turn->step, turn->count, arena);
	if (carrier == SIZE_MAX || is_given(given, replay))
		return;
	for (size_t i = 0; i < replay->turn_count; i++)
		id_set_add(given, replay->turns[i]);
	chat->decided.replayed[chat->decided.replay_count] = *replay;
	chat->decided.replay_texts[chat->decided.replay_count++] =
		(struct replay_text){.text_index = carrier, .text = replay->text};
}

void chat_find_replays(struct chat *chat, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	size_t most = view->replay_count + 1;
	chat->decided.replayed = arena_alloc(arena, most * sizeof(*chat->decided.replayed));
	chat->decided.replay_texts = arena_alloc(arena, most * sizeof(*chat->decided.replay_texts));
	if (view->replay_count == 0 || chat->read.request.step_count == 0 || !chat_may_replay(chat))
		return;
	struct id_set given;
	begin_given(&given, view);
	struct sent_turn turn = {.ordinal = first_ordinal(chat)};
	size_t last = last_place(chat);
	for (size_t from = 0; from < view->replay_count && turn.step <= last;) {
		size_t i = turn.step;
		turn.count = run_length(chat, i);
		size_t found = view->replay_count;
		if (turn.count > 0 && !chat_is_cut(chat, i))
			found = find_replay(chat, &turn, &from, arena);
		if (found < view->replay_count) {
			take_replay(chat, &turn, &view->replays[found], &given, arena);
			from = found + 1;
		}
		if (turn.count == 0)
			turn.ordinal += chat_is_answer(&chat->read, i);
		turn.step += turn.count > 0 ? turn.count : 1;
	}
	id_set_finish(&given);
}

bool chat_newest_is_replayed(const struct chat *chat)
{
	if (chat->read.request.is_retry)
		return true;
	if (chat->decided.replay_count == 0 || chat->read.newest.count == 0)
		return false;
	size_t last = chat->decided.replay_texts[chat->decided.replay_count - 1].text_index;
	return last >= chat->read.request.steps[chat->read.newest.first].first_text;
}

size_t chat_replayed_tokens(const struct chat *chat)
{
	size_t tokens = 0;
	for (size_t i = 0; i < chat->decided.replay_count; i++)
		tokens += chat->decided.replayed[i].tokens;
	return tokens;
}
