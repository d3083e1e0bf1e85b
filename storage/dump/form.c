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
	{"declined",
	 TABLE_DECLINED,
	 true,
	 {{"conversation", 4, false}},
	 stored_number_fields,
	 NAMES("at")},
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
	{"link",
	 TABLE_LINKS,
	 true,
	 {{"id", 8, true}, {"id_end", 8, true}},
	 stored_link_fields,
	 NAMES("conversation", "next_ordinal", "at", "block_is_kept", "tokens", "turns", "facts",
	       "is_pending", "user_text", "user_hash", "started_at", "provider_conversation",
	       "model", "keeps_no_answer", "explicit_mode", "mode")},
	{"fact",
	 TABLE_FACTS,
	 true,
	 {{"id", 8, false}},
	 stored_fact_fields,
	 NAMES("entity", "kind", "key", "value", "many", "pii", "confidence", "quote", "exchange",
	       "observed_at", "expires_at", "ended_at", "superseded_by", "state", "pinned",
	       "source", "by", "repeats", "keywords", "classes", "agent", "app", "metadata")},
	{"summary",
	 TABLE_SUMMARIES,
	 true,
	 {{0}},
	 stored_summary_fields,
	 NAMES("text", "covers", "updated_at", "model")},
	{"tombstone",
	 TABLE_TOMBSTONES,
	 true,
	 {{"value", 8, true}, {"subject", 8, true}},
	 stored_tombstone_fields,
	 NAMES("entity", "key", "at")},
	{"settings",
	 TABLE_SETTINGS,
	 true,
	 {{0}},
	 stored_settings_fields,
	 NAMES("learn", "inject", "keep_messages", "keep_facts", "pii", "hold_until", "consent_at",
	       "consent_by", "consent_text", "note", "changed_at")},
	{"job",
	 TABLE_JOBS,
	 true,
	 {{"kind", 1, false}, {"exchange", 8, false}},
	 stored_job_fields,
	 NAMES("model", "explicit_mode", "mode", "client_key", "tries", "unusable", "not_before",
	       "uncovered", "last_active", "forgets")},
	{"parked",
	 TABLE_PARKED,
	 true,
	 {{"kind", 1, false}, {"exchange", 8, false}},
	 stored_job_fields,
	 NAMES("model", "explicit_mode", "mode", "client_key", "tries", "unusable", "not_before",
	       "uncovered", "last_active", "forgets")},
	{"receipt",
	 TABLE_RECEIPTS,
	 false,
	 {{"id", 8, true}},
	 stored_receipt_fields,
	 NAMES("of", "age", "text")},
	{"audit", TABLE_AUDIT, false, {{"number", 8, false}}, stored_audit_fields, NAMES("line")},
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
