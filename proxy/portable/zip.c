/* Reads ZIP archives in memory: stored and deflated files, without paths, encryption or ZIP64. */
#include "proxy/portable/forms.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
	END_SIZE = 22,
	ENTRY_SIZE = 46,
	LOCAL_SIZE = 30,
	COMMENT_LIMIT = 65535,
	STORED = 0,
	DEFLATED = 8,
	RATIO_LIMIT = 200,
	RATIO_FROM = 1 << 20, /* smaller files may have any ratio */
};

static uint32_t read_number(struct slice bytes, size_t at, size_t size)
{
	uint32_t number = 0;
	for (size_t i = size; i-- > 0;)
		number = number << 8 | (unsigned char)bytes.data[at + i];
	return number;
}

static bool is_at(struct slice bytes, size_t at, const char *signature)
{
	return at <= bytes.size && bytes.size - at >= 4 &&
	       memcmp(bytes.data + at, signature, 4) == 0;
}

/* Where the list of files begins; the archive's size: there is none. */
static size_t find_list(struct slice archive)
{
	if (archive.size < END_SIZE)
		return archive.size;
	size_t last = archive.size - END_SIZE;
	size_t first = last > COMMENT_LIMIT ? last - COMMENT_LIMIT : 0;
	for (size_t at = last + 1; at-- > first;) {
		if (is_at(archive, at, "PK\5\6"))
			return read_number(archive, at + 16, 4);
	}
	return archive.size;
}

/* Finds the bytes of the entry in the list. */
static bool locate(struct slice archive, size_t entry, struct zip_file *file)
{
	const uint64_t packed = read_number(archive, entry + 20, 4);
	const uint64_t local = read_number(archive, entry + 42, 4);
	file->method = read_number(archive, entry + 10, 2);
	file->sum = read_number(archive, entry + 16, 4);
	file->size = read_number(archive, entry + 24, 4);
	if (!is_at(archive, local, "PK\3\4") || archive.size - local < LOCAL_SIZE ||
	    (file->size > RATIO_FROM && file->size / RATIO_LIMIT > packed))
		return false;
	const uint64_t begin = local + LOCAL_SIZE + read_number(archive, local + 26, 2) +
			       read_number(archive, local + 28, 2);
	if (begin > archive.size || packed > archive.size - begin)
		return false;
	file->packed = slice_part(archive, begin, begin + packed);
	return file->method == DEFLATED || (file->method == STORED && packed == file->size);
}

static bool is_wanted(struct slice path, const char *prefix)
{
	const struct slice end = SLICE(".json");
	size_t name = path.size;
	while (name > 0 && path.data[name - 1] != '/')
		name--;
	path = slice_part(path, name, path.size);
	return slice_starts_with(path, slice_of(prefix)) && path.size >= end.size &&
	       slice_equal(slice_part(path, path.size - end.size, path.size), end);
}

enum zip_found zip_find(struct slice archive, const char *prefix, size_t *at, struct zip_file *file)
{
	if (*at == 0)
		*at = find_list(archive);
	while (is_at(archive, *at, "PK\1\2") && archive.size - *at >= ENTRY_SIZE) {
		const size_t entry = *at;
		const size_t name = read_number(archive, entry + 28, 2);
		const size_t rest =
			read_number(archive, entry + 30, 2) + read_number(archive, entry + 32, 2);
		if (archive.size - entry - ENTRY_SIZE < name)
			return ZIP_DAMAGED;
		*at = entry + ENTRY_SIZE + name + rest;
		struct slice path =
			slice_part(archive, entry + ENTRY_SIZE, entry + ENTRY_SIZE + name);
		if (is_wanted(path, prefix))
			return locate(archive, entry, file) ? ZIP_FILE : ZIP_DAMAGED;
	}
	/* The list ends with its own record, or with that of ZIP64. */
	return is_at(archive, *at, "PK\5\6") || is_at(archive, *at, "PK\6\6") ? ZIP_END
									      : ZIP_DAMAGED;
}

/* ---- unpacking ---- */

struct zip_stream {
	struct zip_file file;
	z_stream inflation;
	uint64_t size; /* so far */
	uint32_t sum;
	bool is_over;
	unsigned char room[64 * 1024];
};

struct zip_stream *zip_open(const struct zip_file *file)
{
	struct zip_stream *stream = xmalloc(sizeof(*stream));
	*stream = (struct zip_stream){
		.file = *file,
		.inflation = {.next_in = (unsigned char *)(uintptr_t)file->packed.data,
			      .avail_in = (unsigned)file->packed.size}};
	if (file->method == STORED || inflateInit2(&stream->inflation, -MAX_WBITS) == Z_OK)
		return stream;
	free(stream);
	return NULL;
}

void zip_close(struct zip_stream *stream)
{
	if (stream != NULL && stream->file.method != STORED)
		(void)inflateEnd(&stream->inflation);
	free(stream);
}

/* False: it is damaged. */
static bool inflate_piece(struct zip_stream *stream, struct slice *piece)
{
	z_stream *inflation = &stream->inflation;
	inflation->next_out = stream->room;
	inflation->avail_out = sizeof(stream->room);
	const int code = inflate(inflation, Z_NO_FLUSH);
	*piece = (struct slice){(const char *)stream->room,
				sizeof(stream->room) - inflation->avail_out};
	stream->is_over = code == Z_STREAM_END;
	return stream->is_over || (code == Z_OK && piece->size > 0);
}

bool zip_read(struct zip_stream *stream, struct slice *piece)
{
	const struct zip_file *file = &stream->file;
	bool is_fine = true;
	*piece = (struct slice){0};
	if (stream->is_over)
		return true;
	if (file->method == DEFLATED) {
		is_fine = inflate_piece(stream, piece);
	} else {
		*piece = file->packed;
		stream->is_over = true;
	}
	stream->size += piece->size;
	stream->sum = (uint32_t)crc32(stream->sum, (const unsigned char *)piece->data,
				      (unsigned)piece->size);
	return is_fine && stream->size <= file->size &&
	       (!stream->is_over || (stream->size == file->size && stream->sum == file->sum));
}

const char *zip_position(const struct zip_stream *stream)
{
	return (const char *)stream->inflation.next_in;
}
