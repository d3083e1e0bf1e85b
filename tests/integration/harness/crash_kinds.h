/* Names a transaction by the tables that it writes: for crash_points.c, which names its points so.
 * The kinds of several operations that were committed together are all named. One write transaction
 * at a time, on whatever thread; the caller holds the lock. */
#ifndef CRASH_KINDS_H
#define CRASH_KINDS_H

#include "storage/lmdb/engine.h"

#include <lmdb.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Tables that the kinds are told by. */
enum {
	USER = 1 << 0,
	TURN = 1 << 1,
	TURN_TIME = 1 << 2,
	ANSWER = 1 << 3,
	FACT = 1 << 4,
	SUMMARY = 1 << 5,
	JOB = 1 << 6,
	RECEIPT = 1 << 7,
	REPLAY = 1 << 8,
	VECTOR = 1 << 9,
	JOURNAL = TURN | ANSWER | RECEIPT,
};

/* By tree, and of the shared one by the table's number in the key. */
static const struct {
	const char *tree;
	int bit;
} kind_trees[] = {
	{"turn", TURN},
	{"job", JOB},
	{"receipt", RECEIPT},
};

static const int kind_tables[TABLE_COUNT] = {
	[TABLE_FACTS] = FACT,           [TABLE_SUMMARIES] = SUMMARY, [TABLE_USERS] = USER,
	[TABLE_TURN_TIMES] = TURN_TIME, [TABLE_REPLAYS] = REPLAY,    [TABLE_ANSWERS] = ANSWER,
	[TABLE_VECTORS] = VECTOR,
};

static const struct {
	const char *name;
	int puts;     /* all of them */
	int deletes;  /* all of them */
	int not_puts; /* none of them */
} kinds[] = {
	{"append", TURN | RECEIPT, 0, 0},
	{"tool-call", ANSWER | RECEIPT, 0, TURN},
	{"superseded", TURN | RECEIPT, TURN_TIME, 0},
	{"replay", REPLAY, 0, 0},
	{"import", TURN | ANSWER, 0, RECEIPT},
	{"receipt", RECEIPT, 0, TURN | ANSWER},
	{"learned", FACT, 0, 0},
	{"hidden", FACT | TURN, TURN_TIME, RECEIPT},
	{"summarized", SUMMARY, 0, 0},
	{"postponed", JOB, 0, JOURNAL | FACT | SUMMARY},
	{"vectors", VECTOR, 0, 0},
	{"forget", 0, USER, 0},
};

static struct {
	MDB_txn *transaction;
	int puts, deletes;
	int bit_of[256]; /* by LMDB's number */
	MDB_dbi shared;
} writing;

static void kinds_name_tree(const char *name, MDB_dbi number)
{
	if (name != NULL && strcmp(name, "of_user") == 0)
		writing.shared = number;
	for (size_t i = 0; i < sizeof(kind_trees) / sizeof(*kind_trees); i++) {
		if (number < 256 && name != NULL && strcmp(name, kind_trees[i].tree) == 0)
			writing.bit_of[number] = kind_trees[i].bit;
	}
}

static int kinds_bit_of(MDB_dbi number, const MDB_val *key)
{
	enum { AT = 16 };
	if (number != writing.shared)
		return number < 256 ? writing.bit_of[number] : 0;
	size_t table = FIRST_SHARED_TABLE;
	if (key->mv_size > AT)
		table += ((const unsigned char *)key->mv_data)[AT];
	return table < TABLE_COUNT ? kind_tables[table] : 0;
}

static void kinds_note(MDB_txn *transaction, int bit, int is_put)
{
	if (writing.transaction != transaction)
		writing.puts = writing.deletes = 0;
	writing.transaction = transaction;
	*(is_put ? &writing.puts : &writing.deletes) |= bit;
}

static void kinds_end(MDB_txn *transaction)
{
	if (writing.transaction == transaction)
		writing.transaction = NULL;
}

/* Into `names`, a blank before each. */
static void kinds_list(MDB_txn *transaction, char *names, size_t size)
{
	int puts = writing.transaction == transaction ? writing.puts : 0;
	int deletes = writing.transaction == transaction ? writing.deletes : 0;
	names[0] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if ((puts & kinds[i].puts) != kinds[i].puts ||
		    (deletes & kinds[i].deletes) != kinds[i].deletes ||
		    (puts & kinds[i].not_puts) != 0)
			continue;
		strncat(names, " ", size - strlen(names) - 1);
		strncat(names, kinds[i].name, size - strlen(names) - 1);
	}
}

#endif
