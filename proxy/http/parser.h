/* A strict HTTP/1.1 request parser (RFC 9112) over bytes only: no socket, no clock.
 *
 * It refuses any message that two parsers could read differently: a front end that pools
 * connections would otherwise mix up its users' requests. A refused message ends its connection. */
#ifndef RECALLD_PROXY_HTTP_PARSER_H
#define RECALLD_PROXY_HTTP_PARSER_H

#include "core/base/bytes.h"

enum {
	HTTP_MAX_HEAD =
		64 *
		1024, /* limit for a head, and for a chunked body's trailer section, in bytes */
	HTTP_MAX_FIELDS = 256,
	HTTP_MAX_CHUNK_LINE = 4 * 1024,
};

struct http_field {
	struct slice name;
	struct slice value; /* without leading or trailing white space */
};

struct http_head {
	struct slice method;
	struct slice
		target; /* origin-form (an absolute-form is reduced to it), or "*" for OPTIONS */
	struct slice authority; /* from an absolute-form target; otherwise empty */
	struct slice host;      /* the Host field; empty if absent */
	int minor_version;      /* HTTP/1.x; only 0 and 1 are accepted */
	struct http_field *fields;
	size_t field_count;
	bool keep_alive;
	bool chunked;
	bool has_length;
	uint64_t length; /* of the body; 0 if there is none, UINT64_MAX if it exceeds 64 bits */
	bool expect_continue;
	bool upgrade; /* the Upgrade field asks for a protocol other than HTTP */
};

/* Why a request was refused: the status to send (400, 413, 417, 431, 501, 505), or 0 if it was
 * not. */
struct http_refusal {
	int status;
	const char *reason; /* one sentence for the error message; static */
};

/* Returns the head's length in bytes, with its final empty line, or 0 while it is incomplete. Sets
 * `refusal` if the head can never become valid (TLS, bare LF or CR, NUL, longer than
 * HTTP_MAX_HEAD). The head may start with a few empty lines. `scanned` keeps the search position
 * between calls; set it to 0 first. */
size_t http_head_end(struct slice bytes, size_t *scanned, struct http_refusal *refusal);

/* Parses a complete head. Slices point into `bytes` (an absolute-form's target may point into the
 * arena); the array of fields lives in the arena. False: refused. */
bool http_head_parse(struct slice bytes, struct http_head *head, struct http_refusal *refusal,
		     struct arena *arena);

/* The value of the first field with that name, ignoring case; data is NULL if there is none. */
struct slice http_field_value(const struct http_field *fields, size_t count, struct slice name);

/* Whether a comma-separated list contains `member`, ignoring case. */
bool http_list_has(struct slice list, struct slice member);

/* Whether a field with that name is hop-by-hop and must not be forwarded: the fields of RFC 9110
 * section 7.6.1 and those that a Connection field among `fields` names. */
bool http_field_is_hop_by_hop(const struct http_field *fields, size_t count, struct slice name);

/* Parses a "NAME: VALUE" line. An empty line gives an empty field. */
struct http_field http_field_of_line(struct slice line);

/* Decodes percent-encoding (RFC 3986 section 2.1). The result points into `text` if nothing is
 * encoded, otherwise into the arena. False, with an empty result, if a "%" lacks two hexadecimal
 * digits. */
bool percent_decode(struct slice text, struct slice *decoded, struct arena *arena);
/* Appends `text`, encoding everything except RFC 3986's unreserved characters. */
void percent_encode(struct buffer *out, struct slice text);

/* Character classes of RFC 9110 and 9112. */
enum http_class {
	HTTP_TOKEN = 1,  /* in a method or a field name */
	HTTP_VALUE = 2,  /* in a field value: anything except control characters other than HTAB */
	HTTP_TARGET = 4, /* in a request target: visible ASCII without "#" */
	HTTP_HOST = 8,   /* in a Host field */
};

/* Whether every byte belongs to the class. True for an empty slice. */
bool http_all(struct slice bytes, enum http_class class);

/* The digit's value, or -1 if the byte is not a hexadecimal digit. */
int http_hex_digit(char byte);

/* Sets the refusal. Returns false, so that callers can return its result. */
bool http_refuse(struct http_refusal *refusal, int status, const char *reason);

/* Whether the field can be sent: its name is a token and its value has no control character. */
bool http_field_is_valid(struct http_field field);

/* Decoder for a chunked body. Zero-initialize it. */
struct http_chunks {
	bool is_lax; /* allows blanks behind a chunk's size, and ignores what follows them */
	int state;
	uint64_t left; /* bytes left of the chunk's data, then of the trailer section's limit */
	size_t line;   /* length of the current line */
	bool finished; /* the last chunk and the trailer section have been read; trailers are
			  dropped */
};

/* Decodes as much of `bytes` as possible, appends the content to `body`, and returns the number of
 * bytes consumed. Stops when finished or when it sets a refusal (413 if `body` reaches its
 * limit). */
size_t http_chunks_read(struct http_chunks *chunks, struct slice bytes, struct buffer *body,
			struct http_refusal *refusal);

#endif
