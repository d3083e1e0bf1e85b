#include "storage/index/turn_index.h"

#include <stdlib.h>

static struct key turn_key(const struct memory *memory, uint64_t id)
{
	return key_u64(key_of_user(memory->user), id);
}

static struct key turn_time_key(const struct memory *memory, const struct turn *turn)
{
	return key_u64(key_time(key_of_user(memory->user), turn->created_at), turn->id);
}

bool memory_turn(const struct memory *memory, uint64_t id, struct stored_turn *turn)
{
	*turn = (struct stored_turn){.turn.id = id};
	return table_read(memory->transaction, TABLE_TURNS, turn_key(memory, id),
			  stored_turn_fields, turn, memory->arena);
}

bool memory_find_turn(const struct memory *memory, struct scan *turns, uint64_t id,
		      struct stored_turn *turn)
{
	struct slice value;
	*turn = (struct stored_turn){.turn.id = id};
	if (!scan_find(turns, turn_key(memory, id), &value))
		return false;
	if (turns->opens_none)
		value = scan_open(turns, value);
	return table_decode(memory->transaction, value, stored_turn_fields, turn, memory->arena);
}

void memory_put_turn(const struct memory *memory, struct stored_turn *turn)
{
	struct transaction *transaction = memory->transaction;
	struct key time_key = turn_time_key(memory, &turn->turn);
	/* while its words can still be read */
	if (turn->turn.state == TURN_HIDDEN)
		memory_unindex_turns(memory, &turn->turn.id, 1);
	else
		index_put_turn(memory, &turn->turn);
	table_write(transaction, TABLE_TURNS, turn_key(memory, turn->turn.id), stored_turn_fields,
		    turn);
	if (turn->turn.state == TURN_CURRENT)
		table_put(transaction, TABLE_TURN_TIMES, time_key, (struct slice){0});
	else
		(void)table_delete(transaction, TABLE_TURN_TIMES, time_key);
}

void memory_shorten_turn(const struct memory *memory, struct stored_turn *turn)
{
	index_shorten_turn(memory, &turn->turn);
	memory_put_turn(memory, turn);
}

/* Neighbours usually belong to one conversation, so the last session is checked first. */
static struct slice session_of(const struct turn_list *list, const struct memory *memory,
			       uint32_t id)
{
	if (list->count > 0 && list->turns[list->count - 1].conversation == id)
		return list->turns[list->count - 1].session;
	struct past_conversation conversation = {0};
	(void)memory_conversation(memory, id, &conversation);
	return conversation.session;
}

bool turn_list_add(struct turn_list *list, const struct memory *memory, const struct turn *turn)
{
	/* A single turn always fits, however long it is. */
	if (list->count > 0 && list->text + turn->text.size > MEMORY_TEXT_LIMIT)
		return false;
	list->turns = arena_grow(memory->arena, list->turns, list->count, &list->capacity,
				 sizeof(*list->turns));
	struct turn *added = &list->turns[list->count];
	*added = *turn;
	if (!list->sessionless)
		added->session = session_of(list, memory, turn->conversation);
	list->count++;
	list->text += turn->text.size;
	return true;
}

void turn_list_add_newest(struct turn_list *list, const struct memory *memory, size_t count)
{
	struct scan times;
	struct scan turns;
	struct key user = key_of_user(memory->user);
	scan_begin(&times, memory->transaction, TABLE_TURN_TIMES, user, BACKWARD);
	scan_begin(&turns, memory->transaction, TABLE_TURNS, user, FORWARD);
	for (size_t i = 0; i < count && scan_step(&times); i++) {
		struct stored_turn stored;
		if (memory_find_turn(memory, &turns, key_read_u64(times.at, 24), &stored) &&
		    !turn_list_add(list, memory, &stored.turn))
			break;
	}
	scan_end(&turns);
	scan_end(&times);
}

static int compare_turns(const void *left, const void *right)
{
	const struct turn *a = left;
	const struct turn *b = right;
	int order = (a->created_at > b->created_at) - (a->created_at < b->created_at);
	return order != 0 ? order : (a->id > b->id) - (a->id < b->id);
}

void turn_list_sort(struct turn_list *list)
{
	if (list->count == 0)
		return;
	qsort(list->turns, list->count, sizeof(*list->turns), compare_turns);
	size_t kept = 1;
	for (size_t i = 1; i < list->count; i++) {
		if (list->turns[i].id != list->turns[kept - 1].id)
			list->turns[kept++] = list->turns[i];
	}
	list->count = kept;
}
