/* All users, for people: pages of their names, and counts of what each has. */
#include "storage/user/memory.h"

#include <string.h>

bool store_has_lost(struct store *store, struct user_key user)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, NULL};
	if (!transaction_begin_read(&transaction, store))
		return false;
	const bool is_lost = memory_has_lost_keys(&memory);
	transaction_abort(&transaction);
	return is_lost;
}

/* Looks at the key first, which costs no decoding. */
static bool may_be_wanted(const struct user_filter *filter, struct user_key key)
{
	return filter->log_id.size == 0 ||
	       memcmp(key.bytes, filter->log_id.data, filter->log_id.size) == 0;
}

static bool is_wanted(const struct user_filter *filter, const struct stored_user *user)
{
	return (filter->tenant == NULL || slice_equal(*filter->tenant, user->tenant)) &&
	       slice_starts_with(user->user, filter->prefix);
}

/* Moves to the next user after `*after`. False: there is none. */
static bool step(struct transaction *transaction, struct user_key *after, struct slice *value)
{
	struct scan scan;
	scan_begin_at(&scan, transaction, TABLE_USERS, key_empty(), key_after(key_of_user(*after)),
		      FORWARD);
	bool found = scan_step(&scan);
	if (found)
		*after = key_read_user(scan.at);
	*value = scan.value;
	scan_end(&scan);
	return found;
}

static struct listed_user listed(struct user_key key, const struct stored_user *user,
				 struct arena *arena)
{
	return (struct listed_user){.key = key,
				    .tenant = arena_copy(arena, user->tenant),
				    .user = arena_copy(arena, user->user),
				    .first_seen = user->first_seen,
				    .last_seen = user->last_seen};
}

enum store_result store_list_users(struct store *store, const struct user_filter *filter,
				   struct user_key *after, struct user_list *list,
				   struct arena *arena)
{
	struct transaction transaction;
	struct slice value;
	size_t looked_at = 0;
	bool more = true;
	if (!transaction_begin_read(&transaction, store))
		return transaction.result;
	while (list->count < list->limit && looked_at++ < STORE_LISTED_AT_ONCE &&
	       (more = step(&transaction, after, &value))) {
		struct stored_user user = {0};
		if (may_be_wanted(filter, *after) &&
		    table_decode(&transaction, value, stored_user_fields, &user, NULL) &&
		    is_wanted(filter, &user))
			list->users[list->count++] = listed(*after, &user, arena);
	}
	list->more = more;
	transaction_abort(&transaction);
	return transaction.result;
}

/* ---- counting ---- */

static const enum table counted[] = {TABLE_TURN_TIMES, TABLE_FACTS, TABLE_CONVERSATIONS};

enum { COUNTED_TABLES = sizeof(counted) / sizeof(counted[0]) };

static uint64_t *count_of(struct user_counts *counts, enum table table)
{
	switch (table) {
	case TABLE_TURN_TIMES:
		return &counts->turns;
	case TABLE_FACTS:
		return &counts->facts;
	default:
		return &counts->conversations;
	}
}

static bool is_counted(struct transaction *transaction, enum table table, struct slice value,
		       int64_t now)
{
	struct fact fact = {0};
	return table != TABLE_FACTS ||
	       (table_decode(transaction, value, stored_fact_fields, &fact, NULL) &&
		fact_is_current(&fact, now));
}

static struct key resume_key(const struct user_counts *counts, struct user_key user)
{
	struct key key = key_of_user(user);
	if (counts->at_size > 0) {
		memcpy(key.bytes, counts->at, counts->at_size);
		key.size = counts->at_size;
	}
	return key;
}

/* Counts one table's records in the order of its tree, from where the last call stopped. */
static bool count_table(const struct memory *memory, enum table table, int64_t now,
			struct user_counts *so_far, size_t *steps)
{
	struct scan scan;
	bool found = true;
	const struct key from = resume_key(so_far, memory->user);
	const struct slice last = {(const char *)from.bytes, so_far->at_size};
	scan_begin_at(&scan, memory->transaction, table, memory_key(memory), from, FORWARD);
	scan_let_go(&scan);
	while (*steps > 0 && (found = scan_step(&scan))) {
		if (slice_equal(scan.at, last))
			continue;
		--*steps;
		*count_of(so_far, table) += is_counted(memory->transaction, table, scan.value, now);
		so_far->at_size =
			scan.at.size < sizeof(so_far->at) ? scan.at.size : sizeof(so_far->at);
		memcpy(so_far->at, scan.at.data, so_far->at_size);
	}
	scan_end(&scan);
	return !found;
}

enum store_result store_count_user(struct store *store, struct user_key user, int64_t now,
				   struct user_counts *counts, size_t *steps)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, NULL};
	if (!transaction_begin_read(&transaction, store))
		return transaction.result;
	while (counts->tables_done < COUNTED_TABLES &&
	       count_table(&memory, counted[counts->tables_done], now, counts, steps)) {
		counts->tables_done++;
		counts->at_size = 0;
	}
	counts->done = counts->tables_done == COUNTED_TABLES;
	transaction_abort(&transaction);
	return transaction.result;
}
