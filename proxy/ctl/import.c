#include "proxy/ctl/tool/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* About how many messages one call sends. Each call is one bounded transaction. */
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

/* Message counts, as recalld reports them. */
struct imported {
	struct ctl_progress bar;
	double before, after; /* shares of the file: up to this document's begin and its end */
	json_int_t imported;
	json_int_t left_out; /* system and tool messages, which are not remembered */
	json_int_t masked;
	json_int_t cut;
	json_int_t erased;
	json_int_t undated; /* of them */
	char erased_at[32]; /* the last of them */
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
	char *path = ctl_path(ctl, "/v1/users/", user, "/messages");
	json_t *answer = NULL;
	int status = ctl_call(ctl, "POST", path, body, &answer);
	free(path);
	json_decref(body);
	if (status != 202)
		return ctl_fail(ctl, status, answer);
	if (!json_is_integer(json_object_get(answer, "imported")))
		return ctl_fail_to_read(ctl, answer);
	count->imported += json_integer_value(json_object_get(answer, "imported"));
	count->left_out += json_integer_value(json_object_get(answer, "left_out"));
	count->masked += json_integer_value(json_object_get(answer, "masked"));
	count->cut += json_integer_value(json_object_get(answer, "cut"));
	count->erased += json_integer_value(json_object_get(answer, "erased"));
	count->undated += json_integer_value(json_object_get(answer, "undated"));
	const char *erased_at = ctl_text(answer, "erased_at");
	if (strcmp(erased_at, count->erased_at) > 0)
		(void)snprintf(count->erased_at, sizeof(count->erased_at), "%s", erased_at);
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
	if (user[0] == '\0' || !is_whole || !json_is_array(messages)) {
		ctl_fault(ctl, "each object needs a \"user\" and its \"messages\"");
		return EXIT_FAILURE;
	}
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
		if (document == NULL) {
			if (ferror(file))
				ctl_fault(ctl, "cannot read %s: %s", ctl->arguments[0],
					  strerror(errno));
			else
				ctl_fault(ctl, "line %d of an object: %s", error.line, error.text);
			return EXIT_FAILURE;
		}
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

static int import_file(struct ctl *ctl, FILE *file)
{
	struct imported count = {0};
	skip_byte_order_mark(file);
	ctl_progress_begin(&count.bar, "importing");
	int status = import_objects(ctl, file, &count);
	ctl_progress_end(&count.bar);
	if (status != EXIT_SUCCESS) {
		if (count.imported > 0)
			ctl_fault(ctl, "%" JSON_INTEGER_FORMAT " messages before it were imported",
				  count.imported);
		return EXIT_FAILURE;
	}
	if (ctl->json)
		return ctl_print_json(json_pack("{s:I,s:I,s:I,s:I}", "imported", count.imported,
						"left_out", count.left_out, "erased", count.erased,
						"undated", count.undated));
	(void)fputs("imported: ", stdout);
	ctl_print_count(count.imported, "messages");
	if (count.left_out > 0)
		(void)printf("; %" JSON_INTEGER_FORMAT " left out (system and tool messages)",
			     count.left_out);
	if (count.masked + count.cut > 0)
		(void)printf("; %" JSON_INTEGER_FORMAT " masked, %" JSON_INTEGER_FORMAT
			     " cut to 1 MB",
			     count.masked, count.cut);
	(void)putchar('\n');
	ctl_print_erased(count.erased, count.erased_at);
	return EXIT_SUCCESS;
}

static int import(struct ctl *ctl)
{
	const char *name = ctl->arguments[0];
	if (ctl->user == NULL && (ctl->dry_run || ctl->format != NULL)) {
		ctl_fault(ctl, "--format and --dry-run are for one user's file: give --user");
		return EXIT_FAILURE;
	}
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	if (file == NULL) {
		ctl_fault(ctl, "cannot read %s: %s", name, strerror(errno));
		return EXIT_FAILURE;
	}
	int status = ctl->user == NULL ? import_file(ctl, file) : ctl_import_user(ctl, file);
	if (file != stdin)
		(void)fclose(file);
	return status;
}

const struct ctl_command ctl_import = {
	.name = "import",
	.arguments = "FILE",
	.help = "import past turns or a user's memory; -: stdin",
	.details =
		"An object is {\"user\", \"messages\": [{\"role\", \"content\", \"created_at\",\n"
		"\"session\"}]}; created_at and session are optional. With --user, the file is an\n"
		"export of one user's memory: recalld's, or of mem0, openmemory, chatgpt or\n"
		"claude (JSON or ZIP). --dry-run tells what it holds and would cost.",
	.example = "recallctl import turns.jsonl\n"
		   "recallctl import chatgpt.zip --user alex --dry-run",
	.success = "imported, or shown",
	.least = 1,
	.most = 1,
	.takes = CTL_TAKES_USER | CTL_TAKES_DRY | CTL_TAKES_FORM,
	.run = import,
};
