/* recallctl audit: who read or changed whose memory, and whether the log is whole. */
#include "storage/audit.h"

#include "proxy/ctl/ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_ENTRIES = 100, WHAT_SIZE = 128, DAY_AND_TIME = 19 };

/* ---- listing ---- */

static void append_count(char what[WHAT_SIZE], json_t *counts, const char *name)
{
	size_t size = strlen(what);
	json_int_t count = ctl_number(counts, name);
	if (count > 0)
		(void)snprintf(what + size, WHAT_SIZE - size, ", %" JSON_INTEGER_FORMAT " %s",
			       count, name);
}

/* Adds the columns that no member of the answer has as it is shown. */
static void describe(json_t *entry)
{
	char what[WHAT_SIZE];
	char time[DAY_AND_TIME + 1];
	enum { HASH_SHOWN = 12 };
	const char *of = ctl_text(entry, "of");
	json_t *counts = json_object_get(entry, "counts");
	(void)snprintf(what, sizeof(what), "%s %s %s", ctl_text(entry, "action"),
		       ctl_text(entry, "target"), ctl_text(entry, "id"));
	what[strlen(what) - (*ctl_text(entry, "id") == '\0')] = '\0';
	append_count(what, counts, "facts");
	append_count(what, counts, "turns");
	(void)snprintf(time, sizeof(time), "%s", ctl_text(entry, "at"));
	json_object_set_new(entry, "what", json_string(what));
	json_object_set_new(entry, "time", json_string(time));
	json_object_set_new(entry, "who", json_stringn(of, strnlen(of, HASH_SHOWN)));
}

void ctl_fill_audit(const struct ctl *ctl, json_t *answer)
{
	size_t i;
	json_t *entry;
	(void)ctl;
	json_array_foreach(json_object_get(answer, "entries"), i, entry) describe(entry);
	json_object_set_new(
		answer, "count",
		json_integer(ctl_number(answer, "last") + 1 - ctl_number(answer, "first")));
}

/* ---- verifying ---- */

struct verifying {
	uint64_t next;                  /* the entry that has to follow */
	uint64_t last;                  /* the newest one when it began */
	char hash[AUDIT_HASH_SIZE + 1]; /* of the one before it */
	char head[AUDIT_HASH_SIZE + 1];
	const char *fault; /* NULL: none so far */
};

/* The text of a line's member, which ends with `end`. */
static struct slice member(struct slice line, const char *begin, const char *end)
{
	size_t at = slice_find(line, slice_of(begin), 0);
	if (at < line.size)
		at += strlen(begin);
	return slice_part(line, at, slice_find(line, slice_of(end), at));
}

static void check_line(struct verifying *verifying, json_t *text)
{
	char number[sizeof("18446744073709551615")];
	const struct slice line = {json_string_value(text), json_string_length(text)};
	(void)snprintf(number, sizeof(number), "%" PRIu64, verifying->next);
	if (!slice_equal(member(line, "{\"seq\":", ","), slice_of(number)))
		verifying->fault = "an entry is missing, or out of its order";
	else if (!slice_equal(member(line, "\"prev\":\"", "\""), slice_of(verifying->hash)))
		verifying->fault = "this entry, or the one before it, was changed";
	if (verifying->fault != NULL)
		return;
	audit_hash(line, verifying->hash);
	verifying->next++;
}

static void check_page(struct verifying *verifying, json_t *page)
{
	json_t *lines = json_object_get(page, "entries");
	for (size_t i = 0; i < json_array_size(lines) && verifying->fault == NULL &&
			   verifying->next <= verifying->last;
	     i++)
		check_line(verifying, json_array_get(lines, i));
	if (verifying->fault == NULL && verifying->next <= verifying->last &&
	    !json_is_string(json_object_get(page, "next")))
		verifying->fault = "the log ends too early";
	if (verifying->fault == NULL && verifying->next > verifying->last &&
	    strcmp(verifying->hash, verifying->head) != 0)
		verifying->fault = "the newest entry was changed";
}

static json_t *get_page(struct ctl *ctl, uint64_t after)
{
	json_t *page = NULL;
	char path[128];
	int size = snprintf(path, sizeof(path), "/v1/audit?lines=1&limit=1000");
	if (after > 0)
		(void)snprintf(path + size, sizeof(path) - (size_t)size, "&after=%" PRIu64, after);
	int status = ctl_call(ctl, "GET", path, NULL, &page);
	if (status == 200 && json_is_array(json_object_get(page, "entries")))
		return page;
	if (status != 0)
		ctl_fail(ctl, status, page);
	return NULL;
}

static void begin(struct verifying *verifying, json_t *page)
{
	json_int_t first = json_integer_value(json_object_get(page, "first"));
	json_int_t last = json_integer_value(json_object_get(page, "last"));
	*verifying = (struct verifying){.next = (uint64_t)first, .last = (uint64_t)last};
	(void)snprintf(verifying->hash, sizeof(verifying->hash), "%s", ctl_text(page, "before"));
	(void)snprintf(verifying->head, sizeof(verifying->head), "%s", ctl_text(page, "head"));
}

/* Takes the log as it is at the first page: entries that come meanwhile are not its own. */
static int verify(struct ctl *ctl)
{
	struct verifying verifying;
	json_t *page = get_page(ctl, 0);
	if (page == NULL)
		return EXIT_FAILURE;
	begin(&verifying, page);
	const uint64_t first = verifying.next;
	check_page(&verifying, page);
	while (verifying.fault == NULL && verifying.next <= verifying.last) {
		json_decref(page);
		page = get_page(ctl, verifying.next - 1);
		if (page == NULL)
			return EXIT_FAILURE;
		check_page(&verifying, page);
	}
	json_decref(page);
	if (verifying.fault != NULL)
		return ctl_fault(ctl, "the audit log is not whole: entry %" PRIu64 ": %s",
				 verifying.next, verifying.fault);
	return ctl_show(ctl, json_pack("{s:b,s:I,s:I,s:s}", "whole", 1, "first", (json_int_t)first,
				       "last", (json_int_t)verifying.last, "head", verifying.head));
}

int ctl_audit(struct ctl *ctl)
{
	const struct ctl_given *given = &ctl->given;
	if (given->verify && (given->user != NULL || given->since != NULL || given->until != NULL))
		return ctl_fault(ctl, "--verify looks at the whole log: it takes no selection");
	if (given->verify)
		return verify(ctl);
	return ctl_show(ctl, ctl_collect(ctl, "/v1/audit?user&tenant&since&until", "entries",
					 USUAL_ENTRIES));
}
