#include "storage/user/memory.h"

static struct key job_key(const struct memory *memory, enum job_kind kind, uint64_t exchange)
{
	return key_u64(key_byte(key_of_user(memory->user), kind), exchange);
}

bool memory_decode_job(const struct memory *memory, struct slice key, struct slice value,
		       bool parked, struct job *job)
{
	*job = (struct job){
		.kind = key_read_byte(key, 16) == JOB_FACTS ? JOB_FACTS : JOB_SUMMARY,
		.exchange = key_read_u64(key, 17),
		.parked = parked,
	};
	return table_decode(memory->transaction, value, stored_job_fields, job, memory->arena);
}

bool memory_job(const struct memory *memory, enum job_kind kind, uint64_t exchange, struct job *job)
{
	*job = (struct job){.kind = kind, .exchange = exchange};
	struct key key = job_key(memory, kind, exchange);
	if (table_read(memory->transaction, TABLE_JOBS, key, stored_job_fields, job, memory->arena))
		return true;
	job->parked = table_read(memory->transaction, TABLE_PARKED, key, stored_job_fields, job,
				 memory->arena);
	return job->parked;
}

void memory_put_job(const struct memory *memory, struct job *job)
{
	struct key key = job_key(memory, job->kind, job->exchange);
	enum table table = job->parked ? TABLE_PARKED : TABLE_JOBS;
	enum table other = job->parked ? TABLE_JOBS : TABLE_PARKED;
	table_write(memory->transaction, table, key, stored_job_fields, job);
	(void)table_delete(memory->transaction, other, key);
}

bool memory_delete_job(const struct memory *memory, enum job_kind kind, uint64_t exchange)
{
	struct key key = job_key(memory, kind, exchange);
	bool waiting = table_delete(memory->transaction, TABLE_JOBS, key);
	bool parked = table_delete(memory->transaction, TABLE_PARKED, key);
	return waiting || parked;
}

static size_t count_uncovered(const struct memory *memory, uint64_t covers, int64_t *last_active)
{
	struct scan scan;
	size_t count = 0;
	struct key prefix = key_of_user(memory->user);
	scan_begin_at(&scan, memory->transaction, TABLE_TURNS, prefix, key_u64(prefix, covers + 1),
		      FORWARD);
	scan_let_go(&scan);
	while (scan_step(&scan)) {
		struct stored_turn stored = {0};
		if (!table_decode(memory->transaction, scan.value, stored_turn_fields, &stored,
				  NULL) ||
		    stored.turn.state != TURN_CURRENT || !stored.learn)
			continue;
		count++;
		if (count == 1 || stored.turn.created_at > *last_active)
			*last_active = stored.turn.created_at;
	}
	scan_end(&scan);
	return count;
}

void memory_recount_uncovered(const struct memory *memory, const struct job *like)
{
	struct summary summary;
	struct job job;
	int64_t last_active = 0;
	(void)memory_summary(memory, &summary);
	size_t uncovered = count_uncovered(memory, summary.covers, &last_active);
	if (uncovered == 0) {
		(void)memory_delete_job(memory, JOB_SUMMARY, 0);
		return;
	}
	if (!memory_job(memory, JOB_SUMMARY, 0, &job))
		job = (struct job){.kind = JOB_SUMMARY,
				   .model = like->model,
				   .explicit_mode = like->explicit_mode,
				   .mode = like->mode,
				   .client_key = like->client_key,
				   .last_active = last_active};
	job.uncovered = uncovered;
	memory_put_job(memory, &job);
}
