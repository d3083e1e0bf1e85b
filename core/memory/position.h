/* Where a request stands in its conversation, and whether that is certain enough to take back what
 * stands there (view.h says what a request may take back).
 *
 * The functions take exchanges of the request's conversation, at the ordinals they ask about, and
 * the places of all the conversation's user turns. Texts and lists belong to the caller. */
#ifndef RECALLD_CORE_MEMORY_POSITION_H
#define RECALLD_CORE_MEMORY_POSITION_H

#include "core/memory/conversation.h"
#include "core/memory/view.h"

struct user_turn_place {
	uint64_t user_hash; /* text_hash() of the user turn's own text; 0: none */
	uint32_t ordinal;
};

/* In any order. */
struct user_turn_places {
	const struct user_turn_place *places;
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
/* Where a user turn stands, if it was said at one place only. False: nowhere, or at several
 * places. */
bool places_find_only(struct user_turn_places in, uint64_t user_hash, uint32_t *ordinal);

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

/* What counting and matching say about the place. */
struct request_position {
	uint32_t next_ordinal; /* of the exchange that the request begins */
	uint32_t carried_from; /* it carries the turns from here on; UINT32_MAX: none of them */
	size_t answers_sent;   /* in its history; tool calls are none */
	bool is_anchored;      /* its history is found where its answers are counted to be */
	bool is_first;         /* it asks the first turn, again or in other words */
	bool is_linked;        /* the reply that it goes on from tells it for certain */
};

/* Whether position_count() needs the places of the user turns: for a session's history in which
 * memory knows no answer, because they were edited or said while memory was off. */
bool position_needs_places(const struct load *load, const struct conversation_match *match);
/* Counts from the last answer that is found again; else from the newest user turn that was said
 * once; else by the number of answers. `places` may be empty unless position_needs_places(). */
void position_count(struct request_position *position, const struct load *load,
		    const struct past_conversation *conversation,
		    const struct conversation_match *match, struct user_turn_places places);

/* Places the request behind the reply that it goes on from, if that is of the conversation; all
 * that came before is carried by the provider. */
void position_follow(struct request_position *position, uint32_t conversation,
		     const struct chain_link *link);

/* Whether a request without any answer may ask the conversation's first turn: position_try_first()
 * is then called for the first ordinal at which something stands, and after it for 0. Its place is
 * not 0 when what stood there was taken back later. */
bool position_may_be_first(const struct request_position *position, const struct load *load,
			   const struct past_conversation *conversation,
			   const struct conversation_match *match);
/* Places the request there if it asks the turn again or rewords it. False: it does neither. */
bool position_try_first(struct request_position *position, const struct load *load,
			const struct past_conversation *conversation, uint32_t ordinal,
			struct past_exchanges there);

/* ---- what it takes back ---- */

/* Whether the place may be certain, so that position_is_certain() is worth asking. */
bool position_may_be_certain(const struct load *load);
/* Whether there are answers after the last one found again: only then are places needed. */
bool position_has_unmatched(const struct load *load, const struct conversation_match *match);
/* Whether the place is certain, so that the request may take something back: its history was found
 * where its answers count to, or it asks the first turn of a conversation that carried answers
 * before. Other answers may follow the last one that memory knows, unless one of their user turns
 * stands elsewhere, as in a history whose middle was left out. */
bool position_is_certain(struct request_position *position, const struct load *load,
			 const struct past_conversation *conversation,
			 const struct conversation_match *match, struct user_turn_places places);

/* The exchange at the request's place that asks the same; NULL: none. */
const struct past_exchange *position_same_exchange(const struct request_position *position,
						   const struct load *load, bool is_certain,
						   struct past_exchanges there);

/* Whether the history may differ from what stands. Most requests carry it unchanged, and there is
 * nothing to look for. */
bool position_may_differ(const struct request_position *position,
			 const struct past_conversation *conversation,
			 const struct conversation_match *match);
/* Whether the first turn was edited before there was any history: when a client resends it then, it
 * sends only the one answer that it kept. */
bool position_was_first_edited(const struct request_position *position,
			       const struct past_conversation *conversation,
			       const struct conversation_match *match);
/* The ordinal of the history's oldest answer, counted back from the newest, that the conversation
 * can hold. What position_may_differ() looks for stands between it and next_ordinal. */
uint32_t position_oldest_carried(const struct request_position *position, const struct load *load);

#endif
