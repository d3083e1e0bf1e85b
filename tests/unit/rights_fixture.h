/* Shared by the tests of people's decisions about their memory: a fact about the user. */
#ifndef RECALLD_TESTS_RIGHTS_FIXTURE_H
#define RECALLD_TESTS_RIGHTS_FIXTURE_H

#include "core/memory/memory.h"
#include "tests/unit/unit.h"

static inline struct fact user_fact(uint64_t id, const char *key, const char *value)
{
	return (struct fact){.id = id,
			     .entity = SLICE("user"),
			     .kind = SLICE("user"),
			     .key = slice_of(key),
			     .value = slice_of(value),
			     .quote = SLICE("I said so"),
			     .confidence = 0.8,
			     .exchange = 7,
			     .observed_at = 100};
}

#endif
