/* Keys: the user's 16 bytes, then numbers in big-endian order, so that keys sort like the numbers.
 * Build a key as key_u64(key_u32(key_of_user(u), conversation), id). */
#ifndef RECALLD_STORAGE_RECORD_KEY_H
#define RECALLD_STORAGE_RECORD_KEY_H

#include "storage/store.h"

enum { KEY_MAX = 64 };

struct key {
	unsigned char bytes[KEY_MAX];
	size_t size;
};

static inline struct slice key_slice(const struct key *key)
{
	return (struct slice){(const char *)key->bytes, key->size};
}

struct key key_of_user(struct user_key user);
/* For records that belong to no user. */
struct key key_of_name(const char *name);
struct key key_of_number(uint64_t number);
struct key key_empty(void);
struct key key_user(struct key key, struct user_key user);
struct key key_byte(struct key key, unsigned byte);
struct key key_u32(struct key key, uint32_t number);
struct key key_u64(struct key key, uint64_t number);
struct key key_time(struct key key, int64_t at);
struct key key_digest(struct key key, struct slice text); /* 16 bytes of its SHA-256 */
/* The first key after all keys that begin with `key`. */
struct key key_after(struct key key);

/* Adds 2 to the power of `bit` to the key as a number. False: it overflows. */
bool key_add(struct key *key, unsigned bit);

/* Offsets in the keys of users' tables. */
enum {
	KEY_ID_AT = 16, /* of what the record is about, right behind the user */
	KEY_JOB_EXCHANGE_AT = 17,
	KEY_ORDINAL_AT = 20,  /* of an exchange or a replay */
	KEY_EXCHANGE_AT = 24, /* of an exchange */
	KEY_REPLAY_AT = 24,
	KEY_SUBJECT_AT = 24, /* of a tombstone */
	KEY_TURN_AT = 24,    /* in the order of time */
	KEY_ANSWER_CONVERSATION_AT = 24,
	KEY_ANSWER_ORDINAL_AT = 28,
};

/* Reads from an offset of a stored key; 0 if the key is too short. */
unsigned key_read_byte(struct slice key, size_t offset);
uint32_t key_read_u32(struct slice key, size_t offset);
uint64_t key_read_u64(struct slice key, size_t offset);
int64_t key_read_time(struct slice key, size_t offset);
struct user_key key_read_user(struct slice key); /* at its start */

/* The store's tables. */

/* The tables and their keys; in tables of users the key starts with the user's 16 bytes. Each of
 * the first tables has its own tree, because it is counted or scanned over all users. The others
 * share one tree, so that a user's records lie on the same few pages, which are read and written
 * together. These come in pairs: keys ascend in the first table of a pair and descend in the second
 * (marked "descending"), so that the newest records of both, which an exchange writes, are
 * neighbours; tables with one record per user lie between them. The numbers are part of the keys:
 * add a new table at the end. */
enum table {
	TABLE_META,         /* by name, no user: "format", "first_id", "index_version", "counts" */
	TABLE_RECEIPTS,     /* receipt; no user */
	TABLE_RECEIPT_AGES, /* age; no user; holds the receipt */
	TABLE_AUDIT,        /* sequence, from 1; no user; 0 has the log's ends and key */
	TABLE_TURNS,        /* turn */
	TABLE_JOBS,         /* kind, exchange */
	TABLE_PARKED,       /* kind, exchange; jobs that wait for a person */

	TABLE_FACTS,         /* fact */
	TABLE_SUMMARIES,     /* user only */
	TABLE_USERS,         /* user only */
	TABLE_TURN_TIMES,    /* time, turn; only current turns, no value; descending */
	TABLE_EXCHANGES,     /* conversation, ordinal, exchange */
	TABLE_REPLAYS,       /* conversation, ordinal, number; the newest has the highest number;
				descending */
	TABLE_CONVERSATIONS, /* conversation */
	TABLE_FROZEN,        /* conversation; descending */
	TABLE_SESSIONS,      /* digest of the session; holds the conversation */
	TABLE_ANSWERS,       /* hash, conversation, ordinal */
	TABLE_DOCUMENTS,     /* block of turns; a struct recall_document for each */
	TABLE_TERMS,         /* turn; its terms, until its block is full */
	TABLE_USER_RECEIPTS, /* receipt; no value; descending */
	TABLE_POSTINGS,      /* span of turns, term; holds the turns that have it */
	TABLE_VECTORS,       /* block of turns */
	TABLE_EMBEDDINGS,    /* user only; the model of the user's vectors */
	TABLE_LINKS,         /* digest of the id of a reply that requests may continue from */
	TABLE_TOMBSTONES,    /* hash of a value, digest of its entity and key */
	TABLE_SETTINGS,      /* user only; what outlives the user is written anew by forgetting */
	TABLE_DECLINED,      /* conversation that is not to be remembered; holds the time */
	TABLE_COUNT,
	FIRST_USER_TABLE = TABLE_TURNS,
	FIRST_SHARED_TABLE = TABLE_FACTS,
};

#endif
