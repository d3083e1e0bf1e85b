#include "storage/dump/form.h"

#include "core/json/json.h"
#include "storage/dump/dump.h"
#include "storage/lmdb/table.h"
#include "storage/record/key.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <openssl/evp.h>
#include <string.h>

const struct dump_table dump_tables[DUMP_TABLES] = {
	{"user",
	 TABLE_USERS,
	 stored_user_fields,
	 {{0}},
	 "tenant user first_seen last_seen next_turn next_fact next_conversation deferred "
	 "hidden_since_summary bytes"},
	{"conversation",
	 TABLE_CONVERSATIONS,
	 stored_conversation_fields,
	 {{"id", 4, false}},
	 "session last_active answers carries_history branched"},
	{"declined", TABLE_DECLINED, stored_number_fields, {{"conversation", 4, false}}, "at"},
	{"turn",
	 TABLE_TURNS,
	 stored_turn_fields,
	 {{"id", 8, false}},
	 "exchange conversation ordinal role state complete created_at hash text learn earlier "
	 "utc_offset"},
	{"exchange",
	 TABLE_EXCHANGES,
	 stored_exchange_fields,
	 {{"conversation", 4, false}, {"ordinal", 4, false}, {"id", 8, false}},
	 "answer user_hash queued taken_back_at"},
	{"answer",
	 TABLE_ANSWERS,
	 stored_answer_fields,
	 {{"hash", 8, true}, {"conversation", 4, false}, {"ordinal", 4, false}},
	 "user_hash tool_calls"},
	{"link",
	 TABLE_LINKS,
	 stored_link_fields,
	 {{"id", 8, true}, {"id_end", 8, true}},
	 "conversation next_ordinal at block_is_kept tokens turns facts is_pending user_text "
	 "user_hash started_at provider_conversation model keeps_no_answer explicit_mode mode"},
	{"fact",
	 TABLE_FACTS,
	 stored_fact_fields,
	 {{"id", 8, false}},
	 "entity kind key value many pii confidence quote exchange observed_at expires_at ended_at "
	 "superseded_by state pinned source by repeats keywords classes agent app metadata"},
	{"summary", TABLE_SUMMARIES, stored_summary_fields, {{0}}, "text covers updated_at model"},
	{"tombstone",
	 TABLE_TOMBSTONES,
	 stored_tombstone_fields,
	 {{"value", 8, true}, {"subject", 8, true}},
	 "entity key at"},
	{"settings",
	 TABLE_SETTINGS,
	 stored_settings_fields,
	 {{0}},
	 "learn inject keep_messages keep_facts pii hold_until consent_at consent_by consent_text "
	 "note changed_at"},
	{"job",
	 TABLE_JOBS,
	 stored_job_fields,
	 {{"kind", 1, false}, {"exchange", 8, false}},
	 "model explicit_mode mode client_key tries unusable not_before uncovered last_active "
	 "forgets"},
	{"parked",
	 TABLE_PARKED,
	 stored_job_fields,
	 {{"kind", 1, false}, {"exchange", 8, false}},
	 "model explicit_mode mode client_key tries unusable not_before uncovered last_active "
	 "forgets"},
	{"receipt", TABLE_RECEIPTS, stored_receipt_fields, {{"id", 8, true}}, "of age text"},
	{"audit", TABLE_AUDIT, stored_audit_fields, {{"number", 8, false}}, "line"},
};

size_t dump_key_size(const struct dump_table *table)
{
	size_t size = dump_is_of_user(table) ? sizeof(struct user_key) : 0;
	for (size_t i = 0; i < DUMP_KEY_PARTS; i++)
		size += table->parts[i].size;
	return size;
}

/* ---- writing ---- */

struct writing {
	struct record record; /* must be first: the form's functions get it */
	const char *names;
};

static struct slice next_name(const char **names)
{
	const struct slice name = {*names, strcspn(*names, " ")};
	*names += name.size + (name.data[name.size] == ' ');
	return name;
}

static struct buffer *name_next(struct record *record)
{
	struct writing *writing = (struct writing *)record;
	const struct slice name = next_name(&writing->names);
	buffer_printf(record->out, ",\"%.*s\":", SLICE_PRINT(name));
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
	bool is_key = strncmp(writing->names, "of ", 3) == 0;
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

static const uint64_t *write_ids(struct record *record, const uint64_t *ids, size_t *count)
{
	struct buffer *out = name_next(record);
	buffer_append_byte(out, '[');
	for (size_t i = 0; i < *count; i++) {
		if (ids[i] > INT64_MAX)
			record->failed = true;
		buffer_printf(out, i == 0 ? "%" PRIu64 : ",%" PRIu64, ids[i]);
	}
	buffer_append_byte(out, ']');
	return ids;
}

static bool write_goes_on(const struct record *record)
{
	(void)record;
	return true;
}

static const struct record_form json_writer = {
	write_number, write_time,  write_hash, write_real,
	write_flag,   write_slice, write_ids,  write_goes_on,
};

static bool append_key(struct buffer *out, const struct dump_table *table, struct slice key)
{
	size_t at = 0;
	if (dump_is_of_user(table)) {
		buffer_append(out, SLICE(",\"of\":\""));
		append_hex(out, (const unsigned char *)key.data, sizeof(struct user_key));
		buffer_append_byte(out, '"');
		at = sizeof(struct user_key);
	}
	for (size_t i = 0; i < DUMP_KEY_PARTS; at += table->parts[i++].size) {
		const uint64_t part =
			number_read((const unsigned char *)key.data + at, table->parts[i].size);
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

static bool write_line(struct buffer *out, const struct dump_table *table, struct slice key,
		       union dump_noun *noun)
{
	buffer_printf(out, "{\"table\":\"%s\"", table->name);
	bool has_key = append_key(out, table, key);
	struct writing writing = {{.form = &json_writer, .out = out}, table->names};
	table->fields(&writing.record, noun);
	buffer_append(out, SLICE("}\n"));
	return has_key && !writing.record.failed && !out->overflowed;
}

bool dump_write(struct buffer *out, const struct dump_table *table, struct slice key,
		struct slice value)
{
	union dump_noun noun = {0};
	struct arena arena = {0}; /* only lists need it; texts are not copied for nothing */
	struct arena *lists = table->table == TABLE_LINKS ? &arena : NULL;
	bool written = key.size == dump_key_size(table) &&
		       record_read(value, table->fields, &noun, lists) &&
		       write_line(out, table, key, &noun);
	arena_finish(&arena);
	return written;
}

/* ---- reading ---- */

struct reading {
	struct record record; /* must be first */
	const char *names;
	json_t *object;
	bool goes_on; /* the following fields may be missing */
};

/* NULL: the member is missing, and the field keeps its value. */
static json_t *take(struct record *record)
{
	struct reading *reading = (struct reading *)record;
	const struct slice name = next_name(&reading->names);
	json_t *value = json_object_getn(reading->object, name.data, name.size);
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
	size_t at = dump_is_of_user(table) ? sizeof(struct user_key) : 0;
	*line = (struct dump_line){.table = table};
	if (key.size != dump_key_size(table) ||
	    !record_read(value, table->fields, &line->noun, lists))
		return false;
	line->user = dump_is_of_user(table) ? key_read_user(key) : line->noun.receipt.user;
	for (size_t i = 0; i < DUMP_KEY_PARTS && table->parts[i].size > 0; i++) {
		const uint64_t part =
			number_read((const unsigned char *)key.data + at, table->parts[i].size);
		at += table->parts[i].size;
		line->parts[i] = part;
		if (part > limit_of_part(table, i) ||
		    (part == limit_of_part(table, i) && !table->parts[i].is_hash))
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

/* ---- sealed records ---- */

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
	if (form_owner(table->table, key_slice(&key), value, &owner) &&
	    !sealer_begin(sealer, owner))
		return DUMP_LOCKED;
	value = table_open(&opening, table->table, key, value);
	if (value.size == 0)
		return DUMP_LOCKED;
	key = transaction_show_key(&opening, table->table, key_slice(&key));
	return dump_take(table, key_slice(&key), value, line, arena) ? DUMP_OPENED
								     : DUMP_UNREADABLE;
}
