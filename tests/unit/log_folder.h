/* A log in a folder of its own, and what its replay passes on, for the log's tests. */
#ifndef RECALLD_TESTS_LOG_FOLDER_H
#define RECALLD_TESTS_LOG_FOLDER_H

#include "storage/log/log.h"
#include "tests/unit/unit.h"

enum { SEGMENT_SMALL = 1024, SEGMENT_HEAD = 64, FRAME_HEAD = 32 };

/* What was replayed, as text: "7:event " for each, cut at 40 bytes. */
struct replayed {
	struct log_report report;
	char text[64 * 1024];
	size_t size;
	uint64_t fail_at; /* the callback fails at this position */
};

/* The folder exists until the process ends. */
const char *log_folder(void);
/* The path of a file in it, valid until the next call. */
const char *log_file(const char *name);
size_t log_count_files(const char *suffix);

bool replayed_note(void *cookie, uint64_t position, struct slice event);
/* Opens the log and replays it. */
struct log *log_start(uint64_t after, struct replayed *replayed);
uint64_t log_add(struct log *log, const char *event);
void log_add_synced(struct log *log, const char *event);

/* Changes bytes of a file; a negative offset counts from its end. */
void log_flip(const char *name, long offset, unsigned mask);

#endif
