/* Shared by the configuration's files; no other file includes this.
 *
 * keys.txt has all keys. parse.c splits the file's lines and handles comments, quotes and ${NAME},
 * value.c converts words to values and prints the table for people, check.c checks addresses, URLs
 * and other texts, rules.c compares keys with each other once all are read and warns of what they
 * do together, secret_files.c reads keys that stand in files of their own, names.c finds keys,
 * suggests corrections and reports faults, config.c holds the result. */
#ifndef RECALLD_PROXY_CONFIG_READER_H
#define RECALLD_PROXY_CONFIG_READER_H

#include "proxy/config/config.h"

enum {
	CONFIG_MAX_KEYS = 144, /* rows of the table */
	CONFIG_MAX_FILE = 1024 * 1024,
	CONFIG_MAX_LINE = 64 * 1024,
	CONFIG_MAX_OVERRIDES = 1000,
	CONFIG_MAX_ITEMS = 32, /* per list */
	CONFIG_MAX_FAULTS = 100,
	CONFIG_MAX_REASON = 4096,
};

#define CONFIG_NOT_STORED SIZE_MAX
#define CONFIG_NO_KEY SIZE_MAX

/* Where a key was set. Zero-initialized: nowhere, the key has its default. */
struct config_origin {
	unsigned line;
	const struct config_key *variable; /* the key, if its environment variable set it */
	bool broken;                       /* the value was bad; the fault is already reported */
};

enum config_selector { SELECT_MODEL, SELECT_TENANT, SELECT_USER };

struct config_override {
	const char *section; /* the table's */
	enum config_selector selector;
	char *pattern;
	unsigned line;
	unsigned lines[CONFIG_MAX_KEYS]; /* by table index; 0: not overridden */
	struct config_memory memory;
};

struct config_reader {
	const char *name; /* the file's name, for messages */
	FILE *faults;
	FILE *warnings;
	bool looks_at_store; /* also reports what the disk says about the store's path */
	size_t fault_count;
	struct config *config;
	struct config_origin origins[CONFIG_MAX_KEYS]; /* by table index */

	unsigned line;
	unsigned section_lines[CONFIG_MAX_KEYS]; /* by the index of the section's first key */
	const char *section;                     /* NULL: none yet, or an unknown one */
	bool section_seen;                       /* false before the first section */
	struct config_override *override;        /* NULL: the base section */
};

/* ---- value.c ---- */

struct config_value {
	uint64_t number; /* a word's index, a switch, a number, bytes or milliseconds */
	double fraction;
	struct slice text; /* a list too; not owned */
};

/* Parses a value for the key. False: `why` says what is wrong and what would be right. */
bool config_value_read(const struct config_key *key, struct slice text, struct config_value *value,
		       struct buffer *why);
/* Takes the next item off `list`, whose data must be NULL if it is empty. False: none is left. */
bool config_next_item(struct slice *list, struct slice *item);
/* ---- names.c ---- */

/* The key's index in the table, or CONFIG_NO_KEY. */
size_t config_find(struct slice section, struct slice name);
size_t config_first_of(struct slice section);
/* Finds the key that an environment variable's name means. False: the name belongs to no section
 * and resembles none. `key` is CONFIG_NO_KEY if the section, or one that resembles the name's, has
 * no such key. */
bool config_find_variable(struct slice name, size_t *key, size_t *first_of_section);
/* Suggests a correction for an unknown name: "did you mean ...", or the list of valid names. */
void config_suggest_section(struct slice name, struct buffer *out);
void config_suggest_key(struct slice section, struct slice name, struct buffer *out);
/* Whether a name from the file may be printed: a long or odd one may be a misplaced secret. */
bool config_is_printable(struct slice name);

/* Reports a fault at the line or variable of `origin`, or of the whole file. */
void config_fault(struct config_reader *reader, struct config_origin origin, const char *format,
		  ...) __attribute__((format(printf, 3, 4)));
void config_warning(struct config_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Notes a fact worth knowing that is no warning: the daemon logs it as information. */
void config_note(struct config_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A warning that names the line or variable. */
void config_warning_at(struct config_reader *reader, struct config_origin origin,
		       const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- check.c ---- */

/* Checks that the line is UTF-8, has no control characters and is not too long. False: `why` says
 * why. */
bool config_check_line(struct slice line, struct buffer *why);
struct config_address {
	struct slice path; /* path of a local socket; empty: host and port are set instead */
	struct slice host; /* without brackets */
	unsigned port;
};

bool config_address_read(struct slice text, struct config_address *address);
/* Whether only this machine can reach it. */
bool config_address_is_loopback(const struct config_address *address);
/* Whether the two addresses cannot both be listened on. */
bool config_address_clash(const struct config_address *a, const struct config_address *b);
/* Whether a request to the URL reaches the address, as far as the two texts tell. */
bool config_url_leads_to(struct slice url, const struct config_address *address);
/* Whether a segment of its path is a version, as in /v1 or /v1beta/openai. */
bool config_url_has_version(struct slice url);
/* The "https://host:port" of a URL, as written. */
struct slice config_url_origin(struct slice url);

bool config_check_address(struct slice text, struct buffer *why);
bool config_check_base_url(struct slice text, struct buffer *why);
bool config_check_proxy(struct slice text, struct buffer *why);
bool config_check_secret(struct slice text, struct buffer *why);
bool config_check_header_name(struct slice text, struct buffer *why);
bool config_check_host(struct slice text, struct buffer *why);
bool config_check_body_field(struct slice text, struct buffer *why);
bool config_check_readable(struct slice text, struct buffer *why);

/* ---- secret_files.c ---- */

/* Gives keys the contents of the files named for them. */
void config_read_secret_files(struct config_reader *reader);

/* ---- rules.c ---- */

/* Reports faults of keys that do not fit together and of a store that cannot be used; without any
 * fault at all, also the warnings. */
void config_apply_rules(struct config_reader *reader);

/* ---- config.c ---- */

/* `*` matches any run of characters, `?` exactly one. Case-sensitive. */
bool config_glob_match(struct slice pattern, struct slice text);
/* Stores a value in the structure that the key's offset refers to: the configuration, or for a key
 * of struct config_memory a section's settings. Frees the previous value. */
void config_store(const struct config_key *key, const struct config_value *value, void *base);
/* Whether the section's keys are in struct config_memory, so that it takes selectors. */
bool config_takes_selectors(const char *section);
/* Appends a section with a selector; copies the pattern. */
struct config_override *config_add_override(struct config *config, const char *section,
					    enum config_selector selector, struct slice pattern);
void *config_base(struct config *config, const struct config_key *key);
/* Applies the section's overrides to `memory`. */
void config_apply(const struct config_override *override, struct config_memory *memory);

#endif
