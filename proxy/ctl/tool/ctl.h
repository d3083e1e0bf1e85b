/* recallctl's commands. Each one is a table entry in its own file. */
#ifndef RECALLD_PROXY_CTL_TOOL_CTL_H
#define RECALLD_PROXY_CTL_TOOL_CTL_H

#include "core/base/bytes.h"
#include "storage/store.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

struct ctl {
	const char *file;   /* the configuration; NULL: not given */
	const char *admin;  /* http://HOST:PORT or unix:/PATH */
	bool is_remote;     /* --admin names it, and --store no directory */
	const char *token;  /* empty: none */
	const char *tenant; /* empty: none */
	bool json;
	/* Options that only some commands take; NULL or false: not given. */
	const char *mode;
	const char *session;
	const char *model;
	bool body;
	bool quiet;
	bool once;
	bool all;
	bool off;
	bool replace;
	bool verify;
	bool dry_run;
	bool force;
	bool never_again;
	bool keep_turns;
	const char *user;
	const char *log_id;
	const char *fact; /* what to forget; so are the next four */
	const char *turn;
	const char *conversation;
	const char *about;
	const char *entity;
	const char *plan;
	const char *format;  /* of a file to import */
	const char *include; /* parts of an export */
	const char *to;      /* a key's file; so is the one after the next */
	const char *keys;    /* a file of exported keys */
	const char *from_key;
	bool plain;
	bool yes;
	uint64_t keys_keep; /* [storage] backup_keys_keep */
	const char *color;  /* NULL: auto */
	const char *since;
	const char *until;
	const char *limit;
	struct store_options store; /* for commands that open a store's directory */
	char **arguments;           /* the command's own arguments */
	int argument_count;
	/* The error, for --json. */
	char *fault;         /* NULL: no error; owned */
	int fault_status;    /* HTTP status; 0: none */
	char fault_code[64]; /* code of the answer; empty: none */
};

/* Options of some commands: a set of bits. Each has a row in options.c. */
enum ctl_takes {
	CTL_TAKES_REQUEST = 1 << 0,  /* --mode, --session, --model: as a request would say them */
	CTL_TAKES_BODY = 1 << 1,     /* --body */
	CTL_TAKES_STORE = 1 << 2,    /* --store: works on its directory */
	CTL_TAKES_QUIET = 1 << 3,    /* --quiet */
	CTL_TAKES_TIMES = 1 << 4,    /* --since, --until */
	CTL_TAKES_LIMIT = 1 << 5,    /* --limit */
	CTL_TAKES_ONCE = 1 << 6,     /* --once */
	CTL_TAKES_COLOR = 1 << 7,    /* --color */
	CTL_TAKES_ALL = 1 << 8,      /* --all */
	CTL_TAKES_OFF = 1 << 9,      /* --off */
	CTL_TAKES_VERIFY = 1 << 10,  /* --verify */
	CTL_TAKES_USER = 1 << 11,    /* --user */
	CTL_TAKES_PART = 1 << 12,    /* --fact, --turn, --session, --about..., --plan */
	CTL_TAKES_DRY = 1 << 13,     /* --dry-run */
	CTL_TAKES_FORM = 1 << 14,    /* --format */
	CTL_TAKES_PARTS = 1 << 15,   /* --include */
	CTL_TAKES_PLAIN = 1 << 16,   /* --plain, --yes */
	CTL_TAKES_TO = 1 << 17,      /* --to */
	CTL_TAKES_KEYS = 1 << 18,    /* --keys, --from-key */
	CTL_TAKES_LOG_ID = 1 << 19,  /* --log-id */
	CTL_TAKES_REPLACE = 1 << 20, /* --replace */
};

/* A command's row: the usage, its own --help and the completion are made from it. */
struct ctl_command {
	const char *name;
	const char *arguments;       /* empty: none */
	const char *help;            /* one line, for the usage */
	const char *details;         /* lines for its own help; NULL: the line above says it all */
	const char *example;         /* one or more command lines */
	const char *success;         /* what exit status 0 means */
	const char *failure;         /* what 1 means beside an error; NULL: nothing else */
	int least, most;             /* number of arguments it takes */
	unsigned takes;              /* of enum ctl_takes */
	int (*run)(struct ctl *ctl); /* returns the exit status */
	/* Of a command on a store: whether it needs the master key. NULL: it does. */
	bool (*needs_key)(const struct ctl *ctl);
};

extern const struct ctl_command ctl_audit;
extern const struct ctl_command ctl_check;
extern const struct ctl_command ctl_correct;
extern const struct ctl_command ctl_dedupe;
extern const struct ctl_command ctl_explain;
extern const struct ctl_command ctl_export;
extern const struct ctl_command ctl_export_keys;
extern const struct ctl_command ctl_facts;
extern const struct ctl_command ctl_forget;
extern const struct ctl_command ctl_import;
extern const struct ctl_command ctl_pin;
extern const struct ctl_command ctl_preview;
extern const struct ctl_command ctl_rebuild;
extern const struct ctl_command ctl_restore;
extern const struct ctl_command ctl_rotate_key;
extern const struct ctl_command ctl_scrub;
extern const struct ctl_command ctl_receipts;
extern const struct ctl_command ctl_settings;
extern const struct ctl_command ctl_show;
extern const struct ctl_command ctl_suggested;
extern const struct ctl_command ctl_top;
extern const struct ctl_command ctl_unpark;
extern const struct ctl_command ctl_users;

/* All of them, in the usage's order. */
extern const struct ctl_command *const ctl_commands[];
extern const size_t ctl_command_count;

/* An option as the command line has it. */
struct ctl_option {
	const char *name;     /* without its dashes; one letter: "-c" */
	const char *argument; /* NULL: a switch */
	const char *help;
	unsigned of;  /* the bit of enum ctl_takes; 0: every command takes it */
	size_t place; /* in struct ctl: of a const char *, or of a switch's bool */
};

extern const struct ctl_option ctl_options[];
extern const size_t ctl_option_count;

enum ctl_wish { CTL_RUN, CTL_HELP, CTL_VERSION, CTL_COMPLETE, CTL_WRONG };

/* Reads the options and moves them before the arguments, as getopt_long() does. Returns what they
 * ask for, CTL_WRONG for options that are wrong (reported), and the options given as bits of
 * ctl_options in `given`. */
enum ctl_wish ctl_read_options(int count, char **words, struct ctl *ctl, uint64_t *given);
/* Whether the command takes the options given. Reports the first that it does not take. */
bool ctl_takes_options(struct ctl *ctl, const struct ctl_command *command, uint64_t given);

/* Prints the usage, one command's help, or for each command a line with its options. */
void ctl_print_usage(FILE *out);
void ctl_print_help(const struct ctl_command *command);
void ctl_print_completions(void);

/* Makes one call to the admin address. Returns the HTTP status, or 0 if the address is unreachable,
 * which it reports on standard error. `answer` (may be NULL) receives the reply's JSON or NULL; the
 * caller decrefs it. `body` NULL: none. */
int ctl_call(struct ctl *ctl, const char *method, const char *path, json_t *body, json_t **answer);
/* Gets a text; the caller finishes `answer`. Returns the status as ctl_call() does. `quietly`:
 * waits a few seconds only, and reports nothing. */
int ctl_get(struct ctl *ctl, const char *path, bool quietly, struct buffer *answer);
/* Posts bytes: JSON, or a ZIP archive. */
int ctl_send(struct ctl *ctl, const char *path, struct slice body, json_t **answer);
/* NULL: it is not JSON. */
json_t *ctl_read_json(struct slice text);
/* Joins `folder`, the percent-encoded name, `rest` and the tenant: "/v1/users/USER/memory". The
 * caller frees the result. */
char *ctl_path(const struct ctl *ctl, const char *folder, const char *name, const char *rest);
/* The same in a buffer, without the last zero, for ctl_add_query(). The caller finishes it. */
struct buffer ctl_begin_path(const struct ctl *ctl, const char *folder, const char *name,
			     const char *rest);
/* Reports the error of an answer that is not 2xx; without an answer (status 0), that has been
 * reported. Returns 1. */
int ctl_fail(struct ctl *ctl, int status, json_t *answer);
/* The same for a call about a user who may be unknown. */
int ctl_fail_of_user(struct ctl *ctl, int status, json_t *answer);
int ctl_fail_as_unknown(struct ctl *ctl);
/* The same for a 2xx answer that has an unexpected form. */
int ctl_fail_to_read(struct ctl *ctl, json_t *answer);

/* Adds "?NAME=VALUE" or "&NAME=VALUE" to a path; nothing if `value` is NULL. */
void ctl_add_query(struct buffer *path, const char *name, const char *value);
/* Fetches the pages of a list, whose answers hold an array `name` and "next", up to --limit
 * elements, and returns them as one such answer. NULL: it failed, which has been reported. */
json_t *ctl_collect(struct ctl *ctl, const struct buffer *path, const char *name,
		    size_t usual_limit);

/* Of "forget": how many parts of a memory the options name, and deleting the one that they do. */
int ctl_count_parts(const struct ctl *ctl);
int ctl_forget_part(struct ctl *ctl);
/* Prints until when the disk holds what a deletion's report says is erased. */
void ctl_tell_of_disk(json_t *answer);
/* Reads a key from a file; `why` as of store_key_read_file(). False: it failed, which has been
 * reported. */
bool ctl_read_key(struct ctl *ctl, const char *file, unsigned char key[STORE_KEY_SIZE]);
/* Puts on disk what was written to standard output. False: `why` says what failed. */
bool ctl_sync_output(char *why, size_t why_size);
/* Writes a user's memory to standard output; takes a file into it. */
int ctl_export_user(struct ctl *ctl);
int ctl_import_user(struct ctl *ctl, FILE *file);
/* Takes a file on the disk in by requests to the path: in one, or, if it is another program's and
 * large, in several. Returns the sum of the answers, which the caller decrefs; NULL: it failed,
 * which has been reported. */
json_t *ctl_import_file(struct ctl *ctl, const char *path, FILE *file);

/* Reports an error on standard error, cleaned like ctl_print(), and records it. */
void ctl_fault(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Only records it: it has been reported already. */
void ctl_note_fault(struct ctl *ctl, const char *text);
/* With --json, prints {"error":{"message","code","status"}} to standard output if an error was
 * recorded. */
void ctl_print_faults(struct ctl *ctl);

/* The string member, or "". */
const char *ctl_text(json_t *object, const char *name);
/* Says how many parts of an import were left out, since they were erased, the last ones then. */
void ctl_print_erased(json_int_t count, const char *at);
/* Prints JSON, indented, to standard output. */
int ctl_print_json(json_t *answer);
/* Prints an answer, with --json as it is, and frees it. NULL: there is none, which has been
 * reported. Returns the exit status. */
int ctl_print_answer(const struct ctl *ctl, json_t *answer, void (*print)(json_t *answer));

/* What to print before and after text that stands out; "" if colours are off. */
enum ctl_style { STYLE_END, STYLE_BOLD, STYLE_FAINT, STYLE_KEY, STYLE_GOOD, STYLE_ALARM };
const char *ctl_style(const struct ctl *ctl, enum ctl_style style);
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
void ctl_print(const char *text, size_t columns);
/* The same, uncut, to standard error. */
void ctl_print_fault(const char *text);
/* Like ctl_print(), in a table cell padded with spaces to `columns`. */
void ctl_print_cell(const char *text, size_t columns, bool to_the_right);
/* The number of columns that the whole text takes. */
size_t ctl_width(const char *text);
/* "1 user", "2 users": drops the name's last letter if there is one. */
void ctl_print_count(long long count, const char *name);
/* Prints what one request was given, or would be given, as a table for people. Skips absent
 * members. */
void ctl_print_receipt(json_t *receipt);
enum { CTL_MAX_COLUMNS = 12 };
struct ctl_column {
	const char *title;
	const char *member; /* of each row: a string or a number */
	bool to_the_right;
	int decimals;  /* of a number */
	double factor; /* by which a number is shown */
};
/* Prints an array of objects as a table; on a terminal that is too narrow the first column is
 * cut. */
void ctl_print_table(json_t *rows, const struct ctl_column *columns, size_t count);
/* For check, of what GET /v1/status gives: the requests since the start by what memory did, the
 * memory model's answers and the disk; and a line for each thing that a person should do. Members
 * that an earlier recalld does not give are left out. */
void ctl_print_work(json_t *status);
void ctl_print_advice(json_t *status);
struct dump_report;
/* Reports on standard error what happened to an export's records. */
void ctl_print_dump(struct ctl *ctl, const struct dump_report *report, const char *what);

#endif
