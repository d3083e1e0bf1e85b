#include "storage/record.h"

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

static struct slice take_bytes(struct record *record, uint64_t size)
{
	if (record->failed || size > record->rest.size) {
		record->failed = true;
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

/* Apart, for what most calls do not need they would pay for in saved registers. */
__attribute__((noinline)) static uint64_t take_long_number(struct record *record)
{
	struct slice *rest = &record->rest;
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && rest->size > 0; shift += 7) {
		unsigned byte = (unsigned char)*rest->data++;
		rest->size--;
		/* The tenth byte holds the one bit that is left. */
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	record->failed = true;
	return 0;
}

/* Most take one byte. */
static inline uint64_t take_number(struct record *record)
{
	struct slice *rest = &record->rest;
	if (rest->size == 0 || (unsigned char)*rest->data >= 0x80)
		return take_long_number(record);
	rest->size--;
	return (unsigned char)*rest->data++;
}

__attribute__((noinline)) static void put_number(struct record *record, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		put_byte(record, 0x80 | (value & 0x7f));
	put_byte(record, (unsigned)value);
}

uint64_t record_number(struct record *record, uint64_t value, uint64_t limit)
{
	if (record->form != NULL)
		return record->form->number(record, value, limit);
	if (record->out == NULL) {
		value = take_number(record);
		if (value > limit)
			record->failed = true;
		return record->failed ? 0 : value;
	}
	put_number(record, value);
	return value;
}

/* The sign goes into the lowest bit, so that times before 1970 are short as well. */
int64_t record_time(struct record *record, int64_t value)
{
	if (record->form != NULL)
		return record->form->time(record, value);
	uint64_t sign = value < 0 ? UINT64_MAX : 0;
	uint64_t folded = ((uint64_t)value << 1) ^ sign;
	folded = record_number(record, folded, UINT64_MAX);
	return (int64_t)((folded >> 1) ^ (0 - (folded & 1)));
}

uint64_t record_hash(struct record *record, uint64_t value)
{
	if (record->form != NULL)
		return record->form->hash(record, value);
	unsigned char bytes[8];
	if (record->out != NULL) {
		for (unsigned i = 0; i < 8; i++)
			bytes[i] = (unsigned char)(value >> (8 * i));
		put_bytes(record, bytes, sizeof(bytes));
		return value;
	}
	struct slice taken = take_bytes(record, sizeof(bytes));
	if (taken.size == 0)
		return 0;
	value = 0;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		value |= (uint64_t)(unsigned char)taken.data[i] << (8 * i);
	return value;
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

bool record_flag(struct record *record, bool value)
{
	if (record->form != NULL)
		return record->form->flag(record, value);
	return record_number(record, value, 1) == 1;
}

struct slice record_slice(struct record *record, struct slice value)
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
