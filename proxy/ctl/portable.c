/* One user's memory, taken along and taken in. */
#include "proxy/ctl/tool/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ctl_export_user(struct ctl *ctl)
{
	struct buffer answer;
	struct buffer path = ctl_begin_path(ctl, "/v1/users/", ctl->arguments[0], "/export");
	ctl_add_query(&path, "include", ctl->include);
	buffer_append_byte(&path, '\0');
	int status = ctl_get(ctl, path.data, false, &answer);
	buffer_finish(&path);
	if (status != 200) {
		json_t *fault = ctl_read_json(buffer_slice(&answer));
		buffer_finish(&answer);
		return status == 0 ? EXIT_FAILURE : ctl_fail_of_user(ctl, status, fault);
	}
	bool done =
		fwrite(answer.data, 1, answer.size, stdout) == answer.size && fflush(stdout) == 0;
	buffer_finish(&answer);
	/* EINVAL: not a file */
	if (done && fsync(STDOUT_FILENO) != 0 && errno != EINVAL && errno != EROFS)
		done = false;
	if (!done)
		ctl_fault(ctl, "cannot write the export: %s", strerror(errno));
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static json_int_t number(json_t *answer, const char *name)
{
	return json_integer_value(json_object_get(answer, name));
}

static void print_more(json_t *answer, const char *name, const char *what)
{
	if (number(answer, name) > 0)
		(void)printf("  %" JSON_INTEGER_FORMAT " %s\n", number(answer, name), what);
}

static void print_taken(json_t *answer)
{
	json_t *calls = json_object_get(answer, "model_calls");
	json_t *reasons = json_object_get(answer, "reasons");
	bool is_dry = json_is_true(json_object_get(answer, "dry_run"));
	(void)printf("%s (%s): ", is_dry ? "would be imported" : "imported",
		     ctl_text(answer, "format"));
	ctl_print_count(number(answer, "conversations"), "conversations");
	(void)fputs(", ", stdout);
	ctl_print_count(number(answer, "turns"), "turns");
	(void)fputs(", ", stdout);
	ctl_print_count(number(answer, "facts"), "facts");
	(void)putchar('\n');
	if (json_is_true(json_object_get(answer, "settings")))
		(void)puts("  and the user's settings");
	print_more(answer, "known", "are known already");
	ctl_print_erased(number(answer, "erased"), ctl_text(answer, "erased_at"));
	print_more(reasons, "empty", "left out: they say nothing that is kept");
	print_more(reasons, "unshown", "left out: tools, system messages, hidden ones");
	print_more(reasons, "personal", "left out: personal data that is not kept here");
	print_more(reasons, "too_large", "left out: too large to read");
	print_more(reasons, "other", "left out: in an unknown form");
	print_more(answer, "crowded", "gave way, the least used: a user may have 10,000 facts");
	print_more(answer, "masked", "texts masked: secrets or personal data");
	print_more(answer, "cut", "texts cut to their limit");
	if (calls != NULL)
		(void)printf("  calls to the memory model, at most: %" JSON_INTEGER_FORMAT
			     " for facts, %" JSON_INTEGER_FORMAT " for the summary\n",
			     number(calls, "facts"), number(calls, "summary"));
}

/* A file that can be mapped: standard input is copied to the disk. NULL: it cannot, which has been
 * reported. */
static FILE *on_disk(struct ctl *ctl, FILE *file)
{
	char room[64 * 1024];
	size_t size;
	struct stat status;
	if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode))
		return file;
	FILE *copy = tmpfile();
	bool done = copy != NULL;
	while (done && (size = fread(room, 1, sizeof(room), file)) > 0)
		done = fwrite(room, 1, size, copy) == size;
	if (done && !ferror(file) && fflush(copy) == 0)
		return copy;
	ctl_fault(ctl, "cannot copy %s: %s", ctl->arguments[0], strerror(errno));
	if (copy != NULL)
		(void)fclose(copy);
	return NULL;
}

int ctl_import_user(struct ctl *ctl, FILE *file)
{
	struct buffer path = ctl_begin_path(ctl, "/v1/users/", ctl->user, "/import");
	json_t *answer = NULL;
	ctl_add_query(&path, "format", ctl->format);
	ctl_add_query(&path, "dry_run", ctl->dry_run ? "1" : NULL);
	buffer_append_byte(&path, '\0');
	FILE *whole = on_disk(ctl, file);
	if (whole != NULL)
		answer = ctl_import_file(ctl, path.data, whole);
	if (whole != NULL && whole != file)
		(void)fclose(whole);
	buffer_finish(&path);
	return ctl_print_answer(ctl, answer, print_taken);
}
