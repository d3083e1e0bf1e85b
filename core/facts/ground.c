/* Facts follow their grounds, the exchanges that they rest on, as a branch takes these back and
 * returns to them. */
#include "core/facts/change.h"

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
	/* A person's decision does not depend on what was said. */
	if (fact->pinned || fact->by.size > 0)
		return false;
	switch (fact->state) {
	case FACT_CURRENT:
		return id_list_has(&branch->taken, fact->exchange);
	case FACT_FORGOTTEN:
		return id_list_has(&branch->taken, fact->exchange) ||
		       id_list_has(&branch->returned, fact->exchange);
	case FACT_RETRACTED:
		return id_list_has(&branch->returned, fact->exchange);
	case FACT_SUPERSEDED:
		return branch->taken.count > 0;
	default:
		return false;
	}
}

struct following {
	struct facts facts;
	const struct ground *grounds;
	int64_t now;
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
	struct known *known = &following->facts.known[index];
	const struct ground *ground = &following->grounds[index];
	known->fact.state = FACT_RETRACTED;
	known->fact.ended_at =
		ground->change == GROUND_TAKEN ? following->now : ground->taken_back_at;
	known->is_changed = true;
	id_list_add(&following->ended, following->facts.arena, known->fact.id);
}

/* It stands again, or loses its place to what excludes it. */
static void come_back(const struct following *following, struct known *known)
{
	known_stand(known);
	for (size_t i = 0; i < following->facts.count && known_stands(known); i++) {
		struct known *other = &following->facts.known[i];
		if (other == known || !known_stands(other) || !known_excludes(known, other))
			continue;
		if (known_outranks(known, other))
			known_end(other, known, known->fact.observed_at);
		else
			known_end(known, other, other->fact.observed_at);
	}
}

/* Revives the fact that this one superseded; if that was itself taken back, the one before it. */
static void revive_before(struct following *following, uint64_t id)
{
	for (size_t i = 0; i < following->facts.count; i++) {
		struct known *known = &following->facts.known[i];
		if (known->fact.state != FACT_SUPERSEDED || known->fact.superseded_by != id)
			continue;
		if (ground_is_lost(&following->grounds[i]))
			retract(following, i);
		else
			come_back(following, known);
	}
}

/* A fact whose exchange is taken may also rest on another exchange: it then moves there. */
static bool move(const struct following *following, size_t index)
{
	struct known *known = &following->facts.known[index];
	const struct ground *ground = &following->grounds[index];
	if (ground->also_said_in == 0)
		return false;
	known->fact.exchange = ground->also_said_in;
	if (ground->in_other_words)
		fact_unquote(&known->fact);
	known->is_changed = true;
	return true;
}

static void take_back(struct following *following)
{
	for (size_t i = 0; i < following->facts.count; i++) {
		const struct known *known = &following->facts.known[i];
		if (following->grounds[i].change != GROUND_TAKEN)
			continue;
		if (known->fact.state == FACT_FORGOTTEN)
			id_list_add(&following->ended, following->facts.arena, known->fact.id);
		else if (known_stands(known) && !move(following, i))
			retract(following, i);
	}
	/* Each fact is retracted once, so the list ends although it grows. */
	for (size_t i = 0; i < following->ended.count; i++)
		revive_before(following, following->ended.ids[i]);
}

/* A fact that the forgotten one had superseded ends again, unless a person decided on it. */
static void end_before(const struct following *following, const struct known *forgotten)
{
	for (size_t i = 0; i < following->facts.count; i++) {
		struct known *other = &following->facts.known[i];
		if (known_stands(other) && other->fact.by.size == 0 &&
		    known_excludes(forgotten, other) && known_outranks(forgotten, other))
			known_end(other, forgotten, forgotten->fact.observed_at);
	}
}

static void give_back(struct following *following)
{
	for (size_t i = 0; i < following->facts.count; i++) {
		struct known *known = &following->facts.known[i];
		const struct ground *ground = &following->grounds[i];
		if (known->fact.state == FACT_RETRACTED && ground->change == GROUND_RETURNED &&
		    known->fact.ended_at == ground->taken_back_at)
			come_back(following, known);
	}
	for (size_t i = 0; i < following->facts.count; i++) {
		const struct known *known = &following->facts.known[i];
		const struct ground *ground = &following->grounds[i];
		/* A fact that was forgotten after its branch was left had superseded nothing
		 * since. */
		if (known->fact.state == FACT_FORGOTTEN && ground->change == GROUND_RETURNED &&
		    known->fact.ended_at <= ground->taken_back_at)
			end_before(following, known);
	}
}

void facts_follow_grounds(struct fact *list, const struct ground *grounds, bool *changed,
			  size_t count, int64_t now, struct arena *arena)
{
	struct following following = {
		.facts = facts_know(list, count, 0, arena), .grounds = grounds, .now = now};
	take_back(&following);
	give_back(&following);
	for (size_t i = 0; i < count; i++) {
		list[i] = following.facts.known[i].fact;
		changed[i] = following.facts.known[i].is_changed;
	}
}
