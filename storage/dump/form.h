/* The form of a record in an export: a JSON object with its table, its user, the numbers of its key
 * and its fields, each by name. */
#ifndef RECALLD_STORAGE_DUMP_FORM_H
#define RECALLD_STORAGE_DUMP_FORM_H

#include "storage/lmdb/engine.h"
#include "storage/record/seal.h"
#include "storage/record/stored.h"

#include <jansson.h>

enum { DUMP_KEY_PARTS = 3 };

struct dump_table {
	const char *name;
	enum table table;
	record_fields *fields;
	struct {
		const char *name;
		unsigned size; /* bytes; 0: no such part */
		bool is_hash;
	} parts[DUMP_KEY_PARTS];
	const char *names; /* of the fields, in order, a space between each two */
};

/* In the order of writing: a record follows those that it depends on. */
extern const struct dump_table dump_tables[];

/* Whether its keys start with a user. */
static inline bool dump_is_of_user(const struct dump_table *table)
{
	return table->table >= FIRST_USER_TABLE;
}
size_t dump_key_size(const struct dump_table *table);

/* Any of the nouns. */
union dump_noun {
	struct stored_user user;
	struct past_conversation conversation;
	struct stored_turn turn;
	struct stored_exchange exchange;
	struct stored_answer answer;
	struct chain_link link;
	struct fact fact;
	struct summary summary;
	struct tombstone tombstone;
	struct user_settings settings;
	struct job job;
	struct stored_receipt receipt;
	uint64_t number;
	struct slice line;
};

/* Appends a line. False: the record is unreadable. */
bool dump_write(struct buffer *out, const struct dump_table *table, struct slice key,
		struct slice value);

/* The content of one line; slices point into the JSON, lists into the arena. */
struct dump_line {
	const struct dump_table *table;
	struct user_key user;
	uint64_t parts[DUMP_KEY_PARTS];
	union dump_noun noun;
};
/* The table that a line names; NULL: none. */
const struct dump_table *dump_find_table(json_t *object);
/* Takes a record as a store has it. Slices point into `value`. False: it is not a valid record. */
bool dump_take(const struct dump_table *table, struct slice key, struct slice value,
	       struct dump_line *line, struct arena *arena);
/* False: it is not a valid record. */
bool dump_read(json_t *object, struct dump_line *line, struct arena *arena);

/* ---- sealed records ---- */

/* The form of a record in a sealed export: its table, and its key and value as they stand in an
 * encrypted store, in base64. Only its user's keys open it. The audit log has no user and no text;
 * its lines have the form above. */

/* Whether a table's records are sealed. */
bool dump_seals(const struct dump_table *table);
/* Appends a line. False: it is too long. */
bool dump_write_sealed(struct buffer *out, const struct dump_table *table, struct slice key,
		       struct slice value);

enum dump_opened {
	DUMP_OPENED,
	DUMP_LOCKED,     /* the keys do not open it, or its user has none */
	DUMP_UNREADABLE, /* it was opened, but holds no record that this version can read */
	DUMP_NO_RECORD,  /* the line does not have this form */
};

/* Reads a line. What `line` points to is the sealer's or the arena's, until the next call. */
enum dump_opened dump_open(json_t *object, struct sealer *sealer, struct dump_line *line,
			   struct arena *arena);

#endif
