/* Counters, gauges and histograms: any thread writes them without a lock; metrics_print() prints
 * Prometheus text format (0.0.4). Labels come only from this file's table: never a user, a client's
 * model name or a path. */
#ifndef RECALLD_PROXY_RUNTIME_METRICS_H
#define RECALLD_PROXY_RUNTIME_METRICS_H

#include "core/base/bytes.h"

enum metric_counter {
	METRIC_REQUESTS_INJECTED, /* recalld_requests_total{memory="injected"} ... */
	METRIC_REQUESTS_EMPTY,
	METRIC_REQUESTS_OFF,
	METRIC_REQUESTS_ANONYMOUS,
	METRIC_REQUESTS_SIDE,
	METRIC_REQUESTS_BYPASSED,
	METRIC_REQUESTS_OTHER,    /* memory="none": paths that recalld does not rewrite */
	METRIC_WITHOUT_RESPONSES, /* recalld_without_memory_total{path="/v1/responses"} ... */
	METRIC_WITHOUT_COMPLETIONS,
	METRIC_WITHOUT_MESSAGES,
	METRIC_WITHOUT_EMBEDDINGS,
	METRIC_WITHOUT_MODELS,
	METRIC_WITHOUT_API_CHAT,
	METRIC_WITHOUT_API_GENERATE,
	METRIC_WITHOUT_OTHER,
	METRIC_BYPASS_BODY,  /* recalld_bypassed_total{cause="body"}: not a chat request, or encoded
			      */
	METRIC_BYPASS_STORE, /* the store did not answer */
	METRIC_BYPASS_FULL,  /* the store has no room */
	METRIC_BYPASS_BEHIND,        /* the write queue is too long */
	METRIC_BYPASS_REFUSED,       /* the upstream refused the injected request */
	METRIC_BYPASS_COMMIT,        /* the exchange was not journalled in time */
	METRIC_BYPASS_HELD,          /* the reply's end was too large to wait for the disk */
	METRIC_ERRORS_CLIENT,        /* recalld_errors_total{kind="client"}: 4xx from recalld */
	METRIC_ERRORS_UPSTREAM,      /* 502 and 504 from recalld */
	METRIC_ERRORS_CONNECTIONS,   /* {kind="connections"}: 503, or closed without one */
	METRIC_ERRORS_BYTES,         /* {kind="bytes"}: 503, too many bytes in flight */
	METRIC_ERRORS_TLS,           /* {kind="tls"}: handshakes that failed or timed out */
	METRIC_CLIENTS_GONE,         /* recalld_clients_gone_total */
	METRIC_TOKENS_INJECTED,      /* recalld_injected_tokens_total */
	METRIC_TOKENS_TRIMMED,       /* recalld_trimmed_tokens_total */
	METRIC_EXCHANGES_JOURNALLED, /* recalld_exchanges_journalled_total, incomplete ones included
				      */
	METRIC_EXCHANGES_INCOMPLETE, /* recalld_exchanges_incomplete_total: the reply broke off */
	METRIC_LEARNED_FACTS,        /* recalld_learned_total{kind="facts"}: completed jobs */
	METRIC_LEARNED_SUMMARIES,
	METRIC_SUMMARIES_REFUSED, /* recalld_summaries_refused_total: transcripts, cut off, or
				     without a name that the old one has */
	METRIC_FACTS_STORED,
	METRIC_FACTS_REJECTED, /* entries in the model's answers that were malformed or not grounded
				*/
	METRIC_MODEL_EMPTY,    /* answers without any entry */
	METRIC_MODEL_MISSED,   /* such answers about a turn that tells something of the user */
	METRIC_MODEL_CALLS,
	METRIC_MODEL_TOKENS, /* of requests and answers; estimated where the server does not tell */
	METRIC_MODEL_UNREACHABLE, /* recalld_model_failures_total{cause="unreachable"} */
	METRIC_MODEL_REFUSED,     /* 4xx */
	METRIC_MODEL_LATE,
	METRIC_MODEL_UNUSABLE,
	METRIC_JOBS_PARKED,
	METRIC_EMBEDDING_CALLS,   /* recalld_embedding_calls_total, for turns and questions */
	METRIC_EMBEDDING_REFUSED, /* recalld_embedding_failures_total{cause="refused"}: 4xx */
	METRIC_EMBEDDING_UNUSABLE,
	METRIC_EMBEDDING_UNREACHABLE, /* or any other status */
	METRIC_EMBEDDING_LATE,
	METRIC_TURNS_EMBEDDED,     /* recalld_turns_embedded_total{outcome="stored"} */
	METRIC_TURNS_WITHOUT,      /* {outcome="none"}: the server refused their texts */
	METRIC_QUESTIONS_EMBEDDED, /* recalld_questions_embedded_total{outcome="given"} */
	METRIC_QUESTIONS_FAILED,
	METRIC_QUESTIONS_LATE,
	METRIC_QUESTIONS_SKIPPED, /* skipped because the server does not keep up */
	METRIC_EXPIRED_EXCHANGES, /* recalld_expired_total{kind="exchanges"}: older than their limit
				   */
	METRIC_EXPIRED_FACTS,
	METRIC_EXPIRED_OVER_LIMIT, /* {kind="over_limit"}: exchanges beyond user_limit */
	METRIC_EXPIRED_FACTS_OVER, /* {kind="facts_over_limit"}: facts beyond FACTS_LIMIT */
	METRIC_SCRUBS_DONE,        /* recalld_scrubs_total{outcome="done"} */
	METRIC_SCRUBS_FAILED,
	METRIC_CONFIG_RELOADS,
	METRIC_CONFIG_FAULTS,
	METRIC_TRACE_SENT,    /* recalld_trace_spans_total{outcome="sent"} */
	METRIC_TRACE_DROPPED, /* the queue was full */
	METRIC_TRACE_FAILED,  /* the collector did not take them */
	METRIC_COUNTER_COUNT,
};

enum metric_gauge {
	METRIC_EXCHANGES_LOADING, /* recalld_exchanges{state="loading"} ... */
	METRIC_EXCHANGES_WAITING, /* waiting for the upstream's first byte */
	METRIC_EXCHANGES_RELAYING,
	METRIC_EXCHANGES_COMMITTING,
	METRIC_LEARNER_CALLS,
	METRIC_LEARNER_QUEUE,
	METRIC_GAUGE_COUNT,
};

enum metric_histogram {
	METRIC_MEMORY_SECONDS,     /* recalld_memory_seconds: scan, load, context and splice of one
				      request */
	METRIC_FIRST_BYTE_SECONDS, /* from the request to the first byte of the reply */
	METRIC_EXCHANGE_SECONDS,
	METRIC_COMMIT_SECONDS, /* from handing an exchange to the store until it is on disk */
	METRIC_HISTOGRAM_COUNT,
};

void metrics_count(enum metric_counter counter, uint64_t amount);
/* recalld_upstream_responses_total{dialect,status}: an answer of the upstream to a client's request
 * of that dialect; any other name counts as "none". */
void metrics_count_answer(const char *dialect, int status);
/* Answers of all dialects by class, as `metric_answer_classes` names them. */
enum { METRIC_ANSWER_CLASSES = 5 };
extern const char *const metric_answer_classes[METRIC_ANSWER_CLASSES];
uint64_t metrics_answers(size_t class);
uint64_t metrics_counter(enum metric_counter counter);
void metrics_move(enum metric_gauge gauge, int64_t amount);
void metrics_observe(enum metric_histogram histogram, uint64_t microseconds);

/* Appends all metrics with # HELP and # TYPE lines, and the process's version and start time. */
void metrics_print(struct buffer *out);

#endif
