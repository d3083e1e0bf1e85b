/* The form of a record in a sealed export: its table, and its key and value as they stand in an
 * encrypted store, in base64. Only its user's keys open it. The audit log has no user and no text;
 * its lines have the form of form.h. */
#ifndef RECALLD_STORAGE_DUMP_SEALED_H
#define RECALLD_STORAGE_DUMP_SEALED_H
#include "storage/dump/form.h"
#include "storage/record/seal.h"

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
