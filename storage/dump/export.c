/* store_export(): a child process walks the tables and records its position in shared memory. When
 * a damaged page ends it, another child continues after that place. */
#include "storage/dump/dump.h"
#include "storage/dump/sealed.h"
#include "storage/dump/walk.h"
#include "storage/files/files.h"
#include "storage/lmdb/store_marker.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE_LIMIT = INT32_MAX, RECORDS_BETWEEN_TELLING = 256 };

enum walk_result { WALK_DONE, WALK_FAULT, WALK_NO_OUTPUT, WALK_CANNOT_OPEN };

static bool write_all(struct walk *walk, struct slice bytes)
{
	bool written = file_write_on(walk->out, bytes.data, bytes.size);
	if (!written)
		walk->progress->code = errno;
	return written;
}

/* Nobody counts exchanges and answers: there is about one of each for two turns. */
static uint64_t expect_records(struct walk *walk)
{
	static const enum table counted[] = {TABLE_TURNS, TABLE_TURNS, TABLE_RECEIPTS, TABLE_JOBS,
					     TABLE_PARKED};
	struct table_counts counts = table_counts(&walk->reader.transaction);
	uint64_t records = (uint64_t)(counts.facts + 3 * counts.users); /* each in three tables */
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		if (walk->reader.has_tree[engine_tree_of(counted[i])])
			records += table_count(&walk->reader.transaction, counted[i]);
	}
	return records;
}

/* Runs in a process of its own: damage that it meets costs the estimate and nothing else. */
static int estimate(void *cookie)
{
	struct walk *walk = cookie;
	if (reader_open(&walk->reader, walk->path, false) == NULL &&
	    !reader_has_other_format(&walk->reader))
		walk->progress->expected = expect_records(walk);
	reader_finish(&walk->reader);
	return WALK_DONE;
}

static void tell_progress(const struct walk *walk)
{
	const struct progress *progress = walk->progress;
	uint64_t done = 0;
	for (size_t i = 0; i < DUMP_TABLES; i++)
		done += progress->report.tables[i].records;
	if (walk->listener == NULL || done % RECORDS_BETWEEN_TELLING != 0 ||
	    progress->expected == 0)
		return;
	double share = (double)done / (double)progress->expected;
	walk->listener->tell(walk->listener->cookie, share < 1 ? share : 1);
}

/* Its user was erased, but not all of the user's records yet: the slot goes first. */
static bool is_locked(const struct walk *walk, const struct dump_table *table, struct slice key,
		      struct slice value)
{
	struct user_key owner;
	return walk->slots != NULL && form_owner(table->table, key, value, &owner) &&
	       !key_file_has(walk->slots, owner);
}

static bool write_record(struct walk *walk, const struct dump_table *table, struct slice key,
			 struct slice value)
{
	if (walk->slots != NULL && dump_seals(table))
		return dump_write_sealed(&walk->line, table, key, value);
	const struct key shown = transaction_show_key(&walk->reader.transaction, table->table, key);
	return dump_write(&walk->line, table, (struct slice){(const char *)shown.bytes, shown.size},
			  value);
}

static enum walk_result walk_table(struct walk *walk, const struct dump_table *table)
{
	struct progress *progress = walk->progress;
	struct transaction *transaction = &walk->reader.transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	bool more = true;
	if ((progress->passes_user && !walk_pass_user(walk, table)) || !walk_narrow(walk, table))
		return WALK_FAULT;
	scan_begin_at(&scan, transaction, table->table, key_empty(), progress->next, FORWARD);
	scan_let_go(&scan);
	while (more && scan_next(&scan, &key, &value)) {
		if (!walk_is_key(progress, key))
			return WALK_FAULT;
		buffer_clear(&walk->line);
		if (is_locked(walk, table, key, value))
			progress->report.locked++;
		else if (!write_record(walk, table, key, value))
			progress->report.tables[progress->table].unreadable++;
		else if (!write_all(walk, buffer_slice(&walk->line)))
			return WALK_NO_OUTPUT;
		else
			progress->report.tables[progress->table].records++;
		tell_progress(walk);
		memcpy(progress->next.bytes, key.data, key.size);
		more = key_add(&progress->next, 0);
		progress->in_hole = false;
	}
	scan_end(&scan);
	return transaction->result == STORE_OK ? WALK_DONE : WALK_FAULT;
}

/* Opens the keys that the export needs: none, or to write it in the clear, all. */
static bool open_keys(struct walk *walk, uint64_t *id)
{
	struct dump_report *report = &walk->progress->report;
	const bool is_sealed = transaction_seal_state(&walk->reader.transaction, id) == SEAL_WHOLE;
	if (!walk->seals || !is_sealed)
		return reader_open_keys(&walk->reader, walk->path, walk->master, report->error,
					sizeof(report->error));
	walk->reader.transaction.hides_nothing = true;
	walk->slots = seal_list(walk->path, report->error, sizeof(report->error));
	return walk->slots != NULL;
}

static bool write_first(struct walk *walk, uint64_t id)
{
	char line[128];
	if (walk->progress->has_begun)
		return true;
	walk->progress->has_begun = true;
	if (walk->slots == NULL)
		return write_all(walk, SLICE("{\"recalld_export\":1}\n"));
	int size = snprintf(line, sizeof(line),
			    "{\"recalld_export\":2,\"sealed\":true,\"store\":\"%016" PRIx64 "\"}\n",
			    id);
	return write_all(walk, (struct slice){line, (size_t)size});
}

static int walk_tables(void *cookie)
{
	struct walk *walk = cookie;
	struct progress *progress = walk->progress;
	uint64_t id;
	const char *fault = reader_open(&walk->reader, walk->path, false);
	if (fault == NULL && reader_has_other_format(&walk->reader))
		fault = "it has another format; use the recallctl of the recalld that wrote it";
	if (fault != NULL) {
		(void)snprintf(progress->report.error, sizeof(progress->report.error),
			       "cannot read the store in %s: %s", walk->path, fault);
		return WALK_CANNOT_OPEN;
	}
	if (!open_keys(walk, &id))
		return WALK_CANNOT_OPEN;
	if (!write_first(walk, id))
		return WALK_NO_OUTPUT;
	buffer_init(&walk->line, LINE_LIMIT);
	progress->is_open = true;
	(void)table_read(&walk->reader.transaction, TABLE_META, key_of_name("first_id"),
			 stored_number_fields, &progress->first_id, NULL);
	while (progress->table < DUMP_TABLES) {
		const struct dump_table *table = &dump_tables[progress->table];
		if (walk->reader.has_tree[engine_tree_of(table->table)]) {
			enum walk_result result = walk_table(walk, table);
			if (result != WALK_DONE)
				return (int)result;
		}
		walk_begin_table(progress, progress->table + 1);
	}
	reader_finish(&walk->reader);
	return WALK_DONE;
}

static bool walk_on(struct walk *walk)
{
	struct progress *progress = walk->progress;
	walk_begin_table(progress, 0);
	while (progress->table < DUMP_TABLES) {
		progress->is_open = false;
		int result = reader_run_apart(walk_tables, walk);
		if (result == WALK_NO_OUTPUT || result == WALK_CANNOT_OPEN)
			return false;
		if (!progress->is_open) {
			(void)snprintf(progress->report.error, sizeof(progress->report.error),
				       "cannot read the store in %s: %s", walk->path,
				       result == APART_NOT_BEGUN ? "no process can be started"
								 : "its first pages are damaged");
			return false;
		}
		if (result != WALK_DONE && progress->table < DUMP_TABLES)
			walk_skip(progress);
	}
	return true;
}

static uint64_t count_lost(const struct dump_report *report)
{
	uint64_t lost = 0;
	for (size_t i = 0; i < DUMP_TABLES; i++)
		lost += report->tables[i].unreadable + report->tables[i].holes;
	return lost;
}

static bool write_end(struct walk *walk)
{
	const struct progress *progress = walk->progress;
	char line[128];
	uint64_t records = 0;
	for (size_t i = 0; i < DUMP_TABLES; i++)
		records += progress->report.tables[i].records;
	int size = snprintf(line, sizeof(line),
			    "{\"end\":true,\"records\":%" PRIu64 ",\"first_id\":%" PRIu64 "}\n",
			    records, progress->first_id);
	return write_all(walk, (struct slice){line, (size_t)size});
}

static bool export(struct walk *walk)
{
	struct dump_report *report = &walk->progress->report;
	if (store_marker_is_there(walk->path, STORE_MARKER_REBUILDING)) {
		(void)snprintf(
			report->error, sizeof(report->error),
			"the store in %s is incomplete: its \"recallctl rebuild\" has not finished",
			walk->path);
		return false;
	}
	if (walk->listener != NULL)
		(void)reader_run_apart(estimate, walk);
	bool done = walk_on(walk) && write_end(walk);
	if (!done && report->error[0] == '\0')
		(void)snprintf(report->error, sizeof(report->error), "cannot write the export: %s",
			       strerror(walk->progress->code));
	else if (done && count_lost(report) > 0)
		(void)snprintf(report->error, sizeof(report->error),
			       "the store is damaged; what could be read was written");
	return report->error[0] == '\0';
}

static bool export_store(const struct store_options *options, bool seals, int out,
			 const struct store_progress *listener, struct dump_report *report)
{
	struct progress *progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		abort();
	for (size_t i = 0; i < DUMP_TABLES; i++)
		progress->report.tables[i].name = dump_tables[i].name;
	struct walk walk = {.path = options->path,
			    .master = options->master,
			    .seals = seals,
			    .out = out,
			    .progress = progress,
			    .listener = listener};
	bool done = export(&walk);
	*report = progress->report;
	(void)munmap(progress, sizeof(*progress));
	return done;
}

bool store_export(const struct store_options *options, int out,
		  const struct store_progress *listener, struct dump_report *report)
{
	return export_store(options, false, out, listener, report);
}

bool store_export_sealed(const struct store_options *options, int out,
			 const struct store_progress *listener, struct dump_report *report)
{
	return export_store(options, true, out, listener, report);
}
