/* How much of the beginning of a long conversation's history may be taken out of a request (history
 * = trim). The history is everything before the newest user turn except what stays: system
 * messages, which memory never holds. Its tokens are estimated: those of each message's text and
 * tool calls, 4 for its frame, and 800 for each part that is not text, such as an image. */
#ifndef RECALLD_CORE_CHAT_HISTORY_H
#define RECALLD_CORE_CHAT_HISTORY_H

#include "core/dialect/request.h"

struct history_limits {
	size_t tokens;     /* the longest history, in estimated tokens */
	uint32_t ordinal;  /* the ordinal where the history begins in the stored conversation */
	uint32_t covered;  /* the first ordinal that may not be taken out: memory holds only what
			    * is before it */
	uint32_t standing; /* the ordinal where the last cut ended; 0: there was none */
	const uint32_t *fixed; /* not NULL: end the cut at this ordinal; 0: make none */
};

struct history_cut {
	size_t first, end;   /* take out messages [first, end) but those that stay; equal: none */
	uint32_t cut_before; /* the ordinal of the exchange at `end`; 0: nothing is taken out */
	size_t tokens;       /* estimated tokens taken out */
	size_t total;        /* estimated tokens of the whole history */
	bool falls_short;    /* more should be taken out but is not covered yet */
};

/* Chooses what to take out: nothing until the history exceeds limits->tokens; then as many thirds
 * of the limit, counted from the history's beginning, as leave at most two thirds. The last third
 * is for what memory puts in their place. So a cut stands until the history has grown by another
 * third. A standing cut that still leaves no more than that stays even if the limit changes, which
 * follows the model's own token counts. Exchanges that are not covered or not answered yet wait for
 * a later request. The cut ends before a user message whose predecessors are answered, so tool
 * groups stay whole. */
struct history_cut history_choose_cut(const struct request *request,
				      const struct history_limits *limits, struct arena *arena);

#endif
