#include "core/dialect/dialect.h"
#include "proxy/http/server.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ERROR = 64 * 1024 };

const char *http_status_reason(int status)
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
