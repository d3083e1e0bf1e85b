#include "proxy/ctl.h"

#include <stdlib.h>

static int forget(struct ctl *ctl)
{
	json_t *answer = NULL;
	char *path = ctl_path(ctl, "/v1/users/", ctl->arguments[0], "");
	int status = ctl_call(ctl, "DELETE", path, NULL, &answer);
	free(path);
	if (status != 204)
		return ctl_fail(status, answer);
	if (ctl->json)
		return ctl_print_json(
			json_pack("{s:s,s:b}", "user", ctl->arguments[0], "forgotten", 1));
	(void)fputs("forgotten: ", stdout);
	ctl_print(ctl->arguments[0], 0);
	(void)putchar('\n');
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_forget = {"forget", "USER", "forget everything about a user",
				       1,        1,      forget};
