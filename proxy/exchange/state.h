/* One exchange. Shared by its parts and private to them: exchange.c begins it, reply.c has the
 * reply on its way to the client, journal.c what memory keeps of it, end.c how it ends. */
#ifndef RECALLD_PROXY_EXCHANGE_STATE_H
#define RECALLD_PROXY_EXCHANGE_STATE_H

#include "core/dialect/reply.h"
#include "proxy/exchange/identity.h"
#include "proxy/exchange/open.h"
#include "proxy/exchange/relay.h"
#include "proxy/exchange/worker.h"
#include "proxy/service/trace_context.h"

/* Where an exchange stands. The gauges of /metrics count the exchanges in each state. */
enum exchange_state {
	EXCHANGE_LOADING, /* until the request goes upstream */
	EXCHANGE_WAITING, /* for the reply's head */
	EXCHANGE_RELAYING,
	EXCHANGE_COMMITTING, /* the reply's end waits for the disk */
	EXCHANGE_ENDED,
};

/* A journalled exchange on its way to the disk. It outlives an exchange that does not wait for
 * it. */
struct commit {
	struct exchange *exchange; /* NULL: nobody waits */
	struct service *service;
	struct user_key user;
	bool learns;
	bool is_pressing; /* and at once */
	bool embeds;
	bool is_unsettled; /* no reply waits for it */
	uint64_t receipt;  /* for the log; 0: none */
	uint64_t started;
};

struct exchange_trace;

struct exchange {
	struct exchange *next, **link; /* in worker->exchanges */
	struct worker *worker;
	struct config *config;
	struct http_request *request; /* NULL once the request ended or its client left */
	enum exchange_state state;
	struct arena arena;
	uint64_t begun;
	int64_t begun_at;

	struct slice method; /* for the log: copies that outlive the request */
	struct slice path;
	struct slice target; /* without /u/USER */
	struct identity_path user_path;
	const struct dialect *dialect; /* NULL: memory takes no part */
	bool names_user;               /* at a path without memory */
	bool fetches;                  /* there, the answer to a turn of `chat` */
	struct slice key_field; /* the client's own API key, "NAME: VALUE"; empty: none to learn
				 * with */
	bool key_is_bound;      /* none, because it may be used only by its own product */
	bool key_is_foreign;    /* none, because it is for another server than the memory model's */
	struct chat chat;
	struct event *settling;     /* waits for the exchange before; NULL: did not */
	struct chat_lookup *lookup; /* under way */

	const struct slice *body; /* as sent upstream, in pieces */
	size_t body_count;
	struct transfer *transfer;
	bool again;       /* it was refused with memory: send it once more without */
	bool was_refused; /* with memory, and is sent without */
	bool blames_role; /* the refusal names the role that carried memory */
	struct buffer refusal;
	struct upstream_head refused; /* the refusal's head, in the arena */
	int status;                   /* of the reply; 0 before its head */
	uint64_t first_byte;
	struct relay relay;
	bool until_close; /* only the connection's close marks the reply's end */
	bool upstream_ended;
	bool unsent;            /* the upstream has certainly seen nothing of the request */
	bool aborts;            /* the reply cannot be completed */
	const char *end_reason; /* for the log */
	struct slice cause;     /* for the log: why the upstream failed; empty: it did not fail */
	bool journalled;
	bool receipt_kept;
	struct commit *commit; /* not NULL while the exchange waits for it */
	struct event *commit_deadline;
	struct exchange_trace *trace; /* NULL: it is not traced */
};

/* ---- exchange.c ---- */

/* Handles a request; the exchange ends by itself. Call on the worker's thread. */
void exchange_begin(struct worker *worker, struct http_request *request);

/* Ends all of a worker's exchanges: cuts off their replies, and journals what was answered. */
void exchange_end_all(struct worker *worker);

/* ---- end.c ---- */

void exchange_change_state(struct exchange *exchange, enum exchange_state state);

/* The only way out: cancels whatever is in progress and writes the log line. Memory is freed at the
 * end of the loop's turn, since callers further up may still use it. */
void exchange_end(struct exchange *exchange, const char *reason);
/* Ends the exchange with an error as its whole reply. `dialect` may be NULL. */
void exchange_end_with_error(struct exchange *exchange, const struct dialect *dialect,
			     const struct refusal *refusal);

/* The X-Memory-* fields; returns how many. */
size_t exchange_memory_fields(struct exchange *exchange, struct http_field fields[4]);
/* Passes on what was held of the reply, which ends when the upstream's has ended. */
void exchange_release_reply(struct exchange *exchange);
/* The exchange no longer waits; what is on its way to the disk still gets there. */
void exchange_detach_commit(struct exchange *exchange);

/* ---- reply.c ---- */

/* Sends the request upstream, for the first time or once more. */
void exchange_send(struct exchange *exchange);
/* The client has read everything so far. */
void exchange_drained(void *cookie);
/* Whether the whole answer arrived, even if the connection broke off or the client left
 * afterwards. */
bool exchange_reply_is_whole(const struct exchange *exchange);

/* ---- journal.c ---- */

/* Hands what was said to the store, once. True: the reply's end must wait for it;
 * exchange_release_reply() is then called when it is on disk, or after 2 s. */
bool exchange_journal(struct exchange *exchange, bool broke_off);

/* ---- log_line.c ---- */

/* Writes the exchange's line; `reason` says how it ended. */
void exchange_log(struct exchange *exchange, const char *reason);

/* ---- tracing.c ---- */

/* When the parts of an exchange began and ended; its spans when it is over. Each call does nothing
 * for an exchange that is not traced. */

/* Decides from the request whether the exchange is traced. */
void exchange_trace_begin(struct exchange *exchange);
/* A request goes upstream, to a URL that must live in the arena. Replaces the traceparent field;
 * returns the number of fields. */
size_t exchange_trace_send(struct exchange *exchange, const char *url,
			   const struct http_field **fields, size_t count);
void exchange_trace_head(struct exchange *exchange, int status);
/* The transfer has ended; `fault` names why it failed, NULL: it succeeded. */
void exchange_trace_sent(struct exchange *exchange, const char *fault);
/* Records the upstream's token counts. */
void exchange_trace_usage(struct exchange *exchange, const struct reply *reply);
/* The exchange changes to the state. */
void exchange_trace_state(struct exchange *exchange, enum exchange_state state);
/* The exchange is over: hands its spans to the tracer. */
void exchange_trace_end(struct exchange *exchange, const char *reason);
/* The trace's id for the log; empty: none. */
struct slice exchange_trace_id(struct exchange *exchange);

#endif
