/* Forgetting a user, or a part of their memory, which --dry-run only shows. */
#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 256 };

void ctl_fill_asked_dry(const struct ctl *ctl, json_t *answer)
{
	json_object_set_new(answer, "asked_dry", json_boolean(ctl->given.dry_run));
}

void ctl_fill_forget(const struct ctl *ctl, json_t *answer)
{
	json_t *planned = json_object_get(answer, "would_delete");
	ctl_fill_asked_dry(ctl, answer);
	json_object_set_new(answer, "counts",
			    json_is_object(planned) ? json_incref(planned) : json_copy(answer));
}

static bool is_about_topic(const struct ctl_given *given)
{
	return given->about != NULL || given->entity != NULL;
}

static bool is_about_span(const struct ctl_given *given)
{
	return given->since != NULL || given->until != NULL;
}

/* How many parts of a memory the options name. */
static int count_parts(const struct ctl_given *given)
{
	return (given->fact != NULL) + (given->turn != NULL) + (given->conversation != NULL) +
	       (given->session != NULL) + is_about_span(given) + is_about_topic(given);
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_new(object, name, json_string(text));
}

static int forget_topic(struct ctl *ctl, json_t **answer)
{
	const struct ctl_given *given = &ctl->given;
	json_t *body = json_object();
	set_text(body, "about", given->about);
	set_text(body, "entity", given->entity);
	if (given->never_again)
		json_object_set_new(body, "never_again", json_true());
	if (given->dry_run)
		json_object_set_new(body, "dry_run", json_true());
	else
		set_text(body, "plan", given->plan);
	int status = ctl_call(ctl, "POST", "/v1/users/{1}/forget?tenant&force", body, answer);
	json_decref(body);
	return status;
}

static int forget_part(struct ctl *ctl)
{
	char path[PATH_SIZE];
	json_t *answer = NULL;
	(void)snprintf(path, sizeof(path),
		       "/v1/users/{1}[/facts/{fact}][/turns/{turn}][/conversations/{conversation}]"
		       "%s%s?tenant&session&since&until&force&dry_run&plan&never_again%s",
		       ctl->given.session != NULL ? "/conversations" : "",
		       is_about_span(&ctl->given) ? "/memory" : "",
		       ctl->given.keep_turns ? "&with_source=0" : "");
	int status = is_about_topic(&ctl->given) ? forget_topic(ctl, &answer)
						 : ctl_call(ctl, "DELETE", path, NULL, &answer);
	return status == 200 ? ctl_show(ctl, answer) : ctl_fail(ctl, status, answer);
}

/* Otherwise a mistyped name or a missing tenant would look like an erasure. False: nobody answered,
 * which has been reported. */
static bool ask_whether_known(struct ctl *ctl, bool *was_known)
{
	json_t *answer = NULL;
	int status = ctl_call(ctl, "GET", "/v1/users/{1}/memory?tenant", NULL, &answer);
	json_decref(answer);
	*was_known = status != 404;
	return status != 0;
}

static int forget_user(struct ctl *ctl)
{
	json_t *answer = NULL;
	bool was_known;
	if (!ask_whether_known(ctl, &was_known))
		return EXIT_FAILURE;
	int status = ctl_call(ctl, "DELETE", "/v1/users/{1}?tenant&force", NULL, &answer);
	if (status != 200 || !json_is_string(json_object_get(answer, "disk")))
		return ctl_fail(ctl, status, answer);
	if (!was_known) {
		json_decref(answer);
		return ctl_fail_as_unknown(ctl);
	}
	json_t *done = json_pack("{s:s,s:b}", "user", ctl->arguments[0], "forgotten", 1);
	if (!ctl->given.json) /* the disk concerns people */
		json_object_update_missing(done, answer);
	json_decref(answer);
	return ctl_show(ctl, done);
}

int ctl_forget(struct ctl *ctl)
{
	const struct ctl_given *given = &ctl->given;
	int parts = count_parts(given);
	if (parts == 1 && given->keep_turns && given->fact == NULL)
		return ctl_fault(ctl, "--keep-turns goes with --fact");
	if (parts == 1)
		return forget_part(ctl);
	if (parts == 0 && given->plan == NULL && !given->never_again && !given->keep_turns)
		return given->dry_run ? forget_part(ctl) : forget_user(ctl);
	return ctl_fault(
		ctl, parts > 1 ? "name one part: --fact, --turn, --conversation, --session, "
				 "--since and --until, or --about and --entity"
			       : "--plan, --never-again and --keep-turns are for a part: name a "
				 "fact, a turn, a conversation, a time or a topic");
}
