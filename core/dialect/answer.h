/* An answer, gathered from one JSON object or from the events of a stream. core/dialect/reply.c
 * owns it, the dialects fill it. */
#ifndef RECALLD_CORE_DIALECT_ANSWER_H
#define RECALLD_CORE_DIALECT_ANSWER_H

#include "core/base/bytes.h"
#include "core/json/json.h"

/* An answer with more tool calls, or with a longer id, is not recognized again by its ids. */
enum { ANSWER_MAX_TOOL_CALLS = 256, ANSWER_MAX_TOOL_CALL_ID = 16 * 1024 };
/* A reply with a longer id has none. */
enum { ANSWER_MAX_ID = 512 };

struct answer_tool_call {
	int64_t index;
	struct slice id; /* in the answer's arena; may be empty */
};

enum reply_format {
	REPLY_JSON,   /* one JSON object */
	REPLY_EVENTS, /* text/event-stream */
	REPLY_LINES,  /* a JSON object in each line (NDJSON) */
};

/* How an answer ended, unless it is plainly an answer or a call for tools. */
enum reply_end {
	END_PLAIN,   /* or a call for tools, if has_tool_calls says so */
	END_PAUSED,  /* the model continues in the next reply, once this one was sent back to it */
	END_PENDING, /* the answer is fetched later by the reply's id */
	END_REFUSED, /* neither the answer nor its question is to be remembered */
	END_RETRIED, /* likewise; the client may send the same request to another model */
	END_NOTHING, /* not an answer to the user: a compaction */
};

/* The escape of half a character in which a text ends so far; otherwise begins with 0. */
struct answer_half {
	char escape[6];
};

struct answer {
	struct buffer text; /* what does not fit is dropped, and `overflowed` set */
	struct buffer refusal;
	struct answer_half half; /* of the text */
	struct arena arena;
	struct answer_tool_call *tool_calls; /* ordered by index */
	size_t tool_call_count;
	bool has_tool_calls;
	bool has_answer;   /* there is one */
	bool is_in_pieces; /* text came piece by piece */
	bool finished;     /* it said that it ended */
	bool failed;       /* an `error` was seen */
	bool unreadable;   /* something was not a JSON object */
	enum reply_end end;
	int64_t prompt_tokens; /* -1: unknown */
	int64_t cached_tokens;
	struct buffer id;   /* the reply's; empty: unknown */
	uint64_t item_hash; /* reply.item_hash */
	int64_t sequence;   /* the number of the stream's next event, if they are numbered */
	void *state;        /* the dialect's own; in the arena, or freed by dialect->end() */
};

void answer_init(struct answer *answer, size_t limit);
void answer_finish(struct answer *answer);

/* Picks the members of a JSON object, as json_scan_and_pick() does. False: it is none, and the
 * answer unreadable. */
bool answer_scan(struct answer *answer, struct slice json, const char *const *names, size_t count,
		 struct json_value *values);
/* Whether a member says something: some servers write "" where others write null. */
bool answer_is_said(struct json_value value);

/* Drops what does not fit, up to the end of a character, and takes nothing more. */
void answer_add_text(struct buffer *buffer, struct slice text);
/* Adds a whole string of the document `json`. */
void answer_add_string(struct buffer *buffer, struct slice json, struct json_value string);
/* Adds a piece of a text; half a character at its end waits for the other half. */
void answer_add_piece(struct buffer *buffer, struct answer_half *half, struct slice json,
		      struct json_value string);
/* The reply's id, if it is a string; it replaces one that came before. */
void answer_set_id(struct answer *answer, struct slice json, struct json_value string);
/* Notes what the request's tokens were. `names`: of their member, and of that with details. */
void answer_note_usage(struct answer *answer, struct slice json, struct json_value usage,
		       const char *const names[2]);
/* Adds a tool call or a fragment of one, in which the id may be missing. `index` NULL: the call
 * with this id, otherwise the next one. */
void answer_add_call(struct answer *answer, const int64_t *index, struct slice id);
/* step_hash_call() over the ids; 0 if there are none. */
uint64_t answer_tool_calls_hash(const struct answer *answer);

#endif
