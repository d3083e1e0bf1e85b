/* Whose request it is: the user's id by header, path or body field, its signature, and the tenant
 * by API key. */
#ifndef RECALLD_PROXY_ACCESS_IDENTITY_H
#define RECALLD_PROXY_ACCESS_IDENTITY_H

#include "core/dialect/request.h"
#include "proxy/config/config.h"
#include "proxy/http/parser.h"

struct identity {
	struct slice user;   /* empty: anonymous */
	struct slice tenant; /* empty with `tenant = shared`; 16 hex digits with api-key ("none" for
				a request without a key) */
	struct slice session; /* empty: none given */
	bool task;            /* a side request by its header */
};

enum identity_verdict {
	IDENTITY_OK,
	IDENTITY_BAD, /* 400: the id is not 1 to 256 bytes of visible UTF-8, or a placeholder */
	IDENTITY_BAD_SESSION, /* 400: not 1 to 256 bytes of UTF-8, or two that differ */
	IDENTITY_UNSIGNED,    /* 401: the signature is missing or wrong */
};

/* A target under /u/USER/ (with `user_path`): the user part, percent-decoded and without its
 * signature, and the rest of the target, which begins with "/". False when the target is not of
 * that form. A broken percent-encoding gives an empty `user` with true: IDENTITY_BAD. */
struct identity_path {
	struct slice user;
	struct slice signature; /* after the last "~" when a secret is configured; else empty */
	struct slice rest;
};
bool identity_split_path(const struct config *config, struct slice target,
			 struct identity_path *path, struct arena *arena);

/* Works it out: a header wins over the path, the path over the body. `path` and `request` may be
 * NULL. `fault` receives one sentence when it is not OK. */
enum identity_verdict identity_find(const struct config *config, const struct http_head *head,
				    const struct identity_path *path,
				    const struct chat_request *request, struct identity *identity,
				    const char **fault, struct arena *arena);

/* Whether a header names a user, in whatever form. */
bool identity_names_user(const struct config *config, const struct http_head *head);

/* What is wrong with a user id, as one sentence; NULL: it is 1 to 256 bytes of visible UTF-8 and no
 * placeholder. */
const char *identity_user_fault(struct slice user);

/* Whether a request header is not passed upstream: it is recalld's own (identity, signature, task,
 * X-Memory-*) or one of drop_headers. */
bool identity_owns_header(const struct config *config, struct slice name);

/* Whether the name is X-Memory-ANYTHING. */
bool identity_is_memory_header(struct slice name);

/* The first value of that name that is not empty; empty: there is none. False: there are two that
 * differ. */
bool identity_find_field(const struct http_head *head, struct slice name, struct slice *value);

/* Whether the request bears the admin token; never when none is configured. */
bool identity_is_admin(const struct config *config, const struct http_head *head);

/* The API key that a request carries: Authorization: Bearer, api-key or x-api-key, else the whole
 * of an Authorization with another scheme or none, unless it has several parts, which are new with
 * each request; empty: none. */
struct slice identity_api_key(const struct http_head *head);

/* Whether a request header carries an API key: Authorization, api-key, x-api-key or
 * x-goog-api-key. */
bool identity_is_key_header(struct slice name);

/* The field for requests that are made with the client's key, as "NAME: VALUE": Authorization as it
 * came, unless it is a Bearer without a key, else api-key or x-api-key; empty: none. */
struct slice identity_key_field(const struct http_head *head, struct arena *arena);

#endif
