/* AES-256, with OpenSSL's contexts: one is made once, gets a key once for many records, and a nonce
 * for each. A call that fails for want of memory ends the process. */
#ifndef RECALLD_STORAGE_RECORD_CIPHER_H
#define RECALLD_STORAGE_RECORD_CIPHER_H

#include "core/base/bytes.h"

enum {
	CIPHER_KEY = 32,
	CIPHER_NONCE = 12,
	CIPHER_TAG = 12, /* bytes of GCM's tag that are kept: 96 bits, as SP 800-38D allows */
	CIPHER_BLOCK = 16,
};

enum cipher_use {
	CIPHER_SEAL,   /* AES-256-GCM */
	CIPHER_OPEN,   /* the same, back */
	CIPHER_MASK,   /* a single block of AES-256: a permutation of 16 bytes */
	CIPHER_UNMASK, /* the same, back */
};

struct cipher;

struct cipher *cipher_create(enum cipher_use use);
void cipher_destroy(struct cipher *cipher); /* NULL is fine; the key is wiped */
void cipher_set_key(struct cipher *cipher, const unsigned char key[CIPHER_KEY]);

/* Writes the sealed text and its tag: plain.size + CIPHER_TAG bytes. `bound` is not written, but
 * opening needs the same. A nonce must not be used twice with a key. */
void cipher_seal(struct cipher *cipher, const unsigned char nonce[CIPHER_NONCE], struct slice bound,
		 struct slice plain, unsigned char *sealed);
/* Writes sealed.size - CIPHER_TAG bytes. False: it was sealed with another key, nonce or `bound`,
 * or was changed; what was written is worth nothing. */
bool cipher_open(struct cipher *cipher, const unsigned char nonce[CIPHER_NONCE], struct slice bound,
		 struct slice sealed, unsigned char *plain);
/* Masks or unmasks blocks, each for itself, in place: at most INT_MAX bytes. */
void cipher_blocks(struct cipher *cipher, unsigned char *bytes, size_t count);

/* HKDF with SHA-256 (RFC 5869). */
void cipher_derive(struct slice secret, struct slice salt, struct slice purpose, unsigned char *out,
		   size_t size);
/* Bytes that nobody can guess. */
void cipher_random(unsigned char *out, size_t size);
/* Wipes a key from memory. */
void cipher_wipe(void *bytes, size_t size);

#endif
