/* recallctl's commands: each is one entry of a table, in a file of its own. */
#ifndef RECALLD_PROXY_CTL_CTL_H
#define RECALLD_PROXY_CTL_CTL_H

#include "core/base/bytes.h"
#include "storage/store.h"

#include <jansson.h>

struct ctl {
	const char *admin;  /* http://HOST:PORT or unix:/PATH */
	const char *token;  /* empty: none */
	const char *tenant; /* empty: none */
	bool json;
	/* Of commands that preview; NULL: not given. */
	const char *mode;
	const char *session;
	const char *model;
	bool body;
	struct store_options store; /* of commands that work on a store's directory */
	char **arguments;           /* the command's own */
	int argument_count;
	/* What went wrong, for --json. */
	char *fault;         /* NULL: nothing; to be freed */
	int fault_status;    /* of HTTP; 0: none */
	char fault_code[64]; /* the answer's; empty: none */
};

struct ctl_command {
	const char *name;
	const char *arguments; /* for the usage */
	const char *help;
	int least, most;             /* how many arguments it takes */
	int (*run)(struct ctl *ctl); /* the exit status */
	bool previews;               /* it takes --mode, --session, --model and --body */
	bool works_on_store;         /* it takes --store, and asks no daemon */
};

extern const struct ctl_command ctl_check;
extern const struct ctl_command ctl_explain;
extern const struct ctl_command ctl_export;
extern const struct ctl_command ctl_forget;
extern const struct ctl_command ctl_import;
extern const struct ctl_command ctl_preview;
extern const struct ctl_command ctl_rebuild;
extern const struct ctl_command ctl_show;
extern const struct ctl_command ctl_unpark;

/* One call to the admin address. Returns the HTTP status, or 0 when it could not be reached, which
 * is then said on standard error. `answer` (may be NULL) receives the JSON of the reply or NULL;
 * the caller decrefs it. `body` NULL: none. */
int ctl_call(struct ctl *ctl, const char *method, const char *path, json_t *body, json_t **answer);
/* `folder`, the name percent-encoded, `rest`, and the tenant: "/v1/users/USER/memory"; to be freed.
 */
char *ctl_path(const struct ctl *ctl, const char *folder, const char *name, const char *rest);
/* Says what went wrong in an answer that is not 2xx; gives 1. */
int ctl_fail(struct ctl *ctl, int status, json_t *answer);
/* The same where a user was asked for, of whom nothing may be known. */
int ctl_fail_of_user(struct ctl *ctl, int status, json_t *answer);
int ctl_fail_as_unknown(struct ctl *ctl);
/* The same of an answer that is 2xx and not what was asked for. */
int ctl_fail_to_read(struct ctl *ctl, json_t *answer);

/* Says what went wrong on standard error, cleaned as ctl_print() does, and notes it. */
void ctl_fault(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Only notes it: it was said already. */
void ctl_note_fault(struct ctl *ctl, const char *text);
/* With --json, {"error":{"message","code","status"}} on standard output where a fault was noted. */
void ctl_print_faults(struct ctl *ctl);

/* The string member, or "". */
const char *ctl_text(json_t *object, const char *name);
/* Prints JSON, indented, to standard output. */
int ctl_print_json(json_t *answer);

/* How wide the terminal is; 0: standard output is none, so that nothing need be cut. COLUMNS in the
 * environment says it for both. */
size_t ctl_columns(void);
/* Prints a text of foreign origin on one line, so that it cannot drive the terminal: control and
 * bidirectional characters as "?", white space as one space. Cut with "…" to so many columns (0:
 * not) of the terminal, where an ideograph takes two. */
void ctl_print(const char *text, size_t columns);
/* The same, uncut, to standard error. */
void ctl_print_fault(const char *text);
/* As ctl_print, in a cell of a table, filled with spaces to the `columns`. */
void ctl_print_cell(const char *text, size_t columns, bool to_the_right);
/* How many columns the whole text takes. */
size_t ctl_width(const char *text);
/* "1 user", "2 users": the name but for its last letter when there is one. */
void ctl_print_count(long long count, const char *name);
/* What one request was given, or would be, as a table for people. Members that are not there are
 * not shown. */
void ctl_print_receipt(json_t *receipt);
struct dump_report;
/* What became of an export's records, to standard error. */
void ctl_print_dump(struct ctl *ctl, const struct dump_report *report, const char *what);

#endif
