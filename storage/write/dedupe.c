/* Merges facts that say the same, which imports may have left. */
#include "storage/lmdb/writer.h"
#include "storage/rights.h"
#include "storage/user/replays.h"

struct dedupe_operation {
	struct operation operation;
	struct user_key user;
	int64_t now;
	uint64_t *gone; /* the caller's */
};

static struct duplicates find(const struct memory *memory, int64_t now)
{
	size_t count;
	const struct fact *facts = memory_facts(memory, fact_is_known, now, &count);
	return duplicates_find(facts, count, now, memory->arena);
}

enum store_result store_find_duplicates(struct store *store, struct user_key user, int64_t now,
					struct duplicates *found, struct arena *arena)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	*found = (struct duplicates){0};
	if (transaction_begin_read(&transaction, store)) {
		struct stored_user stored;
		bool is_known = memory_user(&memory, &stored);
		*found = find(&memory, now);
		transaction_abort(&transaction);
		if (transaction.result == STORE_OK && !is_known)
			return STORE_NOT_FOUND;
	}
	return transaction.result;
}

/* Frozen memory that names only facts that stay is still right; the rest is made anew. */
static enum store_result run_dedupe(struct operation *operation, struct transaction *transaction)
{
	struct dedupe_operation *own = (struct dedupe_operation *)operation;
	struct arena scratch = {0};
	const struct memory memory = {transaction, own->user, &scratch};
	struct duplicates found = find(&memory, own->now);
	const struct leaving leaving = {.facts = found.gone, .fact_count = found.gone_count};
	*own->gone = found.gone_count;
	for (size_t i = 0; i < found.count; i++)
		table_write(transaction, TABLE_FACTS, memory_fact_key(&memory, found.facts[i].id),
			    stored_fact_fields, &found.facts[i]);
	if (found.gone_count > 0) {
		(void)frozen_delete_holding(&memory, &leaving);
		(void)replays_delete_holding(&memory, &leaving);
	}
	arena_finish(&scratch);
	return found.gone_count > 0 ? STORE_OK : STORE_NOT_FOUND;
}

struct store_call *store_dedupe(struct store *store, struct user_key user, int64_t now,
				uint64_t *gone, struct store_loop *loop, store_done *callback,
				void *cookie)
{
	struct dedupe_operation *own = operation_create(sizeof(*own), run_dedupe);
	own->user = user;
	own->now = now;
	own->gone = gone;
	return writer_submit(store->writer, &own->operation, &own->user, loop, callback, cookie);
}
