#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>
#include <unistd.h>

static void set_text(json_t *body, const char *name, const char *value)
{
	if (value != NULL)
		json_object_set_new(body, name, json_string(value));
}

static json_t *ask(const struct ctl *ctl)
{
	json_t *body = json_object();
	set_text(body, "question", ctl->arguments[1]);
	set_text(body, "mode", ctl->mode);
	set_text(body, "session", ctl->session);
	set_text(body, "model", ctl->model);
	return body;
}

/* Byte for byte, so that it can be compared, except that nothing may drive a terminal. */
static void print_body(json_t *body)
{
	if (isatty(STDOUT_FILENO))
		ctl_print(json_string_value(body), 0);
	else
		(void)fwrite(json_string_value(body), 1, json_string_length(body), stdout);
	(void)putchar('\n');
}

static int preview(struct ctl *ctl)
{
	json_t *question = ask(ctl), *answer = NULL;
	char *path = ctl_path(ctl, "/v1/users/", ctl->arguments[0], "/preview");
	int status = ctl_call(ctl, "POST", path, question, &answer);
	free(path);
	json_decref(question);
	if (status != 200)
		return ctl_fail(ctl, status, answer);
	json_t *receipt = json_object_get(answer, "receipt");
	json_t *body = json_object_get(answer, "body");
	if (!json_is_object(receipt) || (ctl->body && !json_is_string(body)))
		return ctl_fail_to_read(ctl, answer);
	if (ctl->json)
		return ctl_print_json(answer);
	ctl_print_receipt(receipt);
	if (ctl->body) {
		(void)puts("\n"
			   "Body");
		print_body(body);
	}
	json_decref(answer);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_preview = {
	.name = "preview",
	.arguments = "USER QUESTION",
	.help = "show what a request with this question would get now",
	.example = "recallctl preview alex \"Where do I live?\" --mode vector",
	.success = "shown",
	.least = 2,
	.most = 2,
	.takes = CTL_TAKES_REQUEST | CTL_TAKES_BODY,
	.run = preview,
};
