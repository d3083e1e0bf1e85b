#include "storage/log/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int open_file(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

static int allocate(int fd, off_t size)
{
	return posix_fallocate(fd, 0, size);
}

static int sync_directory(const char *path)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -1;
	int done = fsync(directory);
	int code = errno;
	close(directory);
	errno = code;
	/* some file systems do not support this, and do not need it */
	return done == 0 || code == EINVAL || code == ENOTSUP ? 0 : -1;
}

const struct log_calls log_system_calls = {
	.open = open_file,
	.close = close,
	.pread = pread,
	.pwrite = pwrite,
	.allocate = allocate,
	.truncate = ftruncate,
	.sync = fdatasync,
	.sync_directory = sync_directory,
	.rename = rename,
	.unlink = unlink,
};
