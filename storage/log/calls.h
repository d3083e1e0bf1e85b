/* The calls by which the log touches files, so that a test can fail, tear or lose each of them.
 * They behave like the functions of the same names, errno included. */
#ifndef RECALLD_STORAGE_LOG_CALLS_H
#define RECALLD_STORAGE_LOG_CALLS_H

#include <sys/types.h>

struct log_calls {
	int (*open)(const char *path, int flags, mode_t mode);
	int (*close)(int fd);
	ssize_t (*pread)(int fd, void *bytes, size_t size, off_t offset);
	ssize_t (*pwrite)(int fd, const void *bytes, size_t size, off_t offset);
	int (*allocate)(int fd, off_t size); /* posix_fallocate() from 0; returns an errno */
	int (*truncate)(int fd, off_t size);
	int (*sync)(int fd); /* fdatasync() */
	int (*sync_directory)(const char *path);
	int (*rename)(const char *from, const char *to);
	int (*unlink)(const char *path);
};

extern const struct log_calls log_system_calls;

#endif
