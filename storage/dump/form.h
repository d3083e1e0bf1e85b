/* The form of a record in an export: a JSON object with its table, its user, the numbers of its key
 * and its fields, each by name. */
#ifndef RECALLD_STORAGE_DUMP_FORM_H
#define RECALLD_STORAGE_DUMP_FORM_H

#include "storage/lmdb/engine.h"
#include "storage/record/stored.h"

#include <jansson.h>

enum { DUMP_KEY_PARTS = 3 };

struct dump_table {
	const char *name;
	enum table table;
	bool is_of_user; /* its key starts with a user */
	struct {
		const char *name;
		unsigned size; /* bytes; 0: no such part */
		bool is_hash;
	} parts[DUMP_KEY_PARTS];
	record_fields *fields;
	const char *const *names; /* names of the fields, in order */
};

/* In the order of writing: a record follows those that it depends on. */
extern const struct dump_table dump_tables[];

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

#endif
