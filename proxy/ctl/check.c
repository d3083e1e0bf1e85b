/* Whether recalld and the servers that it calls are well. Members that an earlier recalld does not
 * give are left out. */
#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

enum { FEW_CALLS = 10, FULL_PERCENT = 80, FAILED_PERCENT = 50 };

static const double MEGABYTE = 1 << 20; /* map_size counts in these units */
static const double GIGABYTE = 1 << 30;

/* ---- what the text says ---- */

/* In the largest unit that divides it. */
static json_t *time_of(json_int_t ms)
{
	static const struct {
		const char *name;
		json_int_t ms;
	} units[] = {{"d", 24 * 3600 * 1000},
		     {"h", 3600 * 1000},
		     {"m", 60 * 1000},
		     {"s", 1000},
		     {"ms", 1}};
	size_t i = 0;
	if (ms <= 0)
		return json_string("for ever");
	while (ms % units[i].ms != 0)
		i++;
	return json_sprintf("%" JSON_INTEGER_FORMAT "%s", ms / units[i].ms, units[i].name);
}

/* In percent of the calls to the memory model. */
static json_int_t share(const json_t *model, json_int_t of)
{
	json_int_t calls = ctl_number(model, "calls");
	return calls == 0 ? 0 : 100 * of / calls;
}

/* Of the facts that the model names, those that the user's words do not bear out. */
static json_int_t rejected_share(const json_t *model)
{
	json_int_t rejected = ctl_number(model, "facts_rejected");
	json_int_t named = rejected + ctl_number(model, "facts_stored");
	return named < FEW_CALLS ? 0 : 100 * rejected / named;
}

/* In percent of the exchanges that were learned from, several by one call; an earlier recalld
 * counts calls alone. Questions hold nothing to be found. */
static json_int_t empty_share(const json_t *model)
{
	json_int_t lessons =
		ctl_number(model, json_object_get(model, "lessons") ? "lessons" : "calls");
	return lessons == 0 ? 0 : 100 * ctl_number(model, "empty") / lessons;
}

/* In percent of the exchanges in which something was found, or should have been: the user tells
 * something of themselves. An earlier recalld does not know which tell. */
static json_int_t missed_share(const json_t *model)
{
	if (!json_object_get(model, "missed"))
		return ctl_number(model, "calls") < FEW_CALLS ? 0 : empty_share(model);
	const json_int_t missed = ctl_number(model, "missed");
	const json_int_t told = ctl_number(model, "lessons") - ctl_number(model, "empty") + missed;
	return told < FEW_CALLS ? 0 : 100 * missed / told;
}

/* What is to be done about the memory model and the store. */
static json_t *advice(json_t *status)
{
	const json_t *model = json_object_get(status, "memory_model");
	const bool called = ctl_number(model, "calls") >= FEW_CALLS;
	const json_int_t full = ctl_number(status, "bytes_mapped") / 100 * FULL_PERCENT;
	return json_pack("{s:b,s:b,s:b,s:b,s:b}", "unusable",
			 called && share(model, ctl_number(model, "unusable")) > FAILED_PERCENT,
			 "missing_facts", missed_share(model) > FULL_PERCENT, "making_up",
			 rejected_share(model) > FULL_PERCENT, "late",
			 called && share(model, ctl_number(model, "late")) > FAILED_PERCENT, "full",
			 ctl_number(status, "bytes_used") > full);
}

static bool has_bad_answers(json_t *status)
{
	const char *name;
	json_t *count;
	bool has = false;
	json_object_foreach(json_object_get(status, "upstream_answers"), name, count) has =
		has || (strcmp(name, "2xx") != 0 && json_integer_value(count) != 0);
	return has;
}

static void set_size(json_t *status, const char *name, const char *bytes, double unit)
{
	json_object_set_new(status, name, json_real((double)ctl_number(status, bytes) / unit));
}

void ctl_fill_check(const struct ctl *ctl, json_t *answer)
{
	json_t *model = json_object_get(answer, "memory_model");
	json_t *retention = json_object_get(answer, "retention");
	json_object_set_new(answer, "admin", json_string(ctl->admin));
	json_object_set_new(retention, "messages_kept",
			    time_of(ctl_number(retention, "messages_ms")));
	json_object_set_new(retention, "facts_kept", time_of(ctl_number(retention, "facts_ms")));
	set_size(answer, "megabytes_used", "bytes_used", MEGABYTE);
	set_size(answer, "megabytes_mapped", "bytes_mapped", MEGABYTE);
	set_size(answer, "gigabytes_free", "disk_free", GIGABYTE);
	json_object_set_new(answer, "answered_badly", json_boolean(has_bad_answers(answer)));
	json_object_set_new(model, "shares",
			    json_pack("{s:I,s:I,s:I,s:I}", "refused",
				      share(model, ctl_number(model, "refused")), "unusable",
				      share(model, ctl_number(model, "unusable")), "empty",
				      empty_share(model), "unanswered",
				      share(model, ctl_number(model, "unreachable") +
							   ctl_number(model, "late"))));
	json_object_set_new(answer, "is", advice(answer));
}

/* ---- the command ---- */

/* It serves, and the last call to each server and the last reload succeeded. */
static bool is_well(json_t *status)
{
	static const char *const troubles[] = {"upstream_trouble", "learning_trouble",
					       "embedding_trouble", "configuration_trouble"};
	bool well = json_is_true(json_object_get(status, "ready"));
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
		well = well && *ctl_text(status, troubles[i]) == '\0';
	return well;
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

int ctl_check(struct ctl *ctl)
{
	json_t *status = NULL;
	if (ctl->given.quiet)
		return check_readiness(ctl);
	int code = ctl_call(ctl, "GET", "/v1/status", NULL, &status);
	if (code != 200)
		return ctl_fail(ctl, code, status);
	int result = is_well(status) ? EXIT_SUCCESS : EXIT_FAILURE;
	return ctl_show(ctl, status) == EXIT_SUCCESS ? result : EXIT_FAILURE;
}
