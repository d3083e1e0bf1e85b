/* The log: every change is an event here before it is anywhere else.
 *
 * Events are opaque bytes with positions 1, 2, 3, ... They are appended to a group in memory;
 * log_sync() writes the group to a segment, a file of a bounded size, with one write and one sync.
 * What the store itself holds durably is dropped from the log, a whole segment at a time.
 *
 * Start: log_open(), log_replay() once, and then log_append() and log_sync(). A segment is written
 * by one process only: what was there at log_open() is never appended to.
 *
 * Power may fail at any time: a group is then replayed as a whole or not at all, and if log_sync()
 * returned LOG_OK, it is replayed. What is left of an incomplete group is cut off. Damage is
 * another matter. Each event says up to which position the log was durable when it was written, so
 * an unreadable event that had been durable is told from one that never was. Replay then continues
 * behind the damage, since events hold whole records and most concern other users; the report
 * counts the lost events, and their segments are renamed to NAME.damaged when they would be
 * deleted.
 *
 * Threads: one thread, the writer, calls log_append(), log_undo(), log_sync(), log_seal() and
 * log_durable(). Another may call
 * log_drop_before() and log_bytes() at the same time; a lock of the log guards the list of
 * segments, and no file is written or deleted while it is held. All else is called while no other
 * call runs. */
#ifndef RECALLD_STORAGE_LOG_LOG_H
#define RECALLD_STORAGE_LOG_LOG_H

#include "core/base/bytes.h"

struct log;
struct log_calls;

enum {
	LOG_STORE_ID_SIZE = 16,
	LOG_EVENT_MAX = 256 * 1024 * 1024, /* bytes of one event */
};

enum log_result {
	LOG_OK,
	LOG_FULL,   /* the disk has no room */
	LOG_FAILED, /* the disk reports errors, or the group gets too large */
};

struct log_options {
	uint64_t segment_bytes; /* reserved on the disk when a segment begins; 0: 16 MB */
	/* Random, and kept in the store: a segment of another store is not replayed, and nobody who
	 * does not know it can write a text that reads as an event. */
	unsigned char store_id[LOG_STORE_ID_SIZE];
	const struct log_calls *calls; /* NULL: the system's; tests inject faults */
};

/* Creates the directory (0700) if it is missing, and finds its segments. NULL: `error` says why, in
 * one sentence. The store's own lock keeps other processes out. */
struct log *log_open(const char *directory, const struct log_options *options, char *error,
		     size_t error_size);

struct log_report {
	uint64_t events;         /* passed to the callback */
	uint64_t last;           /* the position of the last event; at least `after` */
	uint64_t cut_bytes;      /* of an incomplete group at the end, which was never durable */
	uint64_t lost_events;    /* durable once, and now missing or unreadable */
	uint64_t damaged;        /* segments that are not as they were written */
	uint64_t of_other_store; /* segments; left where they are */
};

/* Receives an event; its bytes are valid during the call. False ends the replay as failed. */
typedef bool log_replayed(void *cookie, uint64_t position, struct slice event);

/* Passes on the events behind position `after`, in their order and each once, and cuts a torn end
 * off. Later events get positions behind all of these and behind `after`. `after` is the last
 * position that the store has, 0 for none. False, with errno set: a file could not be read or cut,
 * or the callback failed; the log must then be closed. */
bool log_replay(struct log *log, uint64_t after, log_replayed *callback, void *cookie,
		struct log_report *report);

/* Adds an event (copied) to the group and gives it the next position. Reserves its room on the
 * disk: if that fails, the event is not added, and the group stays as it was. */
enum log_result log_append(struct log *log, struct slice event, uint64_t *position);

/* Empties the group: its positions are given anew. */
void log_undo(struct log *log);

/* LOG_OK: the group is durable. Otherwise nothing of it counts and the group is empty, as after
 * log_undo(). A segment that could not be written or synced is never touched again: a second try
 * in a new one went before. If the process ends before the next success, a failed group may still
 * be replayed (as a whole). */
enum log_result log_sync(struct log *log);

/* The last position that is durable, or that the store had. */
uint64_t log_durable(const struct log *log);

/* Ends the current segment, so that log_drop_before() may drop it: for erasing, and for an idle
 * store. The group must be empty. */
void log_seal(struct log *log);

/* Deletes the segments whose events all have positions up to and including `position`: the store
 * holds them durably. */
void log_drop_before(struct log *log, uint64_t position);

/* Bytes of the segments that have not been dropped. */
uint64_t log_bytes(struct log *log);

/* Drops the group. NULL is fine. */
void log_close(struct log *log);

#endif
