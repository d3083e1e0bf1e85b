#include "storage/record/key.h"

#include <assert.h>
#include <endian.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

/* The sign bit, inverted in keys. */
#define BEFORE_1970 (UINT64_C(1) << 63)

static struct key add(struct key key, const void *bytes, size_t size)
{
	assert(size <= KEY_MAX - key.size);
	memcpy(key.bytes + key.size, bytes, size);
	key.size += size;
	return key;
}

static struct key add_number(struct key key, uint64_t number, unsigned size)
{
	uint64_t bytes = htobe64(number);
	return add(key, (unsigned char *)&bytes + sizeof(bytes) - size, size);
}

struct key key_empty(void)
{
	return (struct key){.size = 0};
}

struct key key_user(struct key key, struct user_key user)
{
	return add(key, user.bytes, sizeof(user.bytes));
}

struct key key_of_user(struct user_key user)
{
	return key_user(key_empty(), user);
}

struct key key_of_name(const char *name)
{
	return add(key_empty(), name, strlen(name));
}

struct key key_of_number(uint64_t number)
{
	return add_number(key_empty(), number, 8);
}

struct key key_byte(struct key key, unsigned byte)
{
	return add_number(key, byte, 1);
}

struct key key_u32(struct key key, uint32_t number)
{
	return add_number(key, number, 4);
}

struct key key_u64(struct key key, uint64_t number)
{
	return add_number(key, number, 8);
}

struct key key_time(struct key key, int64_t at)
{
	/* Times before 1970 sort first. */
	return add_number(key, (uint64_t)at ^ BEFORE_1970, 8);
}

/* EVP_sha256() would search OpenSSL's providers for each digest, which takes as long as digesting a
 * short text. */
static EVP_MD *sha256;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static void digest(unsigned char out[16], const struct slice *parts, size_t count)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned char bytes[EVP_MAX_MD_SIZE];
	pthread_once(&once, fetch);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool fine =
		sha256 != NULL && context != NULL && EVP_DigestInit_ex(context, sha256, NULL) == 1;
	for (size_t i = 0; fine && i < count; i++)
		fine = EVP_DigestUpdate(context, parts[i].data, parts[i].size) == 1;
	if (!fine || EVP_DigestFinal_ex(context, bytes, NULL) != 1)
		out_of_memory(); /* nothing else can fail here */
	EVP_MD_CTX_free(context);
	memcpy(out, bytes, 16);
}

struct key key_digest(struct key key, struct slice text)
{
	unsigned char bytes[16];
	digest(bytes, &text, 1);
	return add(key, bytes, sizeof(bytes));
}

struct user_key store_user_key(struct slice tenant, struct slice user)
{
	struct user_key key;
	/* An id contains no zero byte, so no two pairs of tenant and user give the same bytes. */
	digest(key.bytes, (struct slice[]){tenant, {"", 1}, user}, 3);
	return key;
}

struct key key_after(struct key key)
{
	memset(key.bytes + key.size, 0xff, KEY_MAX - key.size);
	key.size = KEY_MAX;
	return key;
}

static uint64_t read_number(struct slice key, size_t offset, size_t size)
{
	if (key.size < size || offset > key.size - size)
		return 0;
	uint64_t bytes = 0;
	memcpy((unsigned char *)&bytes + sizeof(bytes) - size, key.data + offset, size);
	return be64toh(bytes);
}

unsigned key_read_byte(struct slice key, size_t offset)
{
	return (unsigned)read_number(key, offset, 1);
}

uint32_t key_read_u32(struct slice key, size_t offset)
{
	return (uint32_t)read_number(key, offset, 4);
}

uint64_t key_read_u64(struct slice key, size_t offset)
{
	return read_number(key, offset, 8);
}

int64_t key_read_time(struct slice key, size_t offset)
{
	return (int64_t)(key_read_u64(key, offset) ^ BEFORE_1970);
}

struct user_key key_read_user(struct slice key)
{
	struct user_key user = {{0}};
	if (key.size >= sizeof(user.bytes))
		memcpy(user.bytes, key.data, sizeof(user.bytes));
	return user;
}

bool key_add(struct key *key, unsigned bit)
{
	if (bit / 8 >= key->size)
		return false;
	unsigned carry = 1U << bit % 8;
	for (size_t i = key->size - bit / 8; carry > 0 && i-- > 0;) {
		carry += key->bytes[i];
		key->bytes[i] = (unsigned char)carry;
		carry >>= 8;
	}
	return carry == 0;
}
