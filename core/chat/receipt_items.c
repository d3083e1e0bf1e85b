/* Receipts: what a request was given, and why. */
#include "core/base/ids.h"
#include "core/chat/parts.h"
#include "core/facts/receipt_text.h"

#include <string.h>

/* A receipt has two lists of at most this size each, and little else. */
enum { ACCOUNT_LIMIT = 1 << 20 };

/* The fate of an item. */
enum fate {
	FATE_GIVEN,
	FATE_REPLAYED, /* will be given: listed for later receipts */
	FATE_DROPPED,
};

/* The place in quotes; null for a dropped item. */
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

/* Rounds to a thousandth: the score is a rank, not a measurement. */
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

/* Writes an item except its place. */
static void put_description(struct buffer *out, const struct chat *chat,
			    const struct context_item *item)
{
	buffer_append(out, SLICE("{\"kind\":\""));
	buffer_append(out, slice_of(item->kind));
	buffer_append(out, SLICE("\",\"id\":"));
	put_id(out, item->id);
	buffer_append(out, SLICE(",\"text\":"));
	/* A turn that was masked for the request is not what the store has. */
	receipt_put_text(out, item->text,
			 chat->settings.pii.hide == 0 ? item->said : (struct slice){0});
	buffer_append(out, SLICE(",\"score\":"));
	put_score(out, item->score);
	buffer_append(out, SLICE(",\"source\":"));
	if (item->source == 0)
		buffer_append(out, SLICE("null"));
	else
		put_id(out, item->source);
	buffer_append(out, SLICE(",\"tokens\":"));
	buffer_append_number(out,
			     (uint64_t)((double)item->tokens * chat->settings.token_rate + 0.5));
}

static void put_place(struct buffer *out, const struct context_item *item, enum fate fate)
{
	buffer_append(out, SLICE(",\"place\":"));
	buffer_append(out, slice_of(place_of(item, fate)));
	if (fate == FATE_DROPPED)
		buffer_append(out, item->is_unrelated ? SLICE(",\"because\":\"unrelated\"")
						      : SLICE(",\"because\":\"no room\""));
	buffer_append_byte(out, '}');
}

/* Describes the new context's items once, since most are in two lists: this receipt's and the one
 * for later receipts. */
static void describe_items(struct chat *chat, struct arena *arena)
{
	const struct context *context = &chat->injected.context;
	struct buffer out;
	if (chat->injected.descriptions != NULL)
		return;
	chat->injected.descriptions =
		arena_alloc(arena, context->item_count * sizeof(*chat->injected.descriptions));
	buffer_init(&out, SIZE_MAX); /* an item's text is bounded */
	for (size_t i = 0; i < context->item_count; i++) {
		buffer_clear(&out);
		put_description(&out, chat, &context->items[i]);
		chat->injected.descriptions[i] = arena_copy(arena, buffer_slice(&out));
	}
	buffer_finish(&out);
}

/* The members of a JSON array that begins at `begin` in a buffer. */
struct list {
	struct buffer *out;
	size_t begin;
};

static struct list list_begin(struct buffer *out)
{
	return (struct list){out, out->size};
}

static void put_comma(const struct list *list)
{
	if (list->out->size > list->begin)
		buffer_append_byte(list->out, ',');
}

/* Removes what was added after `before` if the list is too long. */
static void keep_to_limit(const struct list *list, size_t before)
{
	if (list->out->size - list->begin > ACCOUNT_LIMIT)
		list->out->size = before;
}

static void list_put_item(const struct list *list, const struct context_item *item,
			  struct slice description, enum fate fate)
{
	size_t before = list->out->size;
	put_comma(list);
	buffer_append(list->out, description);
	put_place(list->out, item, fate);
	keep_to_limit(list, before);
}

static void list_put_members(const struct list *list, struct slice members)
{
	size_t before = list->out->size;
	if (members.size == 0)
		return;
	put_comma(list);
	buffer_append(list->out, members);
	keep_to_limit(list, before);
}

/* Lists the recalled items of the new context, or all others. */
static void list_put_part(const struct list *list, const struct chat *chat, bool recalled,
			  enum fate fate)
{
	for (size_t i = 0; i < chat->injected.context.item_count; i++) {
		const struct context_item *item = &chat->injected.context.items[i];
		if (item->is_recalled == recalled)
			list_put_item(list, item, chat->injected.descriptions[i], fate);
	}
}

/* Roughly how many bytes the new context's items take in a list. */
static size_t size_of_items(const struct chat *chat)
{
	enum { PLACE = 32 };
	size_t size = 0;
	for (size_t i = 0; i < chat->injected.context.item_count; i++)
		size += chat->injected.descriptions[i].size + PLACE;
	return size;
}

struct slice chat_list_kept(struct chat *chat, bool recalled, struct arena *arena)
{
	struct buffer out;
	describe_items(chat, arena);
	buffer_init(&out, SIZE_MAX); /* an item's text and the list are bounded */
	(void)buffer_reserve(&out, size_of_items(chat));
	const struct list list = list_begin(&out);
	list_put_part(&list, chat, recalled, recalled ? FATE_REPLAYED : FATE_GIVEN);
	return arena_take(arena, &out);
}

/* Says of items that the provider keeps them. No text holds an unescaped quote, so that nothing but
 * places is replaced. */
static struct slice kept_items(struct slice items, struct slice place, struct arena *arena)
{
	struct buffer out;
	size_t begin = 0;
	buffer_init(&out, SIZE_MAX); /* a word takes no more than the list had */
	for (;;) {
		const size_t end = slice_find(items, place, begin);
		buffer_append(&out, slice_part(items, begin, end));
		if (end >= items.size)
			return arena_take(arena, &out);
		buffer_append(&out, SLICE(",\"place\":\"kept\"}"));
		begin = end + place.size;
	}
}

static struct slice standing_items(const struct chat *chat, struct arena *arena)
{
	const struct slice items = chat->view->frozen.receipt_items;
	return chat_block_is_kept(chat) ? kept_items(items, SLICE(",\"place\":\"block\"}"), arena)
					: items;
}

static void put_kept(const struct list *list, const struct chat *chat, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	for (size_t i = 0; i < view->replay_count; i++) {
		const struct slice items = view->replays[i].receipt_items;
		if (chat_keeps(chat, &view->replays[i]))
			list_put_members(
				list, kept_items(items, SLICE(",\"place\":\"replayed\"}"), arena));
	}
}

/* Lists everything given: the conversation's, that of earlier turns, and this turn's. */
static void put_given(struct buffer *out, const struct chat *chat, struct arena *arena)
{
	const struct list list = list_begin(out);
	if (chat->decided.stands)
		list_put_members(&list, standing_items(chat, arena));
	else if (chat->injected.receipt_items.size > 0)
		list_put_members(&list, chat->injected.receipt_items);
	else
		list_put_part(&list, chat, false, FATE_GIVEN);
	put_kept(&list, chat, arena);
	for (size_t i = 0; i < chat->decided.replay_count; i++)
		list_put_members(&list, chat->decided.replayed[i].receipt_items);
	list_put_part(&list, chat, true, FATE_GIVEN);
}

static void put_dropped(struct buffer *out, const struct chat *chat)
{
	const struct list list = list_begin(out);
	struct buffer description;
	buffer_init(&description, SIZE_MAX); /* an item's text is bounded */
	for (size_t i = 0; i < chat->injected.context.dropped_count; i++) {
		const struct context_item *item = &chat->injected.context.dropped[i];
		buffer_clear(&description);
		put_description(&description, chat, item);
		list_put_item(&list, item, buffer_slice(&description), FATE_DROPPED);
	}
	buffer_finish(&description);
}

static void put_branch(struct buffer *out, const struct chat *chat)
{
	static const char *const reasons[] = {
		[BRANCH_SHORT] = "a short conversation of a user with no other session",
		[BRANCH_LONG] = "a long conversation of a user with no other session",
		[BRANCH_SESSIONS] = "the user has more than one session",
		[BRANCH_WORDING] = "the request asks for exact wording",
	};
	if (chat->decided.branch == BRANCH_NONE)
		return;
	buffer_printf(out, ",\"branch\":{\"mode\":\"%s\",\"because\":\"%s\"}",
		      mode_name(chat->decided.injects), reasons[chat->decided.branch]);
}

static void put_history(struct buffer *out, const struct chat *chat)
{
	if (chat->status != CHAT_INJECTED || chat->decided.cut.end == chat->decided.cut.first)
		return;
	buffer_printf(out, ",\"history\":{\"messages_removed\":%zu,\"tokens_removed\":%zu}",
		      chat->decided.cut.end - chat->decided.cut.first, chat_tokens_saved(chat));
}

size_t chat_tokens_saved(const struct chat *chat)
{
	if (chat->status != CHAT_INJECTED)
		return 0;
	return (size_t)((double)chat->decided.cut.tokens * chat->settings.token_rate + 0.5);
}

static void put_number(struct buffer *out, const char *name, uint64_t number)
{
	buffer_append(out, slice_of(name));
	buffer_append_number(out, number);
}

/* Writes a word that needs no escapes. */
static void put_word(struct buffer *out, const char *name, const char *word)
{
	buffer_append(out, slice_of(name));
	buffer_append_byte(out, '"');
	buffer_append(out, slice_of(word));
	buffer_append_byte(out, '"');
}

static struct slice receipt_text(struct chat *chat, struct arena *arena)
{
	struct buffer out;
	bool injected = chat->status == CHAT_INJECTED;
	describe_items(chat, arena);
	buffer_init(&out, SIZE_MAX);
	(void)buffer_reserve(&out, size_of_items(chat));
	buffer_append_byte(&out, '{');
	if (chat->injected.receipt != 0)
		buffer_printf(&out, "\"id\":\"%016llx\",",
			      (unsigned long long)chat->injected.receipt);
	buffer_append(&out, SLICE("\"user\":"));
	json_quote(&out, chat->identity.user);
	put_word(&out, ",\"mode\":", chat->mode_word);
	put_branch(&out, chat);
	put_word(&out, ",\"status\":", chat_status_name(chat->status));
	put_number(&out, ",\"tokens\":", chat->injected.tokens);
	put_number(&out, ",\"budget\":", chat->settings.context_tokens);
	buffer_append(&out, SLICE(",\"items\":["));
	if (injected)
		put_given(&out, chat, arena);
	buffer_append(&out, SLICE("],\"dropped\":["));
	put_dropped(&out, chat);
	buffer_append_byte(&out, ']');
	put_history(&out, chat);
	put_number(&out, ",\"ranked\":", chat->injected.ranked);
	put_number(&out, ",\"bytes_in\":", chat->read.body.size);
	put_number(&out, ",\"bytes_out\":",
		   request_spliced_size(chat->read.body, chat->injected.edits,
					chat->injected.edit_count));
	put_number(&out, ",\"elapsed_us\":", chat->injected.elapsed);
	buffer_append_byte(&out, '}');
	return arena_take(arena, &out);
}

/* ---- the ids of what a receipt quotes ---- */

static void add_items(struct id_list *list, const char *kind, const struct context_item *items,
		      size_t count, struct arena *arena)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(items[i].kind, kind) == 0)
			id_list_add(list, arena, items[i].id);
	}
}

/* The replays that are quoted: those of the request and those that the provider keeps. */
static size_t quoted_replays(const struct chat *chat, const struct replay **quoted)
{
	const struct memory_view *view = chat->view;
	size_t count = 0;
	for (size_t i = 0; i < chat->decided.replay_count; i++)
		quoted[count++] = &chat->decided.replayed[i];
	for (size_t i = 0; view != NULL && i < view->replay_count; i++) {
		if (chat_keeps(chat, &view->replays[i]))
			quoted[count++] = &view->replays[i];
	}
	return count;
}

static uint64_t newest_summary(const struct chat *chat, uint64_t covers)
{
	const struct context *context = &chat->injected.context;
	for (size_t i = 0; i < context->item_count + context->dropped_count; i++) {
		const struct context_item *item =
			i < context->item_count ? &context->items[i]
						: &context->dropped[i - context->item_count];
		if (strcmp(item->kind, "summary") == 0 && item->id > covers)
			covers = item->id;
	}
	return covers;
}

struct receipt chat_receipt(struct chat *chat, struct arena *arena)
{
	static const struct frozen none;
	const struct context *context = &chat->injected.context;
	const struct frozen *frozen = chat->decided.stands ? &chat->view->frozen : &none;
	const size_t stored = chat->view == NULL ? 0 : chat->view->replay_count;
	const size_t most = chat->decided.replay_count + stored;
	const struct replay **quoted = arena_alloc(arena, most * sizeof(const struct replay *));
	const size_t quoted_count = quoted_replays(chat, quoted);
	struct id_list turns = {0};
	struct id_list facts = {0};
	add_items(&turns, "turn", context->items, context->item_count, arena);
	add_items(&turns, "summary", context->items, context->item_count, arena);
	add_items(&facts, "fact", context->items, context->item_count, arena);
	id_list_add_all(&turns, arena, frozen->given, frozen->given_count);
	if (frozen->covers != 0)
		id_list_add(&turns, arena, frozen->covers);
	id_list_add_all(&facts, arena, frozen->facts, frozen->fact_count);
	id_list_add_all(&facts, arena, frozen->ended, frozen->ended_count);
	for (size_t i = 0; i < quoted_count; i++) {
		id_list_add_all(&turns, arena, quoted[i]->turns, quoted[i]->turn_count);
		id_list_add_all(&facts, arena, quoted[i]->facts, quoted[i]->fact_count);
	}
	const size_t turns_given = turns.count;
	const size_t facts_given = facts.count;
	add_items(&turns, "turn", context->dropped, context->dropped_count, arena);
	add_items(&turns, "summary", context->dropped, context->dropped_count, arena);
	add_items(&facts, "fact", context->dropped, context->dropped_count, arena);
	return (struct receipt){.id = chat->injected.receipt,
				.text = receipt_text(chat, arena),
				.turns = turns.ids,
				.turn_count = turns.count,
				.turns_left_out = turns.count - turns_given,
				.facts = facts.ids,
				.fact_count = facts.count,
				.facts_left_out = facts.count - facts_given,
				.covers = newest_summary(chat, frozen->covers),
				.user_limit = chat->settings.user_limit};
}
