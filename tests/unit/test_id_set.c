#include "tests/unit/unit.h"

#include "core/base/ids.h"

START_TEST(what_was_added_is_in_it_and_nothing_else)
{
	enum { COUNT = 1000 };
	struct id_set set;
	id_set_init(&set, COUNT);
	for (uint64_t i = 1; i <= COUNT; i++)
		id_set_add(&set, 2 * i);
	for (uint64_t i = 1; i <= COUNT; i++)
		ck_assert(id_set_has(&set, 2 * i) && !id_set_has(&set, 2 * i - 1));
	id_set_finish(&set);
}
END_TEST

START_TEST(an_empty_set_holds_nothing_and_zero_is_never_in_it)
{
	struct id_set set;
	id_set_init(&set, 0);
	ck_assert(!id_set_has(&set, 1));
	id_set_add(&set, 0);
	ck_assert(!id_set_has(&set, 0));
	id_set_finish(&set);
}
END_TEST

UNIT_MAIN("id_set", what_was_added_is_in_it_and_nothing_else,
	  an_empty_set_holds_nothing_and_zero_is_never_in_it)
