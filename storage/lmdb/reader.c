#include "storage/lmdb/reader.h"

#include "storage/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- opening ---- */

/* LMDB's own lock is needed only beside a daemon. Otherwise it is not even created: a file owned by
 * root would keep recalld out. */
static unsigned lock_flag(struct reader *reader, const char *path, bool is_ours)
{
	if (is_ours)
		return MDB_NOLOCK;
	char *name = file_path(path, "recalld.lock");
	reader->lock = open(name, O_RDONLY | O_CLOEXEC);
	free(name);
	if (reader->lock < 0)
		return MDB_NOLOCK;
	if (flock(reader->lock, LOCK_EX | LOCK_NB) == 0)
		return MDB_NOLOCK;
	close(reader->lock);
	reader->lock = -1;
	return 0;
}

static int open_trees(struct reader *reader)
{
	for (size_t i = 0; i < TREE_COUNT; i++) {
		int code = engine_open_tree(&reader->store, reader->transaction.handle, i, 0);
		if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
			return code;
		reader->has_tree[i] = code == MDB_SUCCESS;
	}
	return MDB_SUCCESS;
}

const char *reader_open(struct reader *reader, const char *path, bool is_ours)
{
	*reader = (struct reader){.lock = -1, .store = {.replacing = PTHREAD_MUTEX_INITIALIZER}};
	struct store *store = &reader->store;
	unsigned flags = MDB_RDONLY | MDB_NOTLS | lock_flag(reader, path, is_ours);
	int code = mdb_env_create(&store->env);
	if (code == MDB_SUCCESS)
		code = mdb_env_set_maxdbs(store->env, TREE_COUNT);
	if (code == MDB_SUCCESS)
		code = mdb_env_open(store->env, path, flags, 0600);
	if (code != MDB_SUCCESS)
		return mdb_strerror(code);
	reader->begun = transaction_begin_read(&reader->transaction, store);
	if (!reader->begun)
		return "no transaction can begin";
	code = open_trees(reader);
	if (code != MDB_SUCCESS) {
		transaction_fail(&reader->transaction);
		return mdb_strerror(code);
	}
	return reader->has_tree[TABLE_META] ? NULL : "it is not a store of recalld";
}

bool reader_open_keys(struct reader *reader, const char *path, const unsigned char *master,
		      struct complaint complaint)
{
	struct transaction *transaction = &reader->transaction;
	struct store *store = &reader->store;
	uint64_t id;
	const enum seal_state state = transaction_seal_state(transaction, &id);
	if (!seal_open(path, master, state == SEAL_NEW ? SEAL_NONE : state, id, false, &store->seal,
		       complaint))
		return false;
	if (store->seal != NULL)
		transaction->sealer = seal_take(store->seal);
	transaction->hides_nothing = true;
	return true;
}

bool reader_has_other_format(struct reader *reader)
{
	uint64_t format = STORE_FORMAT;
	return table_read(&reader->transaction, TABLE_META, key_of_name("format"),
			  stored_number_fields, &format, NULL) &&
	       format != STORE_FORMAT;
}

void reader_finish(struct reader *reader)
{
	if (reader->begun)
		transaction_abort(&reader->transaction);
	if (reader->store.env != NULL)
		mdb_env_close(reader->store.env);
	seal_destroy(reader->store.seal);
	if (reader->lock >= 0)
		close(reader->lock);
}

/* ---- apart ---- */

_Noreturn static void be_child(pid_t parent, int (*work)(void *cookie), void *cookie)
{
	/* the child holds the store's lock or writes an export: it must not outlive its parent */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	/* a crash report or core file would help nobody */
	const struct rlimit none = {0, 0};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGSEGV, SIG_DFL);
	(void)signal(SIGBUS, SIG_DFL);
	if (null >= 0)
		(void)dup2(null, STDERR_FILENO);
	_exit(work(cookie));
}

static int await_child(pid_t child)
{
	int status;
	pid_t ended;
	do
		ended = waitpid(child, &status, 0);
	while (ended < 0 && errno == EINTR);
	return ended == child && WIFEXITED(status) ? WEXITSTATUS(status) : APART_CRASHED;
}

int reader_run_apart(int (*work)(void *cookie), void *cookie)
{
	/* the parent may have inherited an ignored SIGCHLD, which would lose the result */
	const struct sigaction waits = {.sa_handler = SIG_DFL};
	struct sigaction before;
	(void)sigaction(SIGCHLD, &waits, &before);
	pid_t parent = getpid();
	pid_t child = fork();
	if (child == 0)
		be_child(parent, work, cookie);
	int result = child < 0 ? APART_NOT_BEGUN : await_child(child);
	(void)sigaction(SIGCHLD, &before, NULL);
	return result;
}

/* ---- the look before a start ---- */

enum {
	PROBE_CPU_SECONDS = 5,
	WALK_SECONDS = 10, /* a start waits no longer than this, however large the store is */
	WALK_KEY_MAX = 511,
};

enum probe_result {
	PROBE_FINE,
	PROBE_UNREADABLE,
	PROBE_NO_HEADER,
	PROBE_CUT_OFF,
	PROBE_NOT_OURS,
	PROBE_DENIED,
};

/* Reads its first and its last record. */
static bool touch_tree(struct reader *reader, size_t tree)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	int code = mdb_cursor_open(reader->transaction.handle, reader->store.trees[tree], &cursor);
	if (code != MDB_SUCCESS)
		return false;
	int first = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	int last = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	mdb_cursor_close(cursor);
	return (first == MDB_SUCCESS || first == MDB_NOTFOUND) && last == first;
}

static time_t seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Whether a tree's records are in order and match its count. A damaged page usually breaks the
 * order, leads outside the file or ends this process. Also true when the time reaches `until`. */
static bool walk_tree(struct reader *reader, size_t tree, time_t until)
{
	MDB_txn *transaction = reader->transaction.handle;
	MDB_dbi dbi = reader->store.trees[tree];
	MDB_cursor *cursor;
	MDB_stat stat_;
	MDB_val key;
	MDB_val value;
	char bytes[WALK_KEY_MAX];
	MDB_val last = {0, bytes};
	size_t count = 0;
	bool in_order = true;
	if (mdb_stat(transaction, dbi, &stat_) != MDB_SUCCESS ||
	    mdb_cursor_open(transaction, dbi, &cursor) != MDB_SUCCESS)
		return false;
	int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	for (; code == MDB_SUCCESS && in_order;
	     code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
		in_order = key.mv_size <= WALK_KEY_MAX &&
			   (count == 0 || mdb_cmp(transaction, dbi, &last, &key) < 0);
		if (value.mv_size > 0)
			(void)((const volatile char *)value.mv_data)[value.mv_size - 1];
		if (!in_order || (++count % 1024 == 0 && seconds_now() >= until))
			break;
		last.mv_size = key.mv_size;
		memcpy(bytes, key.mv_data, key.mv_size);
	}
	mdb_cursor_close(cursor);
	return in_order &&
	       (code == MDB_SUCCESS || (code == MDB_NOTFOUND && count == stat_.ms_entries));
}

/* Pages at the end that were never written may be missing: exactly those must be free. */
static bool is_whole(struct reader *reader, const char *path)
{
	struct stat file;
	MDB_envinfo info;
	MDB_stat stat_;
	char *name = file_path(path, "data.mdb");
	int code = stat(name, &file);
	free(name);
	mdb_env_info(reader->store.env, &info);
	mdb_env_stat(reader->store.env, &stat_);
	uint64_t pages = (uint64_t)file.st_size / stat_.ms_psize;
	uint64_t needed = info.me_last_pgno + 1;
	return code == 0 && (pages >= needed ||
			     engine_free_pages(&reader->transaction, pages) >= needed - pages);
}

/* Whether all trees can be opened. A damaged root may look empty, and an apparently new store is
 * written to. */
static bool holds_its_trees(struct reader *reader, size_t *count)
{
	MDB_dbi names;
	MDB_stat stat_;
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	size_t walked = 0;
	if (mdb_dbi_open(reader->transaction.handle, NULL, 0, &names) != MDB_SUCCESS ||
	    mdb_stat(reader->transaction.handle, names, &stat_) != MDB_SUCCESS ||
	    mdb_cursor_open(reader->transaction.handle, names, &cursor) != MDB_SUCCESS)
		return false;
	while (walked <= stat_.ms_entries &&
	       mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS)
		walked++;
	mdb_cursor_close(cursor);
	*count = walked;
	return walked == stat_.ms_entries;
}

/* the mapped page is not in the file */
static void on_lost_page(int number)
{
	(void)number;
	_exit(PROBE_CUT_OFF);
}

struct probing {
	const char *path;
	bool whole;
};

static int probe(void *cookie)
{
	const struct probing *probing = cookie;
	/* not the store's lock, which would outlive a killed parent */
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	/* Damaged pages may form a cycle; CPU time excludes waiting for a slow disk. */
	const rlim_t seconds = PROBE_CPU_SECONDS + (probing->whole ? WALK_SECONDS : 0);
	const struct rlimit limit = {seconds, seconds};
	(void)setrlimit(RLIMIT_CPU, &limit);
	(void)signal(SIGBUS, on_lost_page);

	const char *path = probing->path;
	struct reader reader;
	const char *fault = reader_open(&reader, path, true);
	if (fault != NULL && !reader.begun)
		return strstr(fault, strerror(EACCES)) != NULL ? PROBE_DENIED : PROBE_NO_HEADER;
	if (reader.transaction.result != STORE_OK)
		return PROBE_UNREADABLE;
	if (!is_whole(&reader, path))
		return PROBE_CUT_OFF;
	(void)engine_free_pages(&reader.transaction, 0);
	size_t trees;
	if (!holds_its_trees(&reader, &trees))
		return PROBE_UNREADABLE;
	for (size_t i = 0; i < TREE_COUNT; i++) {
		if (reader.has_tree[i] && !touch_tree(&reader, i))
			return PROBE_UNREADABLE;
	}
	const time_t until = seconds_now() + WALK_SECONDS;
	for (size_t i = 0; probing->whole && i < TREE_COUNT; i++) {
		if (reader.has_tree[i] && !walk_tree(&reader, i, until))
			return PROBE_UNREADABLE;
	}
	/* a store stopped before its first commit has no trees */
	return fault == NULL || trees == 0 ? PROBE_FINE : PROBE_NOT_OURS;
}

const char *reader_probe(const char *path, bool whole, bool *is_damaged)
{
	struct probing probing = {path, whole};
	struct stat file;
	char *name = file_path(path, "data.mdb");
	bool is_there = stat(name, &file) == 0;
	free(name);
	*is_damaged = is_there;
	if (!is_there)
		return NULL;
	if (file.st_size == 0)
		return "data.mdb is empty";
	switch (reader_run_apart(probe, &probing)) {
	case PROBE_FINE:
		*is_damaged = false;
		return NULL;
	case APART_NOT_BEGUN:
		*is_damaged = false;
		return "no process can be started to check it; raise the limit of processes";
	case PROBE_NO_HEADER:
		return "data.mdb does not begin like a store";
	case PROBE_CUT_OFF:
		return "data.mdb is truncated, or its disk fails";
	case PROBE_NOT_OURS:
		return "data.mdb is not a store of recalld";
	case PROBE_DENIED:
		*is_damaged = false;
		return "this user may not read data.mdb; give it to recalld's user";
	default:
		return "data.mdb is damaged";
	}
}
