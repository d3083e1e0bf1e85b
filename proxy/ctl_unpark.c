#include "proxy/ctl.h"

#include <stdlib.h>

static int unpark(struct ctl *ctl)
{
	json_t *answer = NULL;
	char *path = ctl->argument_count == 0
			     ? xstrdup("/v1/unpark")
			     : ctl_path(ctl, "/v1/users/", ctl->arguments[0], "/unpark");
	int status = ctl_call(ctl, "POST", path, NULL, &answer);
	free(path);
	if (status != 202)
		return ctl_fail(status, answer);
	if (ctl->json)
		return ctl_print_json(answer);
	json_decref(answer);
	(void)puts("parked exchanges are learned from again");
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_unpark = {
	"unpark", "[USER]", "learn again from exchanges that were given up, of one user or of all",
	0,        1,        unpark};
