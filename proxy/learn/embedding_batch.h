/* A batch: some of a user's turns, from being found without vectors to having them in the store.
 * One call of /embeddings, or more when the server has to be met half-way. On the embedder's
 * thread. */
#ifndef RECALLD_PROXY_LEARN_EMBEDDING_BATCH_H
#define RECALLD_PROXY_LEARN_EMBEDDING_BATCH_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/upstream/last_failure.h"
#include "proxy/upstream/upstream.h"
#include "storage/store.h"

struct embedding_batch;

/* What was found out about the server, shared by all batches. All zeroes: nothing yet. */
struct embedding_server {
	bool gives; /* it gave a vector before */
};

struct embedding_batch_setting {
	struct store *store;
	struct loop *loop;
	struct upstream *upstream;
	struct config *config;
	struct embedding_server *server;
	struct last_failure *failure; /* the embedding model's */
	struct user_key user;
	struct slice key_field; /* "NAME: VALUE"; empty: none */
	uint64_t
		*first; /* the first turn that the user's last batch kept: it must not come again */
};

enum batch_end {
	BATCH_NONE_LEFT, /* every turn has its vector, or none to come */
	BATCH_STORED,    /* there may be more */
	BATCH_FAILED,    /* to be tried again after a pause; what was given is stored */
};

typedef void embedding_batch_ended(void *cookie, enum batch_end end);

/* `ended` is called once from the loop, never from within this function. All of the setting but
 * the config's own is to outlive the batch; the key's field is copied. */
struct embedding_batch *embedding_batch_start(const struct embedding_batch_setting *setting,
					      embedding_batch_ended *ended, void *cookie);
/* `ended` is not called; what is on its way to the store gets there. NULL is fine. */
void embedding_batch_cancel(struct embedding_batch *batch);

#endif
