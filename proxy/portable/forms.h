/* A user's memory as a file: our own form, "recalld-export-1", and those of others. */
#ifndef RECALLD_PROXY_PORTABLE_FORMS_H
#define RECALLD_PROXY_PORTABLE_FORMS_H

#include "core/intake/intake.h"
#include "core/json/json.h"
#include "storage/portable.h"

#include <jansson.h>
#include <stdio.h>

/* Appends the whole memory as one JSON object, without its last brace. */
void portable_write(struct buffer *out, const struct portable_memory *memory, int64_t now,
		    const char *version, struct arena *arena);

/* Appends the members of the settings' object, without its braces. */
void portable_write_settings(struct buffer *out, const struct user_settings *settings,
			     struct arena *arena);
/* Reads such an object and copies its texts; missing members have their defaults. Returns NULL, or
 * a sentence that says what is wrong. */
const char *portable_read_settings(struct user_settings *settings, struct slice text,
				   struct intake *intake, struct arena *arena);

/* What reads a file and what it has read. */
struct background;
struct portable_reader {
	struct arena *arena;
	bool learn; /* user turns of others' forms are to be learned from */
	struct intake intake;
	int64_t now;
	const struct background *background; /* what the reading is part of; NULL: nothing */
	const char *form;                    /* of the file: a name */
	struct portable_memory memory;
	size_t conversations, turns, facts; /* capacities */
	/* By the ids of mem0's memories, the places of their facts and of the versions before
	 * these; NULL: none. portable_read() releases them. */
	json_t *places;
	json_t *versions;
};

/* Reads a file of any known form. `form` NULL: it is found out. Returns NULL, or why it cannot be
 * read, as a sentence. */
const char *portable_read(struct portable_reader *reader, struct slice file, const char *form);

/* ---- files ---- */

/* Elements of one kind: those of an array, or JSON Lines, or one that is the whole text. */
struct portable_list {
	struct slice text;
	struct json_walk walk;
	bool is_lines;
	bool is_whole;
	size_t at; /* of the next line */
};

/* The elements of an array of a text that json_scan() accepted; any other value has none. */
struct portable_list portable_list_of(struct slice text, struct json_value array);
/* Gives the next element as it stands. False: there is none. */
bool portable_next(struct portable_list *list, struct slice *element);

struct portable_file {
	struct slice text; /* without a byte order mark */
	struct json_value document;
	struct json_value format;  /* its "format"; `end` is 0 if there is none */
	struct json_value history; /* its "history", which mem0 has beside its memories */
	struct portable_list list; /* of another program's elements... */
	bool has_list;             /* ...if there is one */
};

/* Scans a whole file. False: it is neither JSON nor JSON Lines, or has 4 GB or more. */
bool portable_look(struct slice text, struct portable_file *file);

/* ---- for the forms ---- */

enum { PORTABLE_MAX_SESSION = 256 }; /* bytes */

/* Reads the object `document` in the file. */
const char *portable_read_own(struct portable_reader *reader, struct slice file,
			      struct json_value document);

/* An element of an array in the file; the caller's tree lasts only until it returns. */
typedef const char *portable_element(struct portable_reader *reader, json_t *element);
/* Calls it for each element of a list, of which one tree at a time is in memory. */
const char *portable_each(struct portable_reader *reader, struct portable_list list,
			  portable_element *element);

portable_element portable_read_mem0, portable_read_mem0_history, portable_read_openmemory,
	portable_read_chatgpt, portable_read_claude;

struct portable_conversation *portable_add_conversation(struct portable_reader *reader,
							const char *prefix, json_t *id);
/* Adds a message at the end of the newest conversation; counts it as left out if it says nothing
 * that is kept. */
void portable_add_message(struct portable_reader *reader, enum role role, struct slice text,
			  int64_t at);
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
/* A text in the reader's arena, through the intake. */
struct slice portable_take(struct portable_reader *reader, struct slice text,
			   enum intake_kind kind);

/* A fact's metadata as JSON in the arena, before the intake. Empty: it is no object, an empty one,
 * or nested too deeply. */
struct slice portable_metadata(json_t *value, struct arena *arena);
/* A time as text, or seconds as a number; `at` keeps its value if there is none. */
void portable_time(json_t *object, const char *name, int64_t *at);
bool portable_says(json_t *object, const char *name, const char *text);

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

/* Finds the next file as zip_next() does, and leaves it packed. */
enum zip_found zip_find(struct slice archive, const char *prefix, size_t *at,
			struct zip_file *file);
/* Writes it, unpacked. False: it is damaged, or cannot be written. */
bool zip_unpack_to(const struct zip_file *file, FILE *out);

/* Finds the next file of a ZIP archive whose name (without folders) begins with `prefix` and ends
 * with ".json", and unpacks it into the arena. `at` is 0 at first; `left` bytes may be unpacked. */
enum zip_found zip_next(struct slice archive, const char *prefix, size_t *at, uint64_t *left,
			struct slice *file, struct arena *arena);

#endif
