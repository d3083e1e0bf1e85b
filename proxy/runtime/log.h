/* The log, on standard error: one line per event, as text or JSON. Thread-safe; lines never mix.
 * While standard error accepts nothing, lines are dropped, and a later line counts them. Never logs
 * bodies, keys or user ids: a user appears as the first 8 hex digits of the store's hash,
 * which GET /v1/users?log_id= looks up. */
#ifndef RECALLD_PROXY_RUNTIME_LOG_H
#define RECALLD_PROXY_RUNTIME_LOG_H

#include "core/base/bytes.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Before the first call: text, info. May be called again after a reload. */
void log_configure(enum log_level level, enum log_format format);
bool log_wants(enum log_level level);

/* A name and its value; numbers are passed as text. A field with name NULL ends the list. */
struct log_field {
	const char *name;
	struct slice value;
	bool is_number;
};

/* text: "2026-11-21T09:30:00.123Z info message name=value name=\"two words\""
 * json: {"time":...,"level":"info","message":...,"name":"value","number":5} */
void log_event(enum log_level level, const char *message, const struct log_field *fields);

enum { LOG_BETWEEN_WARNINGS = 60 * 1000 * 1000 }; /* microseconds */

/* Whether to log a warning that may repeat often: at most once a minute, so that an operator
 * notices a wrong key or address without a flood. The caller owns `logged_at` (steady clock); it
 * starts at 0. */
bool log_is_due(uint64_t *logged_at);

/* A formatted message without fields. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
