#include "proxy/background/learn_job.h"

#include "core/base/ids.h"
#include "core/learn/learn.h"
#include "core/learn/model_request.h"
#include "core/memory/user.h"
#include "core/text/text.h"
#include "proxy/background/model_call.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"
#include "storage/audit.h"

#include <assert.h>
#include <stdlib.h>

enum {
	FACTS_TOKENS = 1500,
	MORE_TOKENS = 300,   /* for each further exchange that is asked about */
	TOKENS_PER_WORD = 6, /* for a summary: generous, for the scripts that cost most */
	FIRST_PAUSE = 250,
	PARK_AFTER = 10, /* unusable answers */
};

/* The event that the job awaits, each from the loop. step() then continues. */
enum learn_state {
	LEARN_AWAITS_TURN,  /* a later turn of the loop, to begin */
	LEARN_AWAITS_MODEL, /* the memory model's answer */
	LEARN_AWAITS_STORE, /* what was learned is on its way to the store */
	LEARN_AWAITS_NOTE,  /* the next try is on its way to the store */
	LEARN_OVER,         /* nothing: it ends */
};

/* A facts job works on one exchange of a user, or on several that one call asks about. The answer
 * is then taken for one exchange after the other, each with the facts as the one before left them,
 * so that a crash in between repeats a call and nothing else. */
struct learn_job {
	enum learn_state state;
	struct event *turn;            /* LEARN_AWAITS_TURN */
	struct model_call *call;       /* LEARN_AWAITS_MODEL */
	struct store_call *store_call; /* LEARN_AWAITS_STORE, LEARN_AWAITS_NOTE */

	struct learn_means *means;
	struct config *config;
	struct config_memory settings; /* the user's, for the job's model */
	struct user_key user;
	struct slice key_field; /* "NAME: VALUE"; empty: none */
	struct slice model;     /* the model name to send */
	struct job job;
	struct arena arena;
	learn_job_asked *asked; /* NULL once called */
	learn_job_ended *ended;
	void *cookie;
	bool is_noted, wants_room; /* see learn_job_ended */

	struct learn_prompt prompt; /* the body of the question that is asked */
	struct slice body;
	unsigned quirks; /* features left out, since the server refuses them */

	/* Of a summary job: */
	struct job_input input;
	struct summary summary;   /* what it will store, except its text */
	struct learn_names names; /* that it must not lose */

	/* Of a facts job: */
	uint64_t exchanges[LEARN_BATCH_MOST];
	struct job_input inputs[LEARN_BATCH_MOST];
	size_t count;
	size_t at;               /* the exchange that is learned from */
	unsigned questions;      /* LEARN_ASK_*: what is still to be asked */
	struct slice answers[2]; /* to what was */
	size_t answer_count;
	const struct learn_entries *entries; /* what they say; NULL: not parsed yet */
	struct learning learning;            /* what exchange `at` changes */
	size_t kept;                         /* entries that exchanges learned from */
};

static void step(struct learn_job *learn_job, const struct model_reply *reply,
		 enum store_result result);

static void on_store(void *cookie, enum store_result result)
{
	step(cookie, NULL, result);
}

static void on_reply(void *cookie, const struct model_reply *reply)
{
	struct learn_job *learn_job = cookie;
	learn_job->call = NULL;
	step(learn_job, reply, STORE_OK);
}

static void on_turn(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	step(cookie, NULL, STORE_OK);
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

static enum learn_state try_later(struct learn_job *learn_job)
{
	struct job *job = &learn_job->job;
	unsigned doublings = job->tries < 20 ? job->tries : 20;
	int64_t pause = (int64_t)FIRST_PAUSE << doublings;
	job->tries++;
	job->not_before =
		clock_wall() + (pause < LEARN_JOB_LONGEST_PAUSE ? pause : LEARN_JOB_LONGEST_PAUSE);
	if (job->kind == JOB_FACTS)
		job->exchange = learn_job->exchanges[learn_job->at];
	leave_model(learn_job);
	learn_job->store_call = store_postpone(
		learn_job->means->service->store, learn_job->user, job,
		(struct store_waiter){loop_for_store(learn_job->means->loop), on_store, learn_job});
	return LEARN_AWAITS_NOTE;
}

static enum learn_state fail(struct learn_job *learn_job, enum metric_counter cause, int status,
			     const char *detail)
{
	struct job *job = &learn_job->job;
	const struct failure_words why = failure_words(detail, status);
	if (last_failure_note(&learn_job->means->service->learning, &why))
		log_warn("memory model call failed: %s; exchanges wait to be learned; check "
			 "[model] base_url, api_key and name",
			 why.text);
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
	return try_later(learn_job);
}

/* ---- the call ---- */

static unsigned *known_quirks(struct learn_job *learn_job)
{
	struct quirk_memory *memory = &learn_job->means->quirks;
	const struct slice base = slice_of(config_model_base_url(learn_job->config));
	const struct slice parts[] = {base, SLICE(" "), learn_job->model};
	const uint64_t server = text_hash(arena_join(&learn_job->arena, parts, 3));
	for (size_t i = 0; i < QUIRK_SERVERS; i++) {
		if (memory->entries[i].server == server)
			return &memory->entries[i].quirks;
	}
	size_t at = memory->next++ % QUIRK_SERVERS;
	memory->entries[at].server = server;
	memory->entries[at].quirks =
		model_takes_schema(base, (struct slice){0}) ? QUIRK_TAKES_SCHEMA : 0;
	return &memory->entries[at].quirks;
}

static unsigned answer_tokens(const struct learn_job *learn_job)
{
	unsigned tokens = learn_job->job.kind == JOB_FACTS
				  ? FACTS_TOKENS + MORE_TOKENS * (unsigned)(learn_job->count - 1)
				  : (unsigned)learn_job->settings.summary_words * TOKENS_PER_WORD;
	/* Models that think before they answer need more: doubles after each answer that was cut
	 * off. */
	unsigned doublings = learn_job->job.unusable < 3 ? learn_job->job.unusable : 3;
	return (tokens < 500 ? 500 : tokens) << doublings;
}

static enum learn_state ask_with_quirks(struct learn_job *learn_job, unsigned quirks)
{
	learn_job->quirks = quirks;
	learn_job->body = model_request_body(learn_job->model, &learn_job->prompt,
					     answer_tokens(learn_job), quirks, &learn_job->arena);
	const struct model_request request = {
		.loop = learn_job->means->loop,
		.upstream = learn_job->means->upstream,
		.config = learn_job->config,
		.key_field = learn_job->key_field,
		.path = "/chat/completions",
		.body = learn_job->body,
		.timeout = learn_job->config->model.timeout,
		.most = LEARN_MAX_ANSWER,
	};
	metrics_count(METRIC_MODEL_CALLS, 1);
	learn_job->call = model_call_start(&request, on_reply, learn_job);
	return LEARN_AWAITS_MODEL;
}

static enum learn_state ask(struct learn_job *learn_job)
{
	return ask_with_quirks(learn_job, *known_quirks(learn_job));
}

/* ---- the exchanges of a facts job ---- */

/* Reads the inputs from `first` on, `count` of them at most; returns how many there are. */
static size_t read_inputs(struct learn_job *learn_job, size_t first, size_t count)
{
	bool is_read = store_facts_inputs(learn_job->means->service->store, learn_job->user,
					  learn_job->exchanges + first, &count,
					  learn_job->inputs + first, &learn_job->arena) == STORE_OK;
	return is_read ? count : 0;
}

static struct learn_turn turn_of(const struct learn_job *learn_job, size_t index)
{
	const struct job_input *input = &learn_job->inputs[index];
	struct intake intake = config_intake(&learn_job->settings);
	intake.pii = settings_pii(&input->settings, intake.pii);
	return (struct learn_turn){
		.exchange = learn_job->exchanges[index],
		.created_at = input->user.created_at,
		.utc_offset = input->user.utc_offset,
		.user = input->user.text,
		.assistant = input->assistant.text,
		.before = input->before,
		.before_count = input->before_count,
		.facts = input->facts,
		.fact_count = input->fact_count,
		.min_confidence = learn_job->settings.min_confidence,
		.intake = intake,
		.tombstones = input->tombstones,
		.repairs = learn_job->config->model.repair,
		.keeps_pinned = !learn_job->config->governance.chat_may_forget_pinned,
	};
}

/* Reads the exchanges, and leaves those for another call that do not go with the first: what asks
 * to forget has questions of its own. False: the first cannot be read. */
static bool read_exchanges(struct learn_job *learn_job)
{
	size_t read = read_inputs(learn_job, 0, learn_job->count);
	size_t plain = 0;
	while (plain < read) {
		const struct learn_turn turn = turn_of(learn_job, plain);
		unsigned questions =
			slice_is_blank(turn.user) ? 0 : learn_questions(&turn, &learn_job->arena);
		if (plain == 0)
			learn_job->questions = questions;
		if (questions != LEARN_ASK_FACTS)
			break;
		plain++;
	}
	learn_job->count = plain > 0 ? plain : 1;
	return read > 0;
}

static struct learn_prompt facts_prompt(struct learn_job *learn_job)
{
	struct learn_turn turns[LEARN_BATCH_MOST];
	for (size_t i = 0; i < learn_job->count; i++)
		turns[i] = turn_of(learn_job, i);
	learn_job->count = learn_together(turns, learn_job->count);
	return learn_job->count > 1
		       ? learn_several_prompt(turns, learn_job->count, &learn_job->arena)
		       : learn_facts_prompt(&turns[0], &learn_job->arena);
}

/* A retraction in a chat is a deletion, which the audit log records. */
static bool forgets(const struct learning *learning)
{
	bool does = learning->hide_exchange;
	for (size_t i = 0; i < learning->change_count; i++)
		does |= learning->changes[i].kind == CHANGE_FORGET ||
			learning->changes[i].kind == CHANGE_CONCEAL ||
			learning->changes[i].kind == CHANGE_HIDE;
	return does;
}

static enum learn_state store_facts(struct learn_job *learn_job)
{
	const struct learning *learning = &learn_job->learning;
	const struct audit_entry entry = {.by = "chat",
					  .action = "delete",
					  .target = "topic",
					  .has_user = true,
					  .user = learn_job->user,
					  .result = 200,
					  .at = clock_wall()};
	struct loop *loop = learn_job->means->loop;
	const size_t at = learn_job->at;
	leave_model(learn_job);
	learn_job->store_call = store_learned(
		learn_job->means->service->store, learn_job->user,
		&(struct learned){learn_job->exchanges[at], learn_job->inputs[at].forget_epoch,
				  learning->changes, learning->change_count,
				  learning->hide_exchange, clock_wall()},
		(struct store_waiter){forgets(learning) ? loop_for_audited(loop, &entry)
							: loop_for_store(loop),
				      on_store, learn_job});
	return LEARN_AWAITS_STORE;
}

/* Works out what exchange `at` changes. False: an answer is not usable. */
static bool learn_facts(struct learn_job *learn_job)
{
	const struct learn_turn turn = turn_of(learn_job, learn_job->at);
	if (learn_job->entries == NULL)
		learn_job->entries =
			learn_answers_parse(learn_job->answers, learn_job->answer_count,
					    learn_job->config->model.repair, &learn_job->arena);
	if (learn_job->entries != NULL)
		learn_from_entries(&turn, learn_job->entries, &learn_job->learning,
				   &learn_job->arena);
	return learn_job->entries != NULL;
}

/* The facts may have changed since the exchange was read for the prompt: by the exchanges before
 * it, or by the user while the model worked. */
static enum learn_state take_facts_anew(struct learn_job *learn_job)
{
	bool is_there = read_inputs(learn_job, learn_job->at, 1) > 0;
	return is_there && learn_facts(learn_job) ? store_facts(learn_job) : LEARN_OVER;
}

static void count_learned(struct learn_job *learn_job)
{
	const struct learning *learning = &learn_job->learning;
	metrics_count(METRIC_LEARNED_FACTS, 1);
	metrics_count(METRIC_MODEL_EMPTY, learning->is_empty);
	metrics_count(METRIC_MODEL_MISSED, learning->is_missed);
	for (size_t i = 0; i < learning->change_count; i++)
		metrics_count(METRIC_FACTS_STORED, learning->changes[i].kind == CHANGE_ADD);
	learn_job->kept += learning->kept;
}

/* Goes on to the next exchange that is still there. */
static enum learn_state take_next_facts(struct learn_job *learn_job)
{
	while (++learn_job->at < learn_job->count) {
		if (read_inputs(learn_job, learn_job->at, 1) > 0)
			return learn_facts(learn_job) ? store_facts(learn_job) : LEARN_OVER;
	}
	/* An entry that one exchange bears out is not rejected because the others do not. */
	const size_t entries = learn_job->learning.kept + learn_job->learning.rejected;
	metrics_count(METRIC_FACTS_REJECTED,
		      entries > learn_job->kept ? entries - learn_job->kept : 0);
	return LEARN_OVER;
}

/* Asks what is still to be asked, or stores what was learned. */
static enum learn_state ask_next(struct learn_job *learn_job)
{
	const unsigned question =
		(learn_job->questions & LEARN_ASK_FORGET) != 0 ? LEARN_ASK_FORGET : LEARN_ASK_FACTS;
	const struct learn_turn first = turn_of(learn_job, 0);
	if (learn_job->questions == 0)
		return store_facts(learn_job);
	learn_job->questions &= ~question;
	learn_job->prompt = question == LEARN_ASK_FORGET
				    ? learn_forget_prompt(&first, &learn_job->arena)
				    : facts_prompt(learn_job);
	return ask(learn_job);
}

/* ---- the summary ---- */

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

static bool read_summary(struct learn_job *learn_job, const struct model_answer *answer)
{
	struct summary *summary = &learn_job->summary;
	bool fits = !answer->cut_off &&
		    learn_summary_read(answer->text, (unsigned)learn_job->settings.summary_words,
				       &summary->text, &learn_job->arena) &&
		    learn_summary_keeps(summary->text, &learn_job->names, &learn_job->arena);
	metrics_count(fits ? METRIC_LEARNED_SUMMARIES : METRIC_SUMMARIES_REFUSED, 1);
	return fits;
}

static enum learn_state store_summary(struct learn_job *learn_job)
{
	const struct job_input *input = &learn_job->input;
	struct summary *summary = &learn_job->summary;
	struct intake intake = config_intake(&learn_job->settings);
	summary->text = intake_text(&intake, summary->text, INTAKE_SUMMARY, &learn_job->arena);
	summary->updated_at = clock_wall();
	summary->model = learn_job->model;
	leave_model(learn_job);
	learn_job->store_call = store_summarized(
		learn_job->means->service->store, learn_job->user, input->forget_epoch, summary,
		input->has_summary ? input->summary.covers : 0,
		(struct store_waiter){loop_for_store(learn_job->means->loop), on_store, learn_job});
	return LEARN_AWAITS_STORE;
}

/* ---- its steps ---- */

static enum learn_state begin(struct learn_job *learn_job)
{
	if (learn_job->job.kind == JOB_FACTS && read_exchanges(learn_job))
		return ask_next(learn_job);
	if (learn_job->job.kind == JOB_SUMMARY &&
	    store_summary_input(learn_job->means->service->store, learn_job->user,
				&learn_job->input, &learn_job->arena) == STORE_OK &&
	    prepare_summary(learn_job))
		return ask(learn_job);
	/* There is nothing to do, or nothing readable: pauses first. */
	return try_later(learn_job);
}

static enum learn_state take_answer(struct learn_job *learn_job, const struct model_reply *reply)
{
	const struct slice body = arena_copy(&learn_job->arena, reply->body);
	const bool is_facts = learn_job->job.kind == JOB_FACTS;
	struct model_answer answer;
	if (model_takes_schema(slice_of(config_model_base_url(learn_job->config)), body))
		learn_job->quirks |= QUIRK_TAKES_SCHEMA;
	*known_quirks(learn_job) = learn_job->quirks;
	metrics_count(METRIC_MODEL_TOKENS, model_tokens(learn_job->body, body));
	pace_note_answer(&learn_job->means->pace);
	bool is_usable = model_answer_read(body, &answer, &learn_job->arena);
	if (is_usable && is_facts) {
		learn_job->answers[learn_job->answer_count++] = answer.text;
		is_usable = learn_job->questions != 0 || learn_facts(learn_job);
	} else if (is_usable) {
		is_usable = read_summary(learn_job, &answer);
	}
	if (!is_usable)
		return fail(learn_job, METRIC_MODEL_UNUSABLE, reply->status,
			    "its answer is unusable");
	enum learn_state next = is_facts ? ask_next(learn_job) : store_summary(learn_job);
	last_failure_end(&learn_job->means->service->learning);
	return next;
}

/* Some servers refuse a parameter: gives way, and asks again at once. If the request cannot be
 * rephrased, the model will never answer it. */
static enum learn_state take_refusal(struct learn_job *learn_job, const struct model_reply *reply)
{
	const int status = reply->status;
	unsigned quirks = learn_job->quirks;
	if (status == 400 || status == 422)
		quirks =
			model_request_adapt(quirks, learn_job->prompt.schema.size > 0, reply->body);
	if (quirks != learn_job->quirks)
		return ask_with_quirks(learn_job, quirks);
	if (status == 400 || status == 413 || status == 422)
		return fail(learn_job, METRIC_MODEL_UNUSABLE, status, reply->detail);
	return fail(learn_job,
		    status >= 400 && status < 500 ? METRIC_MODEL_REFUSED : METRIC_MODEL_UNREACHABLE,
		    status, reply->detail);
}

static enum learn_state take_reply(struct learn_job *learn_job, const struct model_reply *reply)
{
	switch (reply->outcome) {
	case MODEL_ANSWERED:
		return take_answer(learn_job, reply);
	case MODEL_REFUSED:
		return take_refusal(learn_job, reply);
	case MODEL_TOO_LONG:
		return fail(learn_job, METRIC_MODEL_UNUSABLE, reply->status, reply->detail);
	case MODEL_LATE:
		pace_note_late(&learn_job->means->pace);
		return fail(learn_job, METRIC_MODEL_LATE, reply->status, reply->detail);
	case MODEL_UNREACHABLE:
		break;
	}
	return fail(learn_job, METRIC_MODEL_UNREACHABLE, reply->status, reply->detail);
}

/* A summary of turns that have changed meanwhile is requested again. What a full store refused is
 * learned later, not at once, since each try costs money. */
static enum learn_state take_stored(struct learn_job *learn_job, enum store_result result)
{
	const size_t count = store_call_count(learn_job->store_call);
	const bool is_facts = learn_job->job.kind == JOB_FACTS;
	learn_job->wants_room = result == STORE_FULL;
	if (result != STORE_OK && result != STORE_STALE && result != STORE_CHANGED) {
		log_error("learned facts or summary not stored: %s", store_result_name(result));
		return try_later(learn_job);
	}
	if (!is_facts)
		return LEARN_OVER;
	if (result == STORE_CHANGED)
		return take_facts_anew(learn_job);
	if (result == STORE_OK) {
		forgotten_add(&learn_job->means->service->forgotten, learn_job->user,
			      (unsigned)count);
		count_learned(learn_job);
	}
	return take_next_facts(learn_job);
}

static void destroy(struct learn_job *learn_job)
{
	event_free(learn_job->turn);
	config_release(learn_job->config);
	arena_finish(&learn_job->arena);
	free(learn_job);
}

/* The awaited event has come: `reply` from the model, `result` from the store. */
static void step(struct learn_job *learn_job, const struct model_reply *reply,
		 enum store_result result)
{
	switch (learn_job->state) {
	case LEARN_AWAITS_TURN:
		learn_job->state = begin(learn_job);
		break;
	case LEARN_AWAITS_MODEL:
		assert(reply != NULL);
		learn_job->state = take_reply(learn_job, reply);
		break;
	case LEARN_AWAITS_STORE:
		learn_job->state = take_stored(learn_job, result);
		break;
	case LEARN_AWAITS_NOTE:
		learn_job->is_noted = result == STORE_OK || result == STORE_STALE;
		learn_job->state = LEARN_OVER;
		break;
	case LEARN_OVER:
		break;
	}
	if (learn_job->state != LEARN_OVER)
		return;
	learn_job->ended(learn_job->cookie, learn_job->is_noted, learn_job->wants_room);
	destroy(learn_job);
}

struct learn_job *learn_job_start(struct learn_means *means, const struct next_job *next,
				  struct config *config, struct slice model, learn_job_asked *asked,
				  learn_job_ended *ended, void *cookie)
{
	struct learn_job *learn_job = xcalloc(1, sizeof(*learn_job));
	learn_job->means = means;
	learn_job->config = config_retain(config);
	learn_job->user = next->user;
	learn_job->key_field = arena_copy(&learn_job->arena, next->key_field);
	learn_job->model = arena_copy(&learn_job->arena, model);
	learn_job->job = *next->jobs[0];
	learn_job->job.model = arena_copy(&learn_job->arena, next->jobs[0]->model);
	learn_job->settings =
		config_memory_for(config, learn_job->job.model, next->page.tenant, next->page.user);
	for (; learn_job->count < next->count; learn_job->count++)
		learn_job->exchanges[learn_job->count] = next->jobs[learn_job->count]->exchange;
	learn_job->asked = asked;
	learn_job->ended = ended;
	learn_job->cookie = cookie;
	learn_job->is_noted = true;
	learn_job->turn = event_new(loop_base(means->loop), -1, 0, on_turn, learn_job);
	event_active(learn_job->turn, EV_TIMEOUT, 0);
	return learn_job;
}

void learn_job_cancel(struct learn_job *learn_job)
{
	if (learn_job->state == LEARN_AWAITS_MODEL)
		model_call_cancel(learn_job->call);
	if (learn_job->state == LEARN_AWAITS_STORE || learn_job->state == LEARN_AWAITS_NOTE)
		store_cancel(learn_job->store_call);
	destroy(learn_job);
}
