/* A user's memory in its tables: where each noun lies, and what must change together. Shared by the
 * store's calls; every function works in the caller's transaction. */
#ifndef RECALLD_STORAGE_USER_MEMORY_H
#define RECALLD_STORAGE_USER_MEMORY_H

#include "core/base/ids.h"
#include "core/facts/change.h"
#include "core/memory/user.h"
#include "storage/lmdb/table.h"

/* The most text of turns that one read returns, besides the limit on their number. */
enum { MEMORY_TEXT_LIMIT = 16 * 1024 * 1024 };

/* The most answers of one exchange that are followed. */
enum { ANSWERS_LIMIT = 4096 };

/* Keys of the user's records. */
static inline struct key memory_key(const struct memory *memory)
{
	return key_of_user(memory->user);
}
static inline struct key memory_id_key(const struct memory *memory, uint64_t id)
{
	return key_u64(key_of_user(memory->user), id);
}
static inline struct key memory_conversation_key(const struct memory *memory, uint32_t conversation)
{
	return key_u32(key_of_user(memory->user), conversation);
}

/* Records; what is read is copied into the memory's arena. */
static inline bool memory_read(const struct memory *memory, enum table table, struct key key,
			       record_fields *fields, void *noun)
{
	return table_read(memory->transaction, table, key, fields, noun, memory->arena);
}
static inline void memory_write(const struct memory *memory, enum table table, struct key key,
				record_fields *fields, void *noun)
{
	table_write(memory->transaction, table, key, fields, noun);
}
static inline bool memory_delete(const struct memory *memory, enum table table, struct key key)
{
	return table_delete(memory->transaction, table, key);
}

/* Notes that it happened to the memory now, so that exchanges in progress see it. Writer only. */
void memory_note_epoch(const struct memory *memory, enum epoch epoch);
/* Whether it happened since the forget_epoch was issued. Writer only. */
bool memory_passed_epoch(const struct memory *memory, enum epoch epoch, uint64_t forget_epoch);

bool memory_user(const struct memory *memory, struct stored_user *user);
/* Whether the user has records in an encrypted store, but no keys. */
bool memory_has_lost_keys(const struct memory *memory);
void memory_put_user(const struct memory *memory, struct stored_user *user);

/* Begins a scan of the user's records in a table, forward, whose values are valid until the next
 * step only, see scan_let_go(). */
void memory_scan(const struct memory *memory, struct scan *scan, enum table table);

/* Turns. Storing one updates the index and the order by time, which holds only current turns. */
bool memory_turn(const struct memory *memory, uint64_t id, struct stored_turn *turn);
/* Goes to the next turn of a scan of TABLE_TURNS that can be read. `arena` NULL: its texts are
 * valid until the next step. */
bool scan_turn(struct scan *turns, struct stored_turn *turn, struct arena *arena);
/* Finds one of several turns that are mostly close together, with a scan of the user's turns. */
bool memory_find_turn(const struct memory *memory, struct scan *turns, uint64_t id,
		      struct stored_turn *turn);
void memory_put_turn(const struct memory *memory, struct stored_turn *turn);
/* Rewrites a turn whose text says less than the stored one. */
void memory_shorten_turn(const struct memory *memory, struct stored_turn *turn);
/* Removes everything derived from the texts of turns, including their vectors, from the index.
 * Storing a turn as hidden does the same for it; many together are cheaper. */
void memory_unindex_turns(const struct memory *memory, const uint64_t *ids, size_t count);

struct turn_list {
	struct turn *turns;
	size_t count;
	size_t capacity;
	size_t text;
	bool sessionless; /* skip the turns' sessions, which cost a read each */
};
/* Adds the turn with its session. False: the list holds enough text. */
bool turn_list_add(struct turn_list *list, const struct memory *memory, const struct turn *turn);
/* Adds up to `count` of the newest current turns. */
void turn_list_add_newest(struct turn_list *list, const struct memory *memory, size_t count);
/* By time, then id; removes duplicates. */
void turn_list_sort(struct turn_list *list);

/* Exchanges, by the place of their user turn. */
struct key memory_exchange_key(const struct memory *memory, uint32_t conversation, uint32_t ordinal,
			       uint64_t exchange);
bool memory_exchange(const struct memory *memory, const struct turn *user_turn,
		     struct stored_exchange *exchange);
void memory_put_exchange(const struct memory *memory, const struct turn *user_turn,
			 struct stored_exchange *exchange);

bool memory_conversation(const struct memory *memory, uint32_t id,
			 struct past_conversation *conversation);
void memory_put_conversation(const struct memory *memory, uint32_t id,
			     struct past_conversation *conversation);
uint32_t memory_session(const struct memory *memory, struct slice session); /* 0: unknown session */
/* Begins a conversation, to which the session leads from now on. */
uint32_t memory_begin_conversation(const struct memory *memory, struct stored_user *user,
				   struct slice session);

struct key memory_answer_key(const struct memory *memory, uint64_t hash, uint32_t conversation,
			     uint32_t ordinal);

/* False: there is none, or none that can be read. */
bool memory_read_fact(const struct memory *memory, uint64_t id, struct fact *fact);
void memory_put_fact(const struct memory *memory, struct fact *fact);
/* The facts for which `wanted` is true, sorted by entity (the user first), key and id. */
struct fact *memory_facts(const struct memory *memory,
			  bool (*wanted)(const struct fact *fact, int64_t now), int64_t now,
			  size_t *count);
bool fact_is_current(const struct fact *fact, int64_t now);
bool fact_is_any(const struct fact *fact, int64_t now);
bool fact_is_known(const struct fact *fact, int64_t now); /* all but the forgotten */

bool memory_summary(const struct memory *memory, struct summary *summary);

/* Jobs, parked or not. */
bool memory_job(const struct memory *memory, enum job_kind kind, uint64_t exchange,
		struct job *job);
bool memory_decode_job(const struct memory *memory, struct slice key, struct slice value,
		       bool parked, struct job *job);
void memory_put_job(const struct memory *memory, struct job *job);
bool memory_delete_job(const struct memory *memory, enum job_kind kind, uint64_t exchange);
/* Counts the turns that the summary does not cover and updates its job: deletes it if there are
 * none, makes it like `like` if it is missing. */
void memory_recount_uncovered(const struct memory *memory, const struct job *like);

/* Stores a receipt, and drops the oldest beyond `store->receipts`. */
void memory_put_receipt(const struct memory *memory, const struct receipt *receipt);
/* Stores a receipt of an export with its original age, unless that is taken. */
void memory_put_receipt_again(const struct memory *memory, uint64_t id,
			      struct stored_receipt *receipt);
void memory_delete_receipt(const struct memory *memory, uint64_t id);
/* Removes the texts of these facts and turns from a receipt that was read; it keeps their ids. */
void memory_silence_receipt(const struct memory *memory, uint64_t id,
			    struct stored_receipt *receipt, const struct leaving *leaving,
			    struct arena *arena);
/* Deletes at most `*steps` of the user's receipts, one step each. False: some are left. */
bool memory_delete_some_receipts(const struct memory *memory, size_t *steps);
/* Ages ascend; 0: there is none. */
uint64_t memory_newest_receipt_age(const struct memory *memory);

/* Links from replies that requests may continue from, by their ids. */

bool links_find(const struct memory *memory, struct slice id, struct chain_link *link);
void links_put(const struct memory *memory, struct slice id, const struct chain_link *link);
/* Deletes those that lead to one of the conversations, in one walk over the user's links. Sorts the
 * list. */
void links_delete(const struct memory *memory, const struct id_list *conversations);
/* Deletes the texts of pending turns that were said then or before. */
void links_drop_pending(const struct memory *memory, int64_t until);
/* Drops them among a bounded number of links: rising steps come round to all of them. */
void links_drop_some_pending(const struct memory *memory, int64_t until, uint64_t step);

/* The replay ledger: what was recalled for the user turns of a conversation. */

/* By ordinal, the newest last within an ordinal. Leaves out the first ones beyond
 * MEMORY_TEXT_LIMIT. */
struct replay *replays_read(const struct memory *memory, uint32_t conversation, size_t *count);
/* Replaces the replay of the same user turn at the same ordinal; another turn there keeps its
 * own. */
void replays_put(const struct memory *memory, uint32_t conversation, const struct replay *replay);
void replays_delete(const struct memory *memory, uint32_t conversation);

/* Records of an exchange that are not deleted with it. */
struct leaves {
	struct user_key user;
	uint64_t receipt;      /* 0: none */
	uint32_t conversation; /* 0: none */
};
/* Deletes the oldest of what requests were given: the user's, if it takes more than half of
 * `limit` bytes (0: no limit), and while the map is nearly full that of those who take most. A few
 * records at a time, and nothing of who is under a legal hold at `now`. */
void memory_make_room(const struct memory *memory, const struct leaves *leaves, uint64_t limit,
		      int64_t now);

/* Deletes a user's records, first those by which reads find the others, and makes new users' ids
 * begin after this one's. Each record takes one of `*steps`. `counts` (may be NULL) has a place for
 * each table, to which it adds how many went. False: some are left. */
bool memory_delete_user(const struct memory *memory, size_t *steps, uint64_t *counts);
/* A slice of forgetting a user, for an operation in slices. The next start continues one that has
 * begun. */
struct operation;
enum store_result memory_forget_user(const struct memory *memory, struct operation *operation,
				     uint64_t *counts);
/* Notes in the store how long the list of erasures is: an older copy of the store knows fewer. */
void memory_note_erasures(struct transaction *transaction);
/* Makes the next start forget the user, unless the mark is removed before. */
void memory_mark_forgotten(const struct memory *memory);
bool memory_is_marked_forgotten(const struct memory *memory);
void memory_unmark_forgotten(const struct memory *memory);

/* ---- tombstones and settings ---- */

/* Tombstones, settings and changes of facts in their tables. */

struct tombstones memory_tombstones(const struct memory *memory);
/* For the fact's value, under its entity and key. */
void memory_bury(const struct memory *memory, const struct fact *fact, int64_t at);
/* Under every key: for the values of the fact and of those it superseded, which have lower ids,
 * among these, ascending. */
void memory_bury_chain(const struct memory *memory, const struct id_list *facts, uint64_t id,
		       int64_t at);
/* Puts a tombstone on the values of these facts. */
void memory_bury_all(const struct memory *memory, const struct id_list *facts, int64_t at);
/* Deletes those of the fact's value, whatever synonym of its key they are under. */
void memory_lift(const struct memory *memory, const struct fact *fact);
/* Stores a tombstone of an export. */
void memory_put_tombstone(const struct memory *memory, uint64_t value, uint64_t subject,
			  struct tombstone *tombstone);

/* The default if none are stored. */
struct user_settings memory_settings(const struct memory *memory);
void memory_put_settings(const struct memory *memory, const struct user_settings *settings);
/* Leaves only what outlives the user's memory. */
void memory_forget_settings(const struct memory *memory);

/* ---- what appending and importing share ---- */

/* Shared by appending and importing. */

/* Reads the user's record, or prepares that of a new user. The caller writes it back. */
void journal_open_user(const struct memory *memory, struct slice tenant, struct slice id,
		       int64_t seen_at, struct stored_user *user);
/* Gives the turn its id and stores it. */
void journal_add_turn(const struct memory *memory, struct stored_user *user,
		      struct stored_turn *turn);
/* Makes an answer findable by its hash; does nothing for 0. */
void journal_fingerprint_answer(const struct memory *memory, uint64_t hash, uint32_t conversation,
				uint32_t ordinal, struct stored_answer answer);
/* Adds an exchange's job, made like `like`. */
void journal_add_job(const struct memory *memory, struct stored_user *user, uint64_t exchange,
		     const struct job *like);
/* Tells the summary's job how many turns came and went. If `like` is given, the job follows it from
 * now on. */
void journal_count_uncovered(const struct memory *memory, size_t came, size_t went,
			     const struct job *like);
/* Makes jobs that waited for a mode that learns follow the configuration from now on. */
void journal_release_jobs(const struct memory *memory, struct stored_user *user);

/* ---- exchanges for the rules of core/memory ---- */

/* Reads the exchanges of a conversation for the rules of core/memory. */

/* An exchange's user turn, without its text. False: it is gone. */
bool exchange_turn(const struct memory *memory, uint64_t id, struct stored_turn *turn);

/* An exchange by its id, without its text. False: it is gone. */
bool exchange_read(const struct memory *memory, uint64_t id, struct past_exchange *exchange);

/* The conversation's exchanges with ordinals from `first` to `last`, in the memory's arena. Their
 * texts are not copied: they are valid until the transaction writes or ends. */
struct past_exchanges exchanges_read(const struct memory *memory, uint32_t conversation,
				     uint32_t first, uint32_t last);

#endif
