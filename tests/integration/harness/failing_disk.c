/* Preloaded into a daemon under test. While the file FAILING_FULL is there, the disk says that it
 * has no room left; while FAILING_WRITES is there, writing to it fails for want of room too; while
 * FAILING_ENDS is there, only what is shorter than a page fails, by which LMDB ends a commit; while
 * FAILING_FORKS is there, no process can be started. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_there(const char *variable)
{
	const char *mark = getenv(variable);
	return mark != NULL && access(mark, F_OK) == 0;
}

static int look(const char *name, const char *path, struct statvfs *disk)
{
	int (*real)(const char *, struct statvfs *) =
		(int (*)(const char *, struct statvfs *))dlsym(RTLD_NEXT, name);
	int result = real(path, disk);
	if (result == 0 && (is_there("FAILING_FULL") || is_there("FAILING_WRITES")))
		disk->f_bavail = 0;
	return result;
}

int statvfs(const char *restrict path, struct statvfs *restrict disk)
{
	return look("statvfs", path, disk);
}

int statvfs64(const char *restrict path, struct statvfs64 *restrict disk)
{
	return look("statvfs64", path, (struct statvfs *)disk);
}

static int refuses(void)
{
	if (!is_there("FAILING_WRITES"))
		return 0;
	errno = ENOSPC;
	return 1;
}

/* The bytes for pwrite(). The end of a commit is written over the one before the last, and so needs
 * no room. */
static int refuses_part(size_t size)
{
	enum { PAGE = 4096 };
	if (size >= PAGE)
		return refuses();
	if (!is_there("FAILING_ENDS"))
		return 0;
	errno = EIO;
	return 1;
}

typedef ssize_t write_at(int, const void *, size_t, off_t);
typedef ssize_t write_many(int, const struct iovec *, int, off_t);

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	write_at *real = (write_at *)dlsym(RTLD_NEXT, "pwrite");
	return refuses_part(size) ? -1 : real(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
	write_at *real = (write_at *)dlsym(RTLD_NEXT, "pwrite64");
	return refuses_part(size) ? -1 : real(fd, bytes, size, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	return refuses() ? -1 : ((write_many *)dlsym(RTLD_NEXT, "pwritev"))(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
	return refuses() ? -1 : ((write_many *)dlsym(RTLD_NEXT, "pwritev64"))(fd, parts, count, at);
}

/* LMDB writes pages that lie side by side so; sockets are not refused. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
	ssize_t (*real)(int, const struct iovec *, int) =
		(ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
	struct stat file;
	bool is_file = fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
	return is_file && refuses() ? -1 : real(fd, parts, count);
}

pid_t fork(void)
{
	if (!is_there("FAILING_FORKS"))
		return ((pid_t(*)(void))dlsym(RTLD_NEXT, "fork"))();
	errno = EAGAIN;
	return -1;
}
