#include "storage/dump/rebuilding.h"
#include "storage/user/rights.h"

/* The key of a record whose line has all of it. */
static struct key key_of(const struct dump_line *line)
{
	struct key key = line->table->is_of_user ? key_of_user(line->user) : key_empty();
	for (size_t i = 0; i < DUMP_KEY_PARTS; i++) {
		if (line->table->parts[i].size == sizeof(uint32_t))
			key = key_u32(key, (uint32_t)line->parts[i]);
		else if (line->table->parts[i].size == sizeof(uint64_t))
			key = key_u64(key, line->parts[i]);
	}
	return key;
}

static void put_conversation(const struct memory *memory, uint32_t id,
			     struct past_conversation *conversation)
{
	uint64_t number = id;
	memory_put_conversation(memory, id, conversation);
	if (conversation->session.size > 0)
		table_write(memory->transaction, TABLE_SESSIONS,
			    key_digest(key_of_user(memory->user), conversation->session),
			    stored_number_fields, &number);
}

static void put_job(const struct memory *memory, const struct dump_line *line)
{
	struct job job = line->noun.job;
	job.kind = line->parts[0] == JOB_FACTS ? JOB_FACTS : JOB_SUMMARY;
	job.exchange = line->parts[1];
	job.parked = line->table->table == TABLE_PARKED;
	memory_put_job(memory, &job);
}

static void go_behind(uint64_t *next, uint64_t id)
{
	if (*next <= id)
		*next = id + 1;
}

void rebuild_note_user(struct rebuilding *rebuilding, const struct stored_user *user)
{
	uint64_t next = user->next_turn > user->next_fact ? user->next_turn : user->next_fact;
	if (next > rebuilding->first_id)
		rebuilding->first_id = next;
}

void rebuild_keep_ahead(struct rebuilding *rebuilding, const struct memory *memory,
			const struct dump_line *line, struct stored_user *user)
{
	const struct stored_user before = *user;
	uint64_t conversation = user->next_conversation;
	if (line->table->table == TABLE_TURNS)
		go_behind(&user->next_turn, line->parts[0]);
	else if (line->table->table == TABLE_FACTS)
		go_behind(&user->next_fact, line->parts[0]);
	else if (line->table->table == TABLE_CONVERSATIONS)
		go_behind(&conversation, line->parts[0]);
	user->next_conversation = (uint32_t)conversation;
	if (user->next_turn == before.next_turn && user->next_fact == before.next_fact &&
	    user->next_conversation == before.next_conversation)
		return;
	memory_put_user(memory, user);
	rebuild_note_user(rebuilding, user);
}

void rebuild_put(struct rebuilding *rebuilding, const struct memory *memory, struct dump_line *line)
{
	const uint64_t *parts = line->parts;
	switch (line->table->table) {
	case TABLE_CONVERSATIONS:
		put_conversation(memory, (uint32_t)parts[0], &line->noun.conversation);
		return;
	case TABLE_TURNS:
		line->noun.turn.turn.id = parts[0];
		memory_put_turn(memory, &line->noun.turn);
		return;
	case TABLE_TOMBSTONES:
		memory_put_tombstone(memory, parts[0], parts[1], &line->noun.tombstone);
		return;
	case TABLE_SETTINGS:
		memory_put_settings(memory, &line->noun.settings);
		return;
	case TABLE_RECEIPTS:
		memory_put_receipt_again(memory, parts[0], &line->noun.receipt);
		return;
	case TABLE_JOBS:
	case TABLE_PARKED:
		put_job(memory, line);
		return;
	default:
		table_write(&rebuilding->transaction, line->table->table, key_of(line),
			    line->table->fields, &line->noun);
		return;
	}
}
