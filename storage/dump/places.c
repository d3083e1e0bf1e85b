#include "storage/dump/take_in.h"

#include "core/base/ids.h"
#include "core/facts/facts.h"
#include "core/text/text.h"

#include <stdlib.h>

size_t place_of_conversation(const struct portable_memory *from, uint32_t id)
{
	return ids_first_from(from->conversations, from->conversation_count,
			      sizeof(*from->conversations), id);
}

size_t place_of_turn(const struct portable_memory *from, uint64_t id)
{
	const size_t at = ids_first_from(from->turns, from->turn_count, sizeof(*from->turns), id);
	return at < from->turn_count && from->turns[at].turn.id == id ? at : from->turn_count;
}

uint64_t place_before(const struct portable_memory *from, uint64_t id)
{
	const size_t at =
		ids_first_from(from->places, from->place_count, sizeof(*from->places), id);
	return at < from->place_count && from->places[at].id == id ? from->places[at].here : 0;
}

/* ---- by number ---- */

static int compare_places(const void *a, const void *b)
{
	const int by_number = ids_compare(a, b);
	const size_t left = ((const struct place *)a)->place;
	const size_t right = ((const struct place *)b)->place;
	return by_number != 0 ? by_number : (left > right) - (left < right);
}

static size_t find_number(const struct places *places, uint64_t number)
{
	const size_t at =
		ids_first_from(places->list, places->count, sizeof(*places->list), number);
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

/* Of a folded text, with its spaces, which text_hash() ignores. */
static uint64_t folded_hash(struct slice folded, struct arena *arena)
{
	char *bytes = arena_string(arena, folded);
	for (size_t i = 0; i < folded.size; i++)
		bytes[i] = bytes[i] == ' ' ? '_' : bytes[i];
	return text_hash((struct slice){bytes, folded.size});
}

static uint64_t fact_digest(const struct fact *fact)
{
	struct arena scratch = {0};
	struct {
		uint64_t entity, key, value;
		int64_t at;
	} parts = {folded_hash(fact_fold(fact->entity, &scratch), &scratch),
		   folded_hash(fact_key(fact->key, &scratch), &scratch),
		   folded_hash(fact_fold(fact->value, &scratch), &scratch), fact->observed_at};
	arena_finish(&scratch);
	return text_hash((struct slice){(const char *)&parts, sizeof(parts)});
}

size_t places_find_turn(const struct places *places, const struct turn *turn, struct slice session)
{
	return find_number(places, turn_digest(turn, session));
}

size_t places_find_fact(const struct places *places, const struct fact *fact)
{
	return find_number(places, fact_digest(fact));
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

/* Places with one number are recognized as one. */
static void sort(struct places *places)
{
	if (places->count > 1)
		qsort(places->list, places->count, sizeof(*places->list), compare_places);
	for (size_t i = 0; i < places->count; i++) {
		const struct place *at = &places->list[i];
		const bool is_alike = i > 0 && at[-1].number == at->number;
		places->first[at->place] = is_alike ? places->first[at[-1].place] : at->place;
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
	sort(&index->turns);
	sort(&index->facts);
	sort(&index->fact_ids);
	from->index = index;
}
