/* What a user has asked for: to be remembered, to be reminded, for how long. */
#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

static const char path[] = "/v1/users/{1}/settings?tenant";

/* "-" and nothing take a setting back. */
static json_t *text_or_null(const char *text)
{
	return *text == '\0' || strcmp(text, "-") == 0 ? json_null() : json_string(text);
}

static bool set_switch(json_t *settings, const char *name, const char *value)
{
	bool is_on = strcmp(value, "on") == 0;
	json_object_set_new(settings, name, json_boolean(is_on));
	return is_on || strcmp(value, "off") == 0;
}

static bool set_member(json_t *settings, const char *name, const char *value)
{
	json_t *retention = json_object_get(settings, "retention");
	if (strcmp(name, "learn") == 0 || strcmp(name, "inject") == 0)
		return set_switch(settings, name, value);
	if (strcmp(name, "messages") == 0 || strcmp(name, "facts") == 0)
		return json_object_set_new(retention, name, text_or_null(value)) == 0;
	if (strcmp(name, "pii") == 0 || strcmp(name, "hold_until") == 0 ||
	    strcmp(name, "note") == 0)
		return json_object_set_new(settings, name, text_or_null(value)) == 0;
	if (strcmp(name, "consent") != 0)
		return false;
	json_t *by = text_or_null(value);
	json_object_set_new(settings, name, json_is_null(by) ? by : json_pack("{s:o}", "by", by));
	return true;
}

/* Applies "NAME=VALUE". */
static bool change(struct ctl *ctl, json_t *settings, const char *argument)
{
	const char *equals = strchr(argument, '=');
	char name[16] = "";
	if (equals != NULL && (size_t)(equals - argument) < sizeof(name))
		memcpy(name, argument, (size_t)(equals - argument));
	if (equals != NULL && set_member(settings, name, equals + 1))
		return true;
	ctl_fault(ctl,
		  "%s is no setting: learn=on|off, inject=on|off, messages=30d, facts=30d, "
		  "pii=keep|redact|drop, consent=WHO, hold_until=TIME, note=TEXT; \"-\" takes one "
		  "back",
		  argument);
	return false;
}

static int put(struct ctl *ctl, json_t *settings)
{
	json_t *answer = NULL;
	for (int i = 1; i < ctl->argument_count; i++) {
		if (!change(ctl, settings, ctl->arguments[i])) {
			json_decref(settings);
			return EXIT_FAILURE;
		}
	}
	int status = ctl_call(ctl, "PUT", path, settings, &answer);
	json_decref(settings);
	return status == 200 ? ctl_show(ctl, answer) : ctl_fail(ctl, status, answer);
}

int ctl_settings(struct ctl *ctl)
{
	json_t *answer = NULL;
	int status = ctl_call(ctl, "GET", path, NULL, &answer);
	if (status != 200)
		return ctl_fail(ctl, status, answer);
	if (!json_is_object(json_object_get(answer, "retention")))
		return ctl_fail_to_read(ctl, answer);
	return ctl->argument_count > 1 ? put(ctl, answer) : ctl_show(ctl, answer);
}
