/* Reports errors: a sentence on standard error, and with --json an object on standard output. */
#include "proxy/ctl/ctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void ctl_note_fault(struct ctl *ctl, const char *text)
{
	char *earlier = ctl->fault;
	char *all = NULL;
	if (asprintf(&all, "%s%s%s", earlier == NULL ? "" : earlier, earlier == NULL ? "" : "; ",
		     text) < 0)
		out_of_memory();
	free(earlier);
	ctl->fault = all;
}

int ctl_fault(struct ctl *ctl, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	int size = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (size < 0)
		out_of_memory();
	(void)fputs("recallctl: ", stderr);
	ctl_print(stderr, text, 0);
	(void)fputc('\n', stderr);
	ctl_note_fault(ctl, text);
	free(text);
	return EXIT_FAILURE;
}

void ctl_print_faults(struct ctl *ctl)
{
	if (ctl->fault == NULL || !ctl->given.json)
		return;
	json_t *error = json_object();
	/* a name with bytes that are not UTF-8 gives no message */
	json_t *text = json_string(ctl->fault);
	json_object_set_new(error, "message", text == NULL ? json_null() : text);
	json_object_set_new(error, "code",
			    ctl->fault_code[0] == '\0' ? json_null()
						       : json_string(ctl->fault_code));
	json_object_set_new(error, "status",
			    ctl->fault_status == 0 ? json_null() : json_integer(ctl->fault_status));
	(void)ctl_print_json(json_pack("{s:o}", "error", error));
}
