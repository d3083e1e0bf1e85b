/* recallctl: commands.txt says what the commands read, ask and show; this is what those share that
 * need a function of their own.
 *
 * Functions that return bool return false if they fail, which they have reported by ctl_fault(). */
#ifndef RECALLD_PROXY_CTL_CTL_H
#define RECALLD_PROXY_CTL_CTL_H

#include "core/base/bytes.h"
#include "ctl_commands.h"
#include "storage/store.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

struct config;

struct ctl {
	union ctl_given given;
	const struct ctl_command *command; /* the one that runs */
	char **arguments;                  /* its own arguments */
	int argument_count;
	const struct config *config;
	const char *admin; /* http://HOST:PORT or unix:/PATH */
	const char *token; /* empty: none */
	const char *after; /* where a list's next page begins; NULL: it is the first */
	bool is_quiet;     /* calls wait a few seconds only, and report nothing */
	struct store_options store;
	unsigned char key[STORE_KEY_SIZE]; /* the store's, once it has been read */
	struct arena arena;                /* lasts as long as the program */
	/* The error, for --json. */
	const char *fault;   /* NULL: no error */
	int fault_status;    /* HTTP status; 0: none */
	char fault_code[64]; /* code of the answer; empty: none */
};

/* A command as commands.txt has it. Texts are NULL where it has none. */
struct ctl_command {
	const char *name, *arguments, *manual;
	int least, most;                  /* number of arguments it takes */
	uint64_t takes;                   /* its options and those of every command, as bits */
	const char *method, *path, *body; /* of its call */
	const char *fact;                 /* the state of the fact that {2} names */
	const char *list;                 /* the answer's, if it comes in pages */
	size_t usual;                     /* elements of it */
	int status;                       /* of success */
	const char *needs, *unknown, *text;
	void (*fill)(struct ctl *ctl, json_t *answer);
	bool (*run)(struct ctl *ctl);
};

extern const struct ctl_command ctl_commands[CTL_COMMANDS]; /* in the usage's order */

/* ---- calls ---- */

/* Makes one call to the admin address; `path` as commands.txt has it, `body` JSON or a ZIP archive;
 * without data there is none. Returns the HTTP status, or 0 if the address is unreachable. The
 * caller finishes `answer`. */
int ctl_ask(struct ctl *ctl, const char *method, const char *path, struct slice body,
	    struct buffer *answer);
/* Asks with JSON, which it takes, or without (NULL). `answer` receives the reply's JSON or NULL;
 * the caller decrefs it. */
int ctl_call(struct ctl *ctl, const char *method, const char *path, json_t *body, json_t **answer);
/* Posts bytes, and gives the reply's JSON. */
int ctl_send(struct ctl *ctl, const char *path, struct slice body, json_t **answer);
/* Fetches the pages of a list, whose answers hold an array `name` and "next", up to --limit
 * elements, and returns them as one such answer. NULL: it failed, which has been reported. */
json_t *ctl_collect(struct ctl *ctl, const char *path, const char *name, size_t usual);
/* NULL: it is not JSON. */
json_t *ctl_read_json(struct slice text);
/* Makes {2} of a path the number of the fact that the second argument names. */
bool ctl_find_fact(struct ctl *ctl);
/* Adds the answer's counts to a sum, and keeps the earliest and the last of its times. */
void ctl_add_answer(json_t *sum, json_t *answer);

/* The string member, or "". */
const char *ctl_text(json_t *object, const char *name);
/* The integer member, or 0. */
json_int_t ctl_number(const json_t *object, const char *name);

/* ---- answers; these functions take them ---- */

/* Shows an answer of the command's own status, and reports any other. */
bool ctl_finish(struct ctl *ctl, int status, json_t *answer);
/* Prints an answer, with --json as it is, else as the command's text has it. Reports an answer that
 * is none of recalld, and NULL unless a fault has been reported. */
bool ctl_show(struct ctl *ctl, json_t *answer);
/* Prints the text, which is about this object; what may stand in braces is said in text.c. */
void ctl_print_text(const struct ctl *ctl, const char *text, json_t *object);
/* Prints JSON, indented, to standard output. */
bool ctl_print_json(json_t *answer);

/* ---- failures; these functions return false ---- */

/* Reports an error on standard error, cleaned like ctl_print(), and records it. */
bool ctl_fault(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Only records it: it has been reported already. */
void ctl_note_fault(struct ctl *ctl, const char *text);
/* Reports the error of an answer that is not 2xx; without an answer (status 0), that has been
 * reported. `unknown`: the command's own words for what is not known; NULL: the answer's. */
bool ctl_fail(struct ctl *ctl, int status, json_t *answer, const char *unknown);
bool ctl_fail_as_unknown(struct ctl *ctl, const char *unknown);
/* Reports a 2xx answer that has an unexpected form. */
bool ctl_fail_to_read(struct ctl *ctl, json_t *answer);
/* With --json, prints {"error":{"message","code","status"}} to standard output if an error was
 * recorded. */
void ctl_print_faults(struct ctl *ctl);

/* ---- the terminal ---- */

/* The escape sequence that begins "bold", "faint", "key", "good" or "alarm", or is their "end". ""
 * if colours are off. */
const char *ctl_style(const struct ctl *ctl, const char *name);
/* False: --color has an unknown word. */
bool ctl_check_color(struct ctl *ctl);

/* A bar with an estimate of the time that is left, on standard error if that is a terminal. The end
 * removes it, as has to be done before anything else is printed. */
struct ctl_progress {
	const char *what; /* "importing" */
	FILE *out; /* standard error, also where a child process has it closed; NULL: no bar */
	uint64_t begun_at;
	uint64_t drawn_at; /* 0: never */
};

void ctl_progress_begin(struct ctl_progress *progress, const char *what);
void ctl_progress_move(struct ctl_progress *progress, double share); /* from 0 to 1 */
void ctl_progress_end(struct ctl_progress *progress);
/* How much of the file has been read; negative: it has no known end. */
double ctl_share_read(FILE *file);

/* The terminal's width; 0 if standard output is not a terminal and nothing needs to be cut. The
 * environment's COLUMNS overrides both. */
size_t ctl_columns(void);
/* Prints untrusted text on one line, so that it cannot drive the terminal: control and
 * bidirectional characters become "?", white space becomes one space. Cuts with "…" to `columns`
 * (0: no limit); an ideograph takes two columns. Returns the columns used; prints nothing without a
 * stream. */
size_t ctl_print(FILE *stream, const char *text, size_t columns);
/* Prints a table cell, padded with spaces to `columns`. */
void ctl_print_cell(const char *text, size_t columns, bool to_the_right);

#endif
