/* Which users' exchanges are on their way to the disk. */
#include "proxy/service/service.h"
#include "tests/unit/unit.h"

START_TEST(a_user_is_settled_when_all_exchanges_are)
{
	static struct unsettled unsettled;
	const struct user_key ann = {.bytes = {1, 2, 3}}, bob = {.bytes = {1, 3, 3}};
	ck_assert(!unsettled_has(&unsettled, ann));
	unsettled_add(&unsettled, ann);
	unsettled_add(&unsettled, ann);
	ck_assert(unsettled_has(&unsettled, ann) && !unsettled_has(&unsettled, bob));
	unsettled_remove(&unsettled, ann);
	ck_assert(unsettled_has(&unsettled, ann));
	unsettled_remove(&unsettled, ann);
	ck_assert(!unsettled_has(&unsettled, ann));
}
END_TEST

UNIT_MAIN("unsettled", a_user_is_settled_when_all_exchanges_are)
