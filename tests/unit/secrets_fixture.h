/* Shared by the tests of secrets: what is masked in a text, and that nothing is. */
#ifndef RECALLD_TESTS_SECRETS_FIXTURE_H
#define RECALLD_TESTS_SECRETS_FIXTURE_H

#include "core/pii/pii.h"
#include "tests/unit/unit.h"

#define CARD "[redacted: card number]"

static inline void assert_masked(const char *text, const char *expected, size_t expected_count)
{
	struct arena arena = {0};
	size_t count = 99;
	struct slice masked = secrets_mask(slice_of(text), &arena, &count);
	unit_assert_slice(masked, expected);
	ck_assert_uint_eq(count, expected_count);
	unit_assert_slice(secrets_mask(masked, &arena, NULL), expected);
	arena_finish(&arena);
}

static inline void assert_kept(const char *text)
{
	struct arena arena = {0};
	struct slice whole = slice_of(text);
	size_t count = 99;
	struct slice masked = secrets_mask(whole, &arena, &count);
	unit_assert_slice(masked, text);
	ck_assert_ptr_eq(masked.data, whole.data);
	ck_assert_uint_eq(count, 0);
	arena_finish(&arena);
}

#endif
