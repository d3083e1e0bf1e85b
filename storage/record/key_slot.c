#include "storage/record/key_slot.h"

#include <assert.h>
#include <zlib.h>

enum {
	MAGIC_SIZE = 8,
	CHECK_AT = SLOT_SIZE - 4, /* in both: a CRC-32 of what comes before */

	SALT_AT = MAGIC_SIZE,
	HEAD_NONCE_AT = SALT_AT + SALT_SIZE,
	HEAD_WRAPPED_AT = HEAD_NONCE_AT + CIPHER_NONCE,
	HEAD_WRAPPED_SIZE = sizeof(struct store_secret) + CIPHER_TAG,
	HEAD_MADE_AT = HEAD_WRAPPED_AT + HEAD_WRAPPED_SIZE,
	HEAD_MADE_SIZE = 8,

	STATE_AT = 0,
	CREATED_AT = 1,
	USER_AT = 8,
	NONCE_AT = USER_AT + sizeof(struct user_key),
	WRAPPED_AT = NONCE_AT + CIPHER_NONCE,
	WRAPPED_SIZE = sizeof(struct user_secret) + CIPHER_TAG,
};

static_assert(HEAD_MADE_AT + HEAD_MADE_SIZE <= CHECK_AT, "the head fits");
static_assert(WRAPPED_AT + WRAPPED_SIZE <= CHECK_AT, "a slot fits");

static const char magic[MAGIC_SIZE] = {'r', 'c', 'k', 'e', 'y', 's', '0', '2'};

static struct slice slice_at(const unsigned char *bytes, size_t size)
{
	return (struct slice){(const char *)bytes, size};
}

static void put_number(unsigned char *out, uint64_t number, size_t size)
{
	for (size_t i = size; i-- > 0; number >>= 8)
		out[i] = (unsigned char)number;
}

static uint64_t read_number(const unsigned char *in, size_t size)
{
	uint64_t number = 0;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | in[i];
	return number;
}

static void put_check(unsigned char *bytes)
{
	put_number(bytes + CHECK_AT, crc32(0, bytes, CHECK_AT), SLOT_SIZE - CHECK_AT);
}

static bool is_whole(const unsigned char *bytes)
{
	return read_number(bytes + CHECK_AT, SLOT_SIZE - CHECK_AT) == crc32(0, bytes, CHECK_AT);
}

void slot_wrapping_key(const unsigned char master[CIPHER_KEY], const unsigned char salt[SALT_SIZE],
		       unsigned char key[CIPHER_KEY])
{
	cipher_derive(slice_at(master, CIPHER_KEY), slice_at(salt, SALT_SIZE),
		      SLICE("recalld: wrap"), key, CIPHER_KEY);
}

void slot_write_head(struct cipher *wraps, const unsigned char salt[SALT_SIZE], int64_t made,
		     const struct store_secret *secret, unsigned char bytes[SLOT_SIZE])
{
	memset(bytes, 0, SLOT_SIZE);
	memcpy(bytes, magic, MAGIC_SIZE);
	memcpy(bytes + SALT_AT, salt, SALT_SIZE);
	cipher_random(bytes + HEAD_NONCE_AT, CIPHER_NONCE);
	cipher_seal(wraps, bytes + HEAD_NONCE_AT, slice_at(bytes, HEAD_NONCE_AT),
		    slice_at((const unsigned char *)secret, sizeof(*secret)),
		    bytes + HEAD_WRAPPED_AT);
	put_number(bytes + HEAD_MADE_AT, (uint64_t)made, HEAD_MADE_SIZE);
	put_check(bytes);
}

const unsigned char *slot_read_salt(const unsigned char bytes[SLOT_SIZE])
{
	return memcmp(bytes, magic, MAGIC_SIZE) == 0 && is_whole(bytes) ? bytes + SALT_AT : NULL;
}

int64_t slot_read_made(const unsigned char bytes[SLOT_SIZE])
{
	return (int64_t)read_number(bytes + HEAD_MADE_AT, HEAD_MADE_SIZE);
}

bool slot_read_head(struct cipher *unwraps, const unsigned char bytes[SLOT_SIZE],
		    struct store_secret *secret)
{
	return cipher_open(unwraps, bytes + HEAD_NONCE_AT, slice_at(bytes, HEAD_NONCE_AT),
			   slice_at(bytes + HEAD_WRAPPED_AT, HEAD_WRAPPED_SIZE),
			   (unsigned char *)secret);
}

void slot_write(struct cipher *wraps, struct user_key user, int64_t created,
		const struct user_secret *secret, unsigned char bytes[SLOT_SIZE])
{
	memset(bytes, 0, SLOT_SIZE);
	bytes[STATE_AT] = SLOT_USED;
	put_number(bytes + CREATED_AT, (uint64_t)created, USER_AT - CREATED_AT);
	memcpy(bytes + USER_AT, user.bytes, sizeof(user.bytes));
	cipher_random(bytes + NONCE_AT, CIPHER_NONCE);
	cipher_seal(wraps, bytes + NONCE_AT, slice_at(bytes, NONCE_AT),
		    slice_at((const unsigned char *)secret, sizeof(*secret)), bytes + WRAPPED_AT);
	put_check(bytes);
}

enum slot_state slot_look(const unsigned char bytes[SLOT_SIZE], struct user_key *user,
			  int64_t *created)
{
	if (!is_whole(bytes) || bytes[STATE_AT] > SLOT_ERASED)
		return SLOT_DAMAGED;
	memcpy(user->bytes, bytes + USER_AT, sizeof(user->bytes));
	*created = (int64_t)read_number(bytes + CREATED_AT, USER_AT - CREATED_AT);
	return (enum slot_state)bytes[STATE_AT];
}

bool slot_read(struct cipher *unwraps, const unsigned char bytes[SLOT_SIZE],
	       struct user_secret *secret)
{
	return cipher_open(unwraps, bytes + NONCE_AT, slice_at(bytes, NONCE_AT),
			   slice_at(bytes + WRAPPED_AT, WRAPPED_SIZE), (unsigned char *)secret);
}

void slot_write_erased(unsigned char bytes[SLOT_SIZE])
{
	cipher_random(bytes, SLOT_SIZE);
	bytes[STATE_AT] = SLOT_ERASED;
	put_check(bytes);
}
