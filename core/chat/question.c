/* The question that a request puts to memory: its newest user turn, in the light of those before
 * it. */
#include "core/base/utf8.h"
#include "core/chat/parts.h"

enum {
	QUESTION_LIMIT = 16 * 1024, /* an embedding model gets at most half of it */
	EARLIER_LIMIT = 1024,       /* of each turn before it */
	TURNS_BACK = 8,             /* of both roles, and perhaps of other conversations */
};

void chat_read_question(struct chat *chat, int64_t now, struct arena *arena)
{
	if (chat->read.newest.is_last && chat->read.own_text.size > 0)
		recall_read_question(chat->read.own_text,
				     turn_local_time(now, chat->settings.utc_offset),
				     &chat->read.question, arena);
}

static bool carries_earlier(const struct chat *chat)
{
	size_t i = 0;
	while (i < chat->read.newest.first && chat->read.request.steps[i].kind != STEP_USER)
		i++;
	return i < chat->read.newest.first;
}

unsigned chat_turns_before_question(const struct chat *chat)
{
	return chat->read.question.text.size > 0 && !carries_earlier(chat) ? TURNS_BACK : 0;
}

static void find_carried(struct chat *chat, struct arena *arena)
{
	for (size_t i = chat->read.newest.first;
	     i-- > 0 && chat->decided.earlier_count < RECALL_EARLIER;) {
		if (chat->read.request.steps[i].kind != STEP_USER)
			continue;
		struct slice own = chat_own_text(&chat->read, i, 1, arena);
		if (own.size > 0)
			chat->decided.earlier[chat->decided.earlier_count++] = own;
	}
}

static void find_stored(struct chat *chat)
{
	const struct memory_view *view = chat->view;
	for (size_t i = view->turn_count;
	     i-- > 0 && chat->decided.earlier_count < RECALL_EARLIER;) {
		const struct turn *turn = &view->turns[i];
		if (turn->role == ROLE_USER && turn->conversation == view->conversation &&
		    turn->exchange != view->same_exchange && turn->text.size > 0)
			chat->decided.earlier[chat->decided.earlier_count++] = turn->text;
	}
}

void chat_read_earlier(struct chat *chat, struct arena *arena)
{
	if (chat->read.question.text.size == 0)
		return;
	if (carries_earlier(chat))
		find_carried(chat, arena);
	else if (chat->view->conversation != 0)
		find_stored(chat);
	recall_read_earlier(chat->decided.earlier, chat->decided.earlier_count,
			    &chat->read.question, arena);
}

/* A turn that says enough is its own best embedding. */
struct slice chat_question_text(const struct chat *chat, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX); /* bounded by the limits */
	for (size_t i = chat->read.question.leans ? chat->decided.earlier_count : 0; i-- > 0;) {
		buffer_append(&out, utf8_cut(chat->decided.earlier[i], EARLIER_LIMIT));
		buffer_append_byte(&out, '\n');
	}
	buffer_append(&out, utf8_cut(chat->read.own_text, QUESTION_LIMIT));
	return chat_masked(chat, arena_take(arena, &out), arena);
}
