/* The memory side of one chat completion: whether memory takes part, what it puts into the request,
 * and what the exchange leaves behind. It does no I/O: the exchange loads and stores for it.
 *
 *     chat_open()  who is it, which mode; CHAT_LOAD: memory takes part
 *     chat_load()  what the store is asked
 *     chat_inject()  the edits, from what the store knows
 *     chat_append()  what is journalled, from the reply
 *
 * Everything it makes lives in the exchange's arena. */
#ifndef RECALLD_PROXY_CHAT_H
#define RECALLD_PROXY_CHAT_H

#include "core/context.h"
#include "core/reply.h"
#include "core/request.h"
#include "proxy/config.h"
#include "proxy/http_parser.h"
#include "proxy/identity.h"
#include "proxy/metrics.h"
#include "proxy/refusals.h"
#include "storage/store.h"

enum chat_status {
	CHAT_INJECTED,
	CHAT_EMPTY,
	CHAT_OFF,
	CHAT_ANONYMOUS,
	CHAT_SIDE,
	CHAT_BYPASSED,
};

/* The word of X-Memory-Status. */
const char *chat_status_name(enum chat_status status);

struct chat {
	const struct config *config; /* outlives the chat */
	struct config_memory settings;
	struct slice body;
	struct identity identity;
	struct slice authorization; /* the client's own, for learning with its key; may be empty */
	struct user_key user;
	struct chat_request request;
	bool scanned; /* `request` is valid */

	enum chat_status status;
	enum mode mode;        /* what injects */
	const char *mode_word; /* as X-Memory-Mode gives it back */
	bool explicit_mode;
	bool inject;
	bool learn;
	bool dry_run;

	struct newest_turn newest;
	bool is_alone;         /* one user message and, but for system text, nothing else */
	struct slice own_text; /* the user's new words, without documents, as they were sent */
	uint64_t own_hash;
	struct answer_mark *marks;
	size_t mark_count;

	struct memory_view *view; /* once loaded */
	bool made_message;        /* a system message of ours had to be inserted */
	struct context context;
	struct slice account; /* of the context: members of the receipt */
	bool is_fresh;        /* the context was made for this request and is to be frozen */
	struct edit *edits;
	size_t edit_count;
	size_t tokens;
	uint64_t receipt; /* 0: none is kept */
	uint64_t elapsed; /* microseconds that memory took */
};

enum chat_verdict {
	CHAT_PASS,    /* goes as it is; `status` says why */
	CHAT_LOAD,    /* memory takes part */
	CHAT_REFUSED, /* answered here with `refusal` */
};

struct chat_refusal {
	int status;
	const char *code;
	const char *message;
};

/* `path` may be NULL. `is_local`: the client is on the loopback interface. */
enum chat_verdict chat_open(struct chat *chat, const struct config *config,
			    const struct http_head *head, const struct identity_path *path,
			    struct slice body, bool is_local, struct chat_refusal *refusal,
			    struct arena *arena);

void chat_load(struct chat *chat, int64_t now, struct load *load);

/* Decides from `view` what is put in; sets status, edits and tokens. */
void chat_inject(struct chat *chat, struct memory_view *view, struct refusals *refusals,
		 int64_t now, struct arena *arena);

/* The request goes, or went, without memory after all. */
void chat_bypass(struct chat *chat, enum metric_counter cause);

/* The body as it goes upstream: the client's own bytes when nothing is put in. */
struct slice chat_body(const struct chat *chat, struct arena *arena);

/* Whether a reply with that status and fields can teach anything. */
bool chat_learns_from(const struct chat *chat, int status);

/* What is journalled. False: nothing. `frozen` is filled when the context is to be frozen.
 * `broke_off`: the reply did not come to its end. */
bool chat_append(struct chat *chat, const struct reply *reply, bool broke_off, int64_t started_at,
		 int64_t now, struct append *append, struct frozen *frozen, struct arena *arena);

/* The receipt's JSON. */
struct slice chat_receipt(const struct chat *chat, struct arena *arena);

#endif
