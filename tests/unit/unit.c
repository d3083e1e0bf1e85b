#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- the folder of all files of this program's tests ---- */

enum {
	LONGEST_PLACE = 24,          /* in which names of UNIT_PATH have room */
	ENOUGH = 1024 * 1024 * 1024, /* bytes, for several programs at once */
};

static char own_folder[UNIT_PATH] = "/tmp"; /* of a bench, whose folders are as slow as a disk */
static pid_t owner; /* of that folder: a test is a process, too, and ends as this one does */

static const char *place_for_files(void)
{
	struct statvfs status;
	const char *named = getenv("TMPDIR");
	if (named != NULL && named[0] == '/' && strlen(named) <= LONGEST_PLACE)
		return named;
	bool is_quick = access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &status) == 0 &&
			(uint64_t)status.f_bavail * status.f_frsize >= ENOUGH;
	return is_quick ? "/dev/shm" : "/tmp";
}

/* Some tests are another user for a while, who must get through. */
static void make_own_folder(void)
{
	(void)snprintf(own_folder, sizeof(own_folder), "%s/recalld-XXXXXX", place_for_files());
	if (mkdtemp(own_folder) == NULL || chmod(own_folder, 0711) != 0) {
		perror(own_folder);
		exit(EXIT_FAILURE);
	}
	owner = getpid();
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
	(void)status;
	(void)kind;
	(void)ftw;
	(void)remove(path);
	return 0;
}

/* Check ends the program by itself when a test was killed that had half written its result. */
static void remove_own_folder(void)
{
	if (getpid() == owner)
		(void)nftw(own_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void unit_folder(char folder[UNIT_PATH])
{
	(void)snprintf(folder, UNIT_PATH, "%.*s/recalld-XXXXXX", UNIT_PATH - 16, own_folder);
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

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
	make_own_folder();
	(void)atexit(remove_own_folder);
	srunner_run_all(runner, CK_SILENT);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Each program and library has its own, which counts its own code: this is the tested code's. */
__attribute__((weak)) void __gcov_dump(void);

void unit_keep_measured(void)
{
	if (__gcov_dump != NULL)
		__gcov_dump();
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
