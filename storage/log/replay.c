#include "storage/log/segments.h"

#include <assert.h>
#include <errno.h>

struct replay {
	struct log *log;
	struct buffer bytes; /* of the segment at hand */
	uint64_t next;       /* the position that is due */
	uint64_t confirmed;  /* up to here, the last segment says that it was durable */
	log_replayed *callback;
	void *cookie;
	struct log_report *report;
};

static bool next_frame(struct replay *replay, uint64_t from, struct frame *frame)
{
	size_t offset = frame->end < SEGMENT_HEADER ? SEGMENT_HEADER : frame->end;
	return frame_find(buffer_slice(&replay->bytes), offset, replay->log->seed, from, frame);
}

/* ---- what a segment's events are ---- */

/* A segment that follows begins behind all that was durable; what this one holds from there on was
 * a group that failed. Only a segment with events counts: the creation of another may have failed,
 * and then the one before it was written on. */
static uint64_t begin_of_followers(const struct segment *segment)
{
	uint64_t begin = UINT64_MAX;
	for (const struct segment *s = segment->next; s != NULL; s = s->next) {
		if (s->highest > 0 && s->first < begin)
			begin = s->first;
	}
	return begin;
}

/* Where the next segment begins, if this one was not written on behind that. */
static uint64_t begin_of_next(const struct segment *segment)
{
	uint64_t begin = begin_of_followers(segment);
	for (const struct segment *s = segment->next; s != NULL; s = s->next) {
		if (s->first > segment->highest && s->first < begin)
			begin = s->first;
	}
	return begin;
}

/* How far a segment without followers counts. Each event tells what was durable before its group,
 * and each header what was durable before its segment. What is behind that is the last group: it
 * counts if it is complete. */
static uint64_t last_that_counts(struct replay *replay, const struct segment *segment)
{
	struct frame frame = {0};
	uint64_t durable = replay->next - 1;
	for (const struct segment *s = segment; s != NULL; s = s->next)
		durable = s->first > durable ? s->first - 1 : durable;
	while (next_frame(replay, frame.position + 1, &frame))
		durable = frame.durable > durable ? frame.durable : durable;
	replay->confirmed = durable;
	uint64_t last = durable;
	uint32_t left = 0;
	frame = (struct frame){0};
	while (next_frame(replay, last + 1, &frame) && frame.position == last + 1) {
		last++;
		left = frame.left;
	}
	return left == 0 ? last : durable;
}

static bool is_zero(struct slice bytes)
{
	size_t i = 0;
	while (i < bytes.size && bytes.data[i] == 0)
		i++;
	return i == bytes.size;
}

static bool look_at(struct replay *replay, struct segment *segment)
{
	struct frame frame = {0};
	if (!segment_load(replay->log, segment, &replay->bytes))
		return false;
	bool has_first = segment->first != 0;
	while (next_frame(replay, segment->highest + 1, &frame)) {
		segment->highest = frame.position;
		segment->first = segment->first == 0 ? frame.position : segment->first;
	}
	/* with nothing behind the header, its creation was cut short */
	struct slice bytes = buffer_slice(&replay->bytes);
	segment->is_damaged = !has_first && bytes.size > SEGMENT_HEADER &&
			      !is_zero(slice_part(bytes, SEGMENT_HEADER, bytes.size));
	return true;
}

/* ---- the walk ---- */

/* Whether events before `next` are missing. */
static bool note_lost(struct replay *replay, uint64_t next)
{
	if (next <= replay->next)
		return false;
	replay->report->lost_events += next - replay->next;
	replay->next = next;
	return true;
}

static bool pass_on(struct replay *replay, struct segment *segment)
{
	struct frame frame = {0};
	while (replay->next <= segment->last && next_frame(replay, replay->next, &frame) &&
	       frame.position <= segment->last) {
		segment->is_damaged |= note_lost(replay, frame.position);
		if (!replay->callback(replay->cookie, frame.position, frame.event))
			return false;
		replay->report->events++;
		replay->next++;
	}
	segment->is_damaged |= note_lost(replay, segment->last + 1);
	return true;
}

/* Cuts off what is behind the last event that counts; a damaged segment stays as it is. The last
 * group counts from now on, but perhaps only the cache has it, from a process that was killed. It
 * is written again, since a sync may have failed already, and what it missed is no longer dirty. */
static bool settle_end(struct replay *replay, struct segment *segment)
{
	struct slice bytes = buffer_slice(&replay->bytes);
	struct frame frame = {0};
	size_t begin = SEGMENT_HEADER;
	size_t end = SEGMENT_HEADER;
	while (next_frame(replay, frame.position + 1, &frame) && frame.position <= segment->last) {
		begin = frame.position <= replay->confirmed ? frame.end : begin;
		end = frame.end;
	}
	size_t torn = bytes.size;
	while (torn > end && bytes.data[torn - 1] == 0)
		torn--;
	replay->report->cut_bytes += torn > end ? torn - end : 0;
	if (bytes.size < end)
		return true;
	return segment_settle(replay->log, segment, begin, slice_part(bytes, begin, end));
}

static bool walk(struct replay *replay, struct segment *segment)
{
	uint64_t follows = begin_of_followers(segment);
	bool is_last = follows == UINT64_MAX;
	if (follows <= replay->next) {
		segment->last = replay->next - 1;
		return true;
	}
	if (!segment_load(replay->log, segment, &replay->bytes))
		return false;
	segment->last = is_last ? last_that_counts(replay, segment) : begin_of_next(segment) - 1;
	(void)note_lost(replay, segment->first); /* segments before it are missing */
	return pass_on(replay, segment) && (!is_last || settle_end(replay, segment));
}

bool log_replay(struct log *log, uint64_t after, log_replayed *callback, void *cookie,
		struct log_report *report)
{
	struct replay replay = {.log = log,
				.next = after + 1,
				.callback = callback,
				.cookie = cookie,
				.report = report};
	bool well = true;
	assert(!log->replayed);
	*report = (struct log_report){.of_other_store = log->of_other_store};
	buffer_init(&replay.bytes, SIZE_MAX);
	for (struct segment *s = log->segments; s != NULL && well; s = s->next)
		well = look_at(&replay, s);
	for (struct segment *s = log->segments; s != NULL && well; s = s->next) {
		well = walk(&replay, s);
		report->damaged += s->is_damaged ? 1 : 0;
	}
	int code = errno;
	buffer_finish(&replay.bytes);
	errno = code;
	log->durable = replay.next - 1;
	log->replayed = well;
	report->last = log->durable;
	return well;
}
