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

struct look {
	const char *path;
	char *why;
	size_t why_size;
};

static enum store_look found(const struct look *look, enum store_look result, const char *format,
			     ...) __attribute__((format(printf, 3, 4)));

static enum store_look found(const struct look *look, enum store_look result, const char *format,
			     ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(look->why, look->why_size, format, arguments);
	va_end(arguments);
	return result;
}

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

static enum store_look denied(const struct look *look, const char *path, int error)
{
	bool is_denied = error == EACCES || error == EPERM;
	return found(look, is_denied ? STORE_LOOK_DENIED : STORE_LOOK_UNUSABLE,
		     "user %ld cannot write in %s: %s", (long)geteuid(), path, strerror(error));
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
static enum store_look look_above(const struct look *look)
{
	struct stat status;
	char *above = xstrdup(look->path);
	do
		to_parent(above);
	while (stat(above, &status) != 0 && errno == ENOENT);
	enum store_look result = can_write(above) ? STORE_LOOK_FINE : denied(look, above, errno);
	free(above);
	return result;
}

static enum store_look held(const struct look *look, int lock)
{
	char pid[32] = "unknown";
	ssize_t size = pread(lock, pid, sizeof(pid) - 1, 0);
	if (size > 0)
		pid[size] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return found(look, STORE_LOOK_HELD, "%s is in use by another recalld (pid %s)", look->path,
		     pid);
}

static enum store_look look_at_file(const struct look *look)
{
	bool is_damaged;
	if (store_marker_is_there(look->path, STORE_MARKER_REBUILDING))
		return found(
			look, STORE_LOOK_UNUSABLE,
			"%s holds an incomplete store: its \"recallctl rebuild\" was interrupted",
			look->path);
	if (store_marker_is_there(look->path, STORE_MARKER_MAKING)) /* being created */
		return STORE_LOOK_FINE;
	const char *fault = reader_probe(look->path, false, &is_damaged);
	return fault == NULL ? STORE_LOOK_FINE
			     : found(look, STORE_LOOK_UNUSABLE,
				     "the store in %s cannot be read: %s", look->path, fault);
}

/* Holds the store's lock only briefly: a daemon that starts meanwhile waits for it. */
static enum store_look look_inside(const struct look *look)
{
	char *path = file_path(look->path, "recalld.lock");
	int lock = open(path, O_RDWR | O_CLOEXEC);
	int error = errno;
	free(path);
	if (lock < 0)
		return error == ENOENT ? look_at_file(look) : denied(look, look->path, error);
	bool is_held = flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	enum store_look result = is_held ? held(look, lock) : look_at_file(look);
	close(lock);
	return result;
}

enum store_look store_look(const char *path, char *why, size_t why_size)
{
	const struct look look = {path, why, why_size};
	struct stat status;
	if (stat(path, &status) != 0)
		return errno == ENOENT ? look_above(&look) : denied(&look, path, errno);
	if (!S_ISDIR(status.st_mode))
		return found(&look, STORE_LOOK_UNUSABLE, "%s is not a directory", path);
	if (!can_write(path))
		return denied(&look, path, errno);
	return look_inside(&look);
}
