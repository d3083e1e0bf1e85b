#include "proxy/learn/next_job.h"

#include "proxy/learn/learn_job.h"

/* Usually there are one or two. */
enum { JOBS_AT_ONCE = 16 };

/* A summary replaces what is taken out of a history, whatever the mode. */
static bool summarizes(const struct config_memory *settings, enum mode mode)
{
	return mode_uses_summary(mode) || (mode != MODE_OFF && settings->history == HISTORY_TRIM);
}

bool learner_follows(const struct config_memory *settings, enum mode mode)
{
	return settings->learn && (mode_uses_facts(mode) || summarizes(settings, mode));
}

bool learner_wants(const struct config *config, const struct job_list *list, const struct job *job,
		   int64_t now)
{
	struct config_memory settings =
		config_memory_for(config, job->model, list->tenant, list->user);
	enum mode mode = job->explicit_mode ? job->mode : (enum mode)settings.mode;
	if (job->parked || !learner_follows(&settings, mode))
		return false;
	if (job->kind == JOB_FACTS)
		return mode_uses_facts(mode);
	return summarizes(&settings, mode) && job->uncovered > 0 &&
	       (job->uncovered >= settings.summarize_after ||
		now - job->last_active >= LEARN_JOB_IDLE_TIME);
}

/* The key for learning from this user; empty: none is needed, or it is the client's own and
 * unknown. */
static struct slice find_key(struct next_job *next)
{
	const char *key = config_model_api_key(next->config);
	if (key[0] != '\0')
		return arena_join(
			&next->arena,
			(const struct slice[]){SLICE("Authorization: Bearer "), slice_of(key)}, 2);
	return key_ring_get(next->keys, next->user, &next->arena);
}

/* Reads the jobs after the exchange `after`, and keeps the first of each kind. */
static void read_page(struct next_job *next, uint64_t after)
{
	struct job_list *page = &next->page;
	if (store_user_jobs(next->store, next->user, after, JOBS_AT_ONCE, page, &next->arena) !=
	    STORE_OK)
		*page = (struct job_list){0};
	for (size_t i = 0; i < page->count; i++) {
		const struct job *job = &page->jobs[i];
		const struct job **place = job->kind == JOB_FACTS ? &next->facts : &next->summary;
		bool has_key = next->key_field.size > 0 || !job->client_key;
		if (*place == NULL && has_key && learner_wants(next->config, page, job, next->now))
			*place = job;
	}
}

/* Reads page by page, since any number may be parked or wait for another mode. */
static void find_jobs(struct next_job *next)
{
	uint64_t after = 0;
	do {
		arena_finish(&next->arena);
		next->summary = NULL;
		next->key_field = find_key(next);
		read_page(next, after);
		after = next->page.next_after;
	} while (after != 0 && next->facts == NULL);
}

/* How long until the job is due; 0 or less: it is due. */
static int64_t time_left(const struct next_job *next, const struct job *job)
{
	if (job->client_key && next->has_new_key)
		return 0;
	int64_t left = job->not_before - next->now;
	/* No pause is longer: the clock has been set back since. */
	return left > LEARN_JOB_LONGEST_PAUSE ? 0 : left;
}

void next_job_choose(struct next_job *next)
{
	next->facts = NULL;
	next->job = NULL;
	next->wait = -1;
	find_jobs(next);
	const struct job *const candidates[] = {next->facts, next->summary};
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		if (candidates[i] == NULL || next->job != NULL)
			continue;
		int64_t left = time_left(next, candidates[i]);
		if (left <= 0)
			next->job = candidates[i];
		else if (next->wait < 0 || left < next->wait)
			next->wait = left;
	}
}

void next_job_finish(struct next_job *next)
{
	arena_finish(&next->arena);
}
