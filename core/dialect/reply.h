/* Extracts the assistant's text from a reply while its bytes pass.
 *
 * A reader is fed the reply's bytes in pieces of any size and changes none of them. It also says
 * how many of these bytes must not be passed on before the exchange is on disk: those from the
 * first byte of the line with which the event that ends the stream begins, or may begin.
 * Server-sent events are read as in the WHATWG HTML standard, section 9.2: lines end in LF, CR or
 * CRLF, a leading byte order mark is skipped, lines that begin with a colon are comments. The
 * dialect knows what an event says, and which one ends the stream. */
#ifndef RECALLD_CORE_DIALECT_REPLY_H
#define RECALLD_CORE_DIALECT_REPLY_H

#include "core/dialect/answer.h"

struct dialect;
struct reply_reader;

/* `limit` bounds what is kept of the reply; text beyond it is dropped, and the reply is marked
 * truncated. */
struct reply_reader *reply_reader_create(const struct dialect *dialect, enum reply_format format,
					 size_t limit);
void reply_reader_destroy(struct reply_reader *reader); /* NULL is fine */

/* Takes the next bytes of the reply. Returns how many of the last bytes fed so far (over all calls)
 * must be held back; 0: none. For REPLY_JSON: always 1 after the first byte. Once the event that
 * ends the stream has begun, everything from its first byte on is held. The space after "data:" may
 * be missing. */
size_t reply_read(struct reply_reader *reader, struct slice bytes);

/* Whether the event that ends the stream was seen: the answer is over, although bytes may
 * follow. */
bool reply_is_done(const struct reply_reader *reader);

/* The number of the stream's next event, in a dialect that numbers them. */
int64_t reply_next_sequence(const struct reply_reader *reader);

struct reply {
	struct slice text; /* the answer, or the model's refusal; owned by the reader */
	struct slice id;   /* that later requests may continue from; empty: unknown */
	/* step_hash_call() over the id of the item by which requests may name the answer, or the
	 * calls, instead of repeating it; 0: none. */
	uint64_t item_hash;
	enum reply_end end;
	bool finished;   /* the answer said that it ended, or a JSON reply was whole */
	bool done;       /* the event that ends the stream was seen */
	bool failed;     /* an `error` came instead of, or within, the answer */
	bool unreadable; /* not JSON, or neither an answer nor an error in a JSON reply */
	bool truncated; /* larger than the limit (nothing of a JSON reply was read), or an event was
			   too large to be read */
	bool has_tool_calls;
	uint64_t tool_calls_hash; /* step_hash_call() over the ids, ordered by index */
	int64_t prompt_tokens;    /* the request's size as counted upstream; -1: unknown */
	int64_t cached_tokens;    /* of these, found in the provider's cache; -1: unknown */
};

/* Returns what was read. Call it when the reply is over: it parses a JSON reply, and the rest of a
 * stream without its last line break, if that is complete. The result is valid until the reader is
 * destroyed. */
struct reply reply_result(struct reply_reader *reader);

#endif
