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

struct sizes {
	uint64_t before, after; /* of the store's file, in bytes */
};

static bool scrub_stopped(struct ctl *ctl, struct sizes *sizes)
{
	char error[512];
	sizes->before = size_of_store(ctl->store.path);
	if (sizes->before == 0) {
		ctl_fault(ctl,
			  "there is no store in %s; give --store, or --admin where recalld runs "
			  "elsewhere",
			  ctl->store.path);
		return false;
	}
	ctl->store.scrubs = true;
	struct store *store = store_open(&ctl->store, error, sizeof(error));
	if (store == NULL)
		ctl_fault(ctl, "%s", error);
	store_close(store);
	sizes->after = size_of_store(ctl->store.path);
	return store != NULL;
}

/* 0: an earlier recalld does not tell. False: nobody answers, which has been reported. */
static bool ask_size(struct ctl *ctl, uint64_t *size)
{
	json_t *answer = NULL;
	int status = ctl_call(ctl, "GET", "/v1/status", NULL, &answer);
	*size = (uint64_t)json_integer_value(json_object_get(answer, "file_bytes"));
	json_decref(answer);
	return status != 0;
}

/* The daemon that has the store open does it, here or elsewhere. */
static bool scrub_running(struct ctl *ctl, struct sizes *sizes)
{
	struct ctl_progress bar;
	json_t *state = NULL;
	if (!ask_size(ctl, &sizes->before))
		return false;
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
	(void)ask_size(ctl, &sizes->after);
	const char *error = ctl_text(state, "error");
	bool done = error[0] == '\0';
	if (!done)
		ctl_fault(ctl, "%s", error);
	json_decref(state);
	return done;
}

static bool asks_daemon(const struct ctl *ctl)
{
	char why[512];
	return ctl->is_remote || store_look(ctl->store.path, why, sizeof(why)) == STORE_LOOK_HELD;
}

static bool needs_key(const struct ctl *ctl)
{
	return !asks_daemon(ctl);
}

static int run(struct ctl *ctl)
{
	struct sizes sizes = {0};
	if (!(asks_daemon(ctl) ? scrub_running : scrub_stopped)(ctl, &sizes))
		return EXIT_FAILURE;
	if (ctl->json)
		return ctl_print_json(json_pack("{s:I,s:I}", "bytes_before",
						(json_int_t)sizes.before, "bytes_after",
						(json_int_t)sizes.after));
	(void)printf("scrubbed: %" PRIu64 " bytes before, %" PRIu64 " after\n", sizes.before,
		     sizes.after);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_scrub = {
	.name = "scrub",
	.arguments = "",
	.help = "free the store's file of all erased texts",
	.details = "Asks the recalld that has the store open, with --admin the one there;\n"
		   "without one, does it itself.",
	.example = "recallctl scrub\n"
		   "recallctl scrub --admin unix:/run/recalld/admin.sock",
	.success = "the new file is in place",
	.takes = CTL_TAKES_STORE,
	.run = run,
	.needs_key = needs_key,
};
