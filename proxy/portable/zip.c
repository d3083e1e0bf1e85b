/* Reads ZIP archives in memory: stored and deflated files, without paths, encryption or ZIP64. */
#include "proxy/portable/forms.h"

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

static bool inflate_all(struct slice packed, char *out, size_t size)
{
	z_stream stream = {.next_in = (unsigned char *)(uintptr_t)packed.data,
			   .avail_in = (unsigned)packed.size,
			   .next_out = (unsigned char *)out,
			   .avail_out = (unsigned)size};
	if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
		return false;
	int code = inflate(&stream, Z_FINISH);
	bool whole = code == Z_STREAM_END && stream.total_out == size;
	(void)inflateEnd(&stream);
	return whole;
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

static bool unpack(const struct zip_file *from, uint64_t *left, struct slice *file,
		   struct arena *arena)
{
	if (from->size > *left)
		return false;
	char *out = arena_bytes(arena, from->size + 1);
	*left -= from->size;
	if (from->method == STORED)
		memcpy(out, from->packed.data, from->size);
	else if (!inflate_all(from->packed, out, from->size))
		return false;
	*file = (struct slice){out, from->size};
	return crc32(0, (const unsigned char *)out, (unsigned)from->size) == from->sum;
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

enum zip_found zip_next(struct slice archive, const char *prefix, size_t *at, uint64_t *left,
			struct slice *file, struct arena *arena)
{
	struct zip_file packed;
	enum zip_found found = zip_find(archive, prefix, at, &packed);
	if (found == ZIP_FILE && !unpack(&packed, left, file, arena))
		found = ZIP_DAMAGED;
	return found;
}

/* A file while it is being unpacked. */
struct written {
	FILE *out;
	uint64_t size;
	uint32_t sum;
};

static bool write_piece(struct written *written, const unsigned char *bytes, size_t size)
{
	written->size += size;
	written->sum = (uint32_t)crc32(written->sum, bytes, (unsigned)size);
	return fwrite(bytes, 1, size, written->out) == size;
}

static bool inflate_to(const struct zip_file *file, struct written *written)
{
	unsigned char room[64 * 1024];
	z_stream stream = {.next_in = (unsigned char *)(uintptr_t)file->packed.data,
			   .avail_in = (unsigned)file->packed.size};
	int code = Z_OK;
	bool goes_on = true;
	if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
		return false;
	while (goes_on && code == Z_OK && written->size <= file->size) {
		stream.next_out = room;
		stream.avail_out = sizeof(room);
		code = inflate(&stream, Z_NO_FLUSH);
		goes_on = write_piece(written, room, sizeof(room) - stream.avail_out);
	}
	(void)inflateEnd(&stream);
	return goes_on && code == Z_STREAM_END;
}

bool zip_unpack_to(const struct zip_file *file, FILE *out)
{
	struct written written = {.out = out};
	bool is_whole = file->method == STORED
				? write_piece(&written, (const unsigned char *)file->packed.data,
					      file->packed.size)
				: inflate_to(file, &written);
	return is_whole && written.size == file->size && written.sum == file->sum &&
	       fflush(out) == 0;
}
