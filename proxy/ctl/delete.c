/* Forgetting a part of a user's memory: what would go, and that it went. */
#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_COLUMNS = 60 };

static bool is_about_topic(const struct ctl *ctl)
{
	return ctl->about != NULL || ctl->entity != NULL;
}

static bool is_about_span(const struct ctl *ctl)
{
	return ctl->since != NULL || ctl->until != NULL;
}

int ctl_count_parts(const struct ctl *ctl)
{
	return (ctl->fact != NULL) + (ctl->turn != NULL) + (ctl->conversation != NULL) +
	       (ctl->session != NULL) + is_about_span(ctl) + is_about_topic(ctl);
}

/* ---- asking ---- */

/* Adds "/facts/12" for a part that has an id; nothing if it has none. */
static void add_place(struct buffer *path, const struct ctl *ctl)
{
	const struct {
		const char *folder;
		const char *id;
	} parts[] = {
		{"/facts/", ctl->fact},
		{"/turns/", ctl->turn},
		{"/conversations/", ctl->conversation},
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].id != NULL)
			buffer_printf(path, "%s%s", parts[i].folder, parts[i].id);
	}
	if (ctl->session != NULL)
		buffer_append(path, SLICE("/conversations"));
	if (is_about_span(ctl))
		buffer_append(path, SLICE("/memory"));
	if (is_about_topic(ctl))
		buffer_append(path, SLICE("/forget"));
}

static char *path_of(const struct ctl *ctl)
{
	struct ctl plain = *ctl;
	plain.tenant = "";
	struct buffer path = ctl_begin_path(&plain, "/v1/users/", ctl->arguments[0], "");
	add_place(&path, ctl);
	ctl_add_query(&path, "tenant", ctl->tenant[0] == '\0' ? NULL : ctl->tenant);
	ctl_add_query(&path, "session", ctl->session);
	ctl_add_query(&path, "since", ctl->since);
	ctl_add_query(&path, "until", ctl->until);
	ctl_add_query(&path, "force", ctl->force ? "1" : NULL);
	if (!is_about_topic(ctl)) {
		ctl_add_query(&path, "dry_run", ctl->dry_run ? "1" : NULL);
		ctl_add_query(&path, "plan", ctl->plan);
		ctl_add_query(&path, "never_again", ctl->never_again ? "1" : NULL);
		ctl_add_query(&path, "with_source", ctl->keep_turns ? "0" : NULL);
	}
	buffer_append_byte(&path, '\0');
	return path.data;
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_new(object, name, json_string(text));
}

static json_t *body_of(const struct ctl *ctl)
{
	if (!is_about_topic(ctl))
		return NULL;
	json_t *body = json_object();
	set_text(body, "about", ctl->about);
	set_text(body, "entity", ctl->entity);
	if (ctl->never_again)
		json_object_set_new(body, "never_again", json_true());
	if (ctl->dry_run)
		json_object_set_new(body, "dry_run", json_true());
	else
		set_text(body, "plan", ctl->plan);
	return body;
}

/* ---- showing ---- */

static void print_counts(json_t *report)
{
	static const struct {
		const char *member;
		const char *name;
	} counts[] = {{"facts", "facts"},       {"turns", "turns"},
		      {"receipts", "receipts"}, {"conversations", "conversations"},
		      {"jobs", "waiting jobs"}, {"vectors", "vectors"}};
	const char *comma = "";
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		json_int_t count = json_integer_value(json_object_get(report, counts[i].member));
		if (count == 0)
			continue;
		(void)fputs(comma, stdout);
		ctl_print_count(count, counts[i].name);
		comma = ", ";
	}
	(void)fputs(*comma == '\0' ? "nothing" : "", stdout);
	if (strcmp(ctl_text(report, "summary"), "dropped") == 0)
		(void)fputs("; the summary is made again", stdout);
	(void)putchar('\n');
	const json_int_t still = json_integer_value(json_object_get(report, "still_said"));
	if (still == 0)
		return;
	ctl_print_count(still, "turns");
	(void)fputs(still == 1 ? " that says or names it stays" : " that say or name it stay",
		    stdout);
	(void)fputs("; --about TEXT shows and deletes what says a text\n", stdout);
}

static void print_line(const char *kind, json_t *row, const char *name, const char *text)
{
	(void)printf("  %s ", kind);
	ctl_print_cell(ctl_text(row, "id"), 8, false);
	(void)fputs("  ", stdout);
	ctl_print(ctl_text(row, name), LINE_COLUMNS / 3);
	(void)fputs(": ", stdout);
	ctl_print(ctl_text(row, text), LINE_COLUMNS);
	(void)putchar('\n');
}

static int show_plan(const struct ctl *ctl, json_t *answer)
{
	size_t i;
	json_t *row;
	(void)fputs("would delete: ", stdout);
	print_counts(json_object_get(answer, "would_delete"));
	json_array_foreach(json_object_get(answer, "facts"), i, row)
		print_line("fact", row, "key", "value");
	json_array_foreach(json_object_get(answer, "turns"), i, row)
		print_line("turn", row, "role", "content");
	const char *plan = ctl_text(answer, "plan");
	(void)fputs("Nothing was deleted. To delete ", stdout);
	(void)fputs(plan[0] == '\0' ? "everything" : "exactly this, add --plan ", stdout);
	ctl_print(plan, 0);
	(void)fputs(!ctl->dry_run     ? ".\n"
		    : plan[0] == '\0' ? ", leave out --dry-run.\n"
				      : " and leave out --dry-run.\n",
		    stdout);
	json_decref(answer);
	return EXIT_SUCCESS;
}

int ctl_forget_part(struct ctl *ctl)
{
	json_t *answer = NULL;
	json_t *body = body_of(ctl);
	char *path = path_of(ctl);
	int status = ctl_call(ctl, is_about_topic(ctl) ? "POST" : "DELETE", path, body, &answer);
	free(path);
	json_decref(body);
	if (status != 200)
		return ctl_fail(ctl, status, answer);
	if (ctl->json)
		return ctl_print_json(answer);
	if (json_is_true(json_object_get(answer, "dry_run")))
		return show_plan(ctl, answer);
	(void)fputs("deleted: ", stdout);
	print_counts(answer);
	ctl_tell_of_disk(answer);
	json_decref(answer);
	return EXIT_SUCCESS;
}
