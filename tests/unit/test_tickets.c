#include "storage/lmdb/forget_epochs.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct user_key key(uint32_t number)
{
	struct user_key user = {{0}};
	memcpy(user.bytes, &number, sizeof(number));
	return user;
}

START_TEST(a_ticket_from_before_the_mark_is_old)
{
	struct forget_epochs *forget_epochs = forget_epochs_create(8);
	ck_assert(!forget_epochs_passed(forget_epochs, key(1), 0));
	forget_epochs_record(forget_epochs, key(1), 5);
	ck_assert(forget_epochs_passed(forget_epochs, key(1), 4));
	ck_assert(!forget_epochs_passed(forget_epochs, key(1), 5));
	ck_assert(!forget_epochs_passed(forget_epochs, key(2), 0));
	forget_epochs_record(forget_epochs, key(1), 9);
	ck_assert(forget_epochs_passed(forget_epochs, key(1), 8));
	forget_epochs_destroy(forget_epochs);
	forget_epochs_destroy(NULL);
}
END_TEST

START_TEST(a_mark_that_fell_out_makes_older_tickets_old_for_all)
{
	struct forget_epochs *forget_epochs = forget_epochs_create(4);
	/* All in one bucket, so that the chain is mended at each fall. */
	for (uint32_t i = 1; i <= 10; i++)
		forget_epochs_record(forget_epochs, key(4 * i), i);
	for (uint32_t i = 1; i <= 10; i++) {
		ck_assert(forget_epochs_passed(forget_epochs, key(4 * i), i - 1));
		ck_assert_int_eq(forget_epochs_passed(forget_epochs, key(4 * i), i), i < 6);
	}
	ck_assert(forget_epochs_passed(forget_epochs, key(1), 5));
	ck_assert(!forget_epochs_passed(forget_epochs, key(1), 6));
	forget_epochs_destroy(forget_epochs);
}
END_TEST

UNIT_MAIN("tickets", a_ticket_from_before_the_mark_is_old,
	  a_mark_that_fell_out_makes_older_tickets_old_for_all)
