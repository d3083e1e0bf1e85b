/* The memory side of one chat completion: whether memory takes part, what it puts into the request,
 * and what the exchange leaves behind. It does no I/O: chat_lookup asks the store for it, and the
 * exchange stores.
 *
 *     chat_read()    the body
 *     chat_enter()   which mode; CHAT_LOAD: memory takes part
 *     chat_load()    what the store is asked
 *     chat_decide()  what stands, from what the store knows; CHAT_RECALL: something is to be found
 *     chat_recall()  what the store is asked then
 *     chat_inject()  the edits
 *     chat_append()  what is journalled, from the reply
 *
 * Everything it makes lives in the exchange's arena. */
#ifndef RECALLD_CORE_CHAT_CHAT_H
#define RECALLD_CORE_CHAT_CHAT_H

#include "core/context/context.h"
#include "core/context/history.h"
#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "core/memory/exchange.h"
#include "core/memory/view.h"
#include "core/recall/search.h"

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

/* Why mode auto injects as it does. */
enum chat_branch {
	BRANCH_NONE,     /* the mode is not auto */
	BRANCH_SHORT,    /* a short conversation of a user with no other */
	BRANCH_LONG,     /* a longer one */
	BRANCH_SESSIONS, /* the user has several */
	BRANCH_WORDING,  /* exact wording is asked for */
};

/* The settings for the request's model, tenant and user, and what is known of the model. */
struct chat_settings {
	enum mode mode;
	bool inject;
	bool learn;
	bool mode_header;   /* the request may name its mode */
	bool stored_riders; /* memory may go into what the provider keeps */
	bool trims;         /* old turns may be taken out of the request */
	bool embeds;        /* turns may have vectors */
	bool strict;        /* an exchange counts as kept once it is on the disk */
	bool secrets_redact;
	enum placement placement; /* of the block */
	double token_rate;        /* the model's tokens for one estimated */
	uint64_t context_tokens;
	uint64_t conversation_tokens;
	uint64_t history_tokens;
	uint64_t buffer_messages;
	uint64_t auto_buffer_turns;
	uint64_t auto_hybrid_sessions;
};

struct own_words;

struct chat {
	const struct dialect *dialect;
	struct chat_settings settings;
	struct slice body;
	struct identity identity;
	struct user_key user;
	struct request request;
	bool scanned; /* `request` is valid */

	enum chat_status status;
	enum mode mode;        /* asked for, or configured: by it is learned */
	enum mode injects;     /* what injects: mode, but for auto what it picked */
	const char *mode_word; /* as X-Memory-Mode gives it back */
	enum chat_branch branch;
	bool explicit_mode;
	bool inject;
	bool learn;
	bool dry_run;

	struct newest_turn newest;
	bool is_alone;               /* one user message and, but for system text, nothing else */
	struct own_words *own_words; /* of each message, read when they are asked for */
	struct slice
		own_text; /* the user's new words, without documents, at most TURN_TEXT_LIMIT */
	uint64_t own_hash;
	bool goes_on; /* with a user's turn that was said before and is not answered yet */
	struct answer_fingerprint *fingerprints;
	size_t fingerprint_count;
	size_t open_first;      /* where the answer begins that the reply is to continue */
	struct slice open_text; /* of it, its parts joined */
	struct answer_fingerprint open_fingerprint; /* its hash is 0 when there is none */
	size_t earlier_answers;                     /* before the first mark */
	struct recall_question question; /* the own text, read; when the newest message is its */
	struct slice earlier[RECALL_EARLIER]; /* what the user said before it, the newest first */
	size_t earlier_count;

	struct memory_view *view; /* once loaded */
	struct history_cut cut;
	struct carried_texts carried; /* by what the cut leaves */
	bool stands;                  /* the frozen context does, and `replayed` with it */
	struct replay *replayed; /* what earlier turns were given, as far as it is sent again */
	struct turn_prefix
		*turn_prefixes; /* of `replayed`, and behind it room for the newest turn's */
	size_t turn_prefix_count;
	size_t budget; /* for what is new, estimated tokens */
	size_t ranked; /* how many turns were looked at for this question */

	bool made_message;          /* a system message of ours had to be inserted */
	struct context context;     /* what is new; block and turns may be the frozen ones */
	bool is_fresh;              /* the context was made for this request and is to be frozen */
	struct slice receipt_items; /* of that, once it was made: as frozen.receipt_items */
	struct slice *descriptions; /* of its items, for receipts; NULL: not yet made */
	struct edit *edits;
	size_t edit_count;
	size_t tokens;    /* given in all, as the model counts them */
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

/* Begins a chat. `is_encoded`: the body cannot be read. */
void chat_read(struct chat *chat, const struct dialect *dialect, struct slice body, bool is_encoded,
	       struct arena *arena);

/* The part of a request that is not in its body: its user, session and mode. */
struct chat_asked {
	struct identity identity;
	struct user_key user; /* of the identity, unless that is anonymous */
	struct slice mode;    /* the word of X-Memory-Mode; empty: as configured */
	bool dry_run;         /* only shown what would be injected */
};
enum chat_verdict chat_enter(struct chat *chat, const struct chat_asked *asked,
			     const struct chat_settings *settings, struct chat_refusal *refusal,
			     struct arena *arena);

void chat_load(struct chat *chat, int64_t now, struct load *load, struct arena *arena);

enum chat_next {
	CHAT_READY,  /* for chat_inject() */
	CHAT_RECALL, /* first chat_recall(), and what it finds */
};

/* What of the conversation's memory stands, and how much may be new. `view` stays valid. */
enum chat_next chat_decide(struct chat *chat, const struct memory_view *view, int64_t now,
			   struct arena *arena);

void chat_recall(const struct chat *chat, struct recall *recall, struct arena *arena);

/* Sets status, edits and tokens. `recalled` may be NULL. */
void chat_inject(struct chat *chat, const struct recall_result *recalled, struct arena *arena);

/* A reply is fetched by the id that an earlier request was given, since it was not answered at
 * once. What the store is asked; chat_fetch() then says whether a user's turn waits for it, which
 * chat_append() journals with it, once. The chat has its identity, user and settings. */
void chat_load_fetched(const struct chat *chat, struct slice id, int64_t now, struct load *load);
bool chat_fetch(struct chat *chat, const struct memory_view *view, struct arena *arena);
/* Whether the fetched reply is the answer; it may be under way still. */
bool chat_is_fetched(const struct reply *reply, bool broke_off);

/* The request goes, or went, without memory after all. */
void chat_bypass(struct chat *chat);

/* The body as it goes upstream, in pieces; returns how many. The client's own bytes when nothing is
 * put in. */
size_t chat_splice(const struct chat *chat, const struct slice **pieces, struct arena *arena);

/* Whether a reply with that status and fields can teach anything. */
bool chat_learns_from(const struct chat *chat, int status);

/* What an append points to: what the request was given, and what goes on from its reply. */
struct chat_given {
	struct frozen frozen;
	struct replay replay;
	struct chain_link link;
};

/* What is journalled. False: nothing. `given` is filled as far as it is to be kept.
 * `broke_off`: the reply did not come to its end. */
bool chat_append(struct chat *chat, const struct reply *reply, bool broke_off, int64_t started_at,
		 int64_t now, struct append *append, struct chat_given *given, struct arena *arena);

/* The estimated tokens of what went up, to be compared with what the upstream counted; 0: they tell
 * nothing of how its model counts. */
size_t chat_sent_tokens(const struct chat *chat, struct arena *arena);

/* The question as others than the upstream may see it. */
struct slice chat_question_text(const struct chat *chat, struct arena *arena);

/* Whether the user's turns are to have vectors. */
bool chat_wants_vectors(const struct chat *chat);

/* How many tokens the request is shorter by what was taken out of it. */
size_t chat_tokens_saved(const struct chat *chat);

/* The receipt, once it is known what is injected; its id is chat->receipt. */
struct receipt chat_receipt(struct chat *chat, struct arena *arena);

#endif
