/* The configuration: read once into an immutable snapshot, replaced as a whole by a reload.
 *
 * One table (config_keys) holds every key with its type, default, range and help. The parser, `-t`,
 * the names of the environment variables and the test of conf/recalld.conf all derive from it. A
 * snapshot is reference-counted and read-only, so any thread may hold one. */
#ifndef RECALLD_PROXY_CONFIG_CONFIG_H
#define RECALLD_PROXY_CONFIG_CONFIG_H

#include "core/base/bytes.h"
#include "core/facts/intake.h"
#include "core/memory/memory.h"
#include "core/pii/pii.h"

#include <stdio.h>

enum config_role { CONFIG_ROLE_AUTO, CONFIG_ROLE_SYSTEM, CONFIG_ROLE_DEVELOPER, CONFIG_ROLE_USER };
enum config_history { HISTORY_PASS, HISTORY_TRIM };
enum config_durability { DURABILITY_STRICT, DURABILITY_RELAXED };
enum config_consent { CONSENT_IMPLIED, CONSENT_REQUIRED };
enum config_tenant { TENANT_SHARED, TENANT_API_KEY };
struct config_list {
	char **items;
	size_t count;
};

/* How long each kind is kept, in milliseconds; 0: for ever. */
struct config_retention {
	uint64_t messages;
	uint64_t facts;
	uint64_t fact_kinds[FACT_KINDS]; /* by enum fact_kind */
	uint64_t summaries;
	uint64_t receipts;
	uint64_t hidden; /* facts that are hidden */
	int pii;         /* enum pii */
};

enum config_pii { CONFIG_PII_KEEP, CONFIG_PII_MASK, CONFIG_PII_DROP, CONFIG_PII_NO_INJECT };

/* The keys of [memory], [retention] and [pii]. A section with a selector overrides some of them. */
struct config_memory {
	int mode; /* enum mode */
	bool inject;
	bool learn;
	bool mode_header;
	bool stored_riders;
	int role; /* enum config_role */
	uint64_t context_tokens;
	uint64_t profile_tokens;
	uint64_t conversation_tokens;
	uint64_t buffer_messages;
	uint64_t summarize_after;
	uint64_t summary_words;
	uint64_t learn_idle; /* milliseconds */
	uint64_t learn_batch;
	uint64_t time_zone; /* see zone_find() */
	double min_confidence;
	bool secrets_redact;
	uint64_t auto_buffer_turns;
	uint64_t auto_hybrid_sessions;
	int history; /* enum config_history */
	uint64_t history_tokens;
	int durability; /* enum config_durability */
	uint64_t receipts;
	uint64_t user_limit;
	struct config_retention retention;
	int pii[PII_CLASSES]; /* enum config_pii; of PII_OTHER, see retention.pii */
};

struct tls_context;
struct config_override; /* one section with a selector */

struct config {
	_Atomic unsigned references; /* changed only by config_retain() and config_release() */
	struct {
		char *address;
		struct config_list hosts;
		char *admin; /* empty: none */
		struct config_list admin_hosts;
		char *admin_token;
		char *admin_token_file; /* where admin_token was read from; empty: no file */
		char *tls_certificate;  /* both empty: no TLS */
		char *tls_key;
		struct tls_context *tls; /* built from these two; NULL: no TLS */
		uint64_t workers;        /* as configured; 0: one per CPU */
		uint64_t max_body;
		uint64_t max_connections;
		uint64_t max_in_flight;
		uint64_t drain_timeout; /* all durations are in milliseconds */
	} listen;
	struct {
		char *base_url; /* without a trailing slash */
		char *proxy;
		char *api_key;
		char *api_key_file;
		char *messages_base_url; /* of Anthropic's API; empty: base_url, with its key */
		char *messages_api_key;
		char *messages_api_key_file;
		uint64_t connect_timeout;
		uint64_t first_byte_timeout;
		uint64_t idle_timeout;
		char *ca_file;
	} upstream;
	struct {
		struct config_list user_header;
		struct config_list session_header;
		struct config_list client_session_header;
		struct config_list task_header;
		struct config_list drop_headers;
		bool user_path;
		struct config_list user_body; /* words: user, safety_identifier, metadata.user_id */
		int tenant;                   /* enum config_tenant */
		char *secret;
		char *secret_file;
	} identity;
	struct config_memory memory;
	struct config_override *overrides;
	size_t override_count;
	struct {
		char *base_url; /* empty: use the upstream's */
		char *api_key;
		char *api_key_file;
		char *name;
		char *embedding; /* empty: none */
		uint64_t embedding_timeout;
		uint64_t timeout;
		uint64_t concurrency;
		bool repair; /* a small model's slips */
	} model;
	struct {
		int consent; /* enum config_consent */
		bool chat_may_forget_pinned;
	} governance;
	struct {
		uint64_t keep; /* 0: forever */
		bool inject;
		bool log;
	} audit;
	struct {
		char *path;
		uint64_t map_size;
		uint64_t scrub; /* an enum config_scrub, or the milliseconds between two */
		uint64_t erasure_list;
		bool encrypt;
		uint64_t backup_keys_keep; /* exported keys */
		uint64_t rotate;           /* the master key's age that is warned of; 0: none */
		char *key_file;            /* one of the two is set if `encrypt` is */
		char *key_command;
	} storage;
	struct {
		int level;  /* enum log_level */
		int format; /* enum log_format */
	} log;
	struct {
		char *endpoint; /* empty: no traces */
		double sample;
		char *service;
	} trace;
};

/* Reads FILE (NULL: only defaults and environment) and the environment. Prints each fault to
 * `faults` as one line, "FILE:LINE: what is wrong; what would be right" (for an environment
 * variable, its name replaces FILE:LINE), and each warning to `warnings` as "FILE: warning: ...".
 * With `warnings` NULL, the TLS files are not opened, and a secret's file that cannot be read is no
 * fault: recallctl may not be allowed to read them.
 * Messages quote no text or list unless it is a name, so they reveal no secret. Returns NULL if
 * there was a fault; otherwise the snapshot has one reference. */
struct config *config_read(const char *file, FILE *faults, FILE *warnings);
/* Tests a configuration for `-t`: prints faults and warnings to `out`, and whatever would keep a
 * daemon run by this user from opening the store. */
struct config *config_test(const char *file, FILE *out);
/* config_read() from memory, under the file name `name`. For tests and fuzzing. */
struct config *config_read_text(const char *name, struct slice text, FILE *faults, FILE *warnings);

struct config *config_retain(struct config *config);
void config_release(struct config *config); /* NULL is fine; any thread */

/* The settings of [memory], [retention] and [pii] for one request: the base section, then every
 * section with a selector that matches; the last match wins, key by key, except that the shortest
 * time of [retention] does. Empty slices match only the selector "*". If the combined sections
 * disagree, conversation_tokens still limits context_tokens. */
struct config_memory config_memory_for(const struct config *config, struct slice model,
				       struct slice tenant, struct slice user);

/* The rule of [pii] for each class. */
struct pii_policy config_pii_policy(const struct config_memory *memory);
/* By what is stored passes: `secrets`, [pii], and `pii` of [retention]. */
struct intake config_intake(const struct config_memory *memory);

/* The shortest times of any section of [retention]; 0: none. */
struct config_retention config_shortest_retention(const struct config *config);

/* The smallest user_limit of any section. */
uint64_t config_least_user_limit(const struct config *config);

/* Base URL and API key for the memory model and its embeddings: from [model], or from [upstream]
 * where [model] leaves them empty. */
const char *config_model_base_url(const struct config *config);
const char *config_model_api_key(const struct config *config); /* empty: the client's own key */

/* The file of the index-th secret that may stand in one; empty: it does not. */
enum { CONFIG_SECRET_FILES = 5 };
const char *config_secret_file(const struct config *config, size_t index);

/* Whether a [listen] address is a TCP port that only this machine can reach, and therefore any web
 * page open on it. */
bool config_is_loopback_port(const char *address);

/* Whether the host in a Host field or an origin ("NAME", "NAME:PORT", "[::1]:PORT") is loopback,
 * the address's own host or one of `hosts`. Ignores case, port and a final dot. */
bool config_knows_host(const char *address, const struct config_list *hosts,
		       struct slice authority);

/* Prints the names of changed keys that a running daemon cannot apply ("listen.address", one per
 * line) to `out`. Returns their number. */
size_t config_unreloadable_changes(const struct config *before, const struct config *after,
				   FILE *out);

/* The words that [storage] scrub takes beside a time. */
enum config_scrub {
	CONFIG_SCRUB_OFF,
	CONFIG_SCRUB_START, /* only when the daemon starts */
	CONFIG_SCRUB_AFTER_DELETE,
	CONFIG_SCRUB_WORDS,
};

/* ---- time zones ---- */

/* By their IANA names ("Europe/Berlin"), from the system's tzdata. Safe from any thread. */

/* UTC, which needs no tzdata. */
enum { ZONE_UTC = 0 };

/* The zone's number, which stays valid. False: the name is unknown, or tzdata is not installed. */
bool zone_find(struct slice name, uint64_t *zone);

/* How many minutes the zone's clocks are ahead of UTC at a time, in milliseconds since 1970. */
int zone_offset(uint64_t zone, int64_t at);

/* ---- the table ---- */

enum config_type {
	CONFIG_TEXT,
	CONFIG_LIST,   /* texts, comma-separated */
	CONFIG_WORD,   /* one of `words` */
	CONFIG_SWITCH, /* one of two `words`; the second means true */
	CONFIG_NUMBER,
	CONFIG_FRACTION, /* a decimal number */
	CONFIG_SIZE,
	CONFIG_DURATION, /* or one of `words`, if there are any: less than `least` */
	CONFIG_ZONE,     /* stored as zone_find() numbers it */
};

struct config_key {
	const char *section;
	const char *name;
	enum config_type type;
	const char *initial;  /* the default, as written in a file */
	const char *words;    /* "off|buffer|...", in the order of their values */
	uint64_t least, most; /* in the unit of the stored value; most 0: no range */
	bool required;        /* must not be empty */
	bool shortest;        /* of several sections, the shortest time counts; 0 is the longest */
	bool reloadable;
	/* For texts and list items: whether the text is valid, and if not, why ("is ...; what would
	 * be right", without the value). NULL: any text. Not called for an empty text. */
	bool (*check)(struct slice text, struct buffer *why);
	/* Into struct config, or struct config_memory for the sections that it holds. SIZE_MAX:
	 * recognized but not stored. */
	size_t offset;
	const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* Prints the table as Markdown: for each section its keys with their defaults, ranges and help. */
void config_print_reference(FILE *out);

#endif
