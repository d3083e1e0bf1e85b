/* A user's memory in its tables: where each noun lies, and what has to change together. Shared by
 * the store's calls; every function works in the caller's transaction. */
#ifndef RECALLD_STORAGE_USER_MEMORY_H
#define RECALLD_STORAGE_USER_MEMORY_H

#include "storage/lmdb/table.h"

/* What one read gives at most of turns' texts, beside their number. */
enum { MEMORY_TEXT_LIMIT = 16 * 1024 * 1024 };

/* Of one exchange's answers so many are followed. */
enum { ANSWERS_LIMIT = 4096 };

struct memory {
	struct transaction *transaction;
	struct user_key user;
	struct arena *arena; /* what is read is copied there */
};

bool memory_user(const struct memory *memory, struct stored_user *user);
void memory_put_user(const struct memory *memory, struct stored_user *user);

/* Turns. Putting one keeps the order by time, in which only current turns are, and the index. */
bool memory_turn(const struct memory *memory, uint64_t id, struct stored_turn *turn);
/* One of several, which mostly lie near each other: by a scan of the user's turns. */
bool memory_find_turn(const struct memory *memory, struct scan *turns, uint64_t id,
		      struct stored_turn *turn);
void memory_put_turn(const struct memory *memory, struct stored_turn *turn);

struct turn_list {
	struct turn *turns;
	size_t count;
	size_t capacity;
	size_t text;
	bool sessionless; /* nobody asks for the turns' sessions, each of which is a read */
};
/* Adds the turn with its session. False: the list holds enough text. */
bool turn_list_add(struct turn_list *list, const struct memory *memory, const struct turn *turn);
/* Adds up to `count` of the newest current turns. */
void turn_list_add_newest(struct turn_list *list, const struct memory *memory, size_t count);
/* By time, then id; each turn once. */
void turn_list_sort(struct turn_list *list);

/* Exchanges, by their user turn's place. */
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
uint32_t memory_session(const struct memory *memory, struct slice session); /* 0: not seen yet */
/* A new conversation, which the session leads to from now on. */
uint32_t memory_begin_conversation(const struct memory *memory, struct stored_user *user,
				   struct slice session);

struct key memory_answer_key(const struct memory *memory, uint64_t hash, uint32_t conversation,
			     uint32_t ordinal);

struct key memory_fact_key(const struct memory *memory, uint64_t id);
/* The facts for which `wanted` is true, sorted by entity (the user first), key and id. */
struct fact *memory_facts(const struct memory *memory,
			  bool (*wanted)(const struct fact *fact, int64_t now), int64_t now,
			  size_t *count);
bool fact_is_current(const struct fact *fact, int64_t now);
bool fact_is_known(const struct fact *fact, int64_t now); /* all but the forgotten */

bool memory_summary(const struct memory *memory, struct summary *summary);

/* Jobs, parked or not. */
bool memory_job(const struct memory *memory, enum job_kind kind, uint64_t exchange,
		struct job *job);
bool memory_decode_job(const struct memory *memory, struct slice key, struct slice value,
		       bool parked, struct job *job);
void memory_put_job(const struct memory *memory, struct job *job);
bool memory_delete_job(const struct memory *memory, enum job_kind kind, uint64_t exchange);
/* Counts the turns that the summary does not cover and makes the summary's job say so: away with it
 * when there are none, made after `like` when it is missing. */
void memory_recount_uncovered(const struct memory *memory, const struct job *like);

/* Keeps a receipt, and as many of the newest as `store->receipts` says. */
void memory_put_receipt(const struct memory *memory, const struct receipt *receipt);
/* One of an export: of the age that it had, unless that is taken. */
void memory_put_receipt_again(const struct memory *memory, uint64_t id,
			      struct stored_receipt *receipt);
void memory_delete_receipt(const struct memory *memory, uint64_t id);
void memory_delete_receipts(const struct memory *memory);
/* At most `*steps` of the user's, each of which takes a step. False: a rest is left. */
bool memory_delete_some_receipts(const struct memory *memory, size_t *steps);
/* Ages rise; 0: there is none. */
uint64_t memory_newest_receipt_age(const struct memory *memory);

/* Deletes a user's records, those first by which reads find the others, and has new users' ids
 * begin behind this one's. Each takes one of `*steps`. False: a rest is left. */
bool memory_delete_user(const struct memory *memory, size_t *steps);
/* A slice of forgetting a user, for an operation in slices. The next start goes on with one that
 * is begun. */
struct operation;
enum store_result memory_forget_user(const struct memory *memory, struct operation *operation);
/* The next start forgets the user, until the mark is taken away. */
void memory_mark_forgotten(const struct memory *memory);
void memory_unmark_forgotten(const struct memory *memory);

#endif
