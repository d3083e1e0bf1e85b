#include "proxy/ctl/ctl.h"

#include <stdlib.h>

enum { PATH_LIMIT = 64 * 1024, USUAL_LIMIT = 50 };

static const double MILLISECONDS = 1e-3; /* in a microsecond */

static const struct ctl_column columns[] = {
	{.title = "receipt", .member = "id"},
	{.title = "time", .member = "created_at"},
	{.title = "mode", .member = "mode"},
	{.title = "memory", .member = "status"},
	{.title = "tokens", .member = "tokens", .to_the_right = true, .factor = 1},
	{.title = "given", .member = "items", .to_the_right = true, .factor = 1},
	{.title = "ms",
	 .member = "elapsed_us",
	 .to_the_right = true,
	 .decimals = 1,
	 .factor = MILLISECONDS},
};

static void print(json_t *answer)
{
	json_t *receipts = json_object_get(answer, "receipts");
	if (json_array_size(receipts) > 0)
		ctl_print_table(receipts, columns, sizeof(columns) / sizeof(columns[0]));
	else
		(void)puts("no receipt of that time");
	if (json_is_string(json_object_get(answer, "next")))
		(void)puts("There are older ones: --until selects, --limit 0 shows all.");
}

static int list_receipts(struct ctl *ctl)
{
	struct buffer path;
	char *begin = ctl_path(ctl, "/v1/users/", ctl->arguments[0], "/receipts");
	buffer_init(&path, PATH_LIMIT);
	buffer_append(&path, slice_of(begin));
	free(begin);
	ctl_add_query(&path, "since", ctl->since);
	ctl_add_query(&path, "until", ctl->until);
	json_t *answer = ctl_collect(ctl, &path, "receipts", USUAL_LIMIT);
	buffer_finish(&path);
	if (answer == NULL)
		return EXIT_FAILURE;
	if (ctl->json)
		return ctl_print_json(answer);
	print(answer);
	json_decref(answer);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_receipts = {
	.name = "receipts",
	.arguments = "USER",
	.help = "what a user's requests were given, the newest first",
	.details = "A TIME is as 2026-01-05T10:00:00Z, or a date. recalld keeps only the newest\n"
		   "receipts of all users; \"explain\" shows one whole.",
	.example = "recallctl receipts alex --since 2026-01-05 --limit 20",
	.success = "shown, also when there is none of that time",
	.failure = "no such user",
	.least = 1,
	.most = 1,
	.takes = CTL_TAKES_LIMIT | CTL_TAKES_TIMES,
	.run = list_receipts,
};
