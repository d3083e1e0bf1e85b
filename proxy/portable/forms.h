/* A user's memory as a file: our own form, "recalld-export-1", and those of others. */
#ifndef RECALLD_PROXY_PORTABLE_FORMS_H
#define RECALLD_PROXY_PORTABLE_FORMS_H

#include "core/facts/intake.h"
#include "core/json/json.h"
#include "core/json/split.h"
#include "storage/portable.h"

#include <jansson.h>

/* Appends the whole memory as one JSON object, without its last brace. */
void portable_write(struct buffer *out, const struct portable_memory *memory, int64_t now,
		    const char *version, struct arena *arena);

/* Begins a fact's object, down to its value, and appends what programs put beside the fact. */
void portable_write_said(struct buffer *out, const struct fact *fact);
void portable_write_labels(struct buffer *out, const struct fact *fact);
/* Appends the members of the settings' object, without its braces. */
void portable_write_settings(struct buffer *out, const struct user_settings *settings,
			     struct arena *arena);
/* Reads such an object and copies its texts; missing members have their defaults. Returns NULL, or
 * a sentence that says what is wrong. */
const char *portable_read_settings(struct user_settings *settings, struct slice text,
				   struct intake *intake, struct arena *arena);

/* ---- archives ---- */

/* A file of an archive, packed. */
struct zip_file {
	struct slice packed; /* in the archive */
	uint64_t size;       /* unpacked */
	uint32_t sum;        /* CRC-32 of that */
	unsigned method;
};

enum zip_found {
	ZIP_FILE,
	ZIP_END,     /* there is no other one */
	ZIP_DAMAGED, /* there is one that cannot be unpacked, or only to too much */
};

/* Finds the next file of a ZIP archive whose name (without folders) begins with `prefix` and ends
 * with ".json". `at` is 0 at first. */
enum zip_found zip_find(struct slice archive, const char *prefix, size_t *at,
			struct zip_file *file);
/* Unpacks a file as a stream. NULL: it cannot be. */
struct zip_stream *zip_open(const struct zip_file *file);
void zip_close(struct zip_stream *stream);
/* Gives the next piece, which lives until the next call; an empty one: the file has ended. False:
 * it is damaged. */
bool zip_read(struct zip_stream *stream, struct slice *piece);
/* Where the packed bytes are that come next. */
const char *zip_position(const struct zip_stream *stream);

/* ---- files ---- */

/* A file as a stream of parts: JSON, JSON Lines, or a ZIP archive with such documents. */
struct portable_source {
	struct slice file;
	uint64_t left;      /* bytes that may be unpacked */
	const char *prefix; /* of the archive's documents; NULL: it is no archive */
	size_t at;          /* in the archive's list */
	struct zip_file packed;
	struct zip_stream *stream; /* of the document; NULL: it is not packed */
	bool is_fed;
	struct json_split split;
	/* The document: */
	bool has_document;
	size_t documents; /* with this one */
	bool is_own;      /* recalld-export-1 */
	bool is_lines;
	bool has_history;
	enum { LEARN_UNSAID, LEARN_NOT, LEARN_UNKNOWN } learn; /* what its member "learn" says */
	const char *list; /* the member that holds another program's elements; "": the outermost
			   * array or the lines; NULL: there is none */
};

/* Opens a file, of whose archive so many bytes may be unpacked. The caller closes it. */
void portable_open(struct portable_source *source, struct slice file, uint64_t unpacked);
void portable_close(struct portable_source *source);
/* Looks through the next document, and stands at its beginning. No ->has_document: there is none.
 * Returns NULL, or what is wrong, as a sentence. */
const char *portable_next_document(struct portable_source *source);
/* Goes back to the document's beginning; parts of more than `limit` bytes will have no text. */
void portable_rewind(struct portable_source *source, size_t limit);
/* Finds the next part, which lives until the next call. No `found`: the document is over. */
const char *portable_next_part(struct portable_source *source, struct json_part *part, bool *found);
/* Whether the document is an object with a list "messages". */
bool portable_has_messages(const struct portable_source *source);
/* The bytes of the file that were read. */
size_t portable_position(const struct portable_source *source);
/* Whether an archive has Claude's memories beside its conversations; their form is unknown. */
bool portable_has_memories(const struct portable_source *source);

/* ---- reading ---- */

/* The totals over all parts of a file. */
struct portable_total {
	size_t conversations, turns, facts;
	size_t pending;    /* turns to be learned from */
	size_t summarized; /* turns for the summary */
	int64_t first, last;
	bool is_ahead; /* a time has not come */
};

struct background;
struct portable_reader;
struct text_part;

/* Reads a value, whose tree lasts only until it returns, or the text of ->part. Returns NULL, or a
 * fault. */
typedef const char *portable_element(struct portable_reader *reader, json_t *element);

/* Reads a file into memories of bounded size, one after the other. */
struct portable_reader {
	/* Set by the caller: */
	bool learn;           /* user turns of others' forms are to be learned from */
	struct intake intake; /* counts anew what it reads again */
	int64_t now;
	uint64_t time_zone;                  /* of the user */
	uint64_t user_limit;                 /* bytes of the store; 0: none */
	const struct background *background; /* what the reading is part of; NULL: nothing */
	const char *asked;                   /* the form; NULL: it is found out */

	const char *form; /* of the file: a name */
	bool learns;      /* from user turns of the document */
	/* The newest part of it. A part ends before it would take too much memory; whatever is too
	 * large by itself is left out. */
	struct portable_memory memory;
	struct portable_total total; /* of all parts */
	bool is_split;               /* there are several */
	bool is_over;                /* this is the last one */

	struct portable_source source;
	struct arena arena;                 /* of the newest memory */
	struct arena kept;                  /* of what all memories have */
	size_t bytes;                       /* that the memory's texts take */
	size_t conversations, turns, facts; /* capacities */
	/* Turns come before the facts that rest on them. */
	enum { PORTABLE_TURNS, PORTABLE_FACTS } phase;
	const struct portable_form *form_of_list; /* another program's; NULL: not known yet */
	struct json_part part;
	bool has_part;
	struct buffer places; /* of the turns of earlier parts */
	/* By the ids of mem0's memories, the places of their facts and of the versions before
	 * these, and by sessions those of their conversations; NULL: none. */
	json_t *newest;
	json_t *versions;
	json_t *sessions;
	uint32_t unnamed; /* the store's conversation of messages without a session; 0: none yet */
};

/* Reads a whole file, which must live as long as the reader, to see what it holds. If it takes no
 * more than one memory, that is it; else portable_read() gives them one by one. Returns NULL, or
 * why it cannot be read, as a sentence. */
const char *portable_check(struct portable_reader *reader, struct slice file);
/* Reads the next memory; the store has taken in the one before. */
const char *portable_read(struct portable_reader *reader);
void portable_finish(struct portable_reader *reader);
/* Whether such a value may be read by jansson, which takes a hundred times its size at worst. */
bool portable_fits(struct slice text);
/* Reads a value; half a surrogate pair, which jansson refuses, becomes U+FFFD. NULL: it is no JSON.
 * The caller releases it. */
json_t *portable_load(struct slice text);

/* ---- for the forms ---- */

enum { PORTABLE_MAX_SESSION = 256 }; /* bytes, as in a request's header */

/* The reader for a part of our own format; NULL: there is none. */
portable_element *portable_own_element(const struct portable_reader *reader);
portable_element portable_read_mem0, portable_read_mem0_history, portable_read_openmemory,
	portable_read_chatgpt, portable_read_claude, portable_read_message;

struct portable_conversation *portable_add_conversation(struct portable_reader *reader,
							const char *prefix, json_t *id);
/* Adds a message, in one text or several, at the end of the conversation; counts it as left out if
 * it says nothing that is kept. */
void portable_add_message(struct portable_reader *reader, struct portable_conversation *one,
			  enum role role, const struct text_part *texts, size_t count, int64_t at);
/* Notes what has an id, by its place in the newest memory, for as long as that lasts. */
void portable_note_place(struct portable_reader *reader, json_t **places, struct slice id,
			 size_t place);
/* Adds a memory whose text is that member. NULL: it says nothing, and counts as left out. */
struct fact *portable_add_note(struct portable_reader *reader, json_t *object, const char *name,
			       int64_t at);
/* Takes the newest fact through the intake, and off again if it must not be stored. */
void portable_finish_fact(struct portable_reader *reader);
struct portable_conversation *portable_new_conversation(struct portable_reader *reader);
struct portable_turn *portable_new_turn(struct portable_reader *reader);
struct fact *portable_new_fact(struct portable_reader *reader);

/* The member's text, which is the tree's; empty: it is none. */
struct slice portable_text(json_t *object, const char *name);
/* A copy that lasts as long as the memory. */
struct slice portable_keep(struct portable_reader *reader, struct slice text);
/* Takes a text that has passed the intake. */
struct slice portable_take(struct portable_reader *reader, struct slice text,
			   enum intake_kind kind);

/* A fact's metadata as JSON in the arena, before the intake. Empty: it is no object, an empty one,
 * or nested too deeply. */
struct slice portable_metadata(json_t *value, struct arena *arena);
/* A time as text, or seconds as a number; `at` keeps its value if there is none. */
void portable_read_time(json_t *value, int64_t *at);
void portable_time(json_t *object, const char *name, int64_t *at);
bool portable_says(json_t *object, const char *name, const char *text);

#endif
