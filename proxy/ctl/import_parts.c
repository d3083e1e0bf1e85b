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
	struct slice elements[MOST_ELEMENTS]; /* of the next request */
	size_t count;
	size_t size; /* bytes of all of them */
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
		(void)buffer_append_byte(&body, i == first ? '[' : ',');
		(void)buffer_append(&body, parts->elements[i]);
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
	parts->count = parts->size = 0;
	return sent;
}

static bool add_element(struct parts *parts, struct slice element)
{
	const bool is_full =
		parts->size + element.size >= PART_SIZE || parts->count == MOST_ELEMENTS;
	if (is_full && !send_part(parts))
		return false;
	parts->elements[parts->count++] = element;
	parts->size += element.size;
	return true;
}

/* `begin` and `end`: the shares of all files before this one and with it. */
static bool send_list(struct parts *parts, const struct portable_file *file, double begin,
		      double end)
{
	struct portable_list list = file->list;
	struct slice element;
	while (portable_next(&list, &element)) {
		const size_t read = (size_t)(element.data - file->text.data);
		if (!add_element(parts, element))
			return false;
		ctl_progress_move(&parts->bar,
				  begin + (end - begin) * (double)read / (double)file->text.size);
	}
	return send_part(parts);
}

/* ---- archives ---- */

static bool fail_to_unpack(struct parts *parts)
{
	ctl_fault(parts->ctl, "the archive or a file of it is damaged, unpacks to too much, or is "
			      "packed in an unknown way; or the disk of TMPDIR is full");
	return false;
}

static bool send_text(struct parts *parts, struct slice text, double begin, double end)
{
	struct portable_file file;
	if (portable_look(text, &file) && file.has_list)
		return send_list(parts, &file, begin, end);
	ctl_fault(parts->ctl, "a file of the archive holds no JSON, or no list of conversations or "
			      "memories");
	return false;
}

/* Unpacks one file of the archive onto the disk, then sends it. */
static bool send_packed(struct parts *parts, const struct zip_file *packed, double begin,
			double end)
{
	struct slice text;
	FILE *file = tmpfile();
	if (file == NULL || !zip_unpack_to(packed, file) || !map(file, &text)) {
		if (file != NULL)
			(void)fclose(file);
		return fail_to_unpack(parts);
	}
	bool sent = send_text(parts, text, begin, end);
	unmap(text);
	(void)fclose(file);
	return sent;
}

/* Claude's memories, beside its conversations, have an unknown form. */
static void count_memories(struct parts *parts, struct slice archive)
{
	struct zip_file memories;
	size_t at = 0;
	json_t *one;
	if (strcmp(ctl_text(parts->sum, "format"), "claude") != 0 ||
	    zip_find(archive, "memories", &at, &memories) == ZIP_END)
		return;
	one = json_pack("{s:i,s:{s:i}}", "left_out", 1, "reasons", "other", 1);
	ctl_add_answer(parts->sum, one);
	json_decref(one);
}

static bool send_archive(struct parts *parts, struct slice archive)
{
	static const char *const prefixes[] = {"conversations", "memories"};
	enum zip_found found = ZIP_END;
	size_t files = 0;
	for (size_t i = 0; i < 2 && files == 0 && found == ZIP_END; i++) {
		struct zip_file packed;
		size_t at = 0;
		while ((found = zip_find(archive, prefixes[i], &at, &packed)) == ZIP_FILE) {
			double begin = 1 - 1.0 / (double)(1 + files++);
			if (!send_packed(parts, &packed, begin, 1))
				return false;
		}
	}
	if (found == ZIP_DAMAGED)
		return fail_to_unpack(parts);
	if (files == 0)
		ctl_fault(parts->ctl, "the archive has no conversations.json and no memories.json");
	count_memories(parts, archive);
	return files > 0;
}

/* ---- all of it ---- */

/* `file` NULL: the text is an archive. */
static json_t *import_parts(struct ctl *ctl, const char *path, struct slice text,
			    const struct portable_file *file)
{
	struct parts *parts = xcalloc(1, sizeof(*parts));
	parts->ctl = ctl;
	parts->path = path;
	ctl_progress_begin(&parts->bar, "importing");
	bool sent = file == NULL ? send_archive(parts, text) : send_list(parts, file, 0, 1);
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
 * name turns and whose summary covers them in their order, and what mem0 has with a history, whose
 * rows name memories. */
static json_t *import_text(struct ctl *ctl, const char *path, struct slice text)
{
	struct portable_file file;
	if (text.size <= PART_SIZE)
		return import_whole(ctl, path, text);
	if (slice_starts_with(text, SLICE("PK")))
		return import_parts(ctl, path, text, NULL);
	if (!portable_look(text, &file)) {
		ctl_fault(ctl, "%s is neither JSON nor a ZIP archive, or has 4 GB or more",
			  ctl->arguments[0]);
		return NULL;
	}
	const bool has_parts =
		file.has_list && file.format.end == 0 && file.history.type != JSON_TYPE_ARRAY;
	return has_parts ? import_parts(ctl, path, text, &file) : import_whole(ctl, path, text);
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
