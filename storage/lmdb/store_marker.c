#include "storage/lmdb/store_marker.h"

#include "core/base/bytes.h"
#include "storage/files/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
	char *file = file_path(path, names[mark]);
	bool done = unlink(file) == 0;
	free(file);
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
	char *from = file_path(path, "data.mdb");
	char *to = file_path(path, "data.mdb.unfinished");
	(void)rename(from, to);
	free(from);
	free(to);
}
