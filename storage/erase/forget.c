/* store_forget(): deletes every record of a user.
 *
 * A long memory is deleted in slices. The first slice deletes the records that reads start from, so
 * that the user is hidden at once, and leaves a mark that makes the next start finish after a
 * crash. */
#include "storage/audit.h"
#include "storage/deletions.h"
#include "storage/files/erasures.h"
#include "storage/lmdb/writer.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

struct forget_operation {
	struct operation operation;
	bool resumes; /* what an earlier process began: the settings are as they should be */
	int64_t now;  /* INT64_MIN: the list of erasures has it already */
	struct deletion_report *report; /* the caller's; NULL: nobody wants it */
};

/* Deletes unreadable records too: of who has lost their keys, all are. */
static bool read_user(const struct memory *memory, struct stored_user *user)
{
	struct slice value;
	*user = (struct stored_user){0};
	return table_get(memory->transaction, TABLE_USERS, memory_key(memory), &value) &&
	       record_read(value, stored_user_fields, user, NULL);
}

/* Ids of new users start after this one's. */
static void retire_ids(const struct memory *memory)
{
	struct stored_user user;
	uint64_t first_id = 1;
	struct key key = key_of_name("first_id");
	if (!read_user(memory, &user))
		return;
	uint64_t next_id = user.next_turn > user.next_fact ? user.next_turn : user.next_fact;
	if (next_id < user.next_conversation)
		next_id = user.next_conversation;
	if (table_read(memory->transaction, TABLE_META, key, stored_number_fields, &first_id,
		       NULL) &&
	    first_id >= next_id)
		return;
	memory_write(memory, TABLE_META, key, stored_number_fields, &next_id);
}

static bool delete_some(const struct memory *memory, enum table table, size_t *steps,
			uint64_t *counts)
{
	const size_t before = *steps;
	bool done = table_delete_some(memory->transaction, table, memory_key(memory), steps);
	if (counts != NULL)
		counts[table] += before - *steps;
	return done;
}

static bool delete_receipts(const struct memory *memory, size_t *steps, uint64_t *counts)
{
	const size_t before = *steps;
	bool done = memory_delete_some_receipts(memory, steps);
	if (counts != NULL)
		counts[TABLE_RECEIPTS] += before - *steps;
	return done;
}

bool memory_delete_user(const struct memory *memory, size_t *steps, uint64_t *counts)
{
	static const enum table first[] = {TABLE_SUMMARIES, TABLE_FACTS, TABLE_DOCUMENTS,
					   TABLE_JOBS};
	transaction_erases(memory->transaction);
	retire_ids(memory);
	bool done = delete_some(memory, TABLE_USERS, steps, counts) &&
		    delete_receipts(memory, steps, counts);
	for (size_t i = 0; done && i < sizeof(first) / sizeof(first[0]); i++)
		done = delete_some(memory, first[i], steps, counts);
	for (int table = FIRST_USER_TABLE; done && table < TABLE_COUNT; table++)
		done = table == TABLE_SETTINGS ||
		       delete_some(memory, (enum table)table, steps, counts);
	if (done)
		transaction_ends_user(memory->transaction, memory->user);
	return done;
}

/* ---- what is being forgotten ---- */

static struct key mark_prefix(void)
{
	return key_of_name("forgetting");
}

void memory_mark_forgotten(const struct memory *memory)
{
	uint64_t one = 1;
	memory_write(memory, TABLE_META, key_user(mark_prefix(), memory->user),
		     stored_number_fields, &one);
}

bool memory_is_marked_forgotten(const struct memory *memory)
{
	struct slice value;
	return table_get(memory->transaction, TABLE_META, key_user(mark_prefix(), memory->user),
			 &value);
}

void memory_unmark_forgotten(const struct memory *memory)
{
	(void)memory_delete(memory, TABLE_META, key_user(mark_prefix(), memory->user));
}

enum store_result memory_forget_user(const struct memory *memory, struct operation *operation,
				     uint64_t *counts)
{
	size_t *steps = &memory->transaction->spare;
	const size_t before = *steps;
	/* First: whatever happens to the rest, exchanges in progress are not written. The last
	 * slice's mark covers those that read between two slices. */
	memory_note_epoch(memory, EPOCH_FORGOTTEN);
	bool was_begun = operation->begun;
	operation->unfinished = !memory_delete_user(memory, steps, counts);
	if (operation->unfinished && !was_begun)
		memory_mark_forgotten(memory);
	else if (!operation->unfinished && was_begun)
		memory_unmark_forgotten(memory);
	return *steps < before || was_begun ? STORE_OK : STORE_NOT_FOUND;
}

void memory_note_erasures(struct transaction *transaction)
{
	uint64_t total = erasures_total(transaction->store->erasures);
	table_write(transaction, TABLE_META, key_of_name("erasures"), stored_number_fields, &total);
}

static void add_counts(struct deletion_report *report, const uint64_t *counts, bool begun,
		       bool is_listed)
{
	const struct deletion_report before = begun ? *report : (struct deletion_report){0};
	*report = (struct deletion_report){
		.users = before.users + counts[TABLE_USERS],
		.facts = before.facts + counts[TABLE_FACTS],
		.turns = before.turns + counts[TABLE_TURNS],
		.conversations = before.conversations + counts[TABLE_CONVERSATIONS],
		.receipts = before.receipts + counts[TABLE_RECEIPTS],
		.frozen = before.frozen + counts[TABLE_FROZEN],
		.replays = before.replays + counts[TABLE_REPLAYS],
		.vectors = before.vectors + counts[TABLE_VECTORS],
		.postings = before.postings + counts[TABLE_POSTINGS] + counts[TABLE_TERMS],
		.jobs = before.jobs + counts[TABLE_JOBS] + counts[TABLE_PARKED],
		.summaries = before.summaries + counts[TABLE_SUMMARIES],
		.oldest = report->oldest,
		.unlisted = before.unlisted || !is_listed,
	};
}

/* Since when exported keys may open what there is of a user, before it goes. Keys are younger than
 * their user if the store was rebuilt, and older if the user has only settings or receipts at
 * first. Any export may hold keys that were lost here. */
static int64_t keyed_since(const struct memory *memory)
{
	struct stored_user user;
	const int64_t keyed = transaction_keyed_since(memory->transaction, memory->user);
	if (memory_has_lost_keys(memory))
		return 0;
	return read_user(memory, &user) && user.first_seen < keyed ? user.first_seen : keyed;
}

static bool list_user(const struct memory *memory, int64_t now)
{
	struct erasures *erasures = memory->transaction->store->erasures;
	erasures_add_user(erasures, memory->user, now);
	bool is_listed = erasures_sync(erasures);
	memory_note_erasures(memory->transaction);
	return is_listed;
}

static enum store_result run_forget(struct operation *operation, const struct memory *memory)
{
	struct forget_operation *own = (struct forget_operation *)operation;
	uint64_t counts[TABLE_COUNT] = {0};
	bool is_listed = true;
	if (!own->resumes && !operation->begun)
		memory_forget_settings(memory);
	if (own->now != INT64_MIN && !operation->begun)
		is_listed = list_user(memory, own->now);
	if (own->report != NULL && !operation->begun)
		own->report->oldest = keyed_since(memory);
	const enum store_result result = memory_forget_user(memory, operation, counts);
	if (own->report != NULL)
		add_counts(own->report, counts, operation->begun, is_listed);
	if (own->report != NULL && operation->audit != NULL)
		audit_count(operation->audit, own->report->facts, own->report->turns,
			    own->report->conversations);
	return result;
}

static struct forget_operation *create_forget(struct user_key user)
{
	struct forget_operation *own = operation_create(sizeof(*own), run_forget, &user);
	own->now = INT64_MIN;
	own->operation.promised = true;
	own->operation.in_slices = true;
	return own;
}

struct store_call *store_forget(struct store *store, struct user_key user, int64_t now,
				struct deletion_report *report, struct store_waiter waiter)
{
	struct forget_operation *own = create_forget(user);
	own->now = now;
	own->report = report;
	if (report != NULL)
		*report = (struct deletion_report){0};
	return writer_submit(store->writer, &own->operation, waiter);
}

void forget_resume(struct store *store)
{
	struct transaction transaction;
	struct scan scan;
	const struct key prefix = mark_prefix();
	if (!transaction_begin_read(&transaction, store))
		return;
	scan_begin(&scan, &transaction, TABLE_META, prefix, FORWARD);
	while (scan_step(&scan)) {
		struct slice user = slice_part(scan.at, prefix.size, scan.at.size);
		struct forget_operation *own = create_forget(key_read_user(user));
		own->resumes = true;
		writer_resume(store->writer, &own->operation);
	}
	scan_end(&scan);
	transaction_abort(&transaction);
}
