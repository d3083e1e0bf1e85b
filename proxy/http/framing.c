#include "proxy/http/grammar.h"

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

static bool take_host(struct http_marks *marks, struct http_head *head, struct slice value,
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

static bool take_length(struct http_marks *marks, struct http_head *head, struct slice value,
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

static bool take_coding(struct http_marks *marks, struct http_head *head, struct slice value,
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

static bool take_connection(struct http_marks *marks, struct http_head *head, struct slice value,
			    struct http_refusal *refusal)
{
	(void)head;
	(void)refusal;
	marks->close = marks->close || http_list_has(value, SLICE("close"));
	marks->keep_alive = marks->keep_alive || http_list_has(value, SLICE("keep-alive"));
	return true;
}

static bool take_expect(struct http_marks *marks, struct http_head *head, struct slice value,
			struct http_refusal *refusal)
{
	(void)marks;
	if (!slice_equal_nocase(slice_trim(value), SLICE("100-continue")))
		return http_refuse(refusal, 417, "The only supported expectation is 100-continue.");
	head->expect_continue = true;
	return true;
}

static bool take_upgrade(struct http_marks *marks, struct http_head *head, struct slice value,
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

bool http_framing_take(struct http_marks *marks, struct http_head *head, struct slice name,
		       struct slice value, struct http_refusal *refusal)
{
	static const struct {
		struct slice name;
		bool (*take)(struct http_marks *marks, struct http_head *head, struct slice value,
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

bool http_framing_judge(const struct http_marks *marks, struct http_head *head,
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
