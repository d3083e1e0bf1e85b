/* What the three rooms of an exchange share: exchange.c its life, exchange_reply.c the reply on its
 * way to the client, exchange_journal.c what memory keeps of it. Nobody else looks inside. */
#ifndef RECALLD_PROXY_EXCHANGE_STATE_H
#define RECALLD_PROXY_EXCHANGE_STATE_H

#include "proxy/access/identity.h"
#include "proxy/exchange/chat_lookup.h"
#include "proxy/exchange/exchange.h"
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
	struct http_request *request; /* NULL once it was ended or its client left */
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
	struct slice key_field; /* the client's own API key, "NAME: VALUE"; empty: none to learn
				   with... */
	bool key_is_bound;      /* ...since nobody but its product may use it */
	struct chat chat;
	struct chat_lookup *lookup; /* under way */

	const struct slice *body; /* as it goes upstream, in pieces */
	size_t body_count;
	struct transfer *transfer;
	bool again;       /* refused with memory in it: to be sent once more without... */
	bool blames_role; /* ...and what it said names the role that carried it */
	struct buffer refusal;
	struct upstream_head refused; /* the refusal's head, in the arena */
	int status;                   /* of the reply; 0 before its head */
	uint64_t first_byte;
	struct relay relay;
	bool until_close; /* the reply's end cannot be told from a break */
	bool upstream_ended;
	bool unsent;            /* the upstream has surely seen nothing of the request */
	bool aborts;            /* the reply cannot be made whole */
	const char *end_reason; /* for the log */
	struct slice cause;     /* for the log: why the upstream failed; empty: it did not */
	bool journalled;
	bool receipt_kept;
	struct commit *commit; /* when this exchange waits for it */
	struct event *commit_deadline;
	struct exchange_trace *trace; /* NULL: no spans of it are reported */
};

void exchange_change_state(struct exchange *exchange, enum exchange_state state);

/* The one way out: cancels whatever is under way and writes the log line. The memory goes at the
 * end of the loop's turn, since callers further up may still look at it. */
void exchange_end(struct exchange *exchange, const char *reason);
/* The same with an error as its whole reply. */
void exchange_end_with_error(struct exchange *exchange, int status, const char *code,
			     struct slice message);

/* Sends the request upstream, for the first time or once more. */
void exchange_send(struct exchange *exchange);
/* What was held of the reply goes on; it ends when the upstream's has ended. */
void exchange_release_reply(struct exchange *exchange);
/* The client has read what there was. */
void exchange_drained(void *cookie);
/* Whether all of the answer came, even if its connection broke off, or its client left, behind it.
 */
bool exchange_reply_is_whole(const struct exchange *exchange);
/* The X-Memory-* fields; returns how many. */
size_t exchange_memory_fields(struct exchange *exchange, struct http_field fields[4]);

/* Hands what was said to the store, once. True: the reply's end has to wait for it;
 * exchange_release_reply() is then called when it is on disk, or after 2 s. */
bool exchange_journal(struct exchange *exchange, bool broke_off);
/* Nobody waits any more; what is on its way to the disk still gets there. */
void exchange_detach_commit(struct exchange *exchange);
/* The receipt of an exchange that journals nothing, for example of a request that only reads. */
void exchange_keep_receipt(struct exchange *exchange);

#endif
