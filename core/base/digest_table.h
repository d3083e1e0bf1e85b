/* A table from digests of 16 bytes, whose bytes look random, to numbers. */
#ifndef RECALLD_CORE_BASE_DIGEST_TABLE_H
#define RECALLD_CORE_BASE_DIGEST_TABLE_H

#include "core/base/bytes.h"

enum { DIGEST_SIZE = 16 };

#define DIGEST_NONE INT64_MIN /* no value may be this */

struct digest_entry {
	unsigned char digest[DIGEST_SIZE];
	int64_t value;
};

struct digest_table {
	struct digest_entry *entries; /* an open hash table */
	size_t capacity;              /* a power of two */
	size_t count;
};

void digest_table_init(struct digest_table *table);
void digest_table_finish(struct digest_table *table);
/* DIGEST_NONE: the digest is not there. */
int64_t digest_table_find(const struct digest_table *table, const unsigned char *digest);
/* Puts a value in place of any before. */
void digest_table_put(struct digest_table *table, const unsigned char *digest, int64_t value);
void digest_table_remove(struct digest_table *table, const unsigned char *digest);
/* The entries in no order; `place` begins at 0. NULL: there are no more. */
const struct digest_entry *digest_table_next(const struct digest_table *table, size_t *place);

#endif
