/* Compressed replies: however the bytes are torn they decode to the same, and what was compressed
 * comes out again. The input's first byte picks the coding, the second how the rest is torn. */
#include "proxy/http/decode.h"

#include "tests/fuzz/fuzz.h"

#include <zlib.h>

enum { DECODED_LIMIT = 8 * 1024 * 1024 };

static void take(void *cookie, struct slice decoded)
{
	FUZZ_ASSERT(decoded.size > 0);
	(void)buffer_append(cookie, decoded);
}

/* Whether it decoded without a fault. */
static bool decode(struct slice coding, struct slice bytes, struct fuzz_tear tear,
		   struct buffer *out)
{
	struct decoder *decoder = decoder_create(coding);
	bool sound = true;
	FUZZ_ASSERT(decoder != NULL);
	for (size_t at = 0; at < bytes.size;) {
		size_t size = fuzz_next_piece(&tear, bytes.size - at);
		char *copy = fuzz_copy(slice_part(bytes, at, at + size));
		bool now = decoder_feed(decoder, (struct slice){copy, size}, take, out);
		FUZZ_ASSERT(sound || !now);
		sound = now;
		at += size;
		free(copy);
	}
	decoder_destroy(decoder);
	return sound;
}

static void check_decoding(struct slice coding, struct slice bytes, unsigned seed,
			   struct buffer *whole)
{
	enum { WHOLE = 7 };
	struct buffer torn;
	buffer_init(whole, DECODED_LIMIT);
	buffer_init(&torn, DECODED_LIMIT);
	bool sound = decode(coding, bytes, fuzz_tear(WHOLE), whole);
	FUZZ_ASSERT(decode(coding, bytes, fuzz_tear(seed), &torn) == sound);
	FUZZ_ASSERT(slice_equal(buffer_slice(whole), buffer_slice(&torn)));
	buffer_finish(&torn);
}

static void check_compressed(struct slice coding, struct slice text, int window, unsigned seed)
{
	enum { MEMORY = 8 };
	struct buffer decoded;
	z_stream stream = {0};
	FUZZ_ASSERT(deflateInit2(&stream, 1 + (int)(seed % 9), Z_DEFLATED, window, MEMORY,
				 Z_DEFAULT_STRATEGY) == Z_OK);
	size_t room = deflateBound(&stream, text.size);
	char *bytes = xmalloc(room);
	stream.next_in = (unsigned char *)(uintptr_t)text.data;
	stream.avail_in = (unsigned)text.size;
	stream.next_out = (unsigned char *)bytes;
	stream.avail_out = (unsigned)room;
	FUZZ_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
	check_decoding(coding, (struct slice){bytes, room - stream.avail_out}, seed, &decoded);
	FUZZ_ASSERT(slice_equal(buffer_slice(&decoded), text));
	buffer_finish(&decoded);
	(void)deflateEnd(&stream);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { GZIP = 16 };
	struct buffer decoded;
	if (size < 2)
		return 0;
	bool gzip = (data[0] & 1) == 0;
	bool bare = (data[0] & 2) != 0; /* without its header */
	struct slice coding = gzip ? SLICE("gzip") : SLICE("deflate");
	struct slice bytes = {(const char *)data + 2, size - 2};
	check_decoding(coding, bytes, data[1], &decoded);
	buffer_finish(&decoded);
	check_compressed(coding, bytes,
			 gzip   ? MAX_WBITS + GZIP
			 : bare ? -MAX_WBITS
				: MAX_WBITS,
			 data[1]);
	return 0;
}
