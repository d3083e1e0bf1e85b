/* Which conversation a request belongs to: the stored one that shares the longest run of assistant
 * turns with the request's history. System text never counts, user texts only break ties. And what
 * an exchange makes of its conversation. */
#ifndef RECALLD_CORE_MEMORY_CONVERSATION_H
#define RECALLD_CORE_MEMORY_CONVERSATION_H

#include "core/memory/exchange.h"

/* One of the request's assistant messages found again in a stored conversation. */
struct answer_hit {
	size_t mark; /* the index of the message among the request's assistant messages */
	uint32_t conversation;
	uint32_t ordinal;  /* of the answer in its conversation; for a message that called tools, of
			      the answer that was still to come */
	bool unfinished;   /* it called tools, or the reply is to continue it */
	bool user_matches; /* the user turn before it is the same too */
	bool followed;     /* conversation_match() sets it, from false: it goes on a run */
};

struct conversation_match {
	uint32_t conversation;  /* 0: none */
	uint32_t first_ordinal; /* of the run's first answer */
	uint32_t next_ordinal;  /* the one after the run's last answer */
	size_t answers;         /* finished ones in the run */
	size_t last_mark;       /* of the run */
};

/* `hits` sorted by mark. A run goes on from one mark to the next when the conversation is the same
 * and the ordinal is the next one (the same one from an unfinished message to its answer). Of
 * equal runs the one with more matching user turns wins, then the later run in the request, then
 * the conversation that began last, then the later place in it. No two hits have the same mark,
 * conversation and ordinal. A run takes O(hits) time, and none is followed from a hit that goes on
 * another; callers bound the hits. */
struct conversation_match conversation_match(struct answer_hit *hits, size_t count);

/* An answer of the request's history, with its user turn, at the place that counting gives it. */
struct carried_exchange {
	uint32_t ordinal;
	uint64_t
		exchange; /* the stored one that it is, whatever became of that; 0: none is known */
};

/* From which ordinal on a history tells for certain what the conversation holds: from the first
 * exchange in it that is known. What stands there and is not carried was left; what stands before
 * it may only have been cut off. `carried` in the order of the request; `next_ordinal` when none is
 * known. */
uint32_t conversation_certain_from(const struct carried_exchange *carried, size_t count,
				   uint32_t next_ordinal);

/* What an appended exchange at `ordinal` makes of its conversation. `branches`: it took something
 * back, so that the conversation ends with it. */
void conversation_advance(struct past_conversation *conversation, const struct append *append,
			  uint32_t ordinal, bool branches);

/* Whether a user turn reads like an edit of another one: at least half of the words of each are in
 * the other. The first 256 words of each are looked at. */
bool conversation_is_edit(struct slice before, struct slice after);

/* Whether a user turn is another one wrapped in something long, as clients do with documents: it
 * contains it and 100 bytes more. */
bool conversation_is_wrapped(struct slice whole, struct slice part);

#endif
