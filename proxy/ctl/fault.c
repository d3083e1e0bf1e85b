/* Reports errors: a sentence on standard error, and with --json an object on standard output. */
#include "proxy/ctl/ctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void ctl_note_fault(struct ctl *ctl, const char *text)
{
	ctl->fault = arena_printf(&ctl->arena, "%s%s%s", ctl->fault == NULL ? "" : ctl->fault,
				  ctl->fault == NULL ? "" : "; ", text)
			     .data;
}

bool ctl_fault(struct ctl *ctl, const char *format, ...)
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
	return false;
}

static void note_code(struct ctl *ctl, int status, const char *code)
{
	ctl->fault_status = status;
	(void)snprintf(ctl->fault_code, sizeof(ctl->fault_code), "%s", code);
}

bool ctl_fail_as_unknown(struct ctl *ctl, const char *unknown)
{
	note_code(ctl, 404, "not_found");
	return ctl_fault(ctl, "%s", unknown);
}

/* A pinned fact is replaced only on request. */
static void fail_as_pinned(struct ctl *ctl, json_t *pinned, json_t *given)
{
	note_code(ctl, 409, "pinned");
	ctl_fault(ctl, "%s is pinned as %s (fact %s), not %s; --replace replaces it",
		  ctl_text(pinned, "key"), ctl_text(pinned, "value"), ctl_text(pinned, "id"),
		  ctl_text(given, "value"));
}

bool ctl_fail(struct ctl *ctl, int status, json_t *answer, const char *unknown)
{
	json_t *error = json_object_get(answer, "error");
	json_t *pinned = json_object_get(answer, "pinned");
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *code = ctl_text(error, "code");
	note_code(ctl, status, code);
	if (status == 404 && unknown != NULL && strcmp(code, "not_found") == 0)
		ctl_fail_as_unknown(ctl, unknown);
	else if (status == 409 && ctl->command->fact != NULL && json_is_object(pinned))
		fail_as_pinned(ctl, pinned, json_object_get(answer, "given"));
	else if (status != 0 && message == NULL)
		ctl_fault(ctl, "%d, not an answer of recalld; is --admin right?", status);
	else if (status != 0)
		ctl_fault(ctl, "%d: %s%s", status, message,
			  status == 401 ? " Give it with --token." : "");
	json_decref(answer);
	return false;
}

bool ctl_fail_to_read(struct ctl *ctl, json_t *answer)
{
	json_decref(answer);
	return ctl_fault(ctl, "%s did not answer like recalld; is --admin right?", ctl->admin);
}

void ctl_print_faults(struct ctl *ctl)
{
	if (ctl->fault == NULL || !ctl->given.json)
		return;
	/* Where bytes are not UTF-8, as in a name, there is no message. */
	json_t *code = ctl->fault_code[0] == '\0' ? NULL : json_string(ctl->fault_code);
	json_t *status = ctl->fault_status == 0 ? NULL : json_integer(ctl->fault_status);
	(void)ctl_print_json(json_pack("{s:{s:o?,s:o?,s:o?}}", "error", "message",
				       json_string(ctl->fault), "code", code, "status", status));
}
