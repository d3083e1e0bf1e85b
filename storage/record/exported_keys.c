#include "storage/record/exported_keys.h"

#include "storage/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 32 };

static bool write_note(void *cookie, int file)
{
	const int64_t *at = cookie;
	char line[LINE_SIZE];
	const int size = snprintf(line, sizeof(line), "%" PRId64 "\n", *at);
	return file_write_on(file, line, (size_t)size);
}

bool exported_note(const char *folder, int64_t at)
{
	char *path = file_path(folder, EXPORTED_FILE);
	/* Everybody who may enter the folder may read it: root may have written it. */
	bool noted = file_replace(path, 0644, write_note, &at);
	int error = errno;
	free(path);
	errno = error;
	return noted;
}

int64_t exported_last(const char *folder)
{
	char line[LINE_SIZE] = "";
	char *end = line;
	char *path = file_path(folder, EXPORTED_FILE);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	const bool is_missing = file < 0 && errno == ENOENT;
	free(path);
	if (is_missing)
		return 0;
	if (file >= 0 && read(file, line, sizeof(line) - 1) < 0)
		line[0] = '\0';
	if (file >= 0)
		(void)close(file);
	const long long at = strtoll(line, &end, 10);
	return end == line || *end != '\n' || at <= 0 ? time(NULL) : at;
}
