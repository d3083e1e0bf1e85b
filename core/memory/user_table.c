#include "core/memory/user_table.h"

static size_t bucket_of(struct user_key user)
{
	return user_hash(user) % USER_TABLE_BUCKETS;
}

struct user_node *user_table_find(const struct user_table *table, struct user_key user)
{
	struct user_node *node = table->buckets[bucket_of(user)];
	while (node != NULL && !user_equal(node->user, user))
		node = node->next;
	return node;
}

void user_table_add(struct user_table *table, struct user_node *node)
{
	struct user_node **bucket = &table->buckets[bucket_of(node->user)];
	node->next = *bucket;
	*bucket = node;
	table->count++;
}

void user_table_remove(struct user_table *table, struct user_node *node)
{
	struct user_node **link = &table->buckets[bucket_of(node->user)];
	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	table->count--;
}

struct user_node *user_table_next(const struct user_table *table, const struct user_node *last)
{
	size_t i = last == NULL ? 0 : bucket_of(last->user) + 1;
	struct user_node *node = last == NULL ? NULL : last->next;
	while (node == NULL && i < USER_TABLE_BUCKETS)
		node = table->buckets[i++];
	return node;
}

struct user_node *user_table_pick(struct user_table *table,
				  bool (*may_leave)(const struct user_node *node))
{
	struct user_node *node = NULL;
	for (size_t i = 0; i < USER_TABLE_BUCKETS && node == NULL; i++) {
		node = table->buckets[table->next_to_leave++ % USER_TABLE_BUCKETS];
		while (node != NULL && !may_leave(node))
			node = node->next;
	}
	return node;
}
