/* Preloaded into a daemon under test: kills it (SIGKILL) at its CRASH_AT-th crash point, and lists
 * the points that it came to in CRASH_LOG. Outside of the daemon, since what is not in it costs
 * nothing there and nobody can set it off by accident.
 *
 * Crash points are the moments before and after a transaction's commit and a file's renaming; with
 * CRASH_KINDS=all also those before and after each write to the disk and to a socket, and before a
 * thread is woken.
 *
 * CRASH_SYNCED names a copy of the store's file as a power cut would leave it: only what was
 * written and then synced is in it. CRASH_SYNCED.named is there once the folder was synced, which
 * the file's name needs to be on disk. */
#define _GNU_SOURCE
#include "crash_kinds.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <lmdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum { RANGES = 1 << 16, PIECE = 1 << 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long count, matched;
static struct range {
	off_t at;
	size_t size;
} unsynced[RANGES];
static size_t unsynced_count;

static void point(const char *when, const char *what)
{
	static int log = -1;
	char name[192], line[256];
	pthread_mutex_lock(&lock);
	const char *path = getenv("CRASH_LOG");
	const char *at = getenv("CRASH_AT");
	const char *of = getenv("CRASH_OF");
	if (log < 0 && path != NULL)
		log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)snprintf(name, sizeof(name), "%s %s", when, what);
	int size = snprintf(line, sizeof(line), "%ld %s\n", ++count, name);
	if (log >= 0 && syscall(SYS_write, log, line, (size_t)size) != size)
		abort();
	matched += of == NULL || fnmatch(of, name, 0) == 0;
	if (at != NULL && matched == atol(at)) {
		(void)kill(getpid(), SIGKILL);
		(void)pause(); /* no step further, with the lock held */
	}
	pthread_mutex_unlock(&lock);
}

static int counts_all(void)
{
	const char *kinds = getenv("CRASH_KINDS");
	return kinds != NULL && strcmp(kinds, "all") == 0;
}

enum target { OTHER, STORE, SOCKET, WAKE };

static enum target target_of(int fd)
{
	char path[64];
	char name[512];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t size = readlink(path, name, sizeof(name) - 1);
	name[size > 0 ? size : 0] = '\0';
	if (size > 9 && strcmp(name + size - 9, "/data.mdb") == 0)
		return STORE;
	if (strncmp(name, "socket:", 7) == 0)
		return SOCKET;
	return strncmp(name, "anon_inode:[eventfd]", 20) == 0 ? WAKE : OTHER;
}

static void before(enum target target)
{
	static const char *const names[] = {"", "disk", "socket", "wake"};
	if (target != OTHER && counts_all())
		point("before", names[target]);
}

static void after(enum target target)
{
	if (target == SOCKET && counts_all())
		point("after", "socket");
}

/* ---- what a power cut would leave ---- */

static void keep(int from, int to, struct range range)
{
	char piece[PIECE];
	while (range.size > 0) {
		size_t some = range.size < PIECE ? range.size : PIECE;
		ssize_t got = pread(from, piece, some, range.at);
		if (got <= 0)
			return;
		if (syscall(SYS_pwrite64, to, piece, (size_t)got, range.at) != got)
			abort();
		range.at += got;
		range.size -= (size_t)got;
	}
}

static void keep_all(const struct range *ranges, size_t range_count)
{
	const char *path = getenv("CRASH_SYNCED");
	char *source = strdup(path);
	*strrchr(source, '.') = '\0';
	int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int from = open(source, O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < range_count; i++)
		keep(from, to, ranges[i]);
	close(from);
	close(to);
	free(source);
}

static void wrote(int fd, off_t at, ssize_t size)
{
	struct range range = {at, size > 0 ? (size_t)size : 0};
	if (getenv("CRASH_SYNCED") == NULL)
		return;
	pthread_mutex_lock(&lock);
	if (fcntl(fd, F_GETFL) & O_DSYNC)
		keep_all(&range, 1);
	else if (unsynced_count < RANGES)
		unsynced[unsynced_count++] = range;
	else
		abort();
	pthread_mutex_unlock(&lock);
}

static void synced(void)
{
	if (getenv("CRASH_SYNCED") == NULL)
		return;
	pthread_mutex_lock(&lock);
	keep_all(unsynced, unsynced_count);
	unsynced_count = 0;
	pthread_mutex_unlock(&lock);
}

/* ---- the calls ---- */

int mdb_txn_commit(MDB_txn *txn)
{
	char what[128] = "commit";
	pthread_mutex_lock(&lock);
	kinds_list(txn, what + strlen(what), sizeof(what) - strlen(what));
	kinds_end(txn);
	pthread_mutex_unlock(&lock);
	point("before", what);
	int code = REAL(mdb_txn_commit)(txn);
	point("after", what);
	return code;
}

void mdb_txn_abort(MDB_txn *txn)
{
	pthread_mutex_lock(&lock);
	kinds_end(txn);
	pthread_mutex_unlock(&lock);
	REAL(mdb_txn_abort)(txn);
}

int mdb_dbi_open(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *table)
{
	int code = REAL(mdb_dbi_open)(txn, name, flags, table);
	if (code == MDB_SUCCESS)
		kinds_name_tree(name, *table);
	return code;
}

static int note(MDB_txn *txn, int bit, int is_put, int code)
{
	pthread_mutex_lock(&lock);
	if (code == MDB_SUCCESS)
		kinds_note(txn, bit, is_put);
	pthread_mutex_unlock(&lock);
	return code;
}

int mdb_put(MDB_txn *txn, MDB_dbi table, MDB_val *key, MDB_val *value, unsigned flags)
{
	int bit = kinds_bit_of(table, key);
	return note(txn, bit, 1, REAL(mdb_put)(txn, table, key, value, flags));
}

int mdb_del(MDB_txn *txn, MDB_dbi table, MDB_val *key, MDB_val *value)
{
	int bit = kinds_bit_of(table, key);
	return note(txn, bit, 0, REAL(mdb_del)(txn, table, key, value));
}

int mdb_cursor_put(MDB_cursor *cursor, MDB_val *key, MDB_val *value, unsigned flags)
{
	int bit = kinds_bit_of(mdb_cursor_dbi(cursor), key);
	int code = REAL(mdb_cursor_put)(cursor, key, value, flags);
	return note(mdb_cursor_txn(cursor), bit, 1, code);
}

int mdb_cursor_del(MDB_cursor *cursor, unsigned flags)
{
	MDB_val key = {0, NULL};
	MDB_val value;
	(void)mdb_cursor_get(cursor, &key, &value, MDB_GET_CURRENT);
	int bit = kinds_bit_of(mdb_cursor_dbi(cursor), &key);
	int code = REAL(mdb_cursor_del)(cursor, flags);
	return note(mdb_cursor_txn(cursor), bit, 0, code);
}

int rename(const char *from, const char *to)
{
	point("before", "rename");
	int done = REAL(rename)(from, to);
	point("after", "rename");
	return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	enum target target = target_of(fd);
	before(target);
	ssize_t done = REAL(pwrite)(fd, bytes, size, at);
	if (target == STORE)
		wrote(fd, at, done);
	return done;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	enum target target = target_of(fd);
	off_t at = target == STORE ? lseek(fd, 0, SEEK_CUR) : 0;
	before(target);
	ssize_t done = REAL(write)(fd, bytes, size);
	if (target == STORE)
		wrote(fd, at, done);
	after(target);
	return done;
}

ssize_t writev(int fd, const struct iovec *pieces, int piece_count)
{
	enum target target = target_of(fd);
	off_t at = target == STORE ? lseek(fd, 0, SEEK_CUR) : 0;
	before(target);
	ssize_t done = REAL(writev)(fd, pieces, piece_count);
	if (target == STORE)
		wrote(fd, at, done);
	after(target);
	return done;
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	before(SOCKET);
	ssize_t done = REAL(send)(fd, bytes, size, flags);
	after(SOCKET);
	return done;
}

int fdatasync(int fd)
{
	enum target target = target_of(fd);
	before(target);
	int code = REAL(fdatasync)(fd);
	if (target == STORE && code == 0)
		synced();
	return code;
}

int fsync(int fd)
{
	struct stat status;
	char name[512];
	int code = REAL(fsync)(fd);
	const char *path = getenv("CRASH_SYNCED");
	if (path != NULL && code == 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
		(void)snprintf(name, sizeof(name), "%s.named", path);
		close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	return code;
}
