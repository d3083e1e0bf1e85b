/* Bodies that real clients sent, as tests/clients/record.py keeps them: each is read as it was
 * meant, and what memory puts in is all that it changes. */
#ifndef RECALLD_TESTS_RECORDED_H
#define RECALLD_TESTS_RECORDED_H

#include "core/dialect/dialect.h"
#include "tests/unit/unit.h"

struct recorded {
	const char *name;  /* in tests/fixtures, without ".json" */
	const char *kinds; /* a letter for each step: of SUACTO, by enum step_kind */
	const char *
		users; /* the last text of each user step, with a semicolon; NULL: whatever it is */
	bool stream, kept; /* as in struct request */
};

void recorded_check(const struct dialect *dialect, const struct recorded *recorded);

#endif
