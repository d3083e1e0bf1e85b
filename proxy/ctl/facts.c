/* The commands about single facts: what is known, what is wrong about it, and what stands. */
#include "core/facts/facts.h"
#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

enum { USUAL_FACTS = 1000, MARKS_SIZE = 64, PATH_SIZE = 64 };

/* ---- facts ---- */

static void add_mark(char marks[MARKS_SIZE], bool is_set, const char *mark)
{
	size_t size = strlen(marks);
	if (is_set)
		(void)snprintf(marks + size, MARKS_SIZE - size, "%s%s", size > 0 ? ", " : "", mark);
}

void ctl_fill_facts(const struct ctl *ctl, json_t *answer)
{
	size_t i;
	json_t *fact;
	(void)ctl;
	json_array_foreach(json_object_get(answer, "facts"), i, fact)
	{
		char marks[MARKS_SIZE] = "";
		const char *state = ctl_text(fact, "state"), *at = ctl_text(fact, "observed_at");
		add_mark(marks, strcmp(state, "current") != 0, state);
		add_mark(marks, json_is_true(json_object_get(fact, "pinned")), "pinned");
		add_mark(marks, json_is_true(json_object_get(fact, "pii")), "personal");
		json_object_set_new(fact, "marks", json_string(marks));
		json_object_set_new(fact, "day", json_stringn(at, strcspn(at, "T")));
	}
}

int ctl_facts(struct ctl *ctl)
{
	const char *path = ctl->given.all
				   ? "/v1/users/{1}/facts?state=all&q={2}&since&until&tenant"
				   : "/v1/users/{1}/facts?state=current&q={2}&since&until&tenant";
	return ctl_show(ctl, ctl_collect(ctl, path, "facts", USUAL_FACTS));
}

static json_t *collect(struct ctl *ctl, const char *state)
{
	char path[PATH_SIZE];
	(void)snprintf(path, sizeof(path), "/v1/users/{1}/facts?state=%s&tenant", state);
	return ctl_collect(ctl, path, "facts", USUAL_FACTS);
}

/* ---- which one ---- */

static bool is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* The id of the only fact in that state with that key, by any of its names. NULL: there is none, or
 * several, which has been reported. The caller frees it. */
static char *find_by_key(struct ctl *ctl, const char *key, const char *state)
{
	struct arena arena = {0};
	const struct slice wanted = fact_key(slice_of(key), &arena);
	ctl->given.limit = "0";
	json_t *answer = collect(ctl, state);
	char *found = NULL;
	size_t count = 0;
	size_t i;
	json_t *fact;
	json_array_foreach(json_object_get(answer, "facts"), i, fact)
	{
		if (!slice_equal(fact_key(slice_of(ctl_text(fact, "key")), &arena), wanted))
			continue;
		free(found);
		found = xstrdup(ctl_text(fact, "id"));
		count++;
	}
	arena_finish(&arena);
	if (answer == NULL)
		return NULL;
	json_decref(answer);
	if (count == 1)
		return found;
	free(found);
	ctl_fault(ctl,
		  count == 0 ? "no %s fact has the key %s; see recallctl facts"
			     : "several %s facts have the key %s: give the fact's number",
		  state, key);
	return NULL;
}

/* What a person pinned is not replaced without a word. */
static int fail_as_pinned(struct ctl *ctl, json_t *answer)
{
	json_t *pinned = json_object_get(answer, "pinned");
	json_t *given = json_object_get(answer, "given");
	ctl->fault_status = 409;
	(void)snprintf(ctl->fault_code, sizeof(ctl->fault_code), "pinned");
	ctl_fault(ctl, "%s is pinned as %s (fact %s), not %s; --replace replaces it",
		  ctl_text(pinned, "key"), ctl_text(pinned, "value"), ctl_text(pinned, "id"),
		  ctl_text(given, "value"));
	json_decref(answer);
	return EXIT_FAILURE;
}

/* Calls the path with the fact that the second argument names as {2}. `state`: of a fact that is
 * named by its key. Takes `body`. */
static int change(struct ctl *ctl, const char *method, const char *path, const char *state,
		  json_t *body)
{
	json_t *answer = NULL;
	const char *named = ctl->arguments[1];
	char *id = is_number(named) ? xstrdup(named) : find_by_key(ctl, named, state);
	int status = 0;
	if (id != NULL) {
		ctl->arguments[1] = id;
		status = ctl_call(ctl, method, path, body, &answer);
	}
	free(id);
	json_decref(body);
	if (status == 409 && json_is_object(json_object_get(answer, "pinned")))
		return fail_as_pinned(ctl, answer);
	if (status == 0)
		return EXIT_FAILURE;
	return status == 200 ? ctl_show(ctl, answer) : ctl_fail(ctl, status, answer);
}

static int patch(struct ctl *ctl, json_t *body)
{
	return change(ctl, "PATCH", "/v1/users/{1}/facts/{2}?replace&tenant", "current", body);
}

int ctl_correct(struct ctl *ctl)
{
	const bool retracts = ctl->argument_count < 3;
	json_t *body = retracts ? json_pack("{s:s}", "state", "retracted")
				: json_pack("{s:s}", "value", ctl->arguments[2]);
	return body == NULL ? ctl_fault(ctl, "the value is not UTF-8") : patch(ctl, body);
}

int ctl_pin(struct ctl *ctl)
{
	return patch(ctl, json_pack("{s:b}", "pinned", !ctl->given.off));
}

int ctl_restore(struct ctl *ctl)
{
	return change(ctl, "POST", "/v1/users/{1}/facts/{2}/restore?replace&tenant", "hidden",
		      NULL);
}

/* ---- suggested ---- */

static json_t *find_id(json_t *facts, const char *id)
{
	size_t i;
	json_t *fact;
	json_array_foreach(facts, i, fact)
	{
		if (strcmp(ctl_text(fact, "id"), id) == 0)
			return fact;
	}
	return NULL;
}

/* The facts that these contradict, beside them. */
static void add_standing(json_t *suggested, json_t *current)
{
	size_t i;
	json_t *fact;
	json_array_foreach(suggested, i, fact)
		json_object_set(fact, "standing", find_id(current, ctl_text(fact, "contradicts")));
}

int ctl_suggested(struct ctl *ctl)
{
	json_t *answer = collect(ctl, "suggested");
	if (answer != NULL && !ctl->given.json) {
		json_t *standing = collect(ctl, "current");
		add_standing(json_object_get(answer, "facts"), json_object_get(standing, "facts"));
		json_decref(standing);
	}
	return ctl_show(ctl, answer);
}
