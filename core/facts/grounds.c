#include "core/facts/grounds.h"

#include "core/facts/facts.h"
#include "core/facts/key.h"

struct ground branch_ground(const struct branch *branch, const struct past_exchange *exchange)
{
	if (exchange == NULL)
		return (struct ground){0};
	if (id_list_has(&branch->taken, exchange->id))
		return (struct ground){.change = GROUND_TAKEN};
	return (struct ground){
		.change = id_list_has(&branch->returned, exchange->id) ? GROUND_RETURNED
								       : GROUND_UNCHANGED,
		.taken_back_at = exchange->state == TURN_CURRENT ? 0 : exchange->taken_back_at,
	};
}

bool branch_may_change(const struct branch *branch, const struct fact *fact)
{
	/* What a person decided about it does not follow what was said. */
	if (fact->pinned || fact->by.size > 0)
		return false;
	switch (fact->state) {
	case FACT_CURRENT:
		return id_list_has(&branch->taken, fact->exchange);
	case FACT_RETRACTED:
		return id_list_has(&branch->returned, fact->exchange);
	case FACT_SUPERSEDED:
		return branch->taken.count > 0;
	default:
		return false;
	}
}

struct following {
	struct fact *facts;
	const struct ground *grounds;
	bool *changed;
	size_t count;
	int64_t now;
	struct arena *arena;
	struct id_list ended; /* retracted facts */
};

bool ground_is_lost(const struct ground *ground)
{
	if (ground->change == GROUND_UNCHANGED)
		return ground->taken_back_at != 0;
	return ground->change == GROUND_TAKEN;
}

/* Ends a fact at the time its exchange was taken back: this identifies it when the exchange comes
 * back. */
static void retract(struct following *following, size_t index)
{
	struct fact *fact = &following->facts[index];
	const struct ground *ground = &following->grounds[index];
	fact->state = FACT_RETRACTED;
	fact->ended_at = ground->change == GROUND_TAKEN ? following->now : ground->taken_back_at;
	following->changed[index] = true;
	id_list_add(&following->ended, following->arena, fact->id);
}

static void supersede(const struct following *following, size_t loser, size_t winner)
{
	struct fact *fact = &following->facts[loser];
	fact->state = FACT_SUPERSEDED;
	fact->ended_at = following->facts[winner].observed_at;
	fact->superseded_by = following->facts[winner].id;
	following->changed[loser] = true;
}

/* Whether only one of the two can stand. */
static bool excludes(const struct fact *a, const struct fact *b, struct arena *arena)
{
	return slice_equal(fact_key(a->key, arena), fact_key(b->key, arena)) &&
	       slice_equal(fact_fold(a->entity, arena), fact_fold(b->entity, arena)) &&
	       (!a->many || !b->many ||
		slice_equal(fact_fold(a->value, arena), fact_fold(b->value, arena)));
}

/* Among values that exclude each other, the newest observation stands. */
static void settle(const struct following *following, size_t index)
{
	const struct fact *fact = &following->facts[index];
	for (size_t i = 0; i < following->count && fact->state == FACT_CURRENT; i++) {
		const struct fact *other = &following->facts[i];
		if (i == index || other->state != FACT_CURRENT ||
		    !excludes(fact, other, following->arena))
			continue;
		if (fact_is_newer(fact, other))
			supersede(following, i, index);
		else
			supersede(following, index, i);
	}
}

static void let_stand(const struct following *following, size_t index)
{
	struct fact *fact = &following->facts[index];
	fact->state = FACT_CURRENT;
	fact->ended_at = 0;
	fact->superseded_by = 0;
	following->changed[index] = true;
	settle(following, index);
}

/* Revives the fact that this one superseded; if that was itself taken back, the one before it. */
static void revive_before(struct following *following, uint64_t id)
{
	for (size_t i = 0; i < following->count; i++) {
		const struct fact *fact = &following->facts[i];
		if (fact->state != FACT_SUPERSEDED || fact->superseded_by != id)
			continue;
		if (ground_is_lost(&following->grounds[i]))
			retract(following, i);
		else
			let_stand(following, i);
	}
}

/* A fact whose exchange is taken may also rest on another exchange: it then moves there. */
static bool move(const struct following *following, size_t index)
{
	struct fact *fact = &following->facts[index];
	const struct ground *ground = &following->grounds[index];
	if (ground->also_said_in == 0)
		return false;
	fact->exchange = ground->also_said_in;
	if (ground->in_other_words)
		fact_unquote(fact);
	following->changed[index] = true;
	return true;
}

static void take_back(struct following *following)
{
	for (size_t i = 0; i < following->count; i++) {
		if (following->facts[i].state == FACT_CURRENT &&
		    following->grounds[i].change == GROUND_TAKEN && !move(following, i))
			retract(following, i);
	}
	/* Each fact is retracted once, so the list ends although it grows. */
	for (size_t i = 0; i < following->ended.count; i++)
		revive_before(following, following->ended.ids[i]);
}

static void give_back(struct following *following)
{
	for (size_t i = 0; i < following->count; i++) {
		const struct fact *fact = &following->facts[i];
		const struct ground *ground = &following->grounds[i];
		if (fact->state == FACT_RETRACTED && ground->change == GROUND_RETURNED &&
		    fact->ended_at == ground->taken_back_at)
			let_stand(following, i);
	}
}

void facts_follow_grounds(struct fact *facts, const struct ground *grounds, bool *changed,
			  size_t count, int64_t now, struct arena *arena)
{
	struct following following = {.facts = facts,
				      .grounds = grounds,
				      .changed = changed,
				      .count = count,
				      .now = now,
				      .arena = arena};
	take_back(&following);
	give_back(&following);
}
