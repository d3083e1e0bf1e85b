/* Receipts: what a request was given and why. */
#include "proxy/chat_parts.h"

#include <string.h>

/* A receipt has two lists, and a page for all else. */
enum { ACCOUNT_LIMIT = 1 << 20, RECEIPT_LIMIT = 2 * ACCOUNT_LIMIT + 8192 };

/* What became of an item. */
enum fate {
	FATE_GIVEN,
	FATE_REPLAYED, /* will become of it: it is listed for later receipts */
	FATE_DROPPED,
};

/* In quotes; what was dropped stands nowhere. */
static const char *place_of(const struct context_item *item, enum fate fate)
{
	if (fate == FATE_DROPPED)
		return "null";
	if (item->is_recalled)
		return fate == FATE_REPLAYED ? "\"replayed\"" : "\"recalled\"";
	return item->is_turn ? "\"turns\"" : "\"block\"";
}

static void put_id(struct buffer *out, uint64_t id)
{
	buffer_append_byte(out, '"');
	buffer_append_number(out, id);
	buffer_append_byte(out, '"');
}

/* To a thousandth: a rank, not a measurement. */
static void put_score(struct buffer *out, double score)
{
	if (score < 0.0005 || score > 1e9) {
		buffer_append(out, SLICE("null"));
		return;
	}
	uint64_t thousandths = (uint64_t)(score * 1000 + 0.5);
	char decimals[] = {'.', (char)('0' + thousandths / 100 % 10),
			   (char)('0' + thousandths / 10 % 10), (char)('0' + thousandths % 10)};
	buffer_append_number(out, thousandths / 1000);
	buffer_append(out, (struct slice){decimals, sizeof(decimals)});
}

static void put_item(struct buffer *out, const struct chat *chat, const struct context_item *item,
		     enum fate fate)
{
	buffer_append(out, SLICE("{\"kind\":\""));
	buffer_append(out, slice_of(item->kind));
	buffer_append(out, SLICE("\",\"id\":"));
	put_id(out, item->id);
	buffer_append(out, SLICE(",\"text\":"));
	json_quote(out, item->text);
	buffer_append(out, SLICE(",\"score\":"));
	put_score(out, item->score);
	buffer_append(out, SLICE(",\"source\":"));
	if (item->source == 0)
		buffer_append(out, SLICE("null"));
	else
		put_id(out, item->source);
	buffer_append(out, SLICE(",\"tokens\":"));
	buffer_append_number(out, (uint64_t)((double)item->tokens * chat->token_rate + 0.5));
	buffer_append(out, SLICE(",\"place\":"));
	buffer_append(out, slice_of(place_of(item, fate)));
	buffer_append_byte(out, '}');
}

static struct slice take(struct buffer *out, struct arena *arena)
{
	struct slice text = arena_copy(arena, buffer_slice(out));
	buffer_finish(out);
	return text;
}

/* Appends to a JSON array what still fits. */
static void put_members(struct buffer *out, struct slice members)
{
	if (members.size == 0 || out->limit - out->size < members.size + 1)
		return;
	if (out->size > 0)
		buffer_append_byte(out, ',');
	buffer_append(out, members);
}

static struct slice list_items(const struct chat *chat, const struct context_item *items,
			       size_t count, enum fate fate, struct arena *arena)
{
	struct buffer out;
	struct buffer one;
	buffer_init(&out, ACCOUNT_LIMIT);
	buffer_init(&one, SIZE_MAX); /* a turn's text has its bound */
	for (size_t i = 0; i < count; i++) {
		buffer_clear(&one);
		put_item(&one, chat, &items[i], fate);
		put_members(&out, buffer_slice(&one));
	}
	buffer_finish(&one);
	return take(&out, arena);
}

struct slice chat_list_kept(const struct chat *chat, bool recalled, struct arena *arena)
{
	struct buffer out;
	struct buffer one;
	buffer_init(&out, ACCOUNT_LIMIT);
	buffer_init(&one, SIZE_MAX);
	for (size_t i = 0; i < chat->context.item_count; i++) {
		if (chat->context.items[i].is_recalled != recalled)
			continue;
		buffer_clear(&one);
		put_item(&one, chat, &chat->context.items[i],
			 recalled ? FATE_REPLAYED : FATE_GIVEN);
		put_members(&out, buffer_slice(&one));
	}
	buffer_finish(&one);
	return take(&out, arena);
}

static struct slice join_lists(const struct slice *lists, size_t count, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, ACCOUNT_LIMIT);
	for (size_t i = 0; i < count; i++)
		put_members(&out, lists[i]);
	return take(&out, arena);
}

/* Of all that is given: the conversation's, what earlier turns were given, and this turn's. */
static struct slice list_given(const struct chat *chat, struct arena *arena)
{
	const struct context *context = &chat->context;
	size_t count = 0;
	struct slice *lists = arena_alloc(arena, (chat->rider_count + 2) * sizeof(*lists));
	if (chat->stands)
		lists[count++] = chat->view->frozen.account;
	for (size_t i = 0; i < chat->rider_count; i++)
		lists[count++] = chat->replayed[i].account;
	lists[count++] = list_items(chat, context->items, context->item_count, FATE_GIVEN, arena);
	return join_lists(lists, count, arena);
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

static void put_number(struct buffer *out, const char *name, uint64_t number)
{
	buffer_append(out, slice_of(name));
	buffer_append_number(out, number);
}

/* One that needs no escapes. */
static void put_word(struct buffer *out, const char *name, const char *word)
{
	buffer_append(out, slice_of(name));
	buffer_append_byte(out, '"');
	buffer_append(out, slice_of(word));
	buffer_append_byte(out, '"');
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
	put_word(&out, ",\"mode\":", chat->mode_word);
	put_branch(&out, chat);
	put_word(&out, ",\"status\":", chat_status_name(chat->status));
	put_number(&out, ",\"tokens\":", chat->tokens);
	put_number(&out, ",\"budget\":", chat->settings.context_tokens);
	buffer_append(&out, SLICE(",\"items\":["));
	if (injected)
		buffer_append(&out, list_given(chat, arena));
	buffer_append(&out, SLICE("],\"dropped\":["));
	buffer_append(&out, list_items(chat, chat->context.dropped, chat->context.dropped_count,
				       FATE_DROPPED, arena));
	buffer_append_byte(&out, ']');
	put_history(&out, chat);
	put_number(&out, ",\"ranked\":", chat->ranked);
	put_number(&out, ",\"bytes_in\":", chat->body.size);
	put_number(&out, ",\"bytes_out\":",
		   request_spliced_size(chat->body, chat->edits, chat->edit_count));
	put_number(&out, ",\"elapsed_us\":", chat->elapsed);
	buffer_append_byte(&out, '}');
	return take(&out, arena);
}
