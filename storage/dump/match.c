/* Finds the new parts of a memory: those that are neither in the store nor erased. */
#include "core/facts/change.h"
#include "core/facts/tombstone.h"
#include "storage/dump/take_in.h"
#include "storage/files/erasures.h"
#include "storage/user/memory.h"

enum {
	ID_OFFSET = 16 /* of a record's id in its key, after the user */,
	STEPS_OF_LOOK = 2,
	BYTES_OF_LOOK = 256
};

void taking_spend(struct taking *taking, size_t steps)
{
	size_t *spare = &taking->memory.transaction->spare;
	*spare -= *spare < steps ? *spare : steps;
}

static bool is_spent(const struct taking *taking)
{
	return taking->memory.transaction->spare == 0;
}

bool taking_each(struct taking *taking, size_t count, taking_one *one)
{
	uint64_t *next = &taking->at->next;
	for (; *next < count && !is_spent(taking); ++*next)
		taking_spend(taking, one(taking, *next));
	return *next == count;
}

/* ---- what is there ---- */

/* Compares what is there with the memory. False: what is new begins. */
typedef bool match_record(struct taking *taking, uint64_t id, struct slice value);

static bool match_all(struct taking *taking, enum table table, match_record *match)
{
	const struct key user = key_of_user(taking->memory.user);
	struct scan scan;
	bool found = false;
	scan_begin_at(&scan, taking->memory.transaction, table, user,
		      key_u64(user, taking->at->next), FORWARD);
	scan_let_go(&scan);
	while (!is_spent(taking) && (found = scan_step(&scan))) {
		const uint64_t id = key_read_u64(scan.at, ID_OFFSET);
		taking_spend(taking, 1 + scan.value.size / BYTES_OF_LOOK);
		taking->at->next = id + 1;
		found = match(taking, id, scan.value);
		if (!found)
			break;
	}
	scan_end(&scan);
	return !found && !is_spent(taking);
}

/* Neighbours usually belong to one conversation. */
static struct slice session_of(struct taking *taking, uint32_t conversation)
{
	if (conversation != taking->conversation_id) {
		taking->conversation = (struct past_conversation){0};
		(void)memory_conversation(&taking->memory, conversation, &taking->conversation);
		taking->conversation_id = conversation;
		taking_spend(taking, STEPS_OF_LOOK);
	}
	return taking->conversation.session;
}

static bool match_turn(struct taking *taking, uint64_t id, struct slice value)
{
	const struct portable_memory *from = taking->from;
	struct stored_turn stored = {.turn.id = id};
	const struct turn *turn = &stored.turn;
	/* A turn that a file repeats is imported as often. */
	if (id >= taking->at->count.next_turn)
		return false;
	if (!table_decode(taking->memory.transaction, value, stored_turn_fields, &stored, NULL))
		return true;
	const size_t place =
		places_find_turn(&from->index->turns, turn, session_of(taking, turn->conversation));
	if (place == from->turn_count)
		return true;
	const struct turn *wanted = &from->turns[place].turn;
	taking->ids->known_turns[place] = turn->id;
	taking->ids->known_in[place] = turn->conversation;
	taking->ids->known_erased[place] = turn->state == TURN_HIDDEN;
	if (wanted->state == TURN_CURRENT && turn->state != TURN_CURRENT &&
	    wanted->id <= from->summary.covers)
		taking->at->count.withdrawn = true;
	return true;
}

bool taking_match_turns(struct taking *taking)
{
	return taking->from->turn_count == 0 || match_all(taking, TABLE_TURNS, match_turn);
}

static bool match_fact(struct taking *taking, uint64_t id, struct slice value)
{
	const struct portable_memory *from = taking->from;
	struct fact fact = {.id = id};
	if (!table_decode(taking->memory.transaction, value, stored_fact_fields, &fact, NULL) ||
	    !fact_is_known(&fact, 0))
		return true;
	const size_t place = places_find_fact(&from->index->facts, &fact);
	if (place < from->fact_count)
		taking->ids->known_facts[place] = id;
	return true;
}

bool taking_match_facts(struct taking *taking)
{
	return taking->from->fact_count == 0 || match_all(taking, TABLE_FACTS, match_fact);
}

/* ---- what is taken in ---- */

/* A turn without a time, or with a future one, may be as old as an erased one. */
static int64_t said_at(const struct taking *taking, int64_t at)
{
	const int64_t read_at = taking->from->read_at;
	return at > taking->now || (read_at != 0 && at >= read_at) ? INT64_MIN : at;
}

static void note_erased(struct take_in_count *count, int64_t at)
{
	count->erased += at != INT64_MIN;
	if (at != INT64_MIN && at > count->erased_at)
		count->erased_at = at;
}

static size_t choose_turn(struct taking *taking, size_t i)
{
	const struct portable_memory *from = taking->from;
	const struct memory *memory = &taking->memory;
	const struct turn *turn = &from->turns[i].turn;
	const size_t conversation = place_of_conversation(from, turn->conversation);
	const size_t first = from->index->turns.first[i]; /* stands for all that are alike */
	const bool is_known = taking->ids->known_turns[first] != 0;
	const int64_t at = said_at(taking, turn->created_at);
	const bool stands = is_known && !taking->ids->known_erased[first];
	const int64_t erased_at = stands ? INT64_MIN
					 : erasures_turn_at(memory->transaction->store->erasures,
							    memory->user, turn->hash, at);
	const bool is_erased = erased_at != INT64_MIN;
	taking->ids->known_turns[i] = taking->ids->known_turns[first];
	if (is_known)
		taking->ids->known_conversations[conversation] = taking->ids->known_in[first];
	taking->ids->new_turns[i] = !is_known && !is_erased;
	taking->from->turns[i].here = taking->ids->known_turns[i];
	taking->at->count.known += is_known && !is_erased;
	note_erased(&taking->at->count, erased_at);
	taking->at->count.undated += is_erased && at == INT64_MIN;
	if (taking->ids->new_turns[i] && taking->ids->first_new[conversation] == 0)
		taking->ids->first_new[conversation] = i + 1;
	return 1;
}

bool taking_choose_turns(struct taking *taking)
{
	return taking_each(taking, taking->from->turn_count, choose_turn);
}

static size_t choose_fact(struct taking *taking, size_t i)
{
	const struct memory *memory = &taking->memory;
	struct take_in_count *count = &taking->at->count;
	const size_t first = taking->from->index->facts.first[i];
	const bool is_known = taking->ids->known_facts[first] != 0;
	struct fact fact = taking->from->facts[i];
	fact.observed_at = said_at(taking, fact.observed_at);
	int64_t erased_at = is_known ? INT64_MIN
				     : erasures_fact_at(memory->transaction->store->erasures,
							memory->user, &fact);
	const struct tombstone *tombstone =
		is_known ? NULL : tombstones_find(&taking->tombstones, &fact, memory->arena);
	if (tombstone != NULL && tombstone->at > erased_at)
		erased_at = tombstone->at;
	const bool is_erased = erased_at != INT64_MIN;
	taking->ids->known_facts[i] = taking->ids->known_facts[first];
	taking->ids->new_facts[i] = !is_known && !is_erased;
	count->known += is_known;
	note_erased(count, erased_at);
	count->facts += !is_known && !is_erased;
	if (taking->ids->new_facts[i])
		taking->ids->facts[i] = taking->at->new_facts++;
	/* All runs of a note's words are looked for. */
	return taking->tombstones.count == 0 ? 1 : 1 + fact.value.size;
}

bool taking_choose_facts(struct taking *taking)
{
	const size_t half = taking->memory.transaction->spare / 2;
	taking->tombstones = memory_tombstones(&taking->memory);
	const size_t count = taking->tombstones.count;
	taking_spend(taking, count < half ? count : half);
	return taking_each(taking, taking->from->fact_count, choose_fact);
}
