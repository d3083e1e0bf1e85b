/* Records: how a value lies on disk. A record is a version byte and then its fields in order;
 * numbers are as short as they can be (7 bits to a byte, the low ones first).
 *
 * A noun has one function that names its fields, and it serves both ways: each record_ function
 * takes the field's value and gives it back when the record is written, or gives what was read in
 * its place. Reading never passes the end: a record that is cut off, too long, of another version
 * or with a value out of its range is unreadable as a whole. */
#ifndef RECALLD_STORAGE_RECORD_H
#define RECALLD_STORAGE_RECORD_H

#include "core/bytes.h"

struct record_form;

struct record {
	const struct record_form *form; /* NULL: as on disk */
	struct buffer *out;             /* NULL: reading */
	struct slice rest;
	struct arena *arena;
	bool failed;
};

uint64_t record_number(struct record *record, uint64_t value, uint64_t limit);
int64_t record_time(struct record *record, int64_t value);
uint64_t record_hash(struct record *record,
		     uint64_t value); /* 8 bytes, as hashes are never small */
double record_real(struct record *record, double value);
bool record_flag(struct record *record, bool value);
struct slice record_slice(struct record *record, struct slice value);
/* For a field that came later: a record that was written before ends in front of it. */
bool record_goes_on(const struct record *record);

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

typedef void record_fields(struct record *record, void *noun);

/* False: the buffer's limit was passed. */
bool record_write(struct buffer *out, record_fields *fields, void *noun);
/* `noun` comes initialized. Slices are copied into the arena; with NULL they point into `value`.
 * False: unreadable. */
bool record_read(struct slice value, record_fields *fields, void *noun, struct arena *arena);

#endif
