#include "proxy/http/parser.h"

#include <string.h>

/* A chunk is SIZE [EXTENSION] CRLF DATA CRLF. The chunk of size 0 has no data; the trailer section
 * follows it, up to an empty line (RFC 9112 section 7.1). */
enum state {
	CHUNK_SIZE,
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER,
	CHUNK_TRAILER_LF,
};

enum { MAX_SIZE_DIGITS = 16 };

static bool malformed(struct http_refusal *refusal)
{
	return http_refuse(refusal, 400, "The chunked body is malformed.");
}

static void next(struct http_chunks *chunks, enum state state)
{
	chunks->state = (int)state;
	chunks->line = 0;
}

static bool read_size(struct http_chunks *chunks, char byte, struct http_refusal *refusal)
{
	int digit = http_hex_digit(byte);
	if (digit >= 0 && chunks->line < MAX_SIZE_DIGITS) {
		chunks->left = chunks->left << 4 | (uint64_t)digit;
		chunks->line++;
		return true;
	}
	bool is_blank = chunks->is_lax && (byte == ' ' || byte == '\t');
	if (chunks->line == 0 || (byte != '\r' && byte != ';' && !is_blank))
		return malformed(refusal);
	chunks->state = byte == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
	return true;
}

static bool read_extension(struct http_chunks *chunks, char byte, struct http_refusal *refusal)
{
	if (byte == '\r') {
		chunks->state = CHUNK_SIZE_LF;
		return true;
	}
	if (!http_all((struct slice){&byte, 1}, HTTP_VALUE) || ++chunks->line > HTTP_MAX_CHUNK_LINE)
		return malformed(refusal);
	return true;
}

static bool read_size_lf(struct http_chunks *chunks, char byte, const struct buffer *body,
			 struct http_refusal *refusal)
{
	if (byte != '\n')
		return malformed(refusal);
	if (chunks->left > body->limit - body->size)
		return http_refuse(refusal, 413,
				   "The request's body is larger than [listen] max_body allows.");
	next(chunks, chunks->left > 0 ? CHUNK_DATA : CHUNK_TRAILER);
	if (chunks->left == 0)
		chunks->left = HTTP_MAX_HEAD;
	return true;
}

static bool read_data_end(struct http_chunks *chunks, char byte, struct http_refusal *refusal)
{
	bool is_cr = chunks->state == CHUNK_DATA_CR;
	if (byte != (is_cr ? '\r' : '\n'))
		return malformed(refusal);
	next(chunks, is_cr ? CHUNK_DATA_LF : CHUNK_SIZE);
	return true;
}

static bool read_trailer(struct http_chunks *chunks, char byte, struct http_refusal *refusal)
{
	if (chunks->left-- == 0)
		return http_refuse(refusal, 431, "The trailer section is longer than 64 KB.");
	if (chunks->state == CHUNK_TRAILER_LF) {
		if (byte != '\n')
			return malformed(refusal);
		chunks->finished = chunks->line == 0;
		next(chunks, CHUNK_TRAILER);
	} else if (byte == '\r') {
		chunks->state = CHUNK_TRAILER_LF;
	} else if (http_all((struct slice){&byte, 1}, HTTP_VALUE)) {
		chunks->line++;
	} else {
		return malformed(refusal);
	}
	return true;
}

static bool read_byte(struct http_chunks *chunks, char byte, const struct buffer *body,
		      struct http_refusal *refusal)
{
	switch ((enum state)chunks->state) {
	case CHUNK_SIZE:
		return read_size(chunks, byte, refusal);
	case CHUNK_EXTENSION:
		return read_extension(chunks, byte, refusal);
	case CHUNK_SIZE_LF:
		return read_size_lf(chunks, byte, body, refusal);
	case CHUNK_DATA_CR:
	case CHUNK_DATA_LF:
		return read_data_end(chunks, byte, refusal);
	case CHUNK_DATA:
	case CHUNK_TRAILER:
	case CHUNK_TRAILER_LF:
		break;
	}
	return read_trailer(chunks, byte, refusal);
}

static size_t read_data(struct http_chunks *chunks, struct slice bytes, struct buffer *body)
{
	size_t size = bytes.size < chunks->left ? bytes.size : (size_t)chunks->left;
	buffer_append(body, slice_part(bytes, 0, size));
	chunks->left -= size;
	if (chunks->left == 0)
		next(chunks, CHUNK_DATA_CR);
	return size;
}

size_t http_chunks_read(struct http_chunks *chunks, struct slice bytes, struct buffer *body,
			struct http_refusal *refusal)
{
	size_t taken = 0;
	while (taken < bytes.size && !chunks->finished) {
		if (chunks->state == CHUNK_DATA)
			taken += read_data(chunks, slice_part(bytes, taken, bytes.size), body);
		else if (read_byte(chunks, bytes.data[taken], body, refusal))
			taken++;
		else
			break;
	}
	return taken;
}
