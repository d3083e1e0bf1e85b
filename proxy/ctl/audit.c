/* recallctl audit: who read or changed whose memory, and whether the log is whole. */
#include "storage/audit.h"

#include "proxy/ctl/ctl.h"

#include <inttypes.h>
#include <string.h>

/* ---- listing ---- */

/* ", 2 facts"; "" if there are none. */
static const char *count_of(struct ctl *ctl, json_t *entry, const char *name)
{
	const json_int_t count = ctl_number(json_object_get(entry, "counts"), name);
	return count <= 0 ? ""
			  : arena_printf(&ctl->arena, ", %" JSON_INTEGER_FORMAT " %s", count, name)
				    .data;
}

/* Adds the columns that no member of the answer has as it is shown. */
static void describe(struct ctl *ctl, json_t *entry)
{
	enum { HASH_SHOWN = 12, DAY_AND_TIME = 19 };
	const char *id = ctl_text(entry, "id"), *of = ctl_text(entry, "of");
	const char *at = ctl_text(entry, "at");
	json_object_set_new(entry, "what",
			    json_sprintf("%s %s%s%s%s%s", ctl_text(entry, "action"),
					 ctl_text(entry, "target"), *id == '\0' ? "" : " ", id,
					 count_of(ctl, entry, "facts"),
					 count_of(ctl, entry, "turns")));
	json_object_set_new(entry, "time", json_stringn(at, strnlen(at, DAY_AND_TIME)));
	json_object_set_new(entry, "who", json_stringn(of, strnlen(of, HASH_SHOWN)));
}

void ctl_fill_audit(struct ctl *ctl, json_t *answer)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_object_get(answer, "entries"), i, entry) describe(ctl, entry);
	json_object_set_new(
		answer, "count",
		json_integer(ctl_number(answer, "last") + 1 - ctl_number(answer, "first")));
}

/* ---- verifying ---- */

struct verifying {
	json_int_t next;                /* the entry that has to follow */
	json_int_t last;                /* the newest one when it began */
	char hash[AUDIT_HASH_SIZE + 1]; /* of the one before it */
};

/* The text of a line's member, which ends with `end`. */
static struct slice member(struct slice line, const char *begin, const char *end)
{
	size_t at = slice_find(line, slice_of(begin), 0);
	if (at < line.size)
		at += strlen(begin);
	return slice_part(line, at, slice_find(line, slice_of(end), at));
}

/* These functions return what is wrong with the entry that should follow, or NULL. */
static const char *check_line(struct verifying *verifying, json_t *text)
{
	char number[sizeof("-9223372036854775808")];
	const struct slice line = {json_string_value(text), json_string_length(text)};
	(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, verifying->next);
	if (!slice_equal(member(line, "{\"seq\":", ","), slice_of(number)))
		return "an entry is missing, or out of its order";
	if (!slice_equal(member(line, "\"prev\":\"", "\""), slice_of(verifying->hash)))
		return "this entry, or the one before it, was changed";
	audit_hash(line, verifying->hash);
	verifying->next++;
	return NULL;
}

static const char *check_page(struct verifying *verifying, json_t *page)
{
	const char *fault = NULL;
	size_t i;
	json_t *line;
	json_array_foreach(json_object_get(page, "entries"), i, line)
	{
		if (verifying->next > verifying->last)
			break;
		fault = check_line(verifying, line);
		if (fault != NULL)
			return fault;
	}
	const bool is_over = !json_is_string(json_object_get(page, "next"));
	return verifying->next <= verifying->last && is_over ? "the log ends too early" : NULL;
}

static json_t *get_page(struct ctl *ctl, json_int_t after)
{
	json_t *page = NULL;
	char path[128] = "/v1/audit?lines=1&limit=1000";
	if (after > 0)
		(void)snprintf(path, sizeof(path),
			       "/v1/audit?lines=1&limit=1000&after=%" JSON_INTEGER_FORMAT, after);
	const int status = ctl_call(ctl, "GET", path, NULL, &page);
	if (status == 200 && json_is_array(json_object_get(page, "entries")))
		return page;
	if (status != 0)
		ctl_fail(ctl, status, page, NULL);
	return NULL;
}

/* Takes the log as it is at the first page: entries that come meanwhile are not its own. */
static bool verify(struct ctl *ctl)
{
	json_t *begin = get_page(ctl, 0), *page = json_incref(begin);
	const char *fault = NULL, *head = ctl_text(begin, "head");
	struct verifying verifying = {.next = ctl_number(begin, "first"),
				      .last = ctl_number(begin, "last")};
	(void)snprintf(verifying.hash, sizeof(verifying.hash), "%s", ctl_text(begin, "before"));
	while (page != NULL && (fault = check_page(&verifying, page)) == NULL &&
	       verifying.next <= verifying.last) {
		json_decref(page);
		page = get_page(ctl, verifying.next - 1);
	}
	if (fault == NULL && page != NULL && strcmp(verifying.hash, head) != 0)
		fault = "the newest entry was changed";
	const bool is_whole = page != NULL && fault == NULL;
	json_t *told = json_pack("{s:b,s:I,s:I,s:s}", "whole", 1, "first",
				 ctl_number(begin, "first"), "last", verifying.last, "head", head);
	if (fault != NULL)
		ctl_fault(ctl, "the audit log is not whole: entry %" JSON_INTEGER_FORMAT ": %s",
			  verifying.next, fault);
	json_decref(page);
	json_decref(begin);
	if (is_whole)
		return ctl_show(ctl, told);
	json_decref(told);
	return false;
}

bool ctl_audit(struct ctl *ctl)
{
	const union ctl_given *given = &ctl->given;
	if (!given->verify)
		return ctl_run(ctl);
	if (given->user != NULL || given->since != NULL || given->until != NULL)
		return ctl_fault(ctl, "--verify looks at the whole log: it takes no selection");
	return verify(ctl);
}
