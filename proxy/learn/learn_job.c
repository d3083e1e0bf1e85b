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

struct lesson {
	struct lesson_setting setting;
	struct config_memory settings;
	struct job job;
	struct arena arena;
	lesson_asked *asked; /* NULL: called, or cancelled */
	lesson_ended *ended; /* NULL: cancelled */
	void *cookie;
	struct job_input input;
	struct learn_prompt prompt;
	struct summary summary; /* what a summary job will store, but for its text */
	unsigned quirks;
	struct slice body;
	struct transfer *transfer;
	struct event *deadline;
	int status;
	struct buffer answer;
	struct slice answer_text;
	struct learning learning; /* what a facts job will store */
	bool wants_room;          /* see lesson_ended */
};

static void end_lesson(struct lesson *lesson, bool noted)
{
	if (lesson->ended != NULL)
		lesson->ended(lesson->cookie, noted, lesson->wants_room);
	if (lesson->deadline != NULL)
		event_free(lesson->deadline);
	buffer_finish(&lesson->answer);
	config_release(lesson->setting.config);
	arena_finish(&lesson->arena);
	free(lesson);
}

/* All that is left is the store's. */
static void leave_model(struct lesson *lesson)
{
	lesson_asked *asked = lesson->asked;
	lesson->asked = NULL;
	if (asked != NULL)
		asked(lesson->cookie);
}

/* ---- when it fails ---- */

static void warn_of_failure(struct lesson *lesson, const char *detail)
{
	const struct trouble_words why = trouble_words(detail, lesson->status);
	if (trouble_note(lesson->setting.trouble, &why))
		log_warn("the memory model cannot be learned with: %s; exchanges wait; look at "
			 "[model] base_url, api_key and name",
			 why.text);
}

static void on_postponed(void *cookie, enum store_result result)
{
	end_lesson(cookie, result == STORE_OK || result == STORE_STALE);
}

static void try_later(struct lesson *lesson)
{
	struct job *job = &lesson->job;
	unsigned doublings = job->tries < 20 ? job->tries : 20;
	int64_t pause = (int64_t)FIRST_PAUSE << doublings;
	job->tries++;
	job->not_before =
		clock_wall() + (pause < LESSON_LONGEST_PAUSE ? pause : LESSON_LONGEST_PAUSE);
	leave_model(lesson);
	store_postpone(lesson->setting.store, lesson->setting.user, job,
		       loop_for_store(lesson->setting.loop), on_postponed, lesson);
}

static void postpone(struct lesson *lesson, enum metric_counter cause)
{
	struct job *job = &lesson->job;
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
	try_later(lesson);
}

/* ---- what the model answered ---- */

static void on_stored(void *cookie, enum store_result result);

static void store_facts(struct lesson *lesson)
{
	const struct learning *learning = &lesson->learning;
	leave_model(lesson);
	store_learned(lesson->setting.store, lesson->setting.user, lesson->job.exchange,
		      lesson->input.ticket, learning->changes, learning->change_count,
		      learning->hide_exchange, clock_wall(), loop_for_store(lesson->setting.loop),
		      on_stored, lesson);
}

static struct learn_turn turn_to_learn(const struct lesson *lesson)
{
	const struct job_input *input = &lesson->input;
	return (struct learn_turn){
		.exchange = lesson->job.exchange,
		.created_at = input->user.created_at,
		.user = input->user.text,
		.assistant = input->assistant.text,
		.before = input->before,
		.before_count = input->before_count,
		.facts = input->facts,
		.fact_count = input->fact_count,
		.min_confidence = lesson->settings.min_confidence,
		.pii = (enum pii)lesson->setting.config->retention.pii,
		.mask_secrets = lesson->settings.secrets_redact,
	};
}

static bool take_facts(struct lesson *lesson)
{
	struct learn_turn turn = turn_to_learn(lesson);
	if (!learn_facts_read(&turn, lesson->answer_text, &lesson->learning, &lesson->arena))
		return false;
	store_facts(lesson);
	return true;
}

static bool take_summary(struct lesson *lesson, const struct model_answer *answer)
{
	struct summary *summary = &lesson->summary;
	if (answer->cut_off ||
	    !learn_summary_read(answer->text, (unsigned)lesson->settings.summary_words,
				&summary->text, &lesson->arena))
		return false;
	if (lesson->settings.secrets_redact)
		summary->text = secrets_mask(summary->text, &lesson->arena, NULL);
	summary->updated_at = clock_wall();
	summary->model = lesson->setting.model;
	metrics_count(METRIC_LEARNED_SUMMARIES, 1);
	leave_model(lesson);
	store_summarized(lesson->setting.store, lesson->setting.user, lesson->input.ticket, summary,
			 lesson->input.has_summary ? lesson->input.summary.covers : 0,
			 loop_for_store(lesson->setting.loop), on_stored, lesson);
	return true;
}

static void take_answer(struct lesson *lesson)
{
	struct trouble *trouble =
		lesson->setting.trouble; /* the lesson is the store's by the end */
	struct model_answer answer;
	bool used = model_answer_read(buffer_slice(&lesson->answer), &answer, &lesson->arena);
	if (used) {
		lesson->answer_text = answer.text;
		used = lesson->job.kind == JOB_FACTS ? take_facts(lesson)
						     : take_summary(lesson, &answer);
	}
	if (used) {
		trouble_end(trouble);
		return;
	}
	warn_of_failure(lesson, "its answer cannot be used");
	postpone(lesson, METRIC_MODEL_UNUSABLE);
}

/* ---- when it is stored ---- */

/* The user went back, or asked to forget, while the model was at work: what it answered is held
 * against the facts as they stand now. */
static void on_changed_input(void *cookie, enum store_result result, struct job_input *input)
{
	struct lesson *lesson = cookie;
	if (result == STORE_OK)
		lesson->input = *input;
	if (result != STORE_OK || !take_facts(lesson))
		end_lesson(lesson, true);
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
	struct lesson *lesson = cookie;
	bool is_facts = lesson->job.kind == JOB_FACTS;
	bool is_over = result == STORE_OK || result == STORE_STALE || result == STORE_CHANGED;
	lesson->wants_room = result == STORE_FULL;
	if (result == STORE_OK && is_facts)
		count_facts(&lesson->learning);
	if (!is_over)
		log_error("what was learned was not stored: %s", store_result_name(result));
	if (result == STORE_CHANGED && is_facts && lesson->ended != NULL)
		store_job_input(lesson->setting.store, lesson->setting.user, JOB_FACTS,
				lesson->job.exchange, &lesson->arena, on_changed_input, lesson);
	else if (is_over || lesson->ended == NULL)
		end_lesson(lesson, true);
	else
		try_later(lesson);
}

/* ---- the call ---- */

static void call_model(struct lesson *lesson);

static uint64_t server_hash(struct lesson *lesson)
{
	const struct slice parts[] = {slice_of(config_model_base_url(lesson->setting.config)),
				      SLICE(" "), lesson->setting.model};
	return text_hash(arena_join(&lesson->arena, parts, 3));
}

static unsigned *known_quirks(struct lesson *lesson)
{
	struct quirk_memory *memory = lesson->setting.quirks;
	uint64_t server = server_hash(lesson);
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
static bool ask_otherwise(struct lesson *lesson)
{
	if (lesson->status != 400 && lesson->status != 422)
		return false;
	unsigned quirks = model_request_adapt(lesson->quirks, lesson->job.kind == JOB_FACTS,
					      buffer_slice(&lesson->answer));
	if (quirks == lesson->quirks)
		return false;
	lesson->quirks = quirks;
	call_model(lesson);
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
	struct lesson *lesson = cookie;
	lesson->transfer = NULL;
	event_del(lesson->deadline);
	bool answered = result == UPSTREAM_OK && !lesson->answer.overflowed;
	if (lesson->answer.overflowed) {
		warn_of_failure(lesson, "its answer is too long");
		postpone(lesson, METRIC_MODEL_UNUSABLE);
	} else if (answered && lesson->status >= 200 && lesson->status < 300) {
		*known_quirks(lesson) = lesson->quirks;
		take_answer(lesson);
	} else if (!answered || !ask_otherwise(lesson)) {
		warn_of_failure(lesson, answered ? "it refused" : detail);
		postpone(lesson, answered ? cause_of(lesson->status) : METRIC_MODEL_UNREACHABLE);
	}
}

static enum upstream_next on_head(void *cookie, const struct upstream_head *head)
{
	struct lesson *lesson = cookie;
	lesson->status = head->status;
	return UPSTREAM_GO_ON;
}

static enum upstream_next on_data(void *cookie, struct slice bytes)
{
	struct lesson *lesson = cookie;
	return buffer_append(&lesson->answer, bytes) ? UPSTREAM_GO_ON : UPSTREAM_STOP;
}

static bool on_full(void *cookie)
{
	(void)cookie;
	return false;
}

static void on_deadline(evutil_socket_t fd, short what, void *cookie)
{
	struct lesson *lesson = cookie;
	(void)fd;
	(void)what;
	upstream_cancel(lesson->transfer);
	lesson->transfer = NULL;
	warn_of_failure(lesson, "it did not answer in time");
	postpone(lesson, METRIC_MODEL_LATE);
}

static unsigned answer_tokens(const struct lesson *lesson)
{
	unsigned tokens = lesson->job.kind == JOB_FACTS
				  ? FACTS_TOKENS
				  : (unsigned)lesson->settings.summary_words * TOKENS_PER_WORD;
	/* Models that think before they answer need more: doubled after each answer that was cut
	 * off. */
	unsigned doublings = lesson->job.unusable < 3 ? lesson->job.unusable : 3;
	return (tokens < 500 ? 500 : tokens) << doublings;
}

static void call_model(struct lesson *lesson)
{
	static const struct upstream_events events = {on_head, on_data, on_full, on_end};
	const struct config *config = lesson->setting.config;
	const struct http_field fields[] = {
		{SLICE("Content-Type"), SLICE("application/json")},
		{SLICE("Accept"), SLICE("application/json")},
		http_field_of_line(lesson->setting.key_field),
	};
	const struct slice url[] = {slice_of(config_model_base_url(config)),
				    SLICE("/chat/completions")};
	lesson->body = model_request_body(lesson->setting.model, &lesson->prompt,
					  lesson->job.kind == JOB_FACTS, answer_tokens(lesson),
					  lesson->quirks, &lesson->arena);
	lesson->status = 0;
	buffer_clear(&lesson->answer);
	struct upstream_request request = {
		.method = SLICE("POST"),
		.url = arena_join(&lesson->arena, url, 2).data,
		.proxy = config->upstream.proxy,
		.ca_file = config->upstream.ca_file,
		.fields = fields,
		.field_count = lesson->setting.key_field.size > 0 ? 3 : 2,
		.has_body = true,
		.body = &lesson->body,
		.body_count = 1,
		.connect_timeout = config->upstream.connect_timeout,
		.first_byte_timeout = config->model.timeout,
		.idle_timeout = config->model.timeout,
	};
	const struct timeval deadline = {
		.tv_sec = (time_t)(config->model.timeout / 1000),
		.tv_usec = (suseconds_t)(config->model.timeout % 1000 * 1000)};
	event_add(lesson->deadline, &deadline);
	metrics_count(METRIC_MODEL_CALLS, 1);
	lesson->transfer = upstream_start(lesson->setting.upstream, &request, &events, lesson);
}

/* ---- the input ---- */

static int by_id(const void *a, const void *b)
{
	uint64_t left = ((const struct turn *)a)->id, right = ((const struct turn *)b)->id;
	return (left > right) - (left < right);
}

size_t lesson_fold_count(const struct turn *turns, size_t count, size_t summarize_after,
			 bool is_idle)
{
	if (count == 0 || (count < summarize_after && !is_idle))
		return 0;
	size_t fold = is_idle ? count : count - summarize_after / 2;
	while (fold < count && turns[fold].exchange == turns[fold - 1].exchange)
		fold++;
	return fold;
}

static bool prepare_summary(struct lesson *lesson)
{
	struct job_input *input = &lesson->input;
	/* What a summary covers is told by the last turn's id, so they are folded in that order. */
	qsort(input->uncovered, input->uncovered_count, sizeof(*input->uncovered), by_id);
	size_t fold = lesson_fold_count(input->uncovered, input->uncovered_count,
					(size_t)lesson->settings.summarize_after,
					clock_wall() - lesson->job.last_active >= LESSON_IDLE_TIME);
	struct slice previous = input->has_summary ? input->summary.text : (struct slice){0};
	lesson->prompt =
		learn_summary_prompt(previous, input->uncovered, fold,
				     (unsigned)lesson->settings.summary_words, &lesson->arena);
	if (lesson->prompt.folded == 0)
		return false;
	lesson->summary.covers = input->uncovered[lesson->prompt.folded - 1].id;
	return true;
}

static bool prepare_facts(struct lesson *lesson)
{
	struct learn_turn turn = turn_to_learn(lesson);
	if (slice_trim(turn.user).size == 0)
		return false;
	lesson->prompt = learn_facts_prompt(&turn, &lesson->arena);
	return true;
}

static void on_input(void *cookie, enum store_result result, struct job_input *input)
{
	struct lesson *lesson = cookie;
	if (result == STORE_OK)
		lesson->input = *input;
	if (result == STORE_OK &&
	    (lesson->job.kind == JOB_FACTS ? prepare_facts(lesson) : prepare_summary(lesson))) {
		lesson->quirks = *known_quirks(lesson);
		call_model(lesson);
	} else if (result == STORE_OK && lesson->job.kind == JOB_FACTS) {
		store_facts(lesson);
	} else {
		/* Nothing to do, or nothing that can be read: not again before a pause. */
		postpone(lesson, result == STORE_FAILED || result == STORE_NOT_FOUND);
	}
}

struct lesson *lesson_start(const struct lesson_setting *setting, const struct job *job,
			    lesson_asked *asked, lesson_ended *ended, void *cookie)
{
	struct lesson *lesson = xcalloc(1, sizeof(*lesson));
	lesson->setting = *setting;
	lesson->setting.config = config_retain(setting->config);
	lesson->setting.tenant = arena_copy(&lesson->arena, setting->tenant);
	lesson->setting.user_id = arena_copy(&lesson->arena, setting->user_id);
	lesson->setting.key_field = arena_copy(&lesson->arena, setting->key_field);
	lesson->setting.model = arena_copy(&lesson->arena, setting->model);
	lesson->job = *job;
	lesson->job.model = arena_copy(&lesson->arena, job->model);
	lesson->settings = config_memory_for(setting->config, lesson->job.model,
					     lesson->setting.tenant, lesson->setting.user_id);
	lesson->asked = asked;
	lesson->ended = ended;
	lesson->cookie = cookie;
	lesson->deadline = evtimer_new(loop_base(setting->loop), on_deadline, lesson);
	buffer_init(&lesson->answer, ANSWER_LIMIT);
	store_job_input(setting->store, setting->user, job->kind, job->exchange, &lesson->arena,
			on_input, lesson);
	return lesson;
}

void lesson_cancel(struct lesson *lesson)
{
	lesson->asked = NULL;
	lesson->ended = NULL;
	if (lesson->transfer == NULL)
		return; /* its result is on its way, and ends it */
	upstream_cancel(lesson->transfer);
	lesson->transfer = NULL;
	end_lesson(lesson, true);
}
