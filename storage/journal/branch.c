#include "storage/journal/branch.h"

#include "core/memory/branch.h"

#include <string.h>

bool branch_turn(const struct memory *memory, uint64_t exchange, struct stored_turn *turn)
{
	struct key key = key_u64(key_of_user(memory->user), exchange);
	struct slice value;
	*turn = (struct stored_turn){.turn.id = exchange};
	bool found = exchange != 0 && table_get(memory->transaction, TABLE_TURNS, key, &value) &&
		     table_decode(memory->transaction, value, stored_turn_fields, turn, NULL);
	turn->turn.text = (struct slice){0};
	return found && turn->turn.role == ROLE_USER;
}

/* Where the exchanges begin that are looked at. */
static uint32_t find_returned(struct branch *branch, const struct memory *memory,
			      uint32_t conversation, uint32_t from)
{
	for (size_t i = 0; i < branch->kept.count; i++) {
		struct stored_turn turn;
		uint64_t id = branch->kept.ids[i];
		if (!branch_turn(memory, id, &turn) || turn.turn.state != TURN_SUPERSEDED ||
		    turn.turn.conversation != conversation || id_list_has(&branch->returned, id))
			continue;
		id_list_add(&branch->returned, memory->arena, id);
		if (turn.turn.ordinal < from)
			from = turn.turn.ordinal;
	}
	return from;
}

uint64_t branch_answer(const struct memory *memory, const struct stored_exchange *exchange,
		       uint64_t hash)
{
	uint64_t id = exchange->answer;
	for (size_t i = 0; i < ANSWERS_LIMIT && id != 0; i++) {
		struct stored_turn answer;
		if (!memory_turn(memory, id, &answer))
			return 0;
		if (answer.turn.hash == hash && answer.turn.state != TURN_HIDDEN)
			return id;
		id = answer.earlier;
	}
	return 0;
}

/* The exchange that an answer belongs to. */
static bool exchange_of(const struct memory *memory, uint64_t answer, struct stored_turn *user_turn,
			struct stored_exchange *exchange)
{
	struct stored_turn turn;
	return memory_turn(memory, answer, &turn) &&
	       branch_turn(memory, turn.turn.exchange, user_turn) &&
	       memory_exchange(memory, &user_turn->turn, exchange);
}

static void find_shown(struct branch *branch, const struct memory *memory)
{
	branch->shown = (struct id_list){0};
	for (size_t i = 0; i < branch->carried.count; i++) {
		struct stored_turn user_turn;
		struct stored_exchange exchange;
		uint64_t id = branch->carried.ids[i];
		if (exchange_of(memory, id, &user_turn, &exchange) && exchange.answer != id)
			id_list_add(&branch->shown, memory->arena, id);
	}
}

struct id_list branch_gone(const struct branch *branch, const struct memory *memory)
{
	struct id_list gone = {0};
	struct stored_turn user_turn;
	struct stored_exchange exchange;
	for (size_t i = 0; i < branch->taken.count; i++) {
		uint64_t id = branch->taken.ids[i];
		id_list_add(&gone, memory->arena, id);
		if (branch_turn(memory, id, &user_turn) &&
		    memory_exchange(memory, &user_turn.turn, &exchange) && exchange.answer != 0)
			id_list_add(&gone, memory->arena, exchange.answer);
	}
	for (size_t i = 0; i < branch->shown.count; i++) {
		if (exchange_of(memory, branch->shown.ids[i], &user_turn, &exchange))
			id_list_add(&gone, memory->arena, exchange.answer);
	}
	ids_sort(gone.ids, gone.count);
	return gone;
}

bool branch_find(struct branch *branch, const struct memory *memory, uint32_t conversation,
		 uint32_t from)
{
	struct key prefix = key_u32(key_of_user(memory->user), conversation);
	struct scan scan;
	struct slice key;
	struct slice value;
	branch->taken = (struct id_list){0};
	branch->returned = (struct id_list){0};
	from = find_returned(branch, memory, conversation, from);
	scan_begin_at(&scan, memory->transaction, TABLE_EXCHANGES, prefix, key_u32(prefix, from),
		      FORWARD);
	while (scan_next(&scan, &key, &value)) {
		struct stored_turn turn;
		uint64_t id = key_read_u64(key, EXCHANGE_OFFSET);
		if (!id_list_has(&branch->kept, id) && branch_turn(memory, id, &turn) &&
		    turn.turn.state == TURN_CURRENT)
			id_list_add(&branch->taken, memory->arena, id);
	}
	scan_end(&scan);
	find_shown(branch, memory);
	return branch->taken.count + branch->returned.count + branch->shown.count > 0;
}

/* ---- facts ---- */

/* As it is stored; 0: the exchange stands. */
static int64_t taken_back_at(const struct memory *memory, uint64_t id)
{
	struct stored_turn turn;
	struct stored_exchange exchange;
	if (!branch_turn(memory, id, &turn) || turn.turn.state == TURN_CURRENT ||
	    !memory_exchange(memory, &turn.turn, &exchange))
		return 0;
	return exchange.taken_back_at;
}

static struct ground ground_of(const struct branch *branch, const struct memory *memory,
			       uint64_t exchange)
{
	if (id_list_has(&branch->taken, exchange))
		return (struct ground){.change = GROUND_TAKEN};
	return (struct ground){
		.change = id_list_has(&branch->returned, exchange) ? GROUND_RETURNED
								   : GROUND_UNCHANGED,
		.taken_back_at = taken_back_at(memory, exchange),
	};
}

bool branch_is_taken_back(const struct branch *branch, const struct memory *memory, uint64_t id)
{
	const struct ground ground = ground_of(branch, memory, id);
	return ground_is_lost(&ground);
}

static bool stands(const struct branch *branch, const struct stored_turn *turn)
{
	if (turn->turn.state == TURN_CURRENT)
		return !id_list_has(&branch->taken, turn->turn.id);
	return id_list_has(&branch->returned, turn->turn.id);
}

/* An exchange of the conversation that stands and whose user turn reads the same; 0: none. */
static uint64_t find_twin(const struct branch *branch, const struct memory *memory,
			  const struct turn *turn, uint64_t hash)
{
	struct key prefix = key_u32(key_of_user(memory->user), turn->conversation);
	struct scan scan;
	struct slice key;
	struct slice value;
	uint64_t twin = 0;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, FORWARD);
	while (twin == 0 && scan_next(&scan, &key, &value)) {
		struct stored_exchange exchange = {0};
		struct stored_turn other;
		if (table_decode(memory->transaction, value, stored_exchange_fields, &exchange,
				 NULL) &&
		    exchange.user_hash == hash &&
		    branch_turn(memory, key_read_u64(key, EXCHANGE_OFFSET), &other) &&
		    stands(branch, &other))
			twin = other.turn.id;
	}
	scan_end(&scan);
	return twin;
}

/* The standing user turn in which the fact was said again last; 0: none. */
static uint64_t find_repetition(const struct branch *branch, const struct memory *memory,
				const struct fact *fact)
{
	struct key prefix = key_time(key_of_user(memory->user), fact->observed_at);
	struct scan scan;
	struct slice key;
	struct slice value;
	uint64_t repetition = 0;
	scan_begin(&scan, memory->transaction, TABLE_TURN_TIMES, prefix, FORWARD);
	while (repetition == 0 && scan_next(&scan, &key, &value)) {
		struct stored_turn turn;
		if (branch_turn(memory, key_read_u64(key, TURN_TIME_OFFSET), &turn) &&
		    stands(branch, &turn))
			repetition = turn.turn.id;
	}
	scan_end(&scan);
	return repetition;
}

/* Another exchange that a fact of a taken one may rest on as well. */
static void find_also_said(struct ground *ground, const struct branch *branch,
			   const struct memory *memory, const struct fact *fact)
{
	struct stored_turn turn;
	struct stored_exchange exchange;
	if (!branch_turn(memory, fact->exchange, &turn) ||
	    !memory_exchange(memory, &turn.turn, &exchange))
		return;
	ground->also_said_in = find_twin(branch, memory, &turn.turn, exchange.user_hash);
	if (ground->also_said_in != 0 || fact->observed_at <= turn.turn.created_at)
		return;
	ground->also_said_in = find_repetition(branch, memory, fact);
	ground->in_other_words = true;
}

/* Whether the fact's state may change with its ground, so that the ground is worth reading. */
static bool may_follow(const struct branch *branch, const struct fact *fact)
{
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

static struct ground *read_grounds(const struct branch *branch, const struct memory *memory,
				   const struct fact *facts, size_t count)
{
	struct ground *grounds = arena_alloc(memory->arena, count * sizeof(*grounds));
	for (size_t i = 0; i < count; i++) {
		if (!may_follow(branch, &facts[i]))
			continue;
		grounds[i] = ground_of(branch, memory, facts[i].exchange);
		if (facts[i].state == FACT_CURRENT)
			find_also_said(&grounds[i], branch, memory, &facts[i]);
	}
	return grounds;
}

bool *branch_change_facts(const struct branch *branch, const struct memory *memory,
			  struct fact *facts, size_t count, int64_t now)
{
	const struct ground *grounds = read_grounds(branch, memory, facts, count);
	bool *changed = arena_alloc(memory->arena, count * sizeof(*changed));
	facts_follow_grounds(facts, grounds, changed, count, now, memory->arena);
	return changed;
}
