/* Opens a chat with what the proxy knows: the request's head, the configuration and the models. */
#ifndef RECALLD_PROXY_EXCHANGE_OPEN_H
#define RECALLD_PROXY_EXCHANGE_OPEN_H

#include "core/chat/chat.h"
#include "proxy/exchange/identity.h"
#include "proxy/upstream/model_traits.h"

struct store;

/* `store` has what the user asked for; NULL: nothing. `path` may be NULL. `is_local`: the client is
 * on the loopback interface. */
enum chat_verdict chat_open(struct chat *chat, const struct config *config, struct store *store,
			    const struct dialect *dialect, struct model_traits *model_traits,
			    const struct http_head *head, const struct identity_path *path,
			    struct slice body, bool is_local, struct chat_refusal *refusal,
			    struct arena *arena);

/* Opens a chat for a person who asks what `question` would be given: as for a request with that
 * body and no head. */
enum chat_verdict chat_open_preview(struct chat *chat, const struct config *config,
				    struct store *store, const struct dialect *dialect,
				    struct model_traits *model_traits,
				    const struct identity *identity, struct slice mode,
				    struct slice body, struct chat_refusal *refusal,
				    struct arena *arena);

/* For a request that fetches the reply `id`: whether a user's turn waits for it. */
bool chat_open_fetched(struct chat *chat, const struct config *config,
		       struct model_traits *model_traits, struct store *store,
		       const struct http_head *head, const struct identity_path *path,
		       struct slice id, int64_t now, struct arena *arena);

/* Learns from the upstream's token counts how its model counts. */
void chat_note_tokens(const struct chat *chat, struct model_traits *model_traits,
		      const struct reply *reply, struct arena *arena);

#endif
