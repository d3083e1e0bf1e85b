/* The history of a long conversation, and how much of its beginning may be taken out of a request
 * (history = trim). */
#ifndef RECALLD_CORE_HISTORY_H
#define RECALLD_CORE_HISTORY_H

#include "core/request.h"

struct history_limits {
	size_t tokens;    /* the history may be so long, estimated */
	uint32_t ordinal; /* of the conversation's exchange that the first user turn begins... */
	uint32_t covered; /* ...and only exchanges before this ordinal may be taken out: memory
			     holds them */
};

struct history_cut {
	size_t first, end;   /* messages [first, end) are to be taken out; equal: none */
	uint32_t cut_before; /* the ordinal of the exchange at `end`; 0: nothing is taken out */
	size_t tokens;       /* what is taken out, estimated */
	size_t total;        /* tokens of the whole history, estimated */
};

/* What is to be taken out. Nothing until the history passes limits->tokens; then so many thirds of
 * the limit as bring it under it again, counted from the history's beginning, so that the same cut
 * stands until the history has grown by another third. Leading system messages stay; the cut ends
 * before a user message, so tool groups stay whole; the newest user turn and what follows it
 * always stays. */
struct history_cut history_choose_cut(const struct chat_request *request,
				      const struct history_limits *limits, struct arena *arena);

#endif
