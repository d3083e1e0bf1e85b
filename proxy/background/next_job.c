#include "proxy/background/next_job.h"

#include "storage/rights.h"

/* Usually there are one or two. */
enum { JOBS_AT_ONCE = 16 };

/* A summary replaces what is taken out of a history, whatever the mode. */
static bool summarizes(const struct config_memory *settings, enum mode mode)
{
	return mode_uses_summary(mode) || (mode != MODE_OFF && settings->history == HISTORY_TRIM);
}

bool learner_follows(const struct config_memory *settings, enum mode mode, bool forgets)
{
	return settings->learn && (mode_uses_facts(mode) || summarizes(settings, mode) ||
				   (forgets && mode != MODE_OFF));
}

bool learner_wants(const struct config *config, const struct job_list *list, const struct job *job,
		   int64_t now)
{
	struct config_memory settings =
		config_memory_for(config, job->model, list->tenant, list->user);
	enum mode mode = job->explicit_mode ? job->mode : (enum mode)settings.mode;
	if (job->parked || !learner_follows(&settings, mode, job->forgets))
		return false;
	if (job->kind == JOB_FACTS)
		return mode_uses_facts(mode) || job->forgets;
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

/* How long until the job is due; 0 or less: it is due. */
static int64_t time_left(const struct next_job *next, const struct job *job)
{
	if (job->client_key && next->has_new_key)
		return 0;
	int64_t left = job->not_before - next->now;
	/* No pause is longer: the clock has been set back since. */
	return left > LEARN_JOB_LONGEST_PAUSE ? 0 : left;
}

/* A failed exchange is tried alone, so that it holds up no other for long. */
static bool goes_with(const struct next_job *next, const struct job *first, const struct job *job)
{
	return first->tries == 0 && job->tries == 0 && time_left(next, first) <= 0 &&
	       time_left(next, job) <= 0 && slice_equal(first->model, job->model) &&
	       first->client_key == job->client_key;
}

/* Whether more may join. */
static bool add_facts(struct next_job *next, const struct job *job)
{
	if (next->facts == NULL)
		next->facts = job;
	else if (!goes_with(next, next->facts, job))
		return false;
	next->waiting[next->waiting_count++] = job;
	return next->waiting_count < LEARN_BATCH_MOST;
}

/* Reads the jobs after the exchange `after`, and keeps the first of each kind that is wanted. */
static void read_page(struct next_job *next, uint64_t after)
{
	struct job_list *page = &next->page;
	bool takes_more = true;
	if (store_user_jobs(next->store, next->user, after, JOBS_AT_ONCE, page, &next->arena) !=
	    STORE_OK)
		*page = (struct job_list){0};
	next->now = next->clock();
	for (size_t i = 0; i < page->count; i++) {
		const struct job *job = &page->jobs[i];
		bool has_key = next->key_field.size > 0 || !job->client_key;
		if (!has_key || !learner_wants(next->config, page, job, next->now))
			continue;
		if (job->kind == JOB_FACTS)
			takes_more = takes_more && add_facts(next, job);
		else if (next->summary == NULL)
			next->summary = job;
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

static void wait_for(struct next_job *next, int64_t left)
{
	if (next->wait < 0 || left < next->wait)
		next->wait = left;
}

/* How long the user has been quiet. A scan may find an exchange before its wake comes, so a user
 * whom nothing woke is as quiet as the newest exchange is old. */
static int64_t quiet_time(const struct next_job *next)
{
	int64_t age = next->now - next->waiting[next->waiting_count - 1]->last_active;
	/* The clock has been set back since. */
	return age < 0 || next->quiet < age ? next->quiet : age;
}

/* How long until the exchanges that wait are enough for a call, or old enough. */
static int64_t idle_left(struct next_job *next)
{
	const struct config_memory settings = config_memory_for(next->config, next->facts->model,
								next->page.tenant, next->page.user);
	next->idle = (int64_t)settings.learn_idle;
	next->most = (size_t)settings.learn_batch;
	if (next->waiting_count > next->most)
		next->waiting_count = next->most;
	bool is_enough =
		next->waiting_count == next->most || next->is_pressing || next->facts->tries > 0;
	int64_t quiet = quiet_time(next);
	return is_enough || quiet >= next->idle ? 0 : next->idle - quiet;
}

static void choose_facts(struct next_job *next)
{
	int64_t left = time_left(next, next->facts);
	int64_t idle = idle_left(next);
	if (left <= 0 && idle <= 0) {
		next->count = next->waiting_count;
		for (size_t i = 0; i < next->count; i++)
			next->jobs[i] = next->waiting[i];
		return;
	}
	next->idles = left <= 0;
	wait_for(next, next->idles ? idle : left);
}

static void choose_summary(struct next_job *next)
{
	int64_t left = time_left(next, next->summary);
	if (left <= 0) {
		next->idles = false;
		next->jobs[0] = next->summary;
		next->count = 1;
	} else {
		wait_for(next, left);
	}
}

bool learner_may_learn(const struct config *config, struct store *store, struct user_key user)
{
	struct arena scratch = {0};
	struct user_settings settings;
	if (config->governance.consent != CONSENT_REQUIRED)
		return true;
	bool may = store_settings(store, user, &settings, &scratch) == STORE_OK &&
		   settings_may_learn(&settings, true);
	arena_finish(&scratch);
	return may;
}

void next_job_choose(struct next_job *next)
{
	next->facts = next->summary = NULL;
	next->waiting_count = next->count = 0;
	next->idles = false;
	next->wait = -1;
	if (!learner_may_learn(next->config, next->store, next->user))
		return;
	find_jobs(next);
	if (next->facts != NULL)
		choose_facts(next);
	if (next->summary != NULL && next->count == 0)
		choose_summary(next);
}

void next_job_finish(struct next_job *next)
{
	arena_finish(&next->arena);
}
