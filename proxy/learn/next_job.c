#include "proxy/learn/next_job.h"

#include "proxy/learn/learn_job.h"

/* Mostly there are one or two. */
enum { JOBS_AT_ONCE = 16 };

/* A summary stands in for what is taken out of a history, whatever the mode. */
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
		now - job->last_active >= LESSON_IDLE_TIME);
}

/* The key to learn with from this user; empty: none, or it is the client's own, which is not known
 * (any more). */
static struct slice find_key(struct choice *choice)
{
	const char *key = config_model_api_key(choice->config);
	if (key[0] != '\0')
		return arena_join(
			&choice->arena,
			(const struct slice[]){SLICE("Authorization: Bearer "), slice_of(key)}, 2);
	return key_ring_get(choice->keys, choice->user, &choice->arena);
}

static void on_jobs(void *cookie, enum store_result result, struct job_list *list)
{
	struct choice *choice = cookie;
	choice->page = result == STORE_OK ? *list : (struct job_list){0};
	for (size_t i = 0; i < choice->page.count; i++) {
		const struct job *job = &choice->page.jobs[i];
		const struct job **place =
			job->kind == JOB_FACTS ? &choice->facts : &choice->summary;
		bool has_key = choice->key_field.size > 0 || !job->client_key;
		if (*place == NULL && has_key &&
		    learner_wants(choice->config, list, job, choice->now))
			*place = job;
	}
}

/* Page by page, since any number may be parked or wait for another mode. */
static void find_jobs(struct choice *choice)
{
	uint64_t after = 0;
	do {
		arena_finish(&choice->arena);
		choice->summary = NULL;
		choice->key_field = find_key(choice);
		store_user_jobs(choice->store, choice->user, after, JOBS_AT_ONCE, &choice->arena,
				on_jobs, choice);
		after = choice->page.next_after;
	} while (after != 0 && choice->facts == NULL);
}

/* How long until the job is to be tried; at most nought: it is due. */
static int64_t time_left(const struct choice *choice, const struct job *job)
{
	if (job->client_key && choice->has_new_key)
		return 0;
	int64_t left = job->not_before - choice->now;
	/* No pause is longer: it was made by a clock that has been set back since. */
	return left > LESSON_LONGEST_PAUSE ? 0 : left;
}

void choice_make(struct choice *choice)
{
	choice->facts = NULL;
	choice->job = NULL;
	choice->wait = -1;
	find_jobs(choice);
	const struct job *const candidates[] = {choice->facts, choice->summary};
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		if (candidates[i] == NULL || choice->job != NULL)
			continue;
		int64_t left = time_left(choice, candidates[i]);
		if (left <= 0)
			choice->job = candidates[i];
		else if (choice->wait < 0 || left < choice->wait)
			choice->wait = left;
	}
}

void choice_finish(struct choice *choice)
{
	arena_finish(&choice->arena);
}
