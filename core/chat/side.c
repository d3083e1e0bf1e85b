/* Recognizes by their shape requests that are not a turn of the user. */
#include "core/chat/parts.h"
#include "core/clients/forms.h"

static bool is_system(const struct step *step)
{
	return step->kind == STEP_SYSTEM;
}

/* The only message that is not a system message, if it is a user message; otherwise the count. */
static size_t only_user_message(const struct chat_read *in)
{
	const struct request *request = &in->request;
	size_t only = request->step_count;
	for (size_t i = 0; i < request->step_count; i++) {
		if (is_system(&request->steps[i]))
			continue;
		if (only < request->step_count || request->steps[i].kind != STEP_USER)
			return request->step_count;
		only = i;
	}
	return only;
}

/* The first text of the first user message. */
static struct slice first_user_text(const struct chat_read *in, struct arena *arena)
{
	const struct request *request = &in->request;
	size_t i = 0;
	while (i < request->step_count && request->steps[i].kind != STEP_USER)
		i++;
	if (i == request->step_count)
		return (struct slice){0};
	const struct step *step = &request->steps[i];
	if (step_text_size(request, step) > CHAT_MOST_READ)
		return chat_ends_text(in, i, arena);
	struct text_parts parts = step_text_parts(request, step, arena);
	return parts.count > 0 ? parts.texts[0].text : (struct slice){0};
}

void chat_pass_over_no_answers(struct chat_read *in, struct arena *arena)
{
	enum { MOST = 64 }; /* bytes: no longer answer was made up by a program */
	struct request *request = &in->request;
	for (size_t i = 0; i < request->step_count; i++) {
		struct step *step = &request->steps[i];
		if (step->kind == STEP_ANSWER && step->text_count == 1 &&
		    step_text_size(request, step) <= MOST &&
		    form_is_no_answer(step_text(request, step, arena)))
			step->kind = STEP_OTHER;
	}
}

bool chat_has_side_shape(struct chat_read *in, struct arena *arena)
{
	const struct request *request = &in->request;
	bool has_system = request->step_count > 0 && is_system(&request->steps[0]);
	struct slice system = has_system ? chat_ends_text(in, 0, arena) : (struct slice){0};
	size_t index = only_user_message(in);
	in->is_alone = index < request->step_count;
	struct slice only = in->is_alone ? chat_ends_text(in, index, arena) : (struct slice){0};
	return request->is_side || (in->is_alone && form_is_side_request(only)) ||
	       form_leads_side_request(system, first_user_text(in, arena), only);
}

/* Puts in again what stands, since the prefix is the chat's; recalls and learns nothing. */
void chat_spare_compaction(struct chat *chat, struct arena *arena)
{
	if (chat->read.newest.count == 0)
		return;
	size_t last = chat->read.newest.first + chat->read.newest.count - 1;
	if (!chat->read.request.is_replay_only &&
	    !form_is_compaction(chat_ends_text(&chat->read, last, arena)))
		return;
	chat->read.newest.is_last = false;
	chat->learn = false;
}
