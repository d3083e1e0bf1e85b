/* A store as text: JSON Lines, one record per line, to back it up and to build a store from.
 *
 * Derived data is left out: the index of words, vectors, what conversations were given. Both
 * functions work without a daemon, on a store's directory; an export also works beside the daemon,
 * since LMDB lets other processes read: it writes the state at one moment. Pages freed during the
 * export are not reused before it ends, so the store may grow more than usual.
 *
 * Neither needs more memory than its longest record, and a sealed export 24 bytes for each user. */
#ifndef RECALLD_STORAGE_DUMP_DUMP_H
#define RECALLD_STORAGE_DUMP_DUMP_H

#include "storage/store.h"

#include <stdio.h>

enum { DUMP_TABLES = 15 };

struct dump_report {
	struct {
		const char *name;
		uint64_t records;    /* written */
		uint64_t unreadable; /* skipped: of an unknown version, or garbage */
		uint64_t holes;      /* places in the file that could not be read */
	} tables[DUMP_TABLES];
	uint64_t erased; /* records left out: erased since they were written */
	uint64_t locked; /* records left out: nobody has the keys that open them */
	char error[512]; /* why nothing, or no more, was done; empty: success */
};

/* Writes the store that `options` name, by `path` and `master`, to the descriptor `out`: in the
 * clear, also if it is encrypted. Skips and counts what cannot be read; a child process reads, so
 * that a damaged page crashes only the child. `progress` (may be NULL) hears an estimate. False:
 * the export is incomplete, and `error` says why. */
bool store_export(const struct store_options *options, int out,
		  const struct store_progress *progress, struct dump_report *report);

/* Exports the store, but records of an encrypted store stay sealed, which needs no `master`; see
 * form.h. A store that is not encrypted is written in the clear. */
bool store_export_sealed(const struct store_options *options, int out,
			 const struct store_progress *progress, struct dump_report *report);

/* Builds a store from an export, in a directory that is empty or missing. Until it is done, a
 * marker keeps every daemon from starting on the directory. False: `error` says what is wrong and
 * in which line. */
bool store_rebuild(const struct store_options *options, FILE *in, struct dump_report *report);

/* A file of store_export_keys(), and the key that wraps it. */
struct dump_keys {
	const char *path;
	const unsigned char *key;
};
/* Rebuilds a store from an export that may be sealed. `made` is set to when the keys were exported,
 * in milliseconds since 1970; an encrypted store is told of it, too. */
bool store_rebuild_sealed(const struct store_options *options, FILE *in,
			  const struct dump_keys *keys, int64_t *made, struct dump_report *report);

#endif
