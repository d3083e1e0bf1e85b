#include "proxy/exchange/question_vector.h"

#include "core/base/utf8.h"
#include "proxy/background/model_call.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"
#include "proxy/upstream/last_failure.h"

#include <stdlib.h>

enum {
	FAILURES_ALLOWED = 3,
	FIRST_PAUSE = 5 * 1000 * 1000, /* microseconds */
	LONGEST_PAUSE = 60 * 1000 * 1000,
};

struct question_vectors {
	struct loop *loop;
	struct upstream *upstream;
	unsigned failures; /* in a row */
	uint64_t pause;    /* between probes; 0: the server keeps up, and requests wait for it */
	uint64_t probe_at; /* no probe before this time */
	struct embedding_call *probe;
	uint64_t probe_deadline; /* a probe answered by then is in time */
};

struct question_call {
	struct question_vectors *vectors;
	struct embedding_call *call;
	bool has_own_key;
	question_vector_given *callback;
	void *cookie;
};

/* ---- whether the server keeps up ---- */

/* A failure caused by a client's own key or by one text says nothing about the server. */
static bool is_failure(const struct embedding_answer *answer, bool has_own_key)
{
	if (answer->outcome == EMBEDDING_GIVEN || answer->outcome == EMBEDDING_REFUSED)
		return false;
	return !has_own_key || answer->status < 400 || answer->status >= 500;
}

static void note_failure(struct question_vectors *vectors, const struct embedding_answer *answer)
{
	if (vectors->pause > 0 || ++vectors->failures < FAILURES_ALLOWED)
		return;
	vectors->pause = FIRST_PAUSE;
	vectors->probe_at = clock_steady() + vectors->pause;
	const struct failure_words why = failure_words(answer->detail, answer->status);
	log_warn("questions no longer wait for embeddings: %s; words alone find past turns until "
		 "the embedding server keeps up",
		 why.text);
}

static void on_probe(void *cookie, const struct embedding_answer *answer)
{
	struct question_vectors *vectors = cookie;
	uint64_t now = clock_steady();
	vectors->probe = NULL;
	bool failed = answer->outcome != EMBEDDING_GIVEN && answer->outcome != EMBEDDING_REFUSED;
	if (!failed && now <= vectors->probe_deadline) {
		vectors->pause = 0;
		vectors->failures = 0;
		log_info("questions wait for embeddings again");
		return;
	}
	/* A server that only woke up slowly is checked again soon. */
	if (failed)
		vectors->pause =
			vectors->pause < LONGEST_PAUSE / 2 ? 2 * vectors->pause : LONGEST_PAUSE;
	vectors->probe_at = now + vectors->pause;
}

/* Waits patiently, so that a server has time to load its model. */
static void probe(struct question_vectors *vectors, struct embedding_request *request,
		  const struct slice *text)
{
	const struct slice short_text = utf8_cut(*text, EMBEDDING_SHORT_TEXT);
	vectors->probe_deadline = clock_steady() + request->to.timeout * 1000;
	request->texts = &short_text;
	request->to.timeout = request->to.config->model.timeout;
	vectors->probe = embedding_call_start(request, on_probe, vectors);
}

/* ---- a question ---- */

static void on_answer(void *cookie, const struct embedding_answer *answer)
{
	struct question_call *call = cookie;
	struct question_vectors *vectors = call->vectors;
	const int8_t *vector = answer->outcome == EMBEDDING_GIVEN ? answer->vectors[0] : NULL;
	if (is_failure(answer, call->has_own_key))
		note_failure(vectors, answer);
	else if (answer->outcome == EMBEDDING_GIVEN)
		vectors->failures = 0;
	metrics_count(vector != NULL                      ? METRIC_QUESTIONS_EMBEDDED
		      : answer->outcome == EMBEDDING_LATE ? METRIC_QUESTIONS_LATE
							  : METRIC_QUESTIONS_FAILED,
		      1);
	call->callback(call->cookie, vector, vector != NULL ? answer->dimensions : 0);
	free(call);
}

static struct question_call *ask(struct question_vectors *vectors,
				 const struct embedding_request *request)
{
	struct question_call *call = xcalloc(1, sizeof(*call));
	call->vectors = vectors;
	call->has_own_key = config_model_api_key(request->to.config)[0] == '\0';
	call->call = embedding_call_start(request, on_answer, call);
	return call;
}

struct question_call *question_vector_start(struct question_vectors *vectors, struct config *config,
					    struct slice question, struct slice clients_own,
					    question_vector_given *callback, void *cookie)
{
	const struct slice text = utf8_cut(question, EMBEDDING_TEXT_LIMIT);
	if (config->model.embedding[0] == '\0' || slice_is_blank(text))
		return NULL;
	struct arena arena = {0};
	struct question_call *call = NULL;
	struct embedding_request request = {
		.to = {.loop = vectors->loop,
		       .upstream = vectors->upstream,
		       .config = config,
		       .key_field = model_key_field(config, clients_own, &arena),
		       .timeout = config->model.embedding_timeout},
		.texts = &text,
		.count = 1,
	};
	if (vectors->pause == 0) {
		call = ask(vectors, &request);
		call->callback = callback;
		call->cookie = cookie;
	} else {
		metrics_count(METRIC_QUESTIONS_SKIPPED, 1);
		if (vectors->probe == NULL && clock_steady() >= vectors->probe_at)
			probe(vectors, &request, &text);
	}
	arena_finish(&arena);
	return call;
}

void question_vector_cancel(struct question_call *call)
{
	if (call == NULL)
		return;
	embedding_call_cancel(call->call);
	free(call);
}

/* ---- its life ---- */

struct question_vectors *question_vectors_create(struct loop *loop, struct upstream *upstream)
{
	struct question_vectors *vectors = xcalloc(1, sizeof(*vectors));
	vectors->loop = loop;
	vectors->upstream = upstream;
	return vectors;
}

void question_vectors_destroy(struct question_vectors *vectors)
{
	if (vectors == NULL)
		return;
	embedding_call_cancel(vectors->probe);
	free(vectors);
}
