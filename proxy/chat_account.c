/* Receipts: what a request was given and why. */
#include "proxy/chat_parts.h"

#include <string.h>

enum { ACCOUNT_LIMIT = 1 << 20, RECEIPT_LIMIT = 2 << 20 };

static const char *place_of(const struct context_item *item, bool replayed)
{
	if (item->is_recalled)
		return replayed ? "\"replayed\"" : "\"recalled\"";
	return item->is_turn ? "\"turns\"" : "\"block\"";
}

/* `place` in quotes, or null for what went nowhere. */
static void put_item(struct buffer *out, const struct chat *chat, const struct context_item *item,
		     const char *place)
{
	buffer_printf(out,
		      "%s{\"kind\":\"%s\",\"id\":\"%llu\",\"text\":", out->size == 0 ? "" : ",",
		      item->kind, (unsigned long long)item->id);
	json_quote(out, item->text);
	if (item->score > 0)
		buffer_printf(out, ",\"score\":%.4g", item->score);
	else
		buffer_append(out, SLICE(",\"score\":null"));
	if (item->source == 0)
		buffer_append(out, SLICE(",\"source\":null"));
	else
		buffer_printf(out, ",\"source\":\"%llu\"", (unsigned long long)item->source);
	buffer_printf(out, ",\"tokens\":%zu,\"place\":%s}",
		      (size_t)((double)item->tokens * chat->token_rate + 0.5), place);
}

static struct slice take(struct buffer *out, struct arena *arena)
{
	struct slice text = arena_copy(arena, buffer_slice(out));
	bool whole = !out->overflowed;
	buffer_finish(out);
	return whole ? text : (struct slice){0};
}

struct slice chat_list_items(const struct chat *chat, struct arena *arena)
{
	const struct context *context = &chat->context;
	struct buffer out;
	buffer_init(&out, ACCOUNT_LIMIT);
	for (size_t i = 0; i < context->item_count; i++)
		put_item(&out, chat, &context->items[i], place_of(&context->items[i], false));
	return take(&out, arena);
}

struct slice chat_list_dropped(const struct chat *chat, struct arena *arena)
{
	const struct context *context = &chat->context;
	struct buffer out;
	buffer_init(&out, ACCOUNT_LIMIT);
	for (size_t i = 0; i < context->dropped_count; i++)
		put_item(&out, chat, &context->dropped[i], "null");
	return take(&out, arena);
}

struct slice chat_list_kept(const struct chat *chat, bool recalled, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, ACCOUNT_LIMIT);
	for (size_t i = 0; i < chat->context.item_count; i++) {
		if (chat->context.items[i].is_recalled == recalled)
			put_item(&out, chat, &chat->context.items[i],
				 place_of(&chat->context.items[i], recalled));
	}
	return take(&out, arena);
}

struct slice chat_join_lists(const struct slice *lists, size_t count, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, ACCOUNT_LIMIT);
	for (size_t i = 0; i < count; i++) {
		if (lists[i].size > 0 && out.size > 0)
			buffer_append_byte(&out, ',');
		buffer_append(&out, lists[i]);
	}
	return take(&out, arena);
}

static void put_branch(struct buffer *out, const struct chat *chat)
{
	static const char *const reasons[] = {
		[BRANCH_SHORT] = "a short conversation of a user with no other session",
		[BRANCH_LONG] = "a long conversation of a user with no other session",
		[BRANCH_SESSIONS] = "the user has more than one session",
		[BRANCH_WORDING] = "the request asks for exact wording",
	};
	if (chat->branch == BRANCH_NONE)
		return;
	buffer_printf(out, ",\"branch\":{\"mode\":\"%s\",\"because\":\"%s\"}",
		      mode_name(chat->injects), reasons[chat->branch]);
}

static void put_history(struct buffer *out, const struct chat *chat)
{
	if (chat->status != CHAT_INJECTED || chat->cut.end == chat->cut.first)
		return;
	buffer_printf(out, ",\"history\":{\"messages_removed\":%zu,\"tokens_removed\":%zu}",
		      chat->cut.end - chat->cut.first, chat_tokens_saved(chat));
}

size_t chat_tokens_saved(const struct chat *chat)
{
	if (chat->status != CHAT_INJECTED)
		return 0;
	return (size_t)((double)chat->cut.tokens * chat->token_rate + 0.5);
}

struct slice chat_receipt(const struct chat *chat, struct arena *arena)
{
	struct buffer out;
	bool injected = chat->status == CHAT_INJECTED;
	buffer_init(&out, RECEIPT_LIMIT);
	buffer_append_byte(&out, '{');
	if (chat->receipt != 0)
		buffer_printf(&out, "\"id\":\"%016llx\",", (unsigned long long)chat->receipt);
	buffer_append(&out, SLICE("\"user\":"));
	json_quote(&out, chat->identity.user);
	buffer_printf(&out, ",\"mode\":\"%s\"", chat->mode_word);
	put_branch(&out, chat);
	buffer_printf(&out, ",\"status\":\"%s\",\"tokens\":%zu,\"budget\":%llu",
		      chat_status_name(chat->status), chat->tokens,
		      (unsigned long long)chat->settings.context_tokens);
	buffer_append(&out, SLICE(",\"items\":["));
	if (injected)
		buffer_append(&out, chat->items);
	buffer_append(&out, SLICE("],\"dropped\":["));
	buffer_append(&out, chat->dropped);
	buffer_append_byte(&out, ']');
	put_history(&out, chat);
	buffer_printf(&out,
		      ",\"ranked\":%zu,\"bytes_in\":%zu,\"bytes_out\":%zu,\"elapsed_us\":%llu}",
		      chat->ranked, chat->body.size,
		      request_spliced_size(chat->body, chat->edits, chat->edit_count),
		      (unsigned long long)chat->elapsed);
	return take(&out, arena);
}
