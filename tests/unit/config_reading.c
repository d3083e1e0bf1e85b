#include "tests/unit/config_reading.h"

#include <stdlib.h>
#include <string.h>

struct reading read_slice(struct slice text)
{
	struct reading reading = {0};
	FILE *faults = open_memstream(&reading.faults, &reading.fault_size);
	FILE *warnings = open_memstream(&reading.warnings, &reading.warning_size);
	reading.config = config_read_text("test.conf", text, faults, warnings);
	(void)fclose(faults);
	(void)fclose(warnings);
	return reading;
}

struct reading read_text(const char *text)
{
	return read_slice(slice_of(text));
}

void finish_reading(struct reading *reading)
{
	config_release(reading->config);
	free(reading->faults);
	free(reading->warnings);
}

struct config *read_good(const char *text)
{
	struct reading reading = read_text(text);
	ck_assert_msg(reading.config != NULL, "unexpected faults:\n%s", reading.faults);
	ck_assert_str_eq(reading.faults, "");
	struct config *config = config_retain(reading.config);
	finish_reading(&reading);
	return config;
}

void assert_faults(const char *text, const char *expected)
{
	struct reading reading = read_text(text);
	ck_assert_ptr_null(reading.config);
	ck_assert_str_eq(reading.faults, expected);
	finish_reading(&reading);
}

void assert_fault_has(const char *text, const char *part)
{
	struct reading reading = read_text(text);
	ck_assert_msg(reading.config == NULL, "no fault in:\n%s", text);
	ck_assert_msg(strstr(reading.faults, part) != NULL, "\"%s\" is not in:\n%s", part,
		      reading.faults);
	finish_reading(&reading);
}

void assert_warns(const char *text, const char *part)
{
	struct reading reading = read_text(text);
	ck_assert_msg(reading.config != NULL, "unexpected faults:\n%s", reading.faults);
	ck_assert_msg(strstr(reading.warnings, part) != NULL, "\"%s\" is not in:\n%s", part,
		      reading.warnings);
	finish_reading(&reading);
}
