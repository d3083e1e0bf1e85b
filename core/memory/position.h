/* Which conversation a request belongs to, where it stands there, and whether that is certain
 * enough to take back what stands there (exchange.h says what a request may take back).
 *
 * The conversation is the stored one that shares the longest run of assistant turns with the
 * request's history. System text never counts; user texts only break ties.
 *
 * The functions are pure. The store reads what position_reads() names, once, and position_find()
 * decides. Exchanges are those of the request's conversation; texts and lists belong to the caller.
 */
#ifndef RECALLD_CORE_MEMORY_POSITION_H
#define RECALLD_CORE_MEMORY_POSITION_H

#include "core/base/ids.h"
#include "core/memory/exchange.h"
#include "core/memory/memory.h"

/* ---- which conversation ---- */

/* One of the request's assistant messages, found in a stored conversation. */
struct answer_hit {
	size_t mark; /* the index of the message among the request's assistant messages */
	uint32_t conversation;
	uint32_t ordinal;  /* the answer's, in its conversation; for a message that called tools,
			      that of the answer still to come */
	bool unfinished;   /* it called tools, or the reply is to continue it */
	bool user_matches; /* the user turn before it is the same too */
	bool followed;     /* it continues a run; conversation_match() sets it, from false */
};

struct conversation_match {
	uint32_t conversation;  /* 0: none */
	uint32_t first_ordinal; /* the ordinal of the run's first answer */
	uint32_t next_ordinal;  /* the ordinal after the run's last answer */
	size_t answers;         /* finished answers in the run */
	size_t last_mark;       /* the mark of the run's last hit */
};

/* `hits` must be sorted by mark, and no two may share mark, conversation and ordinal. A run
 * continues from one mark to the next if the conversation is the same and the ordinal is the next
 * one (or the same one, from an unfinished message to its answer). Among equally long runs, the one
 * with more matching user turns wins, then the later run in the request, then the conversation that
 * began last, then the later place in it. A run takes O(hits) time, and a hit that continues a run
 * starts none; callers bound the hits. */
struct conversation_match conversation_match(struct answer_hit *hits, size_t count);

/* The ordinal from which a history shows for certain what the conversation holds: that of its first
 * known exchange; `next_ordinal` if none is known. An exchange from there on that is not carried
 * was left behind; one before it may only have been cut off. `carried` has the exchanges of the
 * history, in its order, at the ordinals that counting gives them; one with the id 0 is not known.
 */
uint32_t conversation_certain_from(struct past_exchanges carried, uint32_t next_ordinal);

/* Updates the conversation for an exchange appended at `ordinal`. `branches`: it took something
 * back, so the conversation ends with it. */
void conversation_advance(struct past_conversation *conversation, const struct append *append,
			  uint32_t ordinal, bool branches);

/* Whether a user turn reads like an edit of another: at least half of the words of each are in the
 * other. Only the first 256 words of each are compared. */
bool conversation_is_edit(struct slice before, struct slice after);

/* Whether a user turn is another one wrapped in something long, as clients do with documents: it
 * contains the other one and at least 100 bytes more. */
bool conversation_is_wrapped(struct slice whole, struct slice part);

/* ---- what stands where ---- */

/* The newest exchange at an ordinal, in this state, whose user turn has this hash. NULL: there is
 * none, or the hash is 0. */
const struct past_exchange *exchanges_find(struct past_exchanges in, uint32_t ordinal,
					   uint64_t user_hash, enum turn_state state);
/* Finds it in any state, preferring a current exchange to a superseded or hidden one. */
const struct past_exchange *exchanges_find_any(struct past_exchanges in, uint32_t ordinal,
					       uint64_t user_hash);
/* The newest current exchange at an ordinal whose user turn is the newest turn in another wrapping:
 * the client put a document around its text. */
const struct past_exchange *exchanges_find_wrapped(struct past_exchanges in, uint32_t ordinal,
						   struct slice newest);

/* Whether the request is the first of a client that names no session: it may continue with a first
 * turn whose reply broke off, see below. */
bool load_begins_anew(const struct load *load);
/* Whether such a request may ask this conversation again, within the hour. Its only turn must be
 * the same. */
bool conversation_may_be_asked_again(const struct past_conversation *conversation,
				     const struct load *load);

/* ---- going on from a reply ---- */

/* How long a user's turn waits for its answer. */
enum { LINK_PENDING_MS = 24 * 60 * 60 * 1000 };
/* Whether the request brings no user turn of its own, and goes on with the one whose reply called
 * tools. */
bool load_goes_on(const struct load *load, const struct chain_link *link);
/* The part of memory to load: the linked turn, if the request continues from it. */
struct load load_going_on(const struct load *load, const struct chain_link *link);

/* ---- where in it ---- */

/* The request, and what the store knows of its conversation. */
struct position_known {
	const struct load *load;
	uint32_t conversation_id; /* 0: a new conversation, of which nothing else is known */
	struct past_conversation conversation;
	struct conversation_match match; /* of its history with the conversation's answers */
	const struct chain_link *link;   /* the reply that it goes on from; NULL: none is known */
	/* Read if position_reads() names them. */
	struct past_exchanges asked; /* all, in any order; only ordinal and user_hash count */
	uint32_t first; /* the first ordinal at which something stands; UINT32_MAX: none */
	struct past_exchanges at_first;
	struct past_exchanges at_begin; /* at ordinal 0 */
};

enum position_reads {
	/* `asked`: for a session's history in which memory knows no answer, because they were
	 * edited or said while memory was off, or knows only the older ones. */
	POSITION_READS_ASKED = 1 << 0,
	/* `first` and the exchanges there and at 0: for a request without any answer that may ask
	 * the conversation's first turn. Its ordinal is not 0 when what stood there was taken back
	 * later. */
	POSITION_READS_FIRST = 1 << 1,
};
/* The records that position_find() needs beyond the conversation, its match and the link: bits of
 * enum position_reads. */
unsigned position_reads(const struct position_known *known);

struct position {
	uint32_t next_ordinal; /* of the exchange that the request begins */
	uint32_t carried_from; /* it carries the turns from here on; UINT32_MAX: none of them */
	bool is_linked;        /* the reply that it goes on from tells it for certain */
	/* The request may take something back: its history was found where its answers count to, or
	 * it asks the first turn of a conversation that carried answers before. Other answers may
	 * follow the last one that memory knows, unless one of their user turns stands elsewhere,
	 * as in a history whose middle was left out. The two below are false unless it may. */
	bool is_certain;
	/* The history may differ from what stands. Most requests carry it unchanged, and there is
	 * nothing to look for. */
	bool may_differ;
	/* The first turn was edited before there was any history: when a client resends it then, it
	 * sends only the one answer that it kept. */
	bool was_first_edited;
	/* The exchanges from this ordinal to next_ordinal are worth comparing with the request. */
	uint32_t compared_from;
};

/* Counts from the reply that the request goes on from, if that is of the conversation; else from
 * the last answer that is found again; else from the newest user turn that was said once; else by
 * the number of answers. */
struct position position_find(const struct position_known *known);

/* The exchange at the request's position that asks the same; NULL: none. `there` holds the
 * exchanges at its ordinal. */
const struct past_exchange *position_same_exchange(const struct position *position,
						   const struct load *load,
						   struct past_exchanges there);

/* ---- branches: what a request takes back when it continues from an older place ---- */

/* An answer carried in a request's history. */
struct carried_answer {
	uint64_t id;       /* the answer's turn */
	uint64_t standing; /* the answer that its exchange shows now, usually this one; 0: none */
};

/* Lists of exchanges and answers, by the ids of their turns, in the arena of the calls that add to
 * them. The caller fills in what the request keeps and carries; the functions below fill in the
 * rest. */
struct branch {
	struct id_list kept;
	struct id_list carried;  /* answers of kept exchanges that the history carries */
	struct id_list taken;    /* exchanges that stand and are not kept, forgotten ones too */
	struct id_list returned; /* kept exchanges that were taken back */
	struct id_list shown;    /* carried answers that another one has replaced */
	struct id_list gone; /* all turns that no longer stand when the branch is done, sorted */
	/* The lowest id of a turn whose text goes or comes back; 0: there is none. A
	 * summary that covers it may contain what is taken, or lack what comes back. */
	uint64_t first_turn;
};

/* Lists the kept exchanges that return; `kept` are exchanges of the conversation. Returns the
 * ordinal from which to search the conversation for exchanges to take back: `from`, or that of the
 * first exchange that returns. */
uint32_t branch_find_returned(struct branch *branch, const struct past_exchange *kept, size_t count,
			      uint32_t from, struct arena *arena);

/* Lists which of the conversation's `exchanges` from that ordinal on are taken, which answers are
 * shown, and thus which turns are gone. True: the branch changes something. */
bool branch_find_taken(struct branch *branch, struct past_exchanges exchanges,
		       const struct carried_answer *carried, size_t carried_count,
		       struct arena *arena);

/* Whether an exchange stands when the branch is done, with its texts. */
bool branch_lets_stand(const struct branch *branch, const struct past_exchange *exchange);

#endif
