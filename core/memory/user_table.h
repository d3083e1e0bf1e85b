/* A table of users. Its nodes are part of the caller's structures; it allocates nothing. */
#ifndef RECALLD_CORE_MEMORY_USER_TABLE_H
#define RECALLD_CORE_MEMORY_USER_TABLE_H

#include "core/memory/user.h"

/* The first member of each structure in the table. */
struct user_node {
	struct user_node *next; /* the next node in the bucket */
	struct user_key user;
};

enum { USER_TABLE_BUCKETS = 1024 };

/* Zero-initialize it for an empty table. */
struct user_table {
	struct user_node *buckets[USER_TABLE_BUCKETS];
	size_t count;
	size_t next_to_leave; /* the bucket where user_table_pick() begins */
};

/* NULL: the user is not in the table. */
struct user_node *user_table_find(const struct user_table *table, struct user_key user);
/* Adds a node; its user must be set and not yet in the table. */
void user_table_add(struct user_table *table, struct user_node *node);
/* Removes a node that is in the table, without freeing it. */
void user_table_remove(struct user_table *table, struct user_node *node);
/* The first node, or the one after `last`; NULL: there is none. To empty a table, remove the first
 * until there is none. */
struct user_node *user_table_next(const struct user_table *table, const struct user_node *last);
/* A node that may leave, from a different bucket each time; NULL: none may. */
struct user_node *user_table_pick(struct user_table *table,
				  bool (*may_leave)(const struct user_node *node));

#endif
