/* The sender of a request: the user id from a header, the path or a body field, its signature, and
 * the tenant from the API key. */
#ifndef RECALLD_PROXY_EXCHANGE_IDENTITY_H
#define RECALLD_PROXY_EXCHANGE_IDENTITY_H

#include "core/dialect/request.h"
#include "core/memory/user.h"
#include "proxy/config/config.h"
#include "proxy/http/parser.h"

enum identity_verdict {
	IDENTITY_OK,
	IDENTITY_BAD, /* 400: the id is a placeholder or not 1 to 256 bytes of visible UTF-8 */
	IDENTITY_BAD_SESSION, /* 400: not 1 to 256 bytes of UTF-8, or two different ids */
	IDENTITY_UNSIGNED,    /* 401: the signature is missing or wrong */
};

/* A target under /u/USER/ (with `user_path`): the user part, percent-decoded and without its
 * signature, and the rest of the target, which starts with "/". Returns false if the target does
 * not have that form. Broken percent-encoding, or a base URL /u/ without a user, returns true with
 * an empty `user`, which identity_find() reports as IDENTITY_BAD. */
struct identity_path {
	struct slice user;
	struct slice signature; /* after the last "~" if a secret is configured; otherwise empty */
	struct slice rest;
};
bool identity_split_path(const struct config *config, struct slice target,
			 struct identity_path *path, struct arena *arena);

/* Identifies the request's sender: a header takes precedence over the path, the path over the body.
 * `path` and `request` may be NULL. Unless the result is IDENTITY_OK, `fault` receives one
 * sentence. */
enum identity_verdict identity_find(const struct config *config, const struct http_head *head,
				    const struct identity_path *path, const struct request *request,
				    struct identity *identity, const char **fault,
				    struct arena *arena);

/* Whether a header names a user, valid or not. */
bool identity_names_user(const struct config *config, const struct http_head *head);

/* The fault of a user id, in one sentence. NULL: it is 1 to 256 bytes of visible UTF-8 and not a
 * placeholder. */
const char *identity_user_fault(struct slice user);

/* Whether a request header must not reach the upstream: recalld's own (identity, signature, task,
 * X-Time-Zone, X-Memory-*) and those in drop_headers. */
bool identity_owns_header(const struct config *config, struct slice name);

/* Whether the name is X-Memory-ANYTHING. */
bool identity_is_memory_header(struct slice name);

/* The first non-empty value of that name; empty if there is none. False: two values differ. */
bool identity_find_field(const struct http_head *head, struct slice name, struct slice *value);

/* Whether the request carries the admin token. Always false if none is configured. */
bool identity_is_admin(const struct config *config, const struct http_head *head);

/* Whether a request header carries an API key: Authorization, api-key, x-api-key or
 * x-goog-api-key. */
bool identity_is_key_header(struct slice name);

/* The header line for requests made with the client's key, as "NAME: VALUE": Authorization
 * unchanged, unless it is a Bearer without a key; otherwise api-key, or the key of x-api-key as a
 * Bearer, in which Anthropic's endpoint for OpenAI's form wants it. Empty: none. `is_bound`: there
 * is one, but a login that only its own product may use (a Claude subscription's token, or a JSON
 * Web Token as ChatGPT's logins are). */
struct slice identity_key_field(const struct http_head *head, bool *is_bound, struct arena *arena);

#endif
