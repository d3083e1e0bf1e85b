#include "tests/unit/log_disk.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SECTOR = 512, FILES = 64, DESCRIPTORS = 256, CHANGES = 512, NAME_SIZE = 64 };

/* A change of a file that is not durable yet: bytes written, or a new size. */
struct change {
	enum { WRITTEN, GROWN, CUT } kind;
	size_t offset; /* or the size */
	struct slice bytes;
};

/* A file, whatever its names. */
struct file {
	struct buffer durable;
	struct change changes[CHANGES];
	size_t count;
};

struct name {
	char text[NAME_SIZE];
	struct file *file; /* NULL: free, or the name is gone */
};

static struct {
	const char *folder;
	struct random *random;
	struct arena arena;
	struct file *files[FILES];
	size_t file_count;
	struct name names[FILES];     /* as the process sees them */
	struct name durable[FILES];   /* as the disk has them */
	struct name changes[CHANGES]; /* of names, since the folder was synced */
	size_t change_count;
	struct file *open[DESCRIPTORS];
	struct disk_faults faults;
	size_t calls_left; /* 0: no limit */
	bool stopped;
} disk;

static bool happens(unsigned of_thousand)
{
	return of_thousand > 0 && random_below(disk.random, 1000) < of_thousand;
}

/* Counts a call. False: it fails, with errno set. */
static bool works(void)
{
	if (disk.calls_left > 0 && --disk.calls_left == 0)
		disk.stopped = true;
	errno = EIO;
	return !disk.stopped && !happens(disk.faults.broken);
}

/* ---- names ---- */

static struct name *find_name(struct name *names, const char *text)
{
	struct name *unused = NULL;
	for (size_t i = 0; i < FILES; i++) {
		if (names[i].file == NULL)
			unused = unused == NULL ? &names[i] : unused;
		else if (strcmp(names[i].text, text) == 0)
			return &names[i];
	}
	ck_assert_ptr_nonnull(unused);
	(void)snprintf(unused->text, sizeof(unused->text), "%s", text);
	return unused;
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void change_name(const char *path, struct file *file)
{
	ck_assert_uint_lt(disk.change_count, CHANGES);
	struct name *change = &disk.changes[disk.change_count++];
	(void)snprintf(change->text, sizeof(change->text), "%s", name_of(path));
	change->file = file;
	find_name(disk.names, change->text)->file = file;
}

/* Makes changes of names durable: all of them, or any. */
static void settle_names(bool all)
{
	for (size_t i = 0; i < disk.change_count; i++) {
		if (all || random_below(disk.random, 2) == 0)
			find_name(disk.durable, disk.changes[i].text)->file = disk.changes[i].file;
	}
	disk.change_count = 0;
}

/* ---- contents ---- */

static struct file *create_file(void)
{
	ck_assert_uint_lt(disk.file_count, FILES);
	struct file *file = xcalloc(1, sizeof(*file));
	buffer_init(&file->durable, SIZE_MAX);
	disk.files[disk.file_count++] = file;
	return file;
}

static void change_file(int fd, struct change change)
{
	struct file *file = disk.open[fd];
	ck_assert_uint_lt(file->count, CHANGES);
	change.bytes = arena_copy(&disk.arena, change.bytes);
	file->changes[file->count++] = change;
}

static void grow(struct buffer *bytes, size_t size)
{
	while (bytes->size < size)
		buffer_append_byte(bytes, 0);
}

/* `share` of a hundred sectors reach the disk. */
static void settle_written(struct buffer *durable, const struct change *change, unsigned share)
{
	size_t size = change->bytes.size;
	for (size_t i = 0, end; i < size; i = end) {
		end = (change->offset + i) / SECTOR * SECTOR + SECTOR - change->offset;
		end = end < size ? end : size;
		if (random_below(disk.random, 100) >= share)
			continue;
		grow(durable, change->offset + end);
		memcpy(durable->data + change->offset + i, change->bytes.data + i, end - i);
	}
}

static void settle_file(struct file *file, unsigned share)
{
	for (size_t i = 0; i < file->count; i++) {
		const struct change *change = &file->changes[i];
		if (change->kind == WRITTEN)
			settle_written(&file->durable, change, share);
		else if (random_below(disk.random, 100) >= share)
			continue;
		else if (change->kind == GROWN)
			grow(&file->durable, change->offset);
		else if (file->durable.size > change->offset)
			file->durable.size = change->offset;
	}
	file->count = 0;
}

/* Often all of it, or nothing. */
static unsigned random_share(void)
{
	static const unsigned shares[] = {0, 10, 50, 90, 100};
	return shares[random_below(disk.random, sizeof(shares) / sizeof(shares[0]))];
}

/* ---- the calls ---- */

static int disk_open(const char *path, int flags, mode_t mode)
{
	if (!works())
		return -1;
	if ((flags & O_CREAT) != 0 && happens(disk.faults.full)) {
		errno = ENOSPC;
		return -1;
	}
	int fd = open(path, flags, mode);
	if (fd < 0)
		return -1;
	ck_assert_int_lt(fd, DESCRIPTORS);
	if ((flags & O_CREAT) != 0)
		change_name(path, create_file());
	disk.open[fd] = find_name(disk.names, name_of(path))->file;
	ck_assert_ptr_nonnull(disk.open[fd]);
	return fd;
}

/* Closing works even when nothing else does, or the test would run out of descriptors. */
static int disk_close(int fd)
{
	disk.open[fd] = NULL;
	return close(fd);
}

static size_t part_of(size_t size)
{
	return happens(disk.faults.interrupted) ? random_below(disk.random, size + 1) : size;
}

static bool is_interrupted(void)
{
	errno = EINTR;
	return happens(disk.faults.interrupted);
}

static ssize_t disk_pread(int fd, void *bytes, size_t size, off_t offset)
{
	if (!works() || is_interrupted())
		return -1;
	/* 0 is the end of the file */
	size_t part = part_of(size);
	return pread(fd, bytes, part == 0 ? size : part, offset);
}

static ssize_t disk_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	size_t part = part_of(size);
	bool well = works();
	bool full = happens(disk.faults.full);
	int code = full ? ENOSPC : EIO;
	if (well && is_interrupted())
		return -1;
	/* a write that fails or is cut short may have written something */
	if (!well || full)
		part = random_below(disk.random, size + 1);
	ck_assert_int_eq(pwrite(fd, bytes, part, offset), (ssize_t)part);
	change_file(fd, (struct change){WRITTEN, (size_t)offset, {bytes, part}});
	errno = code;
	return well && !full ? (ssize_t)part : -1;
}

static int disk_allocate(int fd, off_t size)
{
	if (!works())
		return EIO;
	if (happens(disk.faults.full))
		return ENOSPC;
	off_t end = lseek(fd, 0, SEEK_END);
	ck_assert_int_eq(ftruncate(fd, end > size ? end : size), 0);
	change_file(fd, (struct change){GROWN, (size_t)size, {0}});
	return 0;
}

static int disk_truncate(int fd, off_t size)
{
	if (!works())
		return -1;
	change_file(fd, (struct change){CUT, (size_t)size, {0}});
	return ftruncate(fd, size);
}

static int disk_sync(int fd)
{
	bool well = works();
	settle_file(disk.open[fd], well ? 100 : random_share());
	errno = EIO;
	return well ? 0 : -1;
}

static int disk_sync_directory(const char *path)
{
	bool well = works();
	ck_assert_str_eq(path, disk.folder);
	if (well)
		settle_names(true);
	return well ? 0 : -1;
}

static int disk_rename(const char *from, const char *to)
{
	if (!works())
		return -1;
	change_name(to, find_name(disk.names, name_of(from))->file);
	change_name(from, NULL);
	return rename(from, to);
}

static int disk_unlink(const char *path)
{
	if (!works())
		return -1;
	change_name(path, NULL);
	return unlink(path);
}

const struct log_calls disk_calls = {
	.open = disk_open,
	.close = disk_close,
	.pread = disk_pread,
	.pwrite = disk_pwrite,
	.allocate = disk_allocate,
	.truncate = disk_truncate,
	.sync = disk_sync,
	.sync_directory = disk_sync_directory,
	.rename = disk_rename,
	.unlink = disk_unlink,
};

/* ---- what happens to it ---- */

static void path_of(const struct name *name, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/%s", disk.folder, name->text);
}

static void delete_files(void)
{
	char path[256];
	for (size_t i = 0; i < FILES; i++) {
		if (disk.names[i].file == NULL)
			continue;
		path_of(&disk.names[i], path, sizeof(path));
		(void)unlink(path);
	}
}

static void forget_faults(void)
{
	disk.faults = (struct disk_faults){0};
	disk.calls_left = 0;
	disk.stopped = false;
}

void disk_begin(const char *folder, struct random *random)
{
	memset(&disk, 0, sizeof(disk));
	disk.folder = folder;
	disk.random = random;
}

void disk_end(void)
{
	delete_files();
	for (size_t i = 0; i < disk.file_count; i++) {
		buffer_finish(&disk.files[i]->durable);
		free(disk.files[i]);
	}
	arena_finish(&disk.arena);
}

void disk_set_faults(struct disk_faults faults)
{
	disk.faults = faults;
}

void disk_stop_after(size_t calls)
{
	disk.calls_left = calls;
}

bool disk_is_stopped(void)
{
	return disk.stopped;
}

void disk_kill(void)
{
	forget_faults();
}

void disk_lose_power(void)
{
	char path[256];
	forget_faults();
	delete_files();
	for (size_t i = 0; i < disk.file_count; i++)
		settle_file(disk.files[i], random_share());
	settle_names(random_below(disk.random, 2) == 0);
	memcpy(disk.names, disk.durable, sizeof(disk.names));
	for (size_t i = 0; i < FILES; i++) {
		const struct file *file = disk.names[i].file;
		if (file == NULL)
			continue;
		path_of(&disk.names[i], path, sizeof(path));
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		ck_assert_int_eq(write(fd, file->durable.data, file->durable.size),
				 (ssize_t)file->durable.size);
		close(fd);
	}
}
