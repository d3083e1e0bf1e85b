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

/* Reads from an offset of a stored key; 0 if the key is too short. */
unsigned key_read_byte(struct slice key, size_t offset);
uint32_t key_read_u32(struct slice key, size_t offset);
uint64_t key_read_u64(struct slice key, size_t offset);
int64_t key_read_time(struct slice key, size_t offset);
struct user_key key_read_user(struct slice key); /* at its start */

#endif
