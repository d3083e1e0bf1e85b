/* The HTTP parser on hostile bytes: it must not crash, must take no more than there is, and must
 * judge a request that comes torn as it judges the same request in one piece. */
#include "proxy/http/parser.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_LIMIT = 4096 };

static void require(bool holds)
{
	if (!holds)
		abort();
}

static size_t find_head(struct slice bytes, size_t step, struct http_refusal *refusal)
{
	size_t scanned = 0;
	size_t end = 0;
	for (size_t size = 0; size < bytes.size && end == 0 && refusal->status == 0;) {
		size = size + step < bytes.size ? size + step : bytes.size;
		end = http_head_end(slice_part(bytes, 0, size), &scanned, refusal);
		require(end <= size && scanned <= size);
	}
	return end;
}

static void check_head(const struct http_head *head)
{
	require(head->method.size > 0 && head->target.size > 0);
	require(head->target.data[0] == '/' || slice_equal(head->target, SLICE("*")));
	require(head->field_count <= HTTP_MAX_FIELDS);
	require(!(head->chunked && head->has_length));
	for (size_t i = 0; i < head->field_count; i++)
		require(http_field_is_valid(head->fields[i]));
}

static size_t read_body(struct slice bytes, size_t step, struct buffer *body,
			struct http_refusal *refusal)
{
	struct http_chunks chunks = {0};
	size_t taken = 0;
	while (taken < bytes.size && !chunks.finished && refusal->status == 0) {
		size_t end = taken + step < bytes.size ? taken + step : bytes.size;
		size_t more =
			http_chunks_read(&chunks, slice_part(bytes, taken, end), body, refusal);
		require(more == end - taken || chunks.finished || refusal->status != 0);
		taken += more;
	}
	require(body->size <= BODY_LIMIT && !body->overflowed);
	return taken;
}

static void check_body(struct slice bytes, size_t step)
{
	struct buffer whole;
	struct buffer torn;
	struct http_refusal whole_refusal = {0};
	struct http_refusal torn_refusal = {0};
	buffer_init(&whole, BODY_LIMIT);
	buffer_init(&torn, BODY_LIMIT);
	size_t taken = read_body(bytes, bytes.size, &whole, &whole_refusal);
	require(read_body(bytes, step, &torn, &torn_refusal) == taken);
	require(whole_refusal.status == torn_refusal.status);
	require(slice_equal(buffer_slice(&whole), buffer_slice(&torn)));
	buffer_finish(&whole);
	buffer_finish(&torn);
}

/* The first byte says how the rest is torn. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	size_t step = 1 + data[0] % 32;
	struct slice bytes = {(const char *)data + 1, size - 1};
	struct arena arena = {0};
	struct http_head head;
	struct http_refusal whole = {0};
	struct http_refusal torn = {0};
	size_t end = find_head(bytes, bytes.size, &whole);
	size_t torn_end = find_head(bytes, step, &torn);
	require(whole.status != 0 || (end == torn_end && torn.status == 0));
	if (end > 0 && http_head_parse(slice_part(bytes, 0, end), &head, &whole, &arena))
		check_head(&head);
	/* The parser must also stand what http_head_end() has not looked at. */
	(void)http_head_parse(bytes, &head, &whole, &arena);
	check_body(slice_part(bytes, end, bytes.size), step);
	arena_finish(&arena);
	return 0;
}
