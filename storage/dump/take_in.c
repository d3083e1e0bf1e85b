/* store_take_in(): adds a memory to a user's, exactly, and at most once.
 *
 * It goes in slices, and each slice leaves a memory that can be read. A new user is marked as being
 * forgotten until the last slice, so a failure, or the start after a crash, removes the part. A
 * known user keeps the part, and taking the same in again adds the rest. */
#include "storage/dump/take_in.h"

#include "storage/lmdb/writer.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

struct take_in_operation {
	struct operation operation;
	struct portable_memory from; /* its arrays are the caller's */
	struct take_in_count *count; /* the caller's */
	int64_t now;
	struct taking_ids ids;
	bool is_new_user;
	struct taking_place on_disk; /* the work of the committed slices */
	struct taking_place reached; /* likewise with the newest slice, which may be undone */
	uint64_t slices;             /* that `on_disk` has */
};

static taking_step_run *const steps[TAKING_STEPS] = {
	[TAKING_MATCH_TURNS] = taking_match_turns,
	[TAKING_MATCH_FACTS] = taking_match_facts,
	[TAKING_CHOOSE_TURNS] = taking_choose_turns,
	[TAKING_CHOOSE_FACTS] = taking_choose_facts,
	[TAKING_OPEN] = taking_open,
	[TAKING_ADD_TURNS] = taking_add_turns,
	[TAKING_ADD_FACTS] = taking_add_facts,
	[TAKING_SETTLE_FACTS] = taking_settle_facts,
	[TAKING_CLOSE] = taking_close,
};

static void open_user(struct taking *taking, const struct take_in_operation *own)
{
	const struct portable_memory *from = &own->from;
	const struct memory *memory = &taking->memory;
	const int64_t seen = from->turn_count > 0 ? from->turns[0].turn.created_at : own->now;
	const struct user_settings *settings = &from->settings;
	journal_open_user(memory, from->tenant, from->user, seen, &taking->user);
	taking->may_learn =
		!settings->is_stored || settings->learn || memory_settings(memory).is_stored;
}

static void run_steps(struct taking *taking)
{
	struct taking_place *at = taking->at;
	while (at->step < TAKING_STEPS && taking->memory.transaction->spare > 0) {
		if (!steps[at->step](taking))
			continue;
		at->step++;
		at->next = 0;
	}
}

/* Until the last slice, only a user without earlier records can be removed again. */
static void close_slice(struct taking *taking, bool is_over)
{
	const struct memory *memory = &taking->memory;
	struct taking_place *at = taking->at;
	if (taking->is_user_newer)
		memory_put_user(memory, &taking->user);
	if (at->step >= TAKING_ADD_FACTS && at->new_facts > 0)
		at->count.crowded += erase_least_used_facts(memory, 0, taking->now);
	if (!is_over && taking->is_new_user && taking->is_user_newer && !at->marked) {
		memory_mark_forgotten(memory);
		at->marked = true;
	} else if (is_over && at->marked) {
		memory_unmark_forgotten(memory);
	}
}

static void run_slice(struct take_in_operation *own, const struct memory *memory)
{
	struct operation *operation = &own->operation;
	struct stored_user user;
	if (!operation->begun)
		own->is_new_user = !memory_user(memory, &user);
	if (operation->slices != own->slices)
		own->on_disk = own->reached;
	own->slices = operation->slices;
	own->reached = own->on_disk;
	struct taking taking = {
		.memory = *memory,
		.from = &own->from,
		.ids = &own->ids,
		.at = &own->reached,
		.is_new_user = own->is_new_user,
		.now = own->now,
	};
	open_user(&taking, own);
	if (own->reached.count.next_turn == 0)
		own->reached.count.next_turn = taking.user.next_turn;
	run_steps(&taking);
	operation->unfinished = own->reached.step < TAKING_STEPS;
	close_slice(&taking, !operation->unfinished);
	*own->count = own->reached.count;
}

static enum store_result run_take_in(struct operation *operation, const struct memory *memory)
{
	struct take_in_operation *own = (struct take_in_operation *)operation;
	if (atomic_load(&memory->transaction->store->ends_imports))
		return STORE_FAILED;
	/* The rest of the map is for chats. */
	operation->declined = store_is_crowded(memory->transaction->store);
	if (operation->declined)
		return STORE_FULL;
	const bool may_write = operation->begun || memory_settings(memory).learn;
	if (may_write)
		run_slice(own, memory);
	return may_write ? STORE_OK : STORE_STALE;
}

/* The caller has its answer, and `from` may be gone. */
static enum store_result undo_take_in(struct operation *operation, const struct memory *memory)
{
	struct take_in_operation *own = (struct take_in_operation *)operation;
	return own->is_new_user ? memory_forget_user(memory, operation, NULL) : STORE_OK;
}

void store_end_imports(struct store *store)
{
	atomic_store(&store->ends_imports, true);
}

static void *zeroed(struct arena *arena, size_t count, size_t size)
{
	return arena_alloc(arena, (count + 1) * size);
}

static void make_room(struct take_in_operation *own)
{
	struct arena *arena = &own->operation.arena;
	const struct portable_memory *from = &own->from;
	const size_t turns = from->turn_count;
	const size_t facts = from->fact_count;
	const size_t conversations = from->conversation_count;
	own->ids = (struct taking_ids){
		.known_turns = zeroed(arena, turns, sizeof(uint64_t)),
		.known_in = zeroed(arena, turns, sizeof(uint32_t)),
		.known_erased = zeroed(arena, turns, sizeof(bool)),
		.turns = zeroed(arena, turns, sizeof(uint64_t)),
		.new_turns = zeroed(arena, turns, sizeof(bool)),
		.known_conversations = zeroed(arena, conversations, sizeof(uint32_t)),
		.conversations = zeroed(arena, conversations, sizeof(uint32_t)),
		.first_new = zeroed(arena, conversations, sizeof(size_t)),
		.ordinals_by = zeroed(arena, conversations, sizeof(uint32_t)),
		.known_facts = zeroed(arena, facts, sizeof(uint64_t)),
		.facts = zeroed(arena, facts, sizeof(uint64_t)),
		.new_facts = zeroed(arena, facts, sizeof(bool)),
	};
}

struct store_call *store_take_in(struct store *store, const struct portable_memory *memory,
				 int64_t now, struct take_in_count *count,
				 struct store_waiter waiter)
{
	const struct user_key user = store_user_key(memory->tenant, memory->user);
	struct take_in_operation *own = operation_create(sizeof(*own), run_take_in, &user);
	own->operation.grows = true;
	own->operation.in_slices = true;
	own->operation.undo = undo_take_in;
	own->from = *memory;
	own->from.tenant = operation_slice(&own->operation, memory->tenant);
	own->from.user = operation_slice(&own->operation, memory->user);
	own->now = now;
	own->count = count;
	own->on_disk.count = *count;
	if (memory->index == NULL)
		portable_index(&own->from, &own->operation.arena);
	make_room(own);
	return writer_submit(store->writer, &own->operation, waiter);
}
