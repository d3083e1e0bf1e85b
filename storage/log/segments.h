/* The log's state, for its own files: the list of segments, and how one is created and ended. */
#ifndef RECALLD_STORAGE_LOG_SEGMENTS_H
#define RECALLD_STORAGE_LOG_SEGMENTS_H

#include "storage/log/calls.h"
#include "storage/log/frame.h"
#include "storage/log/log.h"

#include <pthread.h>

enum { SEGMENT_BYTES_MAX = 2 * LOG_EVENT_MAX - 1 }; /* of a file; a longer one is not ours */

struct segment {
	struct segment *next;
	uint64_t serial; /* from the file's name */
	uint64_t first;  /* 0: its header is unreadable and it holds no event */
	uint64_t last;   /* all its events have positions up to here */
	uint64_t bytes;
	bool is_damaged;
	uint64_t highest; /* the last position in it that replay can read; 0: none */
};

/* The segment that is written; `fd` -1: there is none, and the next event begins one. */
struct open_segment {
	int fd;
	uint64_t room; /* bytes reserved for it */
	struct segment segment;
};

struct log {
	char *directory;
	const struct log_calls *calls;
	uint64_t segment_bytes;
	unsigned char store_id[LOG_STORE_ID_SIZE];
	uint32_t seed;

	/* Under the lock: */
	pthread_mutex_t lock;
	struct segment *segments; /* ended ones, the oldest first */
	uint64_t ended_bytes;
	uint64_t open_bytes; /* of the current segment, so far */

	/* Used only by the writer; before log_replay(), by whoever opens the log. */
	uint64_t next_serial;
	uint64_t of_other_store;
	bool replayed;
	struct open_segment current;
	struct buffer group; /* frames; log_sync() completes their headers */
	uint32_t group_count;
	uint64_t durable;
};

/* The path of a segment, to be freed; `suffix` follows its name. */
char *segment_path(const struct log *log, uint64_t serial, const char *suffix);
/* Fills the list from the directory. False: `error` says why. */
bool segments_find(struct log *log, char *error, size_t error_size);
/* Adds an ended segment to the end of the list. */
void segments_add(struct log *log, struct segment segment);

/* Creates a segment durably, with room for `need` bytes of frames. */
enum log_result segment_start(struct log *log, uint64_t need, struct open_segment *started);
/* Makes room for `need` bytes of frames in the current segment, which is empty. */
enum log_result segment_widen(struct log *log, uint64_t need);
/* Ends the current segment behind its durable events. */
void segment_end(struct log *log);
/* LOG_FULL or LOG_FAILED. */
enum log_result segment_result(int code);
/* The bytes of a segment, to be freed. False, with errno set: unreadable. */
bool segment_load(struct log *log, const struct segment *segment, struct buffer *bytes);
/* Writes all of the bytes. False, with errno set: it failed. */
bool segment_write(struct log *log, int fd, struct slice bytes, uint64_t offset);
/* Writes the last bytes of an ended segment once more, and makes it end there unless it is damaged;
 * durably. */
bool segment_settle(struct log *log, struct segment *segment, uint64_t offset, struct slice bytes);

#endif
