/* The history of a long conversation, and how much of its beginning may be taken out of a request
 * (history = trim). The history is all that comes before the newest user turn, but the leading
 * system messages. Its tokens are estimated: those of each message's text and tool calls, 4 for
 * what frames it, and 800 for each part that is no text, an image say. */
#ifndef RECALLD_CORE_CONTEXT_HISTORY_H
#define RECALLD_CORE_CONTEXT_HISTORY_H

#include "core/dialect/request.h"

struct history_limits {
	size_t tokens;         /* the history may be so long, estimated */
	uint32_t ordinal;      /* where the history begins in the stored conversation... */
	uint32_t covered;      /* ...and only exchanges before this ordinal may be taken out: memory
				  holds them */
	uint32_t standing;     /* the ordinal that the last cut ended at; 0: there was none */
	const uint32_t *fixed; /* not NULL: the cut is to end at this ordinal; 0: none is made */
};

struct history_cut {
	size_t first, end;   /* messages [first, end) are to be taken out; equal: none */
	uint32_t cut_before; /* the ordinal of the exchange at `end`; 0: nothing is taken out */
	size_t tokens;       /* what is taken out, estimated */
	size_t total;        /* tokens of the whole history, estimated */
	bool falls_short;    /* more was to be taken out, but is not covered yet */
};

/* What is to be taken out. Nothing until the history passes limits->tokens; then so many thirds of
 * the limit, counted from the history's beginning, as leave at most two of them: the last third is
 * for what memory puts in their place. So the same cut stands until the history has grown by
 * another third. A standing one that still leaves no more than that stays whatever became of the
 * limit, which follows what the model counts. Exchanges that are not covered yet, or not answered,
 * wait for a later request; a system message in the midst of the history, which memory never holds,
 * stays with all that follows it. The cut ends before a user message whose predecessors are
 * answered, so tool groups stay whole. */
struct history_cut history_choose_cut(const struct request *request,
				      const struct history_limits *limits, struct arena *arena);

#endif
