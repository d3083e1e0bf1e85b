/* Inside store_export(): where its walk over the tables stands, in memory that the children share,
 * and how it gets past damage. */
#ifndef RECALLD_STORAGE_DUMP_WALK_H
#define RECALLD_STORAGE_DUMP_WALK_H

#include "storage/dump/dump.h"
#include "storage/dump/form.h"
#include "storage/lmdb/reader.h"

enum { WALK_NO_SKIP = -1 };

struct progress {
	struct dump_report report;
	size_t table;      /* of dump_tables */
	struct key next;   /* the next position in it */
	bool in_hole;      /* nothing has been read since the last fault */
	struct key hole;   /* where a hole begins; the next try skips 2 to the power of `bit` */
	int bit;           /* WALK_NO_SKIP: nothing */
	int failed;        /* skipping 2 to the power of this is too little */
	int reached;       /* of this is enough, or more; 0: not known */
	unsigned users;    /* in a hole: how many users were skipped */
	bool passes_user;  /* the next try starts at the next user that another table knows */
	bool is_open;      /* this child could open the store */
	bool has_begun;    /* the first line is written */
	uint64_t first_id; /* where ids of new users start */
	uint64_t expected; /* records, estimated */
	int code;          /* errno of the failed write */
};

struct walk {
	const char *path;
	const unsigned char *master;
	bool seals;
	int out;
	struct key_file *slots; /* of an export that stays sealed; NULL: it is in the clear */
	struct progress *progress;
	const struct store_progress *listener; /* NULL: none */
	struct reader reader;
	struct buffer line;
};

/* Goes to a table's first key. DUMP_TABLES: the end. */
void walk_begin_table(struct progress *progress, size_t table);
/* A sound table's keys rise and have one size. */
bool walk_is_key(const struct progress *progress, struct slice key);
/* Goes to the next user. False: there is none, or the table that names it is damaged too. */
bool walk_pass_user(struct walk *walk, const struct dump_table *table);
/* Aims behind damage: within the user's keys, then at the next user's, at last behind the table. */
void walk_skip(struct progress *progress);
/* Shortens the last skip as far as possible. False: there is no record to be read. */
bool walk_narrow(struct walk *walk, const struct dump_table *table);

#endif
