/* store_rebuild(): reads lines in order, many per transaction, and derives what the export left out
 * in the same way as when the records were first written. */
#include "core/base/ids.h"
#include "storage/dump/dump.h"
#include "storage/dump/form.h"
#include "storage/files/erasures.h"
#include "storage/lmdb/folder.h"
#include "storage/record/key_file.h"
#include "storage/record/seal.h"
#include "storage/user/memory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
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
	bool is_sealed;
	struct seal *seal; /* of the exported keys; NULL: there are none */
	struct sealer *opens;
	int64_t exported; /* when they were, if the new store is to know; 0: it is not */
	/* Leaves out records of an export that were erased after it was written. */
	struct id_list shortened; /* users of whom something was, by user_hash() */
	struct arena kept;        /* has the list */
};

static bool fail(struct rebuilding *rebuilding, const char *why)
{
	struct dump_report *report = rebuilding->report;
	(void)snprintf(report->error, sizeof(report->error), "line %llu: %s",
		       (unsigned long long)rebuilding->number, why);
	return false;
}

/* ---- what was erased ---- */

static struct user_key owner_of(const struct dump_line *line)
{
	return line->table->table == TABLE_RECEIPTS ? line->noun.receipt.user : line->user;
}

/* A record that was derived from a memory may tell of what was left out. */
static bool is_made_of_erased(const struct rebuilding *rebuilding, const struct dump_line *line)
{
	enum table table = line->table->table;
	return (table == TABLE_SUMMARIES || table == TABLE_RECEIPTS) &&
	       id_list_has(&rebuilding->shortened, user_hash(owner_of(line)));
}

/* Whether the record was erased after it was exported, or may tell of what was. A turn keeps its
 * place in its conversation, without its text. */
static bool erased_record(struct rebuilding *rebuilding, struct dump_line *line)
{
	struct erasures *erasures = rebuilding->store->erasures;
	const struct user_key user = owner_of(line);
	bool erased = false;
	if (line->table->table == TABLE_TURNS) {
		struct turn *turn = &line->noun.turn.turn;
		erased = turn->text.size > 0 &&
			 erasures_hold_turn(erasures, user, turn->hash, turn->created_at);
		if (erased) {
			turn->state = TURN_HIDDEN;
			turn->text = (struct slice){0};
		}
	} else if (line->table->table == TABLE_FACTS) {
		erased = erasures_hold_fact(erasures, user, &line->noun.fact);
	}
	if (erased && !id_list_has(&rebuilding->shortened, user_hash(user)))
		id_list_add(&rebuilding->shortened, &rebuilding->kept, user_hash(user));
	return erased || is_made_of_erased(rebuilding, line);
}

/* Whether it belongs to a user who was erased after the export. Records follow their user's. */
static bool erased_user(const struct rebuilding *rebuilding, const struct memory *memory,
			const struct dump_line *line)
{
	struct erasures *erasures = rebuilding->store->erasures;
	struct stored_user user;
	if (line->table->table == TABLE_USERS)
		return erasures_hold_user(erasures, line->user, line->noun.user.first_seen);
	if (line->table->table == TABLE_RECEIPTS)
		return erasures_hold_user(erasures, line->noun.receipt.user,
					  (int64_t)(line->parts[0] >> RECEIPT_TIME_SHIFT));
	return !memory_user(memory, &user) && erasures_hold_user(erasures, line->user, INT64_MIN);
}

/* ---- putting a record ---- */

/* The key of a record whose line has all of it. */
static struct key key_of(const struct dump_line *line)
{
	struct key key = dump_is_of_user(line->table) ? key_of_user(line->user) : key_empty();
	for (size_t i = 0; i < DUMP_KEY_PARTS; i++) {
		if (line->table->parts[i].size == sizeof(uint32_t))
			key = key_u32(key, (uint32_t)line->parts[i]);
		else if (line->table->parts[i].size == sizeof(uint64_t))
			key = key_u64(key, line->parts[i]);
	}
	return key;
}

static void put_conversation(const struct memory *memory, uint32_t id,
			     struct past_conversation *conversation)
{
	uint64_t number = id;
	memory_put_conversation(memory, id, conversation);
	if (conversation->session.size > 0)
		memory_write(memory, TABLE_SESSIONS,
			     key_digest(memory_key(memory), conversation->session),
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

/* No id that a user had is issued again. */
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

/* Puts the record, with what the export left out of it. */
static void put(struct rebuilding *rebuilding, const struct memory *memory, struct dump_line *line)
{
	const uint64_t *parts = line->parts;
	switch (line->table->table) {
	case TABLE_CONVERSATIONS:
		put_conversation(memory, (uint32_t)parts[0], &line->noun.conversation);
		return;
	case TABLE_TURNS:
		line->noun.turn.turn.id = parts[0];
		memory_put_turn(memory, &line->noun.turn);
		return;
	case TABLE_TOMBSTONES:
		memory_put_tombstone(memory, parts[0], parts[1], &line->noun.tombstone);
		return;
	case TABLE_SETTINGS:
		memory_put_settings(memory, &line->noun.settings);
		return;
	case TABLE_RECEIPTS:
		memory_put_receipt_again(memory, parts[0], &line->noun.receipt);
		return;
	case TABLE_JOBS:
	case TABLE_PARKED:
		put_job(memory, line);
		return;
	default:
		table_write(&rebuilding->transaction, line->table->table, key_of(line),
			    line->table->fields, &line->noun);
		return;
	}
}

/* ---- one record ---- */

static const char not_a_record[] = "it is not an export record that this recallctl can read";

static bool take_record(struct rebuilding *rebuilding, struct dump_line line)
{
	const struct memory memory = {&rebuilding->transaction, line.user, &rebuilding->scratch};
	size_t table = (size_t)(line.table - dump_tables);
	struct stored_user user = {0};
	if (erased_user(rebuilding, &memory, &line)) {
		rebuilding->report->erased++;
		return true;
	}
	if (erased_record(rebuilding, &line)) {
		rebuilding->report->erased++;
		if (line.table->table != TABLE_TURNS)
			return true;
	}
	/* If a damaged store's export saved some records of a user but not the user's own record,
	 * those would clash with what the user says next. A receipt would not: users whose only
	 * chat failed have no other record. Neither would settings, which outlive a memory. */
	if (line.table->table == TABLE_USERS) {
		note_user(rebuilding, &line.noun.user);
	} else if (memory_user(&memory, &user)) {
		keep_ahead(rebuilding, &memory, &line, &user);
	} else if (line.table->table != TABLE_RECEIPTS && line.table->table != TABLE_SETTINGS &&
		   line.table->table != TABLE_AUDIT) {
		/* Hashes that other keys unmask give no error, but others. */
		if (rebuilding->is_sealed)
			rebuilding->report->locked++;
		else
			rebuilding->report->tables[table].unreadable++;
		return true;
	}
	put(rebuilding, &memory, &line);
	rebuilding->report->tables[table].records++;
	return true;
}

static bool take_sealed(struct rebuilding *rebuilding, json_t *object)
{
	struct dump_report *report = rebuilding->report;
	struct dump_line line = {0};
	switch (dump_open(object, rebuilding->opens, &line, &rebuilding->scratch)) {
	case DUMP_OPENED:
		return take_record(rebuilding, line);
	case DUMP_LOCKED:
		report->locked++;
		return true;
	case DUMP_UNREADABLE:
		report->tables[line.table - dump_tables].unreadable++;
		return true;
	default:
		return fail(rebuilding, not_a_record);
	}
}

/* A sealed export may have plain lines only for tables that are not sealed: nothing vouches for
 * them. */
static bool take_line_of(struct rebuilding *rebuilding, json_t *object)
{
	struct dump_line line;
	const struct dump_table *table = dump_find_table(object);
	rebuilding->records++;
	if (rebuilding->is_sealed && (table == NULL || dump_seals(table)))
		return take_sealed(rebuilding, object);
	return dump_read(object, &line, &rebuilding->scratch) ? take_record(rebuilding, line)
							      : fail(rebuilding, not_a_record);
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

static bool take_first(struct rebuilding *rebuilding, json_t *object)
{
	char id[17] = "";
	const char *store = json_string_value(json_object_get(object, "store"));
	const json_int_t form = json_integer_value(json_object_get(object, "recalld_export"));
	rebuilding->is_sealed = form == 2 && store != NULL;
	if (!rebuilding->is_sealed)
		return form == 1 || fail(rebuilding, not_an_export);
	if (rebuilding->seal == NULL)
		return fail(rebuilding,
			    "the export is sealed; name the file of its keys with --keys "
			    "and the key that opens it with --from-key");
	(void)snprintf(id, sizeof(id), "%016" PRIx64, seal_id(rebuilding->seal));
	return strcmp(id, store) == 0 || fail(rebuilding, "the file of keys is another store's");
}

static bool take_object(struct rebuilding *rebuilding, json_t *object)
{
	if (rebuilding->number == 1)
		return take_first(rebuilding, object);
	if (json_is_true(json_object_get(object, "end")))
		return take_end(rebuilding, object);
	return take_line_of(rebuilding, object);
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
	memory_note_erasures(&rebuilding->transaction);
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
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		entries += strcmp(entry->d_name, ERASURES_FILE) != 0;
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

static bool rebuild_in(struct rebuilding *rebuilding, const struct store_options *options)
{
	struct dump_report *report = rebuilding->report;
	struct store_options own = *options;
	own.rebuilds = true;
	if (!is_empty(options->path)) {
		(void)snprintf(report->error, sizeof(report->error),
			       "%s is not empty or not a directory; rebuild the store in an empty "
			       "directory",
			       options->path);
		return false;
	}
	rebuilding->store = store_open(&own, report->error, sizeof(report->error));
	if (rebuilding->store == NULL)
		return false;
	buffer_init(&rebuilding->line, LINE_LIMIT);
	bool done = rebuild(rebuilding);
	if (done &&
	    ((rebuilding->exported != 0 && !exported_note(options->path, rebuilding->exported)) ||
	     !store_marker_remove(options->path, STORE_MARKER_REBUILDING)))
		done = fail(rebuilding, strerror(errno));
	if (!done)
		tell_of_the_rest(report, options->path);
	store_close(rebuilding->store);
	buffer_finish(&rebuilding->line);
	arena_finish(&rebuilding->kept);
	arena_finish(&rebuilding->scratch);
	return done;
}

/* The new store's users may be in that export of keys, though their slots are new. */
static bool open_keys(struct rebuilding *rebuilding, const struct store_options *options,
		      const struct dump_keys *keys, int64_t *made)
{
	enum { SECOND_MS = 1000 };
	struct dump_report *report = rebuilding->report;
	rebuilding->seal = seal_open_exported(keys->path, keys->key, COMPLAINT(report->error));
	if (rebuilding->seal == NULL)
		return false;
	rebuilding->opens = seal_take(rebuilding->seal);
	rebuilding->exported = options->master == NULL ? 0 : seal_made(rebuilding->seal);
	*made = seal_made(rebuilding->seal) * SECOND_MS;
	return true;
}

bool store_rebuild_sealed(const struct store_options *options, FILE *in,
			  const struct dump_keys *keys, int64_t *made, struct dump_report *report)
{
	*report = (struct dump_report){0};
	for (size_t i = 0; i < DUMP_TABLES; i++)
		report->tables[i].name = dump_tables[i].name;
	struct rebuilding rebuilding = {.in = in, .report = report, .progress = options->progress};
	bool done = (keys == NULL || open_keys(&rebuilding, options, keys, made)) &&
		    rebuild_in(&rebuilding, options);
	if (rebuilding.opens != NULL)
		seal_give_back(rebuilding.opens);
	seal_destroy(rebuilding.seal);
	return done;
}

bool store_rebuild(const struct store_options *options, FILE *in, struct dump_report *report)
{
	return store_rebuild_sealed(options, in, NULL, NULL, report);
}
