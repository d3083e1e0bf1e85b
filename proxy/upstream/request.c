#include "proxy/runtime/loop.h"
#include "proxy/upstream/transfer.h"

#include <string.h>

static void put_header(struct transfer *transfer, struct curl_slist ***tail, struct slice line)
{
	struct curl_slist *node = arena_alloc(&transfer->arena, sizeof(*node));
	node->data = (char *)(uintptr_t)line.data;
	**tail = node;
	*tail = &node->next;
}

bool upstream_writes_itself(const struct upstream_request *request, struct slice name)
{
	return slice_equal_nocase(name, SLICE("Host")) ||
	       slice_equal_nocase(name, SLICE("Content-Length")) ||
	       slice_equal_nocase(name, SLICE("Expect")) ||
	       http_field_is_hop_by_hop(request->fields, request->field_count, name);
}

/* The list lives in the arena: curl only reads it. */
static struct curl_slist *make_headers(struct transfer *transfer,
				       const struct upstream_request *request)
{
	/* "Name:" without a value suppresses a field that curl would add */
	static const struct slice unasked[] = {SLICE("Accept:"), SLICE("Content-Type:"),
					       SLICE("User-Agent:"), SLICE("Expect:")};
	struct arena *arena = &transfer->arena;
	struct curl_slist *first = NULL;
	struct curl_slist **tail = &first;
	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];
		if (upstream_writes_itself(request, field->name) || !http_field_is_valid(*field))
			continue;
		/* "Name;" makes curl send an empty value */
		bool is_empty = field->value.size == 0;
		const struct slice parts[] = {field->name, is_empty ? SLICE(";") : SLICE(": "),
					      field->value};
		put_header(transfer, &tail, arena_join(arena, parts, 3));
	}
	for (size_t i = 0; i < sizeof(unasked) / sizeof(unasked[0]); i++) {
		struct slice name = slice_part(unasked[i], 0, unasked[i].size - 1);
		if (http_field_value(request->fields, request->field_count, name).data == NULL ||
		    upstream_writes_itself(request, name))
			put_header(transfer, &tail, unasked[i]);
	}
	return first;
}

/* Sends path and query unchanged: curl's URL parser would refuse or change some. A proxy gets the
 * whole URL. */
static const char *target_of(struct transfer *transfer, const struct upstream_request *request)
{
	if (transfer->handle->proxy.size > 0)
		return NULL;
	const char *target = request->url + transfer->handle->url.size;
	const struct slice rooted[] = {SLICE("/"), slice_of(target)};
	return target[0] == '/' ? target : arena_join(&transfer->arena, rooted, 2).data;
}

bool upstream_always_has_body(struct slice method)
{
	return slice_equal(method, SLICE("POST")) || slice_equal(method, SLICE("PUT")) ||
	       slice_equal(method, SLICE("PATCH"));
}

void upstream_request_rewind(struct transfer *transfer)
{
	transfer->body.piece = 0;
	transfer->body.offset = 0;
}

/* Fills curl's buffer from the body. curl asks again once it has sent the previous bytes. */
static size_t on_read(char *room, size_t unit, size_t size, void *cookie)
{
	struct transfer *transfer = cookie;
	size_t filled = 0;
	(void)unit;
	transfer->moved_at = clock_steady();
	while (filled < size && transfer->body.piece < transfer->body.count) {
		struct slice piece = transfer->body.pieces[transfer->body.piece];
		struct slice left = slice_part(piece, transfer->body.offset, piece.size);
		size_t part = left.size < size - filled ? left.size : size - filled;
		if (part > 0)
			memcpy(room + filled, left.data, part);
		filled += part;
		transfer->body.offset += part;
		if (transfer->body.offset == piece.size) {
			transfer->body.piece++;
			transfer->body.offset = 0;
		}
	}
	return filled;
}

/* curl resends the body on a new connection. */
static int on_seek(void *cookie, curl_off_t offset, int origin)
{
	if (offset != 0 || origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	upstream_request_rewind(cookie);
	return CURL_SEEKFUNC_OK;
}

void upstream_keep_pieces(struct transfer *transfer, const struct upstream_request *request)
{
	struct slice *pieces = arena_alloc(&transfer->arena, request->body_count * sizeof(*pieces));
	if (request->body_count > 0)
		memcpy(pieces, request->body, request->body_count * sizeof(*pieces));
	transfer->body.pieces = pieces;
	transfer->body.count = request->body_count;
}

/* Returns the body's size. */
static uint64_t apply_body(struct transfer *transfer, const struct upstream_request *request)
{
	CURL *easy = transfer->handle->easy;
	const char *whole = "";
	uint64_t size = 0;
	for (size_t i = 0; i < request->body_count; i++)
		size += request->body[i].size;
	/* curl sends the body in one piece with the head; it reads any other body piecewise */
	bool is_read = request->body_count > 1 || size > UPSTREAM_WITH_HEAD;
	if (is_read)
		upstream_keep_pieces(transfer, request);
	else if (size > 0)
		whole = request->body[0].data;
	UPSTREAM_SET(easy, CURLOPT_POSTFIELDS, is_read ? NULL : whole);
	UPSTREAM_SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	UPSTREAM_SET(easy, CURLOPT_READFUNCTION, on_read);
	UPSTREAM_SET(easy, CURLOPT_READDATA, transfer);
	UPSTREAM_SET(easy, CURLOPT_SEEKFUNCTION, on_seek);
	UPSTREAM_SET(easy, CURLOPT_SEEKDATA, transfer);
	return size;
}

static void apply_method(struct transfer *transfer, const struct upstream_request *request)
{
	CURL *easy = transfer->handle->easy;
	bool has_body = request->has_body && !transfer->is_head_request;
	/* First the body, which makes it a POST; each of these three options resets the other
	 * two. */
	uint64_t size = apply_body(transfer, request);
	if (transfer->is_head_request)
		UPSTREAM_SET(easy, CURLOPT_NOBODY, 1L);
	else if (request->has_body)
		UPSTREAM_SET(easy, CURLOPT_POST, 1L);
	else
		UPSTREAM_SET(easy, CURLOPT_HTTPGET, 1L);
	UPSTREAM_SET(easy, CURLOPT_CUSTOMREQUEST,
		     transfer->is_head_request ? NULL
					       : arena_string(&transfer->arena, request->method));
	/* A server that ignores a body runs it as the connection's next request; nobody may get
	 * that reply. */
	bool is_last = has_body && size > 0 && !upstream_always_has_body(request->method);
	UPSTREAM_SET(easy, CURLOPT_FORBID_REUSE, (long)is_last);
}

static long milliseconds(uint64_t value)
{
	return value > INT32_MAX ? INT32_MAX : (long)value;
}

void upstream_request_apply(struct transfer *transfer, const struct upstream_request *request)
{
	CURL *easy = transfer->handle->easy;
	apply_method(transfer, request);
	UPSTREAM_SET(easy, CURLOPT_REQUEST_TARGET, target_of(transfer, request));
	UPSTREAM_SET(easy, CURLOPT_HTTPHEADER, make_headers(transfer, request));
	UPSTREAM_SET(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
	UPSTREAM_SET(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request->connect_timeout));
}
