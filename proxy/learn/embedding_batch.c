#include "proxy/learn/embedding_batch.h"

#include "core/base/utf8.h"
#include "proxy/learn/embedding_call.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"

#include <stdlib.h>
#include <string.h>

enum {
	BATCH_TURNS = 32,
	BATCH_BYTES = 100 * 1024,
};

/*  turns:  | answered | to be asked for | blank |
 *          0        done             to_ask   count   */
struct embedding_batch {
	struct embedding_batch_setting setting;
	struct arena arena;
	embedding_batch_ended *ended;
	void *cookie;
	enum batch_end end;
	struct event *at_end;
	struct store_call *store_call; /* under way */
	struct embedding_call *call;   /* under way */
	struct embedded_turn *turns;
	struct slice *texts; /* of the turns, in the form that is sent */
	size_t count, to_ask, done;
	size_t asked;      /* how many the current call asks for */
	size_t dimensions; /* of the vectors received; 0: none yet */
	uint64_t first;    /* the id of the oldest turn */
};

static void destroy(struct embedding_batch *batch)
{
	store_cancel(batch->store_call);
	embedding_call_cancel(batch->call);
	event_free(batch->at_end);
	config_release(batch->setting.config);
	arena_finish(&batch->arena);
	free(batch);
}

static void on_at_end(evutil_socket_t fd, short what, void *cookie)
{
	struct embedding_batch *batch = cookie;
	(void)fd;
	(void)what;
	batch->ended(batch->cookie, batch->end);
	destroy(batch);
}

/* Runs from the loop, since a batch may be over before embedding_batch_start() returns. */
static void end_batch(struct embedding_batch *batch, enum batch_end end)
{
	batch->end = end;
	event_active(batch->at_end, EV_TIMEOUT, 0);
}

static void warn_of_failure(struct embedding_batch *batch, const char *detail, int status)
{
	const struct failure_words why = failure_words(detail, status);
	if (last_failure_note(batch->setting.failure, &why))
		log_warn("embedding call failed: %s; turns wait and are found by their words "
			 "meanwhile; check [model] embedding, base_url and api_key",
			 why.text);
}

/* ---- to the store ---- */

static void on_stored(void *cookie, enum store_result result)
{
	struct embedding_batch *batch = cookie;
	batch->store_call = NULL;
	bool stored = result == STORE_OK || result == STORE_STALE || result == STORE_NOT_FOUND;
	if (!stored)
		warn_of_failure(batch, store_result_name(result), 0);
	else
		*batch->setting.first = batch->first;
	end_batch(batch, stored ? batch->end : BATCH_FAILED);
}

static void store_turns(struct embedding_batch *batch, size_t count, enum batch_end end)
{
	const struct embedding_batch_setting *setting = &batch->setting;
	batch->end = end;
	for (size_t i = 0; i < count; i++)
		metrics_count(batch->turns[i].vector != NULL ? METRIC_TURNS_EMBEDDED
							     : METRIC_TURNS_WITHOUT,
			      1);
	batch->store_call = store_embedded(setting->store, setting->user,
					   slice_of(setting->config->model.embedding),
					   batch->dimensions, batch->turns, count,
					   loop_for_store(setting->loop), on_stored, batch);
}

/* ---- from the server ---- */

static void give_up(struct embedding_batch *batch, const struct embedding_answer *answer)
{
	warn_of_failure(batch, answer->detail, answer->status);
	/* A server that refuses everything may itself be at fault: marks no turn then. */
	if (batch->done > 0 && batch->setting.server->gives)
		store_turns(batch, batch->done, BATCH_FAILED);
	else
		end_batch(batch, BATCH_FAILED);
}

static void on_called(void *cookie, const struct embedding_answer *answer);

static void ask(struct embedding_batch *batch)
{
	size_t left = batch->to_ask - batch->done;
	if (batch->asked > left)
		batch->asked = left;
	const struct embedding_request request = {
		.loop = batch->setting.loop,
		.upstream = batch->setting.upstream,
		.config = batch->setting.config,
		.key_field = batch->setting.key_field,
		.texts = batch->texts + batch->done,
		.count = batch->asked,
		.timeout = batch->setting.config->model.timeout,
	};
	batch->call = embedding_call_start(&request, on_called, batch);
}

static void go_on(struct embedding_batch *batch, const struct embedding_answer *answer)
{
	if (batch->done < batch->to_ask)
		ask(batch);
	else if (batch->setting.server->gives)
		store_turns(batch, batch->count, BATCH_STORED);
	else
		give_up(batch, answer);
}

static void take_vectors(struct embedding_batch *batch, const struct embedding_answer *answer)
{
	struct embedded_turn *turns = batch->turns + batch->done;
	size_t size = answer->dimensions;
	for (size_t i = 0; i < batch->asked; i++) {
		if (answer->vectors[i] != NULL)
			turns[i].vector =
				(const int8_t *)arena_copy(
					&batch->arena,
					(struct slice){(const char *)answer->vectors[i], size})
					.data;
	}
	if (size > 0) {
		batch->dimensions = size;
		batch->setting.server->gives = true;
		last_failure_end(batch->setting.failure);
	}
	batch->done += batch->asked;
	batch->asked *= 2;
	go_on(batch, answer);
}

/* The request, or one text, is too much for the server: asks for fewer, shorter, or without it. */
static void give_way(struct embedding_batch *batch, const struct embedding_answer *answer)
{
	struct slice *text = &batch->texts[batch->done];
	if (batch->asked > 1) {
		batch->asked /= 2;
	} else if (text->size > EMBEDDING_SHORT_TEXT) {
		*text = utf8_cut(*text, text->size / 2);
	} else if (answer->outcome == EMBEDDING_REFUSED) {
		batch->done++;
	} else {
		give_up(batch, answer);
		return;
	}
	go_on(batch, answer);
}

static void on_called(void *cookie, const struct embedding_answer *answer)
{
	struct embedding_batch *batch = cookie;
	batch->call = NULL;
	bool differs = batch->dimensions != 0 && answer->dimensions != 0 &&
		       answer->dimensions != batch->dimensions;
	if (answer->outcome == EMBEDDING_FAILED || differs)
		give_up(batch, answer);
	else if (answer->outcome == EMBEDDING_GIVEN)
		take_vectors(batch, answer);
	else
		give_way(batch, answer);
}

/* ---- the turns ---- */

/* How many of the turns fit into one call; at least one. */
static size_t fitting(const struct turn *turns, size_t count)
{
	size_t bytes = 0, fit = 0;
	for (; fit < count; fit++) {
		bytes += utf8_cut(turns[fit].text, EMBEDDING_TEXT_LIMIT).size;
		if (fit > 0 && bytes > BATCH_BYTES)
			break;
	}
	return fit;
}

/* Moves blank texts, which a server may refuse, after the others. */
static void take_turns(struct embedding_batch *batch, const struct turn *turns, size_t count)
{
	batch->count = fitting(turns, count);
	batch->turns = arena_alloc(&batch->arena, batch->count * sizeof(*batch->turns));
	batch->texts = arena_alloc(&batch->arena, batch->count * sizeof(*batch->texts));
	size_t blank = batch->count;
	for (size_t i = 0; i < batch->count; i++) {
		struct slice text = utf8_cut(turns[i].text, EMBEDDING_TEXT_LIMIT);
		size_t at = slice_trim(text).size > 0 ? batch->to_ask++ : --blank;
		batch->turns[at].turn = turns[i].id;
		batch->texts[at] = text;
	}
	batch->asked = batch->to_ask;
}

static void begin(struct embedding_batch *batch)
{
	const struct embedding_batch_setting *setting = &batch->setting;
	struct unembedded unembedded;
	enum store_result result = store_unembedded(setting->store, setting->user,
						    slice_of(setting->config->model.embedding),
						    BATCH_TURNS, &unembedded, &batch->arena);
	if (result == STORE_OK && unembedded.count == 0) {
		end_batch(batch, BATCH_NONE_LEFT);
	} else if (result != STORE_OK || unembedded.turns[0].id == *setting->first) {
		/* What was not stored must not be paid for again at once. */
		*setting->first = 0;
		end_batch(batch, BATCH_FAILED);
	} else {
		batch->first = unembedded.turns[0].id;
		take_turns(batch, unembedded.turns, unembedded.count);
		if (batch->to_ask > 0)
			ask(batch);
		else
			store_turns(batch, batch->count, BATCH_STORED);
	}
}

struct embedding_batch *embedding_batch_start(const struct embedding_batch_setting *setting,
					      embedding_batch_ended *ended, void *cookie)
{
	struct embedding_batch *batch = xcalloc(1, sizeof(*batch));
	batch->setting = *setting;
	batch->setting.config = config_retain(setting->config);
	batch->setting.key_field = arena_copy(&batch->arena, setting->key_field);
	batch->ended = ended;
	batch->cookie = cookie;
	batch->at_end = event_new(loop_base(setting->loop), -1, 0, on_at_end, batch);
	begin(batch);
	return batch;
}

void embedding_batch_cancel(struct embedding_batch *batch)
{
	if (batch != NULL)
		destroy(batch);
}
