/* The form of the head and the slots of the file of keys. */
#ifndef RECALLD_STORAGE_RECORD_KEY_SLOT_H
#define RECALLD_STORAGE_RECORD_KEY_SLOT_H

#include "core/memory/user.h"
#include "storage/record/cipher.h"

enum {
	SLOT_SIZE = 128, /* of the head too; a disk writes it whole */
	SALT_SIZE = 32,
};

/* What the file keeps of one user. */
struct user_secret {
	unsigned char data[CIPHER_KEY]; /* seals the user's values */
	unsigned char mask[CIPHER_KEY]; /* masks hashes of the user's words and ids */
};

/* What the file keeps of the store. */
struct store_secret {
	unsigned char users[CIPHER_KEY]; /* hides the users' keys */
};

enum slot_state { SLOT_DAMAGED, SLOT_USED, SLOT_ERASED };

/* The key that wraps, from the master key and the file's salt. */
void slot_wrapping_key(const unsigned char master[CIPHER_KEY], const unsigned char salt[SALT_SIZE],
		       unsigned char key[CIPHER_KEY]);

/* `wraps` is a CIPHER_SEAL with that key, `unwraps` a CIPHER_OPEN. `made` is when the key began to
 * wrap, in seconds since 1970. */
void slot_write_head(struct cipher *wraps, const unsigned char salt[SALT_SIZE], int64_t made,
		     const struct store_secret *secret, unsigned char bytes[SLOT_SIZE]);
/* Points to the salt; NULL: it is no head. */
const unsigned char *slot_read_salt(const unsigned char bytes[SLOT_SIZE]);
int64_t slot_read_made(const unsigned char bytes[SLOT_SIZE]);
bool slot_read_head(struct cipher *unwraps, const unsigned char bytes[SLOT_SIZE],
		    struct store_secret *secret);

void slot_write(struct cipher *wraps, struct user_key user, int64_t created,
		const struct user_secret *secret, unsigned char bytes[SLOT_SIZE]);
/* Whose it is, without its keys. */
enum slot_state slot_look(const unsigned char bytes[SLOT_SIZE], struct user_key *user,
			  int64_t *created);
bool slot_read(struct cipher *unwraps, const unsigned char bytes[SLOT_SIZE],
	       struct user_secret *secret);
/* Random bytes, with the mark of an erasure. */
void slot_write_erased(unsigned char bytes[SLOT_SIZE]);

#endif
