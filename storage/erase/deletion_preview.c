/* What a deletion would take, for people. */
#include "storage/erase/deletion_search.h"
#include "storage/files/erasures.h"

static void read_preview(struct deletion_preview *preview, const struct memory *memory,
			 const struct deletion_search *found, size_t limit)
{
	const struct deletion_plan *plan = &found->plan;
	size_t facts = plan->facts.count < limit ? plan->facts.count : limit;
	size_t turns = plan->turns.count < limit ? plan->turns.count : limit;
	preview->facts = arena_alloc(memory->arena, facts * sizeof(*preview->facts));
	preview->turns = arena_alloc(memory->arena, turns * sizeof(*preview->turns));
	for (size_t i = 0; i < facts; i++)
		preview->fact_count += memory_read_fact(memory, plan->facts.ids[i],
							&preview->facts[preview->fact_count]);
	for (size_t i = 0; i < turns; i++) {
		struct stored_turn stored = {0};
		if (memory_turn(memory, plan->turns.ids[i], &stored))
			preview->turns[preview->turn_count++] = stored.turn;
	}
	preview->token = deletion_token(plan);
	preview->report = (struct deletion_report){
		.facts = plan->facts.count,
		.unquoted = plan->unquoted.count + plan->moved.count,
		.turns = plan->turns.count,
		.still_said = found->still_said,
		.conversations = found->conversations.count,
		.receipts = found->receipts.held,
		.summaries = plan->changed_from > 0 &&
			     summary_covers(&found->summary, plan->changed_from),
	};
}

enum store_result store_preview_deletion(struct store *store, struct user_key user,
					 const struct deletion *deletion, size_t limit,
					 struct deletion_preview *preview, struct arena *arena)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	struct deletion_search found = {0};
	*preview = (struct deletion_preview){0};
	if (!transaction_begin_read(&transaction, store))
		return transaction.result;
	if (deletion_search_run(&found, &memory, deletion) && !deletion_is_empty(&found.plan))
		read_preview(preview, &memory, &found, limit);
	transaction_abort(&transaction);
	return transaction_outcome(&transaction, preview->token != 0);
}
