#include "storage/dump/form.h"

#include "core/json/json.h"
#include "storage/dump/dump.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define NAMES(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

const struct dump_table dump_tables[DUMP_TABLES] = {
	{"user",
	 TABLE_USERS,
	 true,
	 {{0}},
	 stored_user_fields,
	 NAMES("tenant", "user", "first_seen", "last_seen", "next_turn", "next_fact",
	       "next_conversation", "deferred", "hidden_since_summary", "bytes")},
	{"conversation",
	 TABLE_CONVERSATIONS,
	 true,
	 {{"id", 4, false}},
	 stored_conversation_fields,
	 NAMES("session", "last_active", "answers", "carries_history", "branched")},
	{"turn",
	 TABLE_TURNS,
	 true,
	 {{"id", 8, false}},
	 stored_turn_fields,
	 NAMES("exchange", "conversation", "ordinal", "role", "state", "complete", "created_at",
	       "hash", "text", "learn", "earlier", "utc_offset")},
	{"exchange",
	 TABLE_EXCHANGES,
	 true,
	 {{"conversation", 4, false}, {"ordinal", 4, false}, {"id", 8, false}},
	 stored_exchange_fields,
	 NAMES("answer", "user_hash", "queued", "taken_back_at")},
	{"answer",
	 TABLE_ANSWERS,
	 true,
	 {{"hash", 8, true}, {"conversation", 4, false}, {"ordinal", 4, false}},
	 stored_answer_fields,
	 NAMES("user_hash", "tool_calls")},
	{"fact",
	 TABLE_FACTS,
	 true,
	 {{"id", 8, false}},
	 stored_fact_fields,
	 NAMES("entity", "kind", "key", "value", "many", "pii", "confidence", "quote", "exchange",
	       "observed_at", "expires_at", "ended_at", "superseded_by", "state")},
	{"summary",
	 TABLE_SUMMARIES,
	 true,
	 {{0}},
	 stored_summary_fields,
	 NAMES("text", "covers", "updated_at", "model")},
	{"job",
	 TABLE_JOBS,
	 true,
	 {{"kind", 1, false}, {"exchange", 8, false}},
	 stored_job_fields,
	 NAMES("model", "explicit_mode", "mode", "client_key", "tries", "unusable", "not_before",
	       "uncovered", "last_active")},
	{"parked",
	 TABLE_PARKED,
	 true,
	 {{"kind", 1, false}, {"exchange", 8, false}},
	 stored_job_fields,
	 NAMES("model", "explicit_mode", "mode", "client_key", "tries", "unusable", "not_before",
	       "uncovered", "last_active")},
	{"receipt",
	 TABLE_RECEIPTS,
	 false,
	 {{"id", 8, true}},
	 stored_receipt_fields,
	 NAMES("of", "age", "text")},
};

size_t dump_key_size(const struct dump_table *table)
{
	size_t size = table->is_of_user ? sizeof(struct user_key) : 0;
	for (size_t i = 0; i < DUMP_KEY_PARTS; i++)
		size += table->parts[i].size;
	return size;
}

/* ---- writing ---- */

struct writing {
	struct record record; /* must be first: the form's functions get it */
	const char *const *names;
};

static struct buffer *name_next(struct record *record)
{
	struct writing *writing = (struct writing *)record;
	buffer_printf(record->out, ",\"%s\":", *writing->names++);
	return record->out;
}

static uint64_t write_number(struct record *record, uint64_t value, uint64_t limit)
{
	(void)limit;
	if (value >
	    INT64_MAX) /* JSON readers handle no larger number, and neither do sound records */
		record->failed = true;
	buffer_printf(name_next(record), "%" PRIu64, value);
	return value;
}

static int64_t write_time(struct record *record, int64_t value)
{
	buffer_printf(name_next(record), "%" PRId64, value);
	return value;
}

static uint64_t write_hash(struct record *record, uint64_t value)
{
	buffer_printf(name_next(record), "\"%016" PRIx64 "\"", value);
	return value;
}

static double write_real(struct record *record, double value)
{
	if (!isfinite(value))
		record->failed = true;
	buffer_printf(name_next(record), "%.17g", value);
	return value;
}

static bool write_flag(struct record *record, bool value)
{
	buffer_append(name_next(record), value ? SLICE("true") : SLICE("false"));
	return value;
}

static void append_hex(struct buffer *out, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buffer_printf(out, "%02x", bytes[i]);
}

/* A receipt's user is the only slice that is not text. */
static struct slice write_slice(struct record *record, struct slice value)
{
	const struct writing *writing = (const struct writing *)record;
	bool is_key = strcmp(*writing->names, "of") == 0;
	struct buffer *out = name_next(record);
	if (!is_key) {
		json_quote(out, value);
		return value;
	}
	buffer_append_byte(out, '"');
	append_hex(out, (const unsigned char *)value.data, value.size);
	buffer_append_byte(out, '"');
	return value;
}

static bool write_goes_on(const struct record *record)
{
	(void)record;
	return true;
}

static const struct record_form json_writer = {
	write_number, write_time, write_hash, write_real, write_flag, write_slice, write_goes_on,
};

static bool append_key(struct buffer *out, const struct dump_table *table, struct slice key)
{
	size_t at = 0;
	if (table->is_of_user) {
		buffer_append(out, SLICE(",\"of\":\""));
		append_hex(out, (const unsigned char *)key.data, sizeof(struct user_key));
		buffer_append_byte(out, '"');
		at = sizeof(struct user_key);
	}
	for (size_t i = 0; i < DUMP_KEY_PARTS; at += table->parts[i++].size) {
		uint64_t part = 0;
		for (size_t j = 0; j < table->parts[i].size; j++)
			part = part << 8 | (unsigned char)key.data[at + j];
		if (table->parts[i].size > 0)
			buffer_printf(out,
				      table->parts[i].is_hash ? ",\"%s\":\"%016" PRIx64 "\""
							      : ",\"%s\":%" PRIu64,
				      table->parts[i].name, part);
		if (!table->parts[i].is_hash && part > INT64_MAX)
			return false;
	}
	return true;
}

bool dump_write(struct buffer *out, const struct dump_table *table, struct slice key,
		struct slice value)
{
	union dump_noun noun = {0};
	if (key.size != dump_key_size(table) || !record_read(value, table->fields, &noun, NULL))
		return false;
	buffer_printf(out, "{\"table\":\"%s\"", table->name);
	bool has_key = append_key(out, table, key);
	struct writing writing = {{.form = &json_writer, .out = out}, table->names};
	table->fields(&writing.record, &noun);
	buffer_append(out, SLICE("}\n"));
	return has_key && !writing.record.failed && !out->overflowed;
}

/* ---- reading ---- */

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

static bool read_goes_on(const struct record *record)
{
	/* The record belongs to the reading, which is not constant. */
	((struct reading *)(uintptr_t)record)->goes_on = true;
	return true;
}

static const struct record_form json_reader = {
	read_number, read_time, read_hash, read_real, read_flag, read_slice, read_goes_on,
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

static bool read_part(json_t *object, const struct dump_table *table, size_t index, uint64_t *part)
{
	json_t *value = json_object_get(object, table->parts[index].name);
	if (table->parts[index].is_hash)
		return read_hex(value, part);
	json_int_t number = json_integer_value(value);
	*part = (uint64_t)number;
	/* the highest number has no successor to issue */
	uint64_t limit = table->parts[index].size < 8
				 ? (UINT64_C(1) << 8 * table->parts[index].size) - 1
				 : INT64_MAX;
	return json_is_integer(value) && number >= 0 && *part < limit;
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

bool dump_read(json_t *object, struct dump_line *line)
{
	const char *name = json_string_value(json_object_get(object, "table"));
	*line = (struct dump_line){0};
	for (size_t i = 0; name != NULL && i < DUMP_TABLES; i++) {
		if (strcmp(name, dump_tables[i].name) == 0)
			line->table = &dump_tables[i];
	}
	if (line->table == NULL || !read_user(object, &line->user))
		return false;
	for (size_t i = 0; i < DUMP_KEY_PARTS && line->table->parts[i].size > 0; i++) {
		if (!read_part(object, line->table, i, &line->parts[i]))
			return false;
	}
	if (line->table->table == TABLE_RECEIPTS)
		return read_receipt(object, line);
	struct reading reading = {{.form = &json_reader}, line->table->names, object, false};
	line->table->fields(&reading.record, &line->noun);
	return !reading.record.failed;
}
