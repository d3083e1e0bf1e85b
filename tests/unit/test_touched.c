#include "storage/files/touched.h"
#include "tests/unit/unit.h"

#include <string.h>

START_TEST(what_is_committed_is_taken_once_and_what_is_undone_never)
{
	struct touched *touched = touched_create();
	struct slice taken;
	size_t tree;
	struct slice key;
	touched_note(touched, 3, SLICE("undone"));
	touched_settle(touched, false);
	touched_note(touched, 3, SLICE("one"));
	touched_note(touched, 200, SLICE(""));
	touched_settle(touched, true);
	touched_note(touched, 4, SLICE("in progress"));
	ck_assert(touched_take(touched, &taken));
	ck_assert(touched_next(&taken, &tree, &key));
	ck_assert_uint_eq(tree, 3);
	ck_assert(slice_equal(key, SLICE("one")));
	ck_assert(touched_next(&taken, &tree, &key));
	ck_assert_uint_eq(tree, 200);
	ck_assert_uint_eq(key.size, 0);
	ck_assert(!touched_next(&taken, &tree, &key));
	ck_assert(touched_take(touched, &taken));
	ck_assert_uint_eq(taken.size, 0);
	touched_settle(touched, true);
	ck_assert(touched_take(touched, &taken));
	ck_assert(touched_next(&taken, &tree, &key));
	ck_assert(slice_equal(key, SLICE("in progress")));
	touched_destroy(touched);
}
END_TEST

/* A copy that missed a change would lose it. */
START_TEST(more_than_the_list_holds_is_told_once)
{
	enum { KEYS = 1 << 18, TOO_MANY = 2 };
	struct touched *touched = touched_create();
	struct slice taken;
	char key[255];
	memset(key, 'k', sizeof(key));
	for (int parts = 0; parts < TOO_MANY; parts++) {
		for (int i = 0; i < KEYS * (parts + 1); i++)
			touched_note(touched, 1, (struct slice){key, sizeof(key)});
		touched_settle(touched, true);
	}
	ck_assert(!touched_take(touched, &taken));
	touched_note(touched, 1, SLICE("later"));
	touched_settle(touched, true);
	ck_assert(touched_take(touched, &taken));
	ck_assert_uint_eq(taken.size, sizeof("later") - 1 + 2);
	touched_destroy(touched);
}
END_TEST

START_TEST(nobody_asks)
{
	touched_note(NULL, 1, SLICE("key"));
	touched_settle(NULL, true);
	touched_destroy(NULL);
}
END_TEST

UNIT_MAIN("touched", what_is_committed_is_taken_once_and_what_is_undone_never,
	  more_than_the_list_holds_is_told_once, nobody_asks)
