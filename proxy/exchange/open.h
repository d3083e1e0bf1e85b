/* Opens a chat with what the proxy knows, and takes it through memory: asks the store, finds what
 * bears on the question, and works out the request's edits. Serves exchanges and previews, on the
 * loop of the caller. */
#ifndef RECALLD_PROXY_EXCHANGE_OPEN_H
#define RECALLD_PROXY_EXCHANGE_OPEN_H

#include "core/chat/chat.h"
#include "proxy/exchange/identity.h"
#include "proxy/exchange/question_vector.h"
#include "proxy/http/server.h"
#include "proxy/upstream/model_traits.h"

struct store;

/* The sources for opening a chat and looking up its memory. */
struct chat_sources {
	struct store *store;              /* NULL: nobody asked for anything */
	struct question_vectors *vectors; /* the loop's */
	struct config *config;            /* the chat's */
	struct model_traits *model_traits;
	struct slice key_field; /* the client's own API key, "NAME: VALUE"; empty: none */
};

/* Opens a client's chat; everything that it makes lives in the arena. `path` may be NULL. */
enum chat_verdict chat_open(struct chat *chat, const struct chat_sources *sources,
			    const struct dialect *dialect, struct http_request *request,
			    const struct identity_path *path, struct arena *arena);

/* Opens a chat for the preview of a question, like a request with this body and no head. */
enum chat_verdict chat_open_preview(struct chat *chat, const struct chat_sources *sources,
				    const struct dialect *dialect, struct chat_asked asked,
				    struct slice body, struct arena *arena);

/* For a request that fetches the reply `id`: whether a user's turn waits for it. */
bool chat_open_fetched(struct chat *chat, const struct chat_sources *sources,
		       const struct http_head *head, const struct identity_path *path,
		       struct slice id, int64_t now, struct arena *arena);

struct chat_lookup;
typedef void chat_looked_up(void *cookie);

/* NULL: the lookup is over, and `callback` is never called; if `*result` is not STORE_OK, the store
 * failed, and the chat is as chat_open() left it. Otherwise the lookup waits for the question's
 * vector and succeeds: `callback` fires on a later turn of the loop, unless chat_lookup_cancel()
 * comes first. Everything lives in the arena, which must outlive the lookup, as must the chat. */
struct chat_lookup *chat_lookup_start(struct chat *chat, const struct chat_sources *sources,
				      int64_t now, enum store_result *result, struct arena *arena,
				      chat_looked_up *callback, void *cookie);
void chat_lookup_cancel(struct chat_lookup *lookup); /* NULL is fine */

/* Learns from the upstream's token counts how its model counts. */
void chat_note_tokens(const struct chat *chat, struct model_traits *model_traits,
		      const struct reply *reply, struct arena *arena);

#endif
