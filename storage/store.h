/* The store: how memory is kept, in the verbs of what recalld does with it.
 *
 * A read returns its result; what it gives is copied into the caller's arena, and nothing points
 * into the engine. A write waits for the disk: it goes to the one writer thread, which commits many
 * in one transaction with one sync. It returns a handle, and its callback fires once, on a later
 * turn of the loop that the caller names, unless store_cancel() was called on that loop before.
 * Cancelling forgets the callback, not the write. The handle is invalid from the callback's
 * beginning on.
 *
 * What a read gives counts only with STORE_OK, but for a forget_epoch, which is always set. No read
 * gives more than about 16 MB of turns' texts, the newest first (for a summary's job the oldest). A
 * record that cannot be read is left out and counted.
 *
 * A write that was not promised to anybody gives STORE_FULL at once while there is no room if it
 * makes the store grow, and STORE_FAILED while 64 MB of others wait. What was promised, and a
 * delete, is always taken. One user's writes run in their order. Every function may be called from
 * any thread; a handle belongs to the thread that started it. */
#ifndef RECALLD_STORAGE_STORE_H
#define RECALLD_STORAGE_STORE_H

#include "core/memory/exchange.h"
#include "core/memory/expiry.h"
#include "core/memory/job.h"
#include "core/memory/view.h"
#include "core/recall/search.h"

struct store;
struct store_call;

enum store_result {
	STORE_OK,
	STORE_NOT_FOUND,
	STORE_STALE,   /* what it rests on was forgotten or done meanwhile; nothing was written */
	STORE_CHANGED, /* what it was made of has changed since it was read; nothing was written */
	STORE_FULL,    /* the map or the disk has no room; nothing was written */
	STORE_FAILED,
};

const char *store_result_name(enum store_result result);

/* Hears how far long work is: called now and then by the thread, or the child process, that does
 * it, with a share from 0 to 1. `tell` NULL: nobody listens. */
struct store_progress {
	void (*tell)(void *cookie, double share);
	void *cookie;
};

struct store_options {
	const char *path; /* a directory; made (0700) when missing */
	uint64_t map_size;
	uint64_t receipts;              /* how many are kept */
	bool rebuilds;                  /* it is made of an export; see dump.h */
	struct store_progress progress; /* of making the index anew, or of a rebuild's reading */
};

/* Opens the store and starts its writer thread. NULL: `error` says why in one sentence with what to
 * do, also when another process has it open or its format version is unknown. */
struct store *store_open(const struct store_options *options, char *error, size_t error_size);
/* The earlier format from which opening converted the store; 0: there was nothing to convert. */
uint64_t store_converted_from(const struct store *store);
/* Commits what is queued, stops the writer, closes. No call may be under way but writes, whose
 * callbacks are posted before it returns. */
void store_close(struct store *store);

enum store_look {
	STORE_LOOK_FINE,
	STORE_LOOK_HELD,     /* another process has it open */
	STORE_LOOK_DENIED,   /* this user may not write there; another may */
	STORE_LOOK_UNUSABLE, /* nobody could open it as it is */
};

/* Whether store_open() would take the directory now; leaves it as it is. `why` is a clause
 * without what to do, unless it is fine. */
enum store_look store_look(const char *path, char *why, size_t why_size);

/* Whether writes have room; cheap, from any thread. Turns false while there is still head-room for
 * deletes. */
bool store_has_room(const struct store *store);
/* Whether so much waits to be written that nothing more may be promised; cheap, from any thread. */
bool store_is_behind(const struct store *store);

/* Records that were skipped since the start; cheap, from any thread. */
uint64_t store_unreadable(const struct store *store);
/* Whether the engine found its file damaged; what can still be read is. Stays so until the store is
 * opened again, as the next does. */
bool store_is_broken(const struct store *store);
/* Whether the engine neither writes nor reads any more, since the page that ends a commit could not
 * be written. What was committed before is there when the store is opened again. */
bool store_is_stuck(const struct store *store);

/* Who runs callbacks of writes: `post` is thread-safe and runs `run(cookie)` on the loop later. */
struct store_loop {
	void (*post)(struct store_loop *loop, void (*run)(void *cookie), void *cookie);
};

/* NULL in place of one: nobody is told, and the write returns NULL. */
typedef void store_done(void *cookie, enum store_result result);
void store_cancel(struct store_call *call); /* NULL is fine */

struct user_key store_user_key(struct slice tenant, struct slice user);

/* ---- what a request needs to know ---- */

/* STORE_OK also for an unknown user (view->known false). */
enum store_result store_load(struct store *store, const struct load *load, struct memory_view *view,
			     struct arena *arena);

/* ---- recall ---- */

/* What bears on a question among all live turns of a user, but those that the request holds. Of
 * turns that say the same only the best, and none when one of them is given already. */
enum store_result store_recall(struct store *store, const struct recall *recall,
			       struct recall_result *recalled, struct arena *arena);

/* ---- vectors ---- */

struct unembedded {
	struct turn *turns; /* oldest first; texts may be cut to 8 KB */
	size_t count;
};
/* Current turns that have no vector of this model yet: at most `limit`. */
enum store_result store_unembedded(struct store *store, struct user_key user, struct slice model,
				   size_t limit, struct unembedded *unembedded,
				   struct arena *arena);

/* Keeps the vectors of turns that still stand. The first vectors of another model, or of other
 * dimensions, take the place of all that were kept before. */
struct store_call *store_embedded(struct store *store, struct user_key user, struct slice model,
				  size_t dimensions, const struct embedded_turn *turns,
				  size_t count, struct store_loop *loop, store_done *callback,
				  void *cookie);

/* ---- what an exchange leaves behind ---- */

/* Journals an exchange, and its job, in one transaction. Texts are copied before it returns.
 * STORE_STALE: the user was forgotten since the forget_epoch. */
struct store_call *store_append(struct store *store, const struct append *append,
				struct store_loop *loop, store_done *callback, void *cookie);

/* Keeps the receipt of a request that leaves nothing else behind. */
struct store_call *store_keep_receipt(struct store *store, struct user_key user,
				      uint64_t forget_epoch, const struct receipt *receipt,
				      struct store_loop *loop, store_done *callback, void *cookie);

/* Journals past turns, all or none; with `learn` each user turn gets a job. Many turns of a new
 * user are read in parts before the callback fires; what a crash leaves of them the next start
 * takes back.
 */
struct store_call *store_import(struct store *store, struct slice tenant, struct slice user,
				const struct imported_turn *turns, size_t count, bool learn,
				struct slice model, int64_t now, struct store_loop *loop,
				store_done *callback, void *cookie);

/* Forgets everything about a user, jobs, receipts and exchanges under way included. A user who
 * comes back gets ids that were never used, so that nothing under way finds a namesake.
 * STORE_NOT_FOUND: there was nothing. A long memory goes in parts, between the writes of others:
 * its user is hidden from the first on, and what a crash leaves the next start deletes. */
struct store_call *store_forget(struct store *store, struct user_key user, struct store_loop *loop,
				store_done *callback, void *cookie);

/* ---- learning ---- */

/* The jobs of one user: the facts' of at most `limit` exchanges after the exchange `after` (0: from
 * the first), and always the summary's. STORE_NOT_FOUND: none. */
enum store_result store_user_jobs(struct store *store, struct user_key user, uint64_t after,
				  size_t limit, struct job_list *list, struct arena *arena);

/* A part of all users, in the order of their keys. */
struct user_page {
	struct user_key *users;
	size_t count;
	bool more;            /* there may be users behind `last`... */
	struct user_key last; /* ...the last that was looked at */
};

/* Up to `limit` users with jobs (parked ones do not count), in the order of their keys, from the
 * one after `after` (NULL: from the first). */
enum store_result store_users_with_jobs(struct store *store, const struct user_key *after,
					size_t limit, struct user_page *page, struct arena *arena);

/* STORE_NOT_FOUND: there is nothing to work on. */
enum store_result store_job_input(struct store *store, struct user_key user, enum job_kind kind,
				  uint64_t exchange, struct job_input *input, struct arena *arena);

struct change;
/* What a JOB_FACTS led to: the changes and the job's removal in one transaction. STORE_STALE: the
 * job is gone (its user or exchange was forgotten, or it was done already). STORE_CHANGED: turns
 * were hidden or taken back since `forget_epoch`, and facts with them: the changes are to be worked
 * out anew. Forgetting erases texts, hides the source exchanges, drops a summary that covers them,
 * receipts and frozen contexts. */
struct store_call *store_learned(struct store *store, struct user_key user, uint64_t exchange,
				 uint64_t forget_epoch, const struct change *changes,
				 size_t change_count, bool hide_exchange, int64_t now,
				 struct store_loop *loop, store_done *callback, void *cookie);

/* A new summary that covers turns up to summary->covers. STORE_STALE when the stored one no longer
 * covers up to `previous_covers` (0: there was none), STORE_CHANGED when turns were hidden or taken
 * back since `forget_epoch`. */
struct store_call *store_summarized(struct store *store, struct user_key user,
				    uint64_t forget_epoch, const struct summary *summary,
				    uint64_t previous_covers, struct store_loop *loop,
				    store_done *callback, void *cookie);

/* A try that failed: its counters, when the next is due, or that it is parked. STORE_STALE: the job
 * is gone. */
struct store_call *store_postpone(struct store *store, struct user_key user, const struct job *job,
				  struct store_loop *loop, store_done *callback, void *cookie);

/* Sets all parked jobs of a user (NULL: of everybody) going again. STORE_NOT_FOUND: there is no
 * such user. How many they were is in `count` before the callback fires; it lives until then, or
 * until the store is closed. */
struct store_call *store_unpark(struct store *store, const struct user_key *user, size_t *count,
				struct store_loop *loop, store_done *callback, void *cookie);

/* ---- what is past its time ---- */

/* Of `limit` users, from the one after `after` (NULL: from the first), those of whose memory
 * anything is past its time. */
enum store_result store_users_expired(struct store *store, const struct expiry *expiry,
				      const struct user_key *after, size_t limit,
				      struct user_page *page, struct arena *arena);

/* Takes out what is past its time, or of much a part. STORE_NOT_FOUND: there was nothing. With the
 * texts of turns go their index, vectors and jobs, and what requests were
 * given of them: receipts, frozen contexts and replays. A conversation that nobody has gone on with
 * since goes with all of its records, and in the end the user's own. Facts keep their quotes.
 * It reads on the caller's thread first, of a long memory for a while. `count` is filled before the
 * callback fires; it lives until then, or until the store is closed. */
struct store_call *store_expire(struct store *store, struct user_key user,
				const struct expiry *expiry, struct expired_count *count,
				struct store_loop *loop, store_done *callback, void *cookie);

/* ---- what one user may take ---- */

#define STORE_UNMEASURED UINT64_MAX

struct user_size {
	struct user_key key;
	struct slice tenant;
	struct slice user;
	uint64_t bytes; /* of the turns and their index, at most; STORE_UNMEASURED: not known yet */
};

/* Of the next STORE_SIZES_AT_ONCE users from `after` on, those whose turns take more than `bytes`;
 * `after` becomes the last that was looked at. Start with one of zeroes. Gives how many there are;
 * `more`: there are users behind it. */
enum { STORE_SIZES_AT_ONCE = 256 };
size_t store_users_above(struct store *store, uint64_t bytes, struct user_key *after, bool *more,
			 struct user_size users[STORE_SIZES_AT_ONCE], struct arena *arena);

/* What has to go for a user's turns to take no more than `keep` bytes, the oldest first: what was
 * said at expiry->turns_until or before; INT64_MIN: nothing has to. Goes through all of the user's
 * turns. Sets `counted` and `left` too, and nothing else. False: it could not be read. */
bool store_measure(struct store *store, struct user_key user, uint64_t keep, struct expiry *expiry);

/* ---- to be read by people ---- */

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
};

struct user_list {
	struct listed_user *users; /* the caller's, room for `limit` */
	size_t limit;
	size_t count;
	bool more; /* there may be users behind */
};

/* Adds the wanted ones among the next STORE_LISTED_AT_ONCE users after `after`, in the order of
 * their keys, until the list is full; `after` becomes the last that was looked at. Start with one
 * of zeroes. */
enum { STORE_LISTED_AT_ONCE = 256 };
enum store_result store_list_users(struct store *store, const struct user_filter *filter,
				   struct user_key *after, struct user_list *list,
				   struct arena *arena);

/* Zero it before the first call. */
struct user_counts {
	uint64_t turns; /* current ones; so are the facts */
	uint64_t facts;
	uint64_t conversations;
	bool done;
	/* where the next call goes on */
	unsigned tables_done;
	unsigned char at[40];
	size_t at_size;
};

/* Counts what a user has, one record a step, until `*steps` are used up or it is done. */
enum store_result store_count_user(struct store *store, struct user_key user, int64_t now,
				   struct user_counts *counts, size_t *steps);

/* STORE_NOT_FOUND: there is no such user. */
enum store_result store_read_user(struct store *store, struct user_key user, size_t max_turns,
				  int64_t now, struct user_memory *read, struct arena *arena);

struct kept_receipt {
	uint64_t id;
	struct slice text;    /* JSON */
	struct user_key user; /* whose it is */
};
/* STORE_NOT_FOUND: there is no such receipt, or none any more. */
enum store_result store_read_receipt(struct store *store, uint64_t receipt,
				     struct kept_receipt *read, struct arena *arena);

struct receipt_list {
	struct kept_receipt *receipts; /* the newest first */
	size_t count;
	bool more;     /* there may be older ones... */
	uint64_t last; /* ...before the last that was looked at */
};
/* A user's receipts with ids from `first` to before `before`: at most `limit`, and about 4 MB of
 * texts. Ids rise with the time. STORE_NOT_FOUND: there is neither a receipt nor such a user. */
enum store_result store_user_receipts(struct store *store, struct user_key user, uint64_t first,
				      uint64_t before, size_t limit, struct receipt_list *list,
				      struct arena *arena);

struct store_statistics {
	uint64_t users, turns, facts, jobs, parked, receipts;
	uint64_t bytes_used, bytes_mapped;
	uint64_t disk_free;       /* bytes that the store's disk has left for it; 0: not known */
	uint64_t commits, writes; /* since the start; their ratio is how well commits are shared */
	uint64_t unreadable;      /* records that were skipped, since the start */
};
void store_statistics(struct store *store, struct store_statistics *statistics);

#endif
