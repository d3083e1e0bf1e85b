#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>
#include <string.h>

/* Otherwise a mistyped name or a missing tenant would look like an erasure. False: nobody answered,
 * which has been reported. */
static bool ask_whether_known(struct ctl *ctl, bool *was_known)
{
	json_t *answer = NULL;
	char *path = ctl_path(ctl, "/v1/users/", ctl->arguments[0], "/memory");
	int status = ctl_call(ctl, "GET", path, NULL, &answer);
	free(path);
	json_decref(answer);
	*was_known = status != 404;
	return status != 0;
}

/* Erasing leaves the bytes where they were. */
void ctl_tell_of_disk(json_t *answer)
{
	const char *until = ctl_text(answer, "disk_until");
	if (strcmp(ctl_text(answer, "disk"), "logical") == 0)
		(void)puts("the store's file holds the erased texts until recallctl scrub");
	else if (until[0] != '\0')
		(void)printf("the store's file may hold the erased texts until %s\n", until);
	if (ctl_text(answer, "backups_until")[0] != '\0')
		(void)printf("exported keys may open them in sealed exports until %s\n",
			     ctl_text(answer, "backups_until"));
}

static int forget_user(struct ctl *ctl)
{
	json_t *answer = NULL;
	bool was_known;
	if (!ask_whether_known(ctl, &was_known))
		return EXIT_FAILURE;
	struct buffer path = ctl_begin_path(ctl, "/v1/users/", ctl->arguments[0], "");
	ctl_add_query(&path, "force", ctl->force ? "1" : NULL);
	buffer_append_byte(&path, '\0');
	int status = ctl_call(ctl, "DELETE", path.data, NULL, &answer);
	buffer_finish(&path);
	if (status != 200 || !json_is_string(json_object_get(answer, "disk")))
		return ctl_fail(ctl, status, answer);
	if (!was_known) {
		json_decref(answer);
		return ctl_fail_as_unknown(ctl);
	}
	if (ctl->json) {
		json_decref(answer);
		return ctl_print_json(
			json_pack("{s:s,s:b}", "user", ctl->arguments[0], "forgotten", 1));
	}
	(void)fputs("forgotten: ", stdout);
	ctl_print(ctl->arguments[0], 0);
	(void)putchar('\n');
	ctl_tell_of_disk(answer);
	json_decref(answer);
	return EXIT_SUCCESS;
}

static int forget(struct ctl *ctl)
{
	int parts = ctl_count_parts(ctl);
	if (parts == 1)
		return ctl_forget_part(ctl);
	if (parts == 0 && ctl->plan == NULL && !ctl->never_again && !ctl->keep_turns)
		return ctl->dry_run ? ctl_forget_part(ctl) : forget_user(ctl);
	ctl_fault(ctl, parts > 1 ? "name one part: --fact, --turn, --conversation, --session, "
				   "--since and --until, or --about and --entity"
				 : "--plan, --never-again and --keep-turns are for a part: name a "
				   "fact, a turn, a conversation, a time or a topic");
	return EXIT_FAILURE;
}

const struct ctl_command ctl_forget = {
	.name = "forget",
	.arguments = "USER",
	.help = "forget everything about a user, or a part",
	.details =
		"A part is named by one option: a fact, a turn, a conversation by its number\n"
		"or its session, what was said between two times, or a topic. It goes with all\n"
		"that was made of it, a fact with the turns that say it. A topic is shown first,\n"
		"with a plan that deletes it.",
	.example = "recallctl forget alex\n"
		   "recallctl forget alex --fact 12 --never-again\n"
		   "recallctl forget alex --about \"my divorce\"\n"
		   "recallctl forget alex --since 2026-01-05 --until 2026-01-06 --dry-run",
	.success = "forgotten, or shown",
	.failure = "nothing is stored under that name",
	.least = 1,
	.most = 1,
	.takes = CTL_TAKES_PART | CTL_TAKES_TIMES | CTL_TAKES_DRY,
	.run = forget,
};
