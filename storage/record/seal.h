/* Encryption of a store. Each user has keys of their own (see key_file.h): what is sealed with them
 * is lost for good once their slot is overwritten.
 *
 * A value is sealed with AES-256-GCM: 8 random bytes of the nonce, the text with its place behind
 * it, and a tag of 12 bytes. The nonce's other 4 bytes come from the place: two values get the same
 * nonce only if the same 64 random bits meet in the same place. None can be put in another's place:
 * in another table it has another nonce, and the keys of one table are of one length, so that a
 * place is never the end of a longer one. What keys and short records hold of a user's words and
 * ids are hashes; these are masked, by AES-256 as a permutation. A user's own key is hidden in the
 * same way with a secret of the store.
 *
 * A sealer does this for one transaction at a time. */
#ifndef RECALLD_STORAGE_RECORD_SEAL_H
#define RECALLD_STORAGE_RECORD_SEAL_H

#include "storage/files/files.h"
#include "storage/record/key_file.h"

struct seal;

enum {
	SEAL_NONCE = 8,
	SEAL_OVERHEAD = SEAL_NONCE + CIPHER_TAG,
	SEAL_HASHES = 32, /* at once */
};

/* Takes the file, which must be open; `folder` is copied (NULL: the file is not a store's). Only
 * the store's writer calls the functions on the file and sealer_begin_new(), unless they say
 * otherwise. */
struct seal *seal_create(struct key_file *file, const char *folder);
void seal_destroy(struct seal *seal); /* NULL is fine; closes the file */

/* Tells the keys of one store from those of another; below INT64_MAX. */
uint64_t seal_id(const struct seal *seal);
/* When the master key began to wrap the users' keys, in seconds since 1970. Any thread. */
int64_t seal_made(const struct seal *seal);
/* Puts the slots of new users on the disk, before a record that needs them. False: it failed. */
bool seal_sync(struct seal *seal);
/* Notes a user whose keys are missing, or are older ones that do not open the records, and who
 * therefore has none and gets no others until erased; each after those before, by their bytes. */
void seal_lose(struct seal *seal, struct user_key hidden);
size_t seal_lost(const struct seal *seal); /* how many of them there are; any thread */
/* Overwrites a user's slot; a call that fails is made up for by the next. */
void seal_erase(struct seal *seal, struct user_key hidden);
/* Whether all slots that should be are overwritten. Any thread. */
bool seal_has_erased_all(const struct seal *seal);
/* When the users' keys were last exported before the last erasure, in seconds since 1970; 0: never.
 * Any thread. */
int64_t seal_exported(const struct seal *seal);
/* When the user got keys, in seconds since 1970; INT64_MAX: the user has none. */
int64_t seal_created(struct seal *seal, struct user_key hidden);
/* A list of all users; the caller frees it. */
struct user_key *seal_users(const struct seal *seal, size_t *count);

/* ---- opening ---- */

enum seal_state {
	SEAL_NEW,   /* the store has no records yet */
	SEAL_NONE,  /* it is not encrypted */
	SEAL_WHOLE, /* it is encrypted */
};

/* Opens the keys of a store. `master` NULL: there is no key. `id` is the one that the store's keys
 * had when it was made. Makes the file of a new store if `writes`. Sets `seal` to NULL if none is
 * needed. False: they do not fit the store. */
bool seal_open(const char *folder, const unsigned char *master, enum seal_state state, uint64_t id,
	       bool writes, struct seal **seal, struct complaint complaint);
/* Wraps all keys with another master key. Nobody may have the store open. False: nothing has
 * changed. */
bool seal_rewrap(const char *folder, const unsigned char *from, const unsigned char *to,
		 size_t *users, struct complaint complaint);
/* Writes the users' keys to a descriptor, wrapped with another key, and notes the time in the
 * store's folder. The store may be open. False: it failed. */
bool seal_export(const char *folder, const unsigned char *from, const unsigned char *to, int out,
		 size_t *users, struct complaint complaint);
/* Opens a file of exported keys, to be read only. NULL: it failed. */
struct seal *seal_open_exported(const char *path, const unsigned char *key,
				struct complaint complaint);
/* The store's users, without a key: only key_file_has() may be asked. NULL: it failed. */
struct key_file *seal_list(const char *folder, struct complaint complaint);

/* ---- for one transaction, on any thread ---- */

/* Room for opened values, a stack: what was taken after a mark is given up at once. Zero-initialize
 * it. */
struct room {
	struct room_chunk *last;
	size_t taken; /* bytes; a mark is a copy of it */
};

/* Aligned for any type; never NULL. */
char *room_take(struct room *room, size_t size);
/* Gives up all that was taken since `taken` was the mark; nothing if that is given up already. One
 * chunk stays for what is next. */
void room_return(struct room *room, size_t taken);
void room_finish(struct room *room);

struct sealer {
	struct seal *seal;
	struct sealer *next; /* in the list of those that nobody uses */
	struct room room;    /* what was opened */
	struct cipher *seals;
	struct cipher *opens;
	struct cipher *masks;
	struct cipher *unmasks;
	struct cipher *hides;
	struct cipher *shows;
	bool has_user;
	unsigned keyed; /* which of the ciphers have the user's key: bits */
	struct user_key user;
	struct user_secret secret;
	unsigned long erased;          /* how many users were when the secret was read */
	struct user_key shown, hidden; /* the last user that was hidden or shown */
	bool has_shown;
	unsigned char random[256];
	size_t random_left;
};

struct sealer *seal_take(struct seal *seal);
void seal_give_back(struct sealer *sealer); /* with the room that it has given */

/* The zeroed user, from whom lists of users begin, stays before all others. */
struct user_key sealer_hide(struct sealer *sealer, struct user_key user);
struct user_key sealer_show(struct sealer *sealer, struct user_key hidden);

/* Makes a user's keys those of the calls below. False: the user has none. */
bool sealer_begin(struct sealer *sealer, struct user_key hidden);
/* Begins with a user's keys; a user without keys gets some. False, with errno set: they cannot be
 * written, or those that the user had are lost. */
bool sealer_begin_new(struct sealer *sealer, struct user_key hidden);

/* `bound` is the value's place: its first byte tells of what kind, and all of a kind have the same
 * size. `sealed` has room for plain.size + bound.size + SEAL_OVERHEAD bytes. */
void sealer_seal(struct sealer *sealer, struct slice bound, struct slice plain, char *sealed);
/* Writes what was sealed, then `bound`; `plain` has room for sealed.size bytes. False: it cannot be
 * opened, or was sealed for another place. */
bool sealer_open(struct sealer *sealer, struct slice bound, struct slice sealed, char *plain);

/* 16 bytes, in place. */
void sealer_mask(struct sealer *sealer, unsigned char *bytes);
void sealer_unmask(struct sealer *sealer, unsigned char *bytes);
uint64_t sealer_mask_number(struct sealer *sealer, uint64_t number);
uint64_t sealer_unmask_number(struct sealer *sealer, uint64_t masked);
/* One way, and faster: at most SEAL_HASHES numbers, in place. */
void sealer_hash(struct sealer *sealer, uint64_t *hashes, size_t count);

#endif
