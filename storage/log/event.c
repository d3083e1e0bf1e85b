#include "storage/log/event.h"

#include <assert.h>
#include <endian.h>
#include <zlib.h>

enum { CHECK_SIZE = 4, HEAD_SIZE = 2 + sizeof(struct user_key), MORE = 0x80 };

static void put_number(struct buffer *out, uint64_t value)
{
	for (; value >= MORE; value >>= 7)
		buffer_append_byte(out, (char)(unsigned char)(MORE | (value & (MORE - 1))));
	buffer_append_byte(out, (char)(unsigned char)value);
}

static uint32_t check_of(struct slice bytes)
{
	return (uint32_t)crc32_z(0, (const unsigned char *)bytes.data, bytes.size);
}

size_t event_begin(struct buffer *out, const struct event_head *head)
{
	static const char unchecked[CHECK_SIZE];
	size_t start = out->size;
	const unsigned char fixed[] = {EVENT_FORMAT, (unsigned char)head->flags};
	buffer_append(out, (struct slice){unchecked, sizeof(unchecked)});
	buffer_append(out, (struct slice){(const char *)fixed, sizeof(fixed)});
	buffer_append(out,
		      (struct slice){(const char *)head->user.bytes, sizeof(head->user.bytes)});
	put_number(out, head->sequence);
	return start;
}

static void put_key(struct buffer *out, unsigned table, bool deleted, struct slice key)
{
	assert(table < EVENT_TABLE_LIMIT && key.size <= EVENT_KEY_MAX);
	buffer_append_byte(out, (char)(unsigned char)(table << 1 | (deleted ? 1U : 0U)));
	buffer_append_byte(out, (char)(unsigned char)key.size);
	buffer_append(out, key);
}

void event_put(struct buffer *out, unsigned table, struct slice key, struct slice value)
{
	put_key(out, table, false, key);
	put_number(out, value.size);
	buffer_append(out, value);
}

void event_delete(struct buffer *out, unsigned table, struct slice key)
{
	put_key(out, table, true, key);
}

struct slice event_end(struct buffer *out, size_t start)
{
	/* an overflow may have left less than a checksum */
	if (out->overflowed)
		return (struct slice){0};
	struct slice event = slice_part(buffer_slice(out), start, out->size);
	uint32_t check = htole32(check_of(slice_part(event, CHECK_SIZE, event.size)));
	memcpy(out->data + start, &check, sizeof(check));
	return event;
}

/* ---- reading ---- */

static bool take(struct slice *rest, uint64_t size, struct slice *taken)
{
	if (size > rest->size)
		return false;
	*taken = slice_part(*rest, 0, (size_t)size);
	*rest = slice_part(*rest, (size_t)size, rest->size);
	return true;
}

static bool take_byte(struct slice *rest, unsigned *byte)
{
	struct slice taken;
	if (!take(rest, 1, &taken))
		return false;
	*byte = (unsigned char)taken.data[0];
	return true;
}

static bool take_number(struct slice *rest, uint64_t *value)
{
	unsigned byte = MORE;
	*value = 0;
	for (unsigned shift = 0; shift < 64 && byte >= MORE; shift += 7) {
		/* the tenth byte holds the last bit */
		if (!take_byte(rest, &byte) || (shift == 63 && byte > 1))
			return false;
		*value |= (uint64_t)(byte & (MORE - 1)) << shift;
	}
	return true;
}

static bool take_change(struct slice *rest, struct event_change *change)
{
	unsigned kind;
	unsigned key_size;
	uint64_t value_size;
	if (!take_byte(rest, &kind) || !take_byte(rest, &key_size) || key_size > EVENT_KEY_MAX)
		return false;
	*change = (struct event_change){.table = kind >> 1, .deleted = (kind & 1) != 0};
	if (!take(rest, key_size, &change->key))
		return false;
	return change->deleted ||
	       (take_number(rest, &value_size) && take(rest, value_size, &change->value));
}

static bool take_head(struct slice *rest, struct event_head *head)
{
	struct slice fixed;
	if (!take(rest, HEAD_SIZE, &fixed) || fixed.data[0] != EVENT_FORMAT)
		return false;
	head->flags = (unsigned char)fixed.data[1];
	memcpy(head->user.bytes, fixed.data + 2, sizeof(head->user.bytes));
	return take_number(rest, &head->sequence);
}

bool event_read(struct event_reader *reader, struct slice bytes)
{
	struct slice stored;
	struct event_change change;
	uint32_t check;
	*reader = (struct event_reader){0};
	if (!take(&bytes, CHECK_SIZE, &stored))
		return false;
	memcpy(&check, stored.data, sizeof(check));
	if (le32toh(check) != check_of(bytes) || !take_head(&bytes, &reader->head))
		return false;
	reader->rest = bytes;
	while (bytes.size > 0) {
		if (!take_change(&bytes, &change))
			return false;
	}
	return true;
}

bool event_next(struct event_reader *reader, struct event_change *change)
{
	return reader->rest.size > 0 && take_change(&reader->rest, change);
}
