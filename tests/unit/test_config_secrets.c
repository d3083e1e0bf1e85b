#include "tests/unit/config_reading.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes a file whose name is in `path`, and a configuration of `text` that names it. */
static void put_secret(char path[UNIT_PATH], const char *content, size_t size, mode_t mode)
{
	unit_folder(path);
	(void)strcat(path, "/key");
	int file = creat(path, 0600);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, content, size), (ssize_t)size);
	ck_assert_int_eq(fchmod(file, mode), 0);
	(void)close(file);
}

static struct reading read_naming(const char *format, const char *path)
{
	char text[512];
	(void)snprintf(text, sizeof(text), format, path);
	return read_text(text);
}

START_TEST(a_secret_may_stand_in_a_file)
{
	static const struct {
		const char *content, *read;
	} cases[] = {
		{"sk-1", "sk-1"}, {"sk-1\n", "sk-1"}, {"sk-1\r\n", "sk-1"}, {"#;\"$x", "#;\"$x"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[UNIT_PATH];
		put_secret(path, cases[i].content, strlen(cases[i].content), 0600);
		struct reading reading = read_naming("[upstream]\napi_key_file = %1$s\n[model]\n"
						     "api_key_file = %1$s\n[identity]\n"
						     "secret_file = %1$s\n[listen]\n"
						     "admin_token_file = %1$s\nadmin = 0.0.0.0:9\n",
						     path);
		ck_assert_msg(reading.config != NULL, "%s", reading.faults);
		ck_assert_str_eq(reading.config->upstream.api_key, cases[i].read);
		ck_assert_str_eq(reading.config->model.api_key, cases[i].read);
		ck_assert_str_eq(reading.config->identity.secret, cases[i].read);
		ck_assert_str_eq(reading.config->listen.admin_token, cases[i].read);
		ck_assert_ptr_null(strstr(reading.warnings, "can be read by every user"));
		finish_reading(&reading);
		ck_assert_int_eq(unlink(path), 0);
	}
}
END_TEST

START_TEST(a_secrets_file_must_hold_one_secret)
{
	static char large[70001];
	memset(large, 'k', sizeof(large) - 1);
	const struct {
		const char *content;
		size_t size;
		const char *fault;
	} cases[] = {
		{"", 0, "is empty"},
		{"\n", 1, "is empty"},
		{"two words", 9, "holds a space"},
		{"one\ntwo\n", 8, "control character"},
		{"nul\0nul", 7, "NUL byte"},
		{"\xff\xfe", 2, "not UTF-8"},
		{large, sizeof(large) - 1, "is larger than 64K"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[UNIT_PATH];
		put_secret(path, cases[i].content, cases[i].size, 0600);
		struct reading reading = read_naming("[model]\napi_key_file = %s\n", path);
		ck_assert_ptr_null(reading.config);
		ck_assert_ptr_nonnull(strstr(reading.faults, "test.conf:2: [model] api_key_file"));
		ck_assert_msg(strstr(reading.faults, cases[i].fault) != NULL, "%s", reading.faults);
		ck_assert_msg(cases[i].size < 3 || strstr(reading.faults, cases[i].content) == NULL,
			      "it tells the secret");
		finish_reading(&reading);
		ck_assert_int_eq(unlink(path), 0);
	}
	assert_fault_has("[upstream]\napi_key_file = /nowhere/key\n",
			 "test.conf:2: [upstream] api_key_file cannot be read: No such file");
	assert_fault_has("[upstream]\napi_key_file = /tmp\n", "is not a regular file");
	assert_fault_has("[upstream]\napi_key_file = /dev/zero\n", "is not a regular file");
}
END_TEST

START_TEST(a_secret_stands_in_one_place)
{
	char path[UNIT_PATH];
	put_secret(path, "sk-file", 7, 0644);
	struct reading reading = read_naming("[model]\napi_key = k\napi_key_file = %s\n", path);
	ck_assert_ptr_null(reading.config);
	ck_assert_str_eq(reading.faults, "test.conf:3: [model] api_key and api_key_file are both "
					 "set; remove one of the two\n");
	finish_reading(&reading);
	reading = read_naming("[model]\napi_key_file = %s\n", path);
	ck_assert_ptr_nonnull(reading.config);
	ck_assert_ptr_nonnull(strstr(reading.warnings, "can be read by every user"));
	finish_reading(&reading);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(who_ignores_warnings_need_not_read_secrets)
{
	char *faults = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&faults, &size);
	struct slice text = SLICE("[listen]\nadmin = 0.0.0.0:9\nadmin_token_file = /nowhere/t\n");
	struct config *config = config_read_text("test.conf", text, out, NULL);
	(void)fclose(out);
	ck_assert_msg(config != NULL, "%s", faults);
	config_release(config);
	free(faults);
}
END_TEST

UNIT_MAIN("config_secrets", a_secret_may_stand_in_a_file, a_secrets_file_must_hold_one_secret,
	  a_secret_stands_in_one_place, who_ignores_warnings_need_not_read_secrets)
