#include "proxy/exchange/chat_lookup.h"

struct chat_lookup {
	struct chat *chat;
	struct chat_sources sources;
	struct arena *arena;
	int64_t now;
	chat_looked_up *callback;
	void *cookie;
	struct question_call *question; /* what is under way */
	struct store_call *call;
	bool is_over;
};

static void end(struct chat_lookup *lookup, enum store_result result)
{
	lookup->is_over = true;
	lookup->callback(lookup->cookie, result);
}

static void on_recalled(void *cookie, enum store_result result, struct recall_result *recalled)
{
	struct chat_lookup *lookup = cookie;
	lookup->call = NULL;
	/* A recall that fails leaves what else is known. */
	chat_inject(lookup->chat, result == STORE_OK ? recalled : NULL, lookup->arena);
	end(lookup, STORE_OK);
}

static void recall(struct chat_lookup *lookup)
{
	struct recall recall;
	chat_recall(lookup->chat, &recall, lookup->arena);
	struct store_call *call =
		store_recall(lookup->sources.store, &recall, lookup->arena, on_recalled, lookup);
	if (!lookup->is_over)
		lookup->call = call;
}

static void on_vector(void *cookie, const int8_t *vector, size_t dimensions)
{
	struct chat_lookup *lookup = cookie;
	struct recall_question *question = &lookup->chat->question;
	lookup->question = NULL;
	if (vector != NULL) {
		struct slice bytes = {(const char *)vector, dimensions};
		question->vector = (const int8_t *)arena_copy(lookup->arena, bytes).data;
		question->dimensions = dimensions;
	}
	recall(lookup);
}

/* The question's vector first, when there is one to be had. */
static void ask(struct chat_lookup *lookup)
{
	const struct chat *chat = lookup->chat;
	struct slice text = chat_question_text(chat, lookup->arena);
	lookup->question = question_vector_start(lookup->sources.vectors, lookup->sources.config,
						 text, chat->key_field, on_vector, lookup);
	if (lookup->question == NULL)
		recall(lookup);
}

static void on_loaded(void *cookie, enum store_result result, struct memory_view *view)
{
	struct chat_lookup *lookup = cookie;
	lookup->call = NULL;
	if (result != STORE_OK) {
		end(lookup, result);
		return;
	}
	if (chat_decide(lookup->chat, view, lookup->now, lookup->arena) == CHAT_RECALL) {
		ask(lookup);
		return;
	}
	chat_inject(lookup->chat, NULL, lookup->arena);
	end(lookup, STORE_OK);
}

struct chat_lookup *chat_lookup_start(struct chat *chat, const struct chat_sources *sources,
				      int64_t now, struct arena *arena, chat_looked_up *callback,
				      void *cookie)
{
	struct chat_lookup *lookup = arena_alloc(arena, sizeof(*lookup));
	struct load load;
	*lookup = (struct chat_lookup){.chat = chat,
				       .sources = *sources,
				       .arena = arena,
				       .now = now,
				       .callback = callback,
				       .cookie = cookie};
	chat_load(chat, now, &load, arena);
	struct store_call *call = store_load(sources->store, &load, arena, on_loaded, lookup);
	if (lookup->is_over)
		return NULL;
	if (call != NULL)
		lookup->call = call;
	return lookup;
}

void chat_lookup_cancel(struct chat_lookup *lookup)
{
	if (lookup == NULL)
		return;
	question_vector_cancel(lookup->question);
	store_cancel(lookup->call);
}
