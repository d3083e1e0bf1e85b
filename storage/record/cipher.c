#include "storage/record/cipher.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

struct cipher {
	EVP_CIPHER_CTX *context;
	enum cipher_use use;
};

/* A name is searched for in OpenSSL's providers, which takes as long as sealing a few records. */
static EVP_CIPHER *gcm;
static EVP_CIPHER *block;

static void fetch(void)
{
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	block = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
}

/* Nothing but an allocation can fail with these arguments. */
static void demand(bool fine)
{
	if (!fine)
		out_of_memory();
}

static bool encrypts(enum cipher_use use)
{
	return use == CIPHER_SEAL || use == CIPHER_MASK;
}

static bool is_gcm(enum cipher_use use)
{
	return use == CIPHER_SEAL || use == CIPHER_OPEN;
}

/* Lets a context take each nonce as a parameter, as TLS does for its records, where OpenSSL would
 * find out anew how long it is. -1: the whole nonce is given now, and no part of it stays. */
static bool takes_nonces(EVP_CIPHER_CTX *context)
{
	unsigned char none[CIPHER_NONCE] = {0};
	return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_IV_FIXED, -1, none) == 1;
}

struct cipher *cipher_create(enum cipher_use use)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, fetch);
	struct cipher *cipher = xmalloc(sizeof(*cipher));
	*cipher = (struct cipher){EVP_CIPHER_CTX_new(), use};
	const EVP_CIPHER *kind = is_gcm(use) ? gcm : block;
	demand(kind != NULL && cipher->context != NULL &&
	       EVP_CipherInit_ex2(cipher->context, kind, NULL, NULL, encrypts(use), NULL) == 1);
	/* GCM pads nothing, and OpenSSL would set it again for each record. */
	demand(is_gcm(use) || EVP_CIPHER_CTX_set_padding(cipher->context, 0) == 1);
	demand(use != CIPHER_OPEN || takes_nonces(cipher->context));
	return cipher;
}

void cipher_destroy(struct cipher *cipher)
{
	if (cipher == NULL)
		return;
	EVP_CIPHER_CTX_free(cipher->context);
	free(cipher);
}

void cipher_set_key(struct cipher *cipher, const unsigned char key[CIPHER_KEY])
{
	demand(EVP_CipherInit_ex2(cipher->context, NULL, key, NULL, encrypts(cipher->use), NULL) ==
	       1);
}

/* Feeds a text of any length. `out` NULL: it is only bound. */
static bool feed(EVP_CIPHER_CTX *context, struct slice text, unsigned char *out)
{
	const unsigned char *from = (const unsigned char *)text.data;
	bool fine = true;
	for (size_t at = 0; fine && at < text.size;) {
		size_t part = text.size - at < INT_MAX ? text.size - at : INT_MAX;
		int size;
		fine = EVP_CipherUpdate(context, out == NULL ? NULL : out + at, &size, from + at,
					(int)part) == 1;
		at += part;
	}
	return fine;
}

void cipher_seal(struct cipher *cipher, const unsigned char nonce[CIPHER_NONCE], struct slice bound,
		 struct slice plain, unsigned char *sealed)
{
	EVP_CIPHER_CTX *context = cipher->context;
	int size;
	demand(EVP_CipherInit_ex2(context, NULL, NULL, nonce, true, NULL) == 1 &&
	       feed(context, bound, NULL) && feed(context, plain, sealed) &&
	       EVP_CipherFinal_ex(context, sealed + plain.size, &size) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CIPHER_TAG,
				   sealed + plain.size) == 1);
}

bool cipher_open(struct cipher *cipher, const unsigned char nonce[CIPHER_NONCE], struct slice bound,
		 struct slice sealed, unsigned char *plain)
{
	EVP_CIPHER_CTX *context = cipher->context;
	unsigned char tag[CIPHER_TAG];
	unsigned char rest[CIPHER_BLOCK];
	int size;
	if (sealed.size < CIPHER_TAG)
		return false;
	struct slice text = {sealed.data, sealed.size - CIPHER_TAG};
	memcpy(tag, text.data + text.size, sizeof(tag));
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, sizeof(tag)),
		OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_SET_IV_INV,
						  (void *)(uintptr_t)nonce, CIPHER_NONCE),
		OSSL_PARAM_construct_end(),
	};
	demand(EVP_CIPHER_CTX_set_params(context, parameters) == 1 && feed(context, bound, NULL) &&
	       feed(context, text, plain));
	return EVP_CipherFinal_ex(context, rest, &size) == 1;
}

void cipher_blocks(struct cipher *cipher, unsigned char *bytes, size_t count)
{
	int size;
	demand(EVP_CipherUpdate(cipher->context, bytes, &size, bytes,
				(int)(count * CIPHER_BLOCK)) == 1);
}

void cipher_derive(struct slice secret, struct slice salt, struct slice purpose, unsigned char *out,
		   size_t size)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
						  (void *)(uintptr_t)secret.data, secret.size),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.data,
						  salt.size),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
						  (void *)(uintptr_t)purpose.data, purpose.size),
		OSSL_PARAM_construct_end(),
	};
	demand(context != NULL && EVP_KDF_derive(context, out, size, parameters) == 1);
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

void cipher_random(unsigned char *out, size_t size)
{
	demand(RAND_bytes(out, (int)size) == 1);
}

void cipher_wipe(void *bytes, size_t size)
{
	OPENSSL_cleanse(bytes, size);
}
