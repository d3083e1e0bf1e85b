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
	struct slice query;     /* behind the "?", as it came */
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
extern const struct admin_endpoint admin_user_list_endpoints[];
extern const struct admin_endpoint admin_receipt_endpoints[];
extern const struct admin_endpoint admin_import_endpoints[];
extern const struct admin_endpoint admin_preview_endpoints[];
extern const struct admin_endpoint admin_unpark_endpoints[];

/* The parameter of the query, percent-decoded; `value->data` is NULL if the query has none. False:
 * it cannot be decoded; the call has ended with a 400. */
bool admin_query(struct admin_call *call, const char *name, struct slice *value);
/* The same for a number of 1 to `most`; `number` keeps its value if the query has none. */
bool admin_query_number(struct admin_call *call, const char *name, uint64_t most, uint64_t *number);
/* The same for a time of RFC 3339, or a date. */
bool admin_query_time(struct admin_call *call, const char *name, int64_t *at);

/* A user's jobs, see learner_wants(). */
struct admin_jobs {
	size_t pending;  /* exchanges to be learned from */
	size_t parked;   /* given up until somebody unparks them */
	size_t deferred; /* until the mode learns */
	size_t all;
};
/* Counts 100,000 at most. */
struct admin_jobs admin_count_jobs(struct admin_call *call, struct user_key user);

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
