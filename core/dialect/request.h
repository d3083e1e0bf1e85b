/* A request in the form common to all dialects, and the splice that puts memory into it: its steps,
 * their texts, and where these are in the body. The names of fields are up to the dialect.
 *
 * The request is never parsed into objects and printed again. A dialect scans it once for offsets;
 * insertions go between bytes that stay as the client sent them. Keys are compared with their
 * escapes resolved; the last of duplicate keys counts, as in most parsers. */
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
	STEP_TOOLS,  /* what the tools returned */
	STEP_OTHER,  /* left alone */
};

/* One text: a string in the body, quotes included. */
struct request_text {
	struct json_value string;
	bool follows_text; /* the part right before it is a text as well, not an image */
	bool joins; /* it continues the text before it in its step; otherwise "\n" separates them */
	bool is_programs; /* the client itself says that these are not its user's words */
};

/* A step, in which one side said or did something: usually one element of the request's list.
 *
 * If one element contains two steps (tool results, followed by the user's words), both have its
 * range, and the second does not begin it. A run of elements made by the model is one step if it is
 * one answer or one call for tools. System text in its own field is the first step, wherever its
 * bytes are. */
struct step {
	enum step_kind kind;
	bool begins_element; /* turns may go before it, and a cut may begin or end here */
	bool stays; /* a cut leaves it in: system text, and what the dialect needs beside that */
	uint32_t begin, end;             /* of its elements, as offsets into the body */
	uint32_t first_text, text_count; /* in request->texts */
	uint32_t other_parts;            /* images, files and other things that cost tokens */
	/* STEP_CALLS: step_hash_call() over its ids; 0 if there are none. STEP_ANSWER: over the id
	 * of its last item if the request names the answer instead of repeating its words. */
	uint64_t ids_hash;
};

/* Whether the model said or did it. */
static inline bool step_is_models(const struct step *step)
{
	return step->kind == STEP_ANSWER || step->kind == STEP_CALLS;
}

/* Whether the request has the answer's id alone, since the provider keeps its words. */
static inline bool step_is_named(const struct step *step)
{
	return step->kind == STEP_ANSWER && step->ids_hash != 0;
}

/* A text with its escapes resolved. */
struct text_part {
	struct slice text;
	bool follows_text, is_programs; /* as in struct request_text */
};

struct text_parts {
	const struct text_part *texts;
	size_t count;
};

/* Where the block goes. */
enum block_way {
	BLOCK_WITH_USER, /* before the user's text */
	BLOCK_PLACED,    /* into the place */
	BLOCK_NOWHERE,   /* the provider has it already, or accepts none */
};

/* Where the system text takes the block: the block's text, as the inside of a JSON string, goes
 * between `before` and `behind`. */
struct block_place {
	enum block_way way;
	bool is_made; /* a message or a field that the client did not send */
	bool in_item; /* the provider may keep it and then needs it only once */
	size_t offset;
	size_t removed; /* bytes to remove: a null or "" */
	struct slice before, behind;
};

/* The frame around turns if the client's own text is not an element of a list. */
struct lone_text {
	struct slice before_turns, behind_turns, behind_text;
};

/* Which step carries the block. */
enum placement {
	PLACE_SYSTEM,    /* the client's system text, or a new one */
	PLACE_DEVELOPER, /* as above, but a new message is a developer message */
	PLACE_USER,      /* before the user's text */
};

/* A body field that may carry a user's id. */
struct user_field {
	const char *name;   /* its name in the configuration */
	struct slice value; /* empty if absent or not a string */
};

enum { REQUEST_USER_FIELDS = 3 };

/* The user in a `metadata.user_id`. Claude Code also writes a session into it, as
 * {"device_id":..,"account_uuid":..,"session_id":..} or, in older versions, as
 * user_X_account_Y_session_Z: the rest without the session is the user, or nothing if neither
 * account nor device is given. Any other value is an id as it is. */
struct slice request_user_id(struct slice value, struct arena *arena);

struct request {
	const struct dialect *dialect;
	struct slice body;
	struct slice model;  /* empty if absent; escapes resolved */
	bool stream;         /* the client asks for a stream */
	bool has_format;     /* the answer must have a machine-readable form */
	bool is_side;        /* a field marks it as something other than a user's turn */
	bool is_compacted;   /* an item of the provider's stands for the answers before it */
	bool is_replay_only; /* gets what it had, nothing new, and teaches nothing (a compaction) */
	bool is_retry;       /* must equal the refused request that it repeats */
	bool is_background;  /* the answer is fetched later */
	bool is_kept; /* the provider keeps the steps for requests that continue from the reply */
	struct slice previous;     /* id of the reply that it continues from; empty: none */
	struct slice conversation; /* id of the conversation at the provider; empty: none */
	struct user_field user_fields[REQUEST_USER_FIELDS];

	struct step *steps; /* in the arena, as are the texts */
	size_t step_count;
	struct request_text *texts; /* the texts of a step are consecutive */
	size_t text_count;

	struct block_place places[PLACE_USER]; /* by enum placement */
	struct block_place apart;   /* for the block where no item may hold it; zero: none */
	bool takes_turns;           /* turns may go before the first step that is not a system's */
	struct lone_text lone_text; /* what that takes if the step is no element; else empty */

	/* Bytes of the body outside the steps, such as tools; SIZE_MAX: the upstream's input count
	 * cannot be compared with the steps. */
	size_t beside;
};

/* No upstream accepts as many; this bounds what a request of tiny messages makes us allocate. */
enum { REQUEST_MAX_STEPS = 65536, REQUEST_MAX_TEXTS = 4 * REQUEST_MAX_STEPS };

enum request_verdict {
	REQUEST_OK,
	REQUEST_NOT_JSON, /* not a valid JSON document, or nested too deeply */
	REQUEST_FOREIGN,  /* not a request of this dialect, or one with too many steps or texts */
};

/* The texts of a step, joined, with escapes resolved; points into the body or the arena. */
struct slice step_text(const struct request *request, const struct step *step, struct arena *arena);

/* The step's texts, one by one. */
struct text_parts step_text_parts(const struct request *request, const struct step *step,
				  struct arena *arena);

/* How many bytes the texts of a step take in the body. */
size_t step_text_size(const struct request *request, const struct step *step);

/* The beginning and the end of a step's text that is too long to read whole. */
struct text_ends {
	struct slice head; /* all of the text, unless it is cut */
	struct slice tail;
	bool is_cut;        /* the text exceeds the limit, and its middle is left out */
	bool tail_is_whole; /* a complete part */
};

/* If the texts take more than `most` bytes in the body, the first three quarters of that many and
 * the last quarter, from the first text and from the last. */
struct text_ends step_text_ends(const struct request *request, const struct step *step, size_t most,
				struct arena *arena);

/* Folds one tool call's id into a hash over all ids of a step, in order; skips calls without an id.
 * Start with 0; never returns 0. The hash (FNV-1a, 64 bits) may be stored. */
uint64_t step_hash_call(uint64_t hash, struct slice id);

/* Where the answer that the reply is to continue begins: it is all answers at the end, since
 * clients send its parts joined or one by one. The step count: there is none. */
size_t request_open_answer(const struct request *request);

/* Where the exchange's own user turn is: the run of user steps that the newest reply answers. Skips
 * trailing tool calls and their results, an answer that the reply is to continue, and system and
 * other steps between them. `count` 0: there is no such turn. */
struct newest_turn {
	size_t first;
	size_t count;
	bool is_last; /* only system steps and others follow it */
};

struct newest_turn request_newest_turn(const struct request *request);

/* One change of the body: at `offset`, `removed` bytes are replaced by `bytes`. */
struct edit {
	size_t offset;
	size_t removed;
	struct slice bytes;
};

/* The recall for a user turn. It goes to the very start of the string of one of the turn's texts,
 * followed by an empty line. So it comes out the same whether the turn is the newest or is sent
 * again as history, in one string or in parts. */
struct replay_text {
	size_t text_index; /* in request->texts */
	struct slice text;
};

/* The parts that go into one request. */
struct injection {
	enum placement placement;
	struct slice block;     /* plain text; empty: none */
	size_t block_with_text; /* the text that carries a block placed with the user's text;
				   SIZE_MAX: none */
	struct slice turns;     /* JSON in the form of dialect_append_turn(); empty: none */
	const struct replay_text *replay_texts; /* by ascending `text_index` */
	size_t replay_count;
	/* Steps [cut_first, cut_end) are taken out, with their replays, if
	 * request_can_cut(); those that stay stay. */
	size_t cut_first;
	size_t cut_end;
};

/* Whether steps [first, end) can be taken out: there are some that do not stay, they are whole
 * elements, and a user step follows them. */
bool request_can_cut(const struct request *request, size_t first, size_t end);

/* Works out the edits, sorted by offset and without overlaps, in the arena. Returns their number;
 * 0: the request offers no place, and goes unchanged. `made_message` says whether a message or a
 * field of ours had to carry the block. Turns go before the first step that stays and is not a
 * system step, and only if that is a user's; a new message goes before them. If the block and a
 * replay meet in one text, the block comes first. */
size_t request_inject(const struct request *request, const struct injection *injection,
		      struct edit **edits, bool *made_message, struct arena *arena);

/* The body with the edits applied, as REQUEST_PIECES(count) slices, some of which may be empty.
 * They point into the body and the edits, since a body may be large. */
#define REQUEST_PIECES(edit_count) (2 * (edit_count) + 1)
void request_splice(struct slice body, const struct edit *edits, size_t count,
		    struct slice *pieces);
size_t request_spliced_size(struct slice body, const struct edit *edits, size_t count);

#endif
