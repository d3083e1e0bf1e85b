#include "proxy/ctl/ctl.h"

#include <stdlib.h>

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

static int forget(struct ctl *ctl)
{
	json_t *answer = NULL;
	bool was_known;
	if (!ask_whether_known(ctl, &was_known))
		return EXIT_FAILURE;
	char *path = ctl_path(ctl, "/v1/users/", ctl->arguments[0], "");
	int status = ctl_call(ctl, "DELETE", path, NULL, &answer);
	free(path);
	if (status != 204)
		return ctl_fail(ctl, status, answer);
	if (!was_known)
		return ctl_fail_as_unknown(ctl);
	if (ctl->json)
		return ctl_print_json(
			json_pack("{s:s,s:b}", "user", ctl->arguments[0], "forgotten", 1));
	(void)fputs("forgotten: ", stdout);
	ctl_print(ctl->arguments[0], 0);
	(void)putchar('\n');
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_forget = {
	.name = "forget",
	.arguments = "USER",
	.help = "forget everything about a user",
	.example = "recallctl forget alex",
	.success = "forgotten",
	.failure = "nothing is stored under that name",
	.least = 1,
	.most = 1,
	.run = forget,
};
