#include "storage/log/segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NAME_DIGITS = 16,
	MODE = S_IRUSR | S_IWUSR,
};

char *segment_path(const struct log *log, uint64_t serial, const char *suffix)
{
	char *path = NULL;
	if (asprintf(&path, "%s/%0*" PRIx64 ".log%s", log->directory, NAME_DIGITS, serial, suffix) <
	    0)
		out_of_memory();
	return path;
}

enum log_result segment_result(int code)
{
	return code == ENOSPC || code == EDQUOT || code == EFBIG ? LOG_FULL : LOG_FAILED;
}

static int open_segment(struct log *log, uint64_t serial, int flags)
{
	char *path = segment_path(log, serial, "");
	int fd = log->calls->open(path, flags | O_CLOEXEC, MODE);
	free(path);
	return fd;
}

/* Reads up to `size` bytes from the start; -1: it failed. */
static ssize_t read_start(struct log *log, int fd, void *bytes, size_t size)
{
	size_t done = 0;
	for (ssize_t got = 1; got > 0 && done < size;) {
		got = log->calls->pread(fd, (char *)bytes + done, size - done, (off_t)done);
		if (got < 0 && errno != EINTR)
			return -1;
		done += got > 0 ? (size_t)got : 0;
		got = got < 0 ? 1 : got;
	}
	return (ssize_t)done;
}

bool segment_write(struct log *log, int fd, struct slice bytes, uint64_t offset)
{
	while (bytes.size > 0) {
		ssize_t written = log->calls->pwrite(fd, bytes.data, bytes.size, (off_t)offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written == 0)
			errno = EIO;
		if (written <= 0)
			return false;
		offset += (uint64_t)written;
		bytes = slice_part(bytes, (size_t)written, bytes.size);
	}
	return true;
}

/* ---- the list ---- */

/* Only names as segment_path() makes them. */
static bool read_name(const char *name, uint64_t *serial)
{
	if (strspn(name, "0123456789abcdef") != NAME_DIGITS ||
	    strcmp(name + NAME_DIGITS, ".log") != 0)
		return false;
	*serial = strtoull(name, NULL, 16);
	return true;
}

static int by_serial(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a;
	uint64_t other = *(const uint64_t *)b;
	return (one > other) - (one < other);
}

void segments_add(struct log *log, struct segment segment)
{
	struct segment *added = xmalloc(sizeof(*added));
	*added = segment;
	added->next = NULL;
	pthread_mutex_lock(&log->lock);
	struct segment **last = &log->segments;
	while (*last != NULL)
		last = &(*last)->next;
	*last = added;
	log->ended_bytes += segment.bytes;
	pthread_mutex_unlock(&log->lock);
}

/* Reads the header. False: the log cannot be used. */
static bool find_segment(struct log *log, uint64_t serial, char *error, size_t error_size)
{
	unsigned char bytes[SEGMENT_HEADER];
	struct segment_header header;
	int fd = open_segment(log, serial, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read_start(log, fd, bytes, sizeof(bytes));
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	int code = errno;
	if (fd >= 0)
		log->calls->close(fd);
	if (size < 0 || end < 0) {
		snprintf(error, error_size, "%s/%0*" PRIx64 ".log: %s", log->directory, NAME_DIGITS,
			 serial, strerror(code));
		return false;
	}
	struct slice found = {(const char *)bytes, (size_t)size};
	switch (segment_header_read(found, log->store_id, &header)) {
	case SEGMENT_NEWER:
		snprintf(error, error_size,
			 "%s/%0*" PRIx64 ".log was written by a newer version; use that",
			 log->directory, NAME_DIGITS, serial);
		return false;
	case SEGMENT_OTHERS:
		log->of_other_store++;
		return true;
	case SEGMENT_OURS:
	case SEGMENT_UNREADABLE:
		break;
	}
	segments_add(log, (struct segment){
				  .serial = serial, .first = header.first, .bytes = (uint64_t)end});
	return true;
}

bool segments_find(struct log *log, char *error, size_t error_size)
{
	DIR *directory = opendir(log->directory);
	if (directory == NULL) {
		snprintf(error, error_size, "%s: %s", log->directory, strerror(errno));
		return false;
	}
	uint64_t *serials = NULL;
	size_t count = 0;
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		uint64_t serial;
		if (!read_name(entry->d_name, &serial))
			continue;
		if ((count & (count - 1)) == 0)
			serials =
				xrealloc(serials, (count == 0 ? 1 : 2 * count) * sizeof(*serials));
		serials[count++] = serial;
	}
	closedir(directory);
	if (count > 0)
		qsort(serials, count, sizeof(*serials), by_serial);
	bool well = true;
	for (size_t i = 0; i < count && well; i++)
		well = find_segment(log, serials[i], error, error_size);
	log->next_serial = count == 0 ? 1 : serials[count - 1] + 1;
	free(serials);
	return well;
}

/* ---- the current segment ---- */

static bool write_header(struct log *log, int fd, uint64_t serial)
{
	unsigned char bytes[SEGMENT_HEADER];
	struct segment_header header = {.serial = serial, .first = log->durable + 1};
	memcpy(header.store_id, log->store_id, sizeof(header.store_id));
	segment_header_write(bytes, &header);
	return segment_write(log, fd, (struct slice){(const char *)bytes, sizeof(bytes)}, 0);
}

static bool reserve(struct log *log, int fd, uint64_t size)
{
	int code = log->calls->allocate(fd, (off_t)size);
	errno = code;
	return code == 0;
}

static uint64_t room_for(const struct log *log, uint64_t need)
{
	need += SEGMENT_HEADER;
	return need > log->segment_bytes ? need : log->segment_bytes;
}

enum log_result segment_start(struct log *log, uint64_t need, struct open_segment *started)
{
	uint64_t serial = log->next_serial++;
	uint64_t room = room_for(log, need);
	int fd = open_segment(log, serial, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return segment_result(errno);
	if (!reserve(log, fd, room) || !write_header(log, fd, serial) || log->calls->sync(fd) < 0 ||
	    log->calls->sync_directory(log->directory) < 0) {
		enum log_result result = segment_result(errno);
		char *path = segment_path(log, serial, "");
		log->calls->close(fd);
		(void)log->calls->unlink(path);
		free(path);
		return result;
	}
	*started = (struct open_segment){
		.fd = fd,
		.room = room,
		.segment = {.serial = serial,
			    .first = log->durable + 1,
			    .last = log->durable,
			    .bytes = SEGMENT_HEADER},
	};
	return LOG_OK;
}

enum log_result segment_widen(struct log *log, uint64_t need)
{
	uint64_t room = room_for(log, need);
	if (!reserve(log, log->current.fd, room))
		return segment_result(errno);
	log->current.room = room;
	return LOG_OK;
}

void segment_end(struct log *log)
{
	struct open_segment *current = &log->current;
	/* frees what was reserved; if it fails, replay reads zeros there */
	(void)log->calls->truncate(current->fd, (off_t)current->segment.bytes);
	log->calls->close(current->fd);
	current->fd = -1;
	pthread_mutex_lock(&log->lock);
	log->open_bytes = 0;
	pthread_mutex_unlock(&log->lock);
	segments_add(log, current->segment);
}

/* ---- ended segments ---- */

bool segment_load(struct log *log, const struct segment *segment, struct buffer *bytes)
{
	if (segment->bytes > SEGMENT_BYTES_MAX) {
		errno = EFBIG;
		return false;
	}
	int fd = open_segment(log, segment->serial, O_RDONLY);
	if (fd < 0)
		return false;
	buffer_clear(bytes);
	buffer_reserve(bytes, segment->bytes);
	ssize_t size = read_start(log, fd, bytes->data, segment->bytes);
	int code = errno;
	log->calls->close(fd);
	errno = code;
	bytes->size = size < 0 ? 0 : (size_t)size;
	return size >= 0;
}

bool segment_settle(struct log *log, struct segment *segment, uint64_t offset, struct slice bytes)
{
	int fd = open_segment(log, segment->serial, O_WRONLY);
	if (fd < 0)
		return false;
	uint64_t size = segment->is_damaged ? segment->bytes : offset + bytes.size;
	bool done = segment_write(log, fd, bytes, offset) &&
		    log->calls->truncate(fd, (off_t)size) == 0 && log->calls->sync(fd) == 0;
	int code = errno;
	log->calls->close(fd);
	errno = code;
	log->ended_bytes += size - segment->bytes;
	segment->bytes = size;
	return done;
}
