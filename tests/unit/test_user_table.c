#include "tests/unit/unit.h"

#include "core/memory/user.h"

enum { COUNT = 3 };

/* The first two lie in one bucket. */
static struct user_node nodes[COUNT];
static struct user_table table;

static void fill_table(void)
{
	table = (struct user_table){0};
	for (unsigned char i = 0; i < COUNT; i++) {
		nodes[i] = (struct user_node){.user.bytes = {i / 2, 0, 0, 0, 0, i}};
		user_table_add(&table, &nodes[i]);
	}
}

START_TEST(who_was_added_is_found_until_removed)
{
	fill_table();
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_ptr_eq(user_table_find(&table, nodes[i].user), &nodes[i]);
	user_table_remove(&table, &nodes[0]);
	ck_assert_ptr_null(user_table_find(&table, nodes[0].user));
	ck_assert_ptr_eq(user_table_find(&table, nodes[1].user), &nodes[1]);
	ck_assert_uint_eq(table.count, COUNT - 1);
}
END_TEST

START_TEST(each_node_is_visited_once)
{
	size_t visited = 0;
	fill_table();
	struct user_node *node = NULL;
	while ((node = user_table_next(&table, node)) != NULL)
		visited++;
	ck_assert_uint_eq(visited, COUNT);
	while ((node = user_table_next(&table, NULL)) != NULL)
		user_table_remove(&table, node);
	ck_assert_uint_eq(table.count, 0);
}
END_TEST

static bool is_second(const struct user_node *node)
{
	return node == &nodes[1];
}

static bool is_nobody(const struct user_node *node)
{
	return node == NULL;
}

START_TEST(only_who_may_leave_is_picked)
{
	fill_table();
	ck_assert_ptr_eq(user_table_pick(&table, is_second), &nodes[1]);
	ck_assert_ptr_eq(user_table_pick(&table, is_second), &nodes[1]);
	ck_assert_ptr_null(user_table_pick(&table, is_nobody));
}
END_TEST

UNIT_MAIN("user_table", who_was_added_is_found_until_removed, each_node_is_visited_once,
	  only_who_may_leave_is_picked)
