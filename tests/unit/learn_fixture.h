/* Shared by the tests of learning: one turn, what is known before it, and what comes of an
 * answer. */
#ifndef RECALLD_TESTS_LEARN_FIXTURE_H
#define RECALLD_TESTS_LEARN_FIXTURE_H

#include "tests/unit/learn_reading.h"
#include "tests/unit/unit.h"

#include <string.h>

#define TEN_O_CLOCK INT64_C(1795255200000) /* Saturday, 2026-11-21T10:00:00Z */

enum { HOUR = 60 * 60 * 1000 };

struct lesson {
	struct arena arena;
	struct fact facts[16];
	size_t fact_count;
	struct learn_turn turn;
	struct learning learning;
};

static inline struct lesson lesson_of(const char *user)
{
	return (struct lesson){.turn = {.exchange = 100,
					.created_at = TEN_O_CLOCK,
					.user = slice_of(user),
					.min_confidence = 0.7,
					.repairs = true}};
}

/* Something known about the user, said `ago` milliseconds before the turn (after it, if negative).
 */
static inline struct fact *lesson_knows(struct lesson *lesson, const char *key, const char *value,
					int64_t ago)
{
	struct fact *fact = &lesson->facts[lesson->fact_count++];
	*fact = (struct fact){.id = lesson->fact_count,
			      .entity = SLICE("user"),
			      .kind = SLICE("user"),
			      .key = slice_of(key),
			      .value = slice_of(value),
			      .confidence = 0.9,
			      .exchange = 50,
			      .observed_at = TEN_O_CLOCK - ago};
	return fact;
}

static inline bool lesson_read(struct lesson *lesson, const char *answer)
{
	lesson->turn.facts = lesson->facts;
	lesson->turn.fact_count = lesson->fact_count;
	return learn_facts_read(&lesson->turn, slice_of(answer), &lesson->learning, &lesson->arena);
}

static inline const struct change *lesson_change(const struct lesson *lesson, size_t index)
{
	ck_assert_uint_lt(index, lesson->learning.change_count);
	return &lesson->learning.changes[index];
}

/* Reads the answer, which must lead to so many changes and rejections. */
static inline void lesson_must(struct lesson *lesson, const char *answer, size_t changes,
			       size_t rejected)
{
	ck_assert(lesson_read(lesson, answer));
	ck_assert_uint_eq(lesson->learning.change_count, changes);
	ck_assert_uint_eq(lesson->learning.rejected, rejected);
}

static inline void lesson_added(const struct lesson *lesson, size_t index, const char *entity,
				const char *key, const char *value)
{
	const struct change *change = lesson_change(lesson, index);
	ck_assert_int_eq(change->kind, CHANGE_ADD);
	ck_assert_uint_eq(change->fact.id, 0);
	unit_assert_slice(change->fact.entity, entity);
	unit_assert_slice(change->fact.key, key);
	unit_assert_slice(change->fact.value, value);
}

/* The change of the stored fact with this id. */
static inline const struct change *lesson_changed(const struct lesson *lesson, uint64_t id,
						  enum change_kind kind, enum fact_state state)
{
	for (size_t i = 0; i < lesson->learning.change_count; i++) {
		const struct change *change = &lesson->learning.changes[i];
		if (change->fact.id != id)
			continue;
		ck_assert_int_eq(change->kind, kind);
		ck_assert_int_eq(change->fact.state, state);
		return change;
	}
	ck_abort_msg("fact %d is not changed", (int)id);
	return NULL;
}

#endif
