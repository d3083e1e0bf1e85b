#include "proxy/exchange/open.h"

struct chat_lookup {
	struct chat *chat;
	struct store *store;
	struct arena *arena;
	chat_looked_up *callback;
	void *cookie;
	struct question_call *question; /* under way */
};

/* A failed recall leaves the other results. */
static void recall(struct chat *chat, struct store *store, struct arena *arena)
{
	struct recall recall;
	struct recall_result recalled;
	chat_recall(chat, &recall, arena);
	enum store_result result = store_recall(store, &recall, &recalled, arena);
	chat_inject(chat, result == STORE_OK ? &recalled : NULL, arena);
}

static void on_vector(void *cookie, const int8_t *vector, size_t dimensions)
{
	struct chat_lookup *lookup = cookie;
	struct recall_question *question = &lookup->chat->read.question;
	lookup->question = NULL;
	if (vector != NULL) {
		struct slice bytes = {(const char *)vector, dimensions};
		question->vector = (const int8_t *)arena_copy(lookup->arena, bytes).data;
		question->dimensions = dimensions;
	}
	recall(lookup->chat, lookup->store, lookup->arena);
	lookup->callback(lookup->cookie);
}

struct chat_lookup *chat_lookup_start(struct chat *chat, const struct chat_sources *sources,
				      int64_t now, enum store_result *result, struct arena *arena,
				      chat_looked_up *callback, void *cookie)
{
	struct load load;
	struct memory_view *view = arena_alloc(arena, sizeof(*view));
	chat_load(chat, now, &load, arena);
	*result = store_load(sources->store, &load, view, arena);
	if (*result != STORE_OK)
		return NULL;
	if (chat_decide(chat, view, now, arena) != CHAT_RECALL) {
		chat_inject(chat, NULL, arena);
		return NULL;
	}
	struct chat_lookup *lookup = arena_alloc(arena, sizeof(*lookup));
	*lookup = (struct chat_lookup){chat, sources->store, arena, callback, cookie, NULL};
	lookup->question = question_vector_start(sources->vectors, sources->config,
						 chat_question_text(chat, arena),
						 sources->key_field, on_vector, lookup);
	if (lookup->question != NULL)
		return lookup;
	recall(chat, sources->store, arena);
	return NULL;
}

void chat_lookup_cancel(struct chat_lookup *lookup)
{
	if (lookup != NULL)
		question_vector_cancel(lookup->question);
}
