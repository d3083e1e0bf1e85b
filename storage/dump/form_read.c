/* Reads the lines of an export. */
#include "storage/dump/form.h"

#include "storage/dump/dump.h"
#include "storage/record/key.h"

#include <string.h>

struct reading {
	struct record record; /* must be first */
	const char *const *names;
	json_t *object;
	bool goes_on; /* the following fields may be missing */
};

/* NULL: the member is missing, and the field keeps its value. */
static json_t *take(struct record *record)
{
	struct reading *reading = (struct reading *)record;
	json_t *value = json_object_get(reading->object, *reading->names++);
	if (value == NULL && !reading->goes_on)
		record->failed = true;
	return value;
}

/* Whether the string is exactly that many lower-case hexadecimal digits. */
static bool is_hex(const char *text, size_t digits)
{
	return text != NULL && strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

static uint64_t hex_value(const char *text, size_t digits)
{
	uint64_t value = 0;
	for (size_t i = 0; i < digits; i++)
		value = value << 4 |
			(uint64_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
	return value;
}

static bool read_hex(json_t *value, uint64_t *number)
{
	const char *text = json_string_value(value);
	bool fine = is_hex(text, 16);
	*number = fine ? hex_value(text, 16) : 0;
	return fine;
}

static uint64_t read_number(struct record *record, uint64_t value, uint64_t limit)
{
	json_t *found = take(record);
	if (found == NULL)
		return value;
	json_int_t number = json_integer_value(found);
	if (!json_is_integer(found) || number < 0 || (uint64_t)number > limit)
		record->failed = true;
	return record->failed ? 0 : (uint64_t)number;
}

static int64_t read_time(struct record *record, int64_t value)
{
	json_t *found = take(record);
	if (found != NULL && !json_is_integer(found))
		record->failed = true;
	return found == NULL ? value : json_integer_value(found);
}

static uint64_t read_hash(struct record *record, uint64_t value)
{
	json_t *found = take(record);
	if (found != NULL && !read_hex(found, &value))
		record->failed = true;
	return value;
}

static double read_real(struct record *record, double value)
{
	json_t *found = take(record);
	if (found != NULL && !json_is_number(found))
		record->failed = true;
	return found == NULL ? value : json_number_value(found);
}

static bool read_flag(struct record *record, bool value)
{
	json_t *found = take(record);
	if (found != NULL && !json_is_boolean(found))
		record->failed = true;
	return found == NULL ? value : json_is_true(found);
}

static struct slice read_slice(struct record *record, struct slice value)
{
	json_t *found = take(record);
	if (found == NULL)
		return value;
	if (!json_is_string(found))
		record->failed = true;
	return (struct slice){json_string_value(found), json_string_length(found)};
}

static bool read_id(json_t *value, uint64_t *id)
{
	json_int_t number = json_integer_value(value);
	*id = (uint64_t)number;
	return json_is_integer(value) && number >= 0;
}

static const uint64_t *read_ids(struct record *record, const uint64_t *ids, size_t *count)
{
	json_t *found = take(record);
	if (found == NULL)
		return ids;
	if (!json_is_array(found))
		record->failed = true;
	*count = json_array_size(found);
	uint64_t *read = arena_alloc(record->arena, *count * sizeof(*read));
	for (size_t i = 0; i < *count; i++) {
		if (!read_id(json_array_get(found, i), &read[i]))
			record->failed = true;
	}
	return read;
}

static bool read_goes_on(const struct record *record)
{
	/* The record belongs to the reading, which is not constant. */
	((struct reading *)(uintptr_t)record)->goes_on = true;
	return true;
}

static const struct record_form json_reader = {
	read_number, read_time, read_hash, read_real, read_flag, read_slice, read_ids, read_goes_on,
};

static bool read_user(json_t *object, struct user_key *user)
{
	const char *text = json_string_value(json_object_get(object, "of"));
	if (!is_hex(text, 2 * sizeof(user->bytes)))
		return false;
	for (size_t i = 0; i < sizeof(user->bytes); i++)
		user->bytes[i] = (unsigned char)hex_value(text + 2 * i, 2);
	return true;
}

/* The highest number has no successor to issue. */
static uint64_t limit_of_part(const struct dump_table *table, size_t index)
{
	const unsigned size = table->parts[index].size;
	if (table->parts[index].is_hash)
		return UINT64_MAX;
	return size < 8 ? (UINT64_C(1) << 8 * size) - 1 : INT64_MAX;
}

static bool read_part(json_t *object, const struct dump_table *table, size_t index, uint64_t *part)
{
	json_t *value = json_object_get(object, table->parts[index].name);
	if (table->parts[index].is_hash)
		return read_hex(value, part);
	json_int_t number = json_integer_value(value);
	*part = (uint64_t)number;
	return json_is_integer(value) && number >= 0 && *part < limit_of_part(table, index);
}

/* Its user is read like that of every line. */
static bool read_receipt(json_t *object, struct dump_line *line)
{
	json_t *text = json_object_get(object, "text");
	json_int_t age = json_integer_value(json_object_get(object, "age"));
	line->noun.receipt.age = age > 0 ? (uint64_t)age : 0;
	line->noun.receipt.user = line->user;
	line->noun.receipt.receipt.text =
		(struct slice){json_string_value(text), json_string_length(text)};
	return json_is_string(text);
}

const struct dump_table *dump_find_table(json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "table"));
	for (size_t i = 0; name != NULL && i < DUMP_TABLES; i++) {
		if (strcmp(name, dump_tables[i].name) == 0)
			return &dump_tables[i];
	}
	return NULL;
}

bool dump_take(const struct dump_table *table, struct slice key, struct slice value,
	       struct dump_line *line, struct arena *arena)
{
	struct arena *lists = table->table == TABLE_LINKS ? arena : NULL;
	size_t at = table->is_of_user ? sizeof(struct user_key) : 0;
	*line = (struct dump_line){.table = table};
	if (key.size != dump_key_size(table) ||
	    !record_read(value, table->fields, &line->noun, lists))
		return false;
	line->user = table->is_of_user ? key_read_user(key) : line->noun.receipt.user;
	for (size_t i = 0; i < DUMP_KEY_PARTS && table->parts[i].size > 0; i++) {
		uint64_t *part = &line->parts[i];
		for (size_t end = at + table->parts[i].size; at < end; at++)
			*part = *part << 8 | (unsigned char)key.data[at];
		if (*part > limit_of_part(table, i) ||
		    (*part == limit_of_part(table, i) && !table->parts[i].is_hash))
			return false;
	}
	return true;
}

bool dump_read(json_t *object, struct dump_line *line, struct arena *arena)
{
	*line = (struct dump_line){.table = dump_find_table(object)};
	if (line->table == NULL ||
	    (line->table->table != TABLE_AUDIT && !read_user(object, &line->user)))
		return false;
	for (size_t i = 0; i < DUMP_KEY_PARTS && line->table->parts[i].size > 0; i++) {
		if (!read_part(object, line->table, i, &line->parts[i]))
			return false;
	}
	if (line->table->table == TABLE_RECEIPTS)
		return read_receipt(object, line);
	struct reading reading = {
		{.form = &json_reader, .arena = arena}, line->table->names, object, false};
	line->table->fields(&reading.record, &line->noun);
	return !reading.record.failed;
}
