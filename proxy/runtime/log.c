/* The log: lines on standard error, for people or for machines. */
#include "proxy/runtime/log.h"

#include "core/base/utf8.h"
#include "core/json/json.h"
#include "proxy/runtime/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_MESSAGE = 4096,
	MAX_VALUE = 2048, /* a longer field is cut */
	MAX_LINE = 1024 * 1024,
	ENOUGH = 64 * 1024, /* a longer line gets no more fields */
	/* Milliseconds in each second that logging may wait for a slow reader. */
	PATIENCE = 20,
	SECOND = 1000,
};

/* Standard error, and the state of its reader. */
static struct {
	pthread_mutex_t lock;
	dev_t device; /* identifies standard error's file, which may be replaced */
	ino_t inode;
	int fd;
	bool is_socket;
	bool may_block;
	bool is_torn;      /* the last line is incomplete */
	uint64_t lost;     /* lines dropped since the last one written */
	int64_t waited_at; /* on the monotonic clock, in milliseconds */
} output = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO, .waited_at = -SECOND};

static _Atomic int log_level = LOG_LEVEL_INFO;
static _Atomic int log_format = LOG_FORMAT_TEXT;

void log_configure(enum log_level level, enum log_format format)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
	atomic_store_explicit(&log_format, (int)format, memory_order_relaxed);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

bool log_is_due(uint64_t *logged_at)
{
	uint64_t now = clock_steady();
	if (*logged_at != 0 && now - *logged_at < LOG_BETWEEN_WARNINGS)
		return false;
	*logged_at = now;
	return true;
}

static const char *level_name(enum log_level level)
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

static bool needs_quotes(struct slice value)
{
	for (size_t i = 0; i < value.size; i++) {
		unsigned char byte = (unsigned char)value.data[i];
		if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '\\' || byte == '=')
			return true;
	}
	return value.size == 0;
}

/* Appends a message unchanged, except for characters that could start a line or drive a
 * terminal. */
static void append_message(struct buffer *line, const char *message)
{
	for (; *message != '\0'; message++) {
		unsigned char byte = (unsigned char)*message;
		buffer_append_byte(line, byte < ' ' || byte == 0x7f ? ' ' : *message);
	}
}

static void append_text(struct buffer *line, enum log_level level, const char *message,
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
			json_quote(line, utf8_cut(fields->value, MAX_VALUE));
		else
			buffer_append(line, utf8_cut(fields->value, MAX_VALUE));
	}
}

static void append_json(struct buffer *line, enum log_level level, const char *message,
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
			json_quote(line, utf8_cut(fields->value, MAX_VALUE));
	}
	buffer_append_byte(line, '}');
}

static void append_event(struct buffer *line, enum log_level level, const char *message,
			 const struct log_field *fields)
{
	if (atomic_load_explicit(&log_format, memory_order_relaxed) == LOG_FORMAT_JSON)
		append_json(line, level, message, fields);
	else
		append_text(line, level, message, fields);
	buffer_append_byte(line, '\n');
}

/* For a pipe or a terminal, opens a file description of our own: making standard error's
 * non-blocking would affect every process that shares it. */
static void find_output(void)
{
	struct stat now;
	if (fstat(STDERR_FILENO, &now) != 0 ||
	    (now.st_dev == output.device && now.st_ino == output.inode))
		return;
	if (output.fd != STDERR_FILENO)
		(void)close(output.fd);
	output.device = now.st_dev;
	output.inode = now.st_ino;
	output.is_socket = S_ISSOCK(now.st_mode);
	output.may_block = S_ISFIFO(now.st_mode) || S_ISCHR(now.st_mode);
	output.fd = STDERR_FILENO;
	if (!output.may_block)
		return;
	int own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return; /* it belongs to somebody else */
	output.fd = own;
	output.may_block = false;
}

static bool has_room(int timeout)
{
	struct pollfd ready = {.fd = output.fd, .events = POLLOUT};
	return poll(&ready, 1, timeout) > 0;
}

static ssize_t write_some(struct slice bytes)
{
	if (output.is_socket)
		return send(output.fd, bytes.data, bytes.size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (output.may_block && !has_room(0)) {
		errno = EAGAIN;
		return -1;
	}
	/* a pipe with room takes this many bytes without blocking */
	size_t size = bytes.size < PIPE_BUF ? bytes.size : PIPE_BUF;
	return write(output.fd, bytes.data, size);
}

static bool wait_for_room(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t at = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (at - output.waited_at < SECOND)
		return false;
	output.waited_at = at;
	return has_room(PATIENCE);
}

/* False: nobody takes it. A failing log must not fail or delay anything else. */
static bool write_line(struct slice line)
{
	while (line.size > 0) {
		ssize_t written = write_some(line);
		if (written > 0) {
			output.is_torn = true;
			line = slice_part(line, (size_t)written, line.size);
		} else if (errno != EINTR && (errno != EAGAIN || !wait_for_room())) {
			return false;
		}
	}
	output.is_torn = false;
	return true;
}

/* Logged before the next line that succeeds. */
static void tell_what_is_lost(void)
{
	char message[128];
	struct buffer line;
	buffer_init(&line, MAX_LINE);
	if (output.is_torn)
		buffer_append_byte(&line, '\n');
	(void)snprintf(message, sizeof(message),
		       "log lines lost because nobody read them: %" PRIu64, output.lost);
	append_event(&line, LOG_LEVEL_WARN, message, NULL);
	if (write_line(buffer_slice(&line)))
		output.lost = 0;
	buffer_finish(&line);
}

/* Keeps lines of several threads apart. */
static void write_or_lose(struct slice line)
{
	pthread_mutex_lock(&output.lock);
	find_output();
	if (output.lost > 0)
		tell_what_is_lost();
	if (output.lost > 0 || !write_line(line))
		output.lost++;
	pthread_mutex_unlock(&output.lock);
}

void log_event(enum log_level level, const char *message, const struct log_field *fields)
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

static void log_formatted(enum log_level level, const char *format, va_list arguments)
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
