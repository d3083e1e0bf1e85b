/* Corrections and settings: what a person decides about their memory. */
#include "storage/rights.h"

#include "core/base/ids.h"
#include "storage/audit.h"
#include "storage/lmdb/writer.h"
#include "storage/user/branch.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

/* ---- corrections ---- */

struct correct_operation {
	struct operation operation;
	struct slice tenant;
	struct slice user_id;
	struct correction correction;
	struct correction_outcome *outcome; /* the caller's */
};

static int audit_result(enum correction_result result)
{
	static const int statuses[] = {
		[CORRECTION_DONE] = 200,    [CORRECTION_CREATED] = 201, [CORRECTION_NO_FACT] = 404,
		[CORRECTION_CHANGED] = 412, [CORRECTION_ENDED] = 409,   [CORRECTION_NOTHING] = 409,
		[CORRECTION_PINNED] = 409,
	};
	return statuses[result];
}

/* A hidden turn was told to no summary: one that covers it is made anew. */
static void summarize_again(const struct memory *memory, const struct fact *facts, size_t count,
			    uint64_t restored)
{
	const struct job like = {.kind = JOB_SUMMARY};
	for (size_t i = 0; i < count; i++) {
		const struct leaving leaving = {.changed_from = facts[i].exchange};
		if (facts[i].id == restored && facts[i].state == FACT_HIDDEN &&
		    withdraw_derived(memory, &leaving).summaries > 0)
			memory_recount_uncovered(memory, &like);
	}
}

static enum store_result run_correct(struct operation *operation, const struct memory *memory)
{
	struct correct_operation *own = (struct correct_operation *)operation;
	const struct correction *correction = &own->correction;
	struct stored_user user = {0};
	size_t count;
	if (correction->kind == CORRECTION_CREATE)
		journal_open_user(memory, own->tenant, own->user_id, correction->now, &user);
	else if (!memory_user(memory, &user))
		return STORE_NOT_FOUND;
	const struct fact *facts = memory_facts(memory, fact_is_known, 0, &count);
	const struct corrected corrected =
		facts_correct(correction, facts, count, user.next_fact, memory->arena);
	*own->outcome = (struct correction_outcome){corrected.result, corrected.id};
	if (own->operation.audit != NULL)
		own->operation.audit->result = audit_result(corrected.result);
	if (corrected.changes.count == 0)
		return STORE_OK;
	const struct leaving leaving = {.facts = corrected.changes.left,
					.fact_count = corrected.changes.left_count};
	supersede_facts(memory, &corrected.changes, correction->now);
	silence_receipts(memory, &leaving);
	if (correction->kind == CORRECTION_RESTORE)
		summarize_again(memory, facts, count, correction->id);
	user.next_fact++; /* an id that was not used is no loss */
	memory_put_user(memory, &user);
	(void)erase_least_used_facts(memory, corrected.id, correction->now);
	return STORE_OK;
}

struct store_call *store_correct(struct store *store, struct slice tenant, struct slice user,
				 const struct correction *correction,
				 struct correction_outcome *outcome, struct store_waiter waiter)
{
	const struct user_key key = store_user_key(tenant, user);
	struct correct_operation *own = operation_create(sizeof(*own), run_correct, &key);
	struct operation *operation = &own->operation;
	struct fact *given = &own->correction.given;
	own->tenant = operation_slice(operation, tenant);
	own->user_id = operation_slice(operation, user);
	own->correction = *correction;
	own->correction.by = operation_slice(operation, correction->by);
	given->entity = operation_slice(operation, given->entity);
	given->kind = operation_slice(operation, given->kind);
	given->key = operation_slice(operation, given->key);
	given->value = operation_slice(operation, given->value);
	given->agent = operation_slice(operation, given->agent);
	given->app = operation_slice(operation, given->app);
	given->metadata = operation_slice(operation, given->metadata);
	own->outcome = outcome;
	operation->grows = correction->kind == CORRECTION_CREATE;
	return writer_submit(store->writer, operation, waiter);
}

/* ---- facts that say the same, which imports may have left ---- */

static struct fact_changes find_doubled(const struct memory *memory, int64_t now)
{
	size_t count;
	const struct fact *facts = memory_facts(memory, fact_is_known, now, &count);
	return facts_settle(facts, count, UINT64_MAX, now, memory->arena);
}

enum store_result store_find_duplicates(struct store *store, struct user_key user, int64_t now,
					struct fact_changes *found, struct arena *arena)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	*found = (struct fact_changes){0};
	if (transaction_begin_read(&transaction, store)) {
		struct stored_user stored;
		bool is_known = memory_user(&memory, &stored);
		*found = find_doubled(&memory, now);
		transaction_abort(&transaction);
		if (transaction.result == STORE_OK && !is_known)
			return STORE_NOT_FOUND;
	}
	return transaction.result;
}

static enum store_result run_dedupe(struct operation *operation, const struct memory *memory)
{
	const struct fact_changes found = find_doubled(memory, operation->now);
	*(uint64_t *)operation->outcome = found.left_count;
	supersede_facts(memory, &found, operation->now);
	return found.left_count > 0 ? STORE_OK : STORE_NOT_FOUND;
}

struct store_call *store_dedupe(struct store *store, struct user_key user, int64_t now,
				uint64_t *gone, struct store_waiter waiter)
{
	struct operation *operation = operation_create(sizeof(*operation), run_dedupe, &user);
	operation->now = now;
	operation->outcome = gone;
	return writer_submit(store->writer, operation, waiter);
}

/* ---- settings ---- */

static enum store_result run_settings(struct operation *operation, const struct memory *memory)
{
	const struct user_settings *settings = operation->input;
	memory_put_settings(memory, settings);
	if (!settings->learn) {
		(void)table_delete_all(memory->transaction, TABLE_JOBS, memory_key(memory));
		(void)table_delete_all(memory->transaction, TABLE_PARKED, memory_key(memory));
	}
	return STORE_OK;
}

struct store_call *store_put_settings(struct store *store, struct user_key user,
				      const struct user_settings *settings,
				      struct store_waiter waiter)
{
	struct operation *operation = operation_create(sizeof(*operation), run_settings, &user);
	struct user_settings *copy = operation_copy(operation, settings, sizeof(*settings));
	copy->consent_by = operation_slice(operation, settings->consent_by);
	copy->consent_text = operation_slice(operation, settings->consent_text);
	copy->note = operation_slice(operation, settings->note);
	operation->input = copy;
	operation->promised = true;
	return writer_submit(store->writer, operation, waiter);
}
