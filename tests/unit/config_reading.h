/* Reading a configuration in a test: what came of it, and what was said. */
#ifndef RECALLD_TESTS_CONFIG_READING_H
#define RECALLD_TESTS_CONFIG_READING_H

#include "proxy/config/config.h"
#include "tests/unit/unit.h"

struct reading {
	struct config *config; /* NULL: there were faults */
	char *faults;
	char *warnings;
	size_t fault_size;
	size_t warning_size;
};

/* The file is called test.conf. */
struct reading read_slice(struct slice text);
struct reading read_text(const char *text);
void finish_reading(struct reading *reading);

/* The configuration of a text without fault; the caller releases it. */
struct config *read_good(const char *text);
/* Fails unless the faults are these. */
void assert_faults(const char *text, const char *expected);
/* Fails unless there are faults, with these words in them. */
void assert_fault_has(const char *text, const char *part);
/* Fails unless there is no fault but a warning with these words. */
void assert_warns(const char *text, const char *part);

#endif
