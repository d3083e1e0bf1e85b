#include "storage/portable/places.h"

#include "core/text/text.h"

#include <stdlib.h>

/* The first place in a list, in order of its numbers, whose number is at least this; `count` if
 * there is none. */
static size_t first_from(const void *list, size_t count, uint64_t number,
			 uint64_t (*number_at)(const void *list, size_t place))
{
	size_t low = 0;
	size_t high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (number_at(list, middle) < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t conversation_at(const void *list, size_t place)
{
	return ((const struct portable_conversation *)list)[place].id;
}

size_t place_of_conversation(const struct portable_memory *from, uint32_t id)
{
	return first_from(from->conversations, from->conversation_count, id, conversation_at);
}

static uint64_t turn_at(const void *list, size_t place)
{
	return ((const struct portable_turn *)list)[place].turn.id;
}

size_t place_of_turn(const struct portable_memory *from, uint64_t id)
{
	const size_t at = first_from(from->turns, from->turn_count, id, turn_at);
	return at < from->turn_count && from->turns[at].turn.id == id ? at : from->turn_count;
}

/* ---- by number ---- */

static int compare_places(const void *a, const void *b)
{
	const struct place *left = a;
	const struct place *right = b;
	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return (left->place > right->place) - (left->place < right->place);
}

static void sort(struct places *places)
{
	if (places->count > 1)
		qsort(places->list, places->count, sizeof(*places->list), compare_places);
}

static uint64_t number_at(const void *list, size_t place)
{
	return ((const struct place *)list)[place].number;
}

size_t places_find(const struct places *places, uint64_t number)
{
	const size_t at = first_from(places->list, places->count, number, number_at);
	return at < places->count && places->list[at].number == number ? at : places->count;
}

uint64_t places_turn_digest(const struct turn *turn, struct slice session)
{
	struct {
		uint64_t session, hash;
		int64_t at;
		uint64_t role;
	} parts = {text_hash(session), turn->hash, turn->created_at, (uint64_t)turn->role};
	return text_hash((struct slice){(const char *)&parts, sizeof(parts)});
}

uint64_t places_fact_digest(const struct fact *fact)
{
	struct {
		uint64_t entity, key, value;
		int64_t at;
	} parts = {text_hash(fact->entity), text_hash(fact->key), text_hash(fact->value),
		   fact->observed_at};
	return text_hash((struct slice){(const char *)&parts, sizeof(parts)});
}

struct places places_of_turns(const struct portable_memory *from, struct arena *arena)
{
	struct places places = {arena_alloc(arena, (from->turn_count + 1) * sizeof(struct place)),
				from->turn_count};
	for (size_t i = 0; i < places.count; i++) {
		const struct turn *turn = &from->turns[i].turn;
		const size_t at = place_of_conversation(from, turn->conversation);
		const struct slice session = from->conversations[at].conversation.session;
		places.list[i] = (struct place){places_turn_digest(turn, session), i};
	}
	sort(&places);
	return places;
}

struct places places_of_facts(const struct portable_memory *from, struct arena *arena)
{
	struct places places = {arena_alloc(arena, (from->fact_count + 1) * sizeof(struct place)),
				from->fact_count};
	for (size_t i = 0; i < places.count; i++)
		places.list[i] = (struct place){places_fact_digest(&from->facts[i]), i};
	sort(&places);
	return places;
}

struct places places_of_fact_ids(const struct portable_memory *from, struct arena *arena)
{
	struct places places = {arena_alloc(arena, (from->fact_count + 1) * sizeof(struct place)),
				from->fact_count};
	for (size_t i = 0; i < places.count; i++)
		places.list[i] = (struct place){from->facts[i].id, i};
	sort(&places);
	return places;
}
