#include "storage/log/segments.h"

#include <assert.h>
#include <errno.h>

/* A group goes into one segment. If it does not fit into the current one, whose events are all
 * durable, another one begins. */
static enum log_result make_room(struct log *log, uint64_t need)
{
	const struct open_segment *current = &log->current;
	struct open_segment next;
	if (current->fd >= 0 && current->segment.bytes + need <= current->room)
		return LOG_OK;
	if (current->fd >= 0 && current->segment.bytes == SEGMENT_HEADER)
		return segment_widen(log, need);
	enum log_result result = segment_start(log, need, &next);
	if (result != LOG_OK)
		return result;
	log_seal(log);
	log->current = next;
	return LOG_OK;
}

enum log_result log_append(struct log *log, struct slice event, uint64_t *position)
{
	assert(log->replayed);
	if (event.size > LOG_EVENT_MAX)
		return LOG_FAILED;
	enum log_result result = make_room(log, log->group.size + frame_size(event.size));
	if (result != LOG_OK)
		return result;
	if (!frame_append(&log->group, log->seed, event)) {
		log->group.overflowed = false;
		return LOG_FAILED;
	}
	*position = log->durable + ++log->group_count;
	return LOG_OK;
}

void log_undo(struct log *log)
{
	buffer_clear(&log->group);
	log->group_count = 0;
}

void log_seal(struct log *log)
{
	if (log->current.fd >= 0)
		segment_end(log);
}

uint64_t log_durable(const struct log *log)
{
	return log->durable;
}

/* ---- sync ---- */

static void finish_frames(struct log *log)
{
	size_t offset = 0;
	for (uint32_t i = 0; i < log->group_count; i++)
		offset = frame_finish(&log->group, offset, log->seed, log->durable + i + 1,
				      log->durable, log->group_count - i - 1);
}

static enum log_result write_group(struct log *log)
{
	struct segment *segment = &log->current.segment;
	if (!segment_write(log, log->current.fd, buffer_slice(&log->group), segment->bytes) ||
	    log->calls->sync(log->current.fd) < 0)
		return segment_result(errno);
	log->durable += log->group_count;
	segment->last = log->durable;
	segment->bytes += log->group.size;
	pthread_mutex_lock(&log->lock);
	log->open_bytes = segment->bytes;
	pthread_mutex_unlock(&log->lock);
	return LOG_OK;
}

/* After a failed sync nobody knows what of the file is on the disk, and a second sync may succeed
 * without having written anything. So the group moves to a new segment, and what the old one holds
 * of it is superseded. */
static enum log_result write_anew(struct log *log)
{
	segment_end(log);
	enum log_result result = segment_start(log, log->group.size, &log->current);
	if (result != LOG_OK)
		return result;
	result = write_group(log);
	if (result != LOG_OK)
		segment_end(log);
	return result;
}

enum log_result log_sync(struct log *log)
{
	if (log->group_count == 0)
		return LOG_OK;
	finish_frames(log);
	enum log_result result = write_group(log);
	if (result != LOG_OK)
		result = write_anew(log);
	log_undo(log);
	return result;
}
