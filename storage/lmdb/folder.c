#include "storage/lmdb/folder.h"

#include "core/base/bytes.h"
#include "storage/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain_of_owner(const struct store *store, struct complaint complaint)
{
	char pid[32];
	ssize_t size = pread(store->lock, pid, sizeof(pid), 0);
	struct slice owner = {pid, size > 0 ? (size_t)size : 0};
	owner = slice_trim(owner);
	if (owner.size == 0)
		owner = SLICE("unknown");
	return complain(
		complaint,
		"%s is in use by another recalld (pid %.*s); one process per store: stop it "
		"or set [storage] path",
		store->path, SLICE_PRINT(owner));
}

/* The lock ends with the process. A large process whose supervisor has already started a
 * replacement takes a moment to end. */
static bool wait_for_lock(int lock)
{
	enum { TRIES = 50, PAUSE_US = 20 * 1000 };
	for (int i = 0; flock(lock, LOCK_EX | LOCK_NB) != 0; i++) {
		if (errno != EWOULDBLOCK || i == TRIES)
			return false;
		(void)usleep(PAUSE_US);
	}
	return true;
}

bool lock_take(struct store *store, struct complaint complaint)
{
	char *path = file_path(store->path, "recalld.lock");
	store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int code = errno;
	free(path);
	if (store->lock < 0)
		return complain(complaint,
				"cannot write in %s: %s; give recalld's user the directory and its "
				"files, or set [storage] path",
				store->path, strerror(code));
	if (!wait_for_lock(store->lock))
		return complain_of_owner(store, complaint);
	struct stat before;
	store->was_cut_off = fstat(store->lock, &before) != 0 || before.st_size > 0;
	/* Names the owner; a clean end empties the file, which tells it from a crash. A disk too
	 * full for this must not keep the daemon from serving. */
	char pid[32];
	int size = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (pwrite(store->lock, pid, (size_t)size, 0) == size)
		(void)!ftruncate(store->lock, size);
	(void)fdatasync(store->lock);
	return true;
}

void lock_give_back(struct store *store)
{
	if (store->lock < 0)
		return;
	if (store->writer != NULL && !store_is_broken(store) && !store_is_stuck(store))
		(void)!ftruncate(store->lock, 0);
	close(store->lock);
}

/* ---- marks ---- */

static const char *const names[] = {
	[STORE_MARKER_REBUILDING] = "rebuilding",
	[STORE_MARKER_MAKING] = "making",
};

static bool is_there(const char *path, const char *name)
{
	char *file = file_path(path, name);
	bool found = access(file, F_OK) == 0;
	free(file);
	return found;
}

bool store_marker_put(const char *path, enum store_marker mark)
{
	char *file = file_path(path, names[mark]);
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	free(file);
	if (fd < 0)
		return false;
	bool done = fsync(fd) == 0;
	close(fd);
	file_sync_folder(path);
	return done;
}

bool store_marker_remove(const char *path, enum store_marker mark)
{
	bool done = file_remove(path, names[mark]);
	if (done)
		file_sync_folder(path);
	return done;
}

bool store_marker_is_there(const char *path, enum store_marker mark)
{
	return is_there(path, names[mark]);
}

bool store_marker_is_made(const char *path)
{
	return is_there(path, "data.mdb");
}

void store_marker_put_aside(const char *path)
{
	(void)file_move(path, "data.mdb", path, "data.mdb.unfinished");
}
