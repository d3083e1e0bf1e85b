/* The way of a chat through memory: the store is asked what it knows, what bears on the question is
 * found, and the request's edits are worked out. For an exchange, and for a person's preview. On
 * the loop of whoever starts it. */
#ifndef RECALLD_PROXY_EXCHANGE_CHAT_LOOKUP_H
#define RECALLD_PROXY_EXCHANGE_CHAT_LOOKUP_H

#include "proxy/chat/chat.h"
#include "proxy/exchange/question_vector.h"

struct chat_lookup;

/* Whom it asks. */
struct chat_sources {
	struct store *store;
	struct question_vectors *vectors; /* of the loop */
	struct config *config;            /* the chat's */
};

/* `result` other than STORE_OK: the store failed, and the chat is as chat_open() left it. */
typedef void chat_looked_up(void *cookie, enum store_result result);

/* Everything lives in the arena, which outlives the lookup, as does the chat. NULL: `callback` has
 * been called already. Else it will be, or chat_lookup_cancel(). */
struct chat_lookup *chat_lookup_start(struct chat *chat, const struct chat_sources *sources,
				      int64_t now, struct arena *arena, chat_looked_up *callback,
				      void *cookie);
void chat_lookup_cancel(struct chat_lookup *lookup); /* NULL is fine */

#endif
