/* The log, on standard error: one line per event, as text or as JSON. Thread-safe; lines do not
 * mix, and are lost, with a line that counts them, while standard error takes none. No bodies, no
 * keys, no user ids in it: a user appears as the first 8 hex digits of the store's hash. */
#ifndef RECALLD_PROXY_RUNTIME_LOG_H
#define RECALLD_PROXY_RUNTIME_LOG_H

#include "core/base/bytes.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Until it is called: text, info. May be called again after a reload. */
void log_configure(enum log_level level, enum log_format format);
bool log_wants(enum log_level level);

/* A name and its value; numbers are given as text. A field whose name is NULL ends the list. */
struct log_field {
	const char *name;
	struct slice value;
	bool is_number;
};

/* text: "2026-11-21T09:30:00.123Z info message name=value name=\"two words\""
 * json: {"time":...,"level":"info","message":...,"name":"value","number":5} */
void log_event(enum log_level level, const char *message, const struct log_field *fields);

/* Whether a warning that may come often is to be logged now: once a minute at most, so that an
 * operator sees a wrong key or address without being flooded. `logged_at` is the caller's, 0 before
 * the first, and of the steady clock. */
bool log_is_due(uint64_t *logged_at);

/* A message without fields, formatted. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
