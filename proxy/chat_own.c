/* The user's own words in a request. A message's are read, cut to what is kept of a turn, and
 * hashed once; all that is compared, stored or looked up is made of those. */
#include "core/client_forms.h"
#include "core/text.h"
#include "core/utf8.h"
#include "proxy/chat_parts.h"

struct own_words {
	struct slice text;
	uint64_t hash;
	bool read;
};

/* Without documents and what a framework says in the user's place. */
static struct slice read_own(const struct chat *chat, size_t index, struct arena *arena)
{
	const struct message *message = &chat->request.messages[index];
	struct message_parts parts = request_text_parts(&chat->request, message, arena);
	struct slice text = parts.joined;
	bool answers = index > 0 && chat->request.messages[index - 1].role == ROLE_ASSISTANT;
	bool is_framework =
		answers && (form_is_retry(text) ||
			    (form_is_observation(text) &&
			     form_asks_for_tool(chat_message_text(chat, index - 1, arena), text)));
	return is_framework ? (struct slice){0}
			    : slice_trim(form_own_parts(parts.texts, parts.count, arena));
}

static const struct own_words *own_words(const struct chat *chat, size_t index, struct arena *arena)
{
	struct own_words *own = &chat->own_words[index];
	if (own->read)
		return own;
	struct slice text = utf8_cut(read_own(chat, index, arena), TURN_TEXT_LIMIT);
	*own = (struct own_words){text, text_hash(text), true};
	return own;
}

void chat_own_begin(struct chat *chat, struct arena *arena)
{
	size_t count = chat->request.message_count;
	chat->own_words = arena_alloc(arena, count * sizeof(*chat->own_words));
	for (size_t i = 0; i < count; i++)
		chat->own_words[i] = (struct own_words){0};
}

uint64_t chat_own_hash(const struct chat *chat, size_t index, struct arena *arena)
{
	return own_words(chat, index, arena)->hash;
}

struct slice chat_own_text(const struct chat *chat, size_t first, size_t count, struct arena *arena)
{
	if (count == 1)
		return own_words(chat, first, arena)->text;
	struct buffer joined;
	buffer_init(&joined, 2 * TURN_TEXT_LIMIT + 2);
	for (size_t i = first; i < first + count && joined.size < TURN_TEXT_LIMIT; i++) {
		struct slice own = own_words(chat, i, arena)->text;
		if (own.size > 0 && joined.size > 0)
			buffer_append(&joined, SLICE("\n\n"));
		buffer_append(&joined, own);
	}
	struct slice text = arena_copy(arena, utf8_cut(buffer_slice(&joined), TURN_TEXT_LIMIT));
	buffer_finish(&joined);
	return text;
}
