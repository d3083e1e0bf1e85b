#include "storage/log/segments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SEGMENT_BYTES = 16 * 1024 * 1024 };

static void free_segments(struct segment *segments)
{
	while (segments != NULL) {
		struct segment *next = segments->next;
		free(segments);
		segments = next;
	}
}

struct log *log_open(const char *directory, const struct log_options *options, char *error,
		     size_t error_size)
{
	if (mkdir(directory, S_IRWXU) < 0 && errno != EEXIST) {
		snprintf(error, error_size, "%s: %s", directory, strerror(errno));
		return NULL;
	}
	struct log *log = xcalloc(1, sizeof(*log));
	log->directory = xstrdup(directory);
	log->calls = options->calls == NULL ? &log_system_calls : options->calls;
	log->segment_bytes = options->segment_bytes == 0 ? SEGMENT_BYTES : options->segment_bytes;
	memcpy(log->store_id, options->store_id, sizeof(log->store_id));
	log->seed = frame_seed(log->store_id);
	log->current.fd = -1;
	pthread_mutex_init(&log->lock, NULL);
	buffer_init(&log->group, SEGMENT_BYTES_MAX - SEGMENT_HEADER);
	if (segments_find(log, error, error_size))
		return log;
	log_close(log);
	return NULL;
}

void log_close(struct log *log)
{
	if (log == NULL)
		return;
	log_seal(log);
	free_segments(log->segments);
	buffer_finish(&log->group);
	pthread_mutex_destroy(&log->lock);
	free(log->directory);
	free(log);
}

/* ---- dropping ---- */

/* Takes the segments that may be dropped off the list. */
static struct segment *detach(struct log *log, uint64_t position)
{
	struct segment *detached = NULL;
	struct segment **end = &detached;
	pthread_mutex_lock(&log->lock);
	while (log->segments != NULL && log->segments->last <= position) {
		*end = log->segments;
		log->segments = (*end)->next;
		log->ended_bytes -= (*end)->bytes;
		end = &(*end)->next;
	}
	*end = NULL;
	pthread_mutex_unlock(&log->lock);
	return detached;
}

/* A file that stays is found at the next start, and dropped then. */
static void delete_segment(struct log *log, const struct segment *segment)
{
	char *path = segment_path(log, segment->serial, "");
	if (segment->is_damaged) {
		char *aside = segment_path(log, segment->serial, ".damaged");
		(void)log->calls->rename(path, aside);
		free(aside);
	} else {
		(void)log->calls->unlink(path);
	}
	free(path);
}

void log_drop_before(struct log *log, uint64_t position)
{
	struct segment *dropped = detach(log, position);
	if (dropped == NULL)
		return;
	for (const struct segment *segment = dropped; segment != NULL; segment = segment->next)
		delete_segment(log, segment);
	(void)log->calls->sync_directory(log->directory);
	free_segments(dropped);
}

uint64_t log_bytes(struct log *log)
{
	pthread_mutex_lock(&log->lock);
	uint64_t bytes = log->ended_bytes + log->open_bytes;
	pthread_mutex_unlock(&log->lock);
	return bytes;
}
