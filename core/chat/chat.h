/* The memory side of one chat: whether memory takes part, what it puts into the request, and what
 * the exchange leaves behind. It does no I/O: chat_lookup calls the store for it, and the exchange
 * stores.
 *
 *         chat_read()    reads the body
 *         chat_enter()   chooses the mode; CHAT_LOAD: memory takes part
 *         chat_load()    says what to ask the store
 *         chat_decide()  decides what stands, from the store's answer; CHAT_RECALL: recall
 *     something
 *         chat_recall()  says what to ask the store then
 *         chat_inject()  works out the edits
 *         chat_append()  says what to journal, from the reply
 *
 * Everything it makes lives in the exchange's arena. */
#ifndef RECALLD_CORE_CHAT_CHAT_H
#define RECALLD_CORE_CHAT_CHAT_H

#include "core/chat/context.h"
#include "core/chat/history.h"
#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "core/memory/exchange.h"
#include "core/pii/pii.h"
#include "core/recall/recall.h"

enum chat_status {
	CHAT_INJECTED,
	CHAT_EMPTY,
	CHAT_OFF,
	CHAT_ANONYMOUS,
	CHAT_SIDE,
	CHAT_BYPASSED,
};

/* The word for X-Memory-Status. */
const char *chat_status_name(enum chat_status status);

/* Why mode auto injects what it does. */
enum chat_branch {
	BRANCH_NONE,     /* the mode is not auto */
	BRANCH_SHORT,    /* a short conversation of a user with no other */
	BRANCH_LONG,     /* a longer one */
	BRANCH_SESSIONS, /* the user has several */
	BRANCH_WORDING,  /* the request asks for exact wording */
};

/* The settings for the request's model, tenant and user, and what is known about the model. */
struct chat_settings {
	enum mode mode;
	bool inject;
	bool learn;
	bool refuses_memory;   /* the user wants nothing given, whatever is configured */
	bool refuses_learning; /* the user wants nothing kept */
	bool mode_header;      /* the request may name its mode */
	bool stored_riders;    /* memory may go into what the provider keeps */
	bool trims;            /* old turns may be taken out of the request */
	bool embeds;           /* turns may have vectors */
	bool strict;           /* an exchange counts as kept once it is on the disk */
	bool secrets_redact;
	struct pii_policy pii;
	enum placement placement; /* of the block */
	int utc_offset;           /* minutes by which the user's clocks are ahead of UTC */
	double token_rate;        /* the model's tokens per estimated token */
	uint64_t context_tokens;
	uint64_t profile_tokens;
	uint64_t conversation_tokens;
	uint64_t history_tokens;
	uint64_t buffer_messages;
	uint64_t auto_buffer_turns;
	uint64_t auto_hybrid_sessions;
	uint64_t user_limit;
};

struct own_words;

/* The request's words: filled by chat_read() and chat_enter(). */
struct chat_read {
	const struct dialect *dialect;
	struct slice body;
	struct request request;
	bool scanned; /* `request` is valid */

	struct newest_turn newest;
	bool is_alone;               /* one user message and nothing else except system text */
	struct own_words *own_words; /* of each message, read on demand */
	struct slice
		own_text; /* the user's new words, without documents, at most TURN_TEXT_LIMIT */
	uint64_t own_hash;
	struct answer_fingerprint *fingerprints;
	size_t fingerprint_count;
	size_t earlier_answers; /* before the first fingerprint */
	size_t open_first;      /* where the answer begins that the reply is to continue */
	struct slice open_text; /* its text, with parts joined */
	struct answer_fingerprint open_fingerprint; /* its hash is 0 if there is none */
	struct recall_question question; /* from own_text, if the newest message is its */
};

/* The replays that still hold, and the room for new memory: filled by chat_decide(). */
struct chat_decided {
	enum mode injects; /* the chat's mode, or for auto the one it picked */
	enum chat_branch branch;
	bool goes_on; /* together with an earlier user turn that is not answered yet */
	bool fetches; /* the reply to that turn */
	struct slice earlier[RECALL_EARLIER]; /* what the user said before it, newest first */
	size_t earlier_count;
	struct history_cut cut;
	struct carried_texts carried; /* what is left after the cut */
	bool stands;                  /* the frozen context stands, and so does `replayed` */
	struct replay *replayed; /* what earlier turns were given, as far as it is sent again */
	struct replay_text
		*replay_texts; /* for `replayed`, with room after them for the newest turn's */
	size_t replay_count;
	size_t budget; /* estimated tokens for new memory */
};

/* The injected memory: filled by chat_inject(), and by chat_append() for later requests. */
struct chat_injected {
	size_t ranked;              /* how many turns were ranked for this question */
	bool made_message;          /* a system message of ours had to be inserted */
	struct context context;     /* the new memory; block and turns may be the frozen ones */
	bool is_fresh;              /* the context was made for this request and is to be frozen */
	struct slice receipt_items; /* its items, once made, in the form of frozen.receipt_items */
	struct slice *descriptions; /* of its items, for receipts; NULL: not made yet */
	struct edit *edits;
	size_t edit_count;
	size_t tokens;    /* given in total, in the model's tokens */
	uint64_t receipt; /* 0: none is kept */
	uint64_t elapsed; /* microseconds spent on memory */
	/* An append points to these: the receipt and replays of the request, and the link from its
	 * reply. */
	struct frozen frozen;
	struct replay replay;
	struct chain_link link;
};

struct chat {
	struct chat_read read;
	/* The sender, and the parts of memory that are used. */
	struct chat_settings settings;
	struct identity identity;
	struct user_key user;
	struct refusal refusal; /* if it is refused */
	enum chat_status status;
	enum mode mode;        /* requested or configured; learning follows it */
	const char *mode_word; /* as returned in X-Memory-Mode */
	bool explicit_mode;
	bool inject;
	bool learn;
	bool dry_run;
	struct memory_view *view; /* what memory knows, once loaded */
	struct chat_decided decided;
	struct chat_injected injected;
};

enum chat_verdict {
	CHAT_PASS,    /* sent unchanged; `status` says why */
	CHAT_LOAD,    /* memory takes part */
	CHAT_REFUSED, /* answered here with chat->refusal */
};

/* Begins a chat. `is_encoded`: the body cannot be read. */
void chat_read(struct chat *chat, const struct dialect *dialect, struct slice body, bool is_encoded,
	       struct arena *arena);

/* A request's parameters outside its body: its user, session and mode. */
struct chat_asked {
	struct identity identity;
	struct user_key user; /* of the identity, unless that is anonymous */
	struct slice mode;    /* the word of X-Memory-Mode; empty: the configured mode */
	bool dry_run;         /* only show what would be injected */
};
enum chat_verdict chat_enter(struct chat *chat, const struct chat_asked *asked,
			     const struct chat_settings *settings, struct arena *arena);

void chat_load(struct chat *chat, int64_t now, struct load *load, struct arena *arena);

enum chat_next {
	CHAT_READY,  /* for chat_inject() */
	CHAT_RECALL, /* call chat_recall() first, and pass on what it finds */
};

/* Decides what of the conversation's memory stands, and how much may be new. `view` must stay
 * valid. */
enum chat_next chat_decide(struct chat *chat, const struct memory_view *view, int64_t now,
			   struct arena *arena);

void chat_recall(const struct chat *chat, struct recall *recall, struct arena *arena);

/* Sets status, edits and tokens. `recalled` may be NULL. */
void chat_inject(struct chat *chat, const struct recall_result *recalled, struct arena *arena);

/* A reply is fetched by the id that an earlier request was given, since it was not answered at
 * once. What the store is asked; chat_fetch() then says whether a user's turn waits for it, which
 * chat_append() journals with it, once. The chat has its identity and user, and for chat_fetch()
 * the settings for the link's model. */
void chat_load_fetched(const struct chat *chat, struct slice id, int64_t now, struct load *load);
bool chat_fetch(struct chat *chat, const struct memory_view *view, struct arena *arena);
/* Whether the fetched reply is the answer; it may still be in progress. */
bool chat_is_fetched(const struct reply *reply, bool broke_off);

/* The request goes, or went, without memory after all. */
void chat_bypass(struct chat *chat);

/* Splits the body for the upstream into pieces; returns their number. Without injection these are
 * the client's own bytes. */
size_t chat_splice(const struct chat *chat, const struct slice **pieces, struct arena *arena);

/* Whether a reply with that status and fields can teach anything. */
bool chat_learns_from(const struct chat *chat, int status);

/* Prepares what is journalled. False: nothing is. `append` points into the chat.
 * `broke_off`: the reply did not reach its end. */
bool chat_append(struct chat *chat, const struct reply *reply, bool broke_off, int64_t started_at,
		 int64_t now, struct append *append, struct arena *arena);

/* The estimated tokens of what went upstream, for comparison with the upstream's count; 0: they do
 * not show how its model counts. */
size_t chat_sent_tokens(const struct chat *chat, struct arena *arena);

/* The question, in the form that others than the upstream may see. */
struct slice chat_question_text(const struct chat *chat, struct arena *arena);

/* Whether the user's turns should have vectors. */
bool chat_wants_vectors(const struct chat *chat);

/* How many tokens the cut saves. */
size_t chat_tokens_saved(const struct chat *chat);

/* The receipt, once it is known what is injected; its id is chat->injected.receipt. */
struct receipt chat_receipt(struct chat *chat, struct arena *arena);

#endif
