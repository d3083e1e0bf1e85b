/* store_read_memory(): all that a user can take along. */
#include "core/base/ids.h"
#include "storage/portable.h"
#include "storage/user/memory.h"

#include <stdlib.h>

static void read_conversations(const struct memory *memory, struct portable_memory *read)
{
	struct past_conversation conversation;
	struct scan scan;
	size_t capacity = 0;
	scan_begin(&scan, memory->transaction, TABLE_CONVERSATIONS, memory_key(memory), FORWARD);
	while (scan_read(&scan, stored_conversation_fields, &conversation, sizeof(conversation),
			 memory->arena)) {
		const struct portable_conversation one = {.id = key_read_u32(scan.at, KEY_ID_AT),
							  .conversation = conversation};
		read->conversations = arena_grow(memory->arena, read->conversations,
						 read->conversation_count, &capacity, sizeof(one));
		read->conversations[read->conversation_count++] = one;
	}
	scan_end(&scan);
}

static void read_turns(const struct memory *memory, struct portable_memory *read)
{
	struct stored_turn stored;
	struct scan scan;
	size_t capacity = 0;
	memory_scan(memory, &scan, TABLE_TURNS);
	while (scan_turn(&scan, &stored, memory->arena)) {
		if (stored.turn.state == TURN_HIDDEN)
			continue;
		read->turns = arena_grow(memory->arena, read->turns, read->turn_count, &capacity,
					 sizeof(*read->turns));
		read->turns[read->turn_count++] = (struct portable_turn){
			.turn = stored.turn, .learn = stored.learn, .earlier = stored.earlier};
	}
	scan_end(&scan);
}

static void read_exchange(const struct memory *memory, struct portable_turn *turn)
{
	struct stored_exchange exchange;
	struct job job;
	if (turn->turn.role != ROLE_USER || !memory_exchange(memory, &turn->turn, &exchange))
		return;
	turn->answer = exchange.answer;
	turn->own_hash = exchange.user_hash;
	turn->taken_back_at = exchange.taken_back_at;
	if (memory_job(memory, JOB_FACTS, turn->turn.id, &job))
		turn->learning = PORTABLE_PENDING;
	else
		turn->learning = exchange.queued ? PORTABLE_LEARNED : PORTABLE_NOT_LEARNED;
}

static bool read_memory(const struct memory *memory, struct portable_memory *read)
{
	struct stored_user user;
	read->settings = memory_settings(memory);
	if (!memory_user(memory, &user))
		return read->settings.is_stored;
	read->tenant = user.tenant;
	read->user = user.user;
	read_conversations(memory, read);
	read_turns(memory, read);
	for (size_t i = 0; i < read->turn_count; i++)
		read_exchange(memory, &read->turns[i]);
	read->facts = memory_facts(memory, fact_is_known, 0, &read->fact_count);
	if (read->fact_count > 0)
		qsort(read->facts, read->fact_count, sizeof(*read->facts), ids_compare);
	read->has_summary = memory_summary(memory, &read->summary);
	return true;
}

enum store_result store_read_memory(struct store *store, struct user_key user,
				    struct portable_memory *read, struct arena *arena)
{
	struct transaction transaction;
	struct memory memory = {&transaction, user, arena};
	bool found = false;
	*read = (struct portable_memory){0};
	if (transaction_begin_read(&transaction, store)) {
		found = read_memory(&memory, read);
		transaction_abort(&transaction);
	}
	if (transaction.result != STORE_OK)
		return transaction.result;
	return found ? STORE_OK : STORE_NOT_FOUND;
}
