/* A dialect: the wire format in which clients call a model. A row in this table is all that the
 * daemon knows about one; another dialect needs its own files and another row in dialect.c.
 *
 * A dialect says where things are and what they mean. The rest is common: which turn is new, whose
 * words are whose, what goes where (inject.c), the lines of a stream and what of it is held back
 * (reply.c). A dialect keeps no state except struct answer, and allocates only in the arena. It
 * ignores unknown fields, types, blocks and events. */
#ifndef RECALLD_CORE_DIALECT_DIALECT_H
#define RECALLD_CORE_DIALECT_DIALECT_H

#include "core/dialect/answer.h"
#include "core/dialect/request.h"

/* Why a request is answered here, with an error as the whole reply. */
struct refusal {
	int status;
	const char *code;     /* static */
	struct slice message; /* static or in the arena */
};

/* Whether something ends a stream. */
enum terminal {
	TERMINAL_NO,
	TERMINAL_MAYBE, /* it may become the end */
	TERMINAL_YES,
};

/* How much of an event's data is checked to see whether it ends the stream. */
enum { EVENT_HEAD = 128 };

/* The part of a stream's event that has arrived when it is checked for the end of the stream. */
struct event_head {
	struct slice name; /* from its `event:` line; empty: it has none (yet) */
	bool name_may_go_on;
	bool has_data;     /* a `data:` line has begun */
	struct slice data; /* of that line, at most EVENT_HEAD bytes; with REPLY_LINES all of it */
	bool data_may_go_on;
};

struct dialect {
	const char *name;      /* for metrics and the log */
	const char *list;      /* the field that contains a request's steps */
	const char *shape;     /* what a body must have, for the error message: "one "x" array" */
	struct slice paths[2]; /* a POST there, queries apart, is one of its requests */

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

	/* ---- the reply ---- */

	/* How it streams (REPLY_EVENTS or REPLY_LINES), and with which Content-Type. */
	enum reply_format stream_format;
	struct slice stream_type;
	/* Whether an event, as far as it has arrived, ends the stream. Called again when each of
	 * its lines is complete; only then may TERMINAL_YES depend on nothing following. Everything
	 * is held from the first byte of the line that is MAYBE or YES. See event_is_named(). */
	enum terminal (*match_terminal)(const struct event_head *head);
	/* A stream without such an event broke off. If false, some servers omit it. */
	bool needs_end;
	/* Takes the next event (also the last one, if it is JSON): its name from `event:`, or
	 * empty, and its data. Or takes a whole JSON body, without a name. `json` is valid only
	 * during the call. */
	void (*add)(struct answer *answer, struct slice event, struct slice json);
	/* Called once, when the reply is over or abandoned: completes the text and frees
	 * answer->state. May be NULL. */
	void (*end)(struct answer *answer);

	/* ---- our own messages ---- */

	/* `code` may be NULL. */
	void (*error_body)(struct buffer *out, int status, const char *code, struct slice message);
	/* Writes the error as the last event of a stream, which must be at the beginning of an
	 * event. `sequence` is its number: answer->sequence, or 0 if the stream was not read. */
	void (*error_event)(struct buffer *out, int64_t sequence, int status, const char *code,
			    struct slice message);
	/* How a configured key is sent upstream: the header, and what precedes the key in it. */
	struct slice key_header, key_scheme;
};

extern const struct dialect dialect_chat;
extern const struct dialect dialect_responses;
extern const struct dialect dialect_messages;
extern const struct dialect dialect_ollama;

/* match_terminal() for named events: `names` are those that end a stream. If the server sends no
 * `event:` lines, the member "type" of the data is the name, provided that it is in the first
 * EVENT_HEAD bytes and not after an object or a list. */
enum terminal event_is_named(const struct event_head *head, const struct slice *names,
			     size_t count);

/* Whether a member that describes the answer's form asks for one: it is an object of any type but
 * "text", which is the default. */
bool dialect_is_form(struct slice body, struct json_value format);

/* Whether the body of a refusal shows that the provider refuses what it keeps itself: it would
 * refuse the request without memory, too. */
bool refusal_is_of_state(struct slice body);

/* The dialect that takes the request; NULL: none. */
const struct dialect *dialect_of(struct slice method, struct slice path);
/* Finds a dialect by its name. */
const struct dialect *dialect_named(struct slice name);

/* Appends a turn that goes before the steps of a request, followed by a comma: as a message, which
 * looks the same in all dialects. */
void dialect_append_turn(struct buffer *out, enum role role, struct slice text);

/* Renders turns of said_turns.h for injection.turns. */
struct slice dialect_render_turns(struct slice said_turns, struct arena *arena);

/* The dialect for replies to a request that no dialect takes: OpenAI's. */
static inline const struct dialect *dialect_or_usual(const struct dialect *dialect)
{
	return dialect == NULL ? &dialect_chat : dialect;
}

#endif
