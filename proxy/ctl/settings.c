/* What a user has asked for: to be remembered, to be reminded, for how long. */
#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>
#include <string.h>

static char *path_of(const struct ctl *ctl)
{
	return ctl_path(ctl, "/v1/users/", ctl->arguments[0], "/settings");
}

/* ---- showing ---- */

static void print_row(const struct ctl *ctl, const char *name, const char *text)
{
	(void)printf("  %s%-12s%s", ctl_style(ctl, STYLE_KEY), name, ctl_style(ctl, STYLE_END));
	ctl_print(*text == '\0' ? "-" : text, 0);
	(void)putchar('\n');
}

static const char *switch_of(json_t *settings, const char *name)
{
	return json_is_true(json_object_get(settings, name)) ? "on" : "off";
}

static int print(struct ctl *ctl, json_t *settings)
{
	json_t *retention = json_object_get(settings, "retention");
	json_t *consent = json_object_get(settings, "consent");
	if (ctl->json)
		return ctl_print_json(settings);
	print_row(ctl, "learn", switch_of(settings, "learn"));
	print_row(ctl, "inject", switch_of(settings, "inject"));
	print_row(ctl, "messages", ctl_text(retention, "messages"));
	print_row(ctl, "facts", ctl_text(retention, "facts"));
	print_row(ctl, "pii", ctl_text(settings, "pii"));
	print_row(ctl, "consent", ctl_text(consent, "given_at"));
	if (*ctl_text(consent, "by") != '\0')
		print_row(ctl, "  by", ctl_text(consent, "by"));
	print_row(ctl, "hold_until", ctl_text(settings, "hold_until"));
	print_row(ctl, "note", ctl_text(settings, "note"));
	json_decref(settings);
	return EXIT_SUCCESS;
}

/* ---- changing ---- */

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
	char *path = path_of(ctl);
	int status = ctl_call(ctl, "PUT", path, settings, &answer);
	free(path);
	json_decref(settings);
	if (status != 200)
		return ctl_fail(ctl, status, answer);
	return print(ctl, answer);
}

static int settings(struct ctl *ctl)
{
	json_t *answer = NULL;
	char *path = path_of(ctl);
	int status = ctl_call(ctl, "GET", path, NULL, &answer);
	free(path);
	if (status != 200)
		return ctl_fail(ctl, status, answer);
	if (!json_is_object(json_object_get(answer, "retention")))
		return ctl_fail_to_read(ctl, answer);
	return ctl->argument_count > 1 ? put(ctl, answer) : print(ctl, answer);
}

const struct ctl_command ctl_settings = {
	.name = "settings",
	.arguments = "USER [NAME=VALUE...]",
	.help = "show or change what a user has asked for",
	.details =
		"learn=off keeps nothing of the user's exchanges, inject=off gives nothing to\n"
		"their requests; messages= and facts= are how long these are kept (30d), pii=\n"
		"is keep, redact or drop, consent= who agreed, hold_until= a legal hold, note= a\n"
		"text. \"-\" takes a setting back.",
	.example = "recallctl settings alex\n"
		   "recallctl settings alex learn=off inject=off note=\"asked by mail\"",
	.success = "shown, or stored",
	.least = 1,
	.most = 9,
	.takes = CTL_TAKES_COLOR,
	.run = settings,
};
