/* How much a user takes, and what has to go for the user to take less. */
#include "storage/lmdb/writer.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

/* ---- who takes how much ---- */

static struct user_size size_of(struct transaction *transaction, struct user_key key,
				const struct space *space, struct arena *arena)
{
	struct arena scratch = {0};
	const struct memory memory = {transaction, key, &scratch};
	struct stored_user user = {0};
	struct slice value;
	if (!table_get(transaction, TABLE_USERS, key_of_user(key), &value) ||
	    !table_decode(transaction, value, stored_user_fields, &user, memory.arena))
		user = (struct stored_user){0};
	const struct user_size size = {
		.key = key,
		.tenant = arena_copy(arena, user.tenant),
		.user = arena_copy(arena, user.user),
		.bytes = (uint64_t)space->all,
		.given = (uint64_t)space->given,
		.is_counted = space->is_whole != 0,
	};
	arena_finish(&scratch);
	return size;
}

size_t store_users_above(struct store *store, uint64_t bytes, struct user_key *after, bool *more,
			 struct user_size users[STORE_SIZES_AT_ONCE], struct arena *arena)
{
	struct transaction transaction;
	struct space space;
	size_t count = 0;
	size_t looked_at = 0;
	*more = false;
	if (!transaction_begin_read(&transaction, store))
		return 0;
	for (; looked_at < STORE_SIZES_AT_ONCE && space_next(&transaction, after, &space);
	     looked_at++) {
		if (space.is_whole == 0 || space.all > (int64_t)bytes)
			users[count++] = size_of(&transaction, space_shown(&transaction, *after),
						 &space, arena);
	}
	*more = looked_at == STORE_SIZES_AT_ONCE;
	transaction_abort(&transaction);
	return count;
}

size_t store_largest_users(struct store *store, struct user_size users[STORE_LARGEST],
			   struct arena *arena)
{
	struct transaction transaction;
	struct space_rank ranks[STORE_LARGEST];
	if (!transaction_begin_read(&transaction, store))
		return 0;
	const size_t count = space_largest(&transaction, false, ranks, STORE_LARGEST);
	for (size_t i = 0; i < count; i++) {
		const struct space space = space_of(&transaction, ranks[i].user);
		users[i] = size_of(&transaction, ranks[i].user, &space, arena);
	}
	transaction_abort(&transaction);
	return count;
}

uint64_t store_user_bytes(struct store *store, struct user_key user)
{
	struct transaction transaction;
	if (!transaction_begin_read(&transaction, store))
		return 0;
	const int64_t bytes = space_of(&transaction, user).all;
	transaction_abort(&transaction);
	return bytes > 0 ? (uint64_t)bytes : 0;
}

/* ---- whom an earlier version left uncounted ---- */

struct count_operation {
	struct operation operation;
	struct space before;
	struct space counted;
	bool was_read;
};

static enum store_result run_count(struct operation *operation, const struct memory *memory)
{
	struct count_operation *own = (struct count_operation *)operation;
	if (space_of(memory->transaction, memory->user).is_whole != 0)
		return STORE_NOT_FOUND;
	if (!own->was_read)
		return STORE_STALE;
	space_complete(memory->transaction, memory->user, own->before, own->counted);
	return STORE_OK;
}

static void count_user(struct store *store, struct count_operation *own)
{
	struct transaction transaction;
	if (!transaction_begin_read(&transaction, store))
		return;
	own->before = space_of(&transaction, own->operation.user);
	own->counted = space_count(&transaction, own->operation.user);
	own->was_read = transaction.result == STORE_OK;
	transaction_abort(&transaction);
}

struct store_call *store_count(struct store *store, struct user_key user,
			       struct store_waiter waiter)
{
	struct count_operation *own = operation_create(sizeof(*own), run_count, &user);
	count_user(store, own);
	return writer_submit(store->writer, &own->operation, waiter);
}

static enum store_result run_note_counted(struct operation *operation, const struct memory *memory)
{
	(void)operation;
	space_note_all_counted(memory->transaction);
	return STORE_OK;
}

struct store_call *store_note_counted(struct store *store, struct store_waiter waiter)
{
	struct operation *own = operation_create(sizeof(*own), run_note_counted, NULL);
	return writer_submit(store->writer, own, waiter);
}

bool store_is_counted(struct store *store)
{
	struct transaction transaction;
	if (!transaction_begin_read(&transaction, store))
		return false;
	bool is_counted = space_counts_all(&transaction);
	transaction_abort(&transaction);
	return is_counted;
}

/* ---- what has to go ---- */

struct measured {
	struct sized_turn *turns; /* and conversations; NULL: count only */
	size_t count;
	uint64_t bytes;
};

static void add(struct measured *measured, int64_t at, uint64_t bytes)
{
	if (measured->turns != NULL)
		measured->turns[measured->count] = (struct sized_turn){at, bytes};
	measured->count++;
	measured->bytes += bytes;
}

static void walk(const struct memory *memory, struct measured *measured)
{
	enum { RECORD = 64 };
	struct stored_turn stored;
	struct past_conversation conversation;
	struct scan scan;
	memory_scan(memory, &scan, TABLE_TURNS);
	while (scan_turn(&scan, &stored, NULL)) {
		if (stored.turn.state != TURN_HIDDEN)
			add(measured, stored.turn.created_at, RECORD + stored.turn.text.size);
	}
	scan_end(&scan);
	memory_scan(memory, &scan, TABLE_CONVERSATIONS);
	while (scan_read(&scan, stored_conversation_fields, &conversation, sizeof(conversation),
			 NULL))
		add(measured, conversation.last_active, RECORD);
	scan_end(&scan);
}

static uint64_t bytes_of_facts(const struct memory *memory, size_t *count)
{
	struct scan scan;
	uint64_t bytes = 0;
	memory_scan(memory, &scan, TABLE_FACTS);
	scan.opens_none = true;
	for (*count = 0; scan_step(&scan); ++*count)
		bytes += scan.at.size + scan.value.size;
	scan_end(&scan);
	return bytes;
}

static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

/* Turns take more than their records: dependent records are shared among them. */
static void cut(const struct memory *memory, uint64_t keep, struct expiry *expiry)
{
	const struct space space = space_of(memory->transaction, memory->user);
	struct measured measured = {0};
	size_t facts;
	if ((uint64_t)space.all <= keep)
		return;
	walk(memory, &measured);
	measured = (struct measured){
		.turns = arena_alloc(memory->arena, measured.count * sizeof(*measured.turns))};
	walk(memory, &measured);
	const uint64_t theirs =
		less((uint64_t)(space.all - space.given), bytes_of_facts(memory, &facts));
	const double each = measured.bytes < theirs ? (double)theirs / (double)measured.bytes : 1;
	const uint64_t goes = (uint64_t)((double)((uint64_t)space.all - keep) / each) + 1;
	expiry_cut(expiry, measured.turns, measured.count, less(measured.bytes, goes));
}

bool store_measure(struct store *store, struct user_key user, uint64_t keep, struct expiry *expiry)
{
	struct transaction transaction;
	struct arena scratch = {0};
	const struct memory memory = {&transaction, user, &scratch};
	if (!transaction_begin_read(&transaction, store))
		return false;
	expiry->turns_until = INT64_MIN;
	cut(&memory, keep, expiry);
	transaction_abort(&transaction);
	arena_finish(&scratch);
	return transaction.result == STORE_OK;
}

/* ---- facts that take too much ---- */

/* Facts may take what the rest leaves, and half at least; so may the rest. */
static enum store_result run_trim_facts(struct operation *operation, const struct memory *memory)
{
	const uint64_t limit = operation->limit;
	const uint64_t all = (uint64_t)space_of(memory->transaction, memory->user).all;
	size_t count;
	const uint64_t theirs = bytes_of_facts(memory, &count);
	const uint64_t rest = less(all, theirs);
	const uint64_t most = limit - (rest < limit / 2 ? rest : limit / 2);
	if (all <= limit || theirs <= most)
		return STORE_NOT_FOUND;
	const size_t keep = (size_t)((double)count * (double)most / (double)theirs);
	return erase_facts_beyond(memory, keep, 0, operation->now) > 0 ? STORE_OK : STORE_NOT_FOUND;
}

struct store_call *store_trim_facts(struct store *store, struct user_key user, uint64_t keep,
				    int64_t now, struct store_waiter waiter)
{
	struct operation *operation = operation_create(sizeof(*operation), run_trim_facts, &user);
	operation->limit = keep;
	operation->now = now;
	return writer_submit(store->writer, operation, waiter);
}
