/* What an answer adds up to: gathered from one chat completion object, or from a stream's chunks
 * one after the other. For core/reply alone. */
#ifndef RECALLD_CORE_DIALECT_REPLY_ANSWER_H
#define RECALLD_CORE_DIALECT_REPLY_ANSWER_H

#include "core/base/bytes.h"

/* A model that calls more tools at once, or gives one a longer id, is not known again by their ids.
 */
enum { ANSWER_MAX_TOOL_CALLS = 256, ANSWER_MAX_TOOL_CALL_ID = 16 * 1024 };

struct answer_tool_call {
	int64_t index;
	struct slice id; /* in the answer's arena; may be empty */
};

struct answer {
	struct buffer text; /* what does not fit is dropped, and `overflowed` set */
	struct buffer refusal;
	char half[6]; /* the escape of half a character that the text ends in; else begins with 0 */
	struct arena arena;
	struct answer_tool_call *tool_calls; /* ordered by index */
	size_t tool_call_count;
	bool has_tool_calls;
	bool has_choice;       /* choice 0 was seen */
	bool has_delta;        /* text came piece by piece */
	bool finished;         /* choice 0 had a finish_reason */
	bool failed;           /* an `error` was seen */
	bool unreadable;       /* something was no JSON object */
	int64_t prompt_tokens; /* -1: unknown */
	int64_t cached_tokens;
};

void answer_init(struct answer *answer, size_t limit);
void answer_finish(struct answer *answer);

/* Takes a completion object or the next chunk. */
void answer_add(struct answer *answer, struct slice json);
/* step_hash_call() over the ids; 0 without any. */
uint64_t answer_tool_calls_hash(const struct answer *answer);

#endif
