/* Where a request stands in its conversation, and whether that is certain enough to take back what
 * stands there (view.h says what a request may take back).
 *
 * The functions are pure. The store reads what position_reads() names, once, and position_find()
 * decides. Exchanges are those of the request's conversation; texts and lists belong to the caller.
 */
#ifndef RECALLD_CORE_MEMORY_POSITION_H
#define RECALLD_CORE_MEMORY_POSITION_H

#include "core/memory/conversation.h"
#include "core/memory/view.h"

/* A user turn of the conversation. */
struct asked_turn {
	uint64_t user_hash; /* text_hash() of its own text; 0: none */
	uint32_t ordinal;
};

/* All of them, in any order. */
struct asked_turns {
	const struct asked_turn *turns;
	size_t count;
};

/* ---- what stands where ---- */

/* The newest exchange at an ordinal, in this state, whose user turn has this hash. NULL: there is
 * none, or the hash is 0. */
const struct past_exchange *exchanges_find(struct past_exchanges in, uint32_t ordinal,
					   uint64_t user_hash, enum turn_state state);
/* The same in any state, preferring a current exchange to a superseded or hidden one. */
const struct past_exchange *exchanges_find_any(struct past_exchanges in, uint32_t ordinal,
					       uint64_t user_hash);
/* The newest current exchange at an ordinal whose user turn is the newest turn in another wrapping:
 * the client put a document around its text. */
const struct past_exchange *exchanges_find_wrapped(struct past_exchanges in, uint32_t ordinal,
						   struct slice newest);

/* ---- which conversation ---- */

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
/* What the request asks for: that turn, if it goes on with it. */
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
	struct asked_turns asked;
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
/* What position_find() needs beyond the conversation, its match and the link: bits of enum
 * position_reads. */
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

#endif
