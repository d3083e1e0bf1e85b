#include "storage/files/files.h"

#include "core/base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool complain(struct complaint complaint, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(complaint.text, complaint.size, format, arguments);
	va_end(arguments);
	return false;
}

char *file_path(const char *folder, const char *name)
{
	char *path = NULL;
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		out_of_memory();
	return path;
}

bool file_remove(const char *folder, const char *name)
{
	char *path = file_path(folder, name);
	bool removed = unlink(path) == 0;
	int error = errno;
	free(path);
	errno = error;
	return removed;
}

bool file_move(const char *from, const char *name, const char *to, const char *new_name)
{
	char *before = file_path(from, name);
	char *after = file_path(to, new_name);
	bool moved = rename(before, after) == 0;
	int error = errno;
	free(after);
	free(before);
	errno = error;
	return moved;
}

bool file_write_at(int file, const void *bytes, size_t size, off_t at)
{
	const char *from = bytes;
	while (size > 0) {
		ssize_t written = pwrite(file, from, size, at);
		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			from += written;
			at += written;
			size -= (size_t)written;
		}
	}
	return true;
}

bool file_write_on(int file, const void *bytes, size_t size)
{
	const char *from = bytes;
	while (size > 0) {
		ssize_t written = write(file, from, size);
		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			from += written;
			size -= (size_t)written;
		}
	}
	return true;
}

void file_sync_folder(const char *folder)
{
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return;
	(void)fsync(descriptor);
	(void)close(descriptor);
}

static void sync_folder_of(const char *path)
{
	const char *end = strrchr(path, '/');
	char *folder = end == NULL ? strdup(".") : strndup(path, (size_t)(end - path) + 1);
	if (folder == NULL)
		out_of_memory();
	file_sync_folder(folder);
	free(folder);
}

static bool write_fresh(const char *path, mode_t mode, bool (*write)(void *cookie, int file),
			void *cookie)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (file < 0)
		return false;
	bool written = write(cookie, file) && fsync(file) == 0;
	int error = errno;
	(void)close(file);
	errno = error;
	return written;
}

bool file_replace(const char *path, mode_t mode, bool (*write)(void *cookie, int file),
		  void *cookie)
{
	char *fresh = NULL;
	if (asprintf(&fresh, "%s.new", path) < 0)
		out_of_memory();
	bool done = write_fresh(fresh, mode, write, cookie) && rename(fresh, path) == 0;
	int error = errno;
	if (done)
		sync_folder_of(path);
	else
		(void)unlink(fresh);
	free(fresh);
	errno = error;
	return done;
}
