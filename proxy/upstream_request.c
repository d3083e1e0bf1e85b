#include "proxy/upstream_transfer.h"

#include <string.h>

/* Options that no value can make fail; out of memory ends the process elsewhere. */
#define SET(transfer, option, value) ((void)curl_easy_setopt((transfer)->easy, (option), (value)))

enum { MAX_CONNECTION_AGE = 60, KEEPALIVE_SECONDS = 60, READ_BUFFER = 4 * 1024 };

static void put_header(struct transfer *transfer, struct curl_slist ***tail, struct slice line)
{
	struct curl_slist *node = arena_alloc(&transfer->arena, sizeof(*node));
	node->data = (char *)(uintptr_t)line.data;
	**tail = node;
	*tail = &node->next;
}

/* What curl writes itself, or must never be told to write. */
static bool is_ours(const struct upstream_request *request, struct slice name)
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
	/* "Name:" without a value takes away what curl would add. */
	static const struct slice unasked[] = {SLICE("Accept:"), SLICE("Content-Type:"),
					       SLICE("User-Agent:"), SLICE("Expect:")};
	struct arena *arena = &transfer->arena;
	struct curl_slist *first = NULL;
	struct curl_slist **tail = &first;
	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];
		if (is_ours(request, field->name) || !http_field_is_valid(*field))
			continue;
		/* "Name;" is how curl is told to send an empty value. */
		bool is_empty = field->value.size == 0;
		const struct slice parts[] = {field->name, is_empty ? SLICE(";") : SLICE(": "),
					      field->value};
		put_header(transfer, &tail, arena_join(arena, parts, 3));
	}
	for (size_t i = 0; i < sizeof(unasked) / sizeof(unasked[0]); i++) {
		struct slice name = slice_part(unasked[i], 0, unasked[i].size - 1);
		if (http_field_value(request->fields, request->field_count, name).data == NULL ||
		    is_ours(request, name))
			put_header(transfer, &tail, unasked[i]);
	}
	return first;
}

static bool is_set(const char *string)
{
	return string != NULL && string[0] != '\0';
}

/* curl is given the origin, and apart from it the path and query as they are: its URL parser would
 * refuse or change some. A proxy for plain HTTP wants them in one piece. */
static void apply_target(struct transfer *transfer, const struct upstream_request *request)
{
	struct slice url = slice_of(request->url);
	size_t authority = slice_find(url, SLICE("://"), 0) + 3;
	SET(transfer, CURLOPT_PROXY, is_set(request->proxy) ? request->proxy : "");
	SET(transfer, CURLOPT_NOPROXY, "");
	if (is_set(request->proxy) || authority > url.size) {
		SET(transfer, CURLOPT_URL, request->url);
		return;
	}
	size_t end = authority + strcspn(request->url + authority, "/?#");
	const struct slice origin[] = {slice_part(url, 0, end), SLICE("/")};
	const struct slice target = slice_part(url, end, url.size);
	const struct slice rooted[] = {SLICE("/"), target};
	bool is_rooted = slice_starts_with(target, SLICE("/"));
	SET(transfer, CURLOPT_URL, arena_join(&transfer->arena, origin, 2).data);
	SET(transfer, CURLOPT_REQUEST_TARGET,
	    is_rooted ? target.data : arena_join(&transfer->arena, rooted, 2).data);
}

/* No server passes over theirs. */
static bool always_has_body(struct slice method)
{
	return slice_equal(method, SLICE("POST")) || slice_equal(method, SLICE("PUT")) ||
	       slice_equal(method, SLICE("PATCH"));
}

void upstream_request_rewind(struct transfer *transfer)
{
	transfer->body.piece = 0;
	transfer->body.offset = 0;
}

/* Fills curl's room as far as the body goes. */
static size_t on_read(char *room, size_t unit, size_t size, void *cookie)
{
	struct transfer *transfer = cookie;
	size_t filled = 0;
	(void)unit;
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

/* curl sends it again, on a fresh connection. */
static int on_seek(void *cookie, curl_off_t offset, int origin)
{
	if (offset != 0 || origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	upstream_request_rewind(cookie);
	return CURL_SEEKFUNC_OK;
}

static void apply_pieces(struct transfer *transfer, const struct upstream_request *request)
{
	struct slice *pieces = arena_alloc(&transfer->arena, request->body_count * sizeof(*pieces));
	memcpy(pieces, request->body, request->body_count * sizeof(*pieces));
	transfer->body.pieces = pieces;
	transfer->body.count = request->body_count;
	SET(transfer, CURLOPT_READFUNCTION, on_read);
	SET(transfer, CURLOPT_READDATA, transfer);
	SET(transfer, CURLOPT_SEEKFUNCTION, on_seek);
	SET(transfer, CURLOPT_SEEKDATA, transfer);
}

static void apply_body(struct transfer *transfer, const struct upstream_request *request)
{
	uint64_t size = 0;
	for (size_t i = 0; i < request->body_count; i++)
		size += request->body[i].size;
	SET(transfer, CURLOPT_POST, 1L);
	SET(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	if (request->body_count > 1)
		apply_pieces(transfer, request);
	else
		SET(transfer, CURLOPT_POSTFIELDS, size > 0 ? request->body[0].data : "");
	/* Who passes over a body runs it as the connection's next request: its reply must be
	 * nobody's. */
	if (size > 0 && !always_has_body(request->method))
		SET(transfer, CURLOPT_FORBID_REUSE, 1L);
}

static void apply_method(struct transfer *transfer, const struct upstream_request *request)
{
	const char *method = arena_string(&transfer->arena, request->method);
	if (transfer->is_head_request) {
		SET(transfer, CURLOPT_NOBODY, 1L);
		return;
	}
	if (request->has_body)
		apply_body(transfer, request);
	SET(transfer, CURLOPT_CUSTOMREQUEST, method);
}

static long milliseconds(uint64_t value)
{
	return value > INT32_MAX ? INT32_MAX : (long)value;
}

void upstream_request_apply(struct transfer *transfer, const struct upstream_request *request)
{
	transfer->is_head_request = slice_equal(request->method, SLICE("HEAD"));
	apply_target(transfer, request);
	apply_method(transfer, request);
	SET(transfer, CURLOPT_HTTPHEADER, make_headers(transfer, request));
	SET(transfer, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(transfer, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(transfer, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(transfer, CURLOPT_BUFFERSIZE, (long)READ_BUFFER); /* held as long as the stream */
	SET(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(transfer, CURLOPT_PATH_AS_IS, 1L);
	SET(transfer, CURLOPT_FOLLOWLOCATION, 0L);
	SET(transfer, CURLOPT_NOSIGNAL, 1L);
	SET(transfer, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name that is being resolved */
	SET(transfer, CURLOPT_TCP_NODELAY, 1L);
	SET(transfer, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(transfer, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_SECONDS);
	SET(transfer, CURLOPT_MAXAGE_CONN, (long)MAX_CONNECTION_AGE);
	SET(transfer, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request->connect_timeout));
	if (is_set(request->local_socket))
		SET(transfer, CURLOPT_UNIX_SOCKET_PATH, request->local_socket);
	if (is_set(request->ca_file))
		SET(transfer, CURLOPT_CAINFO, request->ca_file);
}
