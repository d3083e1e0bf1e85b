/* Opens a chat with what the proxy knows: the request's head, the configuration and the models. */
#ifndef RECALLD_PROXY_CHAT_OPEN_H
#define RECALLD_PROXY_CHAT_OPEN_H

#include "core/chat/chat.h"
#include "proxy/access/identity.h"
#include "proxy/upstream/model_traits.h"

/* `path` may be NULL. `is_local`: the client is on the loopback interface. */
enum chat_verdict chat_open(struct chat *chat, const struct config *config,
			    const struct dialect *dialect, struct model_traits *model_traits,
			    const struct http_head *head, const struct identity_path *path,
			    struct slice body, bool is_local, struct chat_refusal *refusal,
			    struct arena *arena);

/* For a person who asks what `question` would be given: as a request of that body, without its
 * head. */
enum chat_verdict chat_open_preview(struct chat *chat, const struct config *config,
				    const struct dialect *dialect,
				    struct model_traits *model_traits,
				    const struct identity *identity, struct slice mode,
				    struct slice body, struct chat_refusal *refusal,
				    struct arena *arena);

/* What the upstream counted teaches how its model counts. */
void chat_note_tokens(const struct chat *chat, struct model_traits *model_traits,
		      const struct reply *reply, struct arena *arena);

#endif
