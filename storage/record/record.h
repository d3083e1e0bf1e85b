/* Records: how a value lies on disk. A record is a version byte and then its fields in order;
 * numbers are as short as they can be (7 bits to a byte, the low ones first).
 *
 * A noun has one function that names its fields, and it serves both ways: each record_ function
 * takes the field's value and gives it back when the record is written, or gives what was read in
 * its place. Reading never passes the end: a record that is cut off, too long, of another version
 * or with a value out of its range is unreadable as a whole. */
#ifndef RECALLD_STORAGE_RECORD_RECORD_H
#define RECALLD_STORAGE_RECORD_RECORD_H

#include "core/base/bytes.h"

struct record_form;

struct record {
	const struct record_form *form; /* NULL: as on disk */
	struct buffer *out;             /* NULL: reading */
	struct slice rest; /* empty when writing, in another form, or after a failure */
	struct arena *arena;
	bool failed;
};

/* Another form than that on disk: its functions take the place of those above, and find what they
 * need round the record. `out` must be NULL exactly when it reads. */
struct record_form {
	uint64_t (*number)(struct record *record, uint64_t value, uint64_t limit);
	int64_t (*time)(struct record *record, int64_t value);
	uint64_t (*hash)(struct record *record, uint64_t value);
	double (*real)(struct record *record, double value);
	bool (*flag)(struct record *record, bool value);
	struct slice (*slice)(struct record *record, struct slice value);
	bool (*goes_on)(const struct record *record);
};

/* ---- fields ---- */

uint64_t record_hash(struct record *record,
		     uint64_t value); /* 8 bytes, as hashes are never small */
double record_real(struct record *record, double value);
/* For a field that came later: a record that was written before ends in front of it. */
bool record_goes_on(const struct record *record);

/* Inline is what most fields are: short, and read from disk. Only then is there a rest. */
enum { RECORD_SHORT = 0x80 }; /* a smaller number takes one byte */

uint64_t record_any_number(struct record *record, uint64_t value, uint64_t limit);
struct slice record_any_slice(struct record *record, struct slice value);

static inline uint64_t record_number(struct record *record, uint64_t value, uint64_t limit)
{
	struct slice *rest = &record->rest;
	if (rest->size == 0 || (unsigned char)*rest->data >= RECORD_SHORT ||
	    (unsigned char)*rest->data > limit)
		return record_any_number(record, value, limit);
	rest->size--;
	return (unsigned char)*rest->data++;
}

/* The sign goes into the lowest bit, so that times before 1970 are short as well. */
static inline int64_t record_time(struct record *record, int64_t value)
{
	if (record->form != NULL)
		return record->form->time(record, value);
	uint64_t sign = value < 0 ? UINT64_MAX : 0;
	uint64_t folded = record_number(record, ((uint64_t)value << 1) ^ sign, UINT64_MAX);
	return (int64_t)((folded >> 1) ^ (0 - (folded & 1)));
}

static inline bool record_flag(struct record *record, bool value)
{
	if (record->form != NULL)
		return record->form->flag(record, value);
	return record_number(record, value, 1) == 1;
}

static inline struct slice record_slice(struct record *record, struct slice value)
{
	struct slice *rest = &record->rest;
	if (rest->size == 0 || (unsigned char)*rest->data >= RECORD_SHORT ||
	    (unsigned char)*rest->data >= rest->size || record->arena != NULL)
		return record_any_slice(record, value);
	struct slice taken = {rest->data + 1, (unsigned char)*rest->data};
	rest->data += 1 + taken.size;
	rest->size -= 1 + taken.size;
	return taken;
}

typedef void record_fields(struct record *record, void *noun);

/* False: the buffer's limit was passed. */
bool record_write(struct buffer *out, record_fields *fields, void *noun);
/* `noun` comes initialized. Slices are copied into the arena; with NULL they point into `value`.
 * False: unreadable. */
bool record_read(struct slice value, record_fields *fields, void *noun, struct arena *arena);

#endif
