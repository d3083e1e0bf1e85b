/* store_users_above(), store_measure(): how much one user takes. */
#include "storage/user/memory.h"

size_t store_users_above(struct store *store, uint64_t bytes, struct user_key *after, bool *more,
			 struct user_size users[STORE_SIZES_AT_ONCE], struct arena *arena)
{
	struct transaction transaction;
	struct slice key;
	struct slice value;
	size_t count = 0;
	size_t looked_at = 0;
	*more = false;
	if (!transaction_begin_read(&transaction, store))
		return 0;
	while (looked_at < STORE_SIZES_AT_ONCE) {
		struct stored_user user = {0};
		struct scan scan;
		scan_begin_at(&scan, &transaction, TABLE_USERS, key_empty(),
			      key_after(key_of_user(*after)), FORWARD);
		scan_let_go(&scan);
		bool found = scan_next(&scan, &key, &value);
		if (found)
			*after = key_read_user(key);
		if (found && table_decode(&transaction, value, stored_user_fields, &user, NULL) &&
		    user.bytes > bytes)
			users[count++] =
				(struct user_size){*after, arena_copy(arena, user.tenant),
						   arena_copy(arena, user.user), user.bytes};
		scan_end(&scan);
		if (!found)
			break;
		looked_at++;
	}
	*more = looked_at == STORE_SIZES_AT_ONCE;
	transaction_abort(&transaction);
	return count;
}

struct measured {
	struct sized_turn *turns; /* NULL: count only */
	size_t count;
	uint64_t bytes;
};

static void walk(const struct memory *memory, struct measured *measured)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	memory_scan(memory, &scan, TABLE_TURNS);
	while (scan_next(&scan, &key, &value)) {
		struct stored_turn stored = {0};
		if (!table_decode(memory->transaction, value, stored_turn_fields, &stored, NULL))
			continue;
		uint64_t bytes = stored_turn_bytes(stored.turn.text);
		if (bytes == 0)
			continue; /* hidden */
		if (measured->turns != NULL)
			measured->turns[measured->count] =
				(struct sized_turn){stored.turn.created_at, bytes};
		measured->count++;
		measured->bytes += bytes;
	}
	scan_end(&scan);
}

static void cut(const struct memory *memory, uint64_t keep, struct expiry *expiry)
{
	struct measured measured = {0};
	walk(memory, &measured);
	expiry->left = measured.bytes;
	if (measured.bytes <= keep)
		return;
	measured = (struct measured){
		.turns = arena_alloc(memory->arena, measured.count * sizeof(*measured.turns))};
	walk(memory, &measured);
	expiry_cut(expiry, measured.turns, measured.count, keep);
}

bool store_measure(struct store *store, struct user_key user, uint64_t keep, struct expiry *expiry)
{
	struct transaction transaction;
	struct arena scratch = {0};
	const struct memory memory = {&transaction, user, &scratch};
	struct stored_user stored;
	if (!transaction_begin_read(&transaction, store))
		return false;
	expiry->turns_until = INT64_MIN;
	bool known = memory_user(&memory, &stored);
	if (known) {
		expiry->counted = stored.bytes;
		cut(&memory, keep, expiry);
	}
	transaction_abort(&transaction);
	arena_finish(&scratch);
	return known && transaction.result == STORE_OK;
}
