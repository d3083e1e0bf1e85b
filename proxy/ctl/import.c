/* Past turns, or one user's memory, taken in. */
#include "proxy/ctl/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* About how many messages one call sends, so that the bar moves. */
enum { MESSAGES_AT_ONCE = 500 };

static bool is_answer(json_t *message)
{
	return strcmp(ctl_text(message, "role"), "assistant") == 0;
}

/* Where the call that begins with message `first` ends: never between a turn and its answer. */
static size_t slice_end(json_t *messages, size_t first)
{
	size_t end = first + MESSAGES_AT_ONCE;
	while (end < json_array_size(messages) && is_answer(json_array_get(messages, end)))
		end++;
	return end < json_array_size(messages) ? end : json_array_size(messages);
}

/* What recalld reports, summed up. */
struct imported {
	struct ctl_progress bar;
	double before, after; /* shares of the file: up to this document's begin and its end */
	json_t *sum;
};

static int import_slice(struct ctl *ctl, json_t *document, const char *user, size_t first,
			size_t end, struct imported *count)
{
	json_t *all = json_object_get(document, "messages");
	json_t *messages = json_array();
	for (size_t i = first; i < end; i++)
		json_array_append(messages, json_array_get(all, i));
	json_t *body = json_object();
	json_object_set_new(body, "messages", messages);
	if (json_object_get(document, "learn") != NULL)
		json_object_set(body, "learn", json_object_get(document, "learn"));
	json_t *answer = NULL;
	ctl->given.user = user;
	int status = ctl_call(ctl, "POST", "/v1/users/{user}/messages?tenant", body, &answer);
	json_decref(body);
	if (status != 202)
		return ctl_fail(ctl, status, answer);
	if (!json_is_integer(json_object_get(answer, "imported")))
		return ctl_fail_to_read(ctl, answer);
	ctl_add_answer(count->sum, answer);
	json_decref(answer);
	return EXIT_SUCCESS;
}

/* `share`: of the document, which lies between two places in the file. */
static void move_bar(struct imported *count, double share)
{
	if (count->after >= 0)
		ctl_progress_move(&count->bar,
				  count->before + share * (count->after - count->before));
}

/* One user's messages: {"user":..., "messages":[...], "learn":...}. */
static int import_document(struct ctl *ctl, json_t *document, struct imported *count)
{
	const char *user = ctl_text(document, "user");
	json_t *messages = json_object_get(document, "messages");
	bool is_whole = strlen(user) == json_string_length(json_object_get(document, "user"));
	if (user[0] == '\0' || !is_whole || !json_is_array(messages))
		return ctl_fault(ctl, "each object needs a \"user\" and its \"messages\"");
	for (size_t first = 0, end; first < json_array_size(messages); first = end) {
		end = slice_end(messages, first);
		if (import_slice(ctl, document, user, first, end, count) != EXIT_SUCCESS)
			return EXIT_FAILURE;
		move_bar(count, (double)end / (double)json_array_size(messages));
	}
	return EXIT_SUCCESS;
}

/* Whether only white space is left. */
static bool is_at_end(FILE *file)
{
	int next;
	do
		next = getc(file);
	while (next == ' ' || next == '\t' || next == '\n' || next == '\r');
	return ungetc(next, file) == EOF;
}

/* One object, or several in a row as in JSON Lines. */
static int import_objects(struct ctl *ctl, FILE *file, struct imported *count)
{
	do {
		json_error_t error;
		json_t *document =
			json_loadf(file, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error);
		if (document == NULL && ferror(file))
			return ctl_fault(ctl, "cannot read %s: %s", ctl->arguments[0],
					 strerror(errno));
		if (document == NULL)
			return ctl_fault(ctl, "line %d of an object: %s", error.line, error.text);
		count->before = count->after;
		count->after = ctl_share_read(file);
		int status = import_document(ctl, document, count);
		json_decref(document);
		if (status != EXIT_SUCCESS)
			return status;
	} while (!is_at_end(file));
	return EXIT_SUCCESS;
}

/* Some editors put one before a text. If the first byte is not part of one, that byte alone fails
 * the parse. */
static void skip_byte_order_mark(FILE *file)
{
	int first = getc(file);
	if (first != 0xef || getc(file) != 0xbb || getc(file) != 0xbf)
		(void)ungetc(first, file);
}

/* With --json what programs read of it; the rest is for people. Takes `sum`. */
static json_t *as_told(const struct ctl *ctl, json_t *sum)
{
	const json_int_t changed = ctl_number(sum, "masked") + ctl_number(sum, "cut");
	json_t *told = json_pack("{s:I,s:I,s:I,s:I}", "imported", ctl_number(sum, "imported"),
				 "left_out", ctl_number(sum, "left_out"), "erased",
				 ctl_number(sum, "erased"), "undated", ctl_number(sum, "undated"));
	if (!ctl->given.json)
		json_object_update_missing(told, sum);
	if (!ctl->given.json && changed > 0)
		json_object_set_new(told, "changed", json_true());
	json_decref(sum);
	return told;
}

static int import_messages(struct ctl *ctl, FILE *file)
{
	struct imported count = {.sum = json_object()};
	skip_byte_order_mark(file);
	ctl_progress_begin(&count.bar, "importing");
	int status = import_objects(ctl, file, &count);
	ctl_progress_end(&count.bar);
	if (status == EXIT_SUCCESS)
		return ctl_show(ctl, as_told(ctl, count.sum));
	const json_int_t done = ctl_number(count.sum, "imported");
	if (done > 0)
		ctl_fault(ctl, "%" JSON_INTEGER_FORMAT " messages before it were imported", done);
	json_decref(count.sum);
	return EXIT_FAILURE;
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

static int import_user(struct ctl *ctl, FILE *file)
{
	json_t *answer = NULL;
	FILE *whole = on_disk(ctl, file);
	if (whole != NULL)
		answer = ctl_import_file(ctl, "/v1/users/{user}/import?format&dry_run&tenant",
					 whole);
	if (whole != NULL && whole != file)
		(void)fclose(whole);
	return ctl_show(ctl, answer);
}

int ctl_import(struct ctl *ctl)
{
	const char *name = ctl->arguments[0];
	if (ctl->given.user == NULL && (ctl->given.dry_run || ctl->given.format != NULL))
		return ctl_fault(ctl,
				 "--format and --dry-run are for one user's file: give --user");
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	if (file == NULL)
		return ctl_fault(ctl, "cannot read %s: %s", name, strerror(errno));
	int status = (ctl->given.user == NULL ? import_messages : import_user)(ctl, file);
	if (file != stdin)
		(void)fclose(file);
	return status;
}
