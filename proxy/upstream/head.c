#include "proxy/upstream/transfer.h"

enum { SWITCHING_PROTOCOLS = 101 };

/* The status line's three digits; 0 if it is malformed, as in HTTP/0.9. */
static int read_status(struct slice line)
{
	size_t space = slice_find(line, SLICE(" "), 0);
	if (!slice_starts_with(line, SLICE("HTTP/")) || line.size < space + 4)
		return 0;
	int status = 0;
	for (size_t i = space + 1; i < space + 4; i++) {
		if (line.data[i] < '0' || line.data[i] > '9')
			return 0;
		status = status * 10 + (line.data[i] - '0');
	}
	return status < 100 ? 0 : status;
}

static struct slice without_line_end(struct slice line)
{
	while (line.size > 0 &&
	       (line.data[line.size - 1] == '\n' || line.data[line.size - 1] == '\r'))
		line.size--;
	return line;
}

static struct slice take_line(struct slice *lines)
{
	size_t end = slice_find(*lines, SLICE("\n"), 0);
	struct slice line = slice_part(*lines, 0, end);
	*lines = slice_part(*lines, end < lines->size ? end + 1 : end, lines->size);
	return line;
}

int reply_head_take(struct reply_head *head, struct slice line)
{
	if (head->whole)
		return 0;
	if (!buffer_append(&head->lines, without_line_end(line)) ||
	    !buffer_append_byte(&head->lines, '\n'))
		return -1;
	if (without_line_end(line).size > 0)
		return 0;
	struct slice lines = buffer_slice(&head->lines);
	int status = read_status(take_line(&lines));
	head->whole = status >= 200 || status == SWITCHING_PROTOCOLS;
	if (!head->whole)
		buffer_clear(&head->lines); /* an interim reply: the next head follows */
	return status == 0 ? -1 : head->whole;
}

static size_t count_lines(struct slice lines)
{
	size_t count = 0;
	while (lines.size > 0) {
		take_line(&lines);
		count++;
	}
	return count;
}

/* Parses every field, hop-by-hop ones included. */
static const char *read_fields(struct slice lines, struct upstream_head *result,
			       struct arena *arena)
{
	size_t most = count_lines(lines);
	if (most > UPSTREAM_MAX_FIELDS)
		return "The upstream sent too many fields.";
	struct http_field *fields = arena_alloc(arena, most * sizeof(*fields));
	result->fields = fields;
	for (struct slice line = take_line(&lines); line.size > 0; line = take_line(&lines)) {
		size_t colon = slice_find(line, SLICE(":"), 0);
		if (colon == line.size)
			return "The upstream sent a field without a colon.";
		struct http_field field = {
			.name = slice_part(line, 0, colon),
			.value = slice_trim(slice_part(line, colon + 1, line.size)),
		};
		if (!http_field_is_valid(field))
			return "The upstream sent a malformed field.";
		fields[result->field_count++] = field;
	}
	return NULL;
}

/* Parses a length. False: it has a byte that is not a digit, or differs from an earlier one. */
static bool read_length(struct slice digits, struct upstream_head *result)
{
	uint64_t length = 0;
	if (digits.size == 0 || digits.size > 18)
		return false;
	for (size_t i = 0; i < digits.size; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return false;
		length = length * 10 + (uint64_t)(digits.data[i] - '0');
	}
	bool agrees = !result->has_length || result->length == length;
	result->has_length = true;
	result->length = length;
	return agrees;
}

/* Removes hop-by-hop fields, and a Content-Length that is repeated or overruled. */
static const char *filter_fields(struct upstream_head *result, bool overruled, struct arena *arena)
{
	const struct http_field *all = result->fields;
	size_t count = result->field_count;
	struct http_field *kept = arena_alloc(arena, (count + 1) * sizeof(*kept));
	result->fields = kept;
	result->field_count = 0;
	for (size_t i = 0; i < count; i++) {
		bool is_length = slice_equal_nocase(all[i].name, SLICE("Content-Length"));
		bool is_first = !result->has_length;
		if (is_length && !overruled && !read_length(all[i].value, result))
			return "The upstream sent a malformed Content-Length.";
		if ((is_length && (overruled || !is_first)) ||
		    http_field_is_hop_by_hop(all, count, all[i].name))
			continue;
		kept[result->field_count++] = all[i];
	}
	return NULL;
}

/* A 304's Content-Length describes a body that is not sent (RFC 9110, section 8.6). */
static bool has_body(const struct upstream_head *head, bool is_head_request)
{
	return !is_head_request && head->status != 204 && head->status != 304;
}

uint64_t reply_body_size(const struct upstream_head *head, bool is_head_request)
{
	if (!has_body(head, is_head_request))
		return 0;
	return head->has_length ? head->length : UINT64_MAX;
}

/* "identity" is none; only RFC 2616 had it. */
static void read_codings(struct reply_head *head, struct slice list)
{
	for (size_t at = 0, end; at <= list.size; at = end + 1) {
		end = slice_find(list, SLICE(","), at);
		const struct slice coding = slice_trim(slice_part(list, at, end));
		if (coding.size == 0 || slice_equal_nocase(coding, SLICE("identity")))
			continue;
		head->other_coding |=
			head->chunked || !slice_equal_nocase(coding, SLICE("chunked"));
		head->chunked = true;
	}
}

/* Reads how the body ends, and whether the connection may serve another request after it: not where
 * a server might count a body differently from this reader. */
static void read_framing(struct reply_head *head, const struct upstream_head *all)
{
	struct slice version = slice_part(buffer_slice(&head->lines), 0, 8);
	bool is_bodiless = all->status == 204 || all->status == 304;
	bool has_coding = false;
	bool has_length = false;
	bool is_empty = false;
	bool keeps = slice_equal(version, SLICE("HTTP/1.1"));
	bool closes = false;
	for (size_t i = 0; i < all->field_count; i++) {
		struct http_field field = all->fields[i];
		if (slice_equal_nocase(field.name, SLICE("Content-Length"))) {
			has_length = true;
			is_empty = slice_equal(field.value, SLICE("0"));
		} else if (slice_equal_nocase(field.name, SLICE("Connection"))) {
			closes |= http_list_has(field.value, SLICE("close"));
			keeps |= http_list_has(field.value, SLICE("keep-alive"));
		} else if (slice_equal_nocase(field.name, SLICE("Transfer-Encoding"))) {
			has_coding = true;
			read_codings(head, field.value);
		}
	}
	bool has_both = has_coding && has_length;
	bool announces_body = has_coding || (has_length && !is_empty);
	head->persists = keeps && !closes && !has_both && !(is_bodiless && announces_body);
}

const char *reply_head_read(struct reply_head *head, bool is_head_request,
			    struct upstream_head *result, struct arena *arena)
{
	*result = (struct upstream_head){0};
	struct slice lines = buffer_slice(&head->lines);
	struct slice first = take_line(&lines);
	result->status = read_status(first);
	size_t reason = slice_find(first, SLICE(" "), 0) + 4;
	result->reason = slice_trim(slice_part(first, reason, first.size));
	if (result->status == SWITCHING_PROTOCOLS)
		return "The upstream switched protocols without being asked.";
	const char *fault = read_fields(lines, result, arena);
	if (fault != NULL)
		return fault;
	read_framing(head, result);
	bool chunked = head->chunked;
	/* a 204 has no length (RFC 9110, section 8.6) */
	fault = filter_fields(result, chunked || result->status == 204, arena);
	result->until_close = has_body(result, is_head_request) && !chunked && !result->has_length;
	return fault;
}
