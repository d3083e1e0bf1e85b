/* Shared by the tests of the memory model's prompts: where a prompt says something. */
#ifndef RECALLD_TESTS_PROMPT_FIXTURE_H
#define RECALLD_TESTS_PROMPT_FIXTURE_H

#include "tests/unit/learn_fixture.h"

static inline size_t position(struct slice text, const char *part)
{
	size_t at = slice_find(text, slice_of(part), 0);
	ck_assert_msg(at < text.size, "\"%s\" is not in:\n%.*s", part, SLICE_PRINT(text));
	return at;
}

#endif
