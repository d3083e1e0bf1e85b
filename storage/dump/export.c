/* store_export(): a child process walks the tables and records its position in shared memory. When
 * a damaged page ends it, another child continues after that place. */
#include "storage/dump/dump.h"
#include "storage/dump/form.h"
#include "storage/lmdb/reader.h"
#include "storage/lmdb/store_marker.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE_LIMIT = INT32_MAX, USERS_PASSED = 32, RECORDS_BETWEEN_TELLING = 256 };

enum walk_result { WALK_DONE, WALK_FAULT, WALK_NO_OUTPUT, WALK_CANNOT_OPEN };

struct progress {
	struct dump_report report;
	size_t table;      /* of dump_tables */
	struct key next;   /* the next position in it */
	bool in_hole;      /* nothing has been read since the last fault */
	unsigned bit;      /* in a hole: the next try skips 2 to the power of this */
	unsigned users;    /* in a hole: how many users were skipped */
	bool passes_user;  /* the next try starts at the next user that another table knows */
	bool is_open;      /* this child could open the store */
	uint64_t first_id; /* where ids of new users start */
	uint64_t expected; /* records, estimated */
	int code;          /* errno of the failed write */
};

struct walk {
	const char *path;
	int out;
	struct progress *progress;
	const struct store_progress *listener; /* NULL: none */
	struct reader reader;
	struct buffer line;
};

static bool write_all(struct walk *walk, struct slice bytes)
{
	while (bytes.size > 0) {
		ssize_t written = write(walk->out, bytes.data, bytes.size);
		if (written < 0 && errno != EINTR) {
			walk->progress->code = errno;
			return false;
		}
		if (written > 0)
			bytes = slice_part(bytes, (size_t)written, bytes.size);
	}
	return true;
}

static struct key first_key(const struct dump_table *table)
{
	struct key key = {.size = dump_key_size(table)};
	return key;
}

/* Adds 2 to the power of `bit` to the key as a number. False: it overflows. */
static bool key_add(struct key *key, unsigned bit)
{
	if (bit / 8 >= key->size)
		return false;
	unsigned carry = 1U << bit % 8;
	for (size_t i = key->size - bit / 8; carry > 0 && i-- > 0;) {
		carry += key->bytes[i];
		key->bytes[i] = (unsigned char)carry;
		carry >>= 8;
	}
	return carry == 0;
}

static void begin_table(struct progress *progress, size_t table)
{
	progress->table = table;
	progress->next = table < DUMP_TABLES ? first_key(&dump_tables[table]) : key_empty();
	progress->in_hole = false;
	progress->passes_user = false;
}

/* A sound table's keys rise and have one size. */
static bool is_key(const struct progress *progress, struct slice key)
{
	return key.size == progress->next.size &&
	       memcmp(key.data, progress->next.bytes, key.size) >= 0;
}

/* False: there is no next user, or that table is damaged too. */
static bool pass_user(struct walk *walk, const struct dump_table *table)
{
	struct progress *progress = walk->progress;
	enum table other = table->table == TABLE_TURNS ? TABLE_USERS : TABLE_TURNS;
	struct key user = key_of_user(key_read_user(
		(struct slice){(const char *)progress->next.bytes, progress->next.size}));
	struct scan scan;
	struct slice key;
	struct slice value;
	if (!walk->reader.has_tree[engine_tree_of(other)])
		return false;
	scan_begin_at(&scan, &walk->reader.transaction, other, key_empty(), key_after(user),
		      FORWARD);
	bool found = scan_next(&scan, &key, &value) && key.size >= user.size &&
		     memcmp(key.data, user.bytes, user.size) > 0;
	if (found) {
		progress->next = first_key(table);
		memcpy(progress->next.bytes, key.data, user.size);
		progress->bit = 0;
		progress->passes_user = false;
	}
	scan_end(&scan);
	return found;
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

static enum walk_result walk_table(struct walk *walk, const struct dump_table *table)
{
	struct progress *progress = walk->progress;
	struct transaction *transaction = &walk->reader.transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	bool more = true;
	if (progress->passes_user && !pass_user(walk, table))
		return WALK_FAULT;
	scan_begin_at(&scan, transaction, table->table, key_empty(), progress->next, FORWARD);
	while (more && scan_next(&scan, &key, &value)) {
		if (!is_key(progress, key))
			return WALK_FAULT;
		buffer_clear(&walk->line);
		if (!dump_write(&walk->line, table, key, value))
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

static int walk_tables(void *cookie)
{
	struct walk *walk = cookie;
	struct progress *progress = walk->progress;
	const char *fault = reader_open(&walk->reader, walk->path, false);
	if (fault == NULL && reader_has_other_format(&walk->reader))
		fault = "it has another format; use the recallctl of the recalld that wrote it";
	if (fault != NULL) {
		(void)snprintf(progress->report.error, sizeof(progress->report.error),
			       "cannot read the store in %s: %s", walk->path, fault);
		return WALK_CANNOT_OPEN;
	}
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
		begin_table(progress, progress->table + 1);
	}
	reader_finish(&walk->reader);
	return WALK_DONE;
}

static void begin_hole(struct progress *progress)
{
	progress->report.tables[progress->table].holes++;
	progress->in_hole = true;
	progress->bit = 0;
	progress->users = 0;
}

/* Skips damage of unknown extent: twice as far with each try, and at the next user once that leaves
 * the user's keys. After many users, or if no other is known, doubles again. */
static void skip(struct progress *progress)
{
	struct key further = progress->next;
	if (!progress->in_hole)
		begin_hole(progress);
	else if (progress->passes_user)
		progress->users = USERS_PASSED;
	bool is_there = key_add(&further, progress->bit++);
	bool leaves_user = !is_there || memcmp(further.bytes, progress->next.bytes,
					       sizeof(struct user_key)) != 0;
	progress->passes_user = dump_tables[progress->table].is_of_user && leaves_user &&
				progress->users++ < USERS_PASSED;
	if (progress->passes_user)
		return;
	if (is_there)
		progress->next = further;
	else
		begin_table(progress, progress->table + 1);
}

static bool walk_on(struct walk *walk)
{
	struct progress *progress = walk->progress;
	begin_table(progress, 0);
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
			skip(progress);
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
	bool done = write_all(walk, SLICE("{\"recalld_export\":1}\n")) && walk_on(walk) &&
		    write_end(walk);
	if (!done && report->error[0] == '\0')
		(void)snprintf(report->error, sizeof(report->error), "cannot write the export: %s",
			       strerror(walk->progress->code));
	else if (done && count_lost(report) > 0)
		(void)snprintf(report->error, sizeof(report->error),
			       "the store is damaged; what could be read was written");
	return report->error[0] == '\0';
}

bool store_export(const char *path, int out, const struct store_progress *listener,
		  struct dump_report *report)
{
	struct progress *progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		abort();
	for (size_t i = 0; i < DUMP_TABLES; i++)
		progress->report.tables[i].name = dump_tables[i].name;
	struct walk walk = {.path = path, .out = out, .progress = progress, .listener = listener};
	bool done = export(&walk);
	*report = progress->report;
	(void)munmap(progress, sizeof(*progress));
	return done;
}
