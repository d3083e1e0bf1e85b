#include "core/dialect/dialect.h"
#include "proxy/http/connection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK_LINE = sizeof(size_t) * 2 + sizeof("\r\n") - 1, MAX_ERROR = 64 * 1024 };

const struct http_head *http_request_head(const struct http_request *request)
{
	return &request->head;
}

struct slice http_request_body(const struct http_request *request)
{
	return buffer_slice(&request->body);
}

struct buffer http_request_take_body(struct http_request *request)
{
	const struct buffer body = request->body;
	request->body = (struct buffer){0};
	(void)http_connection_count(request->connection);
	return body;
}

const char *http_request_peer(const struct http_request *request)
{
	return request->connection->peer;
}

bool http_request_is_local(const struct http_request *request)
{
	return request->connection->is_local;
}

void http_request_hold(struct http_request *request, size_t bytes)
{
	request->beside = bytes;
	(void)http_connection_count(request->connection);
}

void http_request_set_events(struct http_request *request, const struct http_request_events *events,
			     void *cookie)
{
	request->events = *events;
	request->cookie = cookie;
}

/* RFC 9110 section 5.6.7; renewed at most once a second. */
static const char *http_date(struct http_server *server)
{
	time_t now = time(NULL);
	if (now != server->date_at) {
		struct tm utc;
		gmtime_r(&now, &utc);
		(void)strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT",
			       &utc);
		server->date_at = now;
	}
	return server->date;
}

static void put_field(struct buffer *out, struct slice name, struct slice value)
{
	buffer_append(out, name);
	buffer_append(out, SLICE(": "));
	buffer_append(out, value);
	buffer_append(out, SLICE("\r\n"));
}

static void put_fields(struct buffer *out, const struct http_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (http_field_is_valid(fields[i]))
			put_field(out, fields[i].name, fields[i].value);
	}
}

/* Writes the fields that say whether the connection persists and how the body ends. */
static void put_framing(struct buffer *out, const struct http_request *request)
{
	if (request->framing == HTTP_FRAMING_STREAM && request->head.minor_version > 0)
		put_field(out, SLICE("Transfer-Encoding"), SLICE("chunked"));
	if (!request->head.keep_alive)
		put_field(out, SLICE("Connection"), SLICE("close"));
	else if (request->head.minor_version == 0)
		put_field(out, SLICE("Connection"), SLICE("keep-alive"));
}

static bool is_head_request(const struct http_request *request)
{
	return slice_equal(request->head.method, SLICE("HEAD"));
}

/* Parses a Content-Length that was validated on arrival. */
static uint64_t read_length(struct slice digits)
{
	uint64_t length = 0;
	for (size_t i = 0; i < digits.size; i++)
		length = length * 10 + (uint64_t)(digits.data[i] - '0');
	return length;
}

void http_reply_head(struct http_request *request, int status, struct slice reason,
		     const struct http_field *fields, size_t field_count, enum http_framing framing)
{
	struct http_connection *connection = request->connection;
	struct http_server *server = connection->server;
	assert(connection->state == CONNECTION_REPLYING && !request->head_sent);
	request->head_sent = true;
	request->framing = framing;
	bool until_close = framing == HTTP_FRAMING_STREAM && request->head.minor_version == 0;
	if (server->draining || until_close)
		request->head.keep_alive = false;
	if (framing == HTTP_FRAMING_LENGTH && !is_head_request(request))
		request->body_left =
			read_length(http_field_value(fields, field_count, SLICE("Content-Length")));

	struct buffer *out = &server->head;
	buffer_clear(out);
	buffer_printf(out, "HTTP/1.1 %d ", status);
	if (http_all(reason, HTTP_VALUE))
		buffer_append(out, reason);
	buffer_append(out, SLICE("\r\n"));
	put_fields(out, fields, field_count);
	if (http_field_value(fields, field_count, SLICE("Date")).data == NULL)
		put_field(out, SLICE("Date"), slice_of(http_date(server)));
	put_framing(out, request);
	if (http_field_value(fields, field_count, SLICE("Upgrade")).data != NULL)
		put_field(out, SLICE("Connection"), SLICE("Upgrade"));
	buffer_append(out, SLICE("\r\n"));
	evbuffer_add(connection->output, out->data, out->size);
	http_connection_wake(connection);
}

/* The line before a chunk, written from its end backwards; `line` fits any size. */
static struct slice chunk_line(char line[CHUNK_LINE], size_t size)
{
	char *begin = line + CHUNK_LINE;
	*--begin = '\n';
	*--begin = '\r';
	do {
		*--begin = "0123456789abcdef"[size & 0xf];
		size >>= 4;
	} while (size > 0);
	return (struct slice){begin, (size_t)(line + CHUNK_LINE - begin)};
}

static void put_chunk(struct evbuffer *output, struct slice bytes)
{
	char line[CHUNK_LINE];
	struct slice begin = chunk_line(line, bytes.size);
	evbuffer_add(output, begin.data, begin.size);
	evbuffer_add(output, bytes.data, bytes.size);
	evbuffer_add(output, "\r\n", 2);
}

void http_reply_body(struct http_request *request, struct slice bytes)
{
	struct http_connection *connection = request->connection;
	assert(connection->state == CONNECTION_REPLYING && request->head_sent);
	if (is_head_request(request) || request->framing == HTTP_FRAMING_NONE)
		return;
	if (request->framing == HTTP_FRAMING_LENGTH) {
		if (bytes.size > request->body_left)
			bytes.size = (size_t)request->body_left;
		request->body_left -= bytes.size;
	}
	if (bytes.size == 0) /* an empty chunk would be the last */
		return;
	if (request->framing == HTTP_FRAMING_STREAM && request->head.minor_version > 0)
		put_chunk(connection->output, bytes);
	else
		evbuffer_add(connection->output, bytes.data, bytes.size);
	http_connection_wake(connection);
}

void http_reply_send_now(struct http_request *request)
{
	if (!request->connection->writing)
		(void)http_connection_send(request->connection);
}

bool http_reply_full(const struct http_request *request)
{
	struct http_connection *connection = request->connection;
	if (evbuffer_get_length(connection->output) <= HTTP_OUTPUT_HIGH)
		return false;
	connection->throttled = true;
	return true;
}

void http_reply_end(struct http_request *request)
{
	struct http_connection *connection = request->connection;
	assert(connection->state == CONNECTION_REPLYING && request->head_sent);
	if (request->framing == HTTP_FRAMING_STREAM && request->head.minor_version > 0 &&
	    !is_head_request(request))
		evbuffer_add(connection->output, "0\r\n\r\n", 5);
	/* shorter than announced: only closing the connection tells the client */
	http_connection_replied(connection, request->body_left == 0);
}

void http_reply_abort(struct http_request *request)
{
	assert(request->connection->state == CONNECTION_REPLYING);
	http_connection_replied(request->connection, false);
}

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{426, "Upgrade Required"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
		{507, "Insufficient Storage"},
	};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "";
}

void http_reply(struct http_request *request, int status, const char *content_type,
		const struct http_field *fields, size_t field_count, struct slice body)
{
	char length[sizeof("18446744073709551615")];
	int digits = snprintf(length, sizeof(length), "%zu", body.size);
	struct http_field *all = arena_alloc(&request->arena, (field_count + 2) * sizeof(*all));
	size_t count = 0;
	if (content_type != NULL)
		all[count++] = (struct http_field){SLICE("Content-Type"), slice_of(content_type)};
	if (status != 204) /* RFC 9110, section 8.6 */
		all[count++] =
			(struct http_field){SLICE("Content-Length"), {length, (size_t)digits}};
	if (field_count > 0)
		memcpy(all + count, fields, field_count * sizeof(*fields));
	http_reply_head(request, status, slice_of(reason_of(status)), all, count + field_count,
			HTTP_FRAMING_LENGTH);
	http_reply_body(request, body);
	http_reply_end(request);
}

/* ---- errors ---- */

void http_reply_error_body(struct http_request *request, int status, struct slice body,
			   const struct http_field *fields, size_t field_count)
{
	struct http_field *all = xcalloc(field_count + 1, sizeof(*all));
	if (field_count > 0)
		memcpy(all, fields, field_count * sizeof(*fields));
	bool may_retry = status == 408 ||
			 http_field_value(fields, field_count, SLICE("Retry-After")).data != NULL;
	if (!may_retry)
		all[field_count++] = (struct http_field){SLICE("x-should-retry"), SLICE("false")};
	http_reply(request, status, "application/json", all, field_count, body);
	free(all);
}

/* "/u/USER/v1/messages" is "/v1/messages". */
static struct slice without_user(struct slice path)
{
	const struct slice prefix = SLICE("/u/");
	if (!slice_starts_with(path, prefix))
		return path;
	return slice_part(path, slice_find(path, SLICE("/"), prefix.size), path.size);
}

/* In the form in which clients of that address read errors. */
static const struct dialect *dialect_at(const struct http_head *head)
{
	const struct slice target = head->target;
	const struct slice path = slice_part(target, 0, slice_find(target, SLICE("?"), 0));
	return dialect_or_usual(dialect_of(head->method, without_user(path)));
}

void http_reply_error(struct http_request *request, int status, const char *code,
		      struct slice message, const struct http_field *fields, size_t field_count)
{
	struct buffer body;
	buffer_init(&body, MAX_ERROR);
	dialect_at(http_request_head(request))->error_body(&body, status, code, message);
	http_reply_error_body(request, status, buffer_slice(&body), fields, field_count);
	buffer_finish(&body);
}
