#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

enum { USUAL_USERS = 1000 };

static int by_name(const void *left, const void *right)
{
	json_t *a = *(json_t *const *)left;
	json_t *b = *(json_t *const *)right;
	int order = strcmp(ctl_text(a, "user"), ctl_text(b, "user"));
	return order != 0 ? order : strcmp(ctl_text(a, "tenant"), ctl_text(b, "tenant"));
}

/* Sorts them, which the store has in no order that people know. */
void ctl_fill_users(const struct ctl *ctl, json_t *answer)
{
	json_t *users = json_object_get(answer, "users"), *sorted = json_array();
	size_t count = json_array_size(users);
	json_t **order = xcalloc(count + 1, sizeof(*order));
	(void)ctl;
	for (size_t i = 0; i < count; i++)
		order[i] = json_array_get(users, i);
	qsort(order, count, sizeof(*order), by_name);
	for (size_t i = 0; i < count; i++)
		json_array_append(sorted, order[i]);
	free(order);
	json_object_set_new(answer, "users", sorted);
}

int ctl_users(struct ctl *ctl)
{
	/* As it stands in the log, "user=8396d7c9", or what follows. */
	static const char name[] = "user=";
	if (ctl->given.log_id != NULL && strncmp(ctl->given.log_id, name, strlen(name)) == 0)
		ctl->given.log_id += strlen(name);
	return ctl_show(
		ctl, ctl_collect(ctl, "/v1/users?prefix={1}&log_id&tenant", "users", USUAL_USERS));
}

/* The newest messages, and no more than fit a screen. */
void ctl_fill_memory(const struct ctl *ctl, json_t *answer)
{
	enum { MESSAGES_SHOWN = 10 };
	json_t *messages = json_object_get(answer, "messages"), *newest = json_array();
	size_t count = json_array_size(messages);
	(void)ctl;
	for (size_t i = count > MESSAGES_SHOWN ? count - MESSAGES_SHOWN : 0; i < count; i++)
		json_array_append(newest, json_array_get(messages, i));
	json_object_set_new(answer, "newest", newest);
}
