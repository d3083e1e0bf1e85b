/* A store in a folder of its own, and its calls made to wait for their callbacks. */
#ifndef RECALLD_TESTS_STORE_FIXTURE_H
#define RECALLD_TESTS_STORE_FIXTURE_H

#include "core/learn/learn.h"
#include "storage/lmdb/table.h"
#include "storage/portable.h"
#include "tests/unit/unit.h"

#include <pthread.h>

/* A loop that one thread turns by waiting. */
struct fixture_loop {
	struct store_loop loop;
	pthread_mutex_t lock;
	pthread_cond_t posted;
	struct fixture_post *first;
	struct fixture_post **last;
};

void fixture_loop_init(struct fixture_loop *loop);
void fixture_loop_finish(struct fixture_loop *loop);
void fixture_loop_turn(
	struct fixture_loop *loop); /* runs what is posted, waits for one if none is */
size_t fixture_loop_pending(struct fixture_loop *loop);

struct fixture_wait {
	bool done;
	enum store_result result;
};

void fixture_done(void *cookie, enum store_result result); /* store_done; a fixture_wait */
enum store_result fixture_await(struct fixture_loop *loop, struct fixture_wait *wait);

struct fixture {
	char path[UNIT_PATH];
	uint64_t map_size;
	uint64_t receipts;
	struct store *store;
	struct fixture_loop loop;
	struct arena arena; /* of all that is read */
	/* Of the newest job's input, by which learning is then written; UINT64_MAX: none was read.
	 */
	uint64_t forget_epoch;
	bool is_damaged; /* the test has written past the store's functions */
};

/* With ENCRYPTED=1 in the environment, the key with which the tests' stores are encrypted; else
 * NULL.
 */
const unsigned char *fixture_master(void);

void fixture_init(struct fixture *fixture, uint64_t map_size);
/* Checks the account of space, too. */
void fixture_finish(struct fixture *fixture); /* the folder goes too */
/* Fails unless the account of each user is what a walk through all trees finds. */
void fixture_check_space(struct fixture *fixture);
void fixture_reopen(struct fixture *fixture);

struct user_key fixture_key(const char *user); /* of the tenant "shared" */

/* An exchange of "alex" that is complete, journalled and learned from, at the time `now`; the
 * hashes are fixture_hash() of the texts. */
struct append fixture_exchange(const char *user_text, const char *answer, int64_t now);
uint64_t fixture_hash(const char *text);
enum store_result fixture_append(struct fixture *fixture, const struct append *append);
/* A message of the past, as an import brings it. */
struct fixture_turn {
	enum role role;
	struct slice text;
	uint64_t hash;
	int64_t created_at;
	int utc_offset;
	struct slice session; /* empty: one conversation for all of the import */
};
/* store_take_in() of such messages, which with their texts must live until the callback fires; an
 * answer belongs to the newest user turn of its session. */
struct store_call *fixture_begin_import(struct store *store, struct slice tenant, struct slice user,
					const struct fixture_turn *turns, size_t count, bool learn,
					int64_t now, struct store_waiter waiter);
enum store_result fixture_import(struct fixture *fixture, const struct fixture_turn *turns,
				 size_t count, bool learn);
enum store_result fixture_forget(struct fixture *fixture, const char *user);
enum store_result fixture_learned(struct fixture *fixture, uint64_t exchange,
				  const struct change *changes, size_t count, bool hide);
enum store_result fixture_summarized(struct fixture *fixture, const char *text, uint64_t covers,
				     uint64_t previous_covers);

struct memory_view fixture_load(struct fixture *fixture, const struct load *load);
/* All that is known of "alex", without a history. */
struct memory_view fixture_view(struct fixture *fixture, const char *session);
/* The memory of a user who is known, as an export has it. */
struct portable_memory fixture_memory(struct fixture *fixture, const char *user);
enum store_result fixture_take_in(struct fixture *fixture, const struct portable_memory *memory,
				  int64_t now, struct take_in_count *count);
enum store_result fixture_jobs(struct fixture *fixture, struct job_list *list);
enum store_result fixture_input(struct fixture *fixture, enum job_kind kind, uint64_t exchange,
				struct job_input *input);
/* STORE_NOT_FOUND when it is gone. */
enum store_result fixture_receipt(struct fixture *fixture, uint64_t id, struct slice *text);

/* Puts `value` in the place of every value of a table. Gives how many they were. */
size_t fixture_spoil(struct fixture *fixture, enum table table, struct slice value);
void fixture_put(struct fixture *fixture, enum table table, struct key key, struct slice value);
/* Says of a closed store that it has another format. */
void fixture_put_format(const char *path, struct slice format);
/* An empty file in the store's folder; one that is there loses what it held. */
void fixture_put_file(const struct fixture *fixture, const char *name);

static inline bool scan_next(struct scan *scan, struct slice *key, struct slice *value)
{
	const bool found = scan_step(scan);
	*key = scan->at;
	*value = scan->value;
	return found;
}

#endif
