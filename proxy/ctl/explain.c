#include "proxy/ctl/ctl.h"

#include <stdlib.h>

static int explain(struct ctl *ctl)
{
	json_t *receipt = NULL;
	char *path = ctl_path(ctl, "/v1/receipts/", ctl->arguments[0], "");
	int status = ctl_call(ctl, "GET", path, NULL, &receipt);
	free(path);
	if (status == 404) {
		ctl->fault_status = status;
		ctl_fault(
			ctl,
			"no such receipt; a reply's X-Memory-Receipt names it; recalld keeps only "
			"the newest, and none that quotes forgotten or expired ([retention]) data");
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
	.help = "what a request was given, from where, what did not fit",
	.details = "A reply's header X-Memory-Receipt names its receipt.",
	.example = "recallctl explain 00c0ffee00c0ffee",
	.success = "shown",
	.failure = "no such receipt",
	.least = 1,
	.most = 1,
	.run = explain,
};
