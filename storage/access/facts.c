/* Facts one by one, and settings, for people. */
#include "storage/rights.h"

#include "core/base/ids.h"
#include "storage/user/memory.h"

/* ---- a page ---- */

static void list_facts(const struct memory *memory, const struct fact_filter *filter, size_t limit,
		       struct fact_page *page)
{
	struct key prefix = memory_key(memory);
	struct fact fact;
	struct scan scan;
	page->facts = arena_alloc(memory->arena, limit * sizeof(*page->facts));
	if (filter->after == UINT64_MAX)
		return;
	scan_begin_at(&scan, memory->transaction, TABLE_FACTS, prefix,
		      key_u64(prefix, filter->after + 1), FORWARD);
	scan_let_go(&scan);
	while (!page->more &&
	       scan_read(&scan, stored_fact_fields, &fact, sizeof(fact), memory->arena)) {
		fact.id = key_read_u64(scan.at, KEY_ID_AT);
		if (!fact_filter_takes(filter, &fact, memory->arena))
			continue;
		page->more = page->count == limit;
		if (!page->more)
			page->facts[page->count++] = fact;
	}
	scan_end(&scan);
}

enum store_result store_list_facts(struct store *store, struct user_key user,
				   const struct fact_filter *filter, size_t limit,
				   struct fact_page *page, struct arena *arena)
{
	struct stored_user stored = {0};
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	bool found = false;
	*page = (struct fact_page){0};
	if (transaction_begin_read(&transaction, store)) {
		found = memory_user(&memory, &stored);
		if (found)
			list_facts(&memory, filter, limit, page);
		transaction_abort(&transaction);
	}
	return transaction_outcome(&transaction, found);
}

/* ---- one ---- */

/* A fact that took another's place is newer; a restored one may be older, so follow the chain until
 * nothing is added. */
static void read_older(const struct fact *facts, size_t count, struct fact_account *account,
		       struct arena *arena)
{
	struct id_list chain = {0};
	account->older = arena_alloc(arena, (count + 1) * sizeof(*account->older));
	account->suggested = arena_alloc(arena, (count + 1) * sizeof(*account->suggested));
	id_list_add(&chain, arena, account->fact.id);
	for (size_t at = 0; at < chain.count; at++) {
		for (size_t i = count; i-- > 0;) {
			const struct fact *fact = &facts[i];
			if (fact->superseded_by != chain.ids[at] || id_list_has(&chain, fact->id))
				continue;
			if (fact->state == FACT_SUPERSEDED) {
				id_list_add(&chain, arena, fact->id);
				account->older[account->older_count++] = *fact;
			} else if (fact->state == FACT_SUGGESTED && at == 0) {
				account->suggested[account->suggested_count++] = *fact;
			}
		}
	}
}

static uint64_t count_receipts(const struct memory *memory, const struct leaving *held)
{
	struct scan scan;
	uint64_t count = 0;
	memory_scan(memory, &scan, TABLE_USER_RECEIPTS);
	while (scan_step(&scan)) {
		struct stored_receipt receipt = {0};
		count += memory_read(memory, TABLE_RECEIPTS,
				     key_of_number(key_read_u64(scan.at, KEY_ID_AT)),
				     stored_receipt_fields, &receipt) &&
			 receipt_holds(&receipt.receipt, held);
	}
	scan_end(&scan);
	return count;
}

static void add_conversation(struct id_list *list, const struct memory *memory, uint32_t id)
{
	if (!id_list_has(list, id))
		id_list_add(list, memory->arena, id);
}

static uint64_t count_conversations(const struct memory *memory, const struct leaving *held)
{
	struct id_list list = {0};
	struct frozen frozen;
	struct replay replay;
	struct scan scan;
	memory_scan(memory, &scan, TABLE_FROZEN);
	while (scan_read(&scan, stored_frozen_fields, &frozen, sizeof(frozen), memory->arena)) {
		if (frozen_holds(&frozen, held))
			add_conversation(&list, memory, key_read_u32(scan.at, KEY_ID_AT));
	}
	scan_end(&scan);
	memory_scan(memory, &scan, TABLE_REPLAYS);
	while (scan_read(&scan, stored_replay_fields, &replay, sizeof(replay), memory->arena)) {
		if (replay_holds(&replay, held))
			add_conversation(&list, memory, key_read_u32(scan.at, KEY_ID_AT));
	}
	scan_end(&scan);
	return list.count;
}

static bool read_fact(const struct memory *memory, uint64_t id, struct fact_account *account)
{
	const struct leaving held = {.facts = &id, .fact_count = 1};
	size_t count;
	const struct fact *facts = memory_facts(memory, fact_is_known, 0, &count);
	bool found = false;
	for (size_t i = 0; i < count && !found; i++) {
		found = facts[i].id == id;
		account->fact = facts[i];
	}
	if (!found)
		return false;
	read_older(facts, count, account, memory->arena);
	account->receipts = count_receipts(memory, &held);
	account->conversations = count_conversations(memory, &held);
	return true;
}

enum store_result store_read_fact(struct store *store, struct user_key user, uint64_t id,
				  struct fact_account *account, struct arena *arena)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	bool found = false;
	*account = (struct fact_account){0};
	if (transaction_begin_read(&transaction, store)) {
		found = read_fact(&memory, id, account);
		transaction_abort(&transaction);
	}
	return transaction_outcome(&transaction, found);
}

/* ---- settings ---- */

enum store_result store_settings(struct store *store, struct user_key user,
				 struct user_settings *settings, struct arena *arena)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	*settings = settings_default();
	if (transaction_begin_read(&transaction, store)) {
		*settings = memory_settings(&memory);
		transaction_abort(&transaction);
	}
	return transaction.result;
}
