/* Whose memory it is. */
#ifndef RECALLD_CORE_MEMORY_USER_H
#define RECALLD_CORE_MEMORY_USER_H

#include "core/base/bytes.h"

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

/* What a person has asked for. It is stronger than the configuration and a request's headers where
 * it asks for less. */
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

#endif
