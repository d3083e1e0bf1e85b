#include "storage/dump/sealed.h"

#include "storage/lmdb/table.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

enum { TRIPLE = 3, QUARTET = 4 };

bool dump_seals(const struct dump_table *table)
{
	return table->table != TABLE_AUDIT;
}

/* ---- base64 ---- */

static bool append_base64(struct buffer *out, struct slice bytes)
{
	enum { PART = 3000 }; /* bytes, in whole triples */
	unsigned char text[PART / TRIPLE * QUARTET + 1];
	while (bytes.size > 0) {
		const size_t size = bytes.size < PART ? bytes.size : PART;
		const int written =
			EVP_EncodeBlock(text, (const unsigned char *)bytes.data, (int)size);
		(void)buffer_append(out, (struct slice){(const char *)text, (size_t)written});
		bytes = slice_part(bytes, size, bytes.size);
	}
	return !out->overflowed;
}

static bool read_base64(json_t *value, struct slice *bytes, struct arena *arena)
{
	struct slice text = {json_string_value(value), json_string_length(value)};
	if (!json_is_string(value) || text.size == 0 || text.size % QUARTET != 0 ||
	    text.size > INT_MAX)
		return false;
	unsigned char *out = arena_alloc(arena, text.size / QUARTET * TRIPLE);
	const int size = EVP_DecodeBlock(out, (const unsigned char *)text.data, (int)text.size);
	const int padding = (text.data[text.size - 1] == '=') + (text.data[text.size - 2] == '=');
	*bytes = (struct slice){(const char *)out, size < padding ? 0 : (size_t)(size - padding)};
	return size > padding;
}

/* ---- lines ---- */

bool dump_write_sealed(struct buffer *out, const struct dump_table *table, struct slice key,
		       struct slice value)
{
	buffer_printf(out, "{\"table\":\"%s\",\"key\":\"", table->name);
	(void)append_base64(out, key);
	(void)buffer_append(out, SLICE("\",\"sealed\":\""));
	(void)append_base64(out, value);
	return buffer_append(out, SLICE("\"}\n"));
}

/* The key as it is stored, and the value. */
static bool read_stored(json_t *object, const struct dump_table *table, struct key *key,
			struct slice *value, struct arena *arena)
{
	struct slice bytes;
	if (!read_base64(json_object_get(object, "key"), &bytes, arena) ||
	    !read_base64(json_object_get(object, "sealed"), value, arena) ||
	    bytes.size != dump_key_size(table))
		return false;
	key->size = bytes.size;
	memcpy(key->bytes, bytes.data, bytes.size);
	return true;
}

static struct slice slice_of_key(const struct key *key)
{
	return (struct slice){(const char *)key->bytes, key->size};
}

enum dump_opened dump_open(json_t *object, struct sealer *sealer, struct dump_line *line,
			   struct arena *arena)
{
	struct transaction opening = {.sealer = sealer, .hides_nothing = true};
	const struct dump_table *table = dump_find_table(object);
	struct user_key owner;
	struct key key;
	struct slice value;
	room_return(&sealer->room, 0);
	if (table == NULL || !dump_seals(table) || !read_stored(object, table, &key, &value, arena))
		return DUMP_NO_RECORD;
	if (form_owner(table->table, slice_of_key(&key), value, &owner) &&
	    !sealer_begin(sealer, owner))
		return DUMP_LOCKED;
	value = table_open(&opening, table->table, key, value);
	if (value.size == 0)
		return DUMP_LOCKED;
	key = transaction_show_key(&opening, table->table, slice_of_key(&key));
	return dump_take(table, slice_of_key(&key), value, line, arena) ? DUMP_OPENED
									: DUMP_UNREADABLE;
}
