/* Imports a history that a client brings along and memory does not hold: with history = trim it is
 * remembered, so that later requests can leave it out. */
#include "core/chat/parts.h"
#include "core/text/text.h"

/* Limits for one append. */
enum { MOST_TURNS = 2000, MOST_TEXT = 4 << 20 };

struct history_import {
	const struct chat *chat;
	struct arena *arena;
	struct imported_turn *turns;
	size_t count;
	size_t text;
	int64_t at; /* of the newest turn, which precedes the request */
};

static void add(struct history_import *import, enum role role, struct slice text)
{
	import->turns[import->count++] = (struct imported_turn){
		.role = role,
		.text = chat_masked(import->chat, text, import->arena),
		.hash = text_hash(text),
		.created_at = import->at,
		.utc_offset = import->chat->settings.utc_offset,
	};
	import->text += text.size;
}

static size_t run_length(const struct request *request, size_t index, size_t end)
{
	size_t count = 0;
	while (index + count < end && request->steps[index + count].kind == STEP_USER)
		count++;
	return count;
}

/* Each user turn needs its answer, and each answer its user turn and its words: otherwise the
 * places of exchanges would be uncertain. */
static bool read_history(struct history_import *import)
{
	const struct chat *chat = import->chat;
	const struct request *request = &chat->read.request;
	for (size_t i = 0; i < chat->read.newest.first;) {
		const struct step *step = &request->steps[i];
		size_t run = run_length(request, i, chat->read.newest.first);
		bool waits = import->count % 2 == 1;
		bool answers = step->kind == STEP_ANSWER;
		if (import->count == MOST_TURNS || import->text > MOST_TEXT || (run > 0 && waits) ||
		    (answers && !waits) || step_is_named(step))
			return false;
		if (run > 0)
			add(import, ROLE_USER, chat_own_text(&chat->read, i, run, import->arena));
		else if (answers)
			add(import, ROLE_ASSISTANT,
			    text_without_reasoning(step_text(request, step, import->arena),
						   import->arena));
		i += run > 0 ? run : 1;
	}
	return import->count % 2 == 0;
}

const struct imported_turn *chat_import_history(const struct chat *chat, int64_t started_at,
						size_t *count, struct arena *arena)
{
	struct history_import import = {.chat = chat, .arena = arena, .at = started_at - 1};
	*count = 0;
	if (!chat->settings.trims || chat_chains(chat) || chat->view->conversation != 0 ||
	    chat->read.fingerprint_count == 0)
		return NULL;
	import.turns = arena_alloc(arena, MOST_TURNS * sizeof(*import.turns));
	if (read_history(&import))
		*count = import.count;
	return import.turns;
}
