/* Writes what was learned: changes to facts, summaries, and the outcome of jobs. */
#include "core/learn/learn.h"
#include "core/base/ids.h"
#include "core/facts/facts.h"
#include "core/pii/pii.h"
#include "storage/files/erasures.h"
#include "storage/lmdb/writer.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

/* Whether something read with the forget_epoch may have been hidden or taken back since. */
static bool has_changed(const struct memory *memory, uint64_t forget_epoch)
{
	return memory_passed_epoch(memory, EPOCH_HIDDEN, forget_epoch) ||
	       memory_passed_epoch(memory, EPOCH_TAKEN_BACK, forget_epoch);
}

/* ---- facts ---- */

struct learned_operation {
	struct operation operation;
	struct learned learned;
	struct turn_search *searches; /* one for each change */
	struct receipt_search receipts;
};

/* One run of the operation. */
struct applying {
	struct memory memory;
	const struct learned_operation *own;
	uint64_t *ids; /* of the changes' facts */
	struct hiding hiding;
	size_t forgotten;     /* facts, and texts that no fact held */
	bool conceals;        /* what no fact held: the turn that asked for it goes, too */
	struct pii_told told; /* what the exchange's turns lose */
};

/* Assigns ids before any change is applied, since a change may refer to a later one. */
static void give_ids(struct applying *applying, struct stored_user *user)
{
	const struct learned_operation *own = applying->own;
	applying->ids = arena_alloc(applying->memory.arena,
				    own->learned.change_count * sizeof(*applying->ids));
	for (size_t i = 0; i < own->learned.change_count; i++) {
		const struct change *change = &own->learned.changes[i];
		applying->ids[i] = change->fact.id == 0 && (change->kind == CHANGE_ADD ||
							    change->kind == CHANGE_CONCEAL)
					   ? user->next_fact++
					   : change->fact.id;
	}
}

static uint64_t successor(const struct applying *applying, const struct change *change)
{
	if (change->replaced_by < 0 ||
	    (size_t)change->replaced_by >= applying->own->learned.change_count)
		return change->fact.superseded_by;
	return applying->ids[change->replaced_by];
}

static void add_fact(const struct applying *applying, const struct change *change, uint64_t id)
{
	struct fact fact = change->fact;
	fact.id = id;
	fact.superseded_by = successor(applying, change);
	/* an old message that was imported again */
	if (erasures_hold_fact(applying->memory.transaction->store->erasures, applying->memory.user,
			       &fact))
		return;
	memory_put_fact(&applying->memory, &fact);
}

static void update_fact(const struct applying *applying, const struct change *change)
{
	struct fact fact;
	bool is_stored = memory_read_fact(&applying->memory, change->fact.id, &fact);
	if (change_update_fact(&fact, is_stored, change, successor(applying, change),
			       applying->own->learned.exchange))
		memory_put_fact(&applying->memory, &fact);
}

static void forget_fact(struct applying *applying, const struct change *change)
{
	struct fact fact;
	if (!memory_read_fact(&applying->memory, change->fact.id, &fact))
		return;
	erasures_add_fact(applying->memory.transaction->store->erasures, applying->memory.user,
			  &fact, applying->own->learned.now);
	erasure_forget_fact(&applying->hiding.erasure, &fact, applying->own->learned.now,
			    applying->memory.arena);
	memory_put_fact(&applying->memory, &fact);
	hide_exchange(&applying->hiding, fact.exchange);
	applying->forgotten++;
}

static bool is_said_by_user(const struct applying *applying, uint64_t id, int64_t until,
			    struct stored_turn *said)
{
	return memory_turn(&applying->memory, id, said) && said->turn.role == ROLE_USER &&
	       said->turn.state == TURN_CURRENT && said->turn.created_at <= until;
}

/* Rests a fact that memory did not hold on the newest turn of the user's that says it. */
static bool find_source(struct applying *applying, const struct turn_search *found,
			struct fact *fact)
{
	struct arena *arena = applying->memory.arena;
	struct stored_turn said;
	size_t at = found->turns.count;
	while (at > 0 &&
	       !is_said_by_user(applying, found->turns.ids[at - 1], fact->ended_at, &said))
		at--;
	if (at == 0)
		return false;
	fact->exchange = said.turn.exchange;
	fact->observed_at = said.turn.created_at;
	fact->quote = learn_words_for(said.turn.text, fact->value, arena);
	return true;
}

/* It and the turns that say it stay, but nothing that was made of them. */
static void conceal_fact(struct applying *applying, size_t index)
{
	const struct change *change = &applying->own->learned.changes[index];
	const struct memory *memory = &applying->memory;
	struct turn_search found = turn_search_now(&applying->own->searches[index], memory);
	struct fact fact = change->fact;
	const bool is_new = change->fact.id == 0;
	fact.id = applying->ids[index];
	if (is_new ? !find_source(applying, &found, &fact)
		   : !memory_read_fact(&applying->memory, fact.id, &fact) ||
			     fact.state != FACT_CURRENT)
		return;
	fact.state = FACT_HIDDEN;
	fact.ended_at = change->fact.ended_at;
	memory_put_fact(&applying->memory, &fact);
	applying->forgotten++;
	applying->conceals |= is_new;
	erasure_conceal_fact(&applying->hiding.erasure, &fact, memory->arena);
	exchange_list_turns(memory, fact.exchange, &found.turns);
	for (size_t i = 0; i < found.turns.count; i++)
		erasure_note_turn(&applying->hiding.erasure, found.turns.ids[i], memory->arena);
}

/* A value that the user named does not come back with its branch. */
static void forget_taken_back(struct applying *applying, struct slice value)
{
	const struct memory *memory = &applying->memory;
	size_t count;
	const struct fact *facts = memory_facts(memory, fact_is_known, 0, &count);
	for (size_t i = 0; i < count; i++) {
		if (facts[i].state == FACT_RETRACTED && facts[i].by.size == 0 &&
		    id_list_has(&applying->hiding.erasure.exchanges, facts[i].exchange) &&
		    fact_same_value(facts[i].value, value, memory->arena))
			forget_fact(applying, &(struct change){.fact.id = facts[i].id});
	}
}

static void hide_text(struct applying *applying, size_t index)
{
	const struct learned_operation *own = applying->own;
	const size_t before = applying->hiding.erasure.turns.count;
	const struct turn_search found = turn_search_now(&own->searches[index], &applying->memory);
	hide_found(&applying->hiding, &found, own->learned.changes[index].fact.observed_at);
	applying->forgotten += applying->hiding.erasure.turns.count > before;
	if (applying->hiding.erasure.turns.count > before)
		forget_taken_back(applying, own->learned.changes[index].fact.value);
}

static void note_said(struct applying *applying, const struct fact *fact)
{
	const struct pii_said said = {.value = fact->value,
				      .quote = fact->quote,
				      .exchange = applying->own->learned.exchange,
				      .classes = fact->classes};
	pii_told_add(&applying->told, &said, applying->memory.arena);
}

static void mask_turn(struct applying *applying, uint64_t id)
{
	const struct memory *memory = &applying->memory;
	const uint64_t own = applying->own->learned.exchange;
	struct stored_turn stored = {0};
	if (!memory_turn(memory, id, &stored) || stored.turn.state == TURN_HIDDEN)
		return;
	const struct slice masked = pii_mask_told(stored.turn.text, id == own ? own : 0,
						  &applying->told, memory->arena);
	if (slice_equal(masked, stored.turn.text))
		return;
	stored.turn.text = masked;
	memory_shorten_turn(memory, &stored);
	erasure_note_turn(&applying->hiding.erasure, id, memory->arena);
}

/* The exchange's turns, superseded answers included. */
static void mask_exchange(struct applying *applying)
{
	enum { MOST_COMPARED = 64 * 1024 * 1024 };
	struct id_list turns = {0};
	if (applying->told.count == 0)
		return;
	applying->told.left = MOST_COMPARED;
	exchange_list_turns(&applying->memory, applying->own->learned.exchange, &turns);
	for (size_t i = 0; i < turns.count; i++)
		mask_turn(applying, turns.ids[i]);
}

static void apply(struct applying *applying, size_t index)
{
	const struct change *change = &applying->own->learned.changes[index];
	switch (change->kind) {
	case CHANGE_ADD:
		add_fact(applying, change, applying->ids[index]);
		return;
	case CHANGE_UPDATE:
		update_fact(applying, change);
		return;
	case CHANGE_DROP:
		(void)table_delete(applying->memory.transaction, TABLE_FACTS,
				   memory_id_key(&applying->memory, change->fact.id));
		return;
	case CHANGE_FORGET:
		forget_fact(applying, change);
		return;
	case CHANGE_CONCEAL:
		conceal_fact(applying, index);
		return;
	case CHANGE_HIDE:
		hide_text(applying, index);
		return;
	case CHANGE_MASK:
		note_said(applying, &change->fact);
		return;
	}
}

static enum store_result apply_all(struct applying *applying)
{
	const struct learned_operation *own = applying->own;
	const struct memory *memory = &applying->memory;
	struct stored_user user = {0};
	struct job job;
	if (!memory_user(memory, &user) ||
	    !memory_job(memory, JOB_FACTS, own->learned.exchange, &job))
		return STORE_STALE;
	if (has_changed(memory, own->learned.forget_epoch))
		return STORE_CHANGED;
	hiding_init(&applying->hiding, memory);
	applying->hiding.listed_at = own->learned.now;
	applying->hiding.found = &own->receipts;
	const uint64_t next_fact = user.next_fact;
	give_ids(applying, &user);
	if (own->learned.hide_exchange)
		hide_exchange(&applying->hiding, own->learned.exchange);
	for (size_t i = 0; i < own->learned.change_count; i++)
		apply(applying, i);
	mask_exchange(applying);
	if (applying->conceals)
		hide_exchange(&applying->hiding, own->learned.exchange);
	(void)memory_delete_job(memory, JOB_FACTS, own->learned.exchange);
	hiding_finish(&applying->hiding, &job);
	if (applying->hiding.erasure.forgotten &&
	    erasures_sync(memory->transaction->store->erasures))
		memory_note_erasures(memory->transaction);
	if (user.next_fact != next_fact) {
		memory_put_user(memory, &user);
		(void)erase_least_used_facts(memory, 0, own->learned.now);
	}
	return STORE_OK;
}

static enum store_result run_learned(struct operation *operation, const struct memory *memory)
{
	struct learned_operation *own = (struct learned_operation *)operation;
	struct applying applying = {.memory = *memory, .own = own};
	enum store_result result = apply_all(&applying);
	operation->count = applying.forgotten;
	return result;
}

/* Forgetting must succeed even if the store is full, and takes along what was learned with it. */
static bool grows(const struct learned_operation *own)
{
	bool adds = false;
	for (size_t i = 0; i < own->learned.change_count; i++) {
		enum change_kind kind = own->learned.changes[i].kind;
		if (kind == CHANGE_FORGET || kind == CHANGE_CONCEAL || kind == CHANGE_HIDE ||
		    kind == CHANGE_MASK)
			return false;
		adds = adds || kind == CHANGE_ADD;
	}
	return adds && !own->learned.hide_exchange;
}

static const struct change *copy_changes(struct operation *operation, const struct change *changes,
					 size_t count)
{
	struct change *copies = operation_copy(operation, changes, count * sizeof(*changes));
	for (size_t i = 0; i < count; i++) {
		struct fact *fact = &copies[i].fact;
		fact->entity = operation_slice(operation, fact->entity);
		fact->kind = operation_slice(operation, fact->kind);
		fact->key = operation_slice(operation, fact->key);
		fact->value = operation_slice(operation, fact->value);
		fact->quote = operation_slice(operation, fact->quote);
		fact->keywords = operation_slice(operation, fact->keywords);
	}
	return copies;
}

/* Of all turns that may go, those of the exchange itself among them. */
static void note_exchange(struct erasure *likely, const struct memory *memory, uint64_t exchange)
{
	struct id_list turns = {0};
	exchange_list_turns(memory, exchange, &turns);
	for (size_t i = 0; i < turns.count; i++)
		erasure_note_turn(likely, turns.ids[i], memory->arena);
}

/* The bytes that the change may take. */
static void note_change(const struct learned_operation *own, const struct memory *memory,
			size_t index, struct erasure *likely)
{
	const struct change *change = &own->learned.changes[index];
	const struct id_list *turns = &own->searches[index].turns;
	struct fact fact = {.id = change->fact.id};
	for (size_t i = 0; i < turns->count; i++) {
		struct stored_turn turn;
		if ((change->kind == CHANGE_HIDE || fact.id == 0) &&
		    memory_turn(memory, turns->ids[i], &turn))
			note_exchange(likely, memory, turn.turn.exchange);
		erasure_note_turn(likely, turns->ids[i], memory->arena);
	}
	if (change->kind == CHANGE_MASK || (change->kind == CHANGE_CONCEAL && fact.id == 0))
		note_exchange(likely, memory, own->learned.exchange);
	if ((change->kind != CHANGE_FORGET && change->kind != CHANGE_CONCEAL) ||
	    !memory_read_fact(memory, fact.id, &fact))
		return;
	id_list_add(&likely->facts, memory->arena, fact.id);
	note_exchange(likely, memory, fact.exchange);
}

/* Runs on the caller's thread. What cannot be read now is left to the writer. */
static void search_what_goes(struct store *store, struct learned_operation *own)
{
	struct arena *arena = &own->operation.arena;
	struct transaction transaction;
	const struct memory memory = {&transaction, own->operation.user, arena};
	struct erasure likely = ERASURE_NONE;
	own->searches = arena_alloc(arena, own->learned.change_count * sizeof(*own->searches));
	for (size_t i = 0; i < own->learned.change_count; i++) {
		const struct change *change = &own->learned.changes[i];
		if (change->kind == CHANGE_HIDE || change->kind == CHANGE_CONCEAL)
			own->searches[i].fact = &change->fact;
	}
	if (!transaction_begin_read(&transaction, store))
		return;
	turn_searches_run(own->searches, own->learned.change_count, &memory);
	for (size_t i = 0; i < own->learned.change_count; i++)
		note_change(own, &memory, i, &likely);
	if (own->learned.hide_exchange)
		note_exchange(&likely, &memory, own->learned.exchange);
	const struct leaving leaving = erasure_leaving(&likely);
	receipt_search_run(&own->receipts, &memory, &leaving);
	transaction_abort(&transaction);
}

struct store_call *store_learned(struct store *store, struct user_key user,
				 const struct learned *learned, struct store_waiter waiter)
{
	struct learned_operation *own = operation_create(sizeof(*own), run_learned, &user);
	own->learned = *learned;
	own->learned.changes =
		copy_changes(&own->operation, learned->changes, learned->change_count);
	own->operation.grows = grows(own);
	own->operation.may_wait = true;
	search_what_goes(store, own);
	return writer_submit(store->writer, &own->operation, waiter);
}

/* ---- summaries ---- */

struct summarized_operation {
	struct operation operation;
	uint64_t forget_epoch;
	struct summary summary;
	uint64_t previous_covers;
};

static enum store_result run_summarized(struct operation *operation, const struct memory *memory)
{
	const struct summarized_operation *own = (struct summarized_operation *)operation;
	struct stored_turn last = {0};
	struct summary summary;
	struct job job;
	if (!memory_job(memory, JOB_SUMMARY, 0, &job))
		return STORE_STALE;
	if (has_changed(memory, own->forget_epoch))
		return STORE_CHANGED;
	(void)memory_summary(memory, &summary);
	if (summary.covers != own->previous_covers || own->summary.covers <= summary.covers ||
	    !memory_turn(memory, own->summary.covers, &last))
		return STORE_STALE;
	summary = own->summary;
	memory_write(memory, TABLE_SUMMARIES, memory_key(memory), stored_summary_fields, &summary);
	job.tries = 0;
	job.unusable = 0;
	job.not_before = 0;
	job.parked = false;
	memory_put_job(memory, &job);
	memory_recount_uncovered(memory, &job);
	return STORE_OK;
}

struct store_call *store_summarized(struct store *store, struct user_key user,
				    uint64_t forget_epoch, const struct summary *summary,
				    uint64_t previous_covers, struct store_waiter waiter)
{
	struct summarized_operation *own = operation_create(sizeof(*own), run_summarized, &user);
	own->forget_epoch = forget_epoch;
	own->summary = *summary;
	own->summary.text = operation_slice(&own->operation, summary->text);
	own->summary.model = operation_slice(&own->operation, summary->model);
	own->previous_covers = previous_covers;
	own->operation.may_wait = true;
	return writer_submit(store->writer, &own->operation, waiter);
}

/* ---- jobs that wait until their next try or, parked, until a person restarts them ---- */

static enum store_result run_postpone(struct operation *operation, const struct memory *memory)
{
	const struct job *tried = operation->input;
	struct job job;
	bool found = memory_job(memory, tried->kind, tried->exchange, &job);
	if (found) {
		/* The job's task may have changed since it was read: that stays. */
		job.tries = tried->tries;
		job.unusable = tried->unusable;
		job.not_before = tried->not_before;
		job.parked = tried->parked;
		memory_put_job(memory, &job);
	}
	return found ? STORE_OK : STORE_STALE;
}

struct store_call *store_postpone(struct store *store, struct user_key user, const struct job *job,
				  struct store_waiter waiter)
{
	struct operation *operation = operation_create(sizeof(*operation), run_postpone, &user);
	operation->input = operation_copy(operation, job, sizeof(*job));
	return writer_submit(store->writer, operation, waiter);
}

static bool is_known(const struct memory *memory)
{
	struct stored_user user;
	return memory_user(memory, &user);
}

static enum store_result run_unpark(struct operation *operation, const struct memory *memory)
{
	struct key prefix = operation->has_user ? memory_key(memory) : key_empty();
	struct memory theirs = *memory;
	struct scan scan;
	size_t count = 0;
	scan_begin(&scan, memory->transaction, TABLE_PARKED, prefix, FORWARD);
	while (scan_step(&scan)) {
		struct job job;
		theirs.user = key_read_user(scan.at);
		if (!memory_decode_job(&theirs, scan.at, scan.value, false, &job))
			continue;
		scan_delete(&scan);
		job.tries = 0;
		job.unusable = 0;
		job.not_before = 0;
		memory_put_job(&theirs, &job);
		count++;
	}
	scan_end(&scan);
	*(size_t *)operation->outcome = count;
	bool found = !operation->has_user || count > 0 || is_known(memory);
	return found ? STORE_OK : STORE_NOT_FOUND;
}

struct store_call *store_unpark(struct store *store, const struct user_key *user, size_t *count,
				struct store_waiter waiter)
{
	struct operation *operation = operation_create(sizeof(*operation), run_unpark, user);
	operation->outcome = count;
	return writer_submit(store->writer, operation, waiter);
}
