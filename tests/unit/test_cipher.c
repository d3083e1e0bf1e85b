/* The ciphers against published answers. */
#include "storage/record/cipher.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static size_t from_hex(const char *hex, unsigned char *out)
{
	size_t size = strlen(hex) / 2;
	for (size_t i = 0; i < size; i++) {
		unsigned byte;
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (unsigned char)byte;
	}
	return size;
}

static struct slice hex_slice(const char *hex, unsigned char *out)
{
	size_t size = from_hex(hex, out);
	return (struct slice){(const char *)out, size};
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16; the first 12 bytes of its
 * tag. */
START_TEST(gcm_gives_the_known_answer)
{
	unsigned char key[32], nonce[12], bound[64], plain[64], expected[128], sealed[128],
		back[64];
	(void)from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key);
	(void)from_hex("cafebabefacedbaddecaf888", nonce);
	const struct slice a = hex_slice("feedfacedeadbeeffeedfacedeadbeefabaddad2", bound);
	const struct slice p =
		hex_slice("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
			  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
			  plain);
	const struct slice c =
		hex_slice("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
			  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
			  "76fc6ece0f4e1768cddf8853",
			  expected);
	struct cipher *seals = cipher_create(CIPHER_SEAL);
	struct cipher *opens = cipher_create(CIPHER_OPEN);
	cipher_set_key(seals, key);
	cipher_set_key(opens, key);
	for (int i = 0; i < 2; i++) { /* a context serves again */
		cipher_seal(seals, nonce, a, p, sealed);
		ck_assert_mem_eq(sealed, expected, c.size);
		ck_assert(cipher_open(opens, nonce, a, c, back));
		ck_assert_mem_eq(back, plain, p.size);
	}
	sealed[0] ^= 1;
	ck_assert(!cipher_open(opens, nonce, a, (struct slice){(char *)sealed, c.size}, back));
	sealed[0] ^= 1;
	ck_assert(!cipher_open(opens, nonce, SLICE("other"), (struct slice){(char *)sealed, c.size},
			       back));
	ck_assert(!cipher_open(opens, nonce, a, SLICE("short"), back));
	cipher_destroy(seals);
	cipher_destroy(opens);
	cipher_destroy(NULL);
}
END_TEST

/* FIPS 197, appendix C.3. */
START_TEST(a_block_gives_the_known_answer)
{
	unsigned char key[32], block[16], two[32], expected[16];
	(void)from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", key);
	(void)from_hex("00112233445566778899aabbccddeeff", block);
	(void)from_hex("8ea2b7ca516745bfeafc49904b496089", expected);
	struct cipher *masks = cipher_create(CIPHER_MASK);
	struct cipher *unmasks = cipher_create(CIPHER_UNMASK);
	cipher_set_key(masks, key);
	cipher_set_key(unmasks, key);
	memcpy(two, block, 16);
	memcpy(two + 16, block, 16);
	cipher_blocks(masks, block, 1);
	ck_assert_mem_eq(block, expected, 16);
	cipher_blocks(masks, two, 2); /* each for itself */
	ck_assert_mem_eq(two, expected, 16);
	ck_assert_mem_eq(two + 16, expected, 16);
	cipher_blocks(unmasks, block, 1);
	(void)from_hex("00112233445566778899aabbccddeeff", expected);
	ck_assert_mem_eq(block, expected, 16);
	cipher_destroy(masks);
	cipher_destroy(unmasks);
}
END_TEST

/* RFC 5869, test case 1. */
START_TEST(a_derived_key_is_the_known_one)
{
	unsigned char secret[32], salt[16], info[16], expected[42], derived[42];
	const struct slice ikm = hex_slice("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", secret);
	const struct slice s = hex_slice("000102030405060708090a0b0c", salt);
	const struct slice i = hex_slice("f0f1f2f3f4f5f6f7f8f9", info);
	(void)from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		       "34007208d5b887185865",
		       expected);
	cipher_derive(ikm, s, i, derived, sizeof(derived));
	ck_assert_mem_eq(derived, expected, sizeof(derived));
}
END_TEST

UNIT_MAIN("cipher", gcm_gives_the_known_answer, a_block_gives_the_known_answer,
	  a_derived_key_is_the_known_one)
