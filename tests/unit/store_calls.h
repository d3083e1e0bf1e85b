/* A store that is opened for one trial, and its writes made to wait without an assertion: Check's
 * allocate. What they write suits the store that test_allocation_store.c fills. */
#ifndef RECALLD_TESTS_STORE_CALLS_H
#define RECALLD_TESTS_STORE_CALLS_H

#include "tests/unit/store_fixture.h"

enum { PLACE_MAP = 64 * 1024 * 1024 };

struct place {
	char folder[64];
	struct store *store; /* NULL: not open, or it could not be opened */
	struct fixture_loop loop;
	struct buffer read; /* by call_read_everything() */
};

bool place_open(struct place *place);
void place_close(struct place *place);
/* Everything in the store, written out. */
void place_look(struct place *place, struct buffer *out);
bool place_looks_like(struct place *place, const struct buffer *expected);

typedef enum store_result store_function(struct place *place);
store_function call_append, call_append_branch, call_append_with_history, call_import,
	call_keep_receipt, call_forget, call_expire, call_learned, call_learned_to_forget,
	call_summarized, call_postpone, call_unpark, call_embedded, call_open_again,
	call_read_everything;

#endif
