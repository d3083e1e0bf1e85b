/* A strict HTTP/1.1 request parser (RFC 9112), over bytes only: no socket, no clock.
 *
 * It refuses what two parsers could read differently, since a front end that pools connections
 * would then mix its users' requests up. A refused message ends its connection. */
#ifndef RECALLD_PROXY_HTTP_PARSER_H
#define RECALLD_PROXY_HTTP_PARSER_H

#include "core/base/bytes.h"

enum {
	HTTP_MAX_HEAD = 64 * 1024, /* bytes of a head, and of a chunked body's trailer section */
	HTTP_MAX_FIELDS = 256,
	HTTP_MAX_CHUNK_LINE = 4 * 1024,
};

struct http_field {
	struct slice name;
	struct slice value; /* without white space at its ends */
};

struct http_head {
	struct slice method;
	struct slice target; /* origin-form (an absolute-form is reduced to it), or OPTIONS' "*" */
	struct slice authority; /* of an absolute-form's target; else empty */
	struct slice host;      /* the Host field; empty without one */
	int minor_version;      /* HTTP/1.x; only 0 and 1 are taken */
	struct http_field *fields;
	size_t field_count;
	bool keep_alive;
	bool chunked;
	bool has_length;
	uint64_t length; /* of the body; 0 without one, UINT64_MAX for any that is larger */
	bool expect_continue;
	bool upgrade; /* asks by an Upgrade field for a protocol that is no HTTP */
};

/* Why a request was refused: the status to answer (400, 413, 417, 431, 501, 505), 0 for none. */
struct http_refusal {
	int status;
	const char *reason; /* one sentence for the error's message; static */
};

/* How long the head is, its empty line included, once it is whole; 0 while it is not. Sets
 * `refusal` when it can never be (TLS, bare LF or CR, NUL, longer than HTTP_MAX_HEAD). A few empty
 * lines before the request line are part of it. `scanned` remembers how far the search came; 0 at
 * first.
 */
size_t http_head_end(struct slice bytes, size_t *scanned, struct http_refusal *refusal);

/* Parses a whole head. Slices point into `bytes` (an absolute-form's target perhaps into the
 * arena), the fields' array into the arena. False: refused. */
bool http_head_parse(struct slice bytes, struct http_head *head, struct http_refusal *refusal,
		     struct arena *arena);

/* The first field of that name (case is not regarded); the empty slice with data NULL when absent.
 */
struct slice http_field_value(const struct http_field *fields, size_t count, struct slice name);

/* Whether a comma-separated list has `member` among its members; case is not regarded. */
bool http_list_has(struct slice list, struct slice member);

/* Whether a field of that name concerns this one connection only and must not be forwarded: those
 * of RFC 9110 section 7.6.1, and those that a Connection field among `fields` names. */
bool http_field_is_hop_by_hop(const struct http_field *fields, size_t count, struct slice name);

/* The field of a line "NAME: VALUE"; of an empty one an empty field. */
struct http_field http_field_of_line(struct slice line);

/* Whether the field can be sent: its name is a token, its value has no control character. */
bool http_field_is_valid(struct http_field field);

/* A chunked body's decoder. All zeroes is its start. */
struct http_chunks {
	int state;
	uint64_t left; /* of the chunk's data, then of what the trailer section may have */
	size_t line;   /* length of the line being read */
	bool finished; /* the last chunk and the trailer section were read; trailers are dropped */
};

/* Decodes as much of `bytes` as it can, appends the content to `body`, returns how many bytes it
 * took. It stops when finished or when a refusal is set (413 when the body's limit is passed). */
size_t http_chunks_read(struct http_chunks *chunks, struct slice bytes, struct buffer *body,
			struct http_refusal *refusal);

#endif
