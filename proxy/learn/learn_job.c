#include "proxy/learn/learn_job.h"

#include "core/learn/learn.h"
#include "core/model/model_request.h"
#include "core/secrets/secrets.h"
#include "core/text/text.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"

#include <stdlib.h>

enum {
	ANSWER_LIMIT = LEARN_MAX_ANSWER,
	FACTS_TOKENS = 1500,
	TOKENS_PER_WORD = 6, /* of a summary: generous, for scripts that cost most */
	FIRST_PAUSE = 250,
	PARK_AFTER = 10, /* answers that could not be used */
};

struct learn_job {
	struct learn_job_setting setting;
	struct config_memory settings;
	struct job job;
	struct arena arena;
	learn_job_asked *asked; /* NULL: called */
	learn_job_ended *ended;
	void *cookie;
	struct job_input input;
	struct learn_prompt prompt;
	struct summary summary; /* what a summary job will store, but for its text */
	unsigned quirks;
	struct slice body;
	/* Of these one is under way. */
	struct event *start;
	struct transfer *transfer;
	struct store_call *store_call;
	struct event *deadline; /* the transfer's */
	int status;
	struct buffer answer;
	struct slice answer_text;
	struct learning learning; /* what a facts job will store */
	bool wants_room;          /* see learn_job_ended */
};

static void destroy(struct learn_job *learn_job)
{
	event_free(learn_job->start);
	event_free(learn_job->deadline);
	buffer_finish(&learn_job->answer);
	config_release(learn_job->setting.config);
	arena_finish(&learn_job->arena);
	free(learn_job);
}

static void end_learn_job(struct learn_job *learn_job, bool noted)
{
	learn_job->ended(learn_job->cookie, noted, learn_job->wants_room);
	destroy(learn_job);
}

/* All that is left is the store's. */
static void leave_model(struct learn_job *learn_job)
{
	learn_job_asked *asked = learn_job->asked;
	learn_job->asked = NULL;
	if (asked != NULL)
		asked(learn_job->cookie);
}

/* ---- when it fails ---- */

static void warn_of_failure(struct learn_job *learn_job, const char *detail)
{
	const struct failure_words why = failure_words(detail, learn_job->status);
	if (last_failure_note(learn_job->setting.failure, &why))
		log_warn("the memory model cannot be learned with: %s; exchanges wait; look at "
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
		clock_wall() + (pause < LESSON_LONGEST_PAUSE ? pause : LESSON_LONGEST_PAUSE);
	leave_model(learn_job);
	learn_job->store_call =
		store_postpone(learn_job->setting.store, learn_job->setting.user, job,
			       loop_for_store(learn_job->setting.loop), on_postponed, learn_job);
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
		log_warn("an exchange is given up after %u answers of the memory model that could "
			 "not be used; \"recallctl unpark\" has it learned from again",
			 job->unusable);
	}
	try_later(learn_job);
}

/* ---- what the model answered ---- */

static void on_stored(void *cookie, enum store_result result);

static void store_facts(struct learn_job *learn_job)
{
	const struct learning *learning = &learn_job->learning;
	leave_model(learn_job);
	learn_job->store_call = store_learned(
		learn_job->setting.store, learn_job->setting.user, learn_job->job.exchange,
		learn_job->input.forget_epoch, learning->changes, learning->change_count,
		learning->hide_exchange, clock_wall(), loop_for_store(learn_job->setting.loop),
		on_stored, learn_job);
}

static struct learn_turn turn_to_learn(const struct learn_job *learn_job)
{
	const struct job_input *input = &learn_job->input;
	return (struct learn_turn){
		.exchange = learn_job->job.exchange,
		.created_at = input->user.created_at,
		.user = input->user.text,
		.assistant = input->assistant.text,
		.before = input->before,
		.before_count = input->before_count,
		.facts = input->facts,
		.fact_count = input->fact_count,
		.min_confidence = learn_job->settings.min_confidence,
		.pii = (enum pii)learn_job->setting.config->retention.pii,
		.mask_secrets = learn_job->settings.secrets_redact,
	};
}

static bool take_facts(struct learn_job *learn_job)
{
	struct learn_turn turn = turn_to_learn(learn_job);
	if (!learn_facts_read(&turn, learn_job->answer_text, &learn_job->learning,
			      &learn_job->arena))
		return false;
	store_facts(learn_job);
	return true;
}

static bool take_summary(struct learn_job *learn_job, const struct model_answer *answer)
{
	struct summary *summary = &learn_job->summary;
	if (answer->cut_off ||
	    !learn_summary_read(answer->text, (unsigned)learn_job->settings.summary_words,
				&summary->text, &learn_job->arena))
		return false;
	if (learn_job->settings.secrets_redact)
		summary->text = secrets_mask(summary->text, &learn_job->arena, NULL);
	summary->updated_at = clock_wall();
	summary->model = learn_job->setting.model;
	metrics_count(METRIC_LEARNED_SUMMARIES, 1);
	leave_model(learn_job);
	learn_job->store_call = store_summarized(
		learn_job->setting.store, learn_job->setting.user, learn_job->input.forget_epoch,
		summary, learn_job->input.has_summary ? learn_job->input.summary.covers : 0,
		loop_for_store(learn_job->setting.loop), on_stored, learn_job);
	return true;
}

static void take_answer(struct learn_job *learn_job)
{
	struct model_answer answer;
	bool used = model_answer_read(buffer_slice(&learn_job->answer), &answer, &learn_job->arena);
	if (used) {
		learn_job->answer_text = answer.text;
		used = learn_job->job.kind == JOB_FACTS ? take_facts(learn_job)
							: take_summary(learn_job, &answer);
	}
	if (used) {
		last_failure_end(learn_job->setting.failure);
		return;
	}
	warn_of_failure(learn_job, "its answer cannot be used");
	postpone(learn_job, METRIC_MODEL_UNUSABLE);
}

/* ---- when it is stored ---- */

static enum store_result read_input(struct learn_job *learn_job)
{
	const struct learn_job_setting *setting = &learn_job->setting;
	return store_job_input(setting->store, setting->user, learn_job->job.kind,
			       learn_job->job.exchange, &learn_job->input, &learn_job->arena);
}

/* The user went back, or asked to forget, while the model was at work: what it answered is held
 * against the facts as they stand now. */
static void take_facts_anew(struct learn_job *learn_job)
{
	if (read_input(learn_job) != STORE_OK || !take_facts(learn_job))
		end_learn_job(learn_job, true);
}

static void count_facts(const struct learning *learning)
{
	metrics_count(METRIC_LEARNED_FACTS, 1);
	metrics_count(METRIC_MODEL_EMPTY, learning->is_empty);
	metrics_count(METRIC_FACTS_REJECTED, learning->rejected);
	for (size_t i = 0; i < learning->change_count; i++)
		metrics_count(METRIC_FACTS_STORED, learning->changes[i].kind == CHANGE_ADD);
}

/* A summary of turns that have changed meanwhile is asked for anew. What a full store did not take
 * is learned again later, not at once: each time is paid for. */
static void on_stored(void *cookie, enum store_result result)
{
	struct learn_job *learn_job = cookie;
	learn_job->store_call = NULL;
	bool is_facts = learn_job->job.kind == JOB_FACTS;
	bool is_over = result == STORE_OK || result == STORE_STALE || result == STORE_CHANGED;
	learn_job->wants_room = result == STORE_FULL;
	if (result == STORE_OK && is_facts)
		count_facts(&learn_job->learning);
	if (!is_over)
		log_error("what was learned was not stored: %s", store_result_name(result));
	if (result == STORE_CHANGED && is_facts)
		take_facts_anew(learn_job);
	else if (is_over)
		end_learn_job(learn_job, true);
	else
		try_later(learn_job);
}

/* ---- the call ---- */

static void call_model(struct learn_job *learn_job);

static uint64_t server_hash(struct learn_job *learn_job)
{
	const struct slice parts[] = {slice_of(config_model_base_url(learn_job->setting.config)),
				      SLICE(" "), learn_job->setting.model};
	return text_hash(arena_join(&learn_job->arena, parts, 3));
}

static unsigned *known_quirks(struct learn_job *learn_job)
{
	struct quirk_memory *memory = learn_job->setting.quirks;
	uint64_t server = server_hash(learn_job);
	for (size_t i = 0; i < LESSON_QUIRKS; i++) {
		if (memory->entries[i].server == server)
			return &memory->entries[i].quirks;
	}
	size_t at = memory->next++ % LESSON_QUIRKS;
	memory->entries[at].server = server;
	memory->entries[at].quirks = 0;
	return &memory->entries[at].quirks;
}

/* Some servers refuse a parameter: give way in it, remember, and ask again at once. */
static bool ask_otherwise(struct learn_job *learn_job)
{
	if (learn_job->status != 400 && learn_job->status != 422)
		return false;
	unsigned quirks = model_request_adapt(learn_job->quirks, learn_job->job.kind == JOB_FACTS,
					      buffer_slice(&learn_job->answer));
	if (quirks == learn_job->quirks)
		return false;
	learn_job->quirks = quirks;
	call_model(learn_job);
	return true;
}

/* Of a status that is not 2xx. A request that cannot be put otherwise is one that the model will
 * never answer. */
static enum metric_counter cause_of(int status)
{
	if (status == 400 || status == 413 || status == 422)
		return METRIC_MODEL_UNUSABLE;
	return status >= 400 && status < 500 ? METRIC_MODEL_REFUSED : METRIC_MODEL_UNREACHABLE;
}

static void on_end(void *cookie, enum upstream_result result, const char *detail)
{
	struct learn_job *learn_job = cookie;
	learn_job->transfer = NULL;
	event_del(learn_job->deadline);
	bool answered = result == UPSTREAM_OK && !learn_job->answer.overflowed;
	if (learn_job->answer.overflowed) {
		warn_of_failure(learn_job, "its answer is too long");
		postpone(learn_job, METRIC_MODEL_UNUSABLE);
	} else if (answered && learn_job->status >= 200 && learn_job->status < 300) {
		*known_quirks(learn_job) = learn_job->quirks;
		take_answer(learn_job);
	} else if (!answered || !ask_otherwise(learn_job)) {
		warn_of_failure(learn_job, answered ? "it refused" : detail);
		postpone(learn_job,
			 answered ? cause_of(learn_job->status) : METRIC_MODEL_UNREACHABLE);
	}
}

static enum upstream_next on_head(void *cookie, const struct upstream_head *head)
{
	struct learn_job *learn_job = cookie;
	learn_job->status = head->status;
	return UPSTREAM_GO_ON;
}

static enum upstream_next on_data(void *cookie, struct slice bytes)
{
	struct learn_job *learn_job = cookie;
	return buffer_append(&learn_job->answer, bytes) ? UPSTREAM_GO_ON : UPSTREAM_STOP;
}

static bool on_full(void *cookie)
{
	(void)cookie;
	return false;
}

static void on_deadline(evutil_socket_t fd, short what, void *cookie)
{
	struct learn_job *learn_job = cookie;
	(void)fd;
	(void)what;
	upstream_cancel(learn_job->transfer);
	learn_job->transfer = NULL;
	warn_of_failure(learn_job, "it did not answer in time");
	postpone(learn_job, METRIC_MODEL_LATE);
}

static unsigned answer_tokens(const struct learn_job *learn_job)
{
	unsigned tokens = learn_job->job.kind == JOB_FACTS
				  ? FACTS_TOKENS
				  : (unsigned)learn_job->settings.summary_words * TOKENS_PER_WORD;
	/* Models that think before they answer need more: doubled after each answer that was cut
	 * off. */
	unsigned doublings = learn_job->job.unusable < 3 ? learn_job->job.unusable : 3;
	return (tokens < 500 ? 500 : tokens) << doublings;
}

static void call_model(struct learn_job *learn_job)
{
	static const struct upstream_events events = {on_head, on_data, on_full, on_end};
	const struct config *config = learn_job->setting.config;
	const struct http_field fields[] = {
		{SLICE("Content-Type"), SLICE("application/json")},
		{SLICE("Accept"), SLICE("application/json")},
		http_field_of_line(learn_job->setting.key_field),
	};
	const struct slice url[] = {slice_of(config_model_base_url(config)),
				    SLICE("/chat/completions")};
	learn_job->body = model_request_body(
		learn_job->setting.model, &learn_job->prompt, learn_job->job.kind == JOB_FACTS,
		answer_tokens(learn_job), learn_job->quirks, &learn_job->arena);
	learn_job->status = 0;
	buffer_clear(&learn_job->answer);
	struct upstream_request request = {
		.method = SLICE("POST"),
		.url = arena_join(&learn_job->arena, url, 2).data,
		.proxy = config->upstream.proxy,
		.ca_file = config->upstream.ca_file,
		.fields = fields,
		.field_count = learn_job->setting.key_field.size > 0 ? 3 : 2,
		.has_body = true,
		.body = &learn_job->body,
		.body_count = 1,
		.connect_timeout = config->upstream.connect_timeout,
		.first_byte_timeout = config->model.timeout,
		.idle_timeout = config->model.timeout,
	};
	const struct timeval deadline = {
		.tv_sec = (time_t)(config->model.timeout / 1000),
		.tv_usec = (suseconds_t)(config->model.timeout % 1000 * 1000)};
	event_add(learn_job->deadline, &deadline);
	metrics_count(METRIC_MODEL_CALLS, 1);
	learn_job->transfer =
		upstream_start(learn_job->setting.upstream, &request, &events, learn_job);
}

/* ---- the input ---- */

static int by_id(const void *a, const void *b)
{
	uint64_t left = ((const struct turn *)a)->id, right = ((const struct turn *)b)->id;
	return (left > right) - (left < right);
}

size_t learn_job_fold_count(const struct turn *turns, size_t count, size_t summarize_after,
			    bool is_idle)
{
	if (count == 0 || (count < summarize_after && !is_idle))
		return 0;
	size_t fold = is_idle ? count : count - summarize_after / 2;
	while (fold < count && turns[fold].exchange == turns[fold - 1].exchange)
		fold++;
	return fold;
}

static bool prepare_summary(struct learn_job *learn_job)
{
	struct job_input *input = &learn_job->input;
	/* What a summary covers is told by the last turn's id, so they are folded in that order. */
	qsort(input->uncovered, input->uncovered_count, sizeof(*input->uncovered), by_id);
	size_t fold =
		learn_job_fold_count(input->uncovered, input->uncovered_count,
				     (size_t)learn_job->settings.summarize_after,
				     clock_wall() - learn_job->job.last_active >= LESSON_IDLE_TIME);
	struct slice previous = input->has_summary ? input->summary.text : (struct slice){0};
	learn_job->prompt = learn_summary_prompt(previous, input->uncovered, fold,
						 (unsigned)learn_job->settings.summary_words,
						 &learn_job->arena);
	if (learn_job->prompt.folded == 0)
		return false;
	learn_job->summary.covers = input->uncovered[learn_job->prompt.folded - 1].id;
	return true;
}

static bool prepare_facts(struct learn_job *learn_job)
{
	struct learn_turn turn = turn_to_learn(learn_job);
	if (slice_trim(turn.user).size == 0)
		return false;
	learn_job->prompt = learn_facts_prompt(&turn, &learn_job->arena);
	return true;
}

static void on_start(evutil_socket_t fd, short what, void *cookie)
{
	struct learn_job *learn_job = cookie;
	bool is_facts = learn_job->job.kind == JOB_FACTS;
	(void)fd;
	(void)what;
	bool is_read = read_input(learn_job) == STORE_OK;
	if (is_read && (is_facts ? prepare_facts(learn_job) : prepare_summary(learn_job))) {
		learn_job->quirks = *known_quirks(learn_job);
		call_model(learn_job);
	} else if (is_read && is_facts) {
		store_facts(learn_job);
	} else {
		/* Nothing to do, or nothing that can be read: not again before a pause. */
		try_later(learn_job);
	}
}

struct learn_job *learn_job_start(const struct learn_job_setting *setting, const struct job *job,
				  learn_job_asked *asked, learn_job_ended *ended, void *cookie)
{
	struct learn_job *learn_job = xcalloc(1, sizeof(*learn_job));
	learn_job->setting = *setting;
	learn_job->setting.config = config_retain(setting->config);
	learn_job->setting.tenant = arena_copy(&learn_job->arena, setting->tenant);
	learn_job->setting.user_id = arena_copy(&learn_job->arena, setting->user_id);
	learn_job->setting.key_field = arena_copy(&learn_job->arena, setting->key_field);
	learn_job->setting.model = arena_copy(&learn_job->arena, setting->model);
	learn_job->job = *job;
	learn_job->job.model = arena_copy(&learn_job->arena, job->model);
	learn_job->settings =
		config_memory_for(setting->config, learn_job->job.model, learn_job->setting.tenant,
				  learn_job->setting.user_id);
	learn_job->asked = asked;
	learn_job->ended = ended;
	learn_job->cookie = cookie;
	learn_job->deadline = evtimer_new(loop_base(setting->loop), on_deadline, learn_job);
	buffer_init(&learn_job->answer, ANSWER_LIMIT);
	learn_job->start = event_new(loop_base(setting->loop), -1, 0, on_start, learn_job);
	event_active(learn_job->start, EV_TIMEOUT, 0);
	return learn_job;
}

void learn_job_cancel(struct learn_job *learn_job)
{
	upstream_cancel(learn_job->transfer);
	store_cancel(learn_job->store_call);
	destroy(learn_job);
}
