/* recallctl: commands.txt says what the commands read, ask and show; this is what those share that
 * need a function of their own. */
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
	struct ctl_given given;
	const struct ctl_command *command; /* the one that runs */
	char **arguments;                  /* its own arguments */
	int argument_count;
	const struct config *config;
	const char *admin; /* http://HOST:PORT or unix:/PATH */
	const char *token; /* empty: none */
	struct store_options store;
	unsigned char key[STORE_KEY_SIZE]; /* the store's, once it has been read */
	/* The error, for --json. */
	char *fault;         /* NULL: no error; owned */
	int fault_status;    /* HTTP status; 0: none */
	char fault_code[64]; /* code of the answer; empty: none */
};

/* A command as commands.txt has it. Texts are NULL where it has none. */
struct ctl_command {
	const char *name, *arguments, *help, *details, *example, *success, *failure;
	int least, most;                  /* number of arguments it takes */
	uint64_t takes;                   /* its options, as bits of ctl_options */
	const char *method, *path, *body; /* of its call */
	const char *list;                 /* the answer's, if it comes in pages */
	size_t usual;                     /* elements of it */
	int status;                       /* of success */
	const char *needs, *unknown, *text;
	void (*fill)(const struct ctl *ctl, json_t *answer);
	int (*run)(struct ctl *ctl); /* returns the exit status */
};

extern const struct ctl_command ctl_commands[CTL_COMMANDS]; /* in the usage's order */

/* An option as the command line has it. */
struct ctl_option {
	const char *name;     /* without its dashes; one letter: "-c" */
	const char *argument; /* NULL: a switch */
	const char *help;
	bool is_general; /* every command takes it */
	size_t place;    /* in struct ctl_given: of a const char *, or of a switch's bool */
};

extern const struct ctl_option ctl_options[CTL_OPTIONS];

/* Prints the usage, one command's help, or for each command a line with its options. */
void ctl_print_usage(FILE *out);
void ctl_print_help(const struct ctl_command *command);
void ctl_print_completions(void);

/* Runs a command that is one call: asks, and shows the answer. */
int ctl_run(struct ctl *ctl);
/* Prints an answer, with --json as it is, else as the command's text has it, and frees it. Reports
 * an answer that is none of recalld, and NULL unless a fault has been reported. Returns the exit
 * status. */
int ctl_show(struct ctl *ctl, json_t *answer);
/* Prints the text, which is about this object; what may stand in braces is said in text.c. */
void ctl_print_text(const struct ctl *ctl, const char *text, json_t *object);
/* Prints JSON, indented, to standard output, and frees it. Returns the exit status. */
int ctl_print_json(json_t *answer);

/* Makes one call to the admin address; `path` as commands.txt has it. Returns the HTTP status, or 0
 * if the address is unreachable, which it reports on standard error. `answer` receives the reply's
 * JSON or NULL; the caller decrefs it. `body` NULL: none. */
int ctl_call(struct ctl *ctl, const char *method, const char *path, json_t *body, json_t **answer);
/* Gets a text; the caller finishes `answer`. Returns the status as ctl_call() does. `quietly`:
 * waits a few seconds only, and reports nothing. */
int ctl_get(struct ctl *ctl, const char *path, bool quietly, struct buffer *answer);
/* Posts bytes: JSON, or a ZIP archive. */
int ctl_send(struct ctl *ctl, const char *path, struct slice body, json_t **answer);
/* Fetches the pages of a list, whose answers hold an array `name` and "next", up to --limit
 * elements, and returns them as one such answer. NULL: it failed, which has been reported. */
json_t *ctl_collect(struct ctl *ctl, const char *path, const char *name, size_t usual);
/* NULL: it is not JSON. */
json_t *ctl_read_json(struct slice text);
/* Reports the error of an answer that is not 2xx; without an answer (status 0), that has been
 * reported. Returns 1. */
int ctl_fail(struct ctl *ctl, int status, json_t *answer);
/* The same, with the command's own words for what is not known. */
int ctl_fail_call(struct ctl *ctl, int status, json_t *answer);
int ctl_fail_as_unknown(struct ctl *ctl);
/* The same for a 2xx answer that has an unexpected form. */
int ctl_fail_to_read(struct ctl *ctl, json_t *answer);

/* Reads the store's master key, if the configuration says that it is encrypted. False: it cannot be
 * read, which has been reported. */
bool ctl_read_store_key(struct ctl *ctl);
/* Takes a file on the disk in by requests to the path: in one, or, if it is another program's and
 * large, in several. Returns the sum of the answers, which the caller decrefs; NULL: it failed,
 * which has been reported. */
json_t *ctl_import_file(struct ctl *ctl, const char *path, FILE *file);
/* Adds the answer's counts to a sum, and keeps the earliest and the last of its times. */
void ctl_add_answer(json_t *sum, json_t *answer);

/* Reports an error on standard error, cleaned like ctl_print(), and records it. Returns 1. */
int ctl_fault(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Only records it: it has been reported already. */
void ctl_note_fault(struct ctl *ctl, const char *text);
/* With --json, prints {"error":{"message","code","status"}} to standard output if an error was
 * recorded. */
void ctl_print_faults(struct ctl *ctl);

/* The string member, or "". */
const char *ctl_text(json_t *object, const char *name);
/* The integer member, or 0. */
json_int_t ctl_number(const json_t *object, const char *name);

/* What to print before and after text that stands out: "bold", "faint", "key", "good", "alarm" and
 * "end". "" if colours are off. */
const char *ctl_style(const struct ctl *ctl, const char *name);
/* False: --color has an unknown word, which has been reported. */
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
 * (0: no limit); an ideograph takes two columns. */
void ctl_print(FILE *stream, const char *text, size_t columns);
/* Like ctl_print(), in a table cell padded with spaces to `columns`. */
void ctl_print_cell(const char *text, size_t columns, bool to_the_right);
/* The number of columns that the whole text takes. */
size_t ctl_width(const char *text);

#endif
