/* What an exchange leaves behind: its turns for the journal, and its receipt. */
#include "core/secrets.h"
#include "core/text.h"
#include "proxy/chat.h"

#include <string.h>

enum { RECEIPT_LIMIT = 2 << 20 };

bool chat_learns_from(const struct chat *chat, int status)
{
	return chat->view != NULL && chat->learn && chat->status != CHAT_SIDE && status >= 200 &&
	       status < 300 && chat->newest.count > 0;
}

static void freeze(const struct chat *chat, struct frozen *frozen, struct arena *arena)
{
	const struct context *context = &chat->context;
	uint64_t *facts = arena_alloc(arena, context->item_count * sizeof(*facts));
	size_t count = 0;
	for (size_t i = 0; i < context->item_count; i++) {
		if (strcmp(context->items[i].kind, "fact") == 0)
			facts[count++] = context->items[i].id;
	}
	*frozen = (struct frozen){
		.mode = chat->mode,
		.tokens = context->tokens,
		.block = context->block,
		.turns = context->turns,
		.account = chat->account,
		.facts = facts,
		.fact_count = count,
	};
}

static struct slice masked(const struct chat *chat, struct slice text, struct arena *arena)
{
	return chat->settings.secrets_redact ? secrets_mask(text, arena, NULL) : text;
}

bool chat_append(struct chat *chat, const struct reply *reply, bool broke_off, int64_t started_at,
		 int64_t now, struct append *append, struct frozen *frozen, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	bool called_tools = reply->has_tool_calls && !broke_off;
	if (reply->failed || reply->unreadable)
		broke_off = true;
	if (broke_off && reply->text.size == 0)
		return false;
	struct slice answer = text_without_reasoning(reply->text, arena);
	bool keeps_answer = !chat->request.has_response_format;
	*append = (struct append){
		.tenant = chat->identity.tenant,
		.user = chat->identity.user,
		.session = chat->identity.session,
		.ticket = view->ticket,
		.started_at = started_at,
		.now = now,
		.conversation = view->conversation,
		.ordinal = view->next_ordinal,
		.journal = !called_tools,
		.user_text = masked(chat, chat->own_text, arena),
		.user_hash = chat->own_hash,
		.answer_text = keeps_answer ? masked(chat, answer, arena) : (struct slice){0},
		.answer_hash = called_tools ? reply->tool_calls_hash : text_hash(answer),
		.complete = !broke_off,
		.same_exchange = view->same_exchange,
		.learn = chat->own_text.size > 0,
		.model = chat->request.model,
		.explicit_mode = chat->explicit_mode,
		.mode = chat->mode,
	};
	if (chat->is_fresh) {
		freeze(chat, frozen, arena);
		append->frozen = frozen;
	}
	return true;
}

struct slice chat_receipt(const struct chat *chat, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, RECEIPT_LIMIT);
	buffer_printf(&out, "{\"id\":\"%016llx\",\"user\":", (unsigned long long)chat->receipt);
	json_quote(&out, chat->identity.user);
	buffer_printf(&out, ",\"mode\":\"%s\",\"status\":\"%s\",\"tokens\":%zu,\"budget\":%llu",
		      chat->mode_word, chat_status_name(chat->status), chat->tokens,
		      (unsigned long long)chat->settings.context_tokens);
	struct slice nothing = SLICE("\"items\":[],\"dropped\":[]");
	buffer_append_byte(&out, ',');
	buffer_append(&out, chat->status == CHAT_INJECTED ? chat->account : nothing);
	buffer_printf(&out, ",\"bytes_in\":%zu,\"bytes_out\":%zu,\"elapsed_us\":%llu}",
		      chat->body.size,
		      request_spliced_size(chat->body, chat->edits, chat->edit_count),
		      (unsigned long long)chat->elapsed);
	struct slice text = arena_copy(arena, buffer_slice(&out));
	bool whole = !out.overflowed;
	buffer_finish(&out);
	return whole ? text : (struct slice){0};
}
