/* Memory to build a context from, for the tests of recalled text; its parts are put together by the
 * tests. */
#ifndef RECALLD_TESTS_CONTEXT_FIXTURE_H
#define RECALLD_TESTS_CONTEXT_FIXTURE_H

#include "core/chat/context.h"

#define DAY INT64_C(86400000)
#define NOON INT64_C(1795262400000) /* Saturday 2026-11-21T12:00:00Z */

enum { MOST = 128 };

struct memory {
	struct arena arena;
	struct fact facts[MOST];
	float scores[MOST];
	struct turn turns[MOST];
	struct recalled_turn recalled[MOST];
	struct summary summary;
	struct context_input input;
	struct context context;
};

/* An empty memory; conversation 9 asks, which carries none of its turns. */
struct memory *memory_in(enum mode mode);
void memory_free(struct memory *memory);

struct fact *memory_add_fact(struct memory *memory, const char *key, const char *value,
			     double score);
/* A turn said at NOON that bears on the question, less than the one before it. */
struct turn *memory_recall(struct memory *memory, uint64_t id, enum role role, const char *text);
/* A turn of context_input.turns, said at NOON. */
struct turn *memory_add_turn(struct memory *memory, uint64_t id, uint32_t conversation,
			     enum role role, const char *text);
void memory_summarize(struct memory *memory, const char *text, uint64_t covers);

/* Builds the context; fails the test if it is not counted rightly or passes the budget. */
/* The turns of what was built, as they go into a chat completion. */
struct slice memory_turns(struct memory *memory);
const struct context *memory_build(struct memory *memory);

bool text_holds(struct slice text, const char *part);
size_t text_count(struct slice text, const char *part);
/* `begin` and as many words as make up about `size` bytes. */
const char *memory_words(struct memory *memory, const char *begin, size_t size);

#endif
