/* store_export(): a child process walks the tables and records its position in shared memory. When
 * a damaged page ends it, another child continues after that place. */
#include "storage/dump/dump.h"
#include "storage/dump/form.h"
#include "storage/files/files.h"
#include "storage/lmdb/folder.h"
#include "storage/lmdb/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WALK_NO_SKIP = -1 };

struct progress {
	struct dump_report report;
	size_t table;      /* of dump_tables */
	struct key next;   /* the next position in it */
	bool in_hole;      /* nothing has been read since the last fault */
	struct key hole;   /* where a hole begins; the next try skips 2 to the power of `bit` */
	int bit;           /* WALK_NO_SKIP: nothing */
	int failed;        /* skipping 2 to the power of this is too little */
	int reached;       /* of this is enough, or more; 0: not known */
	unsigned users;    /* in a hole: how many users were skipped */
	bool passes_user;  /* the next try starts at the next user that another table knows */
	bool is_open;      /* this child could open the store */
	bool has_begun;    /* the first line is written */
	uint64_t first_id; /* where ids of new users start */
	uint64_t expected; /* records, estimated */
	int code;          /* errno of the failed write */
};

struct walk {
	const char *path;
	const unsigned char *master;
	bool seals;
	int out;
	struct key_file *slots; /* of a sealed store; NULL: it is none */
	bool stays_sealed;      /* so does the export */
	struct progress *progress;
	const struct store_progress *listener; /* NULL: none */
	struct reader reader;
	struct buffer line;
};

/* Inside store_export(): where its walk over the tables stands, in memory that the children share,
 * and how it gets past damage. */

enum { USERS_PASSED = 32, SINGLE_BITS = 7, BITS_AT_ONCE = 8 };

static struct key first_key(const struct dump_table *table)
{
	struct key key = {.size = dump_key_size(table)};
	return key;
}

/* Goes to a table's first key. DUMP_TABLES: the end. */
static void walk_begin_table(struct progress *progress, size_t table)
{
	progress->table = table;
	progress->next = table < DUMP_TABLES ? first_key(&dump_tables[table]) : key_empty();
	progress->in_hole = false;
	progress->passes_user = false;
}

/* A sound table's keys rise and have one size. */
static bool walk_is_key(const struct progress *progress, struct slice key)
{
	return key.size == progress->next.size &&
	       memcmp(key.data, progress->next.bytes, key.size) >= 0;
}

/* Goes to the next user. False: there is none, or the table that names it is damaged too. */
static bool walk_pass_user(struct walk *walk, const struct dump_table *table)
{
	struct progress *progress = walk->progress;
	enum table other = table->table == TABLE_TURNS ? TABLE_USERS : TABLE_TURNS;
	struct key user = key_of_user(key_read_user(
		(struct slice){(const char *)progress->next.bytes, progress->next.size}));
	struct scan scan;
	if (!walk->reader.has_tree[engine_tree_of(other)])
		return false;
	scan_begin_at(&scan, &walk->reader.transaction, other, key_empty(), key_after(user),
		      FORWARD);
	bool found = scan_step(&scan) && scan.at.size >= user.size &&
		     memcmp(scan.at.data, user.bytes, user.size) > 0;
	if (found) {
		progress->next = first_key(table);
		memcpy(progress->next.bytes, scan.at.data, user.size);
		progress->passes_user = false;
		progress->hole = progress->next;
		progress->bit = WALK_NO_SKIP;
		progress->reached = 0;
	}
	scan_end(&scan);
	return found;
}

/* ---- holes ---- */

static void begin_hole(struct progress *progress)
{
	progress->report.tables[progress->table].holes++;
	progress->in_hole = true;
	progress->hole = progress->next;
	progress->bit = WALK_NO_SKIP;
	progress->reached = 0;
	progress->users = 0;
}

/* Longer and longer skips, and once one is enough, the shortest that is, by halves. */
static int next_bit(const struct progress *progress)
{
	int failed = progress->failed;
	if (progress->reached > failed + 1)
		return failed + (progress->reached - failed) / 2;
	if (progress->reached > failed || failed < SINGLE_BITS)
		return failed + 1;
	return failed + BITS_AT_ONCE;
}

/* Whether the next try can start there; if not, the key is past the table or past its user. */
static bool aim(struct progress *progress)
{
	const struct dump_table *table = &dump_tables[progress->table];
	bool stays = dump_is_of_user(table) && progress->users < USERS_PASSED;
	progress->bit = next_bit(progress);
	progress->next = progress->hole;
	return key_add(&progress->next, (unsigned)progress->bit) &&
	       (!stays ||
		memcmp(progress->next.bytes, progress->hole.bytes, sizeof(struct user_key)) == 0);
}

/* Skips damage of unknown extent within the user's keys, and then at the next user's. After many
 * users, or if no other is known, within the table's. */
static void walk_skip(struct progress *progress)
{
	if (!progress->in_hole)
		begin_hole(progress);
	if (progress->passes_user) {
		progress->users = USERS_PASSED;
		progress->passes_user = false;
		progress->reached = 0;
	} else {
		progress->failed = progress->bit;
	}
	while (!aim(progress)) {
		bool is_nearest = progress->bit == progress->failed + 1;
		progress->reached = progress->bit;
		if (!is_nearest)
			continue;
		progress->passes_user = dump_is_of_user(&dump_tables[progress->table]) &&
					progress->users++ < USERS_PASSED;
		if (!progress->passes_user)
			walk_begin_table(progress, progress->table + 1);
		return;
	}
}

/* Whether a record can be read from the next position on, or none is there. */
static bool reads(struct walk *walk, const struct dump_table *table)
{
	struct transaction *transaction = &walk->reader.transaction;
	struct scan scan;
	scan_begin_at(&scan, transaction, table->table, key_empty(), walk->progress->next, FORWARD);
	bool is_sound = !scan_step(&scan) || walk_is_key(walk->progress, scan.at);
	scan_end(&scan);
	return is_sound && transaction->result == STORE_OK;
}

/* Shortens the last skip, which may be longer than it must be, as far as possible. False: there is
 * no record to be read. */
static bool walk_narrow(struct walk *walk, const struct dump_table *table)
{
	struct progress *progress = walk->progress;
	while (progress->in_hole && progress->bit > progress->failed + 1) {
		if (!reads(walk, table))
			return false;
		progress->reached = progress->bit;
		if (!aim(progress))
			return false;
	}
	return true;
}

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

/* Its user was erased, but not all of the user's records yet, since the slot goes first; or the
 * keys are lost. */
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
	if (walk->stays_sealed && dump_seals(table))
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
	bool more = true;
	if ((progress->passes_user && !walk_pass_user(walk, table)) || !walk_narrow(walk, table))
		return WALK_FAULT;
	scan_begin_at(&scan, transaction, table->table, key_empty(), progress->next, FORWARD);
	scan_let_go(&scan);
	scan.opens_none = true;
	while (more && scan_step(&scan)) {
		if (!walk_is_key(progress, scan.at))
			return WALK_FAULT;
		buffer_clear(&walk->line);
		if (is_locked(walk, table, scan.at, scan.value))
			progress->report.locked++;
		else if (!write_record(walk, table, scan.at, scan_open(&scan, scan.value)))
			progress->report.tables[progress->table].unreadable++;
		else if (!write_all(walk, buffer_slice(&walk->line)))
			return WALK_NO_OUTPUT;
		else
			progress->report.tables[progress->table].records++;
		tell_progress(walk);
		memcpy(progress->next.bytes, scan.at.data, scan.at.size);
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
	if (is_sealed && walk->slots == NULL)
		walk->slots = seal_list(walk->path, COMPLAINT(report->error));
	if (is_sealed && walk->slots == NULL)
		return false;
	walk->stays_sealed = walk->seals && is_sealed;
	if (!walk->stays_sealed)
		return reader_open_keys(&walk->reader, walk->path, walk->master,
					COMPLAINT(report->error));
	walk->reader.transaction.hides_nothing = true;
	return true;
}

static bool write_first(struct walk *walk, uint64_t id)
{
	char line[128];
	if (walk->progress->has_begun)
		return true;
	walk->progress->has_begun = true;
	if (!walk->stays_sealed)
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
