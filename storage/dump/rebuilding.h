/* Inside store_rebuild(): its state, and how a record is put in the new store. */
#ifndef RECALLD_STORAGE_DUMP_REBUILDING_H
#define RECALLD_STORAGE_DUMP_REBUILDING_H

#include "storage/dump/dump.h"
#include "storage/dump/erased.h"
#include "storage/seal/open.h"

struct rebuilding {
	struct store *store;
	FILE *in;
	struct store_progress progress;
	struct dump_report *report;
	struct transaction transaction;
	bool is_open; /* a transaction is open */
	struct arena scratch;
	struct buffer line;
	uint64_t number;   /* of the current line */
	uint64_t first_id; /* greater than all issued ids */
	size_t lines;      /* in this transaction */
	size_t bytes;
	uint64_t records;
	bool ended;
	bool is_sealed;
	struct seal *seal; /* of the exported keys; NULL: there are none */
	struct sealer *opens;
	int64_t exported; /* when they were, if the new store is to know; 0: it is not */
	struct erased_filter filter;
};

/* No id that a user had is issued again. */
void rebuild_note_user(struct rebuilding *rebuilding, const struct stored_user *user);
/* Parts of an export may date from different moments if the store was damaged and in use: no id
 * that a record has is issued again. */
void rebuild_keep_ahead(struct rebuilding *rebuilding, const struct memory *memory,
			const struct dump_line *line, struct stored_user *user);
/* Puts the record, with what the export left out of it. */
void rebuild_put(struct rebuilding *rebuilding, const struct memory *memory,
		 struct dump_line *line);

#endif
