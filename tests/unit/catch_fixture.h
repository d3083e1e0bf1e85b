/* Catches what the code under test writes to standard error. */
#ifndef RECALLD_TESTS_CATCH_FIXTURE_H
#define RECALLD_TESTS_CATCH_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

/* Standard error, while it is caught. */
struct catch
{
	FILE *file;
	int before;
	char text[32 * 1024];
};

static void catch_begin(struct catch *catch)
{
	catch->file = tmpfile();
	ck_assert_ptr_nonnull(catch->file);
	catch->before = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(fileno(catch->file), STDERR_FILENO), 0);
}

static const char *catch_end(struct catch *catch)
{
	ck_assert_int_ge(dup2(catch->before, STDERR_FILENO), 0);
	(void)close(catch->before);
	rewind(catch->file);
	size_t size = fread(catch->text, 1, sizeof(catch->text) - 1, catch->file);
	catch->text[size] = '\0';
	(void)fclose(catch->file);
	return catch->text;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;
	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

#endif
