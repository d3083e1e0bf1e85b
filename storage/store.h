/* The store: keeps memory, with verbs named for what recalld does with it.
 *
 * A read returns its result, copied into the caller's arena; nothing points into the engine. A
 * write waits for the disk: it goes to the single writer thread, which commits many in one
 * transaction with one sync. It returns a handle. Its callback fires once, on a later turn of the
 * loop that the caller names, unless store_cancel() was called on that loop before. Cancelling
 * drops the callback, not the write. The handle is invalid once the callback begins.
 *
 * The output of a read is valid only with STORE_OK, except a forget_epoch, which is always set. No
 * read returns more than about 16 MB of turns' texts, newest first (for a summary's job, oldest
 * first). A record that cannot be read is skipped and counted.
 *
 * A write that was promised to nobody fails at once with STORE_FULL if it makes the store grow
 * while there is no room, and with STORE_FAILED while 64 MB of others wait. What was promised, and
 * a delete, is always accepted. One user's writes run in order. Every function may be called from
 * any thread; a handle belongs to the thread that started it. */
#ifndef RECALLD_STORAGE_STORE_H
#define RECALLD_STORAGE_STORE_H

#include "core/memory/erasure.h"
#include "core/memory/exchange.h"
#include "core/recall/recall.h"

struct store;
struct store_call;

enum store_result {
	STORE_OK,
	STORE_NOT_FOUND,
	STORE_STALE,   /* what it rests on was forgotten or done meanwhile; nothing was written */
	STORE_CHANGED, /* its input has changed since it was read; nothing was written */
	STORE_FULL,    /* the map or the disk has no room; nothing was written */
	STORE_FAILED,
};

const char *store_result_name(enum store_result result);

/* Receives the progress of long work: the thread or child process that does it calls `tell` from
 * time to time, with a share from 0 to 1. `tell` NULL: nobody listens. */
struct store_progress {
	void (*tell)(void *cookie, double share);
	void *cookie;
};

static inline void store_tell(const struct store_progress *progress, double done, double all)
{
	if (progress->tell != NULL)
		progress->tell(progress->cookie, done < all ? done / all : 1);
}

struct store_options {
	const char *path; /* a directory; created (0700) if missing */
	uint64_t map_size;
	uint64_t receipts; /* how many to keep */
	bool rebuilds;     /* it is being built from an export; see dump.h */
	bool scrubs;       /* first copies its records into a new file; see open/open.h */
	struct store_progress progress;   /* of rebuilding the index, or of reading an export */
	struct store_progress converting; /* of converting an earlier format, or encrypting */
	int64_t erased_since;             /* what was erased before may come back; see erasures.h */
	const unsigned char *master; /* a key of STORE_KEY_SIZE bytes, which encrypts the store;
					NULL: it is not encrypted */
};
enum { STORE_KEY_SIZE = 32 };

/* Opens the store and starts its writer thread. NULL: `error` gives the reason and what to do in
 * one sentence, also if another process has the store open or its format is unknown. */
struct store *store_open(const struct store_options *options, char *error, size_t error_size);
/* The format that opening converted the store from. */
struct store_conversion {
	uint64_t format;  /* an earlier one, or the same if it was encrypted; 0: none */
	uint64_t skipped; /* records that could not be read and are left out */
	bool encrypts;    /* it is encrypted now, and its old file is not kept */
};
struct store_conversion store_converted(const struct store *store);
/* Whether the store is encrypted, and the keys of each user whose erasure was answered are gone
 * from the file of keys; any thread. */
bool store_erases_by_keys(struct store *store);
/* When an encrypted store got the master key that it has, in milliseconds since 1970; 0: it is not
 * encrypted. Any thread. */
int64_t store_key_made(const struct store *store);
/* Users of an encrypted store whose keys are missing, as after an older file of keys was put back:
 * nothing of them can be read, and only deleting them makes their ids good again. As found when the
 * store was opened, less those deleted since. Any thread. */
enum { STORE_LOST_NAMED = 8 };
struct store_lost {
	uint64_t users;
	struct user_key first[STORE_LOST_NAMED]; /* some of those found, no more than that many */
	size_t first_count;
};
struct store_lost store_lost(const struct store *store);
/* Whether the user is one of them. Any thread. */
bool store_has_lost(struct store *store, struct user_key user);
/* When the keys of an encrypted store's users were last exported before the last erasure of a user,
 * in milliseconds since 1970; 0: never. Any thread. */
int64_t store_keys_exported(const struct store *store);
/* Commits what is queued, stops the writer, and closes the store. Only writes may be in progress;
 * their callbacks are posted before it returns. */
void store_close(struct store *store);

/* Wraps the keys of an encrypted store, which nobody may have open, with another master key: from
 * then on only that one opens it. The store is named by the options' `path` and `master`. Sets
 * `users` to how many have keys. False: nothing has changed, and `error` says why. */
bool store_rotate_key(const struct store_options *options, const unsigned char *master,
		      size_t *users, char *error, size_t error_size);

/* Writes the keys of an encrypted store's users to a descriptor, wrapped with the key `to`, and
 * notes it in the store's directory. The store, named by `path` and `master`, may be open. Sets
 * `users` to how many have keys. False: `error` says why. */
bool store_export_keys(const struct store_options *options, const unsigned char *to, int out,
		       size_t *users, char *error, size_t error_size);

enum store_look {
	STORE_LOOK_FINE,
	STORE_LOOK_HELD,     /* another process has it open */
	STORE_LOOK_DENIED,   /* this user may not write there; another may */
	STORE_LOOK_UNUSABLE, /* nobody could open it in this state */
};

/* Whether store_open() would accept the directory now; changes nothing. Unless all is fine, `why`
 * is a clause with the reason, without advice. */
enum store_look store_look(const char *path, char *why, size_t why_size);

/* Whether writes have room; cheap, from any thread. Turns false while deletes still have
 * head-room. */
bool store_has_room(const struct store *store);
/* Whether the map is nearly full, before store_has_room() turns false: each exchange that is
 * written then deletes what requests of the users who take most were given; cheap, from any thread.
 */
bool store_is_crowded(const struct store *store);
/* Whether so much waits to be written that nothing more may be promised; cheap, from any thread. */
bool store_is_behind(const struct store *store);

/* Records skipped since the start; cheap, from any thread. */
uint64_t store_unreadable(const struct store *store);
/* Whether the engine found its file damaged; what is still readable is read. Stays true until the
 * store is opened again. */
bool store_is_broken(const struct store *store);
/* Whether the engine has stopped reading and writing because the page that ends a commit could not
 * be written. Earlier commits are there when the store is opened again. */
bool store_is_stuck(const struct store *store);

/* Hears, on the writer's thread, how many facts of a user gave way to others: beyond FACTS_LIMIT
 * the least used go. NULL: nobody does. */
typedef void fact_limit_listener(struct user_key user, size_t count);
void store_listen_to_fact_limit(struct store *store, fact_limit_listener *listener);

struct audit_entry;
typedef void audit_listener(struct slice line);
/* Runs the callbacks of writes: `post` is thread-safe and runs `run(cookie)` on the loop later. */
struct store_loop {
	void (*post)(struct store_loop *loop, void (*run)(void *cookie), void *cookie);
	/* The audit log's entry for a write that is given this loop; copied before the write's
	 * function returns. NULL: nothing. See storage/audit.h. */
	const struct audit_entry *audit;
};

typedef void store_done(void *cookie, enum store_result result);
/* A callback for the end of a write. Zeroed, or with no callback: no callback runs, and the write
 * returns NULL. */
struct store_waiter {
	struct store_loop *loop;
	store_done *callback;
	void *cookie;
};
void store_cancel(struct store_call *call); /* NULL is fine */
/* How much it did, where the write says so: in its callback. */
size_t store_call_count(const struct store_call *call);

struct user_key store_user_key(struct slice tenant, struct slice user);

/* ---- for a request ---- */

/* STORE_OK also for an unknown user (view->known false). */
enum store_result store_load(struct store *store, const struct load *load, struct memory_view *view,
			     struct arena *arena);

/* ---- recall ---- */

/* Finds what bears on a question among all of a user's live turns, except those that the request
 * holds. Of turns that say the same, gives only the best, and none if one of them is already
 * given. */
enum store_result store_recall(struct store *store, const struct recall *recall,
			       struct recall_result *recalled, struct arena *arena);

/* ---- vectors ---- */

struct unembedded {
	struct turn *turns; /* oldest first; texts may be cut to 8 KB */
	size_t count;
};
/* Current turns that have no vector of this model yet, at most `limit`. */
enum store_result store_unembedded(struct store *store, struct user_key user, struct slice model,
				   size_t limit, struct unembedded *unembedded,
				   struct arena *arena);

/* Stores the vectors of turns that still stand. The first vectors of another model, or with other
 * dimensions, replace all earlier ones. */
struct store_call *store_embedded(struct store *store, struct user_key user, struct slice model,
				  size_t dimensions, const struct embedded_turn *turns,
				  size_t count, struct store_waiter waiter);

/* ---- what an exchange leaves behind ---- */

/* Journals an exchange and its job in one transaction. Copies texts before it returns. STORE_STALE:
 * the user was forgotten since the forget_epoch. */
struct store_call *store_append(struct store *store, const struct append *append,
				struct store_waiter waiter);

/* Stores the receipt of a request that leaves nothing else behind. */
struct store_call *store_keep_receipt(struct store *store, struct user_key user,
				      uint64_t forget_epoch, const struct receipt *receipt,
				      struct store_waiter waiter);

/* Forgets everything about a user, including jobs, receipts and exchanges in progress. A user who
 * comes back gets new ids, so that nothing in progress matches the new records. STORE_NOT_FOUND:
 * there was nothing. A long memory is deleted in parts, between others' writes: the user is hidden
 * from the first part on, and after a crash the next start deletes the rest. What was said until
 * `now` does not come back by an import. `report` (may be NULL) is filled in as by store_delete(),
 * see deletions.h. */
struct deletion_report;
struct store_call *store_forget(struct store *store, struct user_key user, int64_t now,
				struct deletion_report *report, struct store_waiter waiter);

/* ---- learning ---- */

/* The jobs of one user: those for facts of at most `limit` exchanges after `after` (0: from the
 * first), and always the summary's. STORE_NOT_FOUND: none. */
enum store_result store_user_jobs(struct store *store, struct user_key user, uint64_t after,
				  size_t limit, struct job_list *list, struct arena *arena);

/* A page of users, in the order of their keys, or of their hidden keys in an encrypted store:
 * always the same. */
struct user_page {
	struct user_key *users;
	struct expiry *expiries; /* store_users_expired() only */
	size_t count;
	bool more;            /* there may be users after `last` */
	struct user_key last; /* the last user checked */
};

/* Up to `limit` users with jobs (parked jobs do not count), in the order of their keys, starting
 * after `after` (NULL: at the first). */
enum store_result store_users_with_jobs(struct store *store, const struct user_key *after,
					size_t limit, struct user_page *page, struct arena *arena);

/* The inputs of facts jobs, as they are at one moment: `inputs[i]` for `exchanges[i]`, all with the
 * same facts, tombstones and settings. Ends before the first exchange that is no longer there;
 * `*count` receives how many were read. STORE_NOT_FOUND: none. */
enum store_result store_facts_inputs(struct store *store, struct user_key user,
				     const uint64_t *exchanges, size_t *count,
				     struct job_input *inputs, struct arena *arena);
/* The input of the summary's job. STORE_NOT_FOUND: there is none. */
enum store_result store_summary_input(struct store *store, struct user_key user,
				      struct job_input *input, struct arena *arena);

struct change;
/* The result of a JOB_FACTS. */
struct learned {
	uint64_t exchange;
	uint64_t forget_epoch; /* of its input */
	const struct change *changes;
	size_t change_count;
	bool hide_exchange; /* the turn itself asked to forget something */
	int64_t now;
};
/* Writes the result of a JOB_FACTS: the changes and the removal of the job in one transaction.
 * STORE_STALE: the job is gone (its user or exchange was forgotten, or it was already done).
 * STORE_CHANGED: turns were hidden or taken back since `forget_epoch`, and facts with them: work
 * the changes out again. Forgetting erases texts, hides the source exchanges, and drops a summary
 * that covers them, receipts and frozen contexts. Its count: facts that were forgotten or hidden,
 * and texts that turns lost with none. */
struct store_call *store_learned(struct store *store, struct user_key user,
				 const struct learned *learned, struct store_waiter waiter);

/* Stores a new summary that covers turns up to summary->covers. STORE_STALE: the stored one no
 * longer covers up to `previous_covers` (0: there was none). STORE_CHANGED: turns were hidden or
 * taken back since `forget_epoch`. */
struct store_call *store_summarized(struct store *store, struct user_key user,
				    uint64_t forget_epoch, const struct summary *summary,
				    uint64_t previous_covers, struct store_waiter waiter);

/* Records a failed try: its counters, and when the next is due or that the job is parked.
 * STORE_STALE: the job is gone. */
struct store_call *store_postpone(struct store *store, struct user_key user, const struct job *job,
				  struct store_waiter waiter);

/* Restarts all parked jobs of a user (NULL: of everybody). STORE_NOT_FOUND: there is no such user.
 * Sets `count` to their number before the callback fires; `count` must live until then, or until
 * the store is closed. */
struct store_call *store_unpark(struct store *store, const struct user_key *user, size_t *count,
				struct store_waiter waiter);

/* ---- what is past its time ---- */

/* Says what of a user's memory is past its time, from the user's names and settings. */
typedef void expiry_rule(void *cookie, struct slice tenant, struct slice user,
			 const struct user_settings *settings, struct expiry *expiry);

/* Checks `limit` users, starting after `after` (NULL: at the first), and returns those with expired
 * data, with their expiries. Calls `rule` for each on the caller's thread. */
enum store_result store_users_expired(struct store *store, expiry_rule *rule, void *cookie,
				      const struct user_key *after, size_t limit,
				      struct user_page *page, struct arena *arena);

/* Deletes expired data; if there is a lot, only a batch. STORE_NOT_FOUND: there was nothing.
 * Deletes with the texts of turns their index, vectors and jobs, and what requests were given from
 * them: receipts, frozen contexts and replays. A conversation that nobody has continued since goes
 * with all of its records; in the end the user's own record does, too. Facts keep their quotes.
 * Reads on the caller's thread first, which for a long memory takes a while. Fills in `count`
 * before the callback fires; `count` must live until then, or until the store is closed. */
struct store_call *store_expire(struct store *store, struct user_key user,
				const struct expiry *expiry, struct expired_count *count,
				struct store_waiter waiter);

/* ---- what one user may take ---- */

struct user_size {
	struct user_key key;
	struct slice tenant; /* both empty: nothing of the user is left but receipts or settings */
	struct slice user;
	uint64_t bytes;  /* of the file, about, for all of the user's records */
	uint64_t given;  /* of these for receipts, frozen contexts and replays */
	bool is_counted; /* false: an earlier version wrote some of them; see store_count() */
};

/* Of the next STORE_SIZES_AT_ONCE users after `after`, finds those who take more than `bytes` or
 * are not counted; `after` becomes the last user checked. Start with a zeroed key. Returns how many
 * there are; `more`: there are further users. */
enum { STORE_SIZES_AT_ONCE = 256 };
size_t store_users_above(struct store *store, uint64_t bytes, struct user_key *after, bool *more,
			 struct user_size users[STORE_SIZES_AT_ONCE], struct arena *arena);
/* The users who take most, in descending order. Returns how many. */
enum { STORE_LARGEST = 16 };
size_t store_largest_users(struct store *store, struct user_size users[STORE_LARGEST],
			   struct arena *arena);

/* A user's bytes in the store, as counted; cheap, from any thread. */
uint64_t store_user_bytes(struct store *store, struct user_key user);
/* Counts what a user takes whom an earlier version left uncounted. Reads all of the user's keys on
 * the caller's thread first. STORE_STALE: they could not be read. */
struct store_call *store_count(struct store *store, struct user_key user,
			       struct store_waiter waiter);
/* Once each user that store_users_above() found has been counted: from then on it only looks at
 * the account. */
struct store_call *store_note_counted(struct store *store, struct store_waiter waiter);
bool store_is_counted(struct store *store);

/* Deletes the oldest receipts, frozen contexts and replays, some at a time: those of a user that
 * take more than half of `limit` bytes, or (NULL) those of the users who take most. Nobody's who
 * is under a legal hold at `now`. STORE_NOT_FOUND: there were none. */
struct store_call *store_make_room(struct store *store, const struct user_key *user, uint64_t limit,
				   int64_t now, struct store_waiter waiter);

/* Deletes the least used facts of a user who takes more than `keep` bytes. Facts may take what the
 * user's other records leave of `keep`, and half of it at least. A user under a legal hold at `now`
 * loses none. STORE_NOT_FOUND: none went. */
struct store_call *store_trim_facts(struct store *store, struct user_key user, uint64_t keep,
				    int64_t now, struct store_waiter waiter);

/* Finds what has to go so that a user takes about `keep` bytes, oldest first: what was said at
 * expiry->turns_until or before; INT64_MIN: nothing. Reads all of the user's turns. Sets nothing
 * else. False: the turns could not be read. */
bool store_measure(struct store *store, struct user_key user, uint64_t keep, struct expiry *expiry);

/* ---- for people ---- */

struct listed_user {
	struct user_key key;
	struct slice tenant;
	struct slice user;
	int64_t first_seen;
	int64_t last_seen;
};

struct user_filter {
	const struct slice *tenant; /* NULL: any */
	struct slice prefix;        /* of the user's id */
	struct slice log_id;        /* the first bytes of the user's key; empty: any */
};

struct user_list {
	struct listed_user *users; /* the caller's, with room for `limit` */
	size_t limit;
	size_t count;
	bool more; /* there may be further users */
};

/* Adds the wanted users among the next STORE_LISTED_AT_ONCE after `after`, in the order of their
 * keys, until the list is full; `after` becomes the last user checked. Start with a zeroed key. */
enum { STORE_LISTED_AT_ONCE = 256 };
enum store_result store_list_users(struct store *store, const struct user_filter *filter,
				   struct user_key *after, struct user_list *list,
				   struct arena *arena);

/* Zero it before the first call. */
struct user_counts {
	uint64_t turns; /* current ones only; the same for facts */
	uint64_t facts;
	uint64_t conversations;
	bool done;
	/* where the next call continues */
	unsigned tables_done;
	unsigned char at[40];
	size_t at_size;
};

/* Counts what a user has, one record per step, until `*steps` are used up or the count is
 * complete. */
enum store_result store_count_user(struct store *store, struct user_key user, int64_t now,
				   struct user_counts *counts, size_t *steps);

/* STORE_NOT_FOUND: there is no such user. */
enum store_result store_read_user(struct store *store, struct user_key user, size_t max_turns,
				  int64_t now, struct user_memory *read, struct arena *arena);

struct kept_receipt {
	uint64_t id;
	struct slice text;    /* JSON; without the words of turns where it is listed */
	struct user_key user; /* its owner */
};
/* Puts the words of the user's turns into the text of a receipt that is not stored: it only says
 * where they are, see core/facts/receipt_text.h. */
enum store_result store_tell_turns(struct store *store, struct user_key user, struct slice *text,
				   struct arena *arena);
/* STORE_NOT_FOUND: there is no such receipt, or it is gone. */
enum store_result store_read_receipt(struct store *store, uint64_t receipt,
				     struct kept_receipt *read, struct arena *arena);

struct receipt_list {
	struct kept_receipt *receipts; /* newest first */
	size_t count;
	bool more;     /* there may be older ones */
	uint64_t last; /* the last one checked: older ones are before it */
};
/* A user's receipts with ids from `first` to before `before`: at most `limit`, and about 4 MB of
 * text. Ids ascend with time. STORE_NOT_FOUND: there is neither a receipt nor such a user. */
enum store_result store_user_receipts(struct store *store, struct user_key user, uint64_t first,
				      uint64_t before, size_t limit, struct receipt_list *list,
				      struct arena *arena);

struct store_statistics {
	uint64_t users, turns, facts, jobs, parked, receipts;
	uint64_t bytes_used, bytes_mapped;
	uint64_t disk_free; /* bytes that the disk has left for the store; 0: unknown */
	uint64_t commits,
		writes;      /* since the start; their ratio shows how well commits are shared */
	uint64_t unreadable; /* records that were skipped, since the start */
};
void store_statistics(struct store *store, struct store_statistics *statistics);

#endif
