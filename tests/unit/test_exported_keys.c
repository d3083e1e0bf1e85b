/* Keys that leave the store under another key, and the note that they did. */
#include "storage/record/seal.h"
#include "tests/unit/seal_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

START_TEST(an_export_is_noted_in_the_folder)
{
	char note[128];
	begin();
	(void)snprintf(note, sizeof(note), "%s/%s", folder, EXPORTED_FILE);
	ck_assert_int_eq(exported_last(folder), 0);
	ck_assert(exported_note(folder, 12345));
	ck_assert_int_eq(exported_last(folder), 12345);
	ck_assert(exported_note(folder, 23456));
	ck_assert_int_eq(exported_last(folder), 23456);
	/* An unreadable file may be a recent export. */
	static const char *const odd[] = {"", "12345", "soon\n", "0\n", "-5\n", "12345 \n"};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		const int64_t begun = time(NULL);
		FILE *out = fopen(note, "w");
		ck_assert_ptr_nonnull(out);
		ck_assert_int_ge(fputs(odd[i], out), 0);
		ck_assert_int_eq(fclose(out), 0);
		ck_assert_int_ge(exported_last(folder), begun);
	}
	ck_assert_int_eq(unlink(note), 0);
	ck_assert_int_eq(mkdir(note, 0700), 0);
	ck_assert_int_gt(exported_last(folder), 23456);
	ck_assert(!exported_note(folder, 12345)); /* a folder is in its place */
	ck_assert_int_eq(rmdir(note), 0);
	ck_assert(!exported_note("/tmp/recalld-no-folder", 12345));
	end();
}
END_TEST

static int export_to(char path[128], const unsigned char *key)
{
	char error[256];
	size_t users;
	(void)snprintf(path, 128, "%s/exported", folder);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(out, 0);
	ck_assert_msg(seal_export(folder, master, key, out, &users, COMPLAINT(error)), "%s", error);
	(void)close(out);
	return (int)users;
}

START_TEST(exported_keys_are_the_same_under_another_key)
{
	struct user_secret before, after;
	enum key_file_fault fault;
	char path[128];
	char error[256];
	size_t users;
	begin();
	ck_assert(!seal_export(folder, master, other, STDOUT_FILENO, &users, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "is missing"));
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	struct seal *seal = seal_create(open_file(master), folder);
	struct sealer *sealer = seal_take(seal);
	for (unsigned i = 0; i < 4; i++)
		ck_assert(sealer_begin_new(sealer, user(i)));
	before = sealer->secret;
	seal_give_back(sealer);
	seal_erase(seal, user(1));
	ck_assert_int_eq(seal_exported(seal), 0);
	const int64_t begun = time(NULL);
	ck_assert_int_eq(export_to(path, other), 3);
	seal_erase(seal, user(2)); /* looks for exports */
	ck_assert_int_ge(seal_exported(seal), begun);
	ck_assert_int_le(seal_exported(seal), time(NULL));
	const uint64_t id = seal_id(seal);
	seal_destroy(seal);
	ck_assert_ptr_null(key_file_open_path(path, master, &fault));
	ck_assert_int_eq(fault, KEY_FILE_OTHER_KEY);
	struct key_file *keys = key_file_open_path(path, other, &fault);
	ck_assert_ptr_nonnull(keys);
	ck_assert_uint_eq(key_file_count(keys), 3);
	ck_assert(!key_file_has(keys, user(1)));
	ck_assert(key_file_has(keys, user(2)));
	ck_assert(key_file_read(keys, user(3), &after));
	ck_assert_mem_eq(&before, &after, sizeof(before));
	ck_assert_int_ge(key_file_made(keys), begun);
	key_file_close(keys);
	seal = seal_open_exported(path, other, COMPLAINT(error));
	ck_assert_ptr_nonnull(seal);
	ck_assert_uint_eq(seal_id(seal), id);
	seal_erase(seal, user(3)); /* it is not a store's */
	ck_assert_int_eq(seal_exported(seal), 0);
	seal_destroy(seal);
	ck_assert_int_eq(unlink(path), 0);
	end();
}
END_TEST

START_TEST(exported_keys_that_do_not_open_say_why)
{
	char path[128];
	char error[256];
	size_t users;
	begin();
	ck_assert_ptr_null(seal_list(folder, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "is missing"));
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	ck_assert(!seal_export(folder, master, other, -1, &users, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "cannot write the keys: Bad file descriptor"));
	int full = open("/dev/full", O_WRONLY);
	ck_assert(!seal_export(folder, master, other, full, &users, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "No space left"));
	/* Some keys may be out. */
	ck_assert_int_ge(exported_last(folder), time(NULL));
	(void)close(full);
	ck_assert_int_eq(export_to(path, other), 0);
	ck_assert_ptr_null(seal_open_exported(path, master, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "wrapped with another key"));
	ck_assert_ptr_null(seal_open_exported("/tmp/recalld-none", other, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "it does not exist"));
	ck_assert_ptr_null(seal_open_exported("/dev/null", other, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "it is damaged, or not a file"));
	ck_assert_ptr_null(seal_open_exported("/dev/null/x", other, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "Not a directory"));
	ck_assert_int_eq(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, EXPORTED_FILE);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert(!seal_export(folder, master, other, STDOUT_FILENO, &users, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, EXPORTED_FILE " in the store's directory"));
	ck_assert_int_eq(rmdir(path), 0);
	end();
}
END_TEST

UNIT_MAIN("exported_keys", an_export_is_noted_in_the_folder,
	  exported_keys_are_the_same_under_another_key, exported_keys_that_do_not_open_say_why)
