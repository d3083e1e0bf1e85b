/* A batch: takes some of a user's turns from having no vectors to having them in the store. It
 * makes one call of /embeddings, or more if the server needs smaller requests. Runs on the
 * embedder's thread. */
#ifndef RECALLD_PROXY_LEARN_EMBEDDING_BATCH_H
#define RECALLD_PROXY_LEARN_EMBEDDING_BATCH_H

#include "proxy/config/config.h"
#include "proxy/runtime/loop.h"
#include "proxy/upstream/last_failure.h"
#include "proxy/upstream/upstream.h"
#include "storage/store.h"

struct embedding_batch;

/* What is known about the server, shared by all batches. Zero-initialize it. */
struct embedding_server {
	bool gives; /* it has returned a vector before */
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
	uint64_t *first; /* the first turn that the user's last batch stored: it must not come again
			  */
};

enum batch_end {
	BATCH_NONE_LEFT, /* every turn has its vector, or will get none */
	BATCH_STORED,    /* there may be more */
	BATCH_FAILED,    /* try again after a pause; the vectors received are stored */
};

typedef void embedding_batch_ended(void *cookie, enum batch_end end);

/* Calls `ended` once from the loop, never from within this function. Everything in the setting
 * except the config must outlive the batch; the key's field is copied. */
struct embedding_batch *embedding_batch_start(const struct embedding_batch_setting *setting,
					      embedding_batch_ended *ended, void *cookie);
/* `ended` is not called; what is on its way to the store gets there. NULL is fine. */
void embedding_batch_cancel(struct embedding_batch *batch);

#endif
