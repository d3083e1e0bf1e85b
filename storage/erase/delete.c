/* store_delete(): deletes a part of a user's memory with all that was made of it.
 *
 * The first slice erases the facts and everything that requests were given, and leaves the list of
 * turns under a mark, by which the next start continues after a crash; the others erase turns. */
#include "core/facts/change.h"
#include "core/facts/deletion.h"
#include "core/facts/facts.h"
#include "core/text/terms.h"
#include "storage/audit.h"
#include "storage/deletions.h"
#include "storage/files/erasures.h"
#include "storage/index/index.h"
#include "storage/lmdb/writer.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

/* Reads from a memory what the rules of core/facts/deletion.h need, and finds records derived from
 * deleted ones. */
struct deletion_search {
	struct deletion_plan plan;
	bool matches;                 /* the fact to delete is as it was asked for */
	struct deletable_turn *turns; /* all of the user's, ascending */
	size_t turn_count;
	struct deletable_fact *facts; /* all but the forgotten */
	size_t fact_count;
	struct summary summary;
	struct id_list conversations; /* of the plan's turns; ascending */
	struct receipt_search receipts;
	size_t still_said; /* turns that stay and say or name a fact that goes */
	/* By which the writer sees that nothing has changed since. */
	uint64_t next_turn;
	uint64_t facts_token;
	uint64_t forget_epoch;
};

/* All words that a text must say for its turn or fact to match. */
struct wanted {
	struct slice about;
	struct slice entity;
	/* Or one of these facts. */
	const struct fact_saying *sayings;
	size_t saying_count;
	bool any; /* texts matter at all */
};

static bool is_said(const struct wanted *wanted, struct slice text)
{
	if (!wanted->any || text.size == 0)
		return false;
	for (size_t i = 0; i < wanted->saying_count; i++) {
		if (fact_is_said(&wanted->sayings[i], text))
			return true;
	}
	return wanted->saying_count == 0 &&
	       (wanted->about.size == 0 || terms_say(text, wanted->about)) &&
	       (wanted->entity.size == 0 || terms_say(text, wanted->entity));
}

static bool is_named(const struct wanted *wanted, struct slice text)
{
	for (size_t i = 0; text.size > 0 && i < wanted->saying_count; i++) {
		if (fact_is_named(&wanted->sayings[i], text))
			return true;
	}
	return false;
}

static struct wanted topic_of(const struct deletion *deletion)
{
	struct wanted wanted = {.about = deletion->about, .entity = deletion->entity};
	if (deletion->kind != DELETION_TOPIC || !deletion_reads_texts(deletion))
		return (struct wanted){0};
	wanted.any = wanted.about.size + wanted.entity.size > 0;
	return wanted;
}

/* Looks for the first values of a long chain only. */
static struct wanted facts_of(const struct deletion_search *search, const struct deletion *deletion,
			      struct arena *arena)
{
	enum { MOST = 32 };
	struct fact_saying *sayings = arena_alloc(arena, MOST * sizeof(*sayings));
	struct wanted wanted = {.sayings = sayings};
	for (size_t i = 0; i < search->fact_count && wanted.saying_count < MOST; i++) {
		const struct fact *fact = search->facts[i].fact;
		if (ids_hold(search->plan.facts.ids, search->plan.facts.count, fact->id))
			sayings[wanted.saying_count++] = fact_saying_read(fact, arena);
	}
	wanted.any = deletion->with_source && wanted.saying_count > 0;
	return wanted;
}

/* ---- reading ---- */

static void add_turn(struct deletion_search *search, size_t *capacity, struct arena *arena,
		     const struct deletable_turn *turn)
{
	search->turns = arena_grow(arena, search->turns, search->turn_count, capacity,
				   sizeof(*search->turns));
	search->turns[search->turn_count++] = *turn;
}

static void read_turns(struct deletion_search *search, const struct memory *memory,
		       const struct wanted *wanted)
{
	struct stored_turn stored;
	struct scan scan;
	size_t capacity = 0;
	search->turns = NULL;
	search->turn_count = 0;
	memory_scan(memory, &scan, TABLE_TURNS);
	while (scan_turn(&scan, &stored, NULL)) {
		const struct turn *turn = &stored.turn;
		add_turn(search, &capacity, memory->arena,
			 &(struct deletable_turn){.id = turn->id,
						  .exchange = turn->exchange,
						  .conversation = turn->conversation,
						  .is_user = turn->role == ROLE_USER,
						  .is_hidden = turn->state == TURN_HIDDEN,
						  .says = is_said(wanted, turn->text),
						  .names = is_named(wanted, turn->text),
						  .created_at = turn->created_at});
	}
	scan_end(&scan);
}

static bool fact_says(const struct wanted *wanted, const struct fact *fact)
{
	return wanted->about.size == 0 || terms_say(fact->value, wanted->about) ||
	       terms_say(fact->quote, wanted->about) || terms_say(fact->entity, wanted->about) ||
	       terms_say(fact->key, wanted->about);
}

static uint64_t token_of_facts(const struct fact *facts, size_t count)
{
	struct deletion_plan all = {0};
	struct arena scratch = {0};
	for (size_t i = 0; i < count; i++) {
		id_list_add(&all.facts, &scratch, facts[i].id);
		id_list_add(&all.facts, &scratch, facts[i].exchange);
		id_list_add(&all.facts, &scratch, facts[i].state);
	}
	uint64_t token = deletion_token(&all);
	arena_finish(&scratch);
	return token;
}

static const struct fact *read_facts(struct deletion_search *search, const struct memory *memory,
				     const struct deletion *deletion)
{
	const struct fact *subject = NULL;
	struct fact *facts = memory_facts(memory, fact_is_known, 0, &search->fact_count);
	search->facts = arena_alloc(memory->arena, search->fact_count * sizeof(*search->facts));
	search->facts_token = token_of_facts(facts, search->fact_count);
	for (size_t i = 0; i < search->fact_count; i++) {
		search->facts[i] = (struct deletable_fact){.fact = &facts[i]};
		if (deletion->kind == DELETION_FACT && facts[i].id == deletion->id)
			subject = &facts[i];
	}
	return subject;
}

/* ---- facts that other words support, too ---- */

static bool stays(const struct deletion_plan *plan, const struct turn *turn)
{
	return turn->state == TURN_CURRENT && turn->role == ROLE_USER &&
	       !ids_hold(plan->exchanges.ids, plan->exchanges.count, turn->exchange);
}

/* The facts whose source goes, and their quotes. */
struct orphans {
	struct deletable_fact **facts;
	struct slice *quotes;
	uint32_t *found; /* room */
	size_t count;
};

static void list_orphans(struct orphans *orphans, const struct deletion_search *search,
			 struct arena *arena)
{
	orphans->facts = arena_alloc(arena, search->fact_count * sizeof(struct deletable_fact *));
	orphans->quotes = arena_alloc(arena, search->fact_count * sizeof(*orphans->quotes));
	orphans->found = arena_alloc(arena, search->fact_count * sizeof(*orphans->found));
	for (size_t i = 0; i < search->fact_count; i++) {
		struct deletable_fact *fact = &search->facts[i];
		if (!deletion_takes_source(&search->plan, fact->fact))
			continue;
		orphans->facts[orphans->count] = fact;
		orphans->quotes[orphans->count++] = fact->fact->quote;
	}
}

/* The newest turn that holds a quote counts. */
static void find_elsewhere(struct deletion_search *search, const struct memory *memory)
{
	struct orphans orphans = {0};
	struct quotes quotes;
	struct stored_turn stored;
	struct scan scan;
	list_orphans(&orphans, search, memory->arena);
	quotes_init(&quotes, orphans.quotes, orphans.count, memory->arena);
	scan_begin(&scan, memory->transaction, TABLE_TURNS, memory_key(memory), BACKWARD);
	scan_let_go(&scan);
	while (quotes.left > 0 && scan_turn(&scan, &stored, NULL)) {
		if (!stays(&search->plan, &stored.turn))
			continue;
		const size_t count = quotes_take(&quotes, stored.turn.text, orphans.found);
		for (size_t i = 0; i < count; i++)
			orphans.facts[orphans.found[i]]->elsewhere = stored.turn.exchange;
	}
	scan_end(&scan);
}

/* The exchange on which a fact of plan.moved rests from now on. */
static uint64_t deletion_search_elsewhere(const struct deletion_search *search, uint64_t fact)
{
	for (size_t i = 0; i < search->fact_count; i++) {
		if (search->facts[i].fact->id == fact)
			return search->facts[i].elsewhere;
	}
	return 0;
}

/* ---- all of it ---- */

static void list_conversations(struct deletion_search *search, struct arena *arena)
{
	const struct id_list *turns = &search->plan.turns;
	struct id_list all = {0};
	for (size_t i = 0; i < search->turn_count; i++) {
		if (ids_hold(turns->ids, turns->count, search->turns[i].id))
			id_list_add(&all, arena, search->turns[i].conversation);
	}
	ids_sort(all.ids, all.count);
	for (size_t i = 0; i < all.count; i++) {
		if (i == 0 || all.ids[i] != all.ids[i - 1])
			id_list_add(&search->conversations, arena, all.ids[i]);
	}
}

/* A conversation that does not exist takes nothing. */
static void check_conversation(struct deletion_plan *plan, const struct memory *memory)
{
	struct past_conversation conversation = {0};
	if (plan->conversation != 0 &&
	    !memory_conversation(memory, plan->conversation, &conversation))
		plan->conversation = 0;
}

/* A session that nobody knows leads to no conversation. */
static struct deletion resolve(const struct deletion *deletion, const struct memory *memory)
{
	struct deletion resolved = *deletion;
	if (deletion->session.size > 0)
		resolved.id = memory_session(memory, deletion->session);
	return resolved;
}

static void count_still_said(struct deletion_search *search)
{
	const struct id_list *exchanges = &search->plan.exchanges;
	for (size_t i = 0; i < search->turn_count; i++) {
		const struct deletable_turn *turn = &search->turns[i];
		const uint64_t exchange = turn->exchange != 0 ? turn->exchange : turn->id;
		const bool says = turn->names || turn->says ||
				  (turn->is_user && id_list_has(&search->plan.sources, exchange));
		search->still_said += says && !turn->is_hidden &&
				      !ids_hold(exchanges->ids, exchanges->count, exchange);
	}
}

/* Somebody might restore it. */
static bool says_the_same(const struct fact *subject, const struct fact *fact, struct arena *arena)
{
	if (subject == NULL || fact->state == FACT_CURRENT)
		return false;
	const struct known named = known_of(subject, arena);
	const struct known known = known_of(fact, arena);
	return known_says(&known, &named);
}

/* Searches in the memory's arena. False: there is no such user. Set forget_epoch before. */
static bool deletion_search_run(struct deletion_search *search, const struct memory *memory,
				const struct deletion *asked)
{
	const struct deletion resolved = resolve(asked, memory);
	const struct deletion *deletion = &resolved;
	struct stored_user user;
	*search = (struct deletion_search){.forget_epoch = search->forget_epoch};
	if (!memory_user(memory, &user))
		return false;
	search->next_turn = user.next_turn;
	const struct fact *subject = read_facts(search, memory, deletion);
	const struct wanted topic = topic_of(deletion);
	search->matches = subject == NULL || fact_matches(subject, deletion->match);
	for (size_t i = 0; i < search->fact_count; i++) {
		struct deletable_fact *fact = &search->facts[i];
		fact->says = fact_says(&topic, fact->fact);
		fact->is_double = says_the_same(subject, fact->fact, memory->arena);
	}
	struct deletion_plan *plan = &search->plan;
	deletion_take_named(plan, deletion, search->facts, search->fact_count, memory->arena);
	const struct wanted facts = facts_of(search, deletion, memory->arena);
	read_turns(search, memory, deletion->kind == DELETION_FACT ? &facts : &topic);
	deletion_take_turns(plan, deletion, search->turns, search->turn_count, memory->arena);
	if (deletion->kind == DELETION_FACT)
		count_still_said(search);
	check_conversation(plan, memory);
	find_elsewhere(search, memory);
	deletion_take_facts(plan, deletion, search->facts, search->fact_count, memory->arena);
	(void)memory_summary(memory, &search->summary);
	list_conversations(search, memory->arena);
	const struct leaving leaving = deletion_leaving(plan);
	receipt_search_run(&search->receipts, memory, &leaving);
	return true;
}

/* Whether it would still find the same. */
static bool deletion_search_stands(const struct deletion_search *search,
				   const struct memory *memory)
{
	struct stored_user user;
	struct summary summary;
	size_t count;
	if (!memory_user(memory, &user) || user.next_turn != search->next_turn ||
	    memory_passed_epoch(memory, EPOCH_HIDDEN, search->forget_epoch) ||
	    memory_passed_epoch(memory, EPOCH_TAKEN_BACK, search->forget_epoch))
		return false;
	(void)memory_summary(memory, &summary);
	if (summary.covers != search->summary.covers)
		return false;
	const struct fact *facts = memory_facts(memory, fact_is_known, 0, &count);
	return token_of_facts(facts, count) == search->facts_token;
}

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
