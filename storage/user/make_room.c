/* Records of what requests were given make room: receipts, frozen contexts and replays fill at most
 * half of what their user may take. Beyond it the oldest go in the transaction that adds one, so
 * that they never outrun it. While the map is nearly full, those of the users who take most go. */
#include "storage/lmdb/writer.h"
#include "storage/user/memory.h"

enum {
	CONVERSATIONS_LOOKED_AT = 8,
	USERS_RANKED = 64,
	OWN_STEPS = 64,   /* records that one exchange deletes at most of its user's */
	OTHERS_STEPS = 8, /* records of others', while the map is nearly full: more than it adds */
	MAKE_ROOM_STEPS = 256,
	SHARE = 2,        /* of a user's limit */
	SLACK_SHARE = 16, /* of the limit: goes with what is too much */
	PAUSE_MS = 1000,  /* before all users are ranked again in vain */
};

/* The users who take most, as they were ranked last, and what they take. */
struct crowd {
	struct space_rank users[USERS_RANKED];
	size_t count;
	int64_t level;   /* who takes no more than this is not among those who take most */
	int64_t vain_at; /* when nobody had anything to give; 0: somebody had since */
};

/* ---- the oldest of one user's ---- */

static bool is_held(const struct memory *memory, int64_t now)
{
	return memory_settings(memory).hold_until > now;
}

/* Ids ascend with time. */
static uint64_t oldest_receipt(const struct memory *memory)
{
	struct scan scan;
	return scan_first(&scan, memory->transaction, TABLE_USER_RECEIPTS, memory_key(memory),
			  FORWARD)
		       ? key_read_u64(scan.at, KEY_ID_AT)
		       : 0;
}

/* UINT32_MAX: none. Both tables descend. */
static uint32_t next_in(const struct memory *memory, enum table table, uint32_t after)
{
	struct scan scan;
	const struct key user = memory_key(memory);
	return scan_first_at(&scan, memory->transaction, table, user, key_u32(user, after),
			     BACKWARD)
		       ? key_read_u32(scan.at, KEY_ID_AT)
		       : UINT32_MAX;
}

static uint32_t next_given(const struct memory *memory, uint32_t after)
{
	const uint32_t frozen = next_in(memory, TABLE_FROZEN, after);
	const uint32_t replayed = next_in(memory, TABLE_REPLAYS, after);
	return frozen < replayed ? frozen : replayed;
}

/* Conversations are numbered as they begin. One that is still in use may have begun long ago, so
 * of the first few the one goes that has been idle for longest. */
static uint32_t oldest_conversation(const struct memory *memory, uint32_t spared, int64_t *at)
{
	uint32_t oldest = UINT32_MAX;
	uint32_t id = 0;
	for (size_t i = 0; i < CONVERSATIONS_LOOKED_AT; i++) {
		struct past_conversation conversation = {0};
		id = next_given(memory, id);
		if (id == UINT32_MAX)
			break;
		if (id == spared)
			continue;
		(void)memory_conversation(memory, id, &conversation);
		if (oldest == UINT32_MAX || conversation.last_active < *at) {
			oldest = id;
			*at = conversation.last_active;
		}
	}
	return oldest;
}

static void delete_given(const struct memory *memory, uint32_t conversation, size_t *steps)
{
	const struct key key = memory_conversation_key(memory, conversation);
	if (memory_delete(memory, TABLE_FROZEN, key))
		--*steps;
	(void)table_delete_some(memory->transaction, TABLE_REPLAYS, key, steps);
}

/* False: there is none but those of the exchange. */
static bool delete_oldest(const struct memory *memory, const struct leaves *leaves, size_t *steps)
{
	int64_t at = INT64_MAX;
	const bool is_own = leaves != NULL && user_equal(leaves->user, memory->user);
	const uint64_t receipt = oldest_receipt(memory);
	const uint32_t conversation =
		oldest_conversation(memory, is_own ? leaves->conversation : 0, &at);
	const bool has_receipt = receipt != 0 && !(is_own && receipt == leaves->receipt);
	if (has_receipt && (int64_t)(receipt >> RECEIPT_TIME_SHIFT) <= at) {
		memory_delete_receipt(memory, receipt);
		--*steps;
	} else if (conversation != UINT32_MAX) {
		delete_given(memory, conversation, steps);
	} else {
		return false;
	}
	return true;
}

static int64_t given_of(const struct memory *memory)
{
	return space_of(memory->transaction, memory->user).given;
}

static bool delete_beyond(const struct memory *memory, uint64_t limit, const struct leaves *leaves,
			  int64_t now, size_t *steps)
{
	const struct space space = space_of(memory->transaction, memory->user);
	const int64_t most = (int64_t)(limit / SHARE);
	const int64_t keep = most - (int64_t)(limit / SLACK_SHARE);
	bool deleted = false;
	if (space.is_whole == 0 || space.given <= most || is_held(memory, now))
		return false;
	while (*steps > 0 && given_of(memory) > keep && delete_oldest(memory, leaves, steps))
		deleted = true;
	return deleted;
}

/* ---- of those who take most ---- */

static void rank_users(struct crowd *crowd, struct transaction *transaction)
{
	enum { EIGHTHS = 8 };
	crowd->count = space_largest(transaction, true, crowd->users, USERS_RANKED);
	crowd->level = crowd->count < USERS_RANKED
			       ? 0
			       : crowd->users[USERS_RANKED - 1].bytes / EIGHTHS * (EIGHTHS - 1);
}

static struct space_rank *largest(struct crowd *crowd)
{
	struct space_rank *most = NULL;
	for (size_t i = 0; i < crowd->count; i++) {
		if (crowd->users[i].bytes > crowd->level &&
		    (most == NULL || crowd->users[i].bytes > most->bytes))
			most = &crowd->users[i];
	}
	return most;
}

/* The clock may be set back. */
static bool is_in_vain(const struct crowd *crowd, int64_t now)
{
	return crowd->vain_at != 0 && now >= crowd->vain_at && now - crowd->vain_at < PAUSE_MS;
}

static bool relieve(const struct memory *memory, const struct leaves *leaves, int64_t now,
		    size_t *steps)
{
	struct store *store = memory->transaction->store;
	bool ranked = false;
	bool deleted = false;
	if (store->crowd == NULL)
		store->crowd = xcalloc(1, sizeof(*store->crowd));
	while (*steps > 0) {
		struct space_rank *most = largest(store->crowd);
		/* an exchange does not search again for what was not there just now */
		if (most == NULL && (ranked || (leaves != NULL && is_in_vain(store->crowd, now))))
			break;
		if (most == NULL) {
			rank_users(store->crowd, memory->transaction);
			ranked = true;
			continue;
		}
		const struct memory theirs = {memory->transaction, most->user, memory->arena};
		bool went = !is_held(&theirs, now) && delete_oldest(&theirs, leaves, steps);
		most->bytes = went ? given_of(&theirs) : 0;
		deleted |= went;
	}
	if (deleted || ranked)
		store->crowd->vain_at = deleted ? 0 : now;
	return deleted;
}

void memory_make_room(const struct memory *memory, const struct leaves *leaves, uint64_t limit,
		      int64_t now)
{
	size_t own = OWN_STEPS;
	size_t others = OTHERS_STEPS;
	if (limit > 0)
		(void)delete_beyond(memory, limit, leaves, now, &own);
	if (store_is_crowded(memory->transaction->store))
		(void)relieve(memory, leaves, now, &others);
}

/* ---- for itself ---- */

static enum store_result run_make_room(struct operation *operation, const struct memory *memory)
{
	const int64_t now = operation->now;
	size_t steps = MAKE_ROOM_STEPS;
	bool deleted = operation->has_user
			       ? delete_beyond(memory, operation->limit, NULL, now, &steps)
			       : relieve(memory, NULL, now, &steps);
	return deleted ? STORE_OK : STORE_NOT_FOUND;
}

struct store_call *store_make_room(struct store *store, const struct user_key *user, uint64_t limit,
				   int64_t now, struct store_waiter waiter)
{
	struct operation *operation = operation_create(sizeof(*operation), run_make_room, user);
	operation->limit = limit;
	operation->now = now;
	return writer_submit(store->writer, operation, waiter);
}
