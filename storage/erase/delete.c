/* store_delete(): deletes a part of a user's memory with all that was made of it.
 *
 * The first slice erases the facts and everything that requests were given, and leaves the list of
 * turns under a mark, by which the next start continues after a crash; the others erase turns. */
#include "core/facts/change.h"
#include "core/facts/facts.h"
#include "storage/audit.h"
#include "storage/deletions.h"
#include "storage/erase/deletion_search.h"
#include "storage/files/erasures.h"
#include "storage/index/index.h"
#include "storage/lmdb/writer.h"

/* ---- what a deletion would take, for people ---- */

static void read_preview(struct deletion_preview *preview, const struct memory *memory,
			 const struct deletion_search *found, size_t limit)
{
	const struct deletion_plan *plan = &found->plan;
	size_t facts = plan->facts.count < limit ? plan->facts.count : limit;
	size_t turns = plan->turns.count < limit ? plan->turns.count : limit;
	preview->facts = arena_alloc(memory->arena, facts * sizeof(*preview->facts));
	preview->turns = arena_alloc(memory->arena, turns * sizeof(*preview->turns));
	for (size_t i = 0; i < facts; i++)
		preview->fact_count += memory_read_fact(memory, plan->facts.ids[i],
							&preview->facts[preview->fact_count]);
	for (size_t i = 0; i < turns; i++) {
		struct stored_turn stored = {0};
		if (memory_turn(memory, plan->turns.ids[i], &stored))
			preview->turns[preview->turn_count++] = stored.turn;
	}
	preview->token = deletion_token(plan);
	preview->report = (struct deletion_report){
		.facts = plan->facts.count,
		.unquoted = plan->unquoted.count + plan->moved.count,
		.turns = plan->turns.count,
		.still_said = found->still_said,
		.conversations = found->conversations.count,
		.receipts = found->receipts.held,
		.summaries = plan->changed_from > 0 &&
			     summary_covers(&found->summary, plan->changed_from),
	};
}

enum store_result store_preview_deletion(struct store *store, struct user_key user,
					 const struct deletion *deletion, size_t limit,
					 struct deletion_preview *preview, struct arena *arena)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	struct deletion_search found = {0};
	*preview = (struct deletion_preview){0};
	if (!transaction_begin_read(&transaction, store))
		return transaction.result;
	if (deletion_search_run(&found, &memory, deletion) && !deletion_is_empty(&found.plan))
		read_preview(preview, &memory, &found, limit);
	transaction_abort(&transaction);
	return transaction_outcome(&transaction, preview->token != 0);
}

enum {
	STEPS_OF_TURN = 16, /* roughly how many records change with one, besides its words' */
	BYTES_OF_STEP = 4,
	TURNS_AT_ONCE = 64,
};

struct delete_operation {
	struct operation operation;
	struct deletion deletion;
	struct deletion_search search;
	enum store_result searched;
	uint64_t token; /* 0: whatever is found goes */
	int64_t now;
	struct deletion_report *report; /* the caller's; NULL: resumed after a crash */
	size_t next;                    /* of the plan's turns: where the last slice ended */
};

/* One run of the operation. */
struct deleting {
	struct memory memory;
	struct delete_operation *own;
	struct deletion_report report;
};

/* A record of an unfinished deletion; the next start completes it. */
struct unfinished_deletion {
	int64_t now; /* when it was asked for */
	uint64_t conversation;
	struct id_list turns; /* ascending */
	struct arena *arena;  /* for reading */
};

static void unfinished_deletion_fields(struct record *record, void *noun)
{
	struct unfinished_deletion *unfinished = noun;
	unfinished->now = record_time(record, unfinished->now);
	unfinished->conversation = record_number(record, unfinished->conversation, UINT32_MAX);
	uint64_t count = record_number(record, unfinished->turns.count, UINT64_MAX);
	uint64_t id = 0;
	for (uint64_t i = 0; i < count && !record->failed; i++) {
		uint64_t step = record->out != NULL ? unfinished->turns.ids[i] - id : 0;
		id += record_number(record, step, UINT64_MAX);
		if (record->out == NULL && !record->failed)
			id_list_add(&unfinished->turns, unfinished->arena, id);
	}
}

/* The keys of all marks begin with it; the user follows. */
static struct key deletion_mark_prefix(void)
{
	return key_of_name("deleting");
}

static void put_mark(const struct memory *memory, const struct delete_operation *own)
{
	struct unfinished_deletion unfinished = {.now = own->now,
						 .conversation = own->search.plan.conversation,
						 .turns = own->search.plan.turns};
	memory_write(memory, TABLE_META, key_user(deletion_mark_prefix(), memory->user),
		     unfinished_deletion_fields, &unfinished);
}

/* ---- facts ---- */

/* Whole records go: an entity and a key are words, too. */
static void erase_facts(struct deleting *deleting)
{
	const struct deletion_plan *plan = &deleting->own->search.plan;
	const struct memory *memory = &deleting->memory;
	const bool never_again = deleting->own->deletion.never_again;
	struct fact fact;
	/* Other facts from the same turn may be relearned. */
	if (never_again && deleting->own->deletion.kind == DELETION_FACT)
		memory_bury_chain(memory, &plan->facts, deleting->own->deletion.id,
				  deleting->own->now);
	else if (never_again)
		memory_bury_all(memory, &plan->facts, deleting->own->now);
	for (size_t i = 0; i < plan->facts.count; i++) {
		if (memory_read_fact(memory, plan->facts.ids[i], &fact))
			erasures_add_fact(memory->transaction->store->erasures, memory->user, &fact,
					  deleting->own->now);
		deleting->report.facts += memory_delete(memory, TABLE_FACTS,
							memory_id_key(memory, plan->facts.ids[i]));
	}
	for (size_t i = 0; i < plan->unquoted.count; i++) {
		if (!memory_read_fact(memory, plan->unquoted.ids[i], &fact))
			continue;
		fact_unquote(&fact);
		memory_put_fact(memory, &fact);
		deleting->report.unquoted++;
	}
	for (size_t i = 0; i < plan->moved.count; i++) {
		if (!memory_read_fact(memory, plan->moved.ids[i], &fact))
			continue;
		fact.exchange = deletion_search_elsewhere(&deleting->own->search, fact.id);
		memory_put_fact(memory, &fact);
		deleting->report.unquoted++;
	}
}

/* ---- what was made ---- */

static void delete_what_was_made(struct deleting *deleting)
{
	const struct deletion_search *search = &deleting->own->search;
	const struct leaving leaving = deletion_leaving(&search->plan);
	const struct deletion_report count =
		erase_derived(&deleting->memory, &leaving, &search->receipts, INT64_MAX);
	struct deletion_report *report = &deleting->report;
	report->summaries += count.summaries;
	report->frozen += count.frozen;
	report->replays += count.replays;
	report->receipts += count.receipts;
}

/* ---- turns ---- */

/* Counts what the index and the queue hold of a turn before it goes. Returns the steps it takes. */
static size_t count_turn(struct deleting *deleting, const struct stored_embedding *embedding,
			 uint64_t id)
{
	const struct memory *memory = &deleting->memory;
	struct stored_turn stored = {0};
	struct job job;
	if (!memory_turn(memory, id, &stored) || stored.turn.state == TURN_HIDDEN)
		return 1;
	deleting->report.turns++;
	deleting->report.postings += stored.turn.state == TURN_CURRENT;
	deleting->report.jobs += memory_job(memory, JOB_FACTS, id, &job);
	if (embedding->dimensions > 0)
		deleting->report.vectors += vectors_have(memory, id, embedding->dimensions);
	return STEPS_OF_TURN + stored.turn.text.size / BYTES_OF_STEP;
}

/* Returns the steps that they took. */
static size_t hide_some(struct deleting *deleting, size_t from, size_t count)
{
	size_t steps = 0;
	const struct memory *memory = &deleting->memory;
	const struct id_list *turns = &deleting->own->search.plan.turns;
	struct stored_embedding embedding = {0};
	struct hiding hiding;
	(void)vectors_embedding(memory, &embedding);
	for (size_t i = from; i < from + count; i++)
		steps += count_turn(deleting, &embedding, turns->ids[i]);
	const struct turn_search some = {.turns = {.ids = turns->ids + from, .count = count}};
	hiding_init(&hiding, memory);
	hiding.listed_at = deleting->own->now;
	hide_found(&hiding, &some, INT64_MAX);
	return steps;
}

static bool still_has_text(const struct memory *memory, uint64_t id)
{
	struct stored_turn stored = {0};
	return memory_turn(memory, id, &stored) && stored.turn.state != TURN_HIDDEN;
}

/* False: some are left. */
static bool hide_turns(struct deleting *deleting)
{
	struct delete_operation *own = deleting->own;
	size_t *spare = &deleting->memory.transaction->spare;
	const struct id_list *turns = &own->search.plan.turns;
	const size_t total = turns->count;
	size_t next = own->next;
	/* a slice that failed was undone */
	while (next > 0 && still_has_text(&deleting->memory, turns->ids[next - 1]))
		next--;
	while (next<total && * spare> 0) {
		size_t count = total - next < TURNS_AT_ONCE ? total - next : TURNS_AT_ONCE;
		size_t steps = hide_some(deleting, next, count);
		next += count;
		*spare -= *spare < steps ? *spare : steps;
	}
	own->operation.unfinished = next < total;
	own->next = next;
	return next == total;
}

static void delete_answers(const struct memory *memory, uint32_t conversation)
{
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_ANSWERS, memory_key(memory), FORWARD);
	while (scan_step(&scan)) {
		if (key_read_u32(scan.at, KEY_ANSWER_CONVERSATION_AT) == conversation)
			scan_delete(&scan);
	}
	scan_end(&scan);
}

static void delete_turn_records(const struct memory *memory, uint32_t conversation)
{
	struct stored_turn stored;
	struct scan scan;
	memory_scan(memory, &scan, TABLE_TURNS);
	while (scan_turn(&scan, &stored, NULL)) {
		if (stored.turn.conversation == conversation && stored.turn.state == TURN_HIDDEN)
			scan_delete(&scan);
	}
	scan_end(&scan);
}

static void end_conversation(const struct deleting *deleting)
{
	const struct memory *memory = &deleting->memory;
	const uint32_t id = deleting->own->search.plan.conversation;
	struct past_conversation conversation = {0};
	uint64_t ids[] = {id};
	const struct id_list list = {.ids = ids, .count = 1};
	if (id == 0 || !memory_conversation(memory, id, &conversation))
		return;
	erase_conversation(memory, id, &conversation);
	links_delete(memory, &list);
	delete_answers(memory, id);
	delete_turn_records(memory, id);
}

/* ---- all of it ---- */

/* False: what somebody saw is no longer what would go. */
static bool renew_search(struct deleting *deleting)
{
	struct delete_operation *own = deleting->own;
	struct store *store = deleting->memory.transaction->store;
	if (!deletion_search_stands(&own->search, &deleting->memory)) {
		const struct memory lasting = {deleting->memory.transaction, deleting->memory.user,
					       &own->operation.arena};
		own->search.forget_epoch = store->next_forget_epoch;
		(void)deletion_search_run(&own->search, &lasting, &own->deletion);
	}
	return own->search.matches &&
	       (own->token == 0 || own->token == deletion_token(&own->search.plan));
}

static enum store_result begin(struct deleting *deleting)
{
	struct delete_operation *own = deleting->own;
	if (!renew_search(deleting))
		return STORE_CHANGED;
	if (deletion_is_empty(&own->search.plan))
		return STORE_NOT_FOUND;
	deleting->report = (struct deletion_report){
		.conversations = own->search.conversations.count,
		.still_said = own->search.still_said,
	};
	own->next = 0;
	erase_facts(deleting);
	delete_what_was_made(deleting);
	return STORE_OK;
}

static void end(const struct deleting *deleting)
{
	const struct memory *memory = &deleting->memory;
	const struct job like = {.kind = JOB_SUMMARY};
	end_conversation(deleting);
	memory_recount_uncovered(memory, &like);
	(void)memory_delete(memory, TABLE_META, key_user(deletion_mark_prefix(), memory->user));
}

static enum store_result delete_slice(struct deleting *deleting)
{
	struct delete_operation *own = deleting->own;
	const struct memory *memory = &deleting->memory;
	struct store *store = memory->transaction->store;
	if (own->searched != STORE_OK)
		return own->searched;
	if (!own->operation.begun) {
		enum store_result result = begin(deleting);
		if (result != STORE_OK)
			return result;
	}
	/* In each slice: requests in progress may have been given what goes with it. */
	memory_note_epoch(memory, EPOCH_HIDDEN);
	if (hide_turns(deleting))
		end(deleting);
	else if (!own->operation.begun)
		put_mark(memory, own);
	if (!erasures_sync(store->erasures))
		deleting->report.unlisted = true;
	memory_note_erasures(memory->transaction);
	return STORE_OK;
}

static enum store_result run_delete(struct operation *operation, const struct memory *memory)
{
	struct delete_operation *own = (struct delete_operation *)operation;
	struct deleting deleting = {
		.memory = *memory,
		.own = own,
	};
	if (own->report != NULL)
		deleting.report = *own->report;
	const enum store_result result = delete_slice(&deleting);
	if (own->report != NULL)
		*own->report = deleting.report;
	if (operation->audit != NULL)
		audit_count(operation->audit, deleting.report.facts, deleting.report.turns,
			    deleting.report.conversations);
	return result;
}

static struct delete_operation *create(struct user_key user)
{
	struct delete_operation *own = operation_create(sizeof(*own), run_delete, &user);
	own->operation.promised = true;
	own->operation.in_slices = true;
	return own;
}

/* ---- for callers ---- */

static enum store_result search(struct store *store, struct user_key user,
				const struct deletion *deletion, struct deletion_search *search,
				struct arena *arena)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	*search = (struct deletion_search){.forget_epoch = atomic_load(&store->forget_epoch)};
	if (!transaction_begin_read(&transaction, store))
		return transaction.result;
	bool found = deletion_search_run(search, &memory, deletion);
	transaction_abort(&transaction);
	return transaction_outcome(&transaction, found);
}

struct store_call *store_delete(struct store *store, struct user_key user,
				const struct deletion *deletion, uint64_t token, int64_t now,
				struct deletion_report *report, struct store_waiter waiter)
{
	struct delete_operation *own = create(user);
	*report = (struct deletion_report){0};
	own->deletion = *deletion;
	own->deletion.about = operation_slice(&own->operation, deletion->about);
	own->deletion.entity = operation_slice(&own->operation, deletion->entity);
	own->deletion.session = operation_slice(&own->operation, deletion->session);
	own->token = token;
	own->now = now;
	own->report = report;
	own->searched = search(store, user, deletion, &own->search, &own->operation.arena);
	return writer_submit(store->writer, &own->operation, waiter);
}

void deletions_resume(struct store *store)
{
	struct transaction transaction;
	struct scan scan;
	const struct key prefix = deletion_mark_prefix();
	if (!transaction_begin_read(&transaction, store))
		return;
	scan_begin(&scan, &transaction, TABLE_META, prefix, FORWARD);
	while (scan_step(&scan)) {
		struct slice user = slice_part(scan.at, prefix.size, scan.at.size);
		struct delete_operation *own = create(key_read_user(user));
		struct unfinished_deletion unfinished = {.arena = &own->operation.arena};
		(void)table_decode(&transaction, scan.value, unfinished_deletion_fields,
				   &unfinished, NULL);
		own->now = unfinished.now;
		own->search.plan.turns = unfinished.turns;
		own->search.plan.conversation = (uint32_t)unfinished.conversation;
		own->operation.begun = true;
		writer_resume(store->writer, &own->operation);
	}
	scan_end(&scan);
	transaction_abort(&transaction);
}
