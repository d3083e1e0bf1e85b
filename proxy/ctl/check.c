/* Whether recalld and the servers that it calls are well. Members that an earlier recalld does not
 * give are left out. */
#include "proxy/ctl/ctl.h"

#include <string.h>

enum { FEW_CALLS = 10, FULL_PERCENT = 80, FAILED_PERCENT = 50 };

static const double MEGABYTE = 1 << 20; /* map_size counts in these units */
static const double GIGABYTE = 1 << 30;

/* ---- what the text says ---- */

/* In the largest unit that divides it. */
static json_t *time_of(json_int_t ms)
{
	static const char *const names[] = {"d", "h", "m", "s", "ms"};
	static const json_int_t units[] = {24 * 3600 * 1000, 3600 * 1000, 60 * 1000, 1000, 1};
	size_t i = 0;
	if (ms <= 0)
		return json_string("for ever");
	while (ms % units[i] != 0)
		i++;
	return json_sprintf("%" JSON_INTEGER_FORMAT "%s", ms / units[i], names[i]);
}

/* 0 if they are fewer than `least`. */
static json_int_t percent(json_int_t part, json_int_t all, json_int_t least)
{
	return all < least ? 0 : 100 * part / all;
}

/* A share of the calls to the memory model, in percent. */
static json_int_t share(const json_t *model, const char *of)
{
	return percent(ctl_number(model, of), ctl_number(model, "calls"), 1);
}

/* The percentage of the model's facts that the user's words do not bear out. */
static json_int_t rejected_share(const json_t *model)
{
	const json_int_t rejected = ctl_number(model, "facts_rejected");
	return percent(rejected, rejected + ctl_number(model, "facts_stored"), FEW_CALLS);
}

/* The percentage of the learned exchanges in which nothing was found; an earlier recalld counts
 * calls instead. Questions hold nothing to be found. */
static json_int_t empty_share(const json_t *model)
{
	const char *all = json_object_get(model, "lessons") ? "lessons" : "calls";
	return percent(ctl_number(model, "empty"), ctl_number(model, all), 1);
}

/* The percentage of exchanges in which nothing was found although the user tells something of
 * themselves. An earlier recalld does not know which tell. */
static json_int_t missed_share(const json_t *model)
{
	if (!json_object_get(model, "missed"))
		return ctl_number(model, "calls") < FEW_CALLS ? 0 : empty_share(model);
	const json_int_t missed = ctl_number(model, "missed");
	return percent(missed, ctl_number(model, "lessons") - ctl_number(model, "empty") + missed,
		       FEW_CALLS);
}

/* Advice about the memory model and the store. */
static json_t *advice(json_t *status)
{
	const json_t *model = json_object_get(status, "memory_model");
	const bool called = ctl_number(model, "calls") >= FEW_CALLS;
	const json_int_t full = ctl_number(status, "bytes_mapped") / 100 * FULL_PERCENT;
	return json_pack("{s:b,s:b,s:b,s:b,s:b}", "unusable",
			 called && share(model, "unusable") > FAILED_PERCENT, "missing_facts",
			 missed_share(model) > FULL_PERCENT, "making_up",
			 rejected_share(model) > FULL_PERCENT, "late",
			 called && share(model, "late") > FAILED_PERCENT, "full",
			 ctl_number(status, "bytes_used") > full);
}

static bool has_bad_answers(json_t *status)
{
	const char *name;
	json_t *count;
	json_object_foreach(json_object_get(status, "upstream_answers"), name, count)
	{
		if (strcmp(name, "2xx") != 0 && json_integer_value(count) != 0)
			return true;
	}
	return false;
}

static void set_size(json_t *status, const char *name, const char *bytes, double unit)
{
	json_object_set_new(status, name, json_real((double)ctl_number(status, bytes) / unit));
}

void ctl_fill_check(struct ctl *ctl, json_t *answer)
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
	json_object_set_new(
		model, "shares",
		json_pack("{s:I,s:I,s:I,s:I}", "refused", share(model, "refused"), "unusable",
			  share(model, "unusable"), "empty", empty_share(model), "unanswered",
			  percent(ctl_number(model, "unreachable") + ctl_number(model, "late"),
				  ctl_number(model, "calls"), 1)));
	json_object_set_new(answer, "is", advice(answer));
}

/* ---- the command ---- */

/* It serves, and the last call to each server and the last reload succeeded. */
static bool is_well(json_t *status)
{
	return json_is_true(json_object_get(status, "ready")) &&
	       *ctl_text(status, "upstream_trouble") == '\0' &&
	       *ctl_text(status, "learning_trouble") == '\0' &&
	       *ctl_text(status, "embedding_trouble") == '\0' &&
	       *ctl_text(status, "configuration_trouble") == '\0';
}

/* Asks what probes ask. A failing upstream does not count: whoever watches would restart recalld or
 * take it out of service, and that helps nobody. */
static bool check_readiness(struct ctl *ctl)
{
	json_t *answer = NULL;
	const int code = ctl_call(ctl, "GET", "/readyz", NULL, &answer);
	json_decref(answer);
	if (code != 200 && code != 0)
		ctl_fault(ctl, "recalld is not ready (status %d)", code);
	return code == 200;
}

bool ctl_check(struct ctl *ctl)
{
	json_t *status = NULL;
	if (ctl->given.quiet)
		return check_readiness(ctl);
	const int code = ctl_call(ctl, "GET", ctl->command->path, NULL, &status);
	const bool well = is_well(status);
	return ctl_finish(ctl, code, status) && well;
}
