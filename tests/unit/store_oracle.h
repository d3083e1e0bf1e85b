/* A second opinion on recall: all that "alex" ever said in plain arrays, ranked by the same
 * function, but found without an index. */
#ifndef RECALLD_TESTS_STORE_ORACLE_H
#define RECALLD_TESTS_STORE_ORACLE_H

#include "tests/unit/store_fixture.h"

struct oracle {
	struct fixture *fixture;
	struct turn *turns; /* by their ids */
	const int8_t **vectors;
	size_t count;
	size_t dimensions;
	struct arena arena;
};

void oracle_init(struct oracle *oracle, struct fixture *fixture);
void oracle_finish(struct oracle *oracle);
/* Looks at what the store has current now. What it no longer has became `gone`. */
void oracle_look(struct oracle *oracle, enum turn_state gone);

/* Fails when the store does not recall exactly what the oracle does. Gives how many turns. */
size_t oracle_check(struct oracle *oracle, const struct recall *recall);
/* The question in no conversation. */
size_t oracle_ask(struct oracle *oracle, const char *text);

/* The turns that the store recalls, in the fixture's arena. */
struct recall_result fixture_recall(struct fixture *fixture, const struct recall *recall);
struct recall_question fixture_question(struct fixture *fixture, const char *text);

#endif
