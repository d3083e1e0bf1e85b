/* The assistant's text out of a reply, read as its bytes pass by.
 *
 * A reader is fed the reply's bytes however they are torn and changes none of them. It also says
 * how many of the bytes it has seen must not be passed on before the exchange is on disk: from the
 * first byte of the line with which the event that ends the stream begins, or may begin.
 * Server-sent events are read as in the WHATWG HTML standard, section 9.2: lines end in LF, CR or
 * CRLF, a leading byte order mark is skipped, lines that begin with a colon are comments. What an
 * event says, and which ends the stream, is the dialect's. */
#ifndef RECALLD_CORE_DIALECT_REPLY_H
#define RECALLD_CORE_DIALECT_REPLY_H

#include "core/dialect/answer.h"

struct dialect;
struct reply_reader;

/* `limit` bounds what is kept of the reply; text beyond it is dropped and the reply marked
 * truncated. */
struct reply_reader *reply_reader_create(const struct dialect *dialect, enum reply_format format,
					 size_t limit);
void reply_reader_destroy(struct reply_reader *reader); /* NULL is fine */

/* Takes the next bytes of the reply. Returns how many of the last bytes fed so far (over all calls)
 * must be held back; 0 when all may go. For REPLY_JSON: always 1 once a byte has come. Once the
 * event that ends the stream began, everything from its first byte on counts. The space behind
 * "data:" may be missing. */
size_t reply_read(struct reply_reader *reader, struct slice bytes);

/* Whether the event that ends the stream was seen: the answer is over though bytes may follow. */
bool reply_is_done(const struct reply_reader *reader);

/* The number of the stream's next event, in a dialect that numbers them. */
int64_t reply_next_sequence(const struct reply_reader *reader);

struct reply {
	struct slice text; /* the answer, or the model's refusal; owned by the reader */
	struct slice id;   /* that later requests may go on from; empty: none was seen */
	enum reply_end end;
	bool finished;   /* the answer said that it ended, or a JSON reply was whole */
	bool done;       /* the event that ends the stream was seen */
	bool failed;     /* an `error` came instead of, or within, the answer */
	bool unreadable; /* not JSON, or neither an answer nor an error in a JSON reply */
	bool truncated;  /* larger than the limit (a JSON reply: nothing of it was read), or an
			    event was too large to be read */
	bool has_tool_calls;
	uint64_t tool_calls_hash; /* step_hash_call() over the ids, in the order of their
				     index */
	int64_t prompt_tokens;    /* that the request was counted as; -1 unknown */
	int64_t cached_tokens;    /* of them, found in the provider's cache; -1 unknown */
};

/* What has been read; call it when the reply is over (a JSON reply is parsed here, and what a
 * stream left without its last line break is read if it is whole). The result is valid until the
 * reader is destroyed. */
struct reply reply_result(struct reply_reader *reader);

#endif
