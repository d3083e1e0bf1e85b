/* A file of another program's memory: a large one goes in part by part, and each request holds
 * whole conversations or memories. An import takes nothing in twice, so one that was cut off is
 * simply run again. */
#include "proxy/ctl/ctl.h"
#include "proxy/portable/forms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
	PART_SIZE = 8 << 20,   /* bytes of a request, unless one element is larger */
	MOST_ELEMENTS = 20000, /* of a request */
	TOO_LARGE = 413,
};

struct parts {
	struct ctl *ctl;
	const char *path;
	struct buffer elements; /* of the next request, one behind the other */
	size_t ends[MOST_ELEMENTS];
	size_t count;
	json_t *sum; /* of the answers; NULL: none yet */
	bool is_cut; /* the newest request has no answer, and may have done a part */
	struct ctl_progress bar;
};

/* ---- files ---- */

/* Maps a file. False: it cannot be; errno is set. */
static bool map(FILE *file, struct slice *text)
{
	struct stat status;
	*text = SLICE("");
	if (fstat(fileno(file), &status) != 0)
		return false;
	if (status.st_size == 0)
		return true;
	void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fileno(file), 0);
	if (bytes != MAP_FAILED)
		*text = (struct slice){bytes, (size_t)status.st_size};
	return bytes != MAP_FAILED;
}

static void unmap(struct slice text)
{
	if (text.size > 0)
		(void)munmap((void *)(uintptr_t)text.data, text.size);
}

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

void ctl_add_answer(json_t *sum, json_t *answer)
{
	const char *name;
	json_t *value;
	json_object_foreach(answer, name, value)
	{
		json_t *old = json_object_get(sum, name);
		if (json_is_integer(value) && json_is_integer(old))
			json_integer_set(old, json_integer_value(old) + json_integer_value(value));
		else if (json_is_object(value) && json_is_object(old))
			ctl_add_answer(old, value);
		else if (old == NULL || json_is_true(value) || is_beyond(name, value, old))
			json_object_set(sum, name, value);
	}
}

/* ---- requests ---- */

static bool send_elements(struct parts *parts, size_t first, size_t end);

/* Half of them fits where all did not. */
static bool send_halves(struct parts *parts, size_t first, size_t end)
{
	size_t middle = first + (end - first) / 2;
	return send_elements(parts, first, middle) && send_elements(parts, middle, end);
}

/* [first, end) of the elements, as an array. */
static int send_array(struct parts *parts, size_t first, size_t end, json_t **answer)
{
	struct buffer body;
	buffer_init(&body, SIZE_MAX);
	for (size_t i = first; i < end; i++) {
		const size_t begin = i == 0 ? 0 : parts->ends[i - 1];
		(void)buffer_append_byte(&body, i == first ? '[' : ',');
		(void)buffer_append(
			&body, slice_part(buffer_slice(&parts->elements), begin, parts->ends[i]));
	}
	(void)buffer_append_byte(&body, ']');
	int status = ctl_send(parts->ctl, parts->path, buffer_slice(&body), answer);
	buffer_finish(&body);
	return status;
}

static bool send_elements(struct parts *parts, size_t first, size_t end)
{
	json_t *answer;
	int status = send_array(parts, first, end, &answer);
	if (status == TOO_LARGE && end - first > 1) {
		json_decref(answer);
		return send_halves(parts, first, end);
	}
	parts->is_cut = status == 0;
	if (status != 200) {
		(void)ctl_fail(parts->ctl, status, answer);
		return false;
	}
	if (parts->sum == NULL)
		parts->sum = json_incref(answer);
	else
		ctl_add_answer(parts->sum, answer);
	json_decref(answer);
	return true;
}

static bool send_part(struct parts *parts)
{
	bool sent = parts->count == 0 || send_elements(parts, 0, parts->count);
	parts->count = 0;
	buffer_clear(&parts->elements);
	return sent;
}

static bool add_element(struct parts *parts, struct slice element)
{
	const bool is_full =
		parts->elements.size + element.size >= PART_SIZE || parts->count == MOST_ELEMENTS;
	if (is_full && !send_part(parts))
		return false;
	(void)buffer_append(&parts->elements, element);
	parts->ends[parts->count++] = parts->elements.size;
	return true;
}

static bool fail_to_read(struct parts *parts, const char *fault)
{
	ctl_fault(parts->ctl, "cannot import %s: %s", parts->ctl->arguments[0], fault);
	return false;
}

/* False: it cannot be sent, or read, which is said. */
static bool send_document(struct parts *parts, struct portable_source *source)
{
	const double size = (double)source->file.size;
	struct json_part part;
	const char *fault;
	bool found;
	portable_rewind(source, SIZE_MAX);
	while ((fault = portable_next_part(source, &part, &found)) == NULL && found) {
		if (part.kind == JSON_PART_ELEMENT &&
		    slice_equal(part.list, slice_of(source->list)) &&
		    !add_element(parts, part.text))
			return false;
		ctl_progress_move(&parts->bar, (double)portable_position(source) / size);
	}
	return fault == NULL ? send_part(parts) : fail_to_read(parts, fault);
}

/* Claude's memories, beside its conversations, have an unknown form. */
static void count_memories(struct parts *parts, const struct portable_source *source)
{
	if (strcmp(ctl_text(parts->sum, "format"), "claude") != 0 || !portable_has_memories(source))
		return;
	json_t *one = json_pack("{s:i,s:{s:i}}", "left_out", 1, "reasons", "other", 1);
	ctl_add_answer(parts->sum, one);
	json_decref(one);
}

/* All documents, of which the first has been looked through. */
static bool send_documents(struct parts *parts, struct portable_source *source)
{
	const char *fault = NULL;
	while (fault == NULL && source->has_document) {
		if (source->is_own || source->list == NULL)
			return fail_to_read(parts, "A file of the archive holds no list of "
						   "conversations or memories.");
		if (!send_document(parts, source))
			return false;
		fault = portable_next_document(source);
	}
	if (fault != NULL)
		return fail_to_read(parts, fault);
	count_memories(parts, source);
	return true;
}

/* ---- all of it ---- */

static json_t *import_parts(struct ctl *ctl, const char *path, struct portable_source *source)
{
	struct parts *parts = xcalloc(1, sizeof(*parts));
	parts->ctl = ctl;
	parts->path = path;
	buffer_init(&parts->elements, SIZE_MAX);
	ctl_progress_begin(&parts->bar, "importing");
	bool sent = send_documents(parts, source);
	ctl_progress_end(&parts->bar);
	json_t *sum = parts->sum;
	if (!sent && (sum != NULL || parts->is_cut) && !ctl->given.dry_run)
		ctl_fault(ctl, "a part of it may be imported; run it again to import the rest");
	if (!sent) {
		json_decref(sum);
		sum = NULL;
	} else if (sum == NULL) {
		ctl_fault(ctl, "there is nothing in it");
	}
	buffer_finish(&parts->elements);
	free(parts);
	return sum;
}

static json_t *import_whole(struct ctl *ctl, const char *path, struct slice text)
{
	json_t *answer = NULL;
	int status = ctl_send(ctl, path, text, &answer);
	if (status == 200)
		return answer;
	(void)ctl_fail(ctl, status, answer);
	return NULL;
}

/* Smaller files go in one request: all of it or nothing. So does recalld's own export, whose facts
 * name turns and whose summary covers them in their order, what mem0 has with a history, whose rows
 * name memories, and messages, whose answers belong to those before. */
static json_t *import_text(struct ctl *ctl, const char *path, struct slice text)
{
	struct portable_source source;
	if (text.size <= PART_SIZE)
		return import_whole(ctl, path, text);
	portable_open(&source, text, UINT64_MAX);
	const char *fault = portable_next_document(&source);
	const bool has_parts = source.list != NULL && !source.is_own && !source.has_history &&
			       !portable_has_messages(&source);
	json_t *answer = NULL;
	if (fault != NULL)
		ctl_fault(ctl, "cannot import %s: %s", ctl->arguments[0], fault);
	else if (has_parts || source.prefix != NULL)
		answer = import_parts(ctl, path, &source);
	else
		answer = import_whole(ctl, path, text);
	portable_close(&source);
	return answer;
}

json_t *ctl_import_file(struct ctl *ctl, const char *path, FILE *file)
{
	struct slice text;
	if (!map(file, &text)) {
		ctl_fault(ctl, "cannot read %s: %s", ctl->arguments[0], strerror(errno));
		return NULL;
	}
	json_t *answer = import_text(ctl, path, text);
	unmap(text);
	return answer;
}
