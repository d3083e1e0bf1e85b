#include "proxy/ctl/tool/ctl.h"

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
		return ctl_fail_of_user(ctl, status, answer);
	if (ctl->json)
		return ctl_print_json(answer);
	json_t *count = json_object_get(answer, "unparked");
	if (!json_is_integer(count))
		return ctl_fail_to_read(ctl, answer);
	(void)fputs("set going again: ", stdout);
	ctl_print_count((long long)json_integer_value(count), "jobs");
	(void)putchar('\n');
	json_decref(answer);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_unpark = {
	.name = "unpark",
	.arguments = "[USER]",
	.help = "retry learning from parked exchanges",
	.details = "An exchange is parked after ten unusable answers of the memory model.",
	.example = "recallctl unpark",
	.success = "the exchanges wait to be learned from again",
	.most = 1,
	.run = unpark,
};
