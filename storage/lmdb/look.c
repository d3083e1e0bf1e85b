/* Checks, without changing anything, whether store_open() would accept a store's directory now. */
#include "storage/files/files.h"
#include "storage/lmdb/folder.h"
#include "storage/lmdb/reader.h"
#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tests by trying: permissions do not decide it for root or on every file system. errno says why
 * not. */
static bool can_write(const char *path)
{
	char *probe = NULL;
	if (asprintf(&probe, "%s/.recalld-test-XXXXXX", path) < 0)
		out_of_memory();
	bool made = mkdtemp(probe) != NULL;
	int error = errno;
	if (made)
		(void)rmdir(probe);
	free(probe);
	errno = error;
	return made;
}

static enum store_look denied(const char *path, int error, struct complaint why)
{
	(void)complain(why, "user %ld cannot write in %s: %s", (long)geteuid(), path,
		       strerror(error));
	return error == EACCES || error == EPERM ? STORE_LOOK_DENIED : STORE_LOOK_UNUSABLE;
}

/* Removes the last component; stops at "/" and ".". */
static void to_parent(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		(void)snprintf(path, 2, ".");
	else
		slash[slash == path] = '\0';
}

/* For a directory that does not exist yet: whether it can be created. */
static enum store_look look_above(const char *path, struct complaint why)
{
	struct stat status;
	char *above = xstrdup(path);
	do
		to_parent(above);
	while (stat(above, &status) != 0 && errno == ENOENT);
	enum store_look result = can_write(above) ? STORE_LOOK_FINE : denied(above, errno, why);
	free(above);
	return result;
}

static enum store_look held(const char *path, int lock, struct complaint why)
{
	char pid[32] = "unknown";
	ssize_t size = pread(lock, pid, sizeof(pid) - 1, 0);
	if (size > 0)
		pid[size] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	(void)complain(why, "%s is in use by another recalld (pid %s)", path, pid);
	return STORE_LOOK_HELD;
}

static enum store_look look_at_file(const char *path, struct complaint why)
{
	bool is_damaged;
	if (store_marker_is_there(path, STORE_MARKER_REBUILDING)) {
		(void)complain(
			why,
			"%s holds an incomplete store: its \"recallctl rebuild\" was interrupted",
			path);
		return STORE_LOOK_UNUSABLE;
	}
	if (store_marker_is_there(path, STORE_MARKER_MAKING)) /* being created */
		return STORE_LOOK_FINE;
	const char *fault = reader_probe(path, false, &is_damaged);
	if (fault == NULL)
		return STORE_LOOK_FINE;
	(void)complain(why, "the store in %s cannot be read: %s", path, fault);
	return STORE_LOOK_UNUSABLE;
}

/* Holds the store's lock only briefly: a daemon that starts meanwhile waits for it. */
static enum store_look look_inside(const char *path, struct complaint why)
{
	char *name = file_path(path, "recalld.lock");
	int lock = open(name, O_RDWR | O_CLOEXEC);
	int error = errno;
	free(name);
	if (lock < 0)
		return error == ENOENT ? look_at_file(path, why) : denied(path, error, why);
	bool is_held = flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	enum store_look result = is_held ? held(path, lock, why) : look_at_file(path, why);
	close(lock);
	return result;
}

enum store_look store_look(const char *path, char *why, size_t why_size)
{
	const struct complaint complaint = {why, why_size};
	struct stat status;
	if (stat(path, &status) != 0)
		return errno == ENOENT ? look_above(path, complaint)
				       : denied(path, errno, complaint);
	if (!S_ISDIR(status.st_mode)) {
		(void)complain(complaint, "%s is not a directory", path);
		return STORE_LOOK_UNUSABLE;
	}
	return can_write(path) ? look_inside(path, complaint) : denied(path, errno, complaint);
}
