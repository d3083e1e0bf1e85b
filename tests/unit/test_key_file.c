/* The file of the users' keys: what it keeps, what spoils it, and the master key that wraps it. */
#include "storage/record/seal.h"
#include "tests/unit/seal_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

static enum key_file_fault fault_of(const unsigned char *key)
{
	enum key_file_fault fault;
	ck_assert_ptr_null(key_file_open(folder, key, false, &fault));
	return fault;
}

static off_t size_of_file(void)
{
	struct stat status;
	ck_assert_int_eq(stat(file, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	return status.st_size;
}

static void overwrite(off_t at, const char *bytes, size_t size)
{
	int descriptor = open(file, O_WRONLY);
	ck_assert_int_ge(descriptor, 0);
	ck_assert_int_eq(pwrite(descriptor, bytes, size, at), (ssize_t)size);
	(void)close(descriptor);
}

START_TEST(keys_are_there_when_the_file_is_opened_again_until_they_are_erased)
{
	enum { COUNT = 1200 };
	static struct user_secret secrets[COUNT];
	struct user_secret read;
	begin();
	ck_assert_int_eq(fault_of(master), KEY_FILE_MISSING);
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	struct key_file *keys = open_file(master);
	for (unsigned i = 0; i < COUNT; i++)
		ck_assert(key_file_add(keys, user(i), 7, &secrets[i]));
	ck_assert(key_file_sync(keys));
	ck_assert(key_file_sync(keys));
	ck_assert(key_file_erase(keys, user(5)));
	ck_assert(key_file_erase(keys, user(5)));
	key_file_close(keys);
	key_file_close(NULL);
	const off_t size = size_of_file();
	keys = open_file(master);
	ck_assert_uint_eq(key_file_count(keys), COUNT - 1);
	ck_assert_uint_eq(key_file_damaged(keys), 0);
	ck_assert(!key_file_has(keys, user(5)));
	ck_assert(!key_file_read(keys, user(5), &read));
	for (unsigned i = 0; i < COUNT; i++) {
		if (i != 5) {
			ck_assert(key_file_read(keys, user(i), &read));
			ck_assert_mem_eq(&read, &secrets[i], sizeof(read));
		}
	}
	/* An erased slot serves again. */
	ck_assert(key_file_add(keys, user(COUNT), 7, &read));
	key_file_close(keys);
	ck_assert_int_eq(size_of_file(), size);
	end();
}
END_TEST

enum { STEADY = 8, ROUNDS = 2000 };

/* Reads users who stay, and one who comes and goes. */
static void *read_users(void *cookie)
{
	struct user_secret read;
	for (unsigned i = 0; i < ROUNDS; i++) {
		ck_assert(key_file_read(cookie, user(i % STEADY), &read));
		(void)key_file_read(cookie, user(STEADY), &read);
	}
	return NULL;
}

START_TEST(users_are_read_while_others_come_and_go)
{
	enum { CHANGES = 50 };
	struct user_secret secret;
	pthread_t reader;
	begin();
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	struct key_file *keys = open_file(master);
	for (unsigned i = 0; i < STEADY; i++)
		ck_assert(key_file_add(keys, user(i), 7, &secret));
	ck_assert_int_eq(pthread_create(&reader, NULL, read_users, keys), 0);
	for (unsigned i = 0; i < CHANGES; i++) {
		ck_assert(key_file_add(keys, user(STEADY), 7, &secret));
		ck_assert(key_file_erase(keys, user(STEADY)));
	}
	pthread_join(reader, NULL);
	key_file_close(keys);
	end();
}
END_TEST

START_TEST(what_is_no_file_of_these_keys_is_told_apart)
{
	struct user_secret secret;
	begin();
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	struct key_file *keys = open_file(master);
	for (unsigned i = 0; i < 3; i++)
		ck_assert(key_file_add(keys, user(i), 7, &secret));
	key_file_close(keys);
	ck_assert_int_eq(fault_of(other), KEY_FILE_OTHER_KEY);
	/* A slot that a crash cut off, and one that a disk spoiled. */
	ck_assert_int_eq(truncate(file, 4 * SLOT_SIZE - 1), 0);
	overwrite(2 * SLOT_SIZE + 50, "spoiled", 7);
	keys = open_file(master);
	ck_assert_uint_eq(key_file_count(keys), 1);
	ck_assert_uint_eq(key_file_damaged(keys), 1);
	ck_assert(key_file_add(keys, user(2), 7, &secret));
	overwrite(SLOT_SIZE + 50, "spoiled", 7); /* since it was opened */
	ck_assert(!key_file_read(keys, user(0), &secret));
	key_file_close(keys);
	overwrite(SLOT_SIZE / 2, "spoiled", 7);
	ck_assert_int_eq(fault_of(master), KEY_FILE_NOT_OURS);
	ck_assert_int_eq(truncate(file, 5), 0);
	ck_assert_int_eq(fault_of(master), KEY_FILE_NOT_OURS);
	(void)unlink(file);
	ck_assert_int_eq(symlink(KEY_FILE, file), 0); /* leads round in a circle */
	ck_assert_int_eq(fault_of(master), KEY_FILE_UNREADABLE);
	end();
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_UNREADABLE);
}
END_TEST

START_TEST(a_file_that_takes_no_writes_fails_each)
{
	enum key_file_fault fault;
	struct user_secret secret;
	begin();
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	struct key_file *keys = open_file(master);
	ck_assert(key_file_add(keys, user(1), 7, &secret));
	key_file_close(keys);
	keys = key_file_open(folder, master, false, &fault);
	ck_assert_ptr_nonnull(keys);
	ck_assert(!key_file_add(keys, user(2), 7, &secret));
	ck_assert(!key_file_erase(keys, user(1)));
	struct seal *seal = seal_create(keys, folder);
	seal_erase(seal, user(1));
	ck_assert(!seal_has_erased_all(seal));
	seal_erase(seal, user(3)); /* has none; tries the first again */
	ck_assert(!seal_has_erased_all(seal));
	struct sealer *sealer = seal_take(seal);
	ck_assert(!sealer_begin_new(sealer, user(2)));
	ck_assert(sealer_begin(sealer, user(1)));
	seal_give_back(sealer);
	seal_destroy(seal);
	seal_destroy(NULL);
	end();
}
END_TEST

START_TEST(without_a_key_a_file_tells_who_has_one)
{
	struct user_secret secret;
	char error[256];
	begin();
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	struct key_file *keys = open_file(master);
	ck_assert(key_file_add(keys, user(1), 7, &secret));
	key_file_close(keys);
	keys = seal_list(folder, COMPLAINT(error));
	ck_assert_ptr_nonnull(keys);
	ck_assert(key_file_has(keys, user(1)));
	ck_assert(!key_file_has(keys, user(2)));
	ck_assert(!key_file_read(keys, user(1), &secret));
	key_file_close(keys);
	end();
}
END_TEST

/* ---- its master key ---- */

/* As if the key had been made then: the head's time, and its check, which zlib's CRC-32 is. */
static void backdate(int64_t made)
{
	enum { MADE_AT = 96, CHECK_AT = SLOT_SIZE - 4 };
	unsigned char head[SLOT_SIZE];
	int descriptor = open(file, O_RDONLY);
	ck_assert_int_eq(read(descriptor, head, SLOT_SIZE), SLOT_SIZE);
	(void)close(descriptor);
	number_put(head + MADE_AT, (uint64_t)made, 8);
	number_put(head + CHECK_AT, crc32(0, head, CHECK_AT), 4);
	overwrite(0, (const char *)head, SLOT_SIZE);
}

START_TEST(a_file_tells_since_when_its_master_key_wraps)
{
	const int64_t begun = time(NULL);
	size_t users;
	char error[256];
	begin();
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	struct key_file *keys = open_file(master);
	ck_assert_int_ge(key_file_made(keys), begun);
	ck_assert_int_le(key_file_made(keys), time(NULL));
	key_file_close(keys);
	backdate(12345);
	struct seal *seal = seal_create(open_file(master), folder);
	ck_assert_int_eq(seal_made(seal), 12345);
	seal_destroy(seal);
	ck_assert(seal_rewrap(folder, master, other, &users, COMPLAINT(error)));
	keys = open_file(other);
	ck_assert_int_ge(key_file_made(keys), begun);
	key_file_close(keys);
	end();
}
END_TEST

START_TEST(another_master_key_opens_the_same_keys)
{
	struct user_secret before, after;
	size_t users;
	char error[256];
	begin();
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	struct key_file *keys = open_file(master);
	ck_assert(key_file_add(keys, user(1), 7, &before));
	ck_assert(key_file_add(keys, user(2), 7, &after));
	ck_assert(key_file_erase(keys, user(1)));
	ck_assert(key_file_add(keys, user(3), 7, &before));
	ck_assert(key_file_erase(keys, user(2)));
	const struct store_secret store = *key_file_store(keys);
	key_file_close(keys);
	ck_assert(!seal_rewrap(folder, other, master, &users, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "another key"));
	ck_assert(seal_rewrap(folder, master, other, &users, COMPLAINT(error)));
	ck_assert_uint_eq(users, 1);
	ck_assert_int_eq(fault_of(master), KEY_FILE_OTHER_KEY);
	keys = open_file(other);
	ck_assert_uint_eq(key_file_count(keys), 1);
	ck_assert(key_file_read(keys, user(3), &after));
	ck_assert_mem_eq(&before, &after, sizeof(before));
	ck_assert_mem_eq(key_file_store(keys), &store, sizeof(store));
	key_file_close(keys);
	ck_assert_int_eq(size_of_file(), 2 * SLOT_SIZE); /* erased slots are not kept */
	end();
}
END_TEST

UNIT_MAIN("key_file", keys_are_there_when_the_file_is_opened_again_until_they_are_erased,
	  users_are_read_while_others_come_and_go, what_is_no_file_of_these_keys_is_told_apart,
	  a_file_that_takes_no_writes_fails_each, without_a_key_a_file_tells_who_has_one,
	  a_file_tells_since_when_its_master_key_wraps, another_master_key_opens_the_same_keys)
