/* A dialect: the wire format in which clients ask a model. All that the daemon knows of one is in
 * its row here; another dialect is other files beside chat*.c and another row in dialect.c.
 *
 * A dialect says where things lie and what they mean. What is done with them is common: which turn
 * is new, whose words they are, what rides where (inject.c), the lines of a stream and what of it
 * is held back (reply.c). It keeps no state but struct answer, and allocates in the arena alone.
 * Fields, types, blocks and events that it does not know change nothing. */
#ifndef RECALLD_CORE_DIALECT_DIALECT_H
#define RECALLD_CORE_DIALECT_DIALECT_H

#include "core/dialect/answer.h"
#include "core/dialect/request.h"

/* Whether something is the end of a stream. */
enum terminal {
	TERMINAL_NO,
	TERMINAL_MAYBE, /* a beginning of it */
	TERMINAL_YES,
};

/* So much of an event's data is looked at to see whether it ends the stream. */
enum { EVENT_HEAD = 128 };

/* As much of a stream's event as has come when it is to be told whether it ends the stream. */
struct event_head {
	struct slice name; /* of its `event:` line; empty: it has none (yet) */
	bool name_may_go_on;
	bool has_data;     /* a `data:` line has begun */
	struct slice data; /* of that line, at most EVENT_HEAD bytes; of REPLY_LINES all of it */
	bool data_may_go_on;
};

struct dialect {
	const char *name;  /* for metrics and the log */
	const char *list;  /* the field in which a request has its steps */
	const char *shape; /* what a body must have, for the error message: "one "x" array" */
	/* Whether a request of that method and path (without a query) is one of this dialect. */
	bool (*takes)(struct slice method, struct slice path);

	/* ---- the request ---- */

	/* Scans `body`, which must outlive the result, and fills all of `request`: the steps and
	 * texts (gather.h) in the order of the conversation, and for the rest what request.h says.
	 * What stands at its zero value:
	 *   steps, texts   tool results are texts of STEP_TOOLS (they are counted, never learned);
	 *                  text parts that the client calls its own are marked is_programs
	 *   places         zero: the block goes before the user's text (BLOCK_WITH_USER).
	 *                  `before` holds the "\n\n", comma or field name as the place needs it
	 *   takes_turns    false: no buffered turns (the provider has the history)
	 *   lone_text      empty: steps are elements of a list
	 *   beside         SIZE_MAX where the upstream's count tells nothing
	 * On REQUEST_FOREIGN it sets what it can (the model, the user). */
	enum request_verdict (*scan)(struct request *request, struct slice body,
				     struct arena *arena);
	/* Appends a turn that goes before the steps of the request, with the comma behind it. */
	void (*append_turn)(struct buffer *out, enum role role, struct slice text);

	/* ---- the reply ---- */

	/* How it streams: REPLY_EVENTS or REPLY_LINES, and under which Content-Type. */
	enum reply_format stream_format;
	struct slice stream_type;
	/* Whether an event, as far as it has come, ends the stream. Called once more as each of its
	 * lines has come whole; only then may TERMINAL_YES depend on nothing following. From the
	 * first byte of the line that is MAYBE or YES on everything is held. See event_is_named().
	 */
	enum terminal (*match_terminal)(const struct event_head *head);
	/* A stream without such an event broke off. Else some servers leave it out. */
	bool needs_end;
	/* Takes the next event, the last one too if it is JSON: its name as `event:` has it, empty
	 * without, and its data. Or a whole JSON body, without a name. `json` goes with the call.
	 */
	void (*add)(struct answer *answer, struct slice event, struct slice json);
	/* Once, when the reply is over or given up: puts text together and frees answer->state.
	 * May be NULL. */
	void (*end)(struct answer *answer);

	/* ---- what we say ourselves ---- */

	/* `code` may be NULL. */
	void (*error_body)(struct buffer *out, int status, const char *code, struct slice message);
	/* The same as the last event of a stream, which stands at the beginning of an event.
	 * `sequence` is its number: answer->sequence, 0 when the stream was not read. */
	void (*error_event)(struct buffer *out, int64_t sequence, int status, const char *code,
			    struct slice message);
	/* How a configured key goes upstream: the header, and what stands before the key in it. */
	struct slice key_header, key_scheme;
};

extern const struct dialect dialect_chat;
extern const struct dialect dialect_responses;
extern const struct dialect dialect_messages;
extern const struct dialect dialect_ollama;

/* match_terminal() for events that have names: `names` are those that end a stream. Where the
 * server sends no `event:` lines, the data's member "type" is the name, if it stands in the first
 * EVENT_HEAD bytes and not behind an object or a list. */
enum terminal event_is_named(const struct event_head *head, const struct slice *names,
			     size_t count);

/* Whether a provider refuses a request, by the body of its reply, for what it keeps itself: it
 * would refuse it without memory, too. */
bool refusal_is_of_state(struct slice body);

/* The dialect that takes the request; NULL: none. */
const struct dialect *dialect_of(struct slice method, struct slice path);
/* The same by its name. */
const struct dialect *dialect_named(struct slice name);

/* Turns of said_turns.h as injection.turns. */
struct slice dialect_render_turns(const struct dialect *dialect, struct slice said_turns,
				  struct arena *arena);

/* How a request is answered that no dialect takes: as OpenAI's API would. */
static inline const struct dialect *dialect_or_usual(const struct dialect *dialect)
{
	return dialect == NULL ? &dialect_chat : dialect;
}

#endif
