/* Addresses and header fields that pass upstream with a request and back with a reply. */
#ifndef RECALLD_PROXY_EXCHANGE_FORWARD_H
#define RECALLD_PROXY_EXCHANGE_FORWARD_H

#include "core/dialect/dialect.h"
#include "proxy/config/config.h"
#include "proxy/http/parser.h"
#include "proxy/service/service.h"

/* The dialect of a request in which memory takes part; NULL: memory takes no part. */
const struct dialect *forward_dialect(struct slice method, struct slice target);
/* The id of the reply that the request fetches: GET /v1/responses/ID; empty: it fetches none. */
struct slice forward_fetched(struct slice method, struct slice target);
/* Whether it asks a model where memory takes no part, and why. */
enum client_miss forward_miss(struct slice method, struct slice target);

/* Whether a client that asks for another protocol falls back to HTTP on a 426. Codex asks for GET
 * /v1/responses or /responses (after /u/USER or not) by WebSocket, and after any other answer
 * retries for seconds. */
bool forward_goes_on_with_http(const struct http_head *head);

/* The absolute URL of a target (origin-form, without the /u/USER prefix): /v1/x and the bare
 * /chat/completions, /responses, /models, /embeddings are below BASE_URL, anything else at its
 * origin. */
const char *forward_url(const struct config *config, struct slice target, struct arena *arena);

/* Whether the memory model may see the client's key, which is for the target's server: only if it
 * is on that server. */
bool forward_may_offer_key(const struct config *config, struct slice target);

/* Whether the target's base URL has no path. Nearly all have one, so it was probably forgotten. */
bool forward_base_is_bare(const struct config *config, struct slice target);

/* The fields that go upstream: the client's, without hop-by-hop fields, Host, Content-Length,
 * Expect and those of identity_owns_header(). A configured API key replaces every key that the
 * client sent. A request with memory, which has a dialect, asks for identity coding. One that goes
 * out again with another body has another Idempotency-Key. */
size_t forward_request_fields(const struct config *config, const struct http_head *head,
			      struct slice target, const struct dialect *dialect, bool is_again,
			      const struct http_field **fields, struct arena *arena);

/* The fields that go back: the upstream's and `memory` (may be empty), whose names are added to an
 * Access-Control-Expose-Headers that the upstream sent. */
size_t forward_reply_fields(const struct http_field *reply, size_t reply_count,
			    const struct http_field *memory, size_t memory_count,
			    const struct http_field **fields, struct arena *arena);

#endif
