#include "tests/unit/unit.h"

#include <stdlib.h>

int unit_run(const char *suite_name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(suite_name);
	for (size_t i = 0; i < count; i++) {
		TCase *test_case = tcase_create(tests[i]->name);
		tcase_add_test(test_case, tests[i]);
		suite_add_tcase(suite, test_case);
	}
	SRunner *runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

bool unit_has(struct slice text, const char *part)
{
	return slice_find(text, slice_of(part), 0) < text.size;
}

void unit_assert_slice(struct slice actual, const char *expected)
{
	ck_assert_msg(slice_equal(actual, slice_of(expected)), "got \"%.*s\", expected \"%s\"",
		      SLICE_PRINT(actual), expected);
}
