/* One question to the memory model, and its answer. If a server refuses a parameter, asks again at
 * once without it. Runs on the thread of its loop. */
#ifndef RECALLD_PROXY_BACKGROUND_LEARN_CALL_H
#define RECALLD_PROXY_BACKGROUND_LEARN_CALL_H

#include "core/learn/learn.h"
#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/runtime/metrics.h"
#include "proxy/upstream/upstream.h"

struct learn_call;

/* What servers were found to refuse or to take, remembered per address and model. */
enum { LEARN_CALL_SERVERS = 64 };
struct quirk_memory {
	struct {
		uint64_t server; /* a hash of address and model; 0: free */
		unsigned quirks;
	} entries[LEARN_CALL_SERVERS];
	size_t next;
};

struct learn_question {
	struct loop *loop;
	struct upstream *upstream;
	const struct config *config;
	struct quirk_memory *quirks;
	struct slice key_field; /* "NAME: VALUE"; empty: none */
	struct slice model;     /* the model name to send */
	const struct learn_prompt *prompt;
	unsigned max_tokens;
	struct arena *arena; /* holds the answer */
};

struct learn_reply {
	const char *fault;         /* why there is no answer, without secrets; NULL: there is one */
	int status;                /* 0: no reply */
	enum metric_counter cause; /* of the fault */
	struct slice answer;       /* the body, at most LEARN_MAX_ANSWER bytes, in the arena */
};

/* Called once from the loop unless cancelled. The call is then over. */
typedef void learn_called(void *cookie, const struct learn_reply *reply);

/* Everything that the question points at must outlive the call. */
struct learn_call *learn_call_start(const struct learn_question *question, learn_called *callback,
				    void *cookie);
void learn_call_cancel(struct learn_call *call); /* NULL is fine */

#endif
