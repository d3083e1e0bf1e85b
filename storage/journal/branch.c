#include "storage/journal/branch.h"

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

struct changing {
	const struct branch *branch;
	const struct memory *memory;
	struct fact *facts;
	size_t count;
	bool *changed;
	int64_t now;
};

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

bool branch_is_taken_back(const struct branch *branch, const struct memory *memory, uint64_t id)
{
	if (id_list_has(&branch->taken, id))
		return true;
	return !id_list_has(&branch->returned, id) && taken_back_at(memory, id) != 0;
}

static bool stands(const struct changing *changing, const struct stored_turn *turn)
{
	if (turn->turn.state == TURN_CURRENT)
		return !id_list_has(&changing->branch->taken, turn->turn.id);
	return id_list_has(&changing->branch->returned, turn->turn.id);
}

/* An exchange of the conversation that stands and whose user turn reads the same; 0: none. */
static uint64_t find_twin(const struct changing *changing, const struct turn *turn, uint64_t hash)
{
	const struct memory *memory = changing->memory;
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
		    stands(changing, &other))
			twin = other.turn.id;
	}
	scan_end(&scan);
	return twin;
}

/* The standing user turn in which the fact was said again last; 0: none. */
static uint64_t find_repetition(const struct changing *changing, const struct fact *fact)
{
	const struct memory *memory = changing->memory;
	struct key prefix = key_time(key_of_user(memory->user), fact->observed_at);
	struct scan scan;
	struct slice key;
	struct slice value;
	uint64_t repetition = 0;
	scan_begin(&scan, memory->transaction, TABLE_TURN_TIMES, prefix, FORWARD);
	while (repetition == 0 && scan_next(&scan, &key, &value)) {
		struct stored_turn turn;
		if (branch_turn(memory, key_read_u64(key, TURN_TIME_OFFSET), &turn) &&
		    stands(changing, &turn))
			repetition = turn.turn.id;
	}
	scan_end(&scan);
	return repetition;
}

/* A fact whose exchange is taken may rest on another one as well: it then moves there. */
static bool move_fact(const struct changing *changing, struct fact *fact)
{
	struct stored_turn turn;
	struct stored_exchange exchange;
	if (!branch_turn(changing->memory, fact->exchange, &turn) ||
	    !memory_exchange(changing->memory, &turn.turn, &exchange))
		return false;
	uint64_t other = find_twin(changing, &turn.turn, exchange.user_hash);
	if (other == 0 && fact->observed_at > turn.turn.created_at) {
		other = find_repetition(changing, fact);
		if (other != 0)
			fact->quote = (struct slice){0};
	}
	if (other == 0)
		return false;
	fact->exchange = other;
	return true;
}

/* It ends when its exchange was taken back: by that it is known when the exchange comes back. */
static void retract(const struct changing *changing, size_t index, struct id_list *ended)
{
	struct fact *fact = &changing->facts[index];
	bool taken_now = id_list_has(&changing->branch->taken, fact->exchange);
	fact->state = FACT_RETRACTED;
	fact->ended_at =
		taken_now ? changing->now : taken_back_at(changing->memory, fact->exchange);
	changing->changed[index] = true;
	id_list_add(ended, changing->memory->arena, changing->facts[index].id);
}

static bool exclude_each_other(const struct fact *a, const struct fact *b)
{
	return slice_equal(a->entity, b->entity) && slice_equal(a->key, b->key) &&
	       (!a->many || !b->many || slice_equal(a->value, b->value));
}

static bool is_newer(const struct fact *a, const struct fact *b)
{
	return a->observed_at != b->observed_at ? a->observed_at > b->observed_at : a->id > b->id;
}

/* Of values that exclude each other the newest observation stands. */
static void settle(const struct changing *changing, size_t index)
{
	struct fact *fact = &changing->facts[index];
	for (size_t i = 0; i < changing->count && fact->state == FACT_CURRENT; i++) {
		struct fact *other = &changing->facts[i];
		if (i == index || other->state != FACT_CURRENT || !exclude_each_other(fact, other))
			continue;
		struct fact *winner = is_newer(fact, other) ? fact : other;
		struct fact *loser = winner == fact ? other : fact;
		loser->state = FACT_SUPERSEDED;
		loser->ended_at = winner->observed_at;
		loser->superseded_by = winner->id;
		changing->changed[loser - changing->facts] = true;
	}
}

static void let_stand(const struct changing *changing, size_t index)
{
	struct fact *fact = &changing->facts[index];
	fact->state = FACT_CURRENT;
	fact->ended_at = 0;
	fact->superseded_by = 0;
	changing->changed[index] = true;
	settle(changing, index);
}

/* What the fact had taken the place of stands again, unless that was taken back itself: then what
 * was before it. */
static void revive_before(const struct changing *changing, uint64_t id, struct id_list *ended)
{
	for (size_t i = 0; i < changing->count; i++) {
		const struct fact *fact = &changing->facts[i];
		if (fact->state != FACT_SUPERSEDED || fact->superseded_by != id)
			continue;
		if (branch_is_taken_back(changing->branch, changing->memory, fact->exchange))
			retract(changing, i, ended);
		else
			let_stand(changing, i);
	}
}

static void take_facts_back(const struct changing *changing)
{
	struct id_list ended = {0};
	for (size_t i = 0; i < changing->count; i++) {
		struct fact *fact = &changing->facts[i];
		if (fact->state != FACT_CURRENT ||
		    !id_list_has(&changing->branch->taken, fact->exchange))
			continue;
		if (move_fact(changing, fact))
			changing->changed[i] = true;
		else
			retract(changing, i, &ended);
	}
	/* Each fact is retracted once, so the list comes to an end while it grows. */
	for (size_t i = 0; i < ended.count; i++)
		revive_before(changing, ended.ids[i], &ended);
}

static void give_facts_back(const struct changing *changing)
{
	for (size_t i = 0; i < changing->count; i++) {
		const struct fact *fact = &changing->facts[i];
		if (fact->state != FACT_RETRACTED ||
		    !id_list_has(&changing->branch->returned, fact->exchange) ||
		    fact->ended_at != taken_back_at(changing->memory, fact->exchange))
			continue;
		let_stand(changing, i);
	}
}

bool *branch_change_facts(const struct branch *branch, const struct memory *memory,
			  struct fact *facts, size_t count, int64_t now)
{
	const struct changing changing = {
		.branch = branch,
		.memory = memory,
		.facts = facts,
		.count = count,
		.changed = arena_alloc(memory->arena, count * sizeof(bool)),
		.now = now,
	};
	take_facts_back(&changing);
	give_facts_back(&changing);
	return changing.changed;
}
