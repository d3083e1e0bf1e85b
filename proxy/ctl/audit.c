/* recallctl audit: who read or changed whose memory, and whether the log is whole. */
#include "storage/audit.h"

#include "proxy/ctl/tool/ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LIMIT = 64 * 1024, USUAL_ENTRIES = 100, WHAT_SIZE = 128, DAY_AND_TIME = 19 };

static const struct ctl_column audit_columns[] = {
	{.title = "what", .member = "what"},
	{.title = "time", .member = "time"},
	{.title = "by", .member = "by"},
	{.title = "from", .member = "from"},
	{.title = "of", .member = "who"},
	{.title = "result", .member = "result", .to_the_right = true, .factor = 1},
	{.title = "entry", .member = "seq", .to_the_right = true, .factor = 1},
};

/* ---- listing ---- */

static void append_count(char what[WHAT_SIZE], json_t *counts, const char *name)
{
	size_t size = strlen(what);
	json_int_t count = json_integer_value(json_object_get(counts, name));
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

static json_t *collect(struct ctl *ctl)
{
	struct buffer path;
	buffer_init(&path, PATH_LIMIT);
	buffer_append(&path, SLICE("/v1/audit"));
	ctl_add_query(&path, "user", ctl->user);
	ctl_add_query(&path, "tenant", ctl->tenant[0] == '\0' ? NULL : ctl->tenant);
	ctl_add_query(&path, "since", ctl->since);
	ctl_add_query(&path, "until", ctl->until);
	json_t *answer = ctl_collect(ctl, &path, "entries", USUAL_ENTRIES);
	buffer_finish(&path);
	return answer;
}

static void print_entries(json_t *answer)
{
	json_t *entries = json_object_get(answer, "entries");
	size_t i;
	json_t *entry;
	json_array_foreach(entries, i, entry) describe(entry);
	if (i > 0)
		ctl_print_table(entries, audit_columns,
				sizeof(audit_columns) / sizeof(audit_columns[0]));
	else
		(void)puts("no entry");
	if (json_is_string(json_object_get(answer, "next")))
		(void)puts("There are newer ones: give --since, or --limit 0 for all.");
}

static int list_entries(struct ctl *ctl)
{
	return ctl_print_answer(ctl, collect(ctl), print_entries);
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
	if (verifying.fault != NULL) {
		ctl_fault(ctl, "the audit log is not whole: entry %" PRIu64 ": %s", verifying.next,
			  verifying.fault);
		return EXIT_FAILURE;
	}
	if (ctl->json)
		return ctl_print_json(
			json_pack("{s:b,s:I,s:I,s:s}", "whole", 1, "first", (json_int_t)first,
				  "last", (json_int_t)verifying.last, "head", verifying.head));
	(void)printf("whole: %" PRIu64 " entries\nnewest: %" PRIu64 ", %s\n",
		     verifying.last + 1 - first, verifying.last, verifying.head);
	return EXIT_SUCCESS;
}

static int audit(struct ctl *ctl)
{
	return ctl->verify ? verify(ctl) : list_entries(ctl);
}

const struct ctl_command ctl_audit = {
	.name = "audit",
	.arguments = "",
	.help = "show who read or changed whose memory",
	.details = "Oldest first. \"Of\" is a hash of the user: --user shows one user's entries.\n"
		   "--verify finds entries that were changed, removed, reordered or cut off. Who\n"
		   "can write the store's file can also make a new log: note the newest entry's\n"
		   "hash elsewhere from time to time.",
	.example = "recallctl audit --since 2026-01-05 --user alex\n"
		   "recallctl audit --verify",
	.success = "shown, or the log is whole",
	.failure = "the log is not whole",
	.takes = CTL_TAKES_LIMIT | CTL_TAKES_TIMES | CTL_TAKES_USER | CTL_TAKES_VERIFY,
	.run = audit,
};
