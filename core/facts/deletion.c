#include "core/facts/deletion.h"

#include "core/text/text.h"

bool deletion_reads_texts(const struct deletion *deletion)
{
	return (deletion->kind == DELETION_TOPIC && !deletion->keeps_turns) ||
	       (deletion->kind == DELETION_FACT && deletion->with_source);
}

/* The id that the turns of an exchange share; an answer to nothing has its own. */
static uint64_t group_of(const struct deletable_turn *turn)
{
	return turn->exchange != 0 ? turn->exchange : turn->id;
}

static bool begins_group(const struct deletable_turn *turn)
{
	return group_of(turn) == turn->id;
}

static bool is_in_span(const struct deletion *deletion, int64_t at)
{
	return at >= deletion->since && at < deletion->until;
}

/* Whether the turn's exchange goes because of this turn. */
static bool is_meant(const struct deletion_plan *plan, const struct deletion *deletion,
		     const struct deletable_turn *turn)
{
	switch (deletion->kind) {
	case DELETION_FACT:
		return deletion->with_source &&
		       (turn->says || id_list_has(&plan->sources, group_of(turn)));
	case DELETION_TURN:
		return turn->id == deletion->id;
	case DELETION_CONVERSATION:
		return deletion->id != 0 && turn->conversation == deletion->id;
	case DELETION_SPAN:
		return begins_group(turn) && is_in_span(deletion, turn->created_at);
	case DELETION_TOPIC:
		break;
	}
	return turn->says && !deletion->keeps_turns;
}

static bool holds(const struct id_list *list, uint64_t id)
{
	return ids_hold(list->ids, list->count, id);
}

/* An answer whose question is not among the user's turns goes by its own time. */
static bool is_orphan(const struct deletable_turn *turns, size_t count,
		      const struct deletable_turn *turn)
{
	size_t at = ids_first_from(turns, count, sizeof(*turns), turn->exchange);
	return at == count || turns[at].id != turn->exchange;
}

void deletion_take_turns(struct deletion_plan *plan, const struct deletion *deletion,
			 const struct deletable_turn *turns, size_t count, struct arena *arena)
{
	for (size_t i = 0; i < count; i++) {
		const struct deletable_turn *turn = &turns[i];
		bool is_stray = deletion->kind == DELETION_SPAN && !begins_group(turn) &&
				is_in_span(deletion, turn->created_at) &&
				is_orphan(turns, count, turn);
		if (is_stray || is_meant(plan, deletion, turn))
			id_list_add(&plan->exchanges, arena, group_of(turn));
	}
	id_list_sort(&plan->exchanges);
	for (size_t i = 0; i < count; i++) {
		if (!turns[i].is_hidden && holds(&plan->exchanges, group_of(&turns[i])))
			id_list_add(&plan->turns, arena, turns[i].id);
	}
	if (deletion->kind == DELETION_CONVERSATION)
		plan->conversation = (uint32_t)deletion->id;
}

bool deletion_takes_source(const struct deletion_plan *plan, const struct fact *fact)
{
	return fact->exchange != 0 && holds(&plan->exchanges, fact->exchange);
}

static bool is_same_name(struct slice a, struct slice b)
{
	return text_says(a, b) && text_says(b, a);
}

static bool is_about(const struct deletion *deletion, const struct deletable_fact *fact)
{
	if (deletion->entity.size > 0 && !is_same_name(fact->fact->entity, deletion->entity))
		return false;
	return deletion->about.size == 0 || fact->says;
}

/* Whether the fact itself is what is to be deleted. */
static bool is_named(const struct deletion *deletion, const struct deletable_fact *fact)
{
	switch (deletion->kind) {
	case DELETION_FACT:
		return fact->fact->id == deletion->id || fact->is_double;
	case DELETION_SPAN:
		return !deletion->keeps_facts && is_in_span(deletion, fact->fact->observed_at);
	case DELETION_TOPIC:
		return !deletion->keeps_facts && is_about(deletion, fact);
	case DELETION_TURN:
	case DELETION_CONVERSATION:
		break;
	}
	return false;
}

/* Adds older values whose successor goes, until there are no more: a chain may be long. */
static void take_chains(struct deletion_plan *plan, const struct deletable_fact *facts,
			size_t count, struct arena *arena)
{
	size_t before;
	do {
		id_list_sort(&plan->facts);
		before = plan->facts.count;
		for (size_t i = 0; i < count; i++) {
			const struct fact *fact = facts[i].fact;
			if (fact->superseded_by != 0 && fact->state != FACT_FORGOTTEN &&
			    ids_hold(plan->facts.ids, before, fact->superseded_by) &&
			    !ids_hold(plan->facts.ids, before, fact->id))
				id_list_add(&plan->facts, arena, fact->id);
		}
	} while (plan->facts.count > before);
}

/* Decides on a fact whose source is deleted. */
static void take_by_source(struct deletion_plan *plan, const struct deletion *deletion,
			   const struct deletable_fact *fact, struct arena *arena)
{
	struct id_list *list = &plan->facts;
	if (fact->elsewhere != 0)
		list = &plan->moved;
	else if (deletion->keeps_facts || deletion->kind == DELETION_FACT)
		list = &plan->unquoted;
	id_list_add(list, arena, fact->fact->id);
}

/* A summary may tell of a fact that goes, as its source says it. */
static void find_first(struct deletion_plan *plan, const struct deletable_fact *facts, size_t count)
{
	uint64_t first = plan->turns.count > 0 ? plan->turns.ids[0] : 0;
	for (size_t i = 0; i < count; i++) {
		const struct fact *fact = facts[i].fact;
		if (fact->exchange != 0 && (first == 0 || fact->exchange < first) &&
		    holds(&plan->facts, fact->id))
			first = fact->exchange;
	}
	plan->changed_from = first;
}

void deletion_take_named(struct deletion_plan *plan, const struct deletion *deletion,
			 const struct deletable_fact *facts, size_t count, struct arena *arena)
{
	for (size_t i = 0; i < count; i++) {
		if (facts[i].fact->state != FACT_FORGOTTEN && is_named(deletion, &facts[i]))
			id_list_add(&plan->facts, arena, facts[i].fact->id);
	}
	id_list_sort(&plan->facts);
	if (!deletion->keeps_chain)
		take_chains(plan, facts, count, arena);
	plan->named = plan->facts.count;
	for (size_t i = 0; deletion->kind == DELETION_FACT && i < count; i++) {
		const struct fact *fact = facts[i].fact;
		if (fact->exchange != 0 && holds(&plan->facts, fact->id))
			id_list_add(&plan->sources, arena, fact->exchange);
	}
}

void deletion_take_facts(struct deletion_plan *plan, const struct deletion *deletion,
			 const struct deletable_fact *facts, size_t count, struct arena *arena)
{
	for (size_t i = 0; i < count; i++) {
		const struct fact *fact = facts[i].fact;
		if (fact->state != FACT_FORGOTTEN && deletion_takes_source(plan, fact) &&
		    !ids_hold(plan->facts.ids, plan->named, fact->id))
			take_by_source(plan, deletion, &facts[i], arena);
	}
	id_list_sort(&plan->facts);
	id_list_sort(&plan->moved);
	id_list_sort(&plan->unquoted);
	find_first(plan, facts, count);
}

struct leaving deletion_leaving(const struct deletion_plan *plan)
{
	return (struct leaving){
		.turns = plan->turns.ids,
		.turn_count = plan->turns.count,
		.facts = plan->facts.ids,
		.fact_count = plan->facts.count,
		.changed_from = plan->changed_from,
	};
}

bool deletion_is_empty(const struct deletion_plan *plan)
{
	return plan->turns.count == 0 && plan->facts.count == 0 && plan->unquoted.count == 0 &&
	       plan->moved.count == 0 && plan->conversation == 0;
}

static uint64_t mix(uint64_t token, uint64_t number)
{
	/* SplitMix64's finalizer (Steele, Lea, Flood 2014) */
	uint64_t mixed = token + 0x9E3779B97F4A7C15 + number;
	mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
	mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
	return mixed ^ (mixed >> 31);
}

static uint64_t mix_list(uint64_t token, const struct id_list *list)
{
	token = mix(token, list->count);
	for (size_t i = 0; i < list->count; i++)
		token = mix(token, list->ids[i]);
	return token;
}

uint64_t deletion_token(const struct deletion_plan *plan)
{
	uint64_t token = mix(0, plan->conversation);
	token = mix_list(token, &plan->turns);
	token = mix_list(token, &plan->facts);
	token = mix_list(token, &plan->unquoted);
	token = mix_list(token, &plan->moved);
	return token == 0 ? 1 : token;
}
