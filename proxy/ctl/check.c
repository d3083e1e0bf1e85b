#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>
#include <string.h>

static const double MEGABYTE = 1 << 20; /* map_size counts in these units */

static long long number(const json_t *status, const char *name)
{
	return (long long)json_integer_value(json_object_get(status, name));
}

static const char *key_words(const char *source)
{
	if (strcmp(source, "model") == 0)
		return "[model] api_key";
	if (strcmp(source, "upstream") == 0)
		return "[upstream] api_key";
	return "each client's own key, never on disk";
}

static void print_recall(json_t *status)
{
	const char *model = ctl_text(status, "embedding");
	if (*model == '\0')
		(void)printf("  recalls by  words alone; [model] embedding is not set\n");
	else
		(void)printf("  recalls by  words, and by meaning, using %s\n", model);
}

/* In the largest unit that divides it. */
static void print_time(long long ms)
{
	static const struct {
		const char *name;
		long long ms;
	} units[] = {{"d", 24 * 3600 * 1000}, {"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ms > 0 && ms % units[i].ms == 0) {
			(void)printf("%lld%s", ms / units[i].ms, units[i].name);
			return;
		}
	}
	if (ms > 0)
		(void)printf("%lldms", ms);
	else
		(void)printf("for ever");
}

static void print_retention(json_t *retention)
{
	if (!json_is_object(retention)) /* an earlier recalld */
		return;
	(void)printf("  keeps       messages ");
	print_time(number(retention, "messages_ms"));
	(void)printf(", facts ");
	print_time(number(retention, "facts_ms"));
	(void)printf(", pii: ");
	ctl_print(ctl_text(retention, "pii"), 0);
	(void)putchar('\n');
}

static const char *const troubles[][2] = {
	{"upstream_trouble", "the upstream"},
	{"learning_trouble", "the memory model"},
	{"embedding_trouble", "the embedding model"},
	{"configuration_trouble", "the changed configuration, which is not in force"},
};

enum { TROUBLES = sizeof(troubles) / sizeof(troubles[0]) };

/* It serves, and the last call to each server and the last reload succeeded. */
static bool is_well(json_t *status)
{
	bool well = json_is_true(json_object_get(status, "ready"));
	for (size_t i = 0; i < TROUBLES; i++)
		well = well && *ctl_text(status, troubles[i][0]) == '\0';
	return well;
}

/* Prints the error of the last call, if it failed. */
static void print_failure(json_t *status, const char *name, const char *server)
{
	const char *why = ctl_text(status, name);
	if (*why == '\0')
		return;
	(void)printf("  trouble     %s: ", server);
	ctl_print(why, 0);
	(void)puts("; see the log");
}

static void print_count(const json_t *status, const char *name, const char *then)
{
	ctl_print_count(number(status, name), name);
	(void)fputs(then, stdout);
}

/* Asks what probes ask. A failing upstream does not count: whoever watches would restart recalld or
 * take it out of service, and that helps nobody. */
static int check_readiness(struct ctl *ctl)
{
	json_t *answer = NULL;
	int code = ctl_call(ctl, "GET", "/readyz", NULL, &answer);
	json_decref(answer);
	if (code != 200 && code != 0)
		ctl_fault(ctl, "recalld is not ready (status %d)", code);
	return code == 200 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int check(struct ctl *ctl)
{
	json_t *status = NULL;
	if (ctl->quiet)
		return check_readiness(ctl);
	int code = ctl_call(ctl, "GET", "/v1/status", NULL, &status);
	if (code != 200)
		return ctl_fail(ctl, code, status);
	bool is_ready = json_is_true(json_object_get(status, "ready"));
	int result = is_well(status) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (ctl->json) {
		ctl_print_json(status);
		return result;
	}
	if (*ctl_text(status, "version") == '\0')
		return ctl_fail_to_read(ctl, status);
	(void)printf("recalld %s at %s: %s\n", ctl_text(status, "version"), ctl->admin,
		     is_ready ? "ready" : ctl_text(status, "reason"));
	(void)printf("  upstream    %s\n", ctl_text(status, "upstream"));
	(void)printf("  mode        %s%s%s\n", ctl_text(status, "mode"),
		     json_is_true(json_object_get(status, "inject")) ? "" : ", injects nothing",
		     json_is_true(json_object_get(status, "learn")) ? "" : ", learns nothing");
	(void)printf("  learns with %s\n", key_words(ctl_text(status, "learning_key")));
	print_recall(status);
	for (size_t i = 0; i < TROUBLES; i++)
		print_failure(status, troubles[i][0], troubles[i][1]);
	print_retention(json_object_get(status, "retention"));
	(void)printf("  holds       ");
	print_count(status, "users", ", ");
	print_count(status, "turns", ", ");
	print_count(status, "facts", "; ");
	(void)printf("%.1f of %.0f MB\n", (double)number(status, "bytes_used") / MEGABYTE,
		     (double)number(status, "bytes_mapped") / MEGABYTE);
	(void)printf("  waits       ");
	print_count(status, "jobs", ", ");
	(void)printf("%lld parked%s\n", number(status, "parked"),
		     number(status, "parked") > 0 ? " (recallctl unpark resumes them)" : "");
	ctl_print_work(status);
	ctl_print_advice(status);
	json_decref(status);
	return result;
}

const struct ctl_command ctl_check = {
	.name = "check",
	.arguments = "",
	.help = "show health, learning, stored memory and waiting work",
	.details = "With --quiet it suits health checks: it needs no token and ignores a failing\n"
		   "upstream or model, since a restart would not help.",
	.example = "recallctl check\n"
		   "recallctl check --quiet && echo \"takes traffic\"",
	.success = "recalld is ready, and the last reload and call to each server succeeded",
	.failure = "it is not ready, or one of them failed",
	.takes = CTL_TAKES_QUIET,
	.run = check,
};
