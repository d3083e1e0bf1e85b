/* Events: what one batch of the writer changed about one user.
 *
 * An event holds whole records that were put and keys that were deleted, in no order that matters:
 * each key occurs once. Applying a user's events in their order gives the user's records again. The
 * zero user stands for records that belong to nobody. A key is stored without its first 16 bytes,
 * which are the user; keys of nobody's tables are stored whole.
 *
 * The form, numbers in little-endian order: 4 bytes of CRC-32 over all that follows, the format
 * version (1 byte), flags (1), the user (16), the sequence (variable-length, 7 bits a byte, low
 * bits first), and for each change: table << 1 | deleted (1), the key's size (1), the key, and
 * unless it was deleted the value's size (variable-length) and the value. */
#ifndef RECALLD_STORAGE_LOG_EVENT_H
#define RECALLD_STORAGE_LOG_EVENT_H

#include "core/memory/user.h"

enum {
	EVENT_FORMAT = 1,
	EVENT_TABLE_LIMIT = 128, /* table numbers are smaller */
	EVENT_KEY_MAX = 64,
};

/* What an event means to other readers of the same user, to be combined. */
enum event_flag {
	EVENT_FORGETS = 1,    /* deletes the user */
	EVENT_HIDES = 2,      /* hides turns */
	EVENT_TAKES_BACK = 4, /* supersedes turns or brings them back */
	EVENT_ERASES = 8,     /* earlier events hold text that is now erased */
};

struct event_head {
	struct user_key user;
	uint64_t sequence; /* of the user's events; the writer counts them */
	unsigned flags;    /* one byte of enum event_flag */
};

struct event_change {
	unsigned table;
	bool deleted;
	struct slice key;   /* behind the user */
	struct slice value; /* empty if deleted */
};

/* Appends an event to `out`. Between event_begin() and event_end() only event_put() and
 * event_delete() may append. event_begin() returns where the event starts, for event_end(), which
 * returns the event's bytes (valid until `out` changes). If out->overflowed, the event is unusable.
 * `table` and `key` must be within their limits. */
size_t event_begin(struct buffer *out, const struct event_head *head);
void event_put(struct buffer *out, unsigned table, struct slice key, struct slice value);
void event_delete(struct buffer *out, unsigned table, struct slice key);
struct slice event_end(struct buffer *out, size_t start);

/* Reads an event without copying: slices point into its bytes. */
struct event_reader {
	struct event_head head;
	struct slice rest; /* the changes that event_next() has not yet returned */
};

/* False: the checksum does not match, the format is unknown, or a change is malformed; nothing of
 * such an event may be applied. Once it is true, event_next() meets nothing malformed. */
bool event_read(struct event_reader *reader, struct slice bytes);
/* False: there are no more changes. */
bool event_next(struct event_reader *reader, struct event_change *change);

#endif
