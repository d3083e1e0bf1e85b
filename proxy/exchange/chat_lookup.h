/* Takes a chat through memory: asks the store what it knows, finds what bears on the question, and
 * works out the request's edits. Serves exchanges and previews, on the loop of the caller. */
#ifndef RECALLD_PROXY_EXCHANGE_CHAT_LOOKUP_H
#define RECALLD_PROXY_EXCHANGE_CHAT_LOOKUP_H

#include "core/chat/chat.h"
#include "proxy/exchange/question_vector.h"

struct chat_lookup;

/* The sources that a lookup asks. */
struct chat_sources {
	struct store *store;
	struct question_vectors *vectors; /* the loop's */
	struct config *config;            /* the chat's */
	struct slice key_field;           /* the client's own API key, "NAME: VALUE"; empty: none */
};

typedef void chat_looked_up(void *cookie);

/* NULL: the lookup is over, and `callback` is never called; if `*result` is not STORE_OK, the store
 * failed, and the chat is as chat_open() left it. Otherwise the lookup waits for the question's
 * vector and succeeds: `callback` fires on a later turn of the loop, unless chat_lookup_cancel()
 * comes first. Everything lives in the arena, which must outlive the lookup, as must the chat. */
struct chat_lookup *chat_lookup_start(struct chat *chat, const struct chat_sources *sources,
				      int64_t now, enum store_result *result, struct arena *arena,
				      chat_looked_up *callback, void *cookie);
void chat_lookup_cancel(struct chat_lookup *lookup); /* NULL is fine */

#endif
