/* Postpones jobs: until their next try or, parked, until a person restarts them. */
#include "storage/lmdb/writer.h"
#include "storage/user/memory.h"

struct postpone_operation {
	struct operation operation;
	struct user_key user;
	struct job job;
};

static enum store_result run_postpone(struct operation *operation, const struct memory *memory)
{
	struct postpone_operation *own = (struct postpone_operation *)operation;
	struct job job;
	bool found = memory_job(memory, own->job.kind, own->job.exchange, &job);
	if (found) {
		/* The job's task may have changed since it was read: that stays. */
		job.tries = own->job.tries;
		job.unusable = own->job.unusable;
		job.not_before = own->job.not_before;
		job.parked = own->job.parked;
		memory_put_job(memory, &job);
	}
	return found ? STORE_OK : STORE_STALE;
}

struct store_call *store_postpone(struct store *store, struct user_key user, const struct job *job,
				  struct store_loop *loop, store_done *callback, void *cookie)
{
	struct postpone_operation *own = operation_create(sizeof(*own), run_postpone);
	own->user = user;
	own->job = *job;
	own->job.model = (struct slice){0};
	return writer_submit(store->writer, &own->operation, &own->user, loop, callback, cookie);
}

struct unpark_operation {
	struct operation operation;
	bool everybody;
	struct user_key user;
	size_t *count; /* the caller's */
};

static bool is_known(const struct memory *memory)
{
	struct stored_user user;
	return memory_user(memory, &user);
}

static enum store_result run_unpark(struct operation *operation, const struct memory *memory)
{
	struct unpark_operation *own = (struct unpark_operation *)operation;
	struct key prefix = own->everybody ? key_empty() : key_of_user(own->user);
	struct memory theirs = *memory;
	struct scan scan;
	size_t count = 0;
	scan_begin(&scan, memory->transaction, TABLE_PARKED, prefix, FORWARD);
	while (scan_step(&scan)) {
		struct job job;
		theirs.user = key_read_user(scan.at);
		if (!memory_decode_job(&theirs, scan.at, scan.value, false, &job))
			continue;
		scan_delete(&scan);
		job.tries = 0;
		job.unusable = 0;
		job.not_before = 0;
		memory_put_job(&theirs, &job);
		count++;
	}
	scan_end(&scan);
	*own->count = count;
	bool found = own->everybody || count > 0 || is_known(memory);
	return found ? STORE_OK : STORE_NOT_FOUND;
}

struct store_call *store_unpark(struct store *store, const struct user_key *user, size_t *count,
				struct store_loop *loop, store_done *callback, void *cookie)
{
	struct unpark_operation *own = operation_create(sizeof(*own), run_unpark);
	own->everybody = user == NULL;
	own->count = count;
	if (user != NULL)
		own->user = *user;
	return writer_submit(store->writer, &own->operation, own->everybody ? NULL : &own->user,
			     loop, callback, cookie);
}
