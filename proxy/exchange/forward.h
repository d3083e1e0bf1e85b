/* What of a request goes upstream, and what of a reply comes back: addresses and header fields. */
#ifndef RECALLD_PROXY_EXCHANGE_FORWARD_H
#define RECALLD_PROXY_EXCHANGE_FORWARD_H

#include "core/dialect/dialect.h"
#include "proxy/config/config.h"
#include "proxy/http/parser.h"

/* The dialect of the request, in which memory takes part; NULL: it has none. */
const struct dialect *forward_dialect(struct slice method, struct slice target);
/* Whether it asks a model in another way, which has no memory here. */
bool forward_is_without_memory(struct slice method, struct slice target);

/* Whether a client that asks for another protocol goes on with HTTP when it is told so by 426:
 * Codex, which asks for GET /v1/responses or /responses (behind /u/USER or not) by WebSocket, and
 * tries that for seconds where it is told anything else. */
bool forward_goes_on_with_http(const struct http_head *head);

/* The absolute URL of a target (origin-form, a /u/USER prefix taken off already): /v1/x and the
 * bare /chat/completions, /responses, /models, /embeddings below BASE_URL, anything else at its
 * origin. */
const char *forward_url(const struct config *config, struct slice target, struct arena *arena);

/* The base URL that this is below, and the configured key for that server; empty: the client's own.
 * Anthropic's API (/v1/messages and below, /v1/complete) may have a server of its own. */
const char *forward_base_url(const struct config *config, struct slice target);
const char *forward_api_key(const struct config *config, struct slice target);
/* Whether the client's key for that server may be shown to the memory model: not where that is
 * another server than the one of Anthropic's API that the key is for. */
bool forward_may_offer_key(const struct config *config, struct slice target);

/* Whether that base URL has no path: nearly always it has, and was meant to. */
bool forward_base_is_bare(const struct config *config, struct slice target);

/* The fields that go upstream: the client's, without hop-by-hop ones, Host, Content-Length, Expect
 * and those of identity_owns_header(). A configured API key goes up in place of every key that the
 * client sent. A request with memory, which has a dialect, asks for identity coding. */
size_t forward_request_fields(const struct config *config, const struct http_head *head,
			      struct slice target, const struct dialect *dialect,
			      const struct http_field **fields, struct arena *arena);

/* The fields that go back: the upstream's, and `memory` (may be none) with their names in an
 * Access-Control-Expose-Headers that the upstream sent. */
size_t forward_reply_fields(const struct http_field *reply, size_t reply_count,
			    const struct http_field *memory, size_t memory_count,
			    const struct http_field **fields, struct arena *arena);

#endif
