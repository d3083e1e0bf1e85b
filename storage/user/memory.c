#include "storage/user/memory.h"

#include "core/facts/facts.h"
#include "storage/lmdb/forget_epochs.h"

#include <stdlib.h>
#include <string.h>

void memory_scan(const struct memory *memory, struct scan *scan, enum table table)
{
	scan_begin(scan, memory->transaction, table, memory_key(memory), FORWARD);
	scan_let_go(scan);
}

void memory_note_epoch(const struct memory *memory, enum epoch epoch)
{
	struct store *store = memory->transaction->store;
	forget_epochs_record(store->epochs[epoch], memory->user, ++store->next_forget_epoch);
}

bool memory_passed_epoch(const struct memory *memory, enum epoch epoch, uint64_t forget_epoch)
{
	return forget_epochs_passed(memory->transaction->store->epochs[epoch], memory->user,
				    forget_epoch);
}

bool memory_user(const struct memory *memory, struct stored_user *user)
{
	struct slice value;
	*user = (struct stored_user){0};
	if (!table_get(memory->transaction, TABLE_USERS, memory_key(memory), &value))
		return false;
	/* Without the counters in this record, ids would be issued twice. */
	if (!table_decode(memory->transaction, value, stored_user_fields, user, memory->arena))
		transaction_fail(memory->transaction);
	return memory->transaction->result == STORE_OK;
}

bool memory_has_lost_keys(const struct memory *memory)
{
	struct slice value;
	return memory->transaction->sealer != NULL &&
	       transaction_keyed_since(memory->transaction, memory->user) == INT64_MAX &&
	       table_get(memory->transaction, TABLE_USERS, memory_key(memory), &value);
}

void memory_put_user(const struct memory *memory, struct stored_user *user)
{
	memory_write(memory, TABLE_USERS, memory_key(memory), stored_user_fields, user);
}

struct key memory_exchange_key(const struct memory *memory, uint32_t conversation, uint32_t ordinal,
			       uint64_t exchange)
{
	return key_u64(key_u32(memory_conversation_key(memory, conversation), ordinal), exchange);
}

static struct key exchange_key_of(const struct memory *memory, const struct turn *turn)
{
	return memory_exchange_key(memory, turn->conversation, turn->ordinal, turn->exchange);
}

bool memory_exchange(const struct memory *memory, const struct turn *user_turn,
		     struct stored_exchange *exchange)
{
	*exchange = (struct stored_exchange){0};
	return memory_read(memory, TABLE_EXCHANGES, exchange_key_of(memory, user_turn),
			   stored_exchange_fields, exchange);
}

void memory_put_exchange(const struct memory *memory, const struct turn *user_turn,
			 struct stored_exchange *exchange)
{
	memory_write(memory, TABLE_EXCHANGES, exchange_key_of(memory, user_turn),
		     stored_exchange_fields, exchange);
}

bool memory_conversation(const struct memory *memory, uint32_t id,
			 struct past_conversation *conversation)
{
	return memory_read(memory, TABLE_CONVERSATIONS, memory_conversation_key(memory, id),
			   stored_conversation_fields, conversation);
}

void memory_put_conversation(const struct memory *memory, uint32_t id,
			     struct past_conversation *conversation)
{
	memory_write(memory, TABLE_CONVERSATIONS, memory_conversation_key(memory, id),
		     stored_conversation_fields, conversation);
}

uint32_t memory_session(const struct memory *memory, struct slice session)
{
	uint64_t conversation = 0;
	struct key key = key_digest(memory_key(memory), session);
	if (!memory_read(memory, TABLE_SESSIONS, key, stored_number_fields, &conversation))
		return 0;
	return conversation > UINT32_MAX ? 0 : (uint32_t)conversation;
}

uint32_t memory_begin_conversation(const struct memory *memory, struct stored_user *user,
				   struct slice session)
{
	uint64_t conversation = user->next_conversation++;
	if (session.size > 0)
		memory_write(memory, TABLE_SESSIONS, key_digest(memory_key(memory), session),
			     stored_number_fields, &conversation);
	return (uint32_t)conversation;
}

struct key memory_answer_key(const struct memory *memory, uint64_t hash, uint32_t conversation,
			     uint32_t ordinal)
{
	return key_u32(key_u32(memory_id_key(memory, hash), conversation), ordinal);
}

bool memory_read_fact(const struct memory *memory, uint64_t id, struct fact *fact)
{
	*fact = (struct fact){.id = id};
	return memory_read(memory, TABLE_FACTS, memory_id_key(memory, id), stored_fact_fields,
			   fact);
}

void memory_put_fact(const struct memory *memory, struct fact *fact)
{
	memory_write(memory, TABLE_FACTS, memory_id_key(memory, fact->id), stored_fact_fields,
		     fact);
}

bool fact_is_current(const struct fact *fact, int64_t now)
{
	return fact->state == FACT_CURRENT && (fact->expires_at == 0 || fact->expires_at > now);
}

bool fact_is_any(const struct fact *fact, int64_t now)
{
	(void)fact;
	(void)now;
	return true;
}

bool fact_is_known(const struct fact *fact, int64_t now)
{
	(void)now;
	return fact->state != FACT_FORGOTTEN;
}

/* Over time a user has many past facts: those that are not wanted for their state are not read. */
static bool may_be_wanted(struct slice value, bool (*wanted)(const struct fact *fact, int64_t now),
			  int64_t now)
{
	unsigned state = stored_fact_state(value);
	const struct fact unread = {.state = (enum fact_state)state};
	return state > FACT_HIDDEN || wanted(&unread, now);
}

/* Reads all its texts in one piece, which is cheaper than one by one. NULL: unreadable. */
static struct fact *read_fact(const struct memory *memory, uint64_t id, struct slice value)
{
	struct fact *fact = (struct fact *)arena_bytes(memory->arena, sizeof(*fact) + value.size);
	struct slice copy = {(char *)(fact + 1), value.size};
	*fact = (struct fact){.id = id};
	memcpy(fact + 1, value.data, value.size);
	return table_decode(memory->transaction, copy, stored_fact_fields, fact, NULL) ? fact
										       : NULL;
}

/* Sorts pointers rather than facts, so that few bytes move. */
static struct fact *sort_facts(const struct fact **list, size_t count, struct arena *arena)
{
	if (count == 0)
		return NULL;
	fact_sort_shown(list, count);
	struct fact *sorted = (struct fact *)arena_bytes(arena, count * sizeof(*sorted));
	for (size_t i = 0; i < count; i++)
		sorted[i] = *list[i];
	return sorted;
}

struct fact *memory_facts(const struct memory *memory,
			  bool (*wanted)(const struct fact *fact, int64_t now), int64_t now,
			  size_t *count)
{
	const struct fact **list = NULL;
	size_t capacity = 0;
	struct scan scan;
	*count = 0;
	memory_scan(memory, &scan, TABLE_FACTS);
	scan.opens_none = true;
	while (scan_step(&scan)) {
		if (!may_be_wanted(scan.value, wanted, now))
			continue;
		struct fact *fact = read_fact(memory, key_read_u64(scan.at, KEY_ID_AT),
					      scan_open(&scan, scan.value));
		if (fact == NULL || !wanted(fact, now))
			continue;
		list = (const struct fact **)arena_grow(memory->arena, list, *count, &capacity,
							sizeof(*list));
		list[(*count)++] = fact;
	}
	scan_end(&scan);
	return sort_facts(list, *count, memory->arena);
}

bool memory_summary(const struct memory *memory, struct summary *summary)
{
	*summary = (struct summary){0};
	if (memory_read(memory, TABLE_SUMMARIES, memory_key(memory), stored_summary_fields,
			summary))
		return true;
	*summary = (struct summary){0};
	return false;
}
