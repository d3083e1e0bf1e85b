/* The commands about single facts: what is known, what is wrong about it, and what stands. */
#include "core/facts/key.h"
#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_LIMIT = 64 * 1024, USUAL_FACTS = 1000, MARKS_SIZE = 64, VALUE_COLUMNS = 40 };

/* ---- facts ---- */

static const struct ctl_column fact_columns[] = {
	{.title = "value", .member = "value"}, {.title = "key", .member = "key"},
	{.title = "of", .member = "entity"},   {.title = "fact", .member = "id"},
	{.title = "said", .member = "day"},    {.title = "by", .member = "who"},
	{.title = "marks", .member = "marks"},
};

static void add_mark(char marks[MARKS_SIZE], bool is_set, const char *mark)
{
	size_t size = strlen(marks);
	if (is_set)
		(void)snprintf(marks + size, MARKS_SIZE - size, "%s%s", size > 0 ? ", " : "", mark);
}

/* Adds the columns that no member of the answer has as it is shown. */
static void describe(json_t *fact)
{
	char marks[MARKS_SIZE] = "";
	const char *state = ctl_text(fact, "state");
	add_mark(marks, strcmp(state, "current") != 0, state);
	add_mark(marks, json_is_true(json_object_get(fact, "pinned")), "pinned");
	add_mark(marks, json_is_true(json_object_get(fact, "pii")), "personal");
	json_object_set_new(fact, "marks", json_string(marks));
	json_object_set_new(fact, "day",
			    json_stringn(ctl_text(fact, "observed_at"),
					 strcspn(ctl_text(fact, "observed_at"), "T")));
	json_object_set(fact, "who", json_object_get(json_object_get(fact, "source"), "type"));
}

static json_t *collect(struct ctl *ctl, const char *state)
{
	struct buffer path = ctl_begin_path(ctl, "/v1/users/", ctl->arguments[0], "/facts");
	ctl_add_query(&path, "state", state);
	ctl_add_query(&path, "q", ctl->argument_count > 1 ? ctl->arguments[1] : NULL);
	ctl_add_query(&path, "since", ctl->since);
	ctl_add_query(&path, "until", ctl->until);
	json_t *answer = ctl_collect(ctl, &path, "facts", USUAL_FACTS);
	buffer_finish(&path);
	return answer;
}

static void print_facts(json_t *answer)
{
	json_t *facts = json_object_get(answer, "facts");
	size_t i;
	json_t *fact;
	json_array_foreach(facts, i, fact) describe(fact);
	if (json_array_size(facts) > 0)
		ctl_print_table(facts, fact_columns,
				sizeof(fact_columns) / sizeof(fact_columns[0]));
	else
		(void)puts("no such fact");
	if (json_is_string(json_object_get(answer, "next")))
		(void)puts("There are more: give a TEXT, or --limit 0 for all.");
}

static int list_facts(struct ctl *ctl)
{
	return ctl_print_answer(ctl, collect(ctl, ctl->all ? "all" : "current"), print_facts);
}

const struct ctl_command ctl_facts = {
	.name = "facts",
	.arguments = "USER [TEXT]",
	.help = "list the facts that are known about a user",
	.details = "TEXT: what stands in the fact. A pinned fact stays whatever is said in chats;\n"
		   "--all also lists what does not stand any more and what is only suggested.",
	.example = "recallctl facts alex\n"
		   "recallctl facts alex tea --all",
	.success = "shown, even if there is none",
	.failure = "no such user",
	.least = 1,
	.most = 2,
	.takes = CTL_TAKES_LIMIT | CTL_TAKES_TIMES | CTL_TAKES_ALL,
	.run = list_facts,
};

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
	struct ctl lookup = *ctl;
	lookup.limit = "0";
	lookup.argument_count = 1;
	json_t *answer = collect(&lookup, state);
	ctl->fault = lookup.fault;
	ctl->fault_status = lookup.fault_status;
	memcpy(ctl->fault_code, lookup.fault_code, sizeof(ctl->fault_code));
	json_t *facts = json_object_get(answer, "facts");
	char *found = NULL;
	size_t count = 0;
	size_t i;
	json_t *fact;
	json_array_foreach(facts, i, fact)
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

static char *find_fact(struct ctl *ctl, const char *state)
{
	const char *named = ctl->arguments[1];
	return is_number(named) ? xstrdup(named) : find_by_key(ctl, named, state);
}

/* Calls "/facts/ID" with what follows it. `state`: of a fact that is named by its key. */
static int call_fact(struct ctl *ctl, const char *state, const char *method, const char *what,
		     json_t *body, json_t **answer)
{
	char *id = find_fact(ctl, state);
	struct buffer rest;
	*answer = NULL;
	if (id == NULL) {
		json_decref(body);
		return 0;
	}
	buffer_init(&rest, PATH_LIMIT);
	buffer_printf(&rest, "/facts/%s%s", id, what);
	buffer_append_byte(&rest, '\0');
	struct buffer path = ctl_begin_path(ctl, "/v1/users/", ctl->arguments[0], rest.data);
	ctl_add_query(&path, "replace", ctl->replace ? "1" : NULL);
	buffer_append_byte(&path, '\0');
	int status = ctl_call(ctl, method, path.data, body, answer);
	free(id);
	buffer_finish(&path);
	buffer_finish(&rest);
	json_decref(body);
	return status;
}

static int patch(struct ctl *ctl, json_t *body, json_t **answer)
{
	return call_fact(ctl, "current", "PATCH", "", body, answer);
}

static void print_fact(const struct ctl *ctl, json_t *fact)
{
	ctl_print(ctl_text(fact, "entity"), VALUE_COLUMNS);
	(void)fputs(" · ", stdout);
	ctl_print(ctl_text(fact, "key"), VALUE_COLUMNS);
	(void)printf(" = %s", ctl_style(ctl, STYLE_BOLD));
	ctl_print(ctl_text(fact, "value"), VALUE_COLUMNS);
	(void)printf("%s", ctl_style(ctl, STYLE_END));
	(void)fputs(json_is_true(json_object_get(fact, "pinned")) ? "  (pinned)" : "", stdout);
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

static int answer_change(struct ctl *ctl, int status, json_t *answer)
{
	if (status == 0)
		return EXIT_FAILURE;
	if (status == 409 && json_is_object(json_object_get(answer, "pinned")))
		return fail_as_pinned(ctl, answer);
	if (status != 200)
		return ctl_fail(ctl, status, answer);
	if (ctl->json)
		return ctl_print_json(answer);
	print_fact(ctl, answer);
	(void)putchar('\n');
	json_decref(answer);
	return EXIT_SUCCESS;
}

/* ---- correct ---- */

static int correct(struct ctl *ctl)
{
	json_t *answer;
	const bool retracts = ctl->argument_count < 3;
	json_t *body = retracts ? json_pack("{s:s}", "state", "retracted")
				: json_pack("{s:s}", "value", ctl->arguments[2]);
	if (body == NULL) {
		ctl_fault(ctl, "the value is not UTF-8");
		return EXIT_FAILURE;
	}
	int status = patch(ctl, body, &answer);
	return answer_change(ctl, status, answer);
}

const struct ctl_command ctl_correct = {
	.name = "correct",
	.arguments = "USER FACT [VALUE]",
	.help = "say what is right instead of a fact",
	.details =
		"FACT: its number or its key. The new value is pinned, and the wrong one does not\n"
		"come back by learning. Without a VALUE the fact only ceases to stand. Where\n"
		"another value of its key is pinned, nothing changes without --replace.",
	.example = "recallctl correct alex home_city Lyon\n"
		   "recallctl correct alex 17",
	.success = "corrected; the next request is given the new value",
	.failure = "no such user or fact",
	.least = 2,
	.most = 3,
	.takes = CTL_TAKES_REPLACE,
	.run = correct,
};

/* ---- pin ---- */

static int pin(struct ctl *ctl)
{
	json_t *answer;
	int status = patch(ctl, json_pack("{s:b}", "pinned", !ctl->off), &answer);
	return answer_change(ctl, status, answer);
}

const struct ctl_command ctl_pin = {
	.name = "pin",
	.arguments = "USER FACT",
	.help = "keep a fact whatever is said in chats",
	.details =
		"FACT: its number or its key. What contradicts it is kept as a suggestion; with\n"
		"--off, what was suggested since takes its place.",
	.example = "recallctl pin alex home_city\n"
		   "recallctl pin alex home_city --off",
	.success = "pinned, or unpinned",
	.failure = "no such user or fact",
	.least = 2,
	.most = 2,
	.takes = CTL_TAKES_OFF,
	.run = pin,
};

/* ---- restore ---- */

static int restore(struct ctl *ctl)
{
	json_t *answer;
	int status = call_fact(ctl, "hidden", "POST", "/restore", NULL, &answer);
	return answer_change(ctl, status, answer);
}

const struct ctl_command ctl_restore = {
	.name = "restore",
	.arguments = "USER FACT",
	.help = "let a fact stand again that was hidden or ended",
	.details =
		"FACT: its number, or the key of a hidden one; \"facts --all\" lists them. A fact "
		"is\n"
		"hidden when a wish to forget in a chat meant it without naming it. Where another\n"
		"value of its key is pinned, nothing changes without --replace.",
	.example = "recallctl restore alex 17",
	.success = "restored; requests are given it again, with the turns that say it",
	.failure = "no such user or fact, or it stands",
	.least = 2,
	.most = 2,
	.takes = CTL_TAKES_REPLACE,
	.run = restore,
};

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

static void print_suggested(const struct ctl *ctl, json_t *suggested, json_t *standing)
{
	json_t *pinned = find_id(standing, ctl_text(suggested, "contradicts"));
	if (pinned != NULL)
		print_fact(ctl, pinned);
	(void)fputs("\n  said since: ", stdout);
	ctl_print(ctl_text(suggested, "value"), VALUE_COLUMNS);
	(void)printf("  %s(fact ", ctl_style(ctl, STYLE_FAINT));
	ctl_print(ctl_text(suggested, "id"), 0);
	(void)fputs(", ", stdout);
	ctl_print(ctl_text(suggested, "observed_at"), 0);
	(void)printf(")%s\n", ctl_style(ctl, STYLE_END));
}

static int list_suggested(struct ctl *ctl)
{
	json_t *answer = collect(ctl, "suggested");
	if (answer == NULL)
		return EXIT_FAILURE;
	if (ctl->json)
		return ctl_print_json(answer);
	json_t *standing = collect(ctl, "current");
	size_t i;
	json_t *fact;
	json_array_foreach(json_object_get(answer, "facts"), i, fact)
		print_suggested(ctl, fact, json_object_get(standing, "facts"));
	if (i == 0)
		(void)puts("nothing was said against a pinned fact");
	json_decref(answer);
	json_decref(standing);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_suggested = {
	.name = "suggested",
	.arguments = "USER",
	.help = "show what was said against pinned facts",
	.details =
		"To take a suggestion, \"correct\" the fact to its value or \"pin --off\" it; to\n"
		"dismiss one, \"correct\" the suggestion's number without a value.",
	.example = "recallctl suggested alex",
	.success = "shown, even if there is nothing",
	.failure = "no such user",
	.least = 1,
	.most = 1,
	.takes = CTL_TAKES_COLOR,
	.run = list_suggested,
};
