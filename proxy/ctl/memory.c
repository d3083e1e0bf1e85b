/* The commands about users and their memories: what asking and showing them take besides a call. */
#include "core/facts/facts.h"
#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

/* ---- users ---- */

static int by_name(const void *left, const void *right)
{
	json_t *a = *(json_t *const *)left;
	json_t *b = *(json_t *const *)right;
	int order = strcmp(ctl_text(a, "user"), ctl_text(b, "user"));
	return order != 0 ? order : strcmp(ctl_text(a, "tenant"), ctl_text(b, "tenant"));
}

/* Sorts them, which the store has in no order that people know. */
void ctl_fill_users(struct ctl *ctl, json_t *answer)
{
	json_t *users = json_object_get(answer, "users"), *sorted = json_array();
	const size_t count = json_array_size(users);
	json_t **order = arena_alloc(&ctl->arena, (count + 1) * sizeof(*order));
	for (size_t i = 0; i < count; i++)
		order[i] = json_array_get(users, i);
	qsort(order, count, sizeof(*order), by_name);
	for (size_t i = 0; i < count; i++)
		json_array_append(sorted, order[i]);
	json_object_set_new(answer, "users", sorted);
}

/* Takes an id as it stands in the log, "user=8396d7c9", too. */
bool ctl_users(struct ctl *ctl)
{
	static const char name[] = "user=";
	if (ctl->given.log_id != NULL && strncmp(ctl->given.log_id, name, strlen(name)) == 0)
		ctl->given.log_id += strlen(name);
	return ctl_run(ctl);
}

/* The newest messages, and no more than fit a screen. */
void ctl_fill_memory(struct ctl *ctl, json_t *answer)
{
	enum { MESSAGES_SHOWN = 10 };
	json_t *messages = json_object_get(answer, "messages"), *newest = json_array();
	const size_t count = json_array_size(messages);
	(void)ctl;
	for (size_t i = count > MESSAGES_SHOWN ? count - MESSAGES_SHOWN : 0; i < count; i++)
		json_array_append(newest, json_array_get(messages, i));
	json_object_set_new(answer, "newest", newest);
}

/* ---- receipts ---- */

void ctl_fill_receipt(struct ctl *ctl, json_t *answer)
{
	json_t *time = json_object_get(answer, "elapsed_us");
	(void)ctl;
	if (json_is_number(time))
		json_object_set_new(answer, "elapsed_ms",
				    json_real(json_number_value(time) / 1000.0));
}

void ctl_fill_receipts(struct ctl *ctl, json_t *answer)
{
	size_t i;
	json_t *receipt;
	json_array_foreach(json_object_get(answer, "receipts"), i, receipt)
		ctl_fill_receipt(ctl, receipt);
}

void ctl_fill_preview(struct ctl *ctl, json_t *answer)
{
	ctl_fill_receipt(ctl, json_object_get(answer, "receipt"));
	if (ctl->given.body)
		json_object_set(answer, "shown_body", json_object_get(answer, "body"));
}

/* The id as the log writes it: receipt=ID, or "receipt":"ID" in JSON, with what stands around. */
static char *read_id(char *written, struct arena *arena)
{
	enum { ID_DIGITS = 16 };
	static const char digits[] = "0123456789abcdef";
	for (const char *at = written; *at != '\0'; at += strcspn(at, digits)) {
		const size_t size = strspn(at, digits);
		if (size == ID_DIGITS)
			return arena_string(arena, (struct slice){at, size});
		at += size;
	}
	return written;
}

bool ctl_explain(struct ctl *ctl)
{
	json_t *receipt = NULL;
	ctl->arguments[0] = read_id(ctl->arguments[0], &ctl->arena);
	const int status = ctl_call(ctl, "GET", ctl->command->path, NULL, &receipt);
	if (status == 200 && !json_is_object(receipt))
		return ctl_fail_to_read(ctl, receipt);
	if (status != 404)
		return ctl_finish(ctl, status, receipt);
	json_decref(receipt);
	ctl->fault_status = status;
	return ctl_fault(ctl, "%s", ctl->command->unknown);
}

/* ---- facts ---- */

static json_t *marks_of(json_t *fact)
{
	const char *state = ctl_text(fact, "state");
	const char *ended = strcmp(state, "current") == 0 ? "" : state;
	const bool is_pinned = json_is_true(json_object_get(fact, "pinned"));
	const bool is_personal = json_is_true(json_object_get(fact, "pii"));
	return json_sprintf("%s%s%s%s%s", ended,
			    *ended != '\0' && (is_pinned || is_personal) ? ", " : "",
			    is_pinned ? "pinned" : "", is_pinned && is_personal ? ", " : "",
			    is_personal ? "personal" : "");
}

void ctl_fill_facts(struct ctl *ctl, json_t *answer)
{
	size_t i;
	json_t *fact;
	(void)ctl;
	json_array_foreach(json_object_get(answer, "facts"), i, fact)
	{
		const char *at = ctl_text(fact, "observed_at");
		json_object_set_new(fact, "marks", marks_of(fact));
		json_object_set_new(fact, "day", json_stringn(at, strcspn(at, "T")));
	}
}

/* The user's facts in that state. The caller decrefs it; NULL: it failed, which is reported. */
static json_t *collect(struct ctl *ctl, const char *state)
{
	enum { USUAL_FACTS = 1000 };
	const char *path =
		arena_printf(&ctl->arena, "/v1/users/{1}/facts?state=%s&tenant&limit&after", state)
			.data;
	return ctl_collect(ctl, path, "facts", USUAL_FACTS);
}

/* The id of the only one of the facts with that key, by any of its names. */
static bool find_by_key(struct ctl *ctl, json_t *facts, const char *key, char **id)
{
	const struct slice wanted = fact_key(slice_of(key), &ctl->arena);
	size_t i, count = 0;
	json_t *fact;
	json_array_foreach(facts, i, fact)
	{
		if (!slice_equal(fact_key(slice_of(ctl_text(fact, "key")), &ctl->arena), wanted))
			continue;
		*id = arena_string(&ctl->arena, slice_of(ctl_text(fact, "id")));
		count++;
	}
	return count == 1 ||
	       ctl_fault(ctl,
			 count == 0 ? "no %s fact has the key %s; see recallctl facts"
				    : "several %s facts have the key %s: give the fact's number",
			 ctl->command->fact, key);
}

bool ctl_find_fact(struct ctl *ctl)
{
	const char *named = ctl->arguments[1];
	if (named[0] != '\0' && named[strspn(named, "0123456789")] == '\0')
		return true;
	ctl->given.limit = "0";
	json_t *answer = collect(ctl, ctl->command->fact);
	const bool found = answer != NULL && find_by_key(ctl, json_object_get(answer, "facts"),
							 named, &ctl->arguments[1]);
	json_decref(answer);
	return found;
}

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

/* Puts the facts that these contradict beside them. */
void ctl_fill_standing(struct ctl *ctl, json_t *answer)
{
	json_t *standing = collect(ctl, "current"), *current = json_object_get(standing, "facts");
	size_t i;
	json_t *fact;
	json_array_foreach(json_object_get(answer, "facts"), i, fact)
		json_object_set(fact, "standing", find_id(current, ctl_text(fact, "contradicts")));
	json_decref(standing);
}

/* ---- settings ---- */

/* "-" and nothing take a setting back. */
static json_t *text_or_null(const char *text)
{
	return *text == '\0' || strcmp(text, "-") == 0 ? json_null() : json_string(text);
}

/* False: there is no such setting, or it has no such value. */
static bool set_member(json_t *settings, const char *name, const char *value)
{
	static const char *const switches[] = {"learn", "inject", NULL};
	static const char *const times[] = {"messages", "facts", NULL};
	static const char *const texts[] = {"pii", "consent", "hold_until", "note", NULL};
	const bool is_on = strcmp(value, "on") == 0;
	if (slice_is_any(slice_of(name), switches))
		return json_object_set_new(settings, name, json_boolean(is_on)) == 0 &&
		       (is_on || strcmp(value, "off") == 0);
	if (slice_is_any(slice_of(name), times))
		settings = json_object_get(settings, "retention");
	else if (!slice_is_any(slice_of(name), texts))
		return false;
	json_t *text = text_or_null(value);
	if (strcmp(name, "consent") == 0 && !json_is_null(text))
		text = json_pack("{s:o}", "by", text);
	return json_object_set_new(settings, name, text) == 0;
}

/* Applies "NAME=VALUE". */
static bool change(struct ctl *ctl, json_t *settings, const char *argument)
{
	const size_t size = strcspn(argument, "=");
	const char *name = arena_string(&ctl->arena, (struct slice){argument, size});
	return (argument[size] == '=' && set_member(settings, name, argument + size + 1)) ||
	       ctl_fault(ctl,
			 "%s is no setting: learn=on|off, inject=on|off, messages=30d, facts=30d, "
			 "pii=keep|redact|drop, consent=WHO, hold_until=TIME, note=TEXT; \"-\" "
			 "takes one back",
			 argument);
}

bool ctl_settings(struct ctl *ctl)
{
	const char *path = ctl->command->path;
	json_t *settings = NULL;
	int status = ctl_call(ctl, "GET", path, NULL, &settings);
	if (status == 200 && !json_is_object(json_object_get(settings, "retention")))
		return ctl_fail_to_read(ctl, settings);
	for (int i = 1; status == 200 && i < ctl->argument_count; i++) {
		if (!change(ctl, settings, ctl->arguments[i])) {
			json_decref(settings);
			return false;
		}
	}
	if (status == 200 && ctl->argument_count > 1)
		status = ctl_call(ctl, "PUT", path, settings, &settings);
	return ctl_finish(ctl, status, settings);
}

/* ---- forgetting ---- */

void ctl_fill_asked_dry(struct ctl *ctl, json_t *answer)
{
	json_object_set_new(answer, "asked_dry", json_boolean(ctl->given.dry_run != NULL));
}

void ctl_fill_forget(struct ctl *ctl, json_t *answer)
{
	json_t *planned = json_object_get(answer, "would_delete");
	ctl_fill_asked_dry(ctl, answer);
	json_object_set_new(answer, "counts",
			    json_is_object(planned) ? json_incref(planned) : json_copy(answer));
}

/* Deletes the part that an option names, or, with --dry-run, shows what everything is. */
static bool forget_part(struct ctl *ctl, bool is_span)
{
	json_t *answer = NULL;
	const char *list = ctl->given.session != NULL ? "/conversations" : is_span ? "/memory" : "";
	const char *path =
		arena_printf(&ctl->arena,
			     "/v1/users/{1}[/facts/{fact}][/turns/{turn}]"
			     "[/conversations/{conversation}]%s?tenant&session&since&until&force"
			     "&dry_run={dry-run}&plan&never_again={never-again}"
			     "&with_source={keep-turns?0}",
			     list)
			.data;
	const int status = ctl_call(ctl, "DELETE", path, NULL, &answer);
	return ctl_finish(ctl, status, answer);
}

/* Asks first whether the user is known: otherwise a mistyped name or a missing tenant would look
 * like an erasure. */
static bool forget_user(struct ctl *ctl)
{
	json_t *memory = NULL, *answer = NULL;
	const int known = ctl_call(ctl, "GET", "/v1/users/{1}/memory?tenant", NULL, &memory);
	json_decref(memory);
	if (known == 0)
		return false;
	const int status = ctl_call(ctl, "DELETE", "/v1/users/{1}?tenant&force", NULL, &answer);
	if (status != 200 || !json_is_string(json_object_get(answer, "disk")))
		return ctl_fail(ctl, status, answer, NULL);
	json_t *done = json_pack("{s:s,s:b}", "user", ctl->arguments[0], "forgotten", 1);
	if (!ctl->given.json) /* the disk concerns people */
		json_object_update_missing(done, answer);
	json_decref(answer);
	if (known != 404)
		return ctl_show(ctl, done);
	json_decref(done);
	return ctl_fail_as_unknown(ctl, ctl_unknown);
}

bool ctl_forget(struct ctl *ctl)
{
	union ctl_given *given = &ctl->given;
	const bool is_span = given->since != NULL || given->until != NULL;
	const bool is_topic = given->about != NULL || given->entity != NULL;
	const int parts = (given->fact != NULL) + (given->turn != NULL) +
			  (given->conversation != NULL) + (given->session != NULL) + is_span +
			  is_topic;
	if (parts > 1)
		return ctl_fault(ctl, "name one part: --fact, --turn, --conversation, --session, "
				      "--since and --until, or --about and --entity");
	if (parts == 0 && (given->plan || given->never_again || given->keep_turns))
		return ctl_fault(ctl, "--plan, --never-again and --keep-turns are for a part: name "
				      "a fact, a turn, a conversation, a time or a topic");
	if (given->keep_turns && given->fact == NULL)
		return ctl_fault(ctl, "--keep-turns goes with --fact");
	if (parts == 0 && !given->dry_run)
		return forget_user(ctl);
	if (!is_topic)
		return forget_part(ctl, is_span);
	if (given->dry_run)
		given->plan = NULL;
	return ctl_run(ctl);
}
