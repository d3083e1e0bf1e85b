#include "storage/user/memory.h"

/* Where a new user's ids begin: after those of all deleted users, so that what is still in progress
 * for a deleted user never matches the same user's new records. */
static uint64_t first_id(const struct memory *memory)
{
	uint64_t id = 1;
	if (!table_read(memory->transaction, TABLE_META, key_of_name("first_id"),
			stored_number_fields, &id, NULL))
		return 1;
	return id;
}

void journal_open_user(const struct memory *memory, struct slice tenant, struct slice id,
		       int64_t seen_at, struct stored_user *user)
{
	if (!memory_user(memory, user)) {
		uint64_t first = first_id(memory);
		*user = (struct stored_user){.tenant = tenant,
					     .user = id,
					     .first_seen = seen_at,
					     .last_seen = seen_at,
					     .next_turn = first,
					     .next_fact = first,
					     .next_conversation = (uint32_t)first};
	}
	if (seen_at < user->first_seen)
		user->first_seen = seen_at;
	if (seen_at > user->last_seen)
		user->last_seen = seen_at;
}

void journal_add_turn(const struct memory *memory, struct stored_user *user,
		      struct stored_turn *turn)
{
	turn->turn.id = user->next_turn++;
	if (turn->turn.role == ROLE_USER)
		turn->turn.exchange = turn->turn.id;
	memory_put_turn(memory, turn);
}

void journal_fingerprint_answer(const struct memory *memory, uint64_t hash, uint32_t conversation,
				uint32_t ordinal, struct stored_answer answer)
{
	if (hash != 0)
		memory_write(memory, TABLE_ANSWERS,
			     memory_answer_key(memory, hash, conversation, ordinal),
			     stored_answer_fields, &answer);
}

void journal_add_job(const struct memory *memory, struct stored_user *user, uint64_t exchange,
		     const struct job *like)
{
	struct job job = {.kind = JOB_FACTS,
			  .exchange = exchange,
			  .model = like->model,
			  .explicit_mode = like->explicit_mode,
			  .mode = like->mode,
			  .client_key = like->client_key,
			  .forgets = like->forgets,
			  .last_active = like->last_active};
	memory_put_job(memory, &job);
	user->deferred = user->deferred || job.explicit_mode;
}

void journal_count_uncovered(const struct memory *memory, size_t came, size_t went,
			     const struct job *like)
{
	struct job job;
	if (came == 0 && went == 0)
		return;
	if (!memory_job(memory, JOB_SUMMARY, 0, &job))
		job = (struct job){.kind = JOB_SUMMARY};
	job.uncovered += came;
	job.uncovered -= went < job.uncovered ? went : job.uncovered;
	if (like != NULL) {
		job.model = like->model;
		job.explicit_mode = like->explicit_mode;
		job.mode = like->mode;
		job.client_key = like->client_key;
		if (like->last_active > job.last_active)
			job.last_active = like->last_active;
	}
	if (job.uncovered > 0)
		memory_put_job(memory, &job);
	else
		(void)memory_delete_job(memory, JOB_SUMMARY, 0);
}

static void release_jobs(const struct memory *memory, bool parked)
{
	struct scan scan;
	struct key prefix = key_byte(memory_key(memory), JOB_FACTS);
	scan_begin(&scan, memory->transaction, parked ? TABLE_PARKED : TABLE_JOBS, prefix, FORWARD);
	while (scan_step(&scan)) {
		struct job job;
		if (!memory_decode_job(memory, scan.at, scan.value, parked, &job) ||
		    !job.explicit_mode)
			continue;
		job.explicit_mode = false;
		memory_put_job(memory, &job); /* at the key where the scan stands */
	}
	scan_end(&scan);
}

void journal_release_jobs(const struct memory *memory, struct stored_user *user)
{
	if (!user->deferred)
		return;
	release_jobs(memory, false);
	release_jobs(memory, true);
	user->deferred = false;
}
