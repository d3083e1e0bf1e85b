/* The store: how memory is kept, in the verbs of what recalld does with it.
 *
 * The interface is asynchronous: a function that starts something returns a handle and its callback
 * fires once, or the handle is cancelled and it never fires. The embedded engine answers reads at
 * once: the callback then fires before the function returns, and the function returns NULL. Writes
 * go to the one writer thread, which commits many in one transaction with one sync; their callbacks
 * fire on the loop that the caller names. Cancelling forgets the callback, not the write.
 *
 * Results of reads are copied into the caller's arena; nothing points into the engine. No read
 * gives more than about 16 MB of turns' texts, the newest first (for a summary's job the oldest). A
 * record that cannot be read is left out and counted.
 *
 * A write that was not promised to anybody gives STORE_FULL at once while there is no room if it
 * makes the store grow, and STORE_FAILED while 64 MB of others wait. What was promised, and a
 * delete, is always taken. One user's writes run in their order. Every function may be called from
 * any thread; a handle belongs to the thread that started it. */
#ifndef RECALLD_STORAGE_STORE_H
#define RECALLD_STORAGE_STORE_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"
#include "core/recall/recall.h"

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

struct store_options {
	const char *path; /* a directory; made (0700) when missing */
	uint64_t map_size;
	uint64_t receipts; /* how many are kept */
	bool rebuilds;     /* it is made of an export; see dump.h */
};

/* Opens the store and starts its writer thread. NULL: `error` says why in one sentence with what to
 * do, also when another process has it open or its format version is unknown. */
struct store *store_open(const struct store_options *options, char *error, size_t error_size);
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

typedef void store_done(void *cookie, enum store_result result);
void store_cancel(struct store_call *call); /* NULL is fine */

/* The first 16 bytes of SHA-256 over tenant and user id. Every record of a user begins with it. */
struct user_key {
	unsigned char bytes[16];
};
struct user_key store_user_key(struct slice tenant, struct slice user);

/* ---- what a request needs to know ---- */

/* One assistant message of the request's history, in order. */
struct answer_fingerprint {
	uint64_t hash;      /* text_hash() of its text, or its tool_calls_hash */
	uint64_t user_hash; /* text_hash() of the own text of the user turn before it; 0: none */
	bool tool_calls;
};

/* What was injected at the conversation's begin and stays, byte for byte. An empty block and no
 * turns is a frozen nothing. */
struct frozen {
	enum mode mode;
	size_t tokens;
	struct slice block;
	struct slice turns; /* JSON, as injection.turns */
	struct slice
		receipt_items; /* JSON: what it holds and why, for the receipts of later requests */
	const uint64_t *facts; /* the facts in the block */
	size_t fact_count;
	/* The conversation's turns before this ordinal are taken out of its requests; 0: none. */
	uint32_t cut_before;
	const uint64_t *given; /* the turns in block and turns, rising */
	size_t given_count;
	uint64_t covers; /* of the summary in the block; 0: there is none */
};

/* What was recalled for one user turn, and rides before its text whenever it is sent again. */
struct replay {
	uint32_t ordinal;   /* of the exchange that the turn begins */
	uint64_t user_hash; /* text_hash() of the turn's own text */
	size_t tokens;
	struct slice text;
	struct slice receipt_items; /* JSON, as frozen.receipt_items */
	const uint64_t *turns;      /* recalled in it, rising */
	size_t turn_count;
	const uint64_t *facts; /* in it, rising */
	size_t fact_count;
};

/* What one request was given and why. */
struct receipt {
	uint64_t id;       /* 0: none */
	struct slice text; /* JSON */
	/* Whose texts it holds, in any order, and up to which a summary in it covers. */
	const uint64_t *turns;
	size_t turn_count;
	const uint64_t *facts; /* the same */
	size_t fact_count;
};

struct load {
	struct user_key user;
	struct slice session; /* empty: find the conversation by its answers */
	const struct answer_fingerprint *fingerprints;
	size_t fingerprint_count;
	const struct answer_fingerprint
		*open;            /* the answer that the reply is to go on; NULL: none */
	size_t earlier_answers;   /* answers of the request's history before the first mark */
	uint64_t newest_hash;     /* text_hash() of the newest user turn's own text */
	struct slice newest_text; /* that text, to tell an edit by; empty: nothing is one */
	unsigned newest_turns;    /* at least so many of the newest turns are wanted... */
	/* ...and of the newest that the summary does not cover about so many bytes of text, not
	 * counting what the request carries: at most STORE_MAX_TURNS. */
	size_t uncovered_text;
	bool trims; /* turns that memory holds may be taken out of the request */
	bool facts;
	bool past_facts;      /* superseded and retracted ones too, but not what was taken back */
	size_t conversations; /* so many of the user's are counted at most */
	int64_t now;
};

enum { STORE_MAX_TURNS = 400 };

struct memory_view {
	bool known;    /* the user has a record */
	bool deferred; /* jobs wait for the next exchange that goes by the configured mode */
	uint64_t forget_epoch; /* hand it to store_append(): a user forgotten meanwhile stays
				  forgotten */

	uint32_t conversation; /* 0: a new one begins */
	int64_t last_active;   /* of the conversation */
	uint32_t answers;      /* the ordinal behind the conversation's last complete answer */
	uint32_t next_ordinal; /* the ordinal of the exchange that this request begins: answers
				  behind the last one that was found again count too */
	uint32_t carried_from; /* the request carries the conversation's turns from this ordinal on
				  to next_ordinal; UINT32_MAX: none of them */
	/* Of a request that is trimmed: the oldest exchange that it carries is in memory no more,
	 * by what the user asked or by its age, and no summary tells of it. */
	bool begin_is_lost;
	bool leaves_out;        /* what stands before carried_from */
	uint64_t same_exchange; /* the stored exchange of the same user turn, which is asked again;
				   0: none */
	bool same_learned;      /* and it is learned from, or waits to be */
	bool has_frozen;
	struct frozen frozen;
	struct replay *replays; /* the conversation's, by ordinal; of one the newest last */
	size_t replay_count;
	/* How many conversations the user has, this one not counted when it is new; as far as they
	 * were to be counted. */
	size_t conversations;
	/* The request takes back what the conversation holds from next_ordinal on: a user turn
	 * there was edited, or an older place is gone on from (only with a session, see below). The
	 * facts are then given, and summary and frozen context left out, as the append will leave
	 * them. */
	bool branches;
	uint32_t branch_from;
	const uint64_t *kept; /* exchanges that stay, or come back, although it branches */
	size_t kept_count;
	const uint64_t *carried; /* answers that come back in place of others */
	size_t carried_count;

	bool has_summary;
	struct summary summary;
	struct fact *facts; /* current, not expired (and past ones when asked for); by entity (the
			       user first), key, id */
	size_t fact_count;
	struct turn *turns; /* current ones, oldest first, by time and then id */
	size_t turn_count;
};

/* Edits, regenerations and forks.
 *
 * A client that names its session and sends history may ask an older turn again, reword it, or go
 * on from an older place. From its place on, the conversation's user turns and answers are then
 * superseded: their texts stay, but nothing recalls, lists or learns from them. In doubt nothing is
 * taken back. So the place must be certain: the last answer of the request's history is found at
 * its ordinal; or the request carries no answer at all in a conversation whose requests did, and
 * its user turn is the first one's, or reads like an edit of it. A client that sends only its
 * newest message never takes anything back, but the very first turn asked twice in a row is a
 * regeneration. So is, within the hour, the first turn of a client without sessions whose reply
 * broke off. A turn that was wrapped in, or unwrapped from, 100 bytes or more is no edit: it is
 * kept, facts and all; unwrapped it is the same turn asked again.
 *
 * Facts that rest on superseded turns alone are retracted, and those that they had taken the place
 * of stand again. When a request's history carries superseded turns, or asks one again, the client
 * went back to that branch: they are current again, with the facts that went with them (of two
 * values the newer observation stands), and the branch that it left is superseded in its turn. So
 * nothing is learned twice; only what was not learned from when it was taken back gets a new job.
 */

typedef void store_loaded(void *cookie, enum store_result result, struct memory_view *view);
/* STORE_OK also for an unknown user (view->known false). `load` need not outlive the call. */
struct store_call *store_load(struct store *store, const struct load *load, struct arena *arena,
			      store_loaded *callback, void *cookie);

/* ---- recall ---- */

struct recall {
	struct user_key user;
	const struct recall_question *question;
	uint32_t conversation; /* its turns from carried_from on are in the request; 0: none */
	uint32_t carried_from;
	uint64_t asked_again;   /* the exchange that is: its turns are left out too; 0: none */
	bool only_conversation; /* nothing of others */
	/* Turns of any conversation that say these are left out too. */
	struct carried_texts carried;
	const uint64_t *given; /* turns that the request is given already, rising */
	size_t given_count;
	size_t text_limit; /* about so many bytes of turns' texts are wanted */
};

enum { STORE_MAX_RECALLED = 200 };

struct recall_result {
	struct recall_hit *scores; /* of `turns`, one each */
	struct turn *turns;        /* the best first, without their sessions */
	size_t count;
	size_t ranked; /* how many turns the user has in the index */
};

typedef void store_recalled(void *cookie, enum store_result result, struct recall_result *recalled);
/* What bears on a question among all live turns of a user, but those that the request holds. Of
 * turns that say the same only the best, and none when one of them is given already. */
struct store_call *store_recall(struct store *store, const struct recall *recall,
				struct arena *arena, store_recalled *callback, void *cookie);

/* ---- vectors ---- */

/* Current turns that have no vector of this model yet, oldest first: at most `limit`. Texts may
 * be cut to 8 KB. */
typedef void store_turns_read(void *cookie, enum store_result result, struct turn *turns,
			      size_t count);
struct store_call *store_unembedded(struct store *store, struct user_key user, struct slice model,
				    size_t limit, struct arena *arena, store_turns_read *callback,
				    void *cookie);

struct embedded_turn {
	uint64_t turn;
	const int8_t *vector; /* NULL: the model has none for it; it is not asked for again */
};
/* Keeps the vectors of turns that still stand. The first vectors of another model, or of other
 * dimensions, take the place of all that were kept before. */
struct store_call *store_embedded(struct store *store, struct user_key user, struct slice model,
				  size_t dimensions, const struct embedded_turn *turns,
				  size_t count, struct store_loop *loop, store_done *callback,
				  void *cookie);

/* ---- what an exchange leaves behind ---- */

struct imported_turn {
	enum role role; /* user or assistant */
	struct slice text;
	uint64_t hash;
	int64_t created_at;
	struct slice session; /* empty: one conversation of its own for the whole import */
};

struct append {
	struct slice tenant;
	struct slice user;
	struct slice session;
	uint64_t forget_epoch;
	int64_t started_at; /* when the request came: the user turn's time */
	int64_t now;        /* the answer's */

	uint32_t conversation; /* 0: the session's, or a new one */
	uint32_t ordinal;
	bool carries_history; /* the request carried answers of the conversation */
	bool promised;        /* its client was told that it is kept: head-room and queue take it */
	bool journal;         /* false: only the mark and what was given are kept (the reply called
				 tools; nothing is superseded yet) */
	struct slice user_text;
	uint64_t user_hash;
	struct slice answer_text;
	uint64_t answer_hash; /* text_hash(), or the tool_calls_hash when journal is false */
	uint64_t rest_hash;   /* of what was said now, when it goes on an open answer; 0: all was */
	bool complete;
	uint64_t same_exchange; /* its earlier answer is superseded, its user turn is not stored
				   again */

	bool learn;         /* a job is made (not twice for one user turn) */
	struct slice model; /* the exchange's model */
	bool explicit_mode; /* the request named its mode: the job goes by it */
	enum mode mode;
	bool client_key; /* it came with a key of its own, to be used for learning */

	/* As view->branches: the conversation's exchanges from `ordinal` on, and those beside the
	 * kept ones, are superseded, but for same_exchange and the kept: facts that rest on them
	 * alone are retracted, their jobs go, and a summary that covers them, with all of the
	 * user's frozen contexts and replays. */
	bool supersede;
	uint32_t branch_from; /* the first ordinal of which something may be taken back */
	const uint64_t *kept;
	size_t kept_count;
	const uint64_t *carried; /* as view->carried */
	size_t carried_count;

	/* Of a new conversation: exchanges that the request carries and memory does not hold, each
	 * a user's turn and its answer, before `ordinal`. They become its first ones. */
	const struct imported_turn *history;
	size_t history_count;

	const struct frozen *frozen; /* NULL: as it was; else the conversation's replays go too */
	const struct replay *replay; /* NULL: none was made */
	struct receipt receipt;
};

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

enum job_kind {
	JOB_FACTS,   /* one per exchange to learn from */
	JOB_SUMMARY, /* one per user who has turns that the summary does not cover */
};

struct job {
	enum job_kind kind;
	uint64_t exchange; /* 0 for JOB_SUMMARY */
	struct slice model;
	bool explicit_mode;
	enum mode mode;
	bool client_key;
	unsigned tries;    /* in a row, failed for whatever cause */
	unsigned unusable; /* answers that could not be used */
	int64_t not_before;
	bool parked;
	/* JOB_SUMMARY: */
	size_t uncovered;    /* messages that the summary does not cover */
	int64_t last_active; /* time of the user's newest turn */
};

struct job_list {
	struct user_key key;
	struct slice tenant;
	struct slice user;
	struct job *jobs; /* facts in the order of their exchanges, parked ones included; the
			     summary's last */
	size_t count;
	uint64_t next_after; /* where the list was cut off: the exchange to go on after; 0: it is
				whole */
};

typedef void store_jobs_read(void *cookie, enum store_result result, struct job_list *list);
/* The jobs of one user: the facts' of at most `limit` exchanges after the exchange `after` (0: from
 * the first), and always the summary's. STORE_NOT_FOUND: none. */
struct store_call *store_user_jobs(struct store *store, struct user_key user, uint64_t after,
				   size_t limit, struct arena *arena, store_jobs_read *callback,
				   void *cookie);

typedef void store_users_read(void *cookie, enum store_result result, struct user_key *users,
			      size_t count);
/* Up to `limit` users with jobs (parked ones do not count), in the order of their keys, from the
 * one after `after` (NULL: from the first). */
struct store_call *store_users_with_jobs(struct store *store, const struct user_key *after,
					 size_t limit, struct arena *arena,
					 store_users_read *callback, void *cookie);

/* What a job works on. */
struct job_input {
	uint64_t forget_epoch; /* hand it to store_learned() or store_summarized() */
	struct turn user;      /* JOB_FACTS */
	struct turn assistant; /* text empty when there is none */
	struct turn *before;   /* up to 6 turns of the same conversation before it, oldest first */
	size_t before_count;
	struct fact *facts; /* all but the forgotten; what was taken back as if before all time */
	size_t fact_count;
	bool has_summary; /* JOB_SUMMARY */
	struct summary summary;
	/* Current turns that it does not cover and that are to be learned from: the oldest
	 * STORE_MAX_TURNS, in the order of their ids, as `covers` counts. */
	struct turn *uncovered;
	size_t uncovered_count;
};

typedef void store_job_read(void *cookie, enum store_result result, struct job_input *input);
struct store_call *store_job_input(struct store *store, struct user_key user, enum job_kind kind,
				   uint64_t exchange, struct arena *arena, store_job_read *callback,
				   void *cookie);

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

struct expiry {
	int64_t now;
	/* Exchanges of which the user's turn was said then or before go, and summaries that are
	 * made of none said later; INT64_MIN: none do. */
	int64_t turns_until;
	int64_t facts_until; /* facts that were last said then or before; the same */
	enum pii pii;
	/* With the last part the user's bytes go from `counted` to `left`, as store_measure() gave
	 * them; both 0: they are left alone. */
	uint64_t counted;
	uint64_t left;
};

typedef void store_expired_read(void *cookie, enum store_result result, struct user_key *users,
				size_t count, const struct user_key *last);
/* Of `limit` users, from the one after `after` (NULL: from the first), those of whose memory
 * anything is past its time. `last`: the last that was looked at; NULL: there is none behind it. */
struct store_call *store_users_expired(struct store *store, const struct expiry *expiry,
				       const struct user_key *after, size_t limit,
				       struct arena *arena, store_expired_read *callback,
				       void *cookie);

struct expired_count {
	size_t exchanges;
	size_t facts; /* deleted or masked */
	bool more;    /* it is to be called again */
};

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

struct user_memory {
	struct slice tenant;
	struct slice user;
	bool has_summary;
	struct summary summary;
	struct fact *facts; /* as in memory_view */
	size_t fact_count;
	struct turn *turns; /* current ones, oldest first, the newest `max_turns` */
	size_t turn_count;
};

typedef void store_user_read(void *cookie, enum store_result result, struct user_memory *memory);
struct store_call *store_read_user(struct store *store, struct user_key user, size_t max_turns,
				   int64_t now, struct arena *arena, store_user_read *callback,
				   void *cookie);

typedef void store_receipt_read(void *cookie, enum store_result result, struct slice text,
				struct user_key user);
struct store_call *store_read_receipt(struct store *store, uint64_t receipt, struct arena *arena,
				      store_receipt_read *callback, void *cookie);

struct store_statistics {
	uint64_t users, turns, facts, jobs, parked, receipts;
	uint64_t bytes_used, bytes_mapped;
	uint64_t commits, writes; /* since the start; their ratio is how well commits are shared */
	uint64_t unreadable;      /* records that were skipped, since the start */
};
void store_statistics(struct store *store, struct store_statistics *statistics);

#endif
