/* Shared by the parts of an exchange and private to them: exchange.c has its life, reply.c the
 * reply on its way to the client, journal.c what memory keeps of it. */
#ifndef RECALLD_PROXY_EXCHANGE_STATE_H
#define RECALLD_PROXY_EXCHANGE_STATE_H

#include "proxy/exchange/chat_lookup.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/identity.h"
#include "proxy/exchange/relay.h"

/* Where an exchange stands. The gauges of /metrics count the exchanges in each state. */
enum exchange_state {
	EXCHANGE_LOADING, /* until the request goes upstream */
	EXCHANGE_WAITING, /* for the reply's head */
	EXCHANGE_RELAYING,
	EXCHANGE_COMMITTING, /* the reply's end waits for the disk */
	EXCHANGE_ENDED,
};

struct commit;
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
				   with... */
	bool key_is_bound;      /* ...because it may be used only by its own product... */
	bool key_is_foreign;    /* ...or is for another server than the memory model's */
	struct chat chat;
	struct event *settling;     /* waits for the exchange before; NULL: did not */
	struct chat_lookup *lookup; /* under way */

	const struct slice *body; /* as sent upstream, in pieces */
	size_t body_count;
	struct transfer *transfer;
	bool again;       /* it was refused with memory: send it once more without... */
	bool was_refused; /* with memory, and is sent without */
	bool blames_role; /* ...and the refusal names the role that carried memory */
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

void exchange_change_state(struct exchange *exchange, enum exchange_state state);

/* The only way out: cancels whatever is in progress and writes the log line. Memory is freed at the
 * end of the loop's turn, since callers further up may still use it. */
void exchange_end(struct exchange *exchange, const char *reason);
/* Ends the exchange with an error as its whole reply. */
void exchange_end_with_error(struct exchange *exchange, int status, const char *code,
			     struct slice message);

/* Sends the request upstream, for the first time or once more. */
void exchange_send(struct exchange *exchange);
/* Passes on what was held of the reply, which ends when the upstream's has ended. */
void exchange_release_reply(struct exchange *exchange);
/* The client has read everything so far. */
void exchange_drained(void *cookie);
/* Whether the whole answer arrived, even if the connection broke off or the client left
 * afterwards. */
bool exchange_reply_is_whole(const struct exchange *exchange);
/* The X-Memory-* fields; returns how many. */
size_t exchange_memory_fields(struct exchange *exchange, struct http_field fields[4]);

/* Hands what was said to the store, once. True: the reply's end must wait for it;
 * exchange_release_reply() is then called when it is on disk, or after 2 s. */
bool exchange_journal(struct exchange *exchange, bool broke_off);
/* The exchange no longer waits; what is on its way to the disk still gets there. */
void exchange_detach_commit(struct exchange *exchange);
/* At the exchange's end: stores the receipt of one that journals nothing, such as a request that
 * only reads, and enters what was injected into the audit log ([audit] inject). */
void exchange_keep_receipt(struct exchange *exchange);

/* ---- log_line.c ---- */

/* Writes the exchange's line; `reason` says how it ended. */
void exchange_log(struct exchange *exchange, const char *reason);

#endif
