/* Shared by the tests of a store's keys: a folder of its own with a file of keys in it, no
 * store. */
#ifndef RECALLD_TESTS_SEAL_FIXTURE_H
#define RECALLD_TESTS_SEAL_FIXTURE_H
#include "storage/record/key_file.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each test runs in a process of its own. */
static char folder[UNIT_PATH];
static char file[96];
static const unsigned char master[CIPHER_KEY] = "the master key of this test";
static const unsigned char other[CIPHER_KEY] = "another one";

static inline void begin(void)
{
	unit_folder(folder);
	(void)snprintf(file, sizeof(file), "%s/" KEY_FILE, folder);
}

static inline void end(void)
{
	char note[128];
	(void)snprintf(note, sizeof(note), "%s/%s", folder, EXPORTED_FILE);
	(void)unlink(note);
	(void)unlink(file);
	ck_assert_int_eq(rmdir(folder), 0);
}

static inline struct user_key user(unsigned number)
{
	struct user_key key = {{0}};
	memcpy(key.bytes, &number, sizeof(number));
	key.bytes[15] = 1;
	return key;
}

static inline struct key_file *open_file(const unsigned char *key)
{
	enum key_file_fault fault;
	struct key_file *opened = key_file_open(folder, key, true, &fault);
	ck_assert_int_eq(fault, KEY_FILE_FINE);
	return opened;
}

#endif
