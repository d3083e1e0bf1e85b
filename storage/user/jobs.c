#include "storage/user/memory.h"

static struct key job_key(const struct memory *memory, enum job_kind kind, uint64_t exchange)
{
	return key_u64(key_byte(memory_key(memory), kind), exchange);
}

bool memory_decode_job(const struct memory *memory, struct slice key, struct slice value,
		       bool parked, struct job *job)
{
	*job = (struct job){
		.kind = key_read_byte(key, KEY_ID_AT) == JOB_FACTS ? JOB_FACTS : JOB_SUMMARY,
		.exchange = key_read_u64(key, KEY_JOB_EXCHANGE_AT),
		.parked = parked,
	};
	return table_decode(memory->transaction, value, stored_job_fields, job, memory->arena);
}

bool memory_job(const struct memory *memory, enum job_kind kind, uint64_t exchange, struct job *job)
{
	*job = (struct job){.kind = kind, .exchange = exchange};
	struct key key = job_key(memory, kind, exchange);
	if (memory_read(memory, TABLE_JOBS, key, stored_job_fields, job))
		return true;
	job->parked = memory_read(memory, TABLE_PARKED, key, stored_job_fields, job);
	return job->parked;
}

void memory_put_job(const struct memory *memory, struct job *job)
{
	struct key key = job_key(memory, job->kind, job->exchange);
	enum table table = job->parked ? TABLE_PARKED : TABLE_JOBS;
	enum table other = job->parked ? TABLE_JOBS : TABLE_PARKED;
	memory_write(memory, table, key, stored_job_fields, job);
	(void)memory_delete(memory, other, key);
}

bool memory_delete_job(const struct memory *memory, enum job_kind kind, uint64_t exchange)
{
	struct key key = job_key(memory, kind, exchange);
	bool waiting = memory_delete(memory, TABLE_JOBS, key);
	bool parked = memory_delete(memory, TABLE_PARKED, key);
	return waiting || parked;
}

static size_t count_uncovered(const struct memory *memory, uint64_t covers, int64_t *last_active)
{
	struct stored_turn stored;
	struct scan scan;
	size_t count = 0;
	struct key prefix = memory_key(memory);
	scan_begin_at(&scan, memory->transaction, TABLE_TURNS, prefix, key_u64(prefix, covers + 1),
		      FORWARD);
	scan_let_go(&scan);
	while (scan_turn(&scan, &stored, NULL)) {
		if (stored.turn.state != TURN_CURRENT || !stored.learn)
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
