/* One call of [model]'s /embeddings: texts in, vectors out. Runs on the thread of its loop. */
#ifndef RECALLD_PROXY_BACKGROUND_EMBEDDING_CALL_H
#define RECALLD_PROXY_BACKGROUND_EMBEDDING_CALL_H

#include "proxy/background/model_call.h"

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
