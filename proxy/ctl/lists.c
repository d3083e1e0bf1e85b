/* The commands that list: users, and a user's receipts. */
#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_LIMIT = 64 * 1024, USUAL_USERS = 1000, USUAL_RECEIPTS = 50 };

/* ---- users ---- */

static const struct ctl_column user_columns[] = {
	{.title = "user", .member = "user"},
	{.title = "turns", .member = "turns", .to_the_right = true, .factor = 1},
	{.title = "facts", .member = "facts", .to_the_right = true, .factor = 1},
	{.title = "chats", .member = "conversations", .to_the_right = true, .factor = 1},
	{.title = "waiting", .member = "pending", .to_the_right = true, .factor = 1},
	{.title = "last seen", .member = "last_seen"},
	{.title = "tenant", .member = "tenant"},
};

enum { USER_COLUMNS = sizeof(user_columns) / sizeof(user_columns[0]) };

static int by_name(const void *left, const void *right)
{
	json_t *a = *(json_t *const *)left;
	json_t *b = *(json_t *const *)right;
	int order = strcmp(ctl_text(a, "user"), ctl_text(b, "user"));
	return order != 0 ? order : strcmp(ctl_text(a, "tenant"), ctl_text(b, "tenant"));
}

static json_t *sorted(json_t *users)
{
	size_t count = json_array_size(users);
	json_t **order = xcalloc(count + 1, sizeof(*order));
	json_t *result = json_array();
	for (size_t i = 0; i < count; i++)
		order[i] = json_array_get(users, i);
	qsort(order, count, sizeof(*order), by_name);
	for (size_t i = 0; i < count; i++)
		json_array_append(result, order[i]);
	free(order);
	return result;
}

static bool has_tenants(json_t *users)
{
	size_t i;
	json_t *user;
	json_array_foreach(users, i, user)
	{
		if (*ctl_text(user, "tenant") != '\0')
			return true;
	}
	return false;
}

static void print_users(json_t *answer)
{
	json_t *users = sorted(json_object_get(answer, "users"));
	size_t count = json_array_size(users);
	if (count > 0)
		ctl_print_table(users, user_columns,
				has_tenants(users) ? USER_COLUMNS : USER_COLUMNS - 1);
	else
		(void)puts("no such user");
	if (json_is_string(json_object_get(answer, "next")))
		(void)puts("There are more: give a PREFIX, or --limit 0 for all.");
	json_decref(users);
}

/* As it stands in the log, "user=8396d7c9", or what follows. */
static const char *log_id(const struct ctl *ctl)
{
	static const char name[] = "user=";
	const bool is_named = ctl->log_id != NULL && strncmp(ctl->log_id, name, 5) == 0;
	return is_named ? ctl->log_id + 5 : ctl->log_id;
}

static int list_users(struct ctl *ctl)
{
	struct buffer path;
	buffer_init(&path, PATH_LIMIT);
	buffer_append(&path, SLICE("/v1/users"));
	ctl_add_query(&path, "prefix", ctl->argument_count > 0 ? ctl->arguments[0] : NULL);
	ctl_add_query(&path, "log_id", log_id(ctl));
	ctl_add_query(&path, "tenant", ctl->tenant[0] == '\0' ? NULL : ctl->tenant);
	json_t *answer = ctl_collect(ctl, &path, "users", USUAL_USERS);
	buffer_finish(&path);
	return ctl_print_answer(ctl, answer, print_users);
}

const struct ctl_command ctl_users = {
	.name = "users",
	.arguments = "[PREFIX]",
	.help = "list users, and how much is stored about each",
	.details = "PREFIX: how the ids begin. \"Waiting\" counts exchanges not learned from yet.\n"
		   "Shows at most 1000 users, in the order of their ids; see --limit. The log has\n"
		   "no ids: user=ID there is looked up with --log-id ID.",
	.example = "recallctl users\n"
		   "recallctl users --log-id 8396d7c9\n"
		   "recallctl users team-a/ --limit 20",
	.success = "shown, even if there is none",
	.most = 1,
	.takes = CTL_TAKES_LIMIT | CTL_TAKES_LOG_ID,
	.run = list_users,
};

/* ---- receipts ---- */

static const double MILLISECONDS = 1e-3; /* in a microsecond */

static const struct ctl_column receipt_columns[] = {
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

static void print_receipts(json_t *answer)
{
	json_t *receipts = json_object_get(answer, "receipts");
	if (json_array_size(receipts) > 0)
		ctl_print_table(receipts, receipt_columns,
				sizeof(receipt_columns) / sizeof(receipt_columns[0]));
	else
		(void)puts("no receipt of that time");
	if (json_is_string(json_object_get(answer, "next")))
		(void)puts("There are older ones: give --until, or --limit 0 for all.");
}

static int list_receipts(struct ctl *ctl)
{
	struct buffer path = ctl_begin_path(ctl, "/v1/users/", ctl->arguments[0], "/receipts");
	ctl_add_query(&path, "since", ctl->since);
	ctl_add_query(&path, "until", ctl->until);
	json_t *answer = ctl_collect(ctl, &path, "receipts", USUAL_RECEIPTS);
	buffer_finish(&path);
	return ctl_print_answer(ctl, answer, print_receipts);
}

const struct ctl_command ctl_receipts = {
	.name = "receipts",
	.arguments = "USER",
	.help = "list what a user's requests were given, newest first",
	.details = "A TIME looks like 2026-01-05T10:00:00Z, or is a date. recalld keeps only the\n"
		   "newest receipts of all users; \"explain\" shows a whole receipt.",
	.example = "recallctl receipts alex --since 2026-01-05 --limit 20",
	.success = "shown, even if there is none of that time",
	.failure = "no such user",
	.least = 1,
	.most = 1,
	.takes = CTL_TAKES_LIMIT | CTL_TAKES_TIMES,
	.run = list_receipts,
};
