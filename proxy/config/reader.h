/* What the files of the configuration share among themselves; nobody else includes this.
 *
 * config_parse.c takes lines apart, config_tell.c prints what is wrong with them, config_value.c
 * turns words into values, config_forms.c knows what addresses and URLs look like, config_check.c
 * compares keys with each other once all are there, config_names.c finds keys and guesses what was
 * meant, config.c keeps the result. */
#ifndef RECALLD_PROXY_CONFIG_READER_H
#define RECALLD_PROXY_CONFIG_READER_H

#include "proxy/config/config.h"

enum {
	CONFIG_MAX_KEYS = 64, /* rows of the table */
	CONFIG_MAX_FILE = 1024 * 1024,
	CONFIG_MAX_LINE = 64 * 1024,
	CONFIG_MAX_OVERRIDES = 1000,
	CONFIG_MAX_ITEMS = 32, /* of a list */
	CONFIG_MAX_FAULTS = 100,
};

#define CONFIG_NOT_STORED SIZE_MAX
#define CONFIG_NO_KEY SIZE_MAX

/* Where a key was set. All zero: nowhere, it has its default. */
struct config_origin {
	unsigned line;
	const struct config_key *variable; /* the key, when its environment variable set it */
	bool broken;                       /* it was set to a bad value, which is a fault already */
};

enum config_selector { SELECT_MODEL, SELECT_TENANT, SELECT_USER };

struct config_override {
	enum config_selector selector;
	char *pattern;
	unsigned line;
	unsigned lines[CONFIG_MAX_KEYS]; /* by the table's index; 0: not overridden */
	struct config_memory memory;
};

struct config_reader {
	const char *name; /* of the file, as faults call it */
	FILE *faults;
	FILE *warnings;
	bool looks_at_store; /* what the disk says of its path is told too */
	size_t fault_count;
	struct config *config;
	struct config_origin origins[CONFIG_MAX_KEYS]; /* by the table's index */

	unsigned line;
	unsigned section_lines[CONFIG_MAX_KEYS]; /* by the index of the section's first key */
	const char *section;                     /* NULL: none yet, or an unknown one */
	bool section_seen;                       /* false before the first section */
	struct config_override *override;        /* NULL: the base section */
};

/* ---- config_tell.c ---- */

/* Prints a fault of the line or variable at `origin`, or of the whole file. */
void config_fault(struct config_reader *reader, struct config_origin origin, const char *format,
		  ...) __attribute__((format(printf, 3, 4)));
void config_warning(struct config_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same with the line or variable that it is about. */
void config_warning_at(struct config_reader *reader, struct config_origin origin,
		       const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- config_line.c ---- */

/* The line up to a comment: a ; or # at its begin or behind white space. */
struct slice config_without_comment(struct slice line);
/* The value behind a "=", without comment, quotes, and white space around it. False: `why`. */
bool config_read_value(struct slice text, struct slice *value, struct buffer *why);
/* Appends the text with ${NAME} replaced from the environment. False: `why`. */
bool config_expand(struct slice text, struct buffer *out, struct buffer *why);
/* Whether it is a line of text: UTF-8, without control characters, not too long. False: `why`. */
bool config_check_line(struct slice line, struct buffer *why);

/* ---- config_value.c ---- */

struct config_value {
	uint64_t number; /* a word's index, a switch, a number, bytes or milliseconds */
	double fraction;
	struct slice text; /* also of a list; not owned */
};

/* Reads a value of the key. False: `why` says what is wrong and what would be right. */
bool config_value_read(const struct config_key *key, struct slice text, struct config_value *value,
		       struct buffer *why);
/* Takes the next item off a list; start with data NULL for an empty one. False: none is left. */
bool config_next_item(struct slice *list, struct slice *item);
/* "1s to 24h"; nothing for a key without a range. */
void config_print_range(const struct config_key *key, struct buffer *out);
/* The key's words, joined by ", ". */
void config_print_words(const struct config_key *key, struct buffer *out);

/* ---- config_names.c ---- */

/* The index in the table; CONFIG_NO_KEY: none. */
size_t config_find(struct slice section, struct slice name);
size_t config_first_of(struct slice section);
/* "RECALLD_MEMORY_MODE". */
void config_print_variable(const struct config_key *key, FILE *out);
/* The key that such a name means. False: it is of no section, nor nearly of one. `key` may be
 * CONFIG_NO_KEY, and is that of a name that is only nearly of a section. */
bool config_find_variable(struct slice name, size_t *key, size_t *first_of_section);
/* What an unknown name should have been: "did you mean ...", or what there is. */
void config_suggest_section(struct slice name, struct buffer *out);
void config_suggest_key(struct slice section, struct slice name, struct buffer *out);
/* Whether a name of the file may be printed: what is long or odd may be a secret out of place. */
bool config_is_printable(struct slice name);

/* ---- config_forms.c ---- */

struct config_address {
	struct slice path; /* of a local socket; empty: it has a host and a port instead */
	struct slice host; /* without brackets */
	unsigned port;
};

bool config_address_read(struct slice text, struct config_address *address);
/* Whether only this machine can reach it. */
bool config_address_is_loopback(const struct config_address *address);
/* Whether both cannot be listened on at once. */
bool config_address_clash(const struct config_address *a, const struct config_address *b);
/* Whether what is sent to the URL arrives at the address, as far as the two texts tell. */
bool config_url_leads_to(struct slice url, const struct config_address *address);
/* Whether a part of its path is a version, such as in /v1 or /v1beta/openai. */
bool config_url_has_version(struct slice url);
/* "https://host:port" of a URL, as it is written. */
struct slice config_url_origin(struct slice url);

/* Splits "host:port", "[v6]:port", or either without a port, which then is empty with data NULL.
 */
bool config_split_host(struct slice text, struct slice *host, struct slice *port);
bool config_is_ipv6(struct slice text);

bool config_check_address(struct slice text, struct buffer *why);
bool config_check_base_url(struct slice text, struct buffer *why);
bool config_check_proxy(struct slice text, struct buffer *why);
bool config_check_secret(struct slice text, struct buffer *why);
bool config_check_header_name(struct slice text, struct buffer *why);
bool config_check_host(struct slice text, struct buffer *why); /* config_hosts.c */
bool config_check_body_field(struct slice text, struct buffer *why);
bool config_check_readable(struct slice text, struct buffer *why);

/* ---- config_check.c ---- */

/* Faults and warnings about keys that do not go together. */
void config_check(struct config_reader *reader);

/* ---- config_check_store.c ---- */

/* The path of the store: its form, and where the reader looks at the disk, whether it can be used.
 */
void config_check_store(struct config_reader *reader);

/* ---- config.c ---- */

/* `*` stands for any run of characters, `?` for one; case-sensitive. */
bool config_glob_match(struct slice pattern, struct slice text);
/* Stores a value in the structure that the key's offset goes into: the configuration, or for a key
 * of [memory] the settings of a section. Frees what was there. */
void config_store(const struct config_key *key, const struct config_value *value, void *base);
/* Appends a section with a selector; its pattern is copied. */
struct config_override *config_add_override(struct config *config, enum config_selector selector,
					    struct slice pattern);
void *config_base(struct config *config, const struct config_key *key);
/* Sets in `memory` what the section overrides. */
void config_apply(const struct config_override *override, struct config_memory *memory);

#endif
