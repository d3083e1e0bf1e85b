/* The parts of an answer that are kept have bounds: its ids, its calls for tools. */
#include "core/dialect/answer.h"
#include "core/dialect/dialect.h"
#include "core/dialect/reply.h"
#include "core/dialect/request.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LIMIT = 1024 * 1024 };

/* ---- ids ---- */

/* A body of `begin`, an id of that many bytes, and `end`. */
static struct reply_reader *read_named(const struct dialect *dialect, const char *begin,
				       size_t size, const char *end, struct arena *arena)
{
	char *id = arena_bytes(arena, size);
	memset(id, 'x', size);
	const struct slice parts[] = {slice_of(begin), {id, size}, slice_of(end)};
	struct reply_reader *reader = reply_reader_create(dialect, REPLY_JSON, LIMIT);
	(void)reply_read(reader, arena_join(arena, parts, 3));
	return reader;
}

START_TEST(a_reply_with_a_longer_id_has_none)
{
	static const struct {
		const struct dialect *dialect;
		const char *begin, *end;
	} cases[] = {
		{&dialect_messages, "{\"type\":\"message\",\"id\":\"", "\",\"content\":[]}"},
		{&dialect_responses, "{\"object\":\"response\",\"id\":\"", "\",\"output\":[]}"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t more = 0; more <= 1; more++) {
			struct arena arena = {0};
			struct reply_reader *reader =
				read_named(cases[i].dialect, cases[i].begin, ANSWER_MAX_ID + more,
					   cases[i].end, &arena);
			struct reply reply = reply_result(reader);
			ck_assert(reply.finished && !reply.unreadable);
			ck_assert_uint_eq(reply.id.size, more == 0 ? ANSWER_MAX_ID : 0);
			reply_reader_destroy(reader);
			arena_finish(&arena);
		}
	}
}
END_TEST

START_TEST(the_last_id_of_a_stream_counts)
{
	struct reply_reader *reader = reply_reader_create(&dialect_responses, REPLY_EVENTS, LIMIT);
	(void)reply_read(
		reader,
		SLICE("data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_12\"}}\n\n"
		      "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_3\"}}\n\n"
		      "data: {\"type\":\"response.created\",\"response\":{\"id\":null}}\n\n"));
	unit_assert_slice(reply_result(reader).id, "resp_3");
	reply_reader_destroy(reader);
}
END_TEST

/* ---- calls for tools ---- */

/* Indexes 0, 2, 4 and so on. */
static void fill(struct answer *answer, int64_t count)
{
	answer_init(answer, LIMIT);
	for (int64_t i = 0; i < count; i++) {
		struct arena arena = {0};
		int64_t index = 2 * i;
		answer_add_call(answer, &index, arena_printf(&arena, "call_%03d", (int)i));
		arena_finish(&arena);
	}
}

START_TEST(a_call_belongs_to_its_index_or_its_id)
{
	struct answer answer;
	const int64_t behind = 6, between = 3, first = 0;
	fill(&answer, 3);
	answer_add_call(&answer, &behind, SLICE(""));
	answer_add_call(&answer, &between, SLICE("b"));
	answer_add_call(&answer, NULL, SLICE("call_001"));
	answer_add_call(&answer, NULL, SLICE("d"));
	answer_add_call(&answer, &behind, SLICE("c"));
	answer_add_call(&answer, &first, SLICE("late"));
	static const char *const ids[] = {"call_000", "call_001", "b", "call_002", "c", "d"};
	ck_assert_uint_eq(answer.tool_call_count, 6);
	for (size_t i = 0; i < 6; i++)
		unit_assert_slice(answer.tool_calls[i].id, ids[i]);
	ck_assert_int_eq(answer.tool_calls[5].index, 7);
	answer_finish(&answer);
}
END_TEST

START_TEST(a_full_table_still_takes_the_ids_of_its_calls)
{
	struct answer answer;
	const int64_t last = 2 * (ANSWER_MAX_TOOL_CALLS - 1), unknown = last + 1;
	fill(&answer, ANSWER_MAX_TOOL_CALLS - 1);
	answer_add_call(&answer, &last, SLICE(""));
	answer_add_call(&answer, NULL, SLICE("no"));
	answer_add_call(&answer, &unknown, SLICE("no"));
	answer_add_call(&answer, &last, SLICE("yes"));
	ck_assert_uint_eq(answer.tool_call_count, ANSWER_MAX_TOOL_CALLS);
	unit_assert_slice(answer.tool_calls[ANSWER_MAX_TOOL_CALLS - 1].id, "yes");
	answer_finish(&answer);
}
END_TEST

/* The least time of the process that many such calls took, of several rounds. */
static int64_t time_calls(struct answer *answer, const int64_t *index, struct slice id)
{
	enum { ROUNDS = 7, CALLS = 20000 };
	int64_t least = INT64_MAX;
	for (int round = 0; round < ROUNDS; round++) {
		struct timespec begin, end;
		ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin), 0);
		for (int i = 0; i < CALLS; i++)
			answer_add_call(answer, index, id);
		ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end), 0);
		int64_t took = (end.tv_sec - begin.tv_sec) * INT64_C(1000000000) +
			       (end.tv_nsec - begin.tv_nsec);
		least = took < least ? took : least;
	}
	return least;
}

/* A search through the whole table for each call would take more than 25 times as long. */
START_TEST(a_call_costs_no_more_when_the_table_is_full)
{
	struct answer one, full;
	const int64_t first = 0, last = 2 * (ANSWER_MAX_TOOL_CALLS - 1), unknown = last + 1;
	fill(&one, 1);
	fill(&full, ANSWER_MAX_TOOL_CALLS);
	int64_t most = 10 * time_calls(&one, &first, SLICE("call_000"));
	ck_assert_int_lt(time_calls(&full, &unknown, SLICE("call_xxx")), most);
	ck_assert_int_lt(time_calls(&full, NULL, SLICE("call_xxx")), most);
	ck_assert_int_lt(time_calls(&full, &last, SLICE("call_255")), most);
	answer_finish(&one);
	answer_finish(&full);
}
END_TEST

UNIT_MAIN("answer", a_reply_with_a_longer_id_has_none, the_last_id_of_a_stream_counts,
	  a_call_belongs_to_its_index_or_its_id, a_full_table_still_takes_the_ids_of_its_calls,
	  a_call_costs_no_more_when_the_table_is_full)
