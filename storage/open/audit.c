#include "storage/audit.h"

#include "core/json/json.h"
#include "core/text/text.h"
#include "storage/lmdb/table.h"
#include "storage/lmdb/writer.h"
#include "storage/open/open.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

enum {
	KEY_SIZE = 32,
	ITEM_LIMIT = 32,
	NAME_LIMIT = 256,
	LINE_LIMIT = 4096,
	RESULT_BEGUN = 202,
};

/* The record with the number 0. */
struct audit_log {
	struct audit_ends ends;
	char key[2 * KEY_SIZE + 1];
};

static const char no_hash[] = "0000000000000000000000000000000000000000000000000000000000000000";

static void put_hex(char *out, const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

void audit_hash(struct slice line, char hash[AUDIT_HASH_SIZE + 1])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	if (EVP_Digest(line.data, line.size, bytes, NULL, EVP_sha256(), NULL) != 1)
		out_of_memory();
	put_hex(hash, bytes, AUDIT_HASH_SIZE / 2);
}

/* ---- the log's own record ---- */

/* A hash behind a space. */
static bool take_word(char **at, char word[AUDIT_HASH_SIZE + 1])
{
	if (**at != ' ' || strcspn(*at + 1, " ") != AUDIT_HASH_SIZE)
		return false;
	memcpy(word, *at + 1, AUDIT_HASH_SIZE);
	word[AUDIT_HASH_SIZE] = '\0';
	*at += 1 + AUDIT_HASH_SIZE;
	return true;
}

/* False: there is no log yet, or its record is no log's. */
static bool read_log(struct transaction *transaction, struct audit_log *log)
{
	struct slice value;
	struct slice text = {0};
	char line[512];
	if (!table_get(transaction, TABLE_AUDIT, key_of_number(0), &value) ||
	    !table_decode(transaction, value, stored_audit_fields, &text, NULL) ||
	    text.size >= sizeof(line))
		return false;
	memcpy(line, text.data, text.size);
	line[text.size] = '\0';
	char *at = line;
	log->ends.first = strtoull(at, &at, 10);
	log->ends.last = strtoull(at, &at, 10);
	return take_word(&at, log->ends.before) && take_word(&at, log->ends.head) &&
	       take_word(&at, log->key);
}

static struct audit_log new_log(void)
{
	struct audit_log log = {.ends = {.first = 1}};
	unsigned char key[KEY_SIZE];
	if (RAND_bytes(key, KEY_SIZE) != 1)
		out_of_memory();
	put_hex(log.key, key, KEY_SIZE);
	memcpy(log.ends.before, no_hash, sizeof(no_hash));
	memcpy(log.ends.head, no_hash, sizeof(no_hash));
	return log;
}

static void put_text(struct transaction *transaction, uint64_t number, struct slice text)
{
	table_write(transaction, TABLE_AUDIT, key_of_number(number), stored_audit_fields, &text);
}

static void write_log(struct transaction *transaction, const struct audit_log *log)
{
	char line[512];
	(void)snprintf(line, sizeof(line), "%" PRIu64 " %" PRIu64 " %s %s %s", log->ends.first,
		       log->ends.last, log->ends.before, log->ends.head, log->key);
	put_text(transaction, 0, slice_of(line));
}

/* ---- lines ---- */

static void hash_user(const struct audit_log *log, struct user_key user, char out[33])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	if (HMAC(EVP_sha256(), log->key, (int)strlen(log->key), user.bytes, sizeof(user.bytes),
		 bytes, NULL) == NULL)
		out_of_memory();
	put_hex(out, bytes, 16);
}

/* An id is digits; anything else could be a text. */
static bool is_id(struct slice item)
{
	for (size_t i = 0; i < item.size; i++) {
		if (strchr("0123456789abcdef", item.data[i]) == NULL || item.data[i] == '\0')
			return false;
	}
	return item.size > 0 && item.size <= ITEM_LIMIT;
}

static struct slice cut(struct slice name)
{
	return slice_part(name, 0, name.size < NAME_LIMIT ? name.size : NAME_LIMIT);
}

static void put_line(struct buffer *out, const struct audit_log *log,
		     const struct audit_entry *entry, int result)
{
	struct arena scratch = {0};
	char hash[33];
	buffer_printf(out, "{\"seq\":%" PRIu64 ",\"at\":\"%.*s\",\"by\":\"%s\"", log->ends.last + 1,
		      SLICE_PRINT(text_time(entry->at, &scratch)), entry->by);
	if (entry->from.size > 0)
		json_put_text(out, "from", cut(entry->from));
	buffer_printf(out, ",\"action\":\"%s\",\"target\":\"%s\"", entry->action, entry->target);
	if (is_id(entry->item))
		buffer_printf(out, ",\"id\":\"%.*s\"", SLICE_PRINT(entry->item));
	if (entry->tenant.size > 0)
		json_put_text(out, "tenant", cut(entry->tenant));
	if (entry->has_user) {
		hash_user(log, entry->user, hash);
		buffer_printf(out, ",\"of\":\"%s\"", hash);
	}
	buffer_printf(out, ",\"result\":%d", result);
	if (entry->has_counts && result != RESULT_BEGUN)
		buffer_printf(out,
			      ",\"counts\":{\"facts\":%" PRIu64 ",\"turns\":%" PRIu64
			      ",\"conversations\":%" PRIu64 "}",
			      entry->facts, entry->turns, entry->conversations);
	buffer_printf(out, ",\"prev\":\"%s\"}", log->ends.head);
	arena_finish(&scratch);
}

static void append(struct transaction *transaction, struct operation *operation, int result)
{
	struct audit_log log;
	struct buffer line;
	if (!read_log(transaction, &log))
		log = new_log();
	buffer_init(&line, LINE_LIMIT);
	put_line(&line, &log, operation->audit, result);
	put_text(transaction, ++log.ends.last, buffer_slice(&line));
	audit_hash(buffer_slice(&line), log.ends.head);
	write_log(transaction, &log);
	operation->audit_line = arena_copy(&operation->arena, buffer_slice(&line));
	buffer_finish(&line);
}

/* ---- writing ---- */

static void record(struct operation *operation, struct transaction *transaction)
{
	operation->audit_line = (struct slice){0};
	if (!operation->unfinished)
		append(transaction, operation, operation->audit->result);
	else if (!operation->begun)
		append(transaction, operation, RESULT_BEGUN);
}

static void tell(struct store *store, struct operation **operations, size_t count)
{
	audit_listener *listener = atomic_load(&store->audit_listener);
	for (size_t i = 0; listener != NULL && i < count; i++) {
		if (operations[i]->result == STORE_OK && operations[i]->audit_line.size > 0)
			listener(operations[i]->audit_line);
	}
}

void store_listen_to_audit(struct store *store, audit_listener *listener)
{
	atomic_store(&store->audit_listener, listener);
}

void audit_install(struct store *store)
{
	store->record_audit = record;
	store->tell_audit = tell;
}

static enum store_result run_nothing(struct operation *operation, const struct memory *memory)
{
	(void)operation;
	(void)memory;
	return STORE_OK;
}

void store_audit(struct store *store, const struct audit_entry *entry)
{
	struct store_loop loop = {.audit = entry};
	if (!store_has_room(store) || writer_is_full(store->writer)) {
		atomic_fetch_add(&store->audit_dropped, 1);
		return;
	}
	struct operation *operation = operation_create(sizeof(*operation), run_nothing, NULL);
	operation->grows = true;
	operation->may_wait = true;
	(void)writer_submit(store->writer, operation, (struct store_waiter){.loop = &loop});
}

uint64_t store_audit_dropped(struct store *store)
{
	return atomic_load(&store->audit_dropped);
}

/* The text of a member that every line has; lines are written here alone. */
static struct slice member(struct slice line, const char *begin)
{
	const struct slice name = slice_of(begin);
	size_t at = slice_find(line, name, 0);
	if (at == line.size)
		return (struct slice){0};
	at += name.size;
	return slice_part(line, at, slice_find(line, SLICE("\""), at));
}

static bool is_before(struct slice line, struct slice time)
{
	struct slice at = member(line, "\"at\":\"");
	return at.data == NULL || at.size != time.size || memcmp(at.data, time.data, time.size) < 0;
}

static enum store_result run_trim(struct operation *operation, const struct memory *memory)
{
	const struct slice until = text_time(operation->now, memory->arena);
	bool *more = operation->outcome;
	struct audit_log log;
	struct slice value;
	struct slice line;
	size_t gone = 0;
	*more = false;
	if (!read_log(memory->transaction, &log))
		return STORE_NOT_FOUND;
	for (; gone < AUDIT_AT_ONCE && log.ends.first <= log.ends.last; gone++) {
		const struct key key = key_of_number(log.ends.first);
		line = (struct slice){0};
		if (table_get(memory->transaction, TABLE_AUDIT, key, &value) &&
		    table_decode(memory->transaction, value, stored_audit_fields, &line, NULL) &&
		    !is_before(line, until))
			break;
		audit_hash(line, log.ends.before);
		(void)table_delete(memory->transaction, TABLE_AUDIT, key);
		log.ends.first++;
	}
	if (gone == 0)
		return STORE_NOT_FOUND;
	*more = gone == AUDIT_AT_ONCE;
	write_log(memory->transaction, &log);
	return STORE_OK;
}

struct store_call *store_trim_audit(struct store *store, int64_t until, bool *more,
				    struct store_waiter waiter)
{
	struct operation *operation = operation_create(sizeof(*operation), run_trim, NULL);
	operation->now = until;
	operation->outcome = more;
	operation->may_wait = true;
	return writer_submit(store->writer, operation, waiter);
}

/* ---- reading ---- */

struct reading {
	const struct audit_query *query;
	struct slice since; /* as lines have them */
	struct slice until;
	char of[33];
};

static bool is_wanted(const struct reading *reading, struct slice line)
{
	const struct audit_query *query = reading->query;
	return (query->since == INT64_MIN || !is_before(line, reading->since)) &&
	       (query->until == INT64_MAX || is_before(line, reading->until)) &&
	       (!query->has_user ||
		slice_equal(member(line, "\"of\":\""), slice_of(reading->of))) &&
	       (query->action.size == 0 ||
		slice_equal(member(line, "\"action\":\""), query->action));
}

static void read_lines(struct transaction *transaction, const struct reading *reading,
		       struct audit_page *page, struct arena *arena)
{
	const struct audit_query *query = reading->query;
	struct scan scan;
	size_t looked_at = 0;
	page->lines = arena_alloc(arena, (query->limit + 1) * sizeof(*page->lines));
	page->last = query->after;
	scan_begin_at(&scan, transaction, TABLE_AUDIT, key_empty(), key_of_number(query->after + 1),
		      FORWARD);
	while (page->count < query->limit && looked_at++ < AUDIT_AT_ONCE && scan_step(&scan)) {
		struct slice line = {0};
		page->last = key_read_u64(scan.at, 0);
		if (table_decode(transaction, scan.value, stored_audit_fields, &line, NULL) &&
		    is_wanted(reading, line))
			page->lines[page->count++] = arena_copy(arena, line);
	}
	scan_end(&scan);
	page->more = page->last < page->ends.last && page->last > query->after;
}

enum store_result store_read_audit(struct store *store, const struct audit_query *query,
				   struct audit_page *page, struct arena *arena)
{
	struct transaction transaction;
	struct audit_log log = new_log();
	struct reading reading = {.query = query};
	*page = (struct audit_page){0};
	if (!transaction_begin_read(&transaction, store))
		return transaction.result;
	if (read_log(&transaction, &log)) {
		if (query->since != INT64_MIN)
			reading.since = text_time(query->since, arena);
		if (query->until != INT64_MAX)
			reading.until = text_time(query->until, arena);
		hash_user(&log, query->user, reading.of);
		page->ends = log.ends;
		read_lines(&transaction, &reading, page, arena);
	}
	page->ends = log.ends;
	transaction_abort(&transaction);
	return transaction.result;
}
