/* One POST to [model]'s server: a JSON body out, a whole answer in. Runs on the thread of its
 * loop. */
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

#endif
