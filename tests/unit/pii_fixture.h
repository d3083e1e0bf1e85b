/* Shared by the tests of personal data: what is masked in a text, and that nothing is. */
#ifndef RECALLD_TESTS_PII_FIXTURE_H
#define RECALLD_TESTS_PII_FIXTURE_H

#include "core/pii/pii.h"
#include "tests/unit/unit.h"

static inline void assert_masked(const char *text, const char *expected)
{
	struct arena arena = {0};
	unsigned found;
	struct slice masked = pii_mask(slice_of(text), PII_ALL, &arena, &found);
	unit_assert_slice(masked, expected);
	ck_assert_uint_ne(found, 0);
	unit_assert_slice(pii_mask(masked, PII_ALL, &arena, NULL), expected);
	arena_finish(&arena);
}

static inline void assert_kept(const char *text)
{
	struct arena arena = {0};
	struct slice whole = slice_of(text);
	unsigned found = 99;
	struct slice masked = pii_mask(whole, PII_ALL, &arena, &found);
	unit_assert_slice(masked, text);
	ck_assert_ptr_eq(masked.data, whole.data);
	ck_assert_uint_eq(found, 0);
	arena_finish(&arena);
}

#endif
