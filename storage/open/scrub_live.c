#include "storage/files/touched.h"
#include "storage/lmdb/writer.h"
#include "storage/open/scrub_copy.h"
#include "storage/scrub.h"

#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	FEW_CHANGES = 64 * 1024, /* bytes of keys that may be copied while the writer waits */
	MOST_ROUNDS = 1000, /* a store that changes faster than it is copied is not waited for */
	LOOK_AGAIN_US = 1000,
	STOPPED = -1, /* no code of LMDB's */
	LOST = -2,    /* too much changed meanwhile */
	OTHER_TREES = -3,
};

struct scrubbing {
	struct store *store;
	const struct store_scrub *scrub;
	struct copy copy;
	struct touched *touched;
	uint64_t size; /* of the store at the beginning */
	int code;
	MDB_env *before; /* the environment that was replaced */
	unsigned number; /* its number */
};

static bool stops(const struct scrubbing *scrubbing)
{
	const atomic_bool *stops = scrubbing->scrub->stops;
	return stops != NULL && atomic_load(stops);
}

static void tell(const struct scrubbing *scrubbing)
{
	const struct store_progress *progress = &scrubbing->scrub->progress;
	double share = (double)scrubbing->copy.copied / ((double)scrubbing->size + 1);
	if (progress->tell != NULL)
		progress->tell(progress->cookie, share < 1 ? share : 1);
}

/* Copies what has changed, and with `more` the next records. Takes the list of changes before it
 * looks at the store, so that none falls between. */
static int go_on(struct scrubbing *scrubbing, bool more, size_t *changes)
{
	struct transaction transaction;
	struct slice touched;
	bool is_complete = touched_take(scrubbing->touched, &touched);
	*changes = touched.size;
	if (!is_complete)
		return LOST;
	if (!transaction_begin_read(&transaction, scrubbing->store))
		return MDB_BAD_TXN;
	const struct copy_source source = {transaction.handle, scrubbing->store->trees};
	int code = copy_again(&scrubbing->copy, &source, touched);
	if (code == MDB_SUCCESS && more)
		code = copy_slice(&scrubbing->copy, &source);
	transaction_abort(&transaction);
	return code;
}

/* ---- on the writer's thread ---- */

static void begin_noting(void *cookie)
{
	struct scrubbing *scrubbing = cookie;
	scrubbing->store->touched = scrubbing->touched;
}

static void end_noting(void *cookie)
{
	struct scrubbing *scrubbing = cookie;
	scrubbing->store->touched = NULL;
}

/* The copy takes the place of the store's environment. */
static void exchange(struct scrubbing *scrubbing)
{
	struct store *store = scrubbing->store;
	scrubbing->code = copy_exchange(&scrubbing->copy);
	if (scrubbing->code != MDB_SUCCESS)
		return;
	(void)mdb_env_set_flags(scrubbing->copy.fresh.env, MDB_NOSYNC, 0);
	scrubbing->before = store->env;
	scrubbing->number = engine_replace(store, scrubbing->copy.fresh.env);
	scrubbing->copy.fresh.env = NULL;
}

static void finish(void *cookie)
{
	struct scrubbing *scrubbing = cookie;
	size_t changes;
	scrubbing->code = go_on(scrubbing, false, &changes);
	if (scrubbing->code == MDB_SUCCESS)
		scrubbing->code = copy_seal(&scrubbing->copy);
	if (scrubbing->code == MDB_SUCCESS)
		exchange(scrubbing);
	end_noting(scrubbing);
}

/* ---- on the caller's ---- */

static int note_erasures(struct scrubbing *scrubbing)
{
	struct transaction transaction;
	if (!transaction_begin_read(&transaction, scrubbing->store))
		return MDB_BAD_TXN;
	scrubbing->copy.erasures = (uint64_t)table_counts(&transaction).erasures;
	transaction_abort(&transaction);
	return MDB_SUCCESS;
}

/* Most of the copy is on the disk before the writer has to wait for the rest. */
static int copy_most(struct scrubbing *scrubbing)
{
	size_t changes = SIZE_MAX;
	int code = note_erasures(scrubbing);
	while (code == MDB_SUCCESS && !scrubbing->copy.is_whole) {
		code = stops(scrubbing) ? STOPPED : go_on(scrubbing, true, &changes);
		tell(scrubbing);
	}
	for (size_t i = 0; code == MDB_SUCCESS && changes > FEW_CHANGES && i < MOST_ROUNDS; i++)
		code = stops(scrubbing) ? STOPPED : go_on(scrubbing, false, &changes);
	return code == MDB_SUCCESS ? mdb_env_sync(scrubbing->copy.fresh.env, 1) : code;
}

static int make_copy(struct scrubbing *scrubbing)
{
	struct store *store = scrubbing->store;
	struct copy *copy = &scrubbing->copy;
	int code = copy_begin(copy, store->path, store->map_size);
	/* the numbers of LMDB's trees depend only on the order in which they are opened */
	if (code == MDB_SUCCESS &&
	    memcmp(copy->fresh.trees, store->trees, sizeof(store->trees)) != 0)
		code = OTHER_TREES;
	if (code != MDB_SUCCESS)
		return code;
	scrubbing->touched = touched_create();
	writer_run_between(store->writer, begin_noting, scrubbing);
	scrubbing->code = copy_most(scrubbing);
	writer_run_between(store->writer, scrubbing->code == MDB_SUCCESS ? finish : end_noting,
			   scrubbing);
	touched_destroy(scrubbing->touched);
	return scrubbing->code;
}

static void close_before(struct scrubbing *scrubbing)
{
	while (engine_has_readers(scrubbing->store, scrubbing->number))
		(void)usleep(LOOK_AGAIN_US);
	mdb_env_close(scrubbing->before);
}

static const char *reason(int code)
{
	switch (code) {
	case LOST:
		return "too much was written meanwhile; try again at a quieter time";
	case OTHER_TREES:
		return "the new file came out differently";
	default:
		return mdb_strerror(code);
	}
}

bool store_scrub(struct store *store, const struct store_scrub *scrub, char *error,
		 size_t error_size)
{
	struct store_statistics statistics;
	store_statistics(store, &statistics);
	struct scrubbing scrubbing = {
		.store = store, .scrub = scrub, .size = statistics.bytes_used};
	uint64_t needed = statistics.bytes_used + engine_disk_head_room();
	if (statistics.disk_free < needed) {
		(void)snprintf(error, error_size,
			       "a scrub needs %" PRIu64 " MB of free disk for a second copy, and "
			       "there are %" PRIu64 " MB",
			       needed >> 20, statistics.disk_free >> 20);
		return false;
	}
	int code = make_copy(&scrubbing);
	if (code == MDB_SUCCESS)
		close_before(&scrubbing);
	copy_finish(&scrubbing.copy);
	if (code != MDB_SUCCESS && code != STOPPED)
		(void)snprintf(error, error_size, "cannot scrub the store: %s", reason(code));
	return code == MDB_SUCCESS;
}

struct store_scrubbed store_scrubbed(struct store *store)
{
	struct transaction transaction;
	struct copy_note note;
	struct store_scrubbed scrubbed = {0};
	if (!transaction_begin_read(&transaction, store))
		return scrubbed;
	(void)copy_read_note(&transaction, &note);
	scrubbed.at = note.at;
	scrubbed.pending = (uint64_t)table_counts(&transaction).erasures > note.erasures;
	transaction_abort(&transaction);
	return scrubbed;
}
