#include "proxy/http/decode.h"

#include <stdlib.h>
#include <zlib.h>

struct decoder {
	z_stream stream;
	bool is_deflate;
	bool begun;
	bool ended; /* a gzip member, of which there may be several */
	bool over;  /* the members have ended; anything after them, such as padding, is skipped */
	bool broken;
};

enum {
	DETECT_HEADER = 32, /* added to zlib's window bits: detects gzip or zlib by the header */
	DECODED_PIECE = 16 * 1024,
	GZIP_FIRST_BYTE = 0x1f,
};

struct decoder *decoder_create(struct slice coding)
{
	if (!slice_equal_nocase(coding, SLICE("gzip")) &&
	    !slice_equal_nocase(coding, SLICE("x-gzip")) &&
	    !slice_equal_nocase(coding, SLICE("deflate")))
		return NULL;
	struct decoder *decoder = xcalloc(1, sizeof(*decoder));
	decoder->is_deflate = slice_equal_nocase(coding, SLICE("deflate"));
	if (inflateInit2(&decoder->stream, MAX_WBITS + DETECT_HEADER) != Z_OK) {
		free(decoder);
		return NULL;
	}
	return decoder;
}

void decoder_destroy(struct decoder *decoder)
{
	if (decoder == NULL)
		return;
	inflateEnd(&decoder->stream);
	free(decoder);
}

/* Some servers send "deflate" without its header (RFC 9110, section 8.4.1.2), whose first byte ends
 * in 8 (RFC 1950, section 2.2). */
static void begin(struct decoder *decoder, unsigned char first)
{
	decoder->begun = true;
	if (decoder->is_deflate && (first & 0xf) != Z_DEFLATED && first != GZIP_FIRST_BYTE)
		decoder->broken = inflateReset2(&decoder->stream, -MAX_WBITS) != Z_OK;
}

static bool begin_next_member(struct decoder *decoder)
{
	const z_stream *stream = &decoder->stream;
	if (stream->avail_in == 0)
		return false;
	decoder->over = decoder->is_deflate || *stream->next_in != GZIP_FIRST_BYTE ||
			inflateReset(&decoder->stream) != Z_OK;
	return !decoder->over;
}

bool decoder_feed(struct decoder *decoder, struct slice bytes,
		  bool (*take)(void *cookie, struct slice decoded), void *cookie)
{
	char piece[DECODED_PIECE];
	z_stream *stream = &decoder->stream;
	stream->next_in = (unsigned char *)(uintptr_t)bytes.data;
	stream->avail_in = (unsigned)bytes.size;
	if (!decoder->begun && bytes.size > 0)
		begin(decoder, *stream->next_in);
	while (!decoder->broken && !decoder->over &&
	       (stream->avail_in > 0 || stream->avail_out == 0)) {
		if (decoder->ended && !begin_next_member(decoder))
			break;
		stream->next_out = (unsigned char *)piece;
		stream->avail_out = sizeof(piece);
		int result = inflate(stream, Z_SYNC_FLUSH);
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			decoder->broken = true;
		size_t size = sizeof(piece) - stream->avail_out;
		if (size > 0 && !take(cookie, (struct slice){piece, size}))
			return false;
		decoder->ended = result == Z_STREAM_END;
		if (!decoder->ended && (result != Z_OK || size == 0))
			break;
	}
	return !decoder->broken;
}
