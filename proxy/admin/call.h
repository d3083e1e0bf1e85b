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
	struct question_vectors *vectors; /* of the loop */
	struct http_request *request;     /* NULL once its client left... */
	/* ...which is when this is called, and ends the call. NULL: what was begun is finished, and
	 * nobody is told. */
	void (*gone)(struct admin_call *call);
	void *pending;   /* for `gone` */
	bool is_crowded; /* the address holds as many bytes as it may */
	struct arena arena;
	struct slice parameter; /* what the path has in the place of {}, percent-decoded */
	struct slice tenant;    /* ?tenant=, percent-decoded; empty: none */
	struct user_key user;   /* of parameter and tenant, for paths under /v1/users/ */
};

struct admin_endpoint {
	const char *method;
	const char *path; /* "{}" stands for one segment */
	bool open;        /* needs no token */
	void (*handle)(struct admin_call *call);
};

/* The end of the list has no method. */
extern const struct admin_endpoint admin_system_endpoints[];
extern const struct admin_endpoint admin_user_endpoints[];
extern const struct admin_endpoint admin_import_endpoints[];
extern const struct admin_endpoint admin_preview_endpoints[];
extern const struct admin_endpoint admin_unpark_endpoints[];

/* Each ends the call; `call` is invalid afterwards. */
void admin_reply(struct admin_call *call, int status, const char *content_type, struct slice body);
void admin_reply_json(struct admin_call *call, int status, struct buffer *json); /* finishes it */
void admin_reply_error(struct admin_call *call, int status, const char *code, const char *message);
/* Nobody is there to be told. */
void admin_abandon(struct admin_call *call);
/* For a result of the store other than STORE_OK. */
void admin_reply_failure(struct admin_call *call, enum store_result result);

#endif
