/* A Chat Completions request: where things lie in its bytes, and the splice that puts memory in.
 * The first dialect; another wire format is another file beside this one.
 *
 * The request is never parsed into objects and printed again. It is scanned once for offsets, and
 * what is inserted goes in between bytes that stay as the client sent them. Keys are compared with
 * their escapes resolved; of duplicate keys the last counts, as in most parsers, except that two
 * "messages" make it no chat request. */
#ifndef RECALLD_CORE_DIALECT_REQUEST_H
#define RECALLD_CORE_DIALECT_REQUEST_H

#include "core/base/bytes.h"
#include "core/json/json.h"
#include "core/memory/memory.h"

enum content_kind {
	CONTENT_NONE, /* absent or null */
	CONTENT_STRING,
	CONTENT_PARTS, /* an array */
	CONTENT_OTHER, /* no valid message; left alone */
};

struct message {
	struct json_value object; /* offsets into the body */
	enum role role;
	enum content_kind content_kind;
	struct json_value content; /* when content_kind is STRING or PARTS */
	struct json_value refusal; /* of an assistant message */
	bool parts_empty;          /* an array without elements */
	bool has_tool_calls; /* an assistant message with a non-empty tool_calls or function_call */
	uint64_t tool_calls_hash; /* request_hash_tool_call() over its ids; 0 without any */
};

/* A text among the parts of a message. */
struct text_part {
	struct slice text;
	bool follows_text; /* and not an image or another part that is no text */
};

struct message_parts {
	struct slice joined; /* data is NULL: not yet looked for */
	const struct text_part *texts;
	size_t count;
};

struct chat_request {
	struct slice body;
	struct slice model; /* empty when absent; escapes resolved */
	bool stream;        /* literally true */
	/* An object of any type but "text", which is the default and counts as absent. */
	bool has_response_format;
	/* The body fields that may carry a user's id; empty when absent or no string. */
	struct slice user;
	struct slice safety_identifier;
	struct slice metadata_user_id;
	struct json_value messages_array;
	struct message *messages; /* in the arena */
	size_t message_count;
	/* What was found in the parts of each message; NULL when none has parts. */
	struct message_parts *parts;
};

/* No upstream takes as many; what a request of tiny messages can make us allocate is bounded by it.
 */
enum { REQUEST_MAX_MESSAGES = 65536 };

enum request_verdict {
	REQUEST_OK,
	REQUEST_NOT_JSON, /* not a valid JSON document, or nested too deeply */
	REQUEST_NOT_CHAT, /* not an object with exactly one `messages` array of objects, or too many
			   */
};

/* Scans `body`, which must outlive the result. */
enum request_verdict request_scan(struct chat_request *request, struct slice body,
				  struct arena *arena);

/* The text of a message's content: the string, or its text parts joined by a line break, or an
 * assistant's refusal where there is none. Images and other parts are left out. Escapes resolved;
 * points into the body or the arena, which is that of the scan: of parts, which may hold megabytes
 * to walk over, it is kept. `message` is one of the request's. */
struct slice request_text(const struct chat_request *request, const struct message *message,
			  struct arena *arena);

/* The same, one by one: a string is one part. */
struct message_parts request_text_parts(const struct chat_request *request,
					const struct message *message, struct arena *arena);

/* How many bytes the texts of a message take in the body. */
size_t request_text_size(const struct chat_request *request, const struct message *message);

/* The beginning and the end of a message's text, of which much is not worth reading. */
struct text_ends {
	struct slice head; /* all of the text, unless it is cut */
	struct slice tail;
	bool is_cut;        /* more than the limit, and the middle is left out */
	bool tail_is_whole; /* a part of its own */
};

/* Of texts that take more than `most` bytes in the body the first three quarters of that many
 * and the last quarter: of parts, those of the first text and of the last. */
struct text_ends request_text_ends(const struct chat_request *request,
				   const struct message *message, size_t most, struct arena *arena);

/* Folds one tool call's id into a hash over all ids of a message, in their order; calls without an
 * id are left out. Start with 0; never gives 0. The hash (FNV-1a, 64 bits) may be kept. */
uint64_t request_hash_tool_call(uint64_t hash, struct slice id);

/* Where the answer begins that the reply is to continue: the assistant messages without tool calls
 * at the end, for clients send its parts joined or one by one. The message count: there is none. */
size_t request_open_answer(const struct chat_request *request);

/* Where the exchange's own user turn lies in the messages: the run of user messages that the newest
 * reply answers. Trailing tool messages, assistant messages with tool calls, an answer that the
 * reply is to continue, and system messages between them are passed over.
 * `count` 0: there is no such turn. */
struct newest_turn {
	size_t first;
	size_t count;
	bool is_last; /* nothing but system messages, which are passed over too, comes behind it */
};

struct newest_turn request_newest_turn(const struct chat_request *request);

/* Which message carries the block. */
enum placement {
	PLACE_SYSTEM,    /* the leading system or developer message, or a new system message */
	PLACE_DEVELOPER, /* as above, but a new message is a developer message */
	PLACE_USER,      /* before the text of the first user message */
};

/* One change of the body: at `offset`, `removed` bytes go out and `bytes` come in. */
struct edit {
	size_t offset;
	size_t removed;
	struct slice bytes;
};

/* Text that rides before the text of one user message: what was recalled for it. In a string it is
 * followed by an empty line, of parts it becomes the first; so it comes out the same whether the
 * message is the newest or is sent again as history. */
struct turn_prefix {
	size_t message; /* index; one that is no user message with a string or parts carries none */
	struct slice text;
};

/* What goes into one request. */
struct injection {
	enum placement placement;
	struct slice block; /* plain text; empty: none */
	struct slice turns; /* JSON: message objects, each followed by a comma; empty: none */
	const struct turn_prefix *turn_prefixes; /* by rising `message`, each message once */
	size_t turn_prefix_count;
	/* Messages [cut_first, cut_end) are taken out, with their turn_prefixes, if
	 * request_can_cut(). */
	size_t cut_first;
	size_t cut_end;
};

/* Whether messages [first, end) can be taken out: there are some, and a user message follows them.
 */
bool request_can_cut(const struct chat_request *request, size_t first, size_t end);

/* Works out the edits, in the order of their offsets and never overlapping, in the arena. Returns
 * how many there are; 0 when the request offers no place (it then goes as it is). PLACE_SYSTEM and
 * PLACE_DEVELOPER fall back to the first user message that stays when the leading system message
 * has neither text nor parts, and when the only system message that stays is a later one: a second
 * one is never made. `made_message` says whether a new message had to carry the block. Turns go in
 * before the first message that stays and is neither system nor developer, and only if that is a
 * user message; a new message comes before them. Where the block and a turn_prefix meet in one
 * message, the block comes first. */
size_t request_inject(const struct chat_request *request, const struct injection *injection,
		      struct edit **edits, bool *made_message, struct arena *arena);

/* The body with the edits in it, as the REQUEST_PIECES(count) slices it consists of; some may be
 * empty. They point into the body and the edits, for a body may be large. */
#define REQUEST_PIECES(edit_count) (2 * (edit_count) + 1)
void request_splice(struct slice body, const struct edit *edits, size_t count,
		    struct slice *pieces);
size_t request_spliced_size(struct slice body, const struct edit *edits, size_t count);

/* Appends one message object and a comma, as injection.turns wants them. */
void request_append_turn(struct buffer *out, enum role role, struct slice text);

#endif
