/* The audit log: who read or changed whose memory. A part of the store's interface, see store.h.
 *
 * An entry is a line of JSON. It holds no text and no user's id: the user is a hash under a random
 * key that only the store holds. Each entry holds the SHA-256 of the one before it, and the store
 * keeps the hash of the newest, so that a changed, removed, reordered or cut off entry shows. Who
 * can write the store's file can make a whole new log: to find that out, note the newest entry's
 * hash elsewhere.
 *
 * The entry of a write is in the transaction that does it. Of a write in several transactions, the
 * first has an entry with the result 202, and the last the result itself. */
#ifndef RECALLD_STORAGE_AUDIT_H
#define RECALLD_STORAGE_AUDIT_H

#include "storage/store.h"

/* Words are static texts. */
struct audit_entry {
	const char *by;      /* "admin", "chat" or "expiry" */
	struct slice from;   /* the caller's address; empty: none */
	const char *action;  /* for example "read" or "delete" */
	const char *target;  /* for example "facts" or "turn" */
	struct slice item;   /* the id of one of these; empty: none */
	struct slice tenant; /* empty: none */
	bool has_user;
	struct user_key user;
	int result; /* an HTTP status */
	int64_t at;
	/* The counts of a deletion. */
	bool has_counts;
	uint64_t facts;
	uint64_t turns;
	uint64_t conversations;
};

static inline void audit_count(struct audit_entry *entry, uint64_t facts, uint64_t turns,
			       uint64_t conversations)
{
	entry->facts = facts;
	entry->turns = turns;
	entry->conversations = conversations;
}

/* Records what wrote nothing: a read, a refusal. Waits for nothing. It is dropped while the store
 * has no room or is behind. */
void store_audit(struct store *store, const struct audit_entry *entry);
/* Calls `listener` on the writer's thread with the line of each entry from then on, once it is
 * committed; it must not wait. NULL: nobody. Any thread. */
void store_listen_to_audit(struct store *store, audit_listener *listener);
/* Entries dropped since the start; any thread. */
uint64_t store_audit_dropped(struct store *store);

enum { AUDIT_HASH_SIZE = 64 }; /* hexadecimal digits of a SHA-256 */

/* The log's ends. */
struct audit_ends {
	uint64_t first;                   /* the oldest entry's sequence */
	uint64_t last;                    /* the newest one's; first - 1: the log is empty */
	char before[AUDIT_HASH_SIZE + 1]; /* the hash of the entry before the first */
	char head[AUDIT_HASH_SIZE + 1];   /* the hash of the newest entry */
};

struct audit_query {
	uint64_t after; /* 0: from the first */
	int64_t since;  /* half open; INT64_MIN and INT64_MAX: any time */
	int64_t until;
	bool has_user;
	struct user_key user;
	struct slice action; /* empty: any */
	size_t limit;
};

struct audit_page {
	struct audit_ends ends;
	struct slice *lines; /* oldest first */
	size_t count;
	uint64_t last; /* the last entry looked at */
	bool more;     /* there may be others behind it */
};

/* Looks at AUDIT_AT_ONCE entries at most. */
enum { AUDIT_AT_ONCE = 4096 };
enum store_result store_read_audit(struct store *store, const struct audit_query *query,
				   struct audit_page *page, struct arena *arena);

/* Deletes the oldest entries from before `until`, AUDIT_AT_ONCE at most. Sets `more` if there may
 * be others, before the callback fires; it must live until then. STORE_NOT_FOUND: there was none.
 */
struct store_call *store_trim_audit(struct store *store, int64_t until, bool *more,
				    struct store_waiter waiter);

/* The hash of a line, as the next one holds it. */
void audit_hash(struct slice line, char hash[AUDIT_HASH_SIZE + 1]);

#endif
