/* A user's whole memory, to take along and to take in again: a part of the store's interface, see
 * store.h. */
#ifndef RECALLD_STORAGE_PORTABLE_H
#define RECALLD_STORAGE_PORTABLE_H

#include "core/memory/user.h"
#include "storage/store.h"

struct portable_conversation {
	uint64_t id;
	struct past_conversation conversation;
	uint32_t here;       /* its id in the store, once it has one; 0: none yet */
	uint64_t unanswered; /* while it is read: the user turn that waits for an answer; 0: none */
};

enum portable_learning {
	PORTABLE_NOT_LEARNED, /* nor will it be */
	PORTABLE_PENDING,
	PORTABLE_LEARNED,
};

struct portable_turn {
	struct turn turn; /* without its session */
	uint64_t here;    /* once it was taken in: its id in the store; 0: none */
	bool learn;       /* include it in the summary */
	uint64_t earlier; /* of an answer: the one that it replaced; 0: none */
	/* Of a user turn, and of an answer to nothing: */
	uint64_t answer; /* the answer that it shows; 0: none */
	uint64_t own_hash;
	enum portable_learning learning;
	int64_t taken_back_at;
};

struct portable_place {
	uint64_t id; /* as in portable_turn */
	uint64_t here;
};

struct portable_memory {
	struct slice tenant;
	struct slice user;
	struct portable_conversation *conversations; /* by ascending id */
	size_t conversation_count;
	struct portable_turn *turns; /* by ascending id; none is hidden */
	size_t turn_count;
	struct fact *facts; /* by ascending id; none is forgotten */
	size_t fact_count;
	bool has_summary;
	struct summary summary;
	struct user_settings settings;      /* ->is_stored: the user has some */
	const struct portable_index *index; /* see portable_index() */
	bool appends;    /* new turns follow those that their conversation has; else they keep their
			  * ordinals */
	int64_t read_at; /* what has this time or a later one was not dated: it may be as old as
			  * what was erased; 0: everything is dated */
	/* Of a part of a longer memory: */
	bool has_more;                 /* others follow, the last of which brings the settings */
	struct portable_place *places; /* of the turns of the parts before, by ascending id */
	size_t place_count;
};

/* Sorts what is to be taken in, so that its parts are found, in the arena. Takes a while for a long
 * memory: on a thread that may. */
void portable_index(struct portable_memory *from, struct arena *arena);

/* Reads all of it. Of a user who has settings alone, the names are empty. STORE_NOT_FOUND: nothing
 * is stored of such a user. */
enum store_result store_read_memory(struct store *store, struct user_key user,
				    struct portable_memory *read, struct arena *arena);

struct take_in_count {
	uint64_t conversations; /* new */
	uint64_t turns;         /* added */
	uint64_t facts;
	uint64_t known;     /* turns and facts that were there already */
	uint64_t erased;    /* left out: they were erased after they were said, settings too, or
			     * have a tombstone */
	int64_t erased_at;  /* the last of them */
	uint64_t undated;   /* turns of them that had no time */
	uint64_t crowded;   /* facts that gave way: the user has FACTS_LIMIT */
	uint64_t next_turn; /* the first id that may be new; 0: no part was taken in */
	bool withdrawn;     /* a turn that the summary may tell of does not stand here any more */
	bool summary;
	bool settings;
};

/* Adds a memory to a user's, and makes its index if it has none: under new ids, with states and
 * times as they are. What is there already stays as it is, so taking the same in twice changes
 * nothing: a turn is known by its session, time, role and hash, a fact by its time, entity, key and
 * value, as they are compared. A fact that stands gives way to what was there, or supersedes it:
 * see facts_settle(). A summary and settings are taken in if the user has none. STORE_STALE: the
 * user wants nothing kept. Adds to `count`, and fills in each ->here, before the callback fires;
 * `count` and `memory` must live until then. A long memory goes in part by part, with one `count`,
 * all 0 at first, for all of them; what a crash leaves of it, the same import completes. */
struct store_call *store_take_in(struct store *store, const struct portable_memory *memory,
				 int64_t now, struct take_in_count *count,
				 struct store_waiter waiter);

/* Any thread. Imports end with STORE_FAILED from now on, those that are being written, too: the
 * process is about to stop. */
void store_end_imports(struct store *store);

#endif
