#include "storage/portable/places.h"

#include "core/text/text.h"

#include <stdlib.h>
#include <string.h>

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

static int compare_numbers(uint64_t left, uint64_t right)
{
	return (left > right) - (left < right);
}

static int compare_places(const void *a, const void *b, void *from)
{
	const struct place *left = a;
	const struct place *right = b;
	(void)from;
	const int by_number = compare_numbers(left->number, right->number);
	return by_number != 0 ? by_number : compare_numbers(left->place, right->place);
}

static int compare_slices(struct slice a, struct slice b)
{
	const int by_size = compare_numbers(a.size, b.size);
	return by_size != 0 || a.size == 0 ? by_size : memcmp(a.data, b.data, a.size);
}

static int compare_facts(const struct fact *a, const struct fact *b)
{
	const int by_value = compare_slices(a->value, b->value);
	const int by_key = by_value != 0 ? by_value : compare_slices(a->key, b->key);
	return by_key != 0 ? by_key : compare_slices(a->entity, b->entity);
}

/* Texts that differ in white space alone have one hash. */
static int compare_fact_places(const void *a, const void *b, void *from)
{
	const struct place *left = a;
	const struct place *right = b;
	const struct fact *facts = ((const struct portable_memory *)from)->facts;
	const int by_number = compare_numbers(left->number, right->number);
	const int by_text = by_number != 0
				    ? by_number
				    : compare_facts(&facts[left->place], &facts[right->place]);
	return by_text != 0 ? by_text : compare_numbers(left->place, right->place);
}

static uint64_t number_at(const void *list, size_t place)
{
	return ((const struct place *)list)[place].number;
}

static size_t find_number(const struct places *places, uint64_t number)
{
	const size_t at = first_from(places->list, places->count, number, number_at);
	return at < places->count && places->list[at].number == number ? places->list[at].place
								       : places->count;
}

static uint64_t turn_digest(const struct turn *turn, struct slice session)
{
	struct {
		uint64_t session, hash;
		int64_t at;
		uint64_t role;
	} parts = {text_hash(session), turn->hash, turn->created_at, (uint64_t)turn->role};
	return text_hash((struct slice){(const char *)&parts, sizeof(parts)});
}

static uint64_t fact_digest(const struct fact *fact)
{
	struct {
		uint64_t entity, key, value;
		int64_t at;
	} parts = {text_hash(fact->entity), text_hash(fact->key), text_hash(fact->value),
		   fact->observed_at};
	return text_hash((struct slice){(const char *)&parts, sizeof(parts)});
}

size_t places_find_turn(const struct places *places, const struct turn *turn, struct slice session)
{
	return find_number(places, turn_digest(turn, session));
}

size_t places_find_fact(const struct places *places, const struct portable_memory *from,
			const struct fact *fact)
{
	const uint64_t digest = fact_digest(fact);
	size_t low = 0;
	size_t high = places->count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct place *at = &places->list[middle];
		const int by_number = compare_numbers(at->number, digest);
		if (by_number < 0 ||
		    (by_number == 0 && compare_facts(&from->facts[at->place], fact) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	const bool is_found = low < places->count && places->list[low].number == digest &&
			      compare_facts(&from->facts[places->list[low].place], fact) == 0;
	return is_found ? places->list[low].place : places->count;
}

size_t places_find_id(const struct places *places, uint64_t id)
{
	return find_number(places, id);
}

/* ---- an index ---- */

static struct places make_places(size_t count, struct arena *arena)
{
	return (struct places){.list = arena_alloc(arena, (count + 1) * sizeof(struct place)),
			       .count = count,
			       .first = arena_alloc(arena, (count + 1) * sizeof(size_t))};
}

/* `facts` NULL: what has one number is known again as one. */
static void sort(struct places *places, const struct portable_memory *from,
		 const struct fact *facts)
{
	if (places->count > 1)
		qsort_r(places->list, places->count, sizeof(*places->list),
			facts == NULL ? compare_places : compare_fact_places,
			(void *)(uintptr_t)from);
	for (size_t i = 0; i < places->count; i++) {
		const struct place *at = &places->list[i];
		const struct place *before = i == 0 ? at : at - 1;
		const bool is_alike = before->number == at->number &&
				      (facts == NULL || compare_facts(&facts[before->place],
								      &facts[at->place]) == 0);
		places->first[at->place] =
			is_alike && i > 0 ? places->first[before->place] : at->place;
	}
}

void portable_index(struct portable_memory *from, struct arena *arena)
{
	struct portable_index *index = arena_alloc(arena, sizeof(*index));
	*index = (struct portable_index){make_places(from->turn_count, arena),
					 make_places(from->fact_count, arena),
					 make_places(from->fact_count, arena)};
	for (size_t i = 0; i < from->turn_count; i++) {
		const struct turn *turn = &from->turns[i].turn;
		const size_t at = place_of_conversation(from, turn->conversation);
		const struct slice session = from->conversations[at].conversation.session;
		index->turns.list[i] = (struct place){turn_digest(turn, session), i};
	}
	for (size_t i = 0; i < from->fact_count; i++) {
		index->facts.list[i] = (struct place){fact_digest(&from->facts[i]), i};
		index->fact_ids.list[i] = (struct place){from->facts[i].id, i};
	}
	sort(&index->turns, from, NULL);
	sort(&index->facts, from, from->facts);
	sort(&index->fact_ids, from, NULL);
	from->index = index;
}
