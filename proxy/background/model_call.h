/* Calls of [model]'s server: one POST with a JSON body out and a whole answer in, and embeddings,
 * texts out and vectors in. They run on the thread of their loop. */
#ifndef RECALLD_PROXY_BACKGROUND_MODEL_CALL_H
#define RECALLD_PROXY_BACKGROUND_MODEL_CALL_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/upstream/upstream.h"

struct model_call;

struct model_request {
	struct loop *loop;
	struct upstream *upstream;
	const struct config *config;
	struct slice key_field; /* "NAME: VALUE"; empty: none */
	const char *path;       /* below [model] base_url, such as "/embeddings" */
	struct slice body;      /* must outlive the call */
	uint64_t timeout;       /* milliseconds for the whole call */
	size_t most;            /* bytes of an answer */
};

enum model_outcome {
	MODEL_ANSWERED, /* with a status 2xx */
	MODEL_REFUSED,  /* with another status */
	MODEL_TOO_LONG, /* more than `most` bytes */
	MODEL_UNREACHABLE,
	MODEL_LATE,
};

struct model_reply {
	enum model_outcome outcome;
	int status;         /* 0: no reply */
	const char *detail; /* why there is no answer, without secrets */
	struct slice body;  /* of an answer or a refusal */
};

/* Called once from the loop unless cancelled; the reply is valid during the call. */
typedef void model_called(void *cookie, const struct model_reply *reply);

/* Copies the request except its body; its loop and upstream must outlive the call. */
struct model_call *model_call_start(const struct model_request *request, model_called *callback,
				    void *cookie);
void model_call_cancel(struct model_call *call); /* NULL is fine */

/* The field with the key to use, "NAME: VALUE": [model]'s key, else the upstream's, else the
 * client's own. */
struct slice model_key_field(const struct config *config, struct slice clients_own,
			     struct arena *arena);

/* ---- embeddings ---- */

struct embedding_call;

struct embedding_request {
	struct model_request to; /* without its path, body and limit */
	const struct slice *texts;
	size_t count; /* at least 1 */
};

enum embedding_outcome {
	EMBEDDING_GIVEN,
	EMBEDDING_REFUSED, /* 400, 413, 422: the server will never accept these texts in one call */
	EMBEDDING_UNUSABLE, /* 500, which some servers return for a text that is too long, or an
			       unreadable answer */
	EMBEDDING_FAILED,   /* unreachable, broken off, or another status */
	EMBEDDING_LATE,
};

struct embedding_answer {
	enum embedding_outcome outcome;
	int status;                   /* 0: there was no reply */
	const char *detail;           /* why there is no answer, without secrets */
	const int8_t *const *vectors; /* one for each text; NULL: it has none */
	size_t dimensions;            /* 0: no text has one */
};

/* Called once from the loop unless cancelled; the answer is valid during the call. */
typedef void embedding_called(void *cookie, const struct embedding_answer *answer);

/* Copies the texts; see model_call_start() of the rest. */
struct embedding_call *embedding_call_start(const struct embedding_request *request,
					    embedding_called *callback, void *cookie);
void embedding_call_cancel(struct embedding_call *call); /* NULL is fine */

enum {
	EMBEDDING_TEXT_LIMIT = 8192, /* the most bytes of a text that are embedded */
	EMBEDDING_SHORT_TEXT = 1024, /* short enough for any server */
};

#endif
