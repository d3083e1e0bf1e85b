/* The log: lines on standard error, for people or for machines. */
#include "proxy/log.h"

#include "core/json.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
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
	PATIENCE = 100,     /* milliseconds that whoever reads the log may be waited for, once */
};

/* How it stands with whoever reads standard error. */
static struct {
	pthread_mutex_t lock;
	bool is_stuck; /* was waited for in vain, and is not any more until there is room */
	bool is_torn;  /* the last line lacks its end */
	uint64_t lost; /* lines, since the last that was written */
} output = {.lock = PTHREAD_MUTEX_INITIALIZER};

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
		if (fields->is_number)
			buffer_append(line, fields->value);
		else
			json_quote(line, cut(fields->value));
	}
	buffer_append_byte(line, '}');
}

static void append_event(struct buffer *line, enum config_log_level level, const char *message,
			 const struct log_field *fields)
{
	if (atomic_load_explicit(&log_format, memory_order_relaxed) == LOG_FORMAT_JSON)
		append_json(line, level, message, fields);
	else
		append_text(line, level, message, fields);
	buffer_append_byte(line, '\n');
}

/* A pipe that has room takes PIPE_BUF bytes without making anybody wait. */
static bool wait_for_room(void)
{
	struct pollfd standard_error = {.fd = STDERR_FILENO, .events = POLLOUT};
	int ready;
	do
		ready = poll(&standard_error, 1, output.is_stuck ? 0 : PATIENCE);
	while (ready < 0 && errno == EINTR);
	output.is_stuck = ready == 0;
	return !output.is_stuck;
}

/* False: nobody takes it. The log failing fails nothing else, and holds nothing else up. */
static bool write_line(struct slice line)
{
	while (line.size > 0) {
		if (!wait_for_room())
			return false;
		size_t size = line.size < PIPE_BUF ? line.size : PIPE_BUF;
		ssize_t written = write(STDERR_FILENO, line.data, size);
		if (written < 0 && errno != EINTR)
			return true; /* there is nobody who could miss it */
		output.is_torn = true;
		if (written > 0)
			line = slice_part(line, (size_t)written, line.size);
	}
	output.is_torn = false;
	return true;
}

/* Before the first line that is taken again. */
static void tell_what_is_lost(void)
{
	char message[128];
	struct buffer line;
	buffer_init(&line, MAX_LINE);
	if (output.is_torn)
		buffer_append_byte(&line, '\n');
	(void)snprintf(message, sizeof(message),
		       "lines of the log were lost, since nobody read them: %" PRIu64, output.lost);
	append_event(&line, LOG_LEVEL_WARN, message, NULL);
	if (write_line(buffer_slice(&line)))
		output.lost = 0;
	buffer_finish(&line);
}

/* Lines of several threads do not mix. */
static void write_or_lose(struct slice line)
{
	pthread_mutex_lock(&output.lock);
	if (output.lost > 0)
		tell_what_is_lost();
	if (output.lost > 0 || !write_line(line))
		output.lost++;
	pthread_mutex_unlock(&output.lock);
}

void log_event(enum config_log_level level, const char *message, const struct log_field *fields)
{
	if (!log_wants(level))
		return;
	int saved = errno;
	struct buffer line;
	buffer_init(&line, MAX_LINE);
	append_event(&line, level, message, fields);
	write_or_lose(buffer_slice(&line));
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
