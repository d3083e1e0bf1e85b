#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>
#include <string.h>

/* The id as the log writes it: receipt=ID, or "receipt":"ID" in JSON, with what stands around. */
static char *read_id(const char *written)
{
	char *id = NULL;
	static const char digits[] = "0123456789abcdef";
	enum { ID_DIGITS = 16 };
	for (const char *at = written; id == NULL && *at != '\0';) {
		size_t size = strspn(at, digits);
		if (size == ID_DIGITS && (id = strndup(at, size)) == NULL)
			out_of_memory();
		at += size;
		at += strcspn(at, digits);
	}
	return id == NULL ? xstrdup(written) : id;
}

static int explain(struct ctl *ctl)
{
	json_t *receipt = NULL;
	char *id = read_id(ctl->arguments[0]);
	char *path = ctl_path(ctl, "/v1/receipts/", id, "");
	free(id);
	int status = ctl_call(ctl, "GET", path, NULL, &receipt);
	free(path);
	if (status == 404) {
		ctl->fault_status = status;
		ctl_fault(ctl, "no such receipt; X-Memory-Receipt in a reply names its receipt; "
			       "recalld keeps only the newest ones, and none that quotes forgotten "
			       "or expired ([retention]) data");
		json_decref(receipt);
		return EXIT_FAILURE;
	}
	if (status != 200)
		return ctl_fail(ctl, status, receipt);
	if (!json_is_object(receipt))
		return ctl_fail_to_read(ctl, receipt);
	if (ctl->json)
		return ctl_print_json(receipt);
	ctl_print_receipt(receipt);
	json_decref(receipt);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_explain = {
	.name = "explain",
	.arguments = "RECEIPT",
	.help = "show what a request was given, and what was left out",
	.details =
		"The header X-Memory-Receipt of a reply names its receipt, and so does the log:\n"
		"RECEIPT may be copied from there (receipt=ID).",
	.example = "recallctl explain 00c0ffee00c0ffee",
	.success = "shown",
	.failure = "no such receipt",
	.least = 1,
	.most = 1,
	.run = explain,
};
