/* A request as all dialects read it, and the splice that puts memory in: its steps, the texts in
 * them, and where things lie in its bytes. What the fields are called is the dialect's business.
 *
 * The request is never parsed into objects and printed again. A dialect scans it once for offsets,
 * and what is inserted goes in between bytes that stay as the client sent them. Keys are compared
 * with their escapes resolved; of duplicate keys the last counts, as in most parsers. */
#ifndef RECALLD_CORE_DIALECT_REQUEST_H
#define RECALLD_CORE_DIALECT_REQUEST_H

#include "core/base/bytes.h"
#include "core/json/json.h"
#include "core/memory/memory.h"

struct dialect;

enum step_kind {
	STEP_SYSTEM, /* instructions, whoever gives them */
	STEP_USER,
	STEP_ANSWER, /* the model's words to the user */
	STEP_CALLS,  /* the model calls tools */
	STEP_TOOLS,  /* what they gave */
	STEP_OTHER,  /* left alone */
};

enum content_kind {
	CONTENT_NONE, /* absent or null */
	CONTENT_STRING,
	CONTENT_PARTS, /* an array */
	CONTENT_OTHER, /* no valid message; left alone */
};

/* One element of the request's list: what one side said or did. */
struct step {
	struct json_value element; /* offsets into the body */
	enum step_kind kind;
	enum content_kind content_kind;
	struct json_value content;  /* when content_kind is STRING or PARTS */
	struct json_value fallback; /* a string that is the text when there is no content */
	bool parts_empty;           /* an array without elements */
	uint64_t calls_hash;        /* STEP_CALLS: step_hash_call() over its ids; 0 without any */
};

/* Whether the model said or did it. */
static inline bool step_is_models(const struct step *step)
{
	return step->kind == STEP_ANSWER || step->kind == STEP_CALLS;
}

/* A text among the parts of a step. */
struct text_part {
	struct slice text;
	bool follows_text; /* and not an image or another part that is no text */
};

struct text_parts {
	struct slice joined; /* data is NULL: not yet looked for */
	const struct text_part *texts;
	size_t count;
};

/* A body field that may carry a user's id. */
struct user_field {
	const char *name;   /* as the configuration calls it */
	struct slice value; /* empty when absent or no string */
};

enum { REQUEST_USER_FIELDS = 3 };

struct request {
	const struct dialect *dialect;
	struct slice body;
	struct slice model; /* empty when absent; escapes resolved */
	bool stream;        /* literally true */
	bool has_format;    /* the answer is to have a form that a program reads */
	struct user_field user_fields[REQUEST_USER_FIELDS];
	struct json_value steps_array;
	struct step *steps; /* in the arena */
	size_t step_count;
	/* What was found in the parts of each step; NULL when none has parts. */
	struct text_parts *parts;
};

/* No upstream takes as many; what a request of tiny messages can make us allocate is bounded by it.
 */
enum { REQUEST_MAX_STEPS = 65536 };

enum request_verdict {
	REQUEST_OK,
	REQUEST_NOT_JSON, /* not a valid JSON document, or nested too deeply */
	REQUEST_FOREIGN,  /* not a request of this dialect, or one of too many steps */
};

/* Whether an element of a step's content is a text; `text` is then its value, a string unless the
 * client errs. */
bool request_find_text(const struct request *request, struct json_value part,
		       struct json_value *text);

/* The text of a step's content: the string, or its text parts joined by a line break, or the
 * fallback where there is none. Images and other parts are left out. Escapes resolved; points into
 * the body or the arena, which is that of the request: of parts, which may hold megabytes to walk
 * over, it is kept. `step` is one of the request's. */
struct slice step_text(const struct request *request, const struct step *step, struct arena *arena);

/* The same, one by one: a string is one part. */
struct text_parts step_text_parts(const struct request *request, const struct step *step,
				  struct arena *arena);

/* How many bytes the texts of a step take in the body. */
size_t step_text_size(const struct request *request, const struct step *step);

/* The beginning and the end of a step's text, of which much is not worth reading. */
struct text_ends {
	struct slice head; /* all of the text, unless it is cut */
	struct slice tail;
	bool is_cut;        /* more than the limit, and the middle is left out */
	bool tail_is_whole; /* a part of its own */
};

/* Of texts that take more than `most` bytes in the body the first three quarters of that many
 * and the last quarter: of parts, those of the first text and of the last. */
struct text_ends step_text_ends(const struct request *request, const struct step *step, size_t most,
				struct arena *arena);

/* Folds one tool call's id into a hash over all ids of a step, in their order; calls without an
 * id are left out. Start with 0; never gives 0. The hash (FNV-1a, 64 bits) may be kept. */
uint64_t step_hash_call(uint64_t hash, struct slice id);

/* Where the answer begins that the reply is to continue: the answers at the end, for clients send
 * its parts joined or one by one. The step count: there is none. */
size_t request_open_answer(const struct request *request);

/* Where the exchange's own user turn lies in the steps: the run of user steps that the newest reply
 * answers. Trailing tool calls and what they gave, an answer that the reply is to continue, and
 * system steps between them are passed over.
 * `count` 0: there is no such turn. */
struct newest_turn {
	size_t first;
	size_t count;
	bool is_last; /* nothing but system steps, which are passed over too, comes behind it */
};

struct newest_turn request_newest_turn(const struct request *request);

/* Which step carries the block. */
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

/* Text that rides before the text of one user step: what was recalled for it. In a string it is
 * followed by an empty line, of parts it becomes the first; so it comes out the same whether the
 * step is the newest or is sent again as history. */
struct turn_prefix {
	size_t step; /* index; one that is no user step with a string or parts carries none */
	struct slice text;
};

/* What goes into one request. */
struct injection {
	enum placement placement;
	struct slice block; /* plain text; empty: none */
	struct slice turns; /* JSON as of dialect->append_turn(); empty: none */
	const struct turn_prefix *turn_prefixes; /* by rising `step`, each step once */
	size_t turn_prefix_count;
	/* Steps [cut_first, cut_end) are taken out, with their turn_prefixes, if
	 * request_can_cut(). */
	size_t cut_first;
	size_t cut_end;
};

/* Whether steps [first, end) can be taken out: there are some, and a user step follows them. */
bool request_can_cut(const struct request *request, size_t first, size_t end);

/* Works out the edits, in the order of their offsets and never overlapping, in the arena. Returns
 * how many there are; 0 when the request offers no place (it then goes as it is). PLACE_SYSTEM and
 * PLACE_DEVELOPER fall back to the first user message that stays when the leading system message
 * has neither text nor parts, and when the only system message that stays is a later one: a second
 * one is never made. `made_message` says whether a new message had to carry the block. Turns go in
 * before the first message that stays and is neither system nor developer, and only if that is a
 * user message; a new message comes before them. Where the block and a turn_prefix meet in one
 * message, the block comes first. */
size_t request_inject(const struct request *request, const struct injection *injection,
		      struct edit **edits, bool *made_message, struct arena *arena);

/* The body with the edits in it, as the REQUEST_PIECES(count) slices it consists of; some may be
 * empty. They point into the body and the edits, for a body may be large. */
#define REQUEST_PIECES(edit_count) (2 * (edit_count) + 1)
void request_splice(struct slice body, const struct edit *edits, size_t count,
		    struct slice *pieces);
size_t request_spliced_size(struct slice body, const struct edit *edits, size_t count);

#endif
