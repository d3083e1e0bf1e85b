/* One call to the admin address, as its handlers see it. Each handler is one entry of a table. */
#ifndef RECALLD_PROXY_ADMIN_CALL_H
#define RECALLD_PROXY_ADMIN_CALL_H

#include "proxy/config/config.h"
#include "proxy/exchange/question_vector.h"
#include "proxy/http/server.h"
#include "proxy/runtime/loop.h"
#include "proxy/service.h"

struct admin_call {
	struct service *service;
	struct loop *loop;
	struct config *config;
	struct question_vectors *vectors; /* the loop's */
	struct http_request *request;     /* NULL once the client has left... */
	/* ...which calls this function; it ends the call. NULL: the work continues, and nobody gets
	 * the answer. */
	void (*gone)(struct admin_call *call);
	void *pending;   /* for `gone` */
	bool is_crowded; /* the admin address holds as many bytes as it may */
	struct arena arena;
	struct slice parameter; /* the path segment at {}, percent-decoded */
	struct slice tenant;    /* ?tenant=, percent-decoded; empty: none */
	struct user_key user;   /* from parameter and tenant, for paths under /v1/users/ */
};

struct admin_endpoint {
	const char *method;
	const char *path; /* "{}" stands for one segment */
	bool open;        /* needs no token */
	void (*handle)(struct admin_call *call);
};

/* An entry without a method ends the list. */
extern const struct admin_endpoint admin_system_endpoints[];
extern const struct admin_endpoint admin_user_endpoints[];
extern const struct admin_endpoint admin_import_endpoints[];
extern const struct admin_endpoint admin_preview_endpoints[];
extern const struct admin_endpoint admin_unpark_endpoints[];

/* Each of these ends the call; `call` is invalid afterwards. */
void admin_reply(struct admin_call *call, int status, const char *content_type, struct slice body);
void admin_reply_json(struct admin_call *call, int status,
		      struct buffer *json); /* also frees `json` */
void admin_reply_error(struct admin_call *call, int status, const char *code, const char *message);
/* Ends the call without an answer: the client has left. */
void admin_abandon(struct admin_call *call);
/* For any store result except STORE_OK. */
void admin_reply_failure(struct admin_call *call, enum store_result result);

#endif
