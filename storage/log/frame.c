#include "storage/log/frame.h"

#include <endian.h>
#include <zlib.h>

static const char magic[8] = {'r', 'e', 'c', 'a', 'l', 'l', 'o', 'g'};

/* Offsets in the segment's header; numbers are little-endian. */
enum { VERSION_AT = 8, ID_AT = 16, SERIAL_AT = 32, FIRST_AT = 40, CHECK_AT = 60 };

/* Offsets in a frame's header. Its own checksum covers all that follows it. */
enum { HEAD_CHECK_AT = 0, SIZE_AT = 4, POSITION_AT = 8, DURABLE_AT = 16, EVENT_CHECK_AT = 24 };
enum { LEFT_AT = 28 };

static void put_u32(unsigned char *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static void put_u64(unsigned char *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t get_u32(const unsigned char *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static uint64_t get_u64(const unsigned char *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static uint32_t check_of(uint32_t seed, const void *bytes, size_t size)
{
	return (uint32_t)crc32_z(seed, bytes, size);
}

void segment_header_write(unsigned char *bytes, const struct segment_header *header)
{
	memset(bytes, 0, SEGMENT_HEADER);
	memcpy(bytes, magic, sizeof(magic));
	put_u32(bytes + VERSION_AT, SEGMENT_VERSION);
	memcpy(bytes + ID_AT, header->store_id, SEGMENT_ID_SIZE);
	put_u64(bytes + SERIAL_AT, header->serial);
	put_u64(bytes + FIRST_AT, header->first);
	put_u32(bytes + CHECK_AT, check_of(0, bytes, CHECK_AT));
}

enum segment_kind segment_header_read(struct slice bytes, const unsigned char *store_id,
				      struct segment_header *header)
{
	const unsigned char *at = (const unsigned char *)bytes.data;
	*header = (struct segment_header){0};
	if (bytes.size < SEGMENT_HEADER || memcmp(at, magic, sizeof(magic)) != 0 ||
	    get_u32(at + CHECK_AT) != check_of(0, at, CHECK_AT))
		return SEGMENT_UNREADABLE;
	memcpy(header->store_id, at + ID_AT, SEGMENT_ID_SIZE);
	header->serial = get_u64(at + SERIAL_AT);
	header->first = get_u64(at + FIRST_AT);
	if (memcmp(header->store_id, store_id, SEGMENT_ID_SIZE) != 0)
		return SEGMENT_OTHERS;
	return get_u32(at + VERSION_AT) == SEGMENT_VERSION ? SEGMENT_OURS : SEGMENT_NEWER;
}

uint32_t frame_seed(const unsigned char *store_id)
{
	return check_of(0, store_id, SEGMENT_ID_SIZE);
}

size_t frame_size(size_t event_size)
{
	size_t size = FRAME_HEADER + event_size;
	return (size + FRAME_ALIGNMENT - 1) / FRAME_ALIGNMENT * FRAME_ALIGNMENT;
}

bool frame_append(struct buffer *out, uint32_t seed, struct slice event)
{
	static const char padding[FRAME_ALIGNMENT];
	unsigned char header[FRAME_HEADER] = {0};
	put_u32(header + SIZE_AT, (uint32_t)event.size);
	put_u32(header + EVENT_CHECK_AT, check_of(seed, event.data, event.size));
	if (!buffer_reserve(out, frame_size(event.size)))
		return false;
	buffer_append(out, (struct slice){(const char *)header, sizeof(header)});
	buffer_append(out, event);
	return buffer_append(
		out, (struct slice){padding, frame_size(event.size) - FRAME_HEADER - event.size});
}

size_t frame_finish(struct buffer *out, size_t offset, uint32_t seed, uint64_t position,
		    uint64_t durable, uint32_t left)
{
	unsigned char *header = (unsigned char *)out->data + offset;
	put_u64(header + POSITION_AT, position);
	put_u64(header + DURABLE_AT, durable);
	put_u32(header + LEFT_AT, left);
	put_u32(header + HEAD_CHECK_AT, check_of(seed, header + SIZE_AT, FRAME_HEADER - SIZE_AT));
	return offset + frame_size(get_u32(header + SIZE_AT));
}

/* Whether a frame's header is at the offset. A frame's last bytes are in the segment, too. */
static bool read_header(struct slice segment, size_t offset, uint32_t seed, struct frame *frame)
{
	const unsigned char *header = (const unsigned char *)segment.data + offset;
	size_t size = get_u32(header + SIZE_AT);
	*frame = (struct frame){.position = get_u64(header + POSITION_AT),
				.durable = get_u64(header + DURABLE_AT),
				.left = get_u32(header + LEFT_AT)};
	/* cheap tests first: most offsets hold other bytes */
	if (frame->durable >= frame->position || size > segment.size ||
	    frame_size(size) > segment.size - offset)
		return false;
	frame->event = slice_part(segment, offset + FRAME_HEADER, offset + FRAME_HEADER + size);
	frame->end = offset + frame_size(size);
	return get_u32(header) == check_of(seed, header + SIZE_AT, FRAME_HEADER - SIZE_AT);
}

static bool event_is_intact(struct slice segment, uint32_t seed, const struct frame *frame)
{
	const unsigned char *header = (const unsigned char *)segment.data +
				      (frame->event.data - segment.data) - FRAME_HEADER;
	return get_u32(header + EVENT_CHECK_AT) ==
	       check_of(seed, frame->event.data, frame->event.size);
}

bool frame_find(struct slice segment, size_t offset, uint32_t seed, uint64_t from,
		struct frame *frame)
{
	while (offset < segment.size && segment.size - offset >= FRAME_HEADER) {
		bool is_header = read_header(segment, offset, seed, frame);
		if (is_header && frame->position >= from && event_is_intact(segment, seed, frame))
			return true;
		/* a readable header says where its damaged event ends */
		offset = is_header ? frame->end : offset + FRAME_ALIGNMENT;
	}
	return false;
}
