/* The file of the users' keys, "keys" in the store's folder: a head, then one slot for each user.
 * It is no part of LMDB's file, which would keep the bytes of a deleted key.
 *
 * A key from the master key (HKDF-SHA256 with the file's salt) wraps a secret of the store in the
 * head, and in each slot the keys of one user, with AES-256-GCM. Overwriting a slot makes all that
 * was sealed with its keys unreadable for good.
 *
 * Users are known by their hidden keys, see seal.h. One thread writes; any thread may call
 * key_file_read(), which never waits for what that thread has the disk do. */
#ifndef RECALLD_STORAGE_RECORD_KEY_FILE_H
#define RECALLD_STORAGE_RECORD_KEY_FILE_H

#include "core/memory/user.h"
#include "storage/record/cipher.h"

#define KEY_FILE "keys"
#define EXPORTED_FILE "keys.exported"

enum { SLOT_SIZE = 128 }; /* of the head too; a disk writes it whole */

/* The keys of one user. */
struct user_secret {
	unsigned char data[CIPHER_KEY]; /* seals the user's values */
	unsigned char mask[CIPHER_KEY]; /* masks hashes of the user's words and ids */
};

/* The secret of the store. */
struct store_secret {
	unsigned char users[CIPHER_KEY]; /* hides the users' keys */
};

struct key_file;

enum key_file_fault {
	KEY_FILE_FINE,
	KEY_FILE_MISSING,
	KEY_FILE_UNREADABLE, /* errno says why */
	KEY_FILE_NOT_OURS,   /* no file of keys, or a damaged head */
	KEY_FILE_OTHER_KEY,  /* it was wrapped with another master key */
};

/* Makes an empty file, on the disk when it returns. */
enum key_file_fault key_file_create(const char *folder, const unsigned char master[CIPHER_KEY]);
/* Opens a file, to be read only unless `writes`. NULL: `fault` says why. */
struct key_file *key_file_open(const char *folder, const unsigned char master[CIPHER_KEY],
			       bool writes, enum key_file_fault *fault);
/* Opens a file by its own path, to be read only: a file of exported keys. With `master` NULL it
 * tells who has a slot, and opens none. */
struct key_file *key_file_open_path(const char *path, const unsigned char *master,
				    enum key_file_fault *fault);
void key_file_close(struct key_file *file); /* NULL is fine */

/* When its master key began to wrap the keys, in seconds since 1970. */
int64_t key_file_made(const struct key_file *file);
const struct store_secret *key_file_store(const struct key_file *file);
bool key_file_has(const struct key_file *file, struct user_key user);
/* Any thread. False: the user has no slot, or it cannot be read. */
bool key_file_read(struct key_file *file, struct user_key user, struct user_secret *secret);
/* When the user got the slot, in seconds since 1970; INT64_MAX: the user has none. Any thread. */
int64_t key_file_created(struct key_file *file, struct user_key user);
/* Gives a user a slot with new keys. False, with errno set: it could not be written. */
bool key_file_add(struct key_file *file, struct user_key user, int64_t now,
		  struct user_secret *secret);
/* Puts new slots on the disk; cheap if there are none. */
bool key_file_sync(struct key_file *file);
/* Overwrites the user's slot, in place and on the disk. True also if there was none. */
bool key_file_erase(struct key_file *file, struct user_key user);

size_t key_file_count(const struct key_file *file);
/* The users in no order; `place` begins at 0. False: there are no more. */
bool key_file_next(const struct key_file *file, size_t *place, struct user_key *user);
/* Slots that hold neither keys nor the mark of an erasure. */
size_t key_file_damaged(const struct key_file *file);

/* Writes a file with the same keys to a descriptor, which may be a pipe, wrapped with another
 * master key. Users who come or go meanwhile may be in it or not. False, with errno set: it failed.
 */
bool key_file_export(const struct key_file *file, const unsigned char master[CIPHER_KEY], int out);

/* Wraps all keys with another master key, in a new file that takes the old one's place. The
 * folder's store must not be open. False: `fault` says why, and the file is as it was. */
bool key_file_rewrap(const char *folder, const unsigned char from[CIPHER_KEY],
		     const unsigned char to[CIPHER_KEY], size_t *users, enum key_file_fault *fault);

/* When the users' keys were last exported: a file in the store's folder, which recallctl writes and
 * the daemon reads. Whoever exports keys notes it first, and whoever overwrites a slot looks
 * afterwards: so no export that holds the slot is missed. */

/* Notes an export in seconds since 1970. On the disk when it returns true; else errno is set. */
bool exported_note(const char *folder, int64_t at);
/* 0: there was none. A note that cannot be read counts as one of this moment. Any thread. */
int64_t exported_last(const char *folder);

#endif
