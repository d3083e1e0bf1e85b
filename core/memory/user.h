/* Whose memory it is, and what that person asked for. */
#ifndef RECALLD_CORE_MEMORY_USER_H
#define RECALLD_CORE_MEMORY_USER_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"

/* The first 16 bytes of SHA-256 over tenant and user id. Every record of a user begins with it. */
struct user_key {
	unsigned char bytes[16];
};

static inline bool user_equal(struct user_key a, struct user_key b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

/* A hash for tables in memory. The key is a digest, so any part of it serves. */
static inline uint32_t user_hash(struct user_key user)
{
	uint32_t hash;
	memcpy(&hash, user.bytes, sizeof(hash));
	return hash;
}

enum { SETTING_UNSET = -1 };

/* A person's settings. They override the configuration and a request's headers where it asks for
 * less. */
struct user_settings {
	bool is_stored;
	bool learn;            /* false: nothing that the user says is kept */
	bool inject;           /* false: nothing is given to the user's requests */
	int64_t keep_messages; /* milliseconds; 0: for ever; SETTING_UNSET: as configured */
	int64_t keep_facts;    /* the same */
	int pii;               /* enum pii, or SETTING_UNSET */
	int64_t hold_until;    /* nothing expires before this time; 0: no hold */
	int64_t consent_at;    /* when the user agreed to be remembered; 0: not yet */
	struct slice consent_by;
	struct slice consent_text; /* the version of the text agreed to */
	struct slice note;
	int64_t changed_at;
};

/* The sender of a request, taken from its head, path or body. */
struct identity {
	struct slice user;    /* empty: anonymous */
	struct slice tenant;  /* empty with `tenant = shared`; with api-key, 16 hex digits ("none"
				 without a key) */
	struct slice session; /* empty: not given */
	bool task;            /* a header marks the request as a side request */
};

/* ---- what a person's settings mean ---- */

/* The default: the person has changed no setting. */
struct user_settings settings_default(void);
/* Whether these differ from the default in nothing, so that nothing need be stored. */
bool settings_are_default(const struct user_settings *settings);

/* Whether what the person says may be kept, and memory given to their requests. `needs_consent`:
 * the operator remembers only those who agreed. */
bool settings_may_learn(const struct user_settings *settings, bool needs_consent);
bool settings_may_inject(const struct user_settings *settings, bool needs_consent);

/* Whether the person has asked for less than is usual: to be remembered or reminded less. */
bool settings_restrict(const struct user_settings *settings);
/* The settings that outlive the person's memory: that they do not want to be remembered, and
 * nothing that tells of them. */
struct user_settings settings_bare(const struct user_settings *settings);

/* The stricter of two ways to treat facts that identify a person. */
enum pii settings_pii(const struct user_settings *settings, enum pii configured);

/* ---- a table of users ---- */

/* The first member of each structure in a table: the table allocates nothing. */
struct user_node {
	struct user_node *next; /* the next node in the bucket */
	struct user_key user;
};

enum { USER_TABLE_BUCKETS = 1024 };

/* Zero-initialize it for an empty table. */
struct user_table {
	struct user_node *buckets[USER_TABLE_BUCKETS];
	size_t count;
	size_t next_to_leave; /* the bucket where user_table_pick() begins */
};

/* NULL: the user is not in the table. */
struct user_node *user_table_find(const struct user_table *table, struct user_key user);
/* Adds a node; its user must be set and not yet in the table. */
void user_table_add(struct user_table *table, struct user_node *node);
/* Removes a node that is in the table, without freeing it. */
void user_table_remove(struct user_table *table, struct user_node *node);
/* The first node, or the one after `last`; NULL: there is none. To empty a table, remove the first
 * until there is none. */
struct user_node *user_table_next(const struct user_table *table, const struct user_node *last);
/* A node that may leave, from a different bucket each time; NULL: none may. */
struct user_node *user_table_pick(struct user_table *table,
				  bool (*may_leave)(const struct user_node *node));

#endif
