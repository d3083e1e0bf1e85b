#include "storage/access/outdated.h"

#include "core/facts/facts.h"

/* So many of the newest facts are looked at for what holds no longer; what is hidden is found
 * wherever it stands. */
enum { LOOKED_AT = 1024, MOST_ENDED = 128, MOST = MOST_ENDED + FACTS_HIDDEN_LIMIT };

/* Whether the value stands again: a correction was taken back by a later one. */
static bool stands_again(const struct memory *memory, const struct fact *ended)
{
	enum { MOST_CORRECTIONS = 8 };
	struct fact last = *ended;
	for (int i = 0; i < MOST_CORRECTIONS && last.superseded_by != 0; i++) {
		if (!memory_read_fact(memory, last.superseded_by, &last))
			return false;
	}
	return last.state == FACT_CURRENT &&
	       fact_same_value(last.value, ended->value, memory->arena);
}

static void add(const struct memory *memory, struct slice key, struct slice value,
		struct outdated *outdated)
{
	struct fact fact = {.id = key_read_u64(key, 16)};
	if (!table_decode(memory->transaction, value, stored_fact_fields, &fact, memory->arena) ||
	    fact.ended_at == 0 || (fact.state != FACT_HIDDEN && stands_again(memory, &fact)))
		return;
	outdated->facts[MOST - 1 - outdated->count++] = (struct fact){
		.id = fact.id,
		.key = fact.key,
		.value = fact.value,
		.quote = fact.quote,
		.exchange = fact.exchange,
		.ended_at = fact.ended_at,
		.superseded_by = fact.superseded_by,
		.state = fact.state,
	};
}

static void read_facts(const struct memory *memory, struct outdated *outdated)
{
	struct scan scan;
	/* Not zeroed: mostly there are none, and each is written whole. */
	outdated->facts =
		(struct fact *)arena_bytes(memory->arena, MOST * sizeof(*outdated->facts));
	size_t ended = 0;
	size_t hidden = 0;
	scan_begin(&scan, memory->transaction, TABLE_FACTS, memory_key(memory), BACKWARD);
	scan.opens_none = true;
	for (size_t i = 0; hidden < FACTS_HIDDEN_LIMIT && scan_step(&scan); i++) {
		const unsigned state = stored_fact_state(scan.value);
		const bool is_hidden = state == FACT_HIDDEN;
		const bool has_ended = (state == FACT_SUPERSEDED || state == FACT_RETRACTED) &&
				       i < LOOKED_AT && ended < MOST_ENDED;
		if (!is_hidden && !has_ended)
			continue;
		hidden += is_hidden;
		ended += has_ended;
		add(memory, scan.at, scan_open(&scan, scan.value), outdated);
	}
	scan_end(&scan);
	outdated->facts += MOST - outdated->count;
}

/* The fact that took its place may have lost it in its turn: then another pair goes on from it. */
static void add_successor(const struct memory *memory, const struct fact *fact,
			  struct outdated *outdated)
{
	struct fact now;
	if (fact->superseded_by == 0 || !memory_read_fact(memory, fact->superseded_by, &now))
		return;
	outdated->successors[outdated->successor_count++] =
		(struct recall_successor){fact->exchange, now.exchange};
}

void outdated_read(const struct memory *memory, struct outdated *outdated)
{
	*outdated = (struct outdated){0};
	read_facts(memory, outdated);
}

void outdated_follow(const struct memory *memory, struct outdated *outdated)
{
	outdated->successors =
		arena_alloc(memory->arena, outdated->count * sizeof(*outdated->successors));
	for (size_t i = 0; i < outdated->count; i++)
		add_successor(memory, &outdated->facts[i], outdated);
}

const struct recall_successor *outdated_place(const struct outdated *outdated,
					      const struct documents *documents, size_t *count,
					      struct arena *arena)
{
	struct recall_successor *placed =
		arena_alloc(arena, outdated->successor_count * sizeof(*placed));
	*count = 0;
	for (size_t i = 0; i < outdated->successor_count; i++) {
		size_t old;
		size_t now;
		if (documents_place(documents, outdated->successors[i].old, &old) &&
		    documents_place(documents, outdated->successors[i].now, &now))
			placed[(*count)++] = (struct recall_successor){old, now};
	}
	return placed;
}
