/* The mode of a request: configured, requested, or picked by auto. */
#include "core/chat/parts.h"

/* Open WebUI identifies a temporary chat by its socket, so the next such chat has the same id. */
static bool is_temporary(struct slice session)
{
	return slice_starts_with(session, SLICE("temporary:")) ||
	       slice_starts_with(session, SLICE("local:"));
}

static void turn_off(struct chat *chat)
{
	chat->mode = MODE_OFF;
	chat->mode_word = mode_name(MODE_OFF);
}

bool chat_choose_mode(struct chat *chat, struct slice word)
{
	chat->mode = chat->settings.mode;
	chat->inject = chat->settings.inject;
	chat->learn = chat->settings.learn;
	chat->mode_word = mode_name(chat->mode);
	if (chat->settings.mode_header && word.size > 0) {
		enum mode asked;
		if (!mode_read(word, &asked))
			return false;
		chat->explicit_mode = true;
		chat->mode_word = mode_name(asked);
		if (asked == MODE_READONLY)
			chat->learn = false;
		else
			chat->mode = asked;
		/* A request for readonly where the default is off reads what hybrid gives. */
		if (asked == MODE_READONLY && chat->mode == MODE_OFF)
			chat->mode = MODE_HYBRID;
	}
	if (is_temporary(chat->identity.session) || (chat->settings.refuses_memory && !chat->learn))
		turn_off(chat);
	else if (chat->settings.refuses_memory)
		chat->mode_word = mode_name(MODE_OFF); /* it is learned from, and given nothing */
	chat->decided.injects = chat->mode;
	return true;
}

bool chat_wants_vectors(const struct chat *chat)
{
	return chat->settings.embeds && (mode_recalls(chat->mode) || chat->settings.trims);
}

/* The number of this conversation's turns before its newest, as stored or as the client sends
 * them. */
static size_t count_turns(const struct chat *chat)
{
	size_t stored = 2 * (size_t)chat->view->answers;
	size_t sent = 0;
	for (size_t i = 0; i < chat->read.newest.first; i++) {
		const struct step *step = &chat->read.request.steps[i];
		sent += step->kind == STEP_USER || step_is_models(step);
	}
	return stored > sent ? stored : sent;
}

void chat_choose_branch(struct chat *chat)
{
	const struct memory_view *view = chat->view;
	size_t sessions = view->conversations + (view->conversation == 0 ? 1 : 0);
	if (chat->mode != MODE_AUTO)
		return;
	if (sessions >= chat->settings.auto_hybrid_sessions) {
		chat->decided.branch = BRANCH_SESSIONS;
		chat->decided.injects = MODE_HYBRID;
	} else if (count_turns(chat) < chat->settings.auto_buffer_turns) {
		chat->decided.branch = BRANCH_SHORT;
		chat->decided.injects = MODE_BUFFER;
	} else {
		chat->decided.branch = BRANCH_LONG;
		chat->decided.injects = MODE_SUMMARY;
	}
}

/* If auto changes its choice, that applies to new memory: what was given stands. */
bool chat_mode_stands(const struct chat *chat)
{
	enum mode mode = chat->view->frozen.mode;
	bool is_choice = mode == MODE_BUFFER || mode == MODE_SUMMARY || mode == MODE_HYBRID;
	return mode == chat->decided.injects || (chat->mode == MODE_AUTO && is_choice);
}

void chat_prefer_wording(struct chat *chat)
{
	if (chat->mode != MODE_AUTO || !chat->read.question.wants_words)
		return;
	chat->decided.branch = BRANCH_WORDING;
	if (chat->decided.injects == MODE_SUMMARY)
		chat->decided.injects = MODE_BUFFER;
}
