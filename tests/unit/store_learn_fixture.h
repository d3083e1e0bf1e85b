/* Shared by the tests of learning into a store: a conversation of alex, and changes of facts. */
#ifndef RECALLD_TESTS_STORE_LEARN_FIXTURE_H
#define RECALLD_TESTS_STORE_LEARN_FIXTURE_H

#include "tests/unit/store_fixture.h"

enum { MAP = 64 * 1024 * 1024 };

/* One exchange after the other, all of one conversation. */
static inline void say(struct fixture *fixture, const char *user_text, const char *answer,
		       int64_t now)
{
	struct append append = fixture_exchange(user_text, answer, now);
	append.session = SLICE("chat");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static inline struct change add(const char *key, const char *value, uint64_t exchange)
{
	return (struct change){
		.kind = CHANGE_ADD,
		.fact = {.entity = SLICE("user"),
			 .kind = SLICE("user"),
			 .key = slice_of(key),
			 .value = slice_of(value),
			 .quote = slice_of(value),
			 .confidence = 0.9,
			 .exchange = exchange,
			 .observed_at = 5},
		.replaced_by = -1,
	};
}

static inline void learn_ok(struct fixture *fixture, uint64_t exchange,
			    const struct change *changes, size_t count, bool hide)
{
	ck_assert_int_eq(fixture_learned(fixture, exchange, changes, count, hide), STORE_OK);
}

#endif
