#include "storage/user/branch.h"

uint64_t branch_answer(const struct memory *memory, uint64_t shown, uint64_t hash)
{
	uint64_t id = shown;
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

/* Reads those kept exchanges that exist in this conversation. */
static size_t read_kept(const struct branch *branch, const struct memory *memory,
			uint32_t conversation, struct past_exchange *kept)
{
	size_t count = 0;
	for (size_t i = 0; i < branch->kept.count; i++) {
		if (exchange_read(memory, branch->kept.ids[i], &kept[count]) &&
		    kept[count].conversation == conversation)
			count++;
	}
	return count;
}

static size_t read_carried(const struct branch *branch, const struct memory *memory,
			   struct carried_answer *carried)
{
	size_t count = 0;
	for (size_t i = 0; i < branch->carried.count; i++) {
		struct stored_turn answer;
		struct past_exchange exchange;
		uint64_t id = branch->carried.ids[i];
		if (memory_turn(memory, id, &answer) &&
		    exchange_read(memory, answer.turn.exchange, &exchange))
			carried[count++] = (struct carried_answer){id, exchange.answer};
	}
	return count;
}

bool branch_find(struct branch *branch, const struct memory *memory, uint32_t conversation,
		 uint32_t from)
{
	struct arena *arena = memory->arena;
	struct past_exchange *kept = arena_alloc(arena, branch->kept.count * sizeof(*kept));
	struct carried_answer *carried =
		arena_alloc(arena, branch->carried.count * sizeof(*carried));
	from = branch_find_returned(branch, kept, read_kept(branch, memory, conversation, kept),
				    from, arena);
	return branch_find_taken(branch, exchanges_read(memory, conversation, from, UINT32_MAX),
				 carried, read_carried(branch, memory, carried), arena);
}

/* ---- facts ---- */

static struct ground ground_of(const struct branch *branch, const struct memory *memory,
			       uint64_t id)
{
	struct past_exchange exchange;
	return branch_ground(branch, exchange_read(memory, id, &exchange) ? &exchange : NULL);
}

bool branch_is_taken_back(const struct branch *branch, const struct memory *memory, uint64_t id)
{
	const struct ground ground = ground_of(branch, memory, id);
	return ground_is_lost(&ground);
}

/* A standing exchange of the same conversation whose user turn reads the same; 0: none. */
static uint64_t find_twin(const struct branch *branch, const struct memory *memory,
			  const struct past_exchange *exchange)
{
	struct key prefix = memory_conversation_key(memory, exchange->conversation);
	struct stored_exchange stored;
	struct scan scan;
	uint64_t twin = 0;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, FORWARD);
	while (twin == 0 &&
	       scan_read(&scan, stored_exchange_fields, &stored, sizeof(stored), NULL)) {
		struct past_exchange other;
		if (stored.user_hash == exchange->user_hash &&
		    exchange_read(memory, key_read_u64(scan.at, KEY_EXCHANGE_AT), &other) &&
		    branch_lets_stand(branch, &other))
			twin = other.id;
	}
	scan_end(&scan);
	return twin;
}

/* The last standing user turn in which the fact was said again; 0: none. */
static uint64_t find_repetition(const struct branch *branch, const struct memory *memory,
				const struct fact *fact)
{
	struct key prefix = key_time(memory_key(memory), fact->observed_at);
	struct scan scan;
	uint64_t repetition = 0;
	scan_begin(&scan, memory->transaction, TABLE_TURN_TIMES, prefix, FORWARD);
	while (repetition == 0 && scan_step(&scan)) {
		struct past_exchange exchange;
		if (exchange_read(memory, key_read_u64(scan.at, KEY_TURN_AT), &exchange) &&
		    branch_lets_stand(branch, &exchange))
			repetition = exchange.id;
	}
	scan_end(&scan);
	return repetition;
}

/* Finds another exchange that a fact of a taken exchange may rest on. */
static void find_also_said(struct ground *ground, const struct branch *branch,
			   const struct memory *memory, const struct fact *fact,
			   const struct past_exchange *exchange)
{
	ground->also_said_in = find_twin(branch, memory, exchange);
	if (ground->also_said_in != 0 || fact->observed_at <= exchange->created_at)
		return;
	ground->also_said_in = find_repetition(branch, memory, fact);
	ground->in_other_words = true;
}

static struct ground *read_grounds(const struct branch *branch, const struct memory *memory,
				   const struct fact *facts, size_t count)
{
	struct ground *grounds = arena_alloc(memory->arena, count * sizeof(*grounds));
	for (size_t i = 0; i < count; i++) {
		struct past_exchange exchange;
		if (!branch_may_change(branch, &facts[i]) ||
		    !exchange_read(memory, facts[i].exchange, &exchange))
			continue;
		grounds[i] = branch_ground(branch, &exchange);
		if (facts[i].state == FACT_CURRENT)
			find_also_said(&grounds[i], branch, memory, &facts[i], &exchange);
	}
	return grounds;
}

struct fact *branch_facts(const struct branch *branch, const struct memory *memory, int64_t now,
			  bool **changed, size_t *count)
{
	struct fact *facts = memory_facts(memory, fact_is_any, 0, count);
	const struct ground *grounds = read_grounds(branch, memory, facts, *count);
	*changed = arena_alloc(memory->arena, *count * sizeof(**changed));
	facts_follow_grounds(facts, grounds, *changed, *count, now, memory->arena);
	return facts;
}
