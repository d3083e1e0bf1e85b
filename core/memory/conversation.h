/* Finds the conversation that a request belongs to: the stored one that shares the longest run of
 * assistant turns with the request's history. System text never counts; user texts only break ties.
 * Also says what an exchange makes of its conversation. */
#ifndef RECALLD_CORE_MEMORY_CONVERSATION_H
#define RECALLD_CORE_MEMORY_CONVERSATION_H

#include "core/memory/exchange.h"

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

/* An answer of the request's history with its user turn, at the place that counting gives it. */
struct carried_exchange {
	uint32_t ordinal;
	uint64_t exchange; /* the stored exchange that it is, in whatever state; 0: unknown */
};

/* The ordinal from which a history shows for certain what the conversation holds: that of its first
 * known exchange; `next_ordinal` if none is known. An exchange from there on that is not carried
 * was left behind; one before it may only have been cut off. `carried` is in the order of the
 * request. */
uint32_t conversation_certain_from(const struct carried_exchange *carried, size_t count,
				   uint32_t next_ordinal);

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

#endif
