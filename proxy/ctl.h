/* recallctl's commands: each is one entry of a table, in a file of its own. */
#ifndef RECALLD_PROXY_CTL_H
#define RECALLD_PROXY_CTL_H

#include "core/bytes.h"

#include <jansson.h>

struct ctl {
	const char *admin;  /* http://HOST:PORT */
	const char *token;  /* empty: none */
	const char *tenant; /* empty: none */
	bool json;
	char **arguments; /* the command's own */
	int argument_count;
};

struct ctl_command {
	const char *name;
	const char *arguments; /* for the usage */
	const char *help;
	int least, most;             /* how many arguments it takes */
	int (*run)(struct ctl *ctl); /* the exit status */
};

extern const struct ctl_command ctl_check;
extern const struct ctl_command ctl_forget;
extern const struct ctl_command ctl_import;
extern const struct ctl_command ctl_show;
extern const struct ctl_command ctl_unpark;

/* One call to the admin address. Returns the HTTP status, or 0 when it could not be reached, which
 * is then said on standard error. `answer` (may be NULL) receives the JSON of the reply or NULL;
 * the caller decrefs it. `body` NULL: none. */
int ctl_call(const struct ctl *ctl, const char *method, const char *path, json_t *body,
	     json_t **answer);
/* "/v1/users/USER" plus `rest`, percent-encoded, with the tenant; to be freed. */
char *ctl_user_path(const struct ctl *ctl, const char *user, const char *rest);
/* Says what went wrong in an answer that is not 2xx; gives 1. */
int ctl_fail(int status, json_t *answer);

/* The string member, or "". */
const char *ctl_text(json_t *object, const char *name);
/* Prints a text of foreign origin on one line: control characters as "?", cut to `columns`
 * characters (0: not). */
void ctl_print(const char *text, size_t columns);
/* Prints JSON, indented, to standard output. */
int ctl_print_json(json_t *answer);

#endif
