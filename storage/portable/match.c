/* Finds the new parts of a memory: those that are neither in the store nor erased. */
#include "core/facts/change.h"
#include "core/facts/tombstone.h"
#include "storage/erasures/erasures.h"
#include "storage/portable/taking.h"
#include "storage/user/rights.h"

enum {
	ID_OFFSET = 16 /* of a record's id in its key, after the user */,
	STEPS_OF_LOOK = 2,
	STEPS_OF_SEARCH = 100, /* in a note, for what has a tombstone */
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

/* ---- what is there ---- */

static void match_turn(struct taking *taking, const struct turn *turn, struct slice session)
{
	const struct places *places = &taking->from->index->turns;
	const size_t place = places_find_turn(places, turn, session);
	if (place == places->count)
		return;
	const struct turn *wanted = &taking->from->turns[place].turn;
	taking->ids->known_turns[place] = turn->id;
	taking->ids->known_in[place] = turn->conversation;
	if (wanted->state == TURN_CURRENT && turn->state != TURN_CURRENT &&
	    wanted->id <= taking->from->summary.covers)
		taking->at->count.withdrawn = true;
}

bool taking_match_turns(struct taking *taking)
{
	const struct memory *memory = &taking->memory;
	const struct key user = key_of_user(memory->user);
	struct past_conversation conversation = {0};
	uint32_t last = 0;
	struct scan scan;
	struct slice key;
	struct slice value;
	bool found = false;
	if (taking->from->turn_count == 0)
		return true;
	scan_begin_at(&scan, memory->transaction, TABLE_TURNS, user,
		      key_u64(user, taking->at->next), FORWARD);
	scan_let_go(&scan);
	while (!is_spent(taking) && (found = scan_next(&scan, &key, &value))) {
		struct stored_turn stored = {.turn.id = key_read_u64(key, ID_OFFSET)};
		taking_spend(taking, 1 + value.size / BYTES_OF_LOOK);
		taking->at->next = stored.turn.id + 1;
		/* What is alike in one file is taken in as often. */
		found = stored.turn.id < taking->at->count.next_turn;
		if (!found)
			break;
		if (!table_decode(memory->transaction, value, stored_turn_fields, &stored, NULL))
			continue;
		if (stored.turn.conversation != last) {
			conversation = (struct past_conversation){0};
			(void)memory_conversation(memory, stored.turn.conversation, &conversation);
			last = stored.turn.conversation;
			taking_spend(taking, STEPS_OF_LOOK);
		}
		match_turn(taking, &stored.turn, conversation.session);
	}
	scan_end(&scan);
	return !found && !is_spent(taking);
}

static void match_fact(struct taking *taking, const struct fact *fact)
{
	const struct places *places = &taking->from->index->facts;
	const size_t place = places_find_fact(places, fact);
	if (place < places->count)
		taking->ids->known_facts[place] = fact->id;
}

bool taking_match_facts(struct taking *taking)
{
	const struct memory *memory = &taking->memory;
	const struct key user = key_of_user(memory->user);
	struct scan scan;
	struct slice key;
	struct slice value;
	bool found = false;
	if (taking->from->fact_count == 0)
		return true;
	scan_begin_at(&scan, memory->transaction, TABLE_FACTS, user,
		      key_u64(user, taking->at->next), FORWARD);
	scan_let_go(&scan);
	while (!is_spent(taking) && (found = scan_next(&scan, &key, &value))) {
		struct fact fact = {.id = key_read_u64(key, ID_OFFSET)};
		taking_spend(taking, 1 + value.size / BYTES_OF_LOOK);
		taking->at->next = fact.id + 1;
		if (table_decode(memory->transaction, value, stored_fact_fields, &fact, NULL) &&
		    fact_is_known(&fact, 0))
			match_fact(taking, &fact);
	}
	scan_end(&scan);
	return !found && !is_spent(taking);
}

/* ---- what is taken in ---- */

/* What has a time that has not come may be as old as what was erased. */
static int64_t said_at(const struct taking *taking, int64_t at)
{
	return at > taking->now ? INT64_MIN : at;
}

static void note_erased(struct take_in_count *count, int64_t at)
{
	count->erased += at != INT64_MIN;
	if (at != INT64_MIN && at > count->erased_at)
		count->erased_at = at;
}

static void choose_turn(struct taking *taking, size_t i)
{
	const struct portable_memory *from = taking->from;
	const struct memory *memory = &taking->memory;
	const struct turn *turn = &from->turns[i].turn;
	const size_t conversation = place_of_conversation(from, turn->conversation);
	const size_t first = from->index->turns.first[i]; /* stands for all that are alike */
	const bool is_known = taking->ids->known_turns[first] != 0;
	const int64_t erased_at =
		is_known ? INT64_MIN
			 : erasures_turn_at(memory->transaction->store->erasures, memory->user,
					    turn->hash, said_at(taking, turn->created_at));
	const bool is_erased = erased_at != INT64_MIN;
	taking->ids->known_turns[i] = taking->ids->known_turns[first];
	if (is_known)
		taking->ids->known_conversations[conversation] = taking->ids->known_in[first];
	taking->ids->new_turns[i] = !is_known && !is_erased;
	taking->from->turns[i].here = taking->ids->known_turns[i];
	taking->at->count.known += is_known;
	note_erased(&taking->at->count, erased_at);
	if (taking->ids->new_turns[i])
		taking->ids->wanted[conversation] = true;
}

bool taking_choose_turns(struct taking *taking)
{
	uint64_t *next = &taking->at->next;
	for (; *next < taking->from->turn_count && !is_spent(taking); ++*next) {
		choose_turn(taking, *next);
		taking_spend(taking, 1);
	}
	return *next == taking->from->turn_count;
}

static void choose_fact(struct taking *taking, size_t i)
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
	if (taking->ids->new_facts[i])
		taking->ids->facts[i] = count->facts++;
}

bool taking_choose_facts(struct taking *taking)
{
	uint64_t *next = &taking->at->next;
	taking->tombstones = memory_tombstones(&taking->memory);
	for (; *next < taking->from->fact_count && !is_spent(taking); ++*next) {
		choose_fact(taking, *next);
		taking_spend(taking, taking->tombstones.count == 0 ? 1 : STEPS_OF_SEARCH);
	}
	return *next == taking->from->fact_count;
}
