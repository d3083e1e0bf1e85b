#include "proxy/http/parser.h"

#include <string.h>

/* RFC 9112 section 2.2 asks servers to ignore at least one. */
enum { MAX_EMPTY_LINES = 4 };

/* ---- framing ---- */

/* Facts from the fields that struct http_head does not keep. */
struct marks {
	bool host;
	bool close;
	bool keep_alive;
};

/* Trims spaces only: other parsers disagree on a tab around a length or a coding, so it is
 * refused. */
static struct slice without_spaces(struct slice value)
{
	while (value.size > 0 && value.data[0] == ' ')
		value = slice_part(value, 1, value.size);
	while (value.size > 0 && value.data[value.size - 1] == ' ')
		value.size--;
	return value;
}

static bool take_host(struct marks *marks, struct http_head *head, struct slice value,
		      struct http_refusal *refusal)
{
	if (marks->host)
		return http_refuse(refusal, 400, "The request has more than one Host field.");
	head->host = without_spaces(value);
	if (!http_all(head->host, HTTP_HOST))
		return http_refuse(refusal, 400, "The Host field is malformed.");
	marks->host = true;
	return true;
}

static bool take_length(struct marks *marks, struct http_head *head, struct slice value,
			struct http_refusal *refusal)
{
	(void)marks;
	if (head->has_length)
		return http_refuse(refusal, 400, "The request has two Content-Length fields.");
	head->has_length = true;
	struct slice digits = without_spaces(value);
	if (digits.size == 0)
		return http_refuse(refusal, 400, "The Content-Length field is empty.");
	for (size_t i = 0; i < digits.size; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return http_refuse(refusal, 400, "The Content-Length is not a number.");
		uint64_t digit = (uint64_t)(digits.data[i] - '0');
		if (head->length > (UINT64_MAX - digit) / 10)
			head->length = UINT64_MAX;
		else
			head->length = head->length * 10 + digit;
	}
	return true;
}

static bool take_coding(struct marks *marks, struct http_head *head, struct slice value,
			struct http_refusal *refusal)
{
	(void)marks;
	if (head->chunked)
		return http_refuse(refusal, 400, "The request has two Transfer-Encoding fields.");
	if (!slice_equal_nocase(without_spaces(value), SLICE("chunked")))
		return http_refuse(refusal, 501, "The only supported transfer coding is chunked.");
	head->chunked = true;
	return true;
}

static bool take_connection(struct marks *marks, struct http_head *head, struct slice value,
			    struct http_refusal *refusal)
{
	(void)head;
	(void)refusal;
	marks->close = marks->close || http_list_has(value, SLICE("close"));
	marks->keep_alive = marks->keep_alive || http_list_has(value, SLICE("keep-alive"));
	return true;
}

static bool take_expect(struct marks *marks, struct http_head *head, struct slice value,
			struct http_refusal *refusal)
{
	(void)marks;
	if (!slice_equal_nocase(slice_trim(value), SLICE("100-continue")))
		return http_refuse(refusal, 417, "The only supported expectation is 100-continue.");
	head->expect_continue = true;
	return true;
}

static bool take_upgrade(struct marks *marks, struct http_head *head, struct slice value,
			 struct http_refusal *refusal)
{
	(void)marks;
	(void)refusal;
	/* The JDK's HttpClient offers HTTP/2 with each first request and continues with HTTP/1.1 if
	 * the offer is ignored (RFC 9110 section 7.8). */
	if (!slice_equal_nocase(slice_trim(value), SLICE("h2c")))
		head->upgrade = true;
	return true;
}

/* Records what the field says about framing, if anything. `value` is untrimmed. False: refused. */
static bool take_framing(struct marks *marks, struct http_head *head, struct slice name,
			 struct slice value, struct http_refusal *refusal)
{
	static const struct {
		struct slice name;
		bool (*take)(struct marks *marks, struct http_head *head, struct slice value,
			     struct http_refusal *refusal);
	} meanings[] = {
		{SLICE("Host"), take_host},
		{SLICE("Content-Length"), take_length},
		{SLICE("Transfer-Encoding"), take_coding},
		{SLICE("Connection"), take_connection},
		{SLICE("Expect"), take_expect},
		{SLICE("Upgrade"), take_upgrade},
	};
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (slice_equal_nocase(name, meanings[i].name))
			return meanings[i].take(marks, head, value, refusal);
	}
	return true;
}

/* RFC 9110 section 9.3.8 forbids a body with TRACE, and libcurl sends none with HEAD. Many HTTP/1.0
 * servers ignore the body of a GET and run it as the next request. */
static bool forbids_body(const struct http_head *head)
{
	return slice_equal(head->method, SLICE("TRACE")) ||
	       slice_equal(head->method, SLICE("HEAD")) ||
	       (slice_equal(head->method, SLICE("GET")) && head->minor_version == 0);
}

/* Checks after the last field that the fields agree with each other and with the request line. */
static bool judge_framing(const struct marks *marks, struct http_head *head,
			  struct http_refusal *refusal)
{
	if (head->minor_version > 0 && !marks->host)
		return http_refuse(refusal, 400, "The request has no Host field.");
	if (head->chunked && head->has_length)
		return http_refuse(refusal, 400,
				   "The request has both Content-Length and Transfer-Encoding.");
	if (head->chunked && head->minor_version == 0)
		return http_refuse(refusal, 400, "HTTP/1.0 does not define Transfer-Encoding.");
	if ((head->chunked || head->length > 0) && forbids_body(head))
		return http_refuse(refusal, 400,
				   "A request with this method must not have a body.");
	/* HTTP/1.0 clients do not know interim replies (RFC 9110 section 10.1.1). */
	if (head->minor_version == 0)
		head->expect_continue = false;
	head->keep_alive = !marks->close && (head->minor_version > 0 || marks->keep_alive);
	return true;
}

/* ---- the head ---- */

/* A TLS handshake record; no method starts with such bytes. */
static bool is_tls(struct slice bytes)
{
	return bytes.size >= 2 && bytes.data[0] == '\x16' && bytes.data[1] == '\x03';
}

static size_t empty_lines(struct slice bytes)
{
	size_t size = 0;
	while (size <= 2 * MAX_EMPTY_LINES && bytes.size - size >= 2 &&
	       memcmp(bytes.data + size, "\r\n", 2) == 0)
		size += 2;
	return size;
}

/* The bytes up to the next CR, or all. Refused if they contain a byte that ends lines or strings
 * for other parsers. */
static bool line_text(struct slice bytes, struct slice *text, struct http_refusal *refusal)
{
	const char *cr = bytes.size == 0 ? NULL : memchr(bytes.data, '\r', bytes.size);
	*text = slice_part(bytes, 0, cr == NULL ? bytes.size : (size_t)(cr - bytes.data));
	if (text->size > 0 && memchr(text->data, '\n', text->size) != NULL)
		return http_refuse(refusal, 400, "A line of the head ends with a bare LF.");
	if (text->size > 0 && memchr(text->data, '\0', text->size) != NULL)
		return http_refuse(refusal, 400, "The head has a NUL character.");
	return true;
}

size_t http_head_end(struct slice bytes, size_t *scanned, struct http_refusal *refusal)
{
	size_t begin = empty_lines(bytes);
	if (is_tls(bytes))
		return http_refuse(refusal, 400,
				   "The client speaks TLS, but this address does not: begin the "
				   "base URL with http://.");
	if (begin > 2 * MAX_EMPTY_LINES)
		return http_refuse(refusal, 400,
				   "The client sent empty lines instead of a request.");
	while (*scanned < bytes.size) {
		struct slice text;
		if (!line_text(slice_part(bytes, *scanned, bytes.size), &text, refusal))
			return 0;
		*scanned += text.size;
		if (bytes.size - *scanned < 2)
			break;
		if (bytes.data[*scanned + 1] != '\n')
			return http_refuse(refusal, 400, "The head has a bare CR.");
		bool is_last = *scanned > begin && bytes.data[*scanned - 1] == '\n';
		*scanned += 2;
		if (*scanned > HTTP_MAX_HEAD)
			break;
		if (is_last)
			return *scanned;
	}
	if (bytes.size >= HTTP_MAX_HEAD)
		return http_refuse(refusal, 431,
				   "The request line and header fields are longer than 64 KB.");
	return 0;
}

/* Takes the first line off. False: no complete line is left. */
static bool next_line(struct slice *bytes, struct slice *line)
{
	size_t end = slice_find(*bytes, SLICE("\r\n"), 0);
	if (end == bytes->size)
		return false;
	*line = slice_part(*bytes, 0, end);
	*bytes = slice_part(*bytes, end + 2, bytes->size);
	return true;
}

static bool read_version(struct slice text, int *minor, struct http_refusal *refusal)
{
	bool is_version = text.size == 8 && slice_starts_with(text, SLICE("HTTP/")) &&
			  text.data[5] >= '0' && text.data[5] <= '9' && text.data[6] == '.' &&
			  text.data[7] >= '0' && text.data[7] <= '9';
	if (!is_version)
		return http_refuse(refusal, 400, "The request line is malformed.");
	if (text.data[5] != '1' || text.data[7] > '1')
		return http_refuse(refusal, 505, "Only HTTP/1.0 and HTTP/1.1 are supported.");
	*minor = text.data[7] - '0';
	return true;
}

/* The size of the "http://" at the start of the target; 0 without one. */
static size_t scheme_size(struct slice target)
{
	static const struct slice schemes[] = {SLICE("http://"), SLICE("https://")};
	for (size_t i = 0; i < 2; i++) {
		if (target.size > schemes[i].size &&
		    slice_equal_nocase(slice_part(target, 0, schemes[i].size), schemes[i]))
			return schemes[i].size;
	}
	return 0;
}

static bool reduce_absolute(struct slice target, size_t scheme, struct http_head *head,
			    struct arena *arena)
{
	size_t end = scheme;
	while (end < target.size && target.data[end] != '/' && target.data[end] != '?')
		end++;
	struct slice authority = slice_part(target, scheme, end);
	struct slice rest = slice_part(target, end, target.size);
	if (authority.size == 0 || !http_all(authority, HTTP_HOST))
		return false;
	head->authority = authority;
	if (rest.size == 0 && slice_equal(head->method, SLICE("OPTIONS")))
		head->target = SLICE("*");
	else if (rest.size == 0)
		head->target = SLICE("/");
	else if (rest.data[0] == '?')
		head->target = arena_printf(arena, "/%.*s", SLICE_PRINT(rest));
	else
		head->target = rest;
	return true;
}

static bool read_target(struct slice target, struct http_head *head, struct http_refusal *refusal,
			struct arena *arena)
{
	if (slice_equal(head->method, SLICE("CONNECT")))
		return http_refuse(refusal, 501, "CONNECT is not supported.");
	if (target.size == 0 || !http_all(target, HTTP_TARGET))
		return http_refuse(refusal, 400, "The request target is malformed.");
	head->target = target;
	if (target.data[0] == '/')
		return true;
	if (slice_equal(target, SLICE("*")) && slice_equal(head->method, SLICE("OPTIONS")))
		return true;
	size_t scheme = scheme_size(target);
	if (scheme == 0 || !reduce_absolute(target, scheme, head, arena))
		return http_refuse(refusal, 400, "The request target is malformed.");
	return true;
}

static bool read_request_line(struct slice line, struct http_head *head,
			      struct http_refusal *refusal, struct arena *arena)
{
	size_t method_end = slice_find(line, SLICE(" "), 0);
	size_t target_end = slice_find(line, SLICE(" "), method_end + 1);
	if (method_end == 0 || target_end >= line.size)
		return http_refuse(refusal, 400, "The request line is malformed.");
	head->method = slice_part(line, 0, method_end);
	if (!http_all(head->method, HTTP_TOKEN))
		return http_refuse(refusal, 400, "The method is malformed.");
	struct slice version = slice_part(line, target_end + 1, line.size);
	return read_version(version, &head->minor_version, refusal) &&
	       read_target(slice_part(line, method_end + 1, target_end), head, refusal, arena);
}

static bool read_field(struct slice line, struct marks *marks, struct http_head *head,
		       struct http_refusal *refusal)
{
	if (line.data[0] == ' ' || line.data[0] == '\t')
		return http_refuse(refusal, 400, "A field is folded over two lines.");
	size_t colon = slice_find(line, SLICE(":"), 0);
	if (colon == line.size)
		return http_refuse(refusal, 400, "A field has no colon.");
	struct slice name = slice_part(line, 0, colon);
	struct slice value = slice_part(line, colon + 1, line.size);
	if (name.size == 0 || !http_all(name, HTTP_TOKEN))
		return http_refuse(refusal, 400, "A field's name is malformed.");
	if (!http_all(value, HTTP_VALUE))
		return http_refuse(refusal, 400, "A field's value has a control character.");
	head->fields[head->field_count++] = (struct http_field){name, slice_trim(value)};
	return take_framing(marks, head, name, value, refusal);
}

/* An upper bound on the number of lines, to size the array of fields. */
static size_t count_lines(struct slice bytes)
{
	size_t count = 0;
	while (bytes.size > 0) {
		const char *end = memchr(bytes.data, '\n', bytes.size);
		if (end == NULL)
			break;
		count++;
		bytes = slice_part(bytes, (size_t)(end - bytes.data) + 1, bytes.size);
	}
	return count;
}

bool http_head_parse(struct slice bytes, struct http_head *head, struct http_refusal *refusal,
		     struct arena *arena)
{
	*head = (struct http_head){0};
	struct slice rest = slice_part(bytes, empty_lines(bytes), bytes.size);
	struct slice line;
	if (!next_line(&rest, &line))
		return http_refuse(refusal, 400, "The request line is malformed.");
	if (!read_request_line(line, head, refusal, arena))
		return false;
	size_t lines = count_lines(rest);
	if (lines > HTTP_MAX_FIELDS + 1)
		return http_refuse(refusal, 431, "The head has more than 256 fields.");
	head->fields = arena_alloc(arena, lines * sizeof(*head->fields));
	struct marks marks = {0};
	while (next_line(&rest, &line) && line.size > 0) {
		if (!read_field(line, &marks, head, refusal))
			return false;
	}
	return judge_framing(&marks, head, refusal);
}
