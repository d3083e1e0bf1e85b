#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>

static void print_duplicates(json_t *answer)
{
	static const struct ctl_column columns[] = {
		{.title = "USER", .member = "user"},       {.title = "FACT", .member = "id"},
		{.title = "SAME AS", .member = "same_as"}, {.title = "ENTITY", .member = "entity"},
		{.title = "KEY", .member = "key"},         {.title = "VALUE", .member = "value"},
	};
	json_t *rows = json_object_get(answer, "duplicates");
	if (json_array_size(rows) > 0)
		ctl_print_table(rows, columns, sizeof(columns) / sizeof(columns[0]));
}

static int dedupe(struct ctl *ctl)
{
	json_t *answer = NULL;
	struct buffer path =
		ctl->argument_count == 0
			? ctl_begin_path(ctl, "/v1/", "dedupe", "")
			: ctl_begin_path(ctl, "/v1/users/", ctl->arguments[0], "/dedupe");
	ctl_add_query(&path, "dry_run", ctl->dry_run ? "1" : NULL);
	buffer_append_byte(&path, '\0');
	int status = ctl_call(ctl, "POST", path.data, NULL, &answer);
	buffer_finish(&path);
	if (status != 200)
		return ctl_fail_of_user(ctl, status, answer);
	if (ctl->json)
		return ctl_print_json(answer);
	print_duplicates(answer);
	(void)fputs(ctl->dry_run ? "would merge into others: " : "merged into others: ", stdout);
	ctl_print_count(json_integer_value(json_object_get(answer, "facts")), "facts");
	(void)fputs(" of ", stdout);
	ctl_print_count(json_integer_value(json_object_get(answer, "users")), "users");
	(void)putchar('\n');
	json_decref(answer);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_dedupe = {
	.name = "dedupe",
	.arguments = "[USER]",
	.help = "merge facts that say the same",
	.details =
		"Of facts that stand with the same entity, key and value, in whatever form, one\n"
		"stays: a pinned one, else the one said last. It counts as said as often as all\n"
		"of them, and supersedes the others. Imports of earlier versions left such facts.",
	.example = "recallctl dedupe --dry-run\n"
		   "recallctl dedupe alex",
	.success = "merged, or shown",
	.failure = "no such user",
	.most = 1,
	.takes = CTL_TAKES_DRY,
	.run = dedupe,
};
