/* One call to the admin address, as its handlers see it, and the table of its routes. */
#ifndef RECALLD_PROXY_ADMIN_CALL_H
#define RECALLD_PROXY_ADMIN_CALL_H

#include "proxy/config/config.h"
#include "proxy/exchange/question_vector.h"
#include "proxy/http/server.h"
#include "proxy/runtime/loop.h"
#include "proxy/service/service.h"
#include "storage/rights.h"

struct admin_call {
	struct service *service;
	struct loop *loop;
	struct config *config;
	struct question_vectors *vectors; /* the loop's */
	struct http_request *request;     /* NULL once the client has left */
	/* A client that left calls this function; it ends the call. NULL: the work continues, and
	 * nobody gets the answer. */
	void (*gone)(struct admin_call *call);
	void *pending;   /* for `gone` */
	int status;      /* of the answer that waits in `out` */
	bool is_crowded; /* the admin address holds as many bytes as it may */
	struct arena arena;
	struct slice parameter; /* the path segment at {}, percent-decoded */
	struct slice item;      /* the same of a second {}; empty: the path has none */
	struct slice tenant;    /* ?tenant=, percent-decoded; empty: none */
	struct user_key user;   /* from parameter and tenant, for paths under /v1/users/ */
	struct slice query;     /* behind the "?", as it came */
	struct buffer out;      /* the answer; empty at first */

	/* For the audit log: */
	const struct admin_route *route;
	const char *action; /* the route's, unless the handler knows better; NULL: unrecorded */
	struct slice from;  /* the peer's host */
	bool is_of_user;    /* `user` is who it is about */
	bool is_written;    /* a write carries the entry */
};

/* The meaning of the path's first segment. */
enum admin_names {
	NAMES_NOBODY,
	NAMES_NOBODY_OPEN, /* needs no token: probes have none */
	NAMES_RECEIPT,
	NAMES_TENANT,
	NAMES_USER,
	NAMES_NEW_USER, /* whom the call may make, so the id must be one that a chat may have */
};

typedef void admin_handler(struct admin_call *call);

enum { ADMIN_MOST_SEGMENTS = 2 };

struct admin_route {
	const char *method;
	const char *path;  /* "{}" stands for one segment */
	const char *query; /* its parameters beside "tenant", between spaces; NULL: any */
	enum admin_names names;
	const char *action; /* what the audit log notes; NULL: nothing, and no target */
	const char *target;
	admin_handler *handle;
};

extern const struct admin_route admin_routes[];
extern const size_t admin_route_count;

/* The route for the method and path, and the path's segments at "{}". NULL: the path needs one of
 * other methods, which `taken` lists for the head Allow, or does not exist. */
const struct admin_route *admin_find_route(struct slice method, struct slice path,
					   struct slice segments[ADMIN_MOST_SEGMENTS],
					   struct slice *taken, struct arena *arena);

/* The routes' handlers; each ends the call. */
admin_handler admin_get_health, admin_get_readiness, admin_get_metrics, admin_get_status,
	admin_get_scrub, admin_post_scrub, admin_get_audit, admin_post_unpark, admin_dedupe_all,
	admin_dedupe_user, admin_get_receipt, admin_get_receipts, admin_delete_tenant,
	admin_get_users, admin_delete_user, admin_get_memory, admin_delete_span, admin_forget_topic,
	admin_get_facts, admin_post_fact, admin_delete_fact, admin_get_fact, admin_patch_fact,
	admin_restore_fact, admin_delete_turn, admin_delete_conversation, admin_delete_session,
	admin_post_messages, admin_get_export, admin_post_import, admin_post_preview,
	admin_get_settings, admin_put_settings;

/* Notes whom the audit log will name as the caller. */
void admin_audit_client(struct admin_call *call);
/* For a write that the log must tell of: its entry is in the write's transaction. Clear
 * call->is_written if it wrote nothing in the end. */
struct store_loop *admin_store_loop(struct admin_call *call, struct user_key user);

/* The parameter of the query, percent-decoded; `value->data` is NULL if the query has none. False:
 * it cannot be decoded; the call has ended with a 400. */
bool admin_query(struct admin_call *call, const char *name, struct slice *value);
/* Reads a number of 1 to `most`; `number` keeps its value if the query has none. */
bool admin_query_number(struct admin_call *call, const char *name, uint64_t most, uint64_t *number);
/* Reads a parameter that is 0 or 1; `on` keeps its value if the query has none. */
bool admin_query_switch(struct admin_call *call, const char *name, bool *on);
/* Reads a time of RFC 3339, or a date. */
bool admin_query_time(struct admin_call *call, const char *name, int64_t *at);

/* Reads "pii" as a filter: -1 in `pii` and 0 in `classes` select everything, a class alone what has
 * it, 0 or 1 in `pii` what has none or any. */
bool admin_query_pii(struct admin_call *call, int *pii, unsigned *classes);

/* Adds the body's members to the query: true and false as 1 and 0, and texts. False: the body is
 * something else; the call has ended with a 400. */
bool admin_query_add_body(struct admin_call *call);

/* Whether the query has no parameters but "tenant" and these names, each once and with a value. So
 * a mistyped "dry_run" neither deletes nor writes. False: the call has ended with a 400. */
bool admin_query_admits(struct admin_call *call, const char *names);

/* An id as answers write it, a decimal number that is not 0, or of 16 hex digits. */
bool admin_read_id(struct slice text, uint64_t *id);
bool admin_read_hex(struct slice text, uint64_t *id);

/* The settings of [memory] that hold for call->user. */
struct config_memory admin_memory_settings(const struct admin_call *call);

/* Whether the call can read of call->user, if it names one: an encrypted store may lack the user's
 * keys, see store_lost(). False: the call has ended with a 409. */
bool admin_has_keys(struct admin_call *call);
/* Whether call->user may be written about: not before the user agreed, if [governance] consent is
 * required. False: the call has ended with a 409. */
bool admin_has_consent(struct admin_call *call);

/* Goes through users one at a time, so that other calls come between. */
struct user_walk {
	struct admin_call *call;
	/* Each of these calls admin_walk_on() once it is done with the user, or ends the call. */
	void (*each)(struct user_walk *walk, const struct listed_user *user);
	void (*done)(struct user_walk *walk); /* there are no more */
	/* The walk's own: */
	struct user_filter filter;
	struct slice tenant;
	struct user_list list;
	struct user_key after;
	size_t next; /* in the list */
};
/* Begins with a tenant's first user, or with the first of all if `tenant` is empty. The caller has
 * set the first three members, and the others are zero. */
void admin_walk_users(struct user_walk *walk, struct slice tenant);
/* Goes on from a later turn of the loop. A walk that has not begun is done then. */
void admin_walk_on(struct user_walk *walk);

/* Appends a member; null for 0. */
void admin_put_time(struct buffer *out, const char *name, int64_t at, struct arena *arena);

struct fact;
/* Writes a fact as every answer shows it, without the last brace. */
void admin_put_fact(struct buffer *out, const struct fact *fact, struct arena *arena);

struct kept_receipt;
/* Appends the stored receipt with its time, which the id holds. */
void admin_put_receipt(struct buffer *out, const struct kept_receipt *receipt, struct arena *arena);

struct fact_match;
/* Reads If-Match (RFC 9110, 13.1.1); the versions are in the call's arena. False: it is no list of
 * tags; the call has ended with a 412. */
bool admin_read_match(struct admin_call *call, struct fact_match *match);
/* Ends the call: 412. */
void admin_reply_changed(struct admin_call *call);

/* Each of these ends the call; `call` is invalid afterwards. */

/* Answers with call->out; 500 if that has overflowed. */
void admin_reply_text(struct admin_call *call, int status, const char *content_type);
/* Answers with JSON, to which it adds the last newline; then also with an ETag. */
void admin_reply_json(struct admin_call *call, int status);
void admin_reply_tagged(struct admin_call *call, int status, uint64_t version);
void admin_reply_error(struct admin_call *call, int status, const char *code, const char *message);
/* Answers with a header field, or NULL for none; does not enter it into the audit log. */
void admin_refuse(struct admin_call *call, int status, const char *code, struct slice message,
		  const struct http_field *field);
/* 503: too many bytes are in flight. */
void admin_refuse_crowd(struct admin_call *call);
/* Ends the call without an answer: the client has left. */
void admin_abandon(struct admin_call *call);
/* For any store result except STORE_OK. STORE_STALE: the user wants nothing kept. */
void admin_reply_failure(struct admin_call *call, enum store_result result);
/* Whether the store failed. True: the call has ended. */
bool admin_has_failed(struct admin_call *call, enum store_result result);

#endif
