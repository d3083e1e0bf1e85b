#include "proxy/decode.h"

#include <stdlib.h>
#include <zlib.h>

struct decoder {
	z_stream stream;
	bool broken;
};

/* zlib's window bits plus this: it tells gzip from zlib by the header. */
enum { DETECT_HEADER = 32, DECODED_PIECE = 16 * 1024 };

struct decoder *decoder_create(struct slice coding)
{
	if (!slice_equal_nocase(coding, SLICE("gzip")) &&
	    !slice_equal_nocase(coding, SLICE("x-gzip")) &&
	    !slice_equal_nocase(coding, SLICE("deflate")))
		return NULL;
	struct decoder *decoder = xcalloc(1, sizeof(*decoder));
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

bool decoder_feed(struct decoder *decoder, struct slice bytes,
		  void (*take)(void *cookie, struct slice decoded), void *cookie)
{
	char piece[DECODED_PIECE];
	z_stream *stream = &decoder->stream;
	stream->next_in = (unsigned char *)(uintptr_t)bytes.data;
	stream->avail_in = (unsigned)bytes.size;
	while (!decoder->broken && (stream->avail_in > 0 || stream->avail_out == 0)) {
		stream->next_out = (unsigned char *)piece;
		stream->avail_out = sizeof(piece);
		int result = inflate(stream, Z_SYNC_FLUSH);
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			decoder->broken = true;
		size_t size = sizeof(piece) - stream->avail_out;
		if (size > 0)
			take(cookie, (struct slice){piece, size});
		if (result != Z_OK || size == 0)
			break;
	}
	return !decoder->broken;
}
