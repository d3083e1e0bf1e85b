/* store_import(): journals past turns, all or none.
 *
 * Many turns of a new user are written in slices under the mark of a user being forgotten: after a
 * failure, or a crash and the next start, the part is removed. The turns of a user who already has
 * a memory are written in one transaction, since a part of them could not be told from the rest. */
#include "storage/journal/journal.h"
#include "storage/lmdb/writer.h"
#include "storage/user/rights.h"

struct import_operation {
	struct operation operation;
	struct user_key user;
	struct slice tenant;
	struct slice user_id;
	const struct imported_turn *turns; /* the caller's */
	size_t count;
	bool learn;
	struct slice model;
	int64_t now;
	/* Of the committed slices; a run that is undone does not change these. */
	uint64_t first_turn;
	uint32_t unnamed;
};

/* Steps that a turn takes: roughly how many records are written for it, and for its words. */
enum { STEPS_OF_TURN = 16, BYTES_OF_STEP = 4 };

static size_t steps_of(const struct imported_turn *turn)
{
	return STEPS_OF_TURN + turn->text.size / BYTES_OF_STEP;
}

/* One run of the import. */
struct importing {
	struct memory memory;
	bool learn;
	struct job like;
	struct stored_user user;
	uint64_t first_turn;      /* the id of its first turn */
	uint32_t unnamed;         /* the conversation of turns without a session; 0: not begun */
	uint32_t conversation_id; /* the open conversation; 0: none */
	struct past_conversation conversation;
};

static void close_conversation(struct importing *importing)
{
	if (importing->conversation_id != 0)
		memory_put_conversation(&importing->memory, importing->conversation_id,
					&importing->conversation);
}

static void open_conversation(struct importing *importing, struct slice session)
{
	const struct memory *memory = &importing->memory;
	if (importing->conversation_id != 0 &&
	    slice_equal(importing->conversation.session, session))
		return;
	close_conversation(importing);
	uint32_t id = session.size > 0 ? memory_session(memory, session) : importing->unnamed;
	if (id == 0 || !memory_conversation(memory, id, &importing->conversation)) {
		id = memory_begin_conversation(memory, &importing->user, session);
		importing->conversation = (struct past_conversation){.session = session};
	}
	importing->conversation_id = id;
	if (session.size == 0)
		importing->unnamed = id;
}

static void add_user_turn(struct importing *importing, const struct imported_turn *imported)
{
	struct stored_turn turn =
		journal_past_turn(imported, importing->conversation_id,
				  importing->conversation.answers, importing->learn);
	struct stored_exchange exchange = {.user_hash = imported->hash, .queued = importing->learn};
	journal_add_turn(&importing->memory, &importing->user, &turn);
	memory_put_exchange(&importing->memory, &turn.turn, &exchange);
	if (importing->learn)
		journal_add_job(&importing->memory, &importing->user, turn.turn.id,
				&importing->like);
}

/* The user turn of this import that waits for an answer in the open conversation; 0: none. */
static uint64_t find_unanswered(const struct importing *importing, struct stored_exchange *exchange)
{
	const struct memory *memory = &importing->memory;
	struct key prefix = key_u32(key_u32(key_of_user(memory->user), importing->conversation_id),
				    importing->conversation.answers);
	struct scan scan;
	uint64_t id = 0;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, BACKWARD);
	if (scan_step(&scan) &&
	    table_decode(memory->transaction, scan.value, stored_exchange_fields, exchange, NULL) &&
	    exchange->answer == 0 && key_read_u64(scan.at, 24) >= importing->first_turn)
		id = key_read_u64(scan.at, 24);
	scan_end(&scan);
	return id;
}

/* An answer without a user turn before it belongs to exchange 0. */
static void add_answer(struct importing *importing, const struct imported_turn *imported)
{
	struct stored_exchange exchange = {0};
	struct stored_turn turn =
		journal_past_turn(imported, importing->conversation_id,
				  importing->conversation.answers, importing->learn);
	turn.turn.exchange = find_unanswered(importing, &exchange);
	if (turn.turn.exchange == 0)
		exchange = (struct stored_exchange){0};
	journal_add_turn(&importing->memory, &importing->user, &turn);
	exchange.answer = turn.turn.id;
	memory_put_exchange(&importing->memory, &turn.turn, &exchange);
	journal_fingerprint_answer(&importing->memory, imported->hash, importing->conversation_id,
				   turn.turn.ordinal,
				   (struct stored_answer){.user_hash = exchange.user_hash});
	importing->conversation.answers++;
}

static void import_turn(struct importing *importing, const struct imported_turn *imported)
{
	open_conversation(importing, imported->session);
	if (imported->role == ROLE_ASSISTANT)
		add_answer(importing, imported);
	else
		add_user_turn(importing, imported);
	if (imported->created_at > importing->conversation.last_active)
		importing->conversation.last_active = imported->created_at;
	if (imported->created_at < importing->user.first_seen)
		importing->user.first_seen = imported->created_at;
	if (imported->created_at > importing->user.last_seen)
		importing->user.last_seen = imported->created_at;
}

/* Imports as many turns as the transaction has steps for. False: some are left. */
static bool import_slice(struct importing *importing, struct import_operation *own)
{
	struct transaction *transaction = importing->memory.transaction;
	size_t begin = (size_t)(importing->user.next_turn - own->first_turn);
	size_t i = begin;
	for (; i < own->count && transaction->spare > 0 && transaction->result == STORE_OK; i++) {
		size_t steps = steps_of(&own->turns[i]);
		import_turn(importing, &own->turns[i]);
		transaction->spare -= transaction->spare < steps ? transaction->spare : steps;
	}
	close_conversation(importing);
	own->unnamed = importing->unnamed;
	if (own->learn)
		journal_count_uncovered(&importing->memory, i - begin, 0, &importing->like);
	return i == own->count;
}

static void begin_import(struct importing *importing, struct import_operation *own)
{
	journal_open_user(&importing->memory, own->tenant, own->user_id, own->turns[0].created_at,
			  &importing->user);
	if (own->operation.begun)
		return;
	own->first_turn = importing->user.next_turn;
	if (own->learn)
		journal_release_jobs(&importing->memory, &importing->user);
}

static void run_slice(struct importing *importing, struct import_operation *own)
{
	const struct memory *memory = &importing->memory;
	struct operation *operation = &own->operation;
	size_t spare = memory->transaction->spare;
	/* Only a user without earlier records can be removed again. */
	bool in_slices = operation->begun || !memory_user(memory, &importing->user);
	begin_import(importing, own);
	importing->first_turn = own->first_turn;
	importing->unnamed = operation->begun ? own->unnamed : 0;
	if (!in_slices)
		memory->transaction->spare = SIZE_MAX;
	operation->unfinished = !import_slice(importing, own);
	if (!in_slices)
		memory->transaction->spare = spare;
	if (operation->unfinished && !operation->begun)
		memory_mark_forgotten(memory);
	else if (!operation->unfinished && operation->begun)
		memory_unmark_forgotten(memory);
	memory_put_user(memory, &importing->user);
}

static enum store_result run_import(struct operation *operation, const struct memory *memory)
{
	struct import_operation *own = (struct import_operation *)operation;
	struct importing importing = {
		.memory = *memory,
		.learn = own->learn,
		.like = {.model = own->model, .last_active = own->now},
	};
	const bool may_write = operation->begun || memory_settings(&importing.memory).learn;
	if (atomic_load(&memory->transaction->store->ends_imports))
		return STORE_FAILED;
	if (may_write && own->count > 0)
		run_slice(&importing, own);
	return may_write ? STORE_OK : STORE_STALE;
}

static enum store_result undo_import(struct operation *operation, const struct memory *memory)
{
	return memory_forget_user(memory, operation, NULL);
}

void store_end_imports(struct store *store)
{
	atomic_store(&store->ends_imports, true);
}

struct store_call *store_import(struct store *store, struct slice tenant, struct slice user,
				const struct imported_turn *turns, size_t count, bool learn,
				struct slice model, int64_t now, struct store_loop *loop,
				store_done *callback, void *cookie)
{
	struct import_operation *own = operation_create(sizeof(*own), run_import);
	struct operation *operation = &own->operation;
	operation->grows = true;
	operation->in_slices = true;
	operation->undo = undo_import;
	own->user = store_user_key(tenant, user);
	own->tenant = operation_slice(operation, tenant);
	own->user_id = operation_slice(operation, user);
	own->turns = turns;
	own->count = count;
	own->learn = learn;
	own->now = now;
	own->model = operation_slice(operation, model);
	return writer_submit(store->writer, operation, &own->user, loop, callback, cookie);
}
