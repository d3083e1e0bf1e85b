/* Past turns, or one user's memory, taken in. */
#include "proxy/ctl/ctl.h"
#include "proxy/portable/forms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
	MESSAGES_AT_ONCE = 500, /* about as many as one call sends, so that the bar moves */
	PART_SIZE = 8 << 20,    /* bytes of a request, unless one element is larger */
	MOST_ELEMENTS = 20000,  /* of a request */
	TOO_LARGE = 413,
};

struct import {
	struct ctl *ctl;
	struct ctl_progress bar;
	json_t *sum;            /* of the answers */
	double before, after;   /* shares of the file: up to this document's begin and its end */
	struct buffer elements; /* of the next request, one behind the other */
	size_t *ends;           /* of each of them */
	size_t count, capacity;
	bool is_cut; /* the newest request has no answer, and may have done a part */
};

/* ---- sums ---- */

/* Times in UTC compare like texts. */
static bool is_beyond(const char *name, json_t *value, json_t *old)
{
	const char *left = json_string_value(value);
	const char *right = json_string_value(old);
	if (left == NULL || right == NULL)
		return false;
	if (strcmp(name, "first") == 0)
		return strcmp(left, right) < 0;
	return (strcmp(name, "last") == 0 || strcmp(name, "erased_at") == 0) &&
	       strcmp(left, right) > 0;
}

/* Adds the counts to the sum, and keeps the earliest and the last of the times. */
static void add(json_t *sum, json_t *counts)
{
	const char *name;
	json_t *value;
	json_object_foreach(counts, name, value)
	{
		json_t *old = json_object_get(sum, name);
		if (json_is_integer(value) && json_is_integer(old))
			json_integer_set(old, json_integer_value(old) + json_integer_value(value));
		else if (json_is_object(value) && json_is_object(old))
			add(old, value);
		else if (old == NULL || json_is_true(value) || is_beyond(name, value, old))
			json_object_set(sum, name, value);
	}
}

/* Takes an answer. */
static bool add_answer(struct import *import, json_t *answer)
{
	add(import->sum, answer);
	json_decref(answer);
	return true;
}

/* ---- messages ---- */

/* Finds where the call that begins with message `first` ends: never between a turn and its answer.
 */
static size_t slice_end(json_t *messages, size_t first)
{
	const size_t count = json_array_size(messages);
	size_t end = first + MESSAGES_AT_ONCE;
	while (end < count &&
	       strcmp(ctl_text(json_array_get(messages, end), "role"), "assistant") == 0)
		end++;
	return size_min(end, count);
}

static bool import_slice(struct import *import, json_t *document, size_t first, size_t end)
{
	struct ctl *ctl = import->ctl;
	json_t *all = json_object_get(document, "messages"), *messages = json_array();
	json_t *answer = NULL;
	for (size_t i = first; i < end; i++)
		json_array_append(messages, json_array_get(all, i));
	ctl->given.user = ctl_text(document, "user");
	const int status = ctl_call(ctl, "POST", "/v1/users/{user}/messages?tenant",
				    json_pack("{s:o,s:O*}", "messages", messages, "learn",
					      json_object_get(document, "learn")),
				    &answer);
	if (status != 202)
		return ctl_fail(ctl, status, answer, NULL);
	if (!json_is_integer(json_object_get(answer, "imported")))
		return ctl_fail_to_read(ctl, answer);
	return add_answer(import, answer);
}

/* Sends one user's messages: {"user":..., "messages":[...], "learn":...}. */
static bool import_document(struct import *import, json_t *document)
{
	json_t *user = json_object_get(document, "user");
	json_t *messages = json_object_get(document, "messages");
	const size_t count = json_array_size(messages);
	if (json_string_length(user) == 0 || !json_is_array(messages) ||
	    strlen(json_string_value(user)) != json_string_length(user))
		return ctl_fault(import->ctl, "each object needs a \"user\" and its \"messages\"");
	for (size_t first = 0, end; first < count; first = end) {
		end = slice_end(messages, first);
		if (!import_slice(import, document, first, end))
			return false;
		if (import->after >= 0)
			ctl_progress_move(&import->bar,
					  import->before +
						  (double)end / (double)count *
							  (import->after - import->before));
	}
	return true;
}

static bool is_at_end(FILE *file)
{
	int next;
	do
		next = getc(file);
	while (next == ' ' || next == '\t' || next == '\n' || next == '\r');
	return ungetc(next, file) == EOF;
}

/* Sends one object, or several in a row as in JSON Lines. */
static bool import_objects(struct import *import, FILE *file)
{
	bool done;
	do {
		json_error_t error;
		json_t *document =
			json_loadf(file, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error);
		if (document == NULL && ferror(file))
			return ctl_fault(import->ctl, "cannot read %s: %s",
					 import->ctl->arguments[0], strerror(errno));
		if (document == NULL)
			return ctl_fault(import->ctl, "line %d of an object: %s", error.line,
					 error.text);
		import->before = import->after;
		import->after = ctl_share_read(file);
		done = import_document(import, document);
		json_decref(document);
	} while (done && !is_at_end(file));
	return done;
}

/* Some editors put one before a text. If the first byte is not part of one, that byte alone fails
 * the parse. */
static void skip_byte_order_mark(FILE *file)
{
	int first = getc(file);
	if (first != 0xef || getc(file) != 0xbb || getc(file) != 0xbf)
		(void)ungetc(first, file);
}

/* With --json programs read four counts; the rest is for people. */
static json_t *as_told(const struct ctl *ctl, json_t *sum)
{
	json_t *told = json_pack("{s:I,s:I,s:I,s:I}", "imported", ctl_number(sum, "imported"),
				 "left_out", ctl_number(sum, "left_out"), "erased",
				 ctl_number(sum, "erased"), "undated", ctl_number(sum, "undated"));
	if (!ctl->given.json)
		json_object_update_missing(told, sum);
	if (!ctl->given.json && ctl_number(sum, "masked") + ctl_number(sum, "cut") > 0)
		json_object_set_new(told, "changed", json_true());
	return told;
}

static bool import_messages(struct import *import, FILE *file)
{
	skip_byte_order_mark(file);
	ctl_progress_begin(&import->bar, "importing");
	const bool done = import_objects(import, file);
	ctl_progress_end(&import->bar);
	const json_int_t count = ctl_number(import->sum, "imported");
	if (done)
		return ctl_show(import->ctl, as_told(import->ctl, import->sum));
	return count > 0 &&
	       ctl_fault(import->ctl, "%" JSON_INTEGER_FORMAT " messages before it were imported",
			 count);
}

/* ---- one user's memory ---- */

static bool send_elements(struct import *import, size_t first, size_t end);

/* Half of them fits where all did not. */
static bool send_halves(struct import *import, size_t first, size_t end)
{
	size_t middle = first + (end - first) / 2;
	return send_elements(import, first, middle) && send_elements(import, middle, end);
}

/* Sends [first, end) of the elements, as an array. */
static bool send_elements(struct import *import, size_t first, size_t end)
{
	struct ctl *ctl = import->ctl;
	json_t *answer;
	struct buffer body;
	buffer_init(&body, SIZE_MAX);
	for (size_t i = first; i < end; i++) {
		const size_t begin = i == 0 ? 0 : import->ends[i - 1];
		(void)buffer_append_byte(&body, i == first ? '[' : ',');
		(void)buffer_append(
			&body, slice_part(buffer_slice(&import->elements), begin, import->ends[i]));
	}
	(void)buffer_append_byte(&body, ']');
	const int status = ctl_send(ctl, ctl->command->path, buffer_slice(&body), &answer);
	buffer_finish(&body);
	if (status == TOO_LARGE && end - first > 1) {
		json_decref(answer);
		return send_halves(import, first, end);
	}
	import->is_cut = status == 0;
	return status == 200 ? add_answer(import, answer) : ctl_fail(ctl, status, answer, NULL);
}

static bool send_part(struct import *import)
{
	const bool sent = import->count == 0 || send_elements(import, 0, import->count);
	import->count = 0;
	buffer_clear(&import->elements);
	return sent;
}

static bool add_element(struct import *import, struct slice element)
{
	const bool is_full =
		import->elements.size + element.size >= PART_SIZE || import->count == MOST_ELEMENTS;
	if (is_full && !send_part(import))
		return false;
	(void)buffer_append(&import->elements, element);
	import->ends = xgrow(import->ends, import->count, &import->capacity, sizeof(*import->ends));
	import->ends[import->count++] = import->elements.size;
	return true;
}

static bool fail_to_import(struct import *import, const char *fault)
{
	return ctl_fault(import->ctl, "cannot import %s: %s", import->ctl->arguments[0], fault);
}

static bool send_document(struct import *import, struct portable_source *source)
{
	const double size = (double)source->file.size;
	struct json_part part;
	const char *fault;
	bool found;
	portable_rewind(source, SIZE_MAX);
	while ((fault = portable_next_part(source, &part, &found)) == NULL && found) {
		if (part.kind == JSON_PART_ELEMENT &&
		    slice_equal(part.list, slice_of(source->list)) &&
		    !add_element(import, part.text))
			return false;
		ctl_progress_move(&import->bar, (double)portable_position(source) / size);
	}
	return fault == NULL ? send_part(import) : fail_to_import(import, fault);
}

/* Sends all documents, of which the first has been looked through. */
static bool send_documents(struct import *import, struct portable_source *source)
{
	const char *fault = NULL;
	while (fault == NULL && source->has_document) {
		if (source->is_own || source->list == NULL)
			return fail_to_import(import, "A file of the archive holds no list of "
						      "conversations or memories.");
		if (!send_document(import, source))
			return false;
		fault = portable_next_document(source);
	}
	if (fault != NULL)
		return fail_to_import(import, fault);
	/* Claude's memories, beside its conversations, have an unknown form. */
	if (strcmp(ctl_text(import->sum, "format"), "claude") == 0 && portable_has_memories(source))
		add_answer(import,
			   json_pack("{s:i,s:{s:i}}", "left_out", 1, "reasons", "other", 1));
	return true;
}

/* Each request holds whole conversations or memories. An import takes nothing in twice, so one that
 * was cut off is simply run again. */
static bool import_parts(struct import *import, struct portable_source *source)
{
	ctl_progress_begin(&import->bar, "importing");
	const bool sent = send_documents(import, source);
	ctl_progress_end(&import->bar);
	const bool is_begun = json_object_size(import->sum) > 0;
	if (sent && !is_begun)
		return ctl_fault(import->ctl, "there is nothing in it");
	if (sent)
		return ctl_show(import->ctl, json_incref(import->sum));
	return (is_begun || import->is_cut) && !import->ctl->given.dry_run &&
	       ctl_fault(import->ctl,
			 "a part of it may be imported; run it again to import the rest");
}

static bool import_whole(struct ctl *ctl, struct slice text)
{
	json_t *answer = NULL;
	const int status = ctl_send(ctl, ctl->command->path, text, &answer);
	return ctl_finish(ctl, status, answer);
}

/* Smaller files go in one request: all of it or nothing. So does recalld's own export, whose facts
 * name turns and whose summary covers them in their order, what mem0 has with a history, whose rows
 * name memories, and messages, whose answers belong to those before. */
static bool import_text(struct import *import, struct slice text)
{
	struct portable_source source;
	if (text.size <= PART_SIZE)
		return import_whole(import->ctl, text);
	portable_open(&source, text, UINT64_MAX);
	const char *fault = portable_next_document(&source);
	const bool has_parts = source.list != NULL && !source.is_own && !source.has_history &&
			       !portable_has_messages(&source);
	const bool done = fault != NULL                        ? fail_to_import(import, fault)
			  : has_parts || source.prefix != NULL ? import_parts(import, &source)
							       : import_whole(import->ctl, text);
	portable_close(&source);
	return done;
}

/* Copies what is no file to the disk, so that it can be mapped. NULL: it cannot be, which has been
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

static bool import_mapped(struct import *import, FILE *file)
{
	struct stat status;
	void *bytes = NULL;
	bool is_mapped = fstat(fileno(file), &status) == 0;
	const size_t size = is_mapped ? (size_t)status.st_size : 0;
	if (size > 0) {
		bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fileno(file), 0);
		is_mapped = bytes != MAP_FAILED;
	}
	if (!is_mapped)
		return ctl_fault(import->ctl, "cannot read %s: %s", import->ctl->arguments[0],
				 strerror(errno));
	const bool done = import_text(import, size == 0 ? SLICE("") : (struct slice){bytes, size});
	if (size > 0)
		(void)munmap(bytes, size);
	return done;
}

static bool import_user(struct import *import, FILE *file)
{
	FILE *whole = on_disk(import->ctl, file);
	const bool done = whole != NULL && import_mapped(import, whole);
	if (whole != NULL && whole != file)
		(void)fclose(whole);
	return done;
}

bool ctl_import(struct ctl *ctl)
{
	const char *name = ctl->arguments[0];
	struct import import = {.ctl = ctl};
	if (ctl->given.user == NULL && (ctl->given.dry_run || ctl->given.format != NULL))
		return ctl_fault(ctl,
				 "--format and --dry-run are for one user's file: give --user");
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	if (file == NULL)
		return ctl_fault(ctl, "cannot read %s: %s", name, strerror(errno));
	import.sum = json_object();
	buffer_init(&import.elements, SIZE_MAX);
	const bool done = (ctl->given.user == NULL ? import_messages : import_user)(&import, file);
	buffer_finish(&import.elements);
	free(import.ends);
	json_decref(import.sum);
	if (file != stdin)
		(void)fclose(file);
	return done;
}
