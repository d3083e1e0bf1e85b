#include "proxy/background/embedding_call.h"

#include "core/learn/embedding.h"
#include "proxy/runtime/metrics.h"

#include <stdlib.h>

enum { ANSWER_LIMIT = 16 << 20 };

struct embedding_call {
	struct model_call *call;
	embedding_called *callback;
	void *cookie;
	size_t count;
	struct buffer body;
};

void embedding_call_cancel(struct embedding_call *call)
{
	if (call == NULL)
		return;
	model_call_cancel(call->call);
	buffer_finish(&call->body);
	free(call);
}

static enum embedding_outcome outcome_of(const struct model_reply *reply)
{
	const int status = reply->status;
	switch (reply->outcome) {
	case MODEL_ANSWERED:
		return EMBEDDING_GIVEN;
	case MODEL_REFUSED:
		if (status == 400 || status == 413 || status == 422)
			return EMBEDDING_REFUSED;
		return status == 500 ? EMBEDDING_UNUSABLE : EMBEDDING_FAILED;
	case MODEL_TOO_LONG:
		return EMBEDDING_UNUSABLE;
	case MODEL_UNREACHABLE:
		return EMBEDDING_FAILED;
	case MODEL_LATE:
		break;
	}
	return EMBEDDING_LATE;
}

static void on_reply(void *cookie, const struct model_reply *reply)
{
	static const enum metric_counter failures[] = {
		[EMBEDDING_REFUSED] = METRIC_EMBEDDING_REFUSED,
		[EMBEDDING_UNUSABLE] = METRIC_EMBEDDING_UNUSABLE,
		[EMBEDDING_FAILED] = METRIC_EMBEDDING_UNREACHABLE,
		[EMBEDDING_LATE] = METRIC_EMBEDDING_LATE,
	};
	struct embedding_call *call = cookie;
	struct arena arena = {0};
	const int8_t **vectors = arena_alloc(&arena, call->count * sizeof(*vectors));
	struct embedding_answer answer = {.outcome = outcome_of(reply),
					  .status = reply->status,
					  .detail = reply->detail,
					  .vectors = vectors};
	call->call = NULL;
	if (answer.outcome == EMBEDDING_GIVEN &&
	    !embedding_read(reply->body, call->count, vectors, &answer.dimensions, &arena)) {
		answer.outcome = EMBEDDING_UNUSABLE;
		answer.detail = "its answer cannot be read";
		answer.dimensions = 0;
	}
	if (answer.outcome != EMBEDDING_GIVEN)
		metrics_count(failures[answer.outcome], 1);
	call->callback(call->cookie, &answer);
	arena_finish(&arena);
	embedding_call_cancel(call);
}

struct embedding_call *embedding_call_start(const struct embedding_request *request,
					    embedding_called *callback, void *cookie)
{
	struct embedding_call *call = xcalloc(1, sizeof(*call));
	struct model_request post = request->to;
	call->callback = callback;
	call->cookie = cookie;
	call->count = request->count;
	buffer_init(&call->body, SIZE_MAX); /* the caller bounds its texts */
	embedding_write_request(&call->body, slice_of(post.config->model.embedding), request->texts,
				request->count);
	post.path = "/embeddings";
	post.body = buffer_slice(&call->body);
	post.most = ANSWER_LIMIT;
	call->call = model_call_start(&post, on_reply, call);
	metrics_count(METRIC_EMBEDDING_CALLS, 1);
	return call;
}
