/* The log: lines on standard error, for people or for machines. */
#include "proxy/log.h"

#include "core/json.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_MESSAGE = 4096,
	MAX_VALUE = 2048, /* of a field; what is longer is cut */
	MAX_LINE = 1024 * 1024,
	ENOUGH = 64 * 1024, /* a line that is longer gets no more fields */
};

static _Atomic int log_level = LOG_LEVEL_INFO;
static _Atomic int log_format = LOG_FORMAT_TEXT;

void log_configure(enum config_log_level level, enum config_log_format format)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
	atomic_store_explicit(&log_format, (int)format, memory_order_relaxed);
}

bool log_wants(enum config_log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

static const char *level_name(enum config_log_level level)
{
	static const char *const names[] = {[LOG_LEVEL_ERROR] = "error",
					    [LOG_LEVEL_WARN] = "warn",
					    [LOG_LEVEL_INFO] = "info",
					    [LOG_LEVEL_DEBUG] = "debug"};
	return names[level];
}

static void append_time(struct buffer *line)
{
	struct timespec now;
	struct tm date;
	char text[32];
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &date);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &date);
	buffer_printf(line, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

/* Cuts a value between two characters. */
static struct slice cut(struct slice value)
{
	if (value.size <= MAX_VALUE)
		return value;
	size_t end = MAX_VALUE;
	while (end > 0 && ((unsigned char)value.data[end] & 0xc0) == 0x80)
		end--;
	return slice_part(value, 0, end);
}

static bool needs_quotes(struct slice value)
{
	for (size_t i = 0; i < value.size; i++) {
		unsigned char byte = (unsigned char)value.data[i];
		if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '\\' || byte == '=')
			return true;
	}
	return value.size == 0;
}

/* A message is for reading and stays as it is, but for what could begin a line or steer a terminal.
 */
static void append_message(struct buffer *line, const char *message)
{
	for (; *message != '\0'; message++) {
		unsigned char byte = (unsigned char)*message;
		buffer_append_byte(line, byte < ' ' || byte == 0x7f ? ' ' : *message);
	}
}

static void append_text(struct buffer *line, enum config_log_level level, const char *message,
			const struct log_field *fields)
{
	append_time(line);
	buffer_append_byte(line, ' ');
	buffer_append(line, slice_of(level_name(level)));
	buffer_append_byte(line, ' ');
	append_message(line, message);
	for (; fields != NULL && fields->name != NULL && line->size < ENOUGH; fields++) {
		buffer_append_byte(line, ' ');
		buffer_append(line, slice_of(fields->name));
		buffer_append_byte(line, '=');
		if (needs_quotes(fields->value))
			json_quote(line, cut(fields->value));
		else
			buffer_append(line, cut(fields->value));
	}
}

static void append_json(struct buffer *line, enum config_log_level level, const char *message,
			const struct log_field *fields)
{
	buffer_append(line, SLICE("{\"time\":\""));
	append_time(line);
	buffer_append(line, SLICE("\",\"level\":\""));
	buffer_append(line, slice_of(level_name(level)));
	buffer_append(line, SLICE("\",\"message\":"));
	json_quote(line, slice_of(message));
	for (; fields != NULL && fields->name != NULL && line->size < ENOUGH; fields++) {
		buffer_append_byte(line, ',');
		json_quote(line, slice_of(fields->name));
		buffer_append_byte(line, ':');
		json_quote(line, cut(fields->value));
	}
	buffer_append_byte(line, '}');
}

/* One write for a line: lines of several threads do not mix. The log failing fails nothing else. */
static void write_line(struct slice line)
{
	while (line.size > 0) {
		ssize_t written = write(STDERR_FILENO, line.data, line.size);
		if (written < 0 && errno != EINTR)
			return;
		if (written > 0)
			line = slice_part(line, (size_t)written, line.size);
	}
}

void log_event(enum config_log_level level, const char *message, const struct log_field *fields)
{
	if (!log_wants(level))
		return;
	int saved = errno;
	struct buffer line;
	buffer_init(&line, MAX_LINE);
	if (atomic_load_explicit(&log_format, memory_order_relaxed) == LOG_FORMAT_JSON)
		append_json(&line, level, message, fields);
	else
		append_text(&line, level, message, fields);
	buffer_append_byte(&line, '\n');
	write_line(buffer_slice(&line));
	buffer_finish(&line);
	errno = saved;
}

static void log_formatted(enum config_log_level level, const char *format, va_list arguments)
{
	char message[MAX_MESSAGE];
	if (!log_wants(level))
		return;
	(void)vsnprintf(message, sizeof(message), format, arguments);
	log_event(level, message, NULL);
}

#define DEFINE_LOG(function, level)                                                                \
	void function(const char *format, ...)                                                     \
	{                                                                                          \
		va_list arguments;                                                                 \
		va_start(arguments, format);                                                       \
		log_formatted(level, format, arguments);                                           \
		va_end(arguments);                                                                 \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
