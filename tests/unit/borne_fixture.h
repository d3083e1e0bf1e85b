/* Gives a memory model's answer to a turn, and tells whether its only entry is stored. */
#ifndef RECALLD_TESTS_BORNE_FIXTURE_H
#define RECALLD_TESTS_BORNE_FIXTURE_H

#include "tests/unit/learn_fixture.h"

struct
try {
	const char *user;
	const char *entry; /* without its confidence */
};

#define FACT(key, value, quote)                                                                    \
	"\"key\":\"" key "\",\"value\":\"" value "\",\"quote\":\"" quote "\""
#define OF(entity, key, value, quote) "\"entity\":\"" entity "\"," FACT(key, value, quote)

static const char answer_before[] = "You could take 1. Qdrant or 2. Milvus. Buy the Acme Pro 3000!";

/* The number of entries that are stored; `more` ends the entry. */
static inline size_t count_stored(const struct try *try, const char *more)
{
	struct lesson lesson = lesson_of(try->user);
	const struct turn before = {.role = ROLE_ASSISTANT, .text = slice_of(answer_before)};
	lesson.turn.before = &before;
	lesson.turn.before_count = 1;
	struct slice answer =
		arena_printf(&lesson.arena, "[{%s,\"confidence\":0.95%s}]", try->entry, more);
	ck_assert_msg(lesson_read(&lesson, answer.data), "%s", answer.data);
	size_t stored = lesson.learning.change_count;
	ck_assert_uint_eq(stored + lesson.learning.rejected, 1);
	arena_finish(&lesson.arena);
	return stored;
}

#endif
