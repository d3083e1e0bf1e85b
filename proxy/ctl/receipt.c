/* What a request was given, or would be. */
#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

void ctl_fill_receipt(const struct ctl *ctl, json_t *answer)
{
	json_t *time = json_object_get(answer, "elapsed_us");
	(void)ctl;
	if (json_is_number(time))
		json_object_set_new(answer, "elapsed_ms",
				    json_real(json_number_value(time) / 1000.0));
}

void ctl_fill_receipts(const struct ctl *ctl, json_t *answer)
{
	size_t i;
	json_t *receipt;
	json_array_foreach(json_object_get(answer, "receipts"), i, receipt)
		ctl_fill_receipt(ctl, receipt);
}

void ctl_fill_preview(const struct ctl *ctl, json_t *answer)
{
	ctl_fill_receipt(ctl, json_object_get(answer, "receipt"));
	if (ctl->given.body)
		json_object_set(answer, "shown_body", json_object_get(answer, "body"));
}

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

int ctl_explain(struct ctl *ctl)
{
	json_t *receipt = NULL;
	char *id = read_id(ctl->arguments[0]);
	ctl->arguments = &id;
	int status = ctl_call(ctl, "GET", "/v1/receipts/{1}?tenant", NULL, &receipt);
	free(id);
	if (status == 404) {
		ctl->fault_status = status;
		json_decref(receipt);
		return ctl_fault(ctl, "%s", ctl->command->unknown);
	}
	if (status != 200)
		return ctl_fail(ctl, status, receipt);
	return json_is_object(receipt) ? ctl_show(ctl, receipt) : ctl_fail_to_read(ctl, receipt);
}
