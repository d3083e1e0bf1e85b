/* A dialect: the wire format in which clients ask a model. All that the daemon knows of one is in
 * its row here; another dialect is another file beside chat.c and another row in dialect.c. */
#ifndef RECALLD_CORE_DIALECT_DIALECT_H
#define RECALLD_CORE_DIALECT_DIALECT_H

#include "core/dialect/request.h"

/* Where the block goes when no step carries it: with what surrounds its text, which is the inside
 * of a JSON string. */
struct block_place {
	size_t offset;
	struct slice before, behind;
};

/* Whether something is the end of a stream. */
enum terminal {
	TERMINAL_NO,
	TERMINAL_MAYBE, /* a beginning of it */
	TERMINAL_YES,
};

struct answer;

struct dialect {
	const char *name;
	/* Whether a request of that method and path is one of this dialect. */
	bool (*takes)(struct slice method, struct slice path);

	/* ---- the request ---- */

	/* Scans `body`, which must outlive the result. */
	enum request_verdict (*scan)(struct request *request, struct slice body,
				     struct arena *arena);
	/* As request_find_text(). */
	bool (*find_text)(struct slice body, struct json_value part, struct json_value *text);
	/* A text part but for its text, with the comma before it and the one behind it. */
	struct slice part_before, part_behind;
	/* For a block that goes before step `first`, which is not the user's to carry. */
	struct block_place (*make_place)(const struct request *request, enum placement placement,
					 size_t first);
	/* Appends a turn that goes before the steps of the request, with what parts it from them.
	 */
	void (*append_turn)(struct buffer *out, enum role role, struct slice text);

	/* ---- the reply ---- */

	/* Takes the data of the next event, or a whole JSON body. */
	void (*add)(struct answer *answer, struct slice json);
	/* Whether the data of a line ends the stream, of which no more than this may have come. */
	enum terminal (*match_terminal)(struct slice data);

	/* ---- what we say ourselves ---- */

	/* `code` may be NULL. */
	void (*error_body)(struct buffer *out, int status, const char *code, struct slice message);
	/* The same as the last event of a stream. */
	void (*error_event)(struct buffer *out, int status, const char *code, struct slice message);
	/* How a configured key goes upstream: the header, and what stands before the key in it. */
	struct slice key_header, key_scheme;
};

extern const struct dialect dialect_chat;

/* The dialect that takes the request; NULL: none. */
const struct dialect *dialect_of(struct slice method, struct slice path);

/* Turns of said_turns.h as injection.turns. */
struct slice dialect_render_turns(const struct dialect *dialect, struct slice said_turns,
				  struct arena *arena);

/* How a request is answered that no dialect takes: as OpenAI's API would. */
static inline const struct dialect *dialect_or_usual(const struct dialect *dialect)
{
	return dialect == NULL ? &dialect_chat : dialect;
}

#endif
