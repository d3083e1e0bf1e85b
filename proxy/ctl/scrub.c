#include "proxy/ctl/tool/ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_US = 200 * 1000 };

/* 0: there is no such file. */
static uint64_t size_of_store(const char *path)
{
	struct arena arena = {0};
	struct stat status;
	const char *file = arena_printf(&arena, "%s/data.mdb", path).data;
	uint64_t size = stat(file, &status) == 0 ? (uint64_t)status.st_size : 0;
	arena_finish(&arena);
	return size;
}

/* False: it failed, which has been reported. */
static bool scrub_stopped(struct ctl *ctl)
{
	char error[512];
	ctl->store.scrubs = true;
	struct store *store = store_open(&ctl->store, error, sizeof(error));
	if (store == NULL)
		ctl_fault(ctl, "%s", error);
	store_close(store);
	return store != NULL;
}

/* The daemon that has the store open does it. */
static bool scrub_running(struct ctl *ctl)
{
	struct ctl_progress bar;
	json_t *state = NULL;
	int status = ctl_call(ctl, "POST", "/v1/scrub", NULL, &state);
	ctl_progress_begin(&bar, "scrubbing");
	while (status / 100 == 2 && json_is_true(json_object_get(state, "running"))) {
		ctl_progress_move(&bar, json_number_value(json_object_get(state, "share")));
		json_decref(state);
		state = NULL;
		(void)usleep(LOOK_US);
		status = ctl_call(ctl, "GET", "/v1/scrub", NULL, &state);
	}
	ctl_progress_end(&bar);
	if (status / 100 != 2) {
		(void)ctl_fail(ctl, status, state);
		return false;
	}
	const char *error = ctl_text(state, "error");
	bool done = error[0] == '\0';
	if (!done)
		ctl_fault(ctl, "%s", error);
	json_decref(state);
	return done;
}

static int run(struct ctl *ctl)
{
	char why[512];
	uint64_t before = size_of_store(ctl->store.path);
	bool is_held = store_look(ctl->store.path, why, sizeof(why)) == STORE_LOOK_HELD;
	if (before == 0) {
		ctl_fault(ctl, "there is no store in %s; give --store", ctl->store.path);
		return EXIT_FAILURE;
	}
	if (!(is_held ? scrub_running(ctl) : scrub_stopped(ctl)))
		return EXIT_FAILURE;
	uint64_t after = size_of_store(ctl->store.path);
	if (ctl->json)
		return ctl_print_json(json_pack("{s:I,s:I}", "bytes_before", (json_int_t)before,
						"bytes_after", (json_int_t)after));
	(void)printf("scrubbed: %" PRIu64 " bytes before, %" PRIu64 " after\n", before, after);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_scrub = {
	.name = "scrub",
	.arguments = "",
	.help = "free the store's file of all erased texts",
	.details = "Asks the recalld that has the store open; without one, does it itself.",
	.example = "recallctl scrub",
	.success = "the new file is in place",
	.takes = CTL_TAKES_STORE,
	.run = run,
};
