#include "proxy/background/learn_job.h"

#include "core/base/ids.h"
#include "core/learn/model_request.h"
#include "proxy/background/learn_batch.h"
#include "proxy/background/learn_call.h"
#include "proxy/background/pace.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"
#include "proxy/service/service.h"
#include "storage/audit.h"

#include <stdlib.h>

enum {
	FACTS_TOKENS = 1500,
	MORE_TOKENS = 300,   /* for each further exchange that is asked about */
	TOKENS_PER_WORD = 6, /* for a summary: generous, for the scripts that cost most */
	FIRST_PAUSE = 250,
	PARK_AFTER = 10, /* unusable answers */
};

struct learn_job {
	struct learn_job_setting setting;
	struct config_memory settings;
	struct job job;
	struct arena arena;
	learn_job_asked *asked; /* NULL once called */
	learn_job_ended *ended;
	void *cookie;
	struct job_input input; /* of a summary job */
	struct learn_prompt prompt;
	struct summary summary;   /* what a summary job will store, except its text */
	struct learn_names names; /* that it must not lose */
	/* Exactly one of these is in progress. */
	struct event *start;
	struct learn_call *call;
	struct store_call *store_call;
	struct learn_batch batch; /* of a facts job */
	bool wants_room;          /* see learn_job_ended */
};

static void destroy(struct learn_job *learn_job)
{
	event_free(learn_job->start);
	config_release(learn_job->setting.config);
	arena_finish(&learn_job->arena);
	free(learn_job);
}

static void end_learn_job(struct learn_job *learn_job, bool noted)
{
	learn_job->ended(learn_job->cookie, noted, learn_job->wants_room);
	destroy(learn_job);
}

/* The rest is up to the store. */
static void leave_model(struct learn_job *learn_job)
{
	learn_job_asked *asked = learn_job->asked;
	learn_job->asked = NULL;
	if (asked != NULL)
		asked(learn_job->cookie);
}

/* ---- when it fails ---- */

static void warn_of_failure(struct learn_job *learn_job, int status, const char *detail)
{
	const struct failure_words why = failure_words(detail, status);
	if (last_failure_note(learn_job->setting.failure, &why))
		log_warn("memory model call failed: %s; exchanges wait to be learned; check "
			 "[model] base_url, api_key and name",
			 why.text);
}

static void on_postponed(void *cookie, enum store_result result)
{
	struct learn_job *learn_job = cookie;
	learn_job->store_call = NULL;
	end_learn_job(learn_job, result == STORE_OK || result == STORE_STALE);
}

static void try_later(struct learn_job *learn_job)
{
	struct job *job = &learn_job->job;
	unsigned doublings = job->tries < 20 ? job->tries : 20;
	int64_t pause = (int64_t)FIRST_PAUSE << doublings;
	job->tries++;
	job->not_before =
		clock_wall() + (pause < LEARN_JOB_LONGEST_PAUSE ? pause : LEARN_JOB_LONGEST_PAUSE);
	if (job->kind == JOB_FACTS)
		job->exchange = learn_job->batch.exchanges[learn_job->batch.at];
	leave_model(learn_job);
	learn_job->store_call =
		store_postpone(learn_job->setting.store, learn_job->setting.user, job,
			       (struct store_waiter){loop_for_store(learn_job->setting.loop),
						     on_postponed, learn_job});
}

static void postpone(struct learn_job *learn_job, enum metric_counter cause)
{
	struct job *job = &learn_job->job;
	if (cause == METRIC_MODEL_UNUSABLE)
		job->unusable++;
	job->parked = job->unusable >= PARK_AFTER;
	metrics_count(cause, 1);
	if (job->parked) {
		metrics_count(METRIC_JOBS_PARKED, 1);
		log_warn("gave up on an exchange after %u unusable answers of the memory model; "
			 "\"recallctl unpark\" retries it",
			 job->unusable);
	}
	try_later(learn_job);
}

/* ---- what the model answered ---- */

static void on_stored(void *cookie, enum store_result result);

/* What a user takes back in a chat is a deletion, which the audit log tells of. */
static bool forgets(const struct learning *learning)
{
	bool does = learning->hide_exchange;
	for (size_t i = 0; i < learning->change_count; i++)
		does |= learning->changes[i].kind == CHANGE_FORGET ||
			learning->changes[i].kind == CHANGE_CONCEAL ||
			learning->changes[i].kind == CHANGE_HIDE;
	return does;
}

static void store_facts(struct learn_job *learn_job)
{
	const struct learn_batch *batch = &learn_job->batch;
	const struct learning *learning = &batch->learning;
	const struct audit_entry entry = {.by = "chat",
					  .action = "delete",
					  .target = "topic",
					  .has_user = true,
					  .user = learn_job->setting.user,
					  .result = 200,
					  .at = clock_wall()};
	struct loop *loop = learn_job->setting.loop;
	leave_model(learn_job);
	learn_job->store_call = store_learned(
		learn_job->setting.store, learn_job->setting.user,
		&(struct learned){batch->exchanges[batch->at],
				  batch->inputs[batch->at].forget_epoch, learning->changes,
				  learning->change_count, learning->hide_exchange, clock_wall()},
		(struct store_waiter){forgets(learning) ? loop_for_audited(loop, &entry)
							: loop_for_store(loop),
				      on_stored, learn_job});
}

static bool take_facts(struct learn_job *learn_job)
{
	if (!learn_batch_take(&learn_job->batch, &learn_job->arena))
		return false;
	store_facts(learn_job);
	return true;
}

static bool take_summary(struct learn_job *learn_job, const struct model_answer *answer)
{
	struct summary *summary = &learn_job->summary;
	if (answer->cut_off ||
	    !learn_summary_read(answer->text, (unsigned)learn_job->settings.summary_words,
				&summary->text, &learn_job->arena) ||
	    !learn_summary_keeps(summary->text, &learn_job->names, &learn_job->arena)) {
		metrics_count(METRIC_SUMMARIES_REFUSED, 1);
		return false;
	}
	struct intake intake = config_intake(&learn_job->settings);
	summary->text = intake_text(&intake, summary->text, INTAKE_SUMMARY, &learn_job->arena);
	summary->updated_at = clock_wall();
	summary->model = learn_job->setting.model;
	metrics_count(METRIC_LEARNED_SUMMARIES, 1);
	leave_model(learn_job);
	learn_job->store_call = store_summarized(
		learn_job->setting.store, learn_job->setting.user, learn_job->input.forget_epoch,
		summary, learn_job->input.has_summary ? learn_job->input.summary.covers : 0,
		(struct store_waiter){loop_for_store(learn_job->setting.loop), on_stored,
				      learn_job});
	return true;
}

static bool ask_next(struct learn_job *learn_job);

static bool use_answer(struct learn_job *learn_job, struct slice body)
{
	struct model_answer answer;
	if (!model_answer_read(body, &answer, &learn_job->arena))
		return false;
	if (learn_job->job.kind == JOB_SUMMARY)
		return take_summary(learn_job, &answer);
	learn_batch_note_answer(&learn_job->batch, answer.text);
	return ask_next(learn_job) || take_facts(learn_job);
}

static void on_called(void *cookie, const struct learn_reply *reply)
{
	struct learn_job *learn_job = cookie;
	struct last_failure *failure = learn_job->setting.failure;
	learn_job->call = NULL;
	if (reply->fault == NULL)
		pace_note_answer(learn_job->setting.pace);
	else if (reply->cause == METRIC_MODEL_LATE)
		pace_note_late(learn_job->setting.pace);
	if (reply->fault != NULL) {
		warn_of_failure(learn_job, reply->status, reply->fault);
		postpone(learn_job, reply->cause);
	} else if (use_answer(learn_job, reply->answer)) {
		last_failure_end(failure);
	} else {
		warn_of_failure(learn_job, reply->status, "its answer is unusable");
		postpone(learn_job, METRIC_MODEL_UNUSABLE);
	}
}

/* ---- when it is stored ---- */

/* The user went back or asked to forget while the model worked: checks its answer against the facts
 * as they stand now. */
static void take_facts_anew(struct learn_job *learn_job)
{
	if (!learn_batch_read_anew(&learn_job->batch, &learn_job->arena) || !take_facts(learn_job))
		end_learn_job(learn_job, true);
}

static void take_next_facts(struct learn_job *learn_job, bool is_stored)
{
	if (!learn_batch_next(&learn_job->batch, is_stored, &learn_job->arena) ||
	    !take_facts(learn_job))
		end_learn_job(learn_job, true);
}

/* A summary of turns that have changed meanwhile is requested again. What a full store refused is
 * learned later, not at once, since each try costs money. */
static void on_stored(void *cookie, enum store_result result)
{
	struct learn_job *learn_job = cookie;
	const size_t count = store_call_count(learn_job->store_call);
	learn_job->store_call = NULL;
	bool is_facts = learn_job->job.kind == JOB_FACTS;
	bool is_over = result == STORE_OK || result == STORE_STALE || result == STORE_CHANGED;
	learn_job->wants_room = result == STORE_FULL;
	if (!is_over)
		log_error("learned facts or summary not stored: %s", store_result_name(result));
	if (result == STORE_OK && is_facts)
		forgotten_add(learn_job->setting.forgotten, learn_job->setting.user,
			      (unsigned)count);
	if (result == STORE_CHANGED && is_facts)
		take_facts_anew(learn_job);
	else if (is_over && is_facts)
		take_next_facts(learn_job, result == STORE_OK);
	else if (is_over)
		end_learn_job(learn_job, true);
	else
		try_later(learn_job);
}

/* ---- the call ---- */

static unsigned answer_tokens(const struct learn_job *learn_job)
{
	unsigned tokens =
		learn_job->job.kind == JOB_FACTS
			? FACTS_TOKENS + MORE_TOKENS * (unsigned)(learn_job->batch.count - 1)
			: (unsigned)learn_job->settings.summary_words * TOKENS_PER_WORD;
	/* Models that think before they answer need more: doubles after each answer that was cut
	 * off. */
	unsigned doublings = learn_job->job.unusable < 3 ? learn_job->job.unusable : 3;
	return (tokens < 500 ? 500 : tokens) << doublings;
}

static void call_model(struct learn_job *learn_job)
{
	const struct learn_job_setting *setting = &learn_job->setting;
	const struct learn_question question = {
		.loop = setting->loop,
		.upstream = setting->upstream,
		.config = setting->config,
		.quirks = setting->quirks,
		.key_field = setting->key_field,
		.model = setting->model,
		.prompt = &learn_job->prompt,
		.max_tokens = answer_tokens(learn_job),
		.arena = &learn_job->arena,
	};
	learn_job->call = learn_call_start(&question, on_called, learn_job);
}

/* ---- the input ---- */

static bool prepare_summary(struct learn_job *learn_job)
{
	const struct config_memory *settings = &learn_job->settings;
	const struct job_input *input = &learn_job->input;
	struct turn *turns = input->uncovered;
	struct arena *arena = &learn_job->arena;
	bool is_idle = clock_wall() - learn_job->job.last_active >= LEARN_JOB_IDLE_TIME;
	/* The last turn's id says what a summary covers, so turns are folded in that order. */
	qsort(turns, input->uncovered_count, sizeof(*turns), ids_compare);
	size_t fold = learn_fold_count(turns, input->uncovered_count,
				       (size_t)settings->summarize_after, is_idle);
	struct slice old = input->has_summary ? input->summary.text : (struct slice){0};
	struct learn_prompt *prompt = &learn_job->prompt;
	*prompt = learn_summary_prompt(old, turns, fold, (unsigned)settings->summary_words, arena);
	if (prompt->folded == 0)
		return false;
	learn_job->names = learn_summary_names(old, turns, prompt->folded, input->facts,
					       input->fact_count, arena);
	learn_summary_ask_names(prompt, &learn_job->names, arena);
	learn_summary_tell_corrections(prompt, old, turns, input->facts, input->fact_count, arena);
	learn_job->summary.covers = turns[prompt->folded - 1].id;
	return true;
}

static bool ask_next(struct learn_job *learn_job)
{
	if (!learn_batch_ask(&learn_job->batch, &learn_job->prompt, &learn_job->arena))
		return false;
	call_model(learn_job);
	return true;
}

static bool begin_summary(struct learn_job *learn_job)
{
	const struct learn_job_setting *setting = &learn_job->setting;
	if (store_summary_input(setting->store, setting->user, &learn_job->input,
				&learn_job->arena) != STORE_OK ||
	    !prepare_summary(learn_job))
		return false;
	call_model(learn_job);
	return true;
}

static bool begin_facts(struct learn_job *learn_job)
{
	if (!learn_batch_read(&learn_job->batch, &learn_job->arena))
		return false;
	if (!ask_next(learn_job))
		store_facts(learn_job);
	return true;
}

static void on_start(evutil_socket_t fd, short what, void *cookie)
{
	struct learn_job *learn_job = cookie;
	(void)fd;
	(void)what;
	bool has_begun = learn_job->job.kind == JOB_FACTS ? begin_facts(learn_job)
							  : begin_summary(learn_job);
	/* There is nothing to do, or nothing readable: pauses first. */
	if (!has_begun)
		try_later(learn_job);
}

static void fill_batch(struct learn_job *learn_job, const struct job *const *jobs, size_t count)
{
	struct learn_batch *batch = &learn_job->batch;
	*batch = (struct learn_batch){.store = learn_job->setting.store,
				      .user = learn_job->setting.user,
				      .config = learn_job->setting.config,
				      .settings = &learn_job->settings};
	while (batch->count < count) {
		batch->exchanges[batch->count] = jobs[batch->count]->exchange;
		batch->count++;
	}
}

struct learn_job *learn_job_start(const struct learn_job_setting *setting,
				  const struct job *const *jobs, size_t count,
				  learn_job_asked *asked, learn_job_ended *ended, void *cookie)
{
	struct learn_job *learn_job = xcalloc(1, sizeof(*learn_job));
	learn_job->setting = *setting;
	learn_job->setting.config = config_retain(setting->config);
	learn_job->setting.tenant = arena_copy(&learn_job->arena, setting->tenant);
	learn_job->setting.user_id = arena_copy(&learn_job->arena, setting->user_id);
	learn_job->setting.key_field = arena_copy(&learn_job->arena, setting->key_field);
	learn_job->setting.model = arena_copy(&learn_job->arena, setting->model);
	learn_job->job = *jobs[0];
	learn_job->job.model = arena_copy(&learn_job->arena, jobs[0]->model);
	learn_job->settings =
		config_memory_for(setting->config, learn_job->job.model, learn_job->setting.tenant,
				  learn_job->setting.user_id);
	fill_batch(learn_job, jobs, count);
	learn_job->asked = asked;
	learn_job->ended = ended;
	learn_job->cookie = cookie;
	learn_job->start = event_new(loop_base(setting->loop), -1, 0, on_start, learn_job);
	event_active(learn_job->start, EV_TIMEOUT, 0);
	return learn_job;
}

void learn_job_cancel(struct learn_job *learn_job)
{
	learn_call_cancel(learn_job->call);
	store_cancel(learn_job->store_call);
	destroy(learn_job);
}
