/* Records: the on-disk form of a value. A record is a version byte followed by its fields in order;
 * numbers are variable-length (7 bits per byte, low bits first).
 *
 * Each noun has one function that lists its fields and serves both directions: a record_ function
 * takes the field's value and returns it when writing, or returns the value read. Reading never
 * passes the end: a record that is truncated, too long, of another version or with a value out of
 * range is unreadable as a whole. */
#ifndef RECALLD_STORAGE_RECORD_RECORD_H
#define RECALLD_STORAGE_RECORD_RECORD_H

#include "core/base/bytes.h"

struct record_form;

struct record {
	const struct record_form *form; /* NULL: the on-disk form */
	struct buffer *out;             /* NULL: reading */
	struct slice rest; /* empty when writing, in another form, or after a failure */
	struct arena *arena;
	bool failed;
};

/* A form other than the on-disk one: its functions replace those above and find their state around
 * the record. `out` must be NULL exactly when reading. */
struct record_form {
	uint64_t (*number)(struct record *record, uint64_t value, uint64_t limit);
	int64_t (*time)(struct record *record, int64_t value);
	uint64_t (*hash)(struct record *record, uint64_t value);
	double (*real)(struct record *record, double value);
	bool (*flag)(struct record *record, bool value);
	struct slice (*slice)(struct record *record, struct slice value);
	const uint64_t *(*ids)(struct record *record, const uint64_t *ids, size_t *count);
	bool (*goes_on)(const struct record *record);
};

/* ---- fields ---- */

uint64_t record_hash(struct record *record,
		     uint64_t value); /* 8 bytes, since hashes are never small */
double record_real(struct record *record, double value);
/* For a field added later: an older record ends before it. */
bool record_goes_on(const struct record *record);

/* Inlined for the common case: short and read from disk. `rest` is non-empty only then. */
enum { RECORD_SHORT = 0x80 }; /* smaller numbers take one byte */

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

/* The sign is the lowest bit, so that times before 1970 are short too. */
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

/* False: the buffer's limit was exceeded. */
bool record_write(struct buffer *out, record_fields *fields, void *noun);
/* `noun` must be initialized. Slices are copied into the arena; with NULL they point into `value`.
 * False: unreadable. */
bool record_read(struct slice value, record_fields *fields, void *noun, struct arena *arena);

#endif
