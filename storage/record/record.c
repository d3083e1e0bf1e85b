#include "storage/record/record.h"

#include <endian.h>
#include <string.h>

enum { RECORD_VERSION = 1 };

static void put_byte(struct record *record, unsigned byte)
{
	if (!buffer_append_byte(record->out, (char)(unsigned char)byte))
		record->failed = true;
}

static void put_bytes(struct record *record, const void *bytes, size_t size)
{
	if (!buffer_append(record->out, (struct slice){bytes, size}))
		record->failed = true;
}

/* Stops reading. */
static void fail(struct record *record)
{
	record->failed = true;
	record->rest.size = 0;
}

static struct slice take_bytes(struct record *record, uint64_t size)
{
	if (size > record->rest.size) {
		fail(record);
		return (struct slice){0};
	}
	struct slice taken = {record->rest.data, (size_t)size};
	record->rest.data += taken.size;
	record->rest.size -= taken.size;
	return taken;
}

static unsigned take_byte(struct record *record)
{
	struct slice taken = take_bytes(record, 1);
	return taken.size == 0 ? 0 : (unsigned char)taken.data[0];
}

static uint64_t take_number(struct record *record)
{
	struct slice *rest = &record->rest;
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && rest->size > 0; shift += 7) {
		unsigned byte = (unsigned char)*rest->data++;
		rest->size--;
		/* the tenth byte holds the last bit */
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < RECORD_SHORT)
			return value;
	}
	fail(record);
	return 0;
}

static void put_number(struct record *record, uint64_t value)
{
	for (; value >= RECORD_SHORT; value >>= 7)
		put_byte(record, RECORD_SHORT | (value & 0x7f));
	put_byte(record, (unsigned)value);
}

uint64_t record_any_number(struct record *record, uint64_t value, uint64_t limit)
{
	if (record->form != NULL)
		return record->form->number(record, value, limit);
	if (record->out != NULL) {
		put_number(record, value);
		return value;
	}
	value = take_number(record);
	if (value <= limit)
		return value;
	fail(record);
	return 0;
}

uint64_t record_hash(struct record *record, uint64_t value)
{
	if (record->form != NULL)
		return record->form->hash(record, value);
	uint64_t bytes = htole64(value);
	if (record->out != NULL) {
		put_bytes(record, &bytes, sizeof(bytes));
		return value;
	}
	struct slice taken = take_bytes(record, sizeof(bytes));
	if (taken.size == 0)
		return 0;
	memcpy(&bytes, taken.data, sizeof(bytes));
	return le64toh(bytes);
}

double record_real(struct record *record, double value)
{
	if (record->form != NULL)
		return record->form->real(record, value);
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	bits = record_hash(record, bits);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

struct slice record_any_slice(struct record *record, struct slice value)
{
	if (record->form != NULL)
		return record->form->slice(record, value);
	uint64_t size = record_number(record, value.size, SIZE_MAX);
	if (record->out != NULL) {
		put_bytes(record, value.data, value.size);
		return value;
	}
	struct slice taken = take_bytes(record, size);
	return record->arena == NULL ? taken : arena_copy(record->arena, taken);
}

bool record_goes_on(const struct record *record)
{
	if (record->form != NULL)
		return record->form->goes_on(record);
	return record->out != NULL || record->rest.size > 0;
}

bool record_write(struct buffer *out, record_fields *fields, void *noun)
{
	struct record record = {.out = out};
	put_byte(&record, RECORD_VERSION);
	fields(&record, noun);
	return !record.failed;
}

bool record_read(struct slice value, record_fields *fields, void *noun, struct arena *arena)
{
	struct record record = {.rest = value, .arena = arena};
	if (take_byte(&record) != RECORD_VERSION)
		return false;
	fields(&record, noun);
	return !record.failed && record.rest.size == 0;
}
