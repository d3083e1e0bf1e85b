#include "tests/unit/catch_fixture.h"

#include "proxy/runtime/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;
	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "%s\ndoes not match %s", text,
		      pattern);
	regfree(&regex);
}

START_TEST(a_text_line_has_time_level_message_and_fields)
{
	const struct log_field fields[] = {{"status", SLICE("200")},
					   {"reason", SLICE("two words")},
					   {"empty", SLICE("")},
					   {"sum", SLICE("a=\"b\"")},
					   {NULL}};
	struct catch catch;
	catch_begin(&catch);
	log_event(LOG_LEVEL_INFO, "exchange", fields);
	assert_matches(
		catch_end(&catch),
		"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}"
		"Z info exchange status=200 reason=\"two words\" empty=\"\" "
		"sum=\"a=\\\\\"b\\\\\"\"\n$");
}
END_TEST

START_TEST(a_json_line_is_json)
{
	const struct log_field fields[] = {{"path", SLICE("/v1/\"x\"\\\n\x01")},
					   {"bytes", SLICE("\xff\xfe")},
					   {"status", SLICE("200"), true},
					   {NULL}};
	struct catch catch;
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	catch_begin(&catch);
	log_event(LOG_LEVEL_WARN, "line\nbreak", fields);
	const char *line = catch_end(&catch);
	ck_assert_uint_eq(count_lines(line), 1);
	json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(root != NULL, "%s", line);
	ck_assert_str_eq(json_string_value(json_object_get(root, "level")), "warn");
	ck_assert_str_eq(json_string_value(json_object_get(root, "message")), "line\nbreak");
	ck_assert_str_eq(json_string_value(json_object_get(root, "path")), "/v1/\"x\"\\\n\x01");
	ck_assert_str_eq(json_string_value(json_object_get(root, "bytes")),
			 "\xef\xbf\xbd\xef\xbf\xbd");
	ck_assert_int_eq(json_integer_value(json_object_get(root, "status")), 200);
	json_decref(root);
}
END_TEST

START_TEST(control_characters_never_break_a_text_line)
{
	const struct log_field fields[] = {
		{"a", SLICE("x\r\ny")}, {"b", SLICE("\x1b[31m")}, {NULL}};
	struct catch catch;
	catch_begin(&catch);
	log_event(LOG_LEVEL_INFO, "one\ntwo\x1b", fields);
	const char *line = catch_end(&catch);
	ck_assert_uint_eq(count_lines(line), 1);
	ck_assert_ptr_null(strpbrk(line, "\r\x1b"));
	ck_assert_ptr_nonnull(strstr(line, "a=\"x\\r\\ny\""));
}
END_TEST

START_TEST(only_what_is_wanted_is_written)
{
	struct catch catch;
	log_configure(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	ck_assert(log_wants(LOG_LEVEL_ERROR) && log_wants(LOG_LEVEL_WARN));
	ck_assert(!log_wants(LOG_LEVEL_INFO) && !log_wants(LOG_LEVEL_DEBUG));
	catch_begin(&catch);
	log_error("no %s", "room");
	log_warn("%d left", 3);
	log_info("unseen");
	log_debug("unseen");
	const char *lines = catch_end(&catch);
	assert_matches(lines, "^[^ ]+ error no room\n[^ ]+ warn 3 left\n$");
}
END_TEST

START_TEST(long_values_are_cut_between_characters)
{
	char value[10000];
	for (size_t i = 0; i < sizeof(value); i += 2)
		memcpy(value + i, "\xc3\xa4", 2);
	/* One byte in front moves the limit into a character. */
	value[0] = 'x';
	value[1] = 'y';
	const struct log_field fields[] = {{"v", {value + 1, sizeof(value) - 1}}, {NULL}};
	struct catch catch;
	catch_begin(&catch);
	log_event(LOG_LEVEL_INFO, "m", fields);
	const char *line = catch_end(&catch);
	ck_assert_uint_lt(strlen(line), 2200);
	ck_assert_uint_gt(strlen(line), 2000);
	ck_assert_ptr_null(strstr(line, "\xef\xbf\xbd"));
}
END_TEST

START_TEST(logging_leaves_errno_alone)
{
	struct catch catch;
	catch_begin(&catch);
	errno = ENOSPC;
	log_error("disk");
	int after = errno;
	(void)catch_end(&catch);
	ck_assert_int_eq(after, ENOSPC);
}
END_TEST

/* Standard error as a pipe, with nobody who reads it; to be read from the descriptor it returns. */
static int catch_in_full_pipe(struct catch *catch)
{
	static const char junk[4096];
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	catch->before = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	while (write(ends[1], junk, sizeof(junk)) > 0)
		continue;
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0);
	(void)close(ends[1]);
	return ends[0];
}

/* The pipe's content without the filling. */
static const char *read_pipe(int fd, struct catch *catch)
{
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	size_t size = 0;
	char byte;
	while (read(fd, &byte, 1) == 1) {
		if (byte != '\0' && size < sizeof(catch->text) - 1)
			catch->text[size++] = byte;
	}
	catch->text[size] = '\0';
	return catch->text;
}

START_TEST(nobody_waits_for_who_does_not_read_the_log)
{
	struct catch catch;
	int fd = catch_in_full_pipe(&catch);
	/* Were each waited for, they would take longer than the test may. */
	for (int i = 0; i < 20000; i++)
		log_info("unheard %d", i);
	ck_assert_str_eq(read_pipe(fd, &catch), "");
	log_info("heard");
	log_info("heard too");
	(void)dup2(catch.before, STDERR_FILENO);
	assert_matches(read_pipe(fd, &catch),
		       "^[^ ]+ warn log lines lost because nobody read them: 20000\n"
		       "[^ ]+ info heard\n[^ ]+ info heard too\n$");
	(void)close(catch.before);
	(void)close(fd);
}
END_TEST

/* A terminal that has some room says so, and then may not take a line. */
START_TEST(nobody_waits_for_a_terminal_that_stands_still)
{
	int before = dup(STDERR_FILENO);
	int owner = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(owner, 0);
	ck_assert(grantpt(owner) == 0 && unlockpt(owner) == 0);
	int terminal = open(ptsname(owner), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(dup2(terminal, STDERR_FILENO), 0);
	for (int i = 0; i < 20000; i++)
		log_info("unheard %d", i);
	ck_assert_int_eq(fcntl(terminal, F_GETFL) & O_NONBLOCK, 0);
	(void)dup2(before, STDERR_FILENO);
	(void)close(before);
	(void)close(terminal);
	(void)close(owner);
}
END_TEST

START_TEST(nobody_waits_for_a_socket_that_is_not_read)
{
	struct catch catch;
	int ends[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	catch.before = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	for (int i = 0; i < 20000; i++)
		log_info("heard %d", i);
	(void)dup2(catch.before, STDERR_FILENO);
	assert_matches(read_pipe(ends[0], &catch), "^[^ ]+ info heard 0\n");
	(void)close(catch.before);
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

START_TEST(a_line_that_broke_off_does_not_spoil_the_next)
{
	struct catch catch;
	char junk[4096];
	char value[6000];
	memset(value, 'v', sizeof(value));
	const struct log_field fields[] = {
		{"a", {value, 2000}}, {"b", {value, 2000}}, {"c", {value, 2000}}, {NULL}};
	int fd = catch_in_full_pipe(&catch);
	ck_assert_int_eq(read(fd, junk, sizeof(junk)), sizeof(junk));
	log_event(LOG_LEVEL_INFO, "long", fields);
	ck_assert_ptr_null(strchr(read_pipe(fd, &catch), '\n'));
	log_info("heard");
	(void)dup2(catch.before, STDERR_FILENO);
	assert_matches(read_pipe(fd, &catch),
		       "^\n[^ ]+ warn log lines [^\n]*: 1\n[^ ]+ info heard\n$");
	(void)close(catch.before);
	(void)close(fd);
}
END_TEST

START_TEST(a_warning_that_comes_often_is_due_once_a_minute)
{
	uint64_t logged_at = 0;
	ck_assert(log_is_due(&logged_at));
	ck_assert(!log_is_due(&logged_at));
	logged_at -= 59 * 1000000;
	ck_assert(!log_is_due(&logged_at));
	logged_at -= 1000000;
	ck_assert(log_is_due(&logged_at));
	ck_assert(!log_is_due(&logged_at));
}
END_TEST

UNIT_MAIN("log", a_text_line_has_time_level_message_and_fields, a_json_line_is_json,
	  control_characters_never_break_a_text_line, only_what_is_wanted_is_written,
	  long_values_are_cut_between_characters, logging_leaves_errno_alone,
	  nobody_waits_for_who_does_not_read_the_log, nobody_waits_for_a_terminal_that_stands_still,
	  nobody_waits_for_a_socket_that_is_not_read, a_line_that_broke_off_does_not_spoil_the_next,
	  a_warning_that_comes_often_is_due_once_a_minute)
