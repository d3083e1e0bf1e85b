/* A store as text: JSON Lines, one record a line, to be kept elsewhere and to make a store of
 * again.
 *
 * What can be worked out again is left out: the index of words, vectors, what conversations were
 * given. Both work without a daemon, on a store's folder; an export also beside the one that has it
 * open, since LMDB lets other processes read: what it writes is the state at one moment. Pages that
 * are freed meanwhile are not used again before its end, so that the store may grow more than else.
 *
 * Neither needs more memory than its longest record. */
#ifndef RECALLD_STORAGE_DUMP_DUMP_H
#define RECALLD_STORAGE_DUMP_DUMP_H

#include "storage/store.h"

#include <stdio.h>

enum { DUMP_TABLES = 10 };

struct dump_report {
	struct {
		const char *name;
		uint64_t records;    /* written */
		uint64_t unreadable; /* left out: of an unknown version, or garbage */
		uint64_t holes;      /* places where the file itself could not be read */
	} tables[DUMP_TABLES];
	char error[512]; /* why nothing, or no more, was done; empty: it went well */
};

/* Writes the store in the folder `path` to the descriptor `out`. What cannot be read is skipped and
 * counted; pages that would crash who reads them do so in a process of their own. False: `error`
 * says why it is not whole. */
bool store_export(const char *path, int out, struct dump_report *report);

/* Makes a store of an export, in a folder that is empty or missing. Until it is done the folder
 * holds a mark that no daemon starts over. False: `error` says what is wrong and in which line. */
bool store_rebuild(const struct store_options *options, FILE *in, struct dump_report *report);

#endif
