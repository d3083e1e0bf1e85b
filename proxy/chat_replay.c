/* What earlier turns of the conversation were given, put before them again, byte for byte. */
#include "core/client_forms.h"
#include "core/text.h"
#include "proxy/chat_parts.h"

/* A user turn of the request. */
struct sent_turn {
	size_t message;
	uint32_t ordinal;
	uint64_t hash;
	bool taken; /* a replay rides on it */
};

struct sent_turns {
	struct sent_turn *turns;
	size_t count;
};

static bool is_user(const struct chat *chat, size_t index)
{
	return chat->request.messages[index].role == ROLE_USER;
}

/* How many user messages stand in a row at `index`. */
static size_t run_length(const struct chat *chat, size_t index)
{
	size_t count = 0;
	while (index + count < chat->request.message_count && is_user(chat, index + count))
		count++;
	return count;
}

static struct sent_turn read_turn(const struct chat *chat, size_t index, size_t count,
				  uint32_t ordinal, struct arena *arena)
{
	bool newest = index == chat->newest.first;
	return (struct sent_turn){
		.message = index,
		.ordinal = ordinal,
		.hash = newest ? chat->own_hash
			       : text_hash(chat_own_text(chat, index, count, arena)),
	};
}

/* The user turns that stay in the request, with their places in the stored conversation. */
static struct sent_turns read_turns(const struct chat *chat, struct arena *arena)
{
	const struct chat_request *request = &chat->request;
	uint32_t ordinal = chat->view->carried_from;
	if (ordinal == UINT32_MAX)
		ordinal = chat->view->next_ordinal;
	struct sent_turns sent = {arena_alloc(arena, request->message_count * sizeof(*sent.turns)),
				  0};
	for (size_t i = 0; i < request->message_count;) {
		size_t run = run_length(chat, i);
		const struct message *message = &request->messages[i];
		if (run > 0 && (i < chat->cut.first || i >= chat->cut.end))
			sent.turns[sent.count++] = read_turn(chat, i, run, ordinal, arena);
		else if (run == 0 && message->role == ROLE_ASSISTANT && !message->has_tool_calls)
			ordinal++;
		i += run > 0 ? run : 1;
	}
	return sent;
}

/* The same text at the same place; else the first of the same text behind what is taken, since a
 * client may have dropped its oldest turns. */
static struct sent_turn *find_turn(struct sent_turns *sent, size_t behind,
				   const struct replay *replay)
{
	struct sent_turn *found = NULL;
	for (size_t i = behind; i < sent->count; i++) {
		struct sent_turn *turn = &sent->turns[i];
		if (turn->hash != replay->user_hash || turn->taken)
			continue;
		if (turn->ordinal == replay->ordinal)
			return turn;
		if (found == NULL)
			found = turn;
	}
	return found;
}

void chat_find_replays(struct chat *chat, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	size_t most = view->replay_count + 1;
	chat->replayed = arena_alloc(arena, most * sizeof(*chat->replayed));
	chat->riders = arena_alloc(arena, most * sizeof(*chat->riders));
	if (view->replay_count == 0)
		return;
	struct sent_turns sent = read_turns(chat, arena);
	size_t behind = 0;
	for (size_t i = 0; i < view->replay_count; i++) {
		const struct replay *replay = &view->replays[i];
		struct sent_turn *turn = find_turn(&sent, behind, replay);
		if (turn == NULL)
			continue;
		turn->taken = true;
		behind = (size_t)(turn - sent.turns) + 1;
		chat->replayed[chat->rider_count] = *replay;
		chat->riders[chat->rider_count++] =
			(struct rider){.message = turn->message, .text = replay->text};
	}
}

bool chat_newest_is_replayed(const struct chat *chat)
{
	return chat->rider_count > 0 &&
	       chat->riders[chat->rider_count - 1].message == chat->newest.first;
}

size_t chat_replayed_tokens(const struct chat *chat)
{
	size_t tokens = 0;
	for (size_t i = 0; i < chat->rider_count; i++)
		tokens += chat->replayed[i].tokens;
	return tokens;
}
