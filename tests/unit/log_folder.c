#include "tests/unit/log_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/recalld-log-XXXXXX";

static void remove_folder(void)
{
	DIR *files = opendir(folder);
	for (const struct dirent *entry; files != NULL && (entry = readdir(files)) != NULL;)
		(void)unlinkat(dirfd(files), entry->d_name, 0);
	closedir(files);
	(void)rmdir(folder);
}

const char *log_folder(void)
{
	static bool made;
	if (!made) {
		ck_assert_ptr_nonnull(mkdtemp(folder));
		(void)atexit(remove_folder);
		made = true;
	}
	return folder;
}

const char *log_file(const char *name)
{
	static char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", log_folder(), name);
	return path;
}

size_t log_count_files(const char *suffix)
{
	DIR *files = opendir(log_folder());
	size_t count = 0;
	for (const struct dirent *entry; (entry = readdir(files)) != NULL;)
		count += slice_ends_with(slice_of(entry->d_name), slice_of(suffix)) ? 1 : 0;
	closedir(files);
	return count;
}

bool replayed_note(void *cookie, uint64_t position, struct slice event)
{
	struct replayed *replayed = cookie;
	int size = snprintf(replayed->text + replayed->size,
			    sizeof(replayed->text) - replayed->size, "%d:%.*s ", (int)position,
			    (int)(event.size < 40 ? event.size : 40), event.data);
	replayed->size += (size_t)size;
	return position != replayed->fail_at;
}

struct log *log_start(uint64_t after, struct replayed *replayed)
{
	char error[200];
	struct log_options options = {.segment_bytes = SEGMENT_SMALL,
				      .store_id = "fifteen letters"};
	struct log *log = log_open(log_folder(), &options, error, sizeof(error));
	ck_assert_msg(log != NULL, "%s", error);
	*replayed = (struct replayed){0};
	ck_assert(log_replay(log, after, replayed_note, replayed, &replayed->report));
	return log;
}

uint64_t log_add(struct log *log, const char *event)
{
	uint64_t position = 0;
	ck_assert_int_eq(log_append(log, slice_of(event), &position), LOG_OK);
	return position;
}

void log_add_synced(struct log *log, const char *event)
{
	log_add(log, event);
	ck_assert_int_eq(log_sync(log), LOG_OK);
}

void log_flip(const char *name, long offset, unsigned mask)
{
	FILE *file = fopen(log_file(name), "r+");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET), 0);
	int byte = fgetc(file);
	ck_assert_int_ne(byte, EOF);
	ck_assert_int_eq(fseek(file, -1, SEEK_CUR), 0);
	ck_assert_int_ne(fputc((int)((unsigned)byte ^ mask), file), EOF);
	ck_assert_int_eq(fclose(file), 0);
}
