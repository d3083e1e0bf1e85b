#include "core/base/digest_table.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

static size_t wrapped(const struct digest_table *table, size_t place)
{
	return place & (table->capacity - 1);
}

static size_t place_of(const struct digest_table *table, const unsigned char *digest)
{
	uint64_t hash;
	memcpy(&hash, digest, sizeof(hash));
	return wrapped(table, (size_t)hash);
}

static bool is_empty(const struct digest_entry *entry)
{
	return entry->value == DIGEST_NONE;
}

/* The digest's entry, or the empty one where it would be. */
static struct digest_entry *find(const struct digest_table *table, const unsigned char *digest)
{
	size_t at = place_of(table, digest);
	while (!is_empty(&table->entries[at]) &&
	       memcmp(table->entries[at].digest, digest, DIGEST_SIZE) != 0)
		at = wrapped(table, at + 1);
	return &table->entries[at];
}

static void resize(struct digest_table *table, size_t capacity)
{
	const struct digest_table old = *table;
	table->entries = xmalloc(capacity * sizeof(*table->entries));
	table->capacity = capacity;
	for (size_t i = 0; i < capacity; i++)
		table->entries[i].value = DIGEST_NONE;
	for (size_t i = 0; i < old.capacity; i++) {
		if (!is_empty(&old.entries[i]))
			*find(table, old.entries[i].digest) = old.entries[i];
	}
	free(old.entries);
}

void digest_table_init(struct digest_table *table)
{
	*table = (struct digest_table){0};
	resize(table, FIRST_CAPACITY);
}

void digest_table_finish(struct digest_table *table)
{
	free(table->entries);
}

int64_t digest_table_find(const struct digest_table *table, const unsigned char *digest)
{
	return find(table, digest)->value;
}

void digest_table_put(struct digest_table *table, const unsigned char *digest, int64_t value)
{
	if (2 * (table->count + 1) > table->capacity)
		resize(table, 2 * table->capacity);
	struct digest_entry *entry = find(table, digest);
	table->count += is_empty(entry);
	memcpy(entry->digest, digest, DIGEST_SIZE);
	entry->value = value;
}

/* The next entry that a search would no longer reach across the hole; the hole itself: there is
 * none. */
static size_t find_cut_off(const struct digest_table *table, size_t hole)
{
	size_t at = wrapped(table, hole + 1);
	for (; !is_empty(&table->entries[at]); at = wrapped(table, at + 1)) {
		size_t from_home = wrapped(table, at - place_of(table, table->entries[at].digest));
		if (from_home >= wrapped(table, at - hole))
			return at;
	}
	return hole;
}

void digest_table_remove(struct digest_table *table, const unsigned char *digest)
{
	struct digest_entry *entry = find(table, digest);
	if (is_empty(entry))
		return;
	size_t hole = (size_t)(entry - table->entries);
	table->count--;
	for (;;) {
		table->entries[hole].value = DIGEST_NONE;
		size_t next = find_cut_off(table, hole);
		if (next == hole)
			return;
		table->entries[hole] = table->entries[next];
		hole = next;
	}
}

const struct digest_entry *digest_table_next(const struct digest_table *table, size_t *place)
{
	while (*place < table->capacity && is_empty(&table->entries[*place]))
		++*place;
	return *place == table->capacity ? NULL : &table->entries[(*place)++];
}
