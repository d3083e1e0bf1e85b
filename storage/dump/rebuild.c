/* store_rebuild(): reads lines in order, many per transaction, and derives what the export left out
 * in the same way as when the records were first written. */
#include "storage/dump/dump.h"
#include "storage/dump/form.h"
#include "storage/lmdb/store_marker.h"
#include "storage/user/memory.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

enum {
	LINE_LIMIT = INT32_MAX,
	LINES_AT_ONCE = 2000,
	BYTES_AT_ONCE = 8 << 20,
};

struct rebuilding {
	struct store *store;
	FILE *in;
	struct store_progress progress;
	struct dump_report *report;
	struct transaction transaction;
	bool is_open; /* a transaction is open */
	struct arena scratch;
	struct buffer line;
	uint64_t number;   /* of the current line */
	uint64_t first_id; /* greater than all issued ids */
	size_t lines;      /* in this transaction */
	size_t bytes;
	uint64_t records;
	bool ended;
};

static bool fail(struct rebuilding *rebuilding, const char *why)
{
	struct dump_report *report = rebuilding->report;
	(void)snprintf(report->error, sizeof(report->error), "line %llu: %s",
		       (unsigned long long)rebuilding->number, why);
	return false;
}

/* ---- one record ---- */

static void put(struct rebuilding *rebuilding, struct dump_line *line, struct key key)
{
	table_write(&rebuilding->transaction, line->table->table, key, line->table->fields,
		    &line->noun);
}

static void put_conversation(const struct memory *memory, uint32_t id,
			     struct past_conversation *conversation)
{
	uint64_t number = id;
	memory_put_conversation(memory, id, conversation);
	if (conversation->session.size > 0)
		table_write(memory->transaction, TABLE_SESSIONS,
			    key_digest(key_of_user(memory->user), conversation->session),
			    stored_number_fields, &number);
}

static void put_job(const struct memory *memory, const struct dump_line *line)
{
	struct job job = line->noun.job;
	job.kind = line->parts[0] == JOB_FACTS ? JOB_FACTS : JOB_SUMMARY;
	job.exchange = line->parts[1];
	job.parked = line->table->table == TABLE_PARKED;
	memory_put_job(memory, &job);
}

static void go_behind(uint64_t *next, uint64_t id)
{
	if (*next <= id)
		*next = id + 1;
}

static void note_user(struct rebuilding *rebuilding, const struct stored_user *user)
{
	uint64_t next = user->next_turn > user->next_fact ? user->next_turn : user->next_fact;
	if (next > rebuilding->first_id)
		rebuilding->first_id = next;
}

/* Parts of an export may date from different moments if the store was damaged and in use: no id
 * that a record has is issued again. */
static void keep_ahead(struct rebuilding *rebuilding, const struct memory *memory,
		       const struct dump_line *line, struct stored_user *user)
{
	const struct stored_user before = *user;
	uint64_t conversation = user->next_conversation;
	if (line->table->table == TABLE_TURNS)
		go_behind(&user->next_turn, line->parts[0]);
	else if (line->table->table == TABLE_FACTS)
		go_behind(&user->next_fact, line->parts[0]);
	else if (line->table->table == TABLE_CONVERSATIONS)
		go_behind(&conversation, line->parts[0]);
	user->next_conversation = (uint32_t)conversation;
	if (user->next_turn == before.next_turn && user->next_fact == before.next_fact &&
	    user->next_conversation == before.next_conversation)
		return;
	memory_put_user(memory, user);
	note_user(rebuilding, user);
}

static void put_record(struct rebuilding *rebuilding, const struct memory *memory,
		       struct dump_line *line)
{
	struct key key = key_of_user(line->user);
	const uint64_t *parts = line->parts;
	switch (line->table->table) {
	case TABLE_USERS:
		put(rebuilding, line, key);
		return;
	case TABLE_CONVERSATIONS:
		put_conversation(memory, (uint32_t)parts[0], &line->noun.conversation);
		return;
	case TABLE_TURNS:
		line->noun.turn.turn.id = parts[0];
		memory_put_turn(memory, &line->noun.turn);
		return;
	case TABLE_EXCHANGES:
		put(rebuilding, line,
		    memory_exchange_key(memory, (uint32_t)parts[0], (uint32_t)parts[1], parts[2]));
		return;
	case TABLE_ANSWERS:
		put(rebuilding, line,
		    memory_answer_key(memory, parts[0], (uint32_t)parts[1], (uint32_t)parts[2]));
		return;
	case TABLE_FACTS:
		put(rebuilding, line, memory_fact_key(memory, parts[0]));
		return;
	case TABLE_SUMMARIES:
		put(rebuilding, line, key);
		return;
	case TABLE_RECEIPTS:
		memory_put_receipt_again(memory, parts[0], &line->noun.receipt);
		return;
	default:
		put_job(memory, line);
		return;
	}
}

static bool take_record(struct rebuilding *rebuilding, json_t *object)
{
	struct dump_line line;
	if (!dump_read(object, &line))
		return fail(rebuilding, "it is not an export record that this recallctl can read");
	const struct memory memory = {&rebuilding->transaction, line.user, &rebuilding->scratch};
	size_t table = (size_t)(line.table - dump_tables);
	struct stored_user user = {0};
	rebuilding->records++;
	/* If a damaged store's export saved some records of a user but not the user's own record,
	 * those would clash with what the user says next. A receipt would not: users whose only
	 * chat failed have no other record. */
	if (line.table->table == TABLE_USERS) {
		note_user(rebuilding, &line.noun.user);
	} else if (memory_user(&memory, &user)) {
		keep_ahead(rebuilding, &memory, &line, &user);
	} else if (line.table->table != TABLE_RECEIPTS) {
		rebuilding->report->tables[table].unreadable++;
		return true;
	}
	put_record(rebuilding, &memory, &line);
	rebuilding->report->tables[table].records++;
	return true;
}

/* ---- lines ---- */

static bool begin(struct rebuilding *rebuilding)
{
	if (rebuilding->is_open)
		return true;
	rebuilding->is_open = transaction_begin_write(&rebuilding->transaction, rebuilding->store);
	rebuilding->lines = rebuilding->bytes = 0;
	return rebuilding->is_open ||
	       fail(rebuilding, store_result_name(rebuilding->transaction.result));
}

static bool commit(struct rebuilding *rebuilding)
{
	if (!rebuilding->is_open)
		return true;
	rebuilding->is_open = false;
	enum store_result result = transaction_commit(&rebuilding->transaction);
	arena_finish(&rebuilding->scratch);
	if (result == STORE_OK)
		return true;
	return fail(rebuilding, result == STORE_FULL
					? "the new store is full; raise [storage] map_size or make "
					  "room on its disk"
					: "the new store cannot be written");
}

static bool take_end(struct rebuilding *rebuilding, json_t *object)
{
	json_t *records = json_object_get(object, "records");
	json_int_t first_id = json_integer_value(json_object_get(object, "first_id"));
	rebuilding->ended = true;
	if (first_id > 0 && (uint64_t)first_id > rebuilding->first_id)
		rebuilding->first_id = (uint64_t)first_id;
	if (records != NULL && (uint64_t)json_integer_value(records) != rebuilding->records)
		return fail(rebuilding, "lines are missing before this one");
	return true;
}

static const char not_an_export[] = "it is not an export that this recallctl can read";

static bool take_object(struct rebuilding *rebuilding, json_t *object)
{
	if (rebuilding->number == 1)
		return json_integer_value(json_object_get(object, "recalld_export")) == 1 ||
		       fail(rebuilding, not_an_export);
	if (json_is_true(json_object_get(object, "end")))
		return take_end(rebuilding, object);
	return take_record(rebuilding, object);
}

static bool take_line(struct rebuilding *rebuilding)
{
	struct slice text = buffer_slice(&rebuilding->line);
	if (rebuilding->line.overflowed)
		return fail(rebuilding, "it is longer than any record");
	if (rebuilding->ended)
		return fail(rebuilding, "there is more after the export's end");
	json_t *object = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
	if (object == NULL)
		return fail(rebuilding, rebuilding->number == 1 ? not_an_export : "it is not JSON");
	bool taken = begin(rebuilding) && take_object(rebuilding, object);
	json_decref(object);
	rebuilding->bytes += text.size;
	if (rebuilding->progress.tell != NULL)
		rebuilding->progress.tell(rebuilding->progress.cookie, 0);
	if (taken && (++rebuilding->lines >= LINES_AT_ONCE || rebuilding->bytes >= BYTES_AT_ONCE))
		taken = commit(rebuilding);
	return taken;
}

/* False: there is no more. */
static bool read_line(struct rebuilding *rebuilding)
{
	int byte;
	buffer_clear(&rebuilding->line);
	while ((byte = getc_unlocked(rebuilding->in)) != EOF && byte != '\n' &&
	       buffer_append_byte(&rebuilding->line, (char)byte))
		continue;
	rebuilding->number++;
	return byte != EOF || rebuilding->line.size > 0;
}

static bool take_lines(struct rebuilding *rebuilding)
{
	while (read_line(rebuilding)) {
		if (!take_line(rebuilding))
			return false;
	}
	if (rebuilding->ended)
		return true;
	return fail(rebuilding, "the export was cut off: its last line, {\"end\":true,...}, is "
				"missing (add {\"end\":true} to accept what is there)");
}

/* New ids follow all issued ones, so that ids of forgotten users are never reused. */
static void put_first_id(struct rebuilding *rebuilding)
{
	uint64_t first = rebuilding->first_id == 0 ? 1 : rebuilding->first_id;
	table_write(&rebuilding->transaction, TABLE_META, key_of_name("first_id"),
		    stored_number_fields, &first);
}

static bool rebuild(struct rebuilding *rebuilding)
{
	bool done = take_lines(rebuilding) && begin(rebuilding);
	if (done)
		put_first_id(rebuilding);
	if (done)
		return commit(rebuilding);
	if (rebuilding->is_open)
		transaction_abort(&rebuilding->transaction);
	return false;
}

static bool is_empty(const char *path)
{
	DIR *folder = opendir(path);
	size_t entries = 0;
	if (folder == NULL)
		return errno == ENOENT;
	while (readdir(folder) != NULL)
		entries++;
	(void)closedir(folder);
	return entries == 2; /* "." and ".." */
}

/* Otherwise a second try with another file would only report that the directory is not empty. */
static void tell_of_the_rest(struct dump_report *report, const char *path)
{
	size_t size = strlen(report->error);
	(void)snprintf(report->error + size, sizeof(report->error) - size,
		       "; %s is incomplete: empty it before the next try", path);
}

bool store_rebuild(const struct store_options *options, FILE *in, struct dump_report *report)
{
	*report = (struct dump_report){0};
	for (size_t i = 0; i < DUMP_TABLES; i++)
		report->tables[i].name = dump_tables[i].name;
	struct rebuilding rebuilding = {.in = in, .report = report, .progress = options->progress};
	struct store_options own = *options;
	own.rebuilds = true;
	if (!is_empty(options->path)) {
		(void)snprintf(report->error, sizeof(report->error),
			       "%s is not empty or not a directory; rebuild the store in an empty "
			       "directory",
			       options->path);
		return false;
	}
	rebuilding.store = store_open(&own, report->error, sizeof(report->error));
	if (rebuilding.store == NULL)
		return false;
	buffer_init(&rebuilding.line, LINE_LIMIT);
	bool done = rebuild(&rebuilding);
	if (done && !store_marker_remove(options->path, STORE_MARKER_REBUILDING))
		done = fail(&rebuilding, strerror(errno));
	if (!done)
		tell_of_the_rest(report, options->path);
	store_close(rebuilding.store);
	buffer_finish(&rebuilding.line);
	arena_finish(&rebuilding.scratch);
	return done;
}
