/* Counters, gauges and histograms, written from any thread without a lock and printed in
 * Prometheus' text format (0.0.4). Labels are words from this file's table only: never a user, a
 * model's name from a client, or a path. */
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
	METRIC_REQUESTS_OTHER,    /* memory="none": paths that are not rewritten */
	METRIC_WITHOUT_RESPONSES, /* recalld_without_memory_total{path="/v1/responses"} ... */
	METRIC_WITHOUT_COMPLETIONS,
	METRIC_WITHOUT_MESSAGES,
	METRIC_WITHOUT_EMBEDDINGS,
	METRIC_WITHOUT_MODELS,
	METRIC_WITHOUT_API_CHAT,
	METRIC_WITHOUT_API_GENERATE,
	METRIC_WITHOUT_OTHER,
	METRIC_BYPASS_BODY,  /* recalld_bypassed_total{cause="body"}: not a chat request, encoded */
	METRIC_BYPASS_STORE, /* the store did not answer */
	METRIC_BYPASS_FULL,  /* the store has no room */
	METRIC_BYPASS_BEHIND,      /* too much waits to be written */
	METRIC_BYPASS_REFUSED,     /* the upstream refused the injected request */
	METRIC_BYPASS_COMMIT,      /* the exchange could not be journalled in time */
	METRIC_ERRORS_CLIENT,      /* recalld_errors_total{kind="client"}: 4xx made here */
	METRIC_ERRORS_UPSTREAM,    /* 502, 504 made here */
	METRIC_ERRORS_CONNECTIONS, /* {kind="connections"}: 503, or closed for want of even that */
	METRIC_ERRORS_BYTES,       /* {kind="bytes"}: 503 for too much under way */
	METRIC_ERRORS_TLS,         /* {kind="tls"}: handshakes that failed or did not end in time */
	METRIC_CLIENTS_GONE,       /* recalld_clients_gone_total */
	METRIC_TOKENS_INJECTED,    /* recalld_injected_tokens_total */
	METRIC_TOKENS_TRIMMED,     /* recalld_trimmed_tokens_total */
	METRIC_EXCHANGES_JOURNALLED, /* recalld_exchanges_journalled_total, incomplete ones included
				      */
	METRIC_EXCHANGES_INCOMPLETE, /* recalld_exchanges_incomplete_total: the reply broke off */
	METRIC_LEARNED_FACTS,        /* recalld_learned_total{kind="facts"}: jobs done */
	METRIC_LEARNED_SUMMARIES,
	METRIC_FACTS_STORED,
	METRIC_FACTS_REJECTED, /* entries of the model's answers that were not grounded or malformed
				*/
	METRIC_MODEL_EMPTY,    /* answers without a single entry */
	METRIC_MODEL_CALLS,
	METRIC_MODEL_UNREACHABLE, /* recalld_model_failures_total{cause="unreachable"} */
	METRIC_MODEL_REFUSED,     /* 4xx */
	METRIC_MODEL_LATE,
	METRIC_MODEL_UNUSABLE,
	METRIC_JOBS_PARKED,
	METRIC_EMBEDDING_CALLS,   /* recalld_embedding_calls_total, of turns and of questions */
	METRIC_EMBEDDING_REFUSED, /* recalld_embedding_failures_total{cause="refused"}: 4xx */
	METRIC_EMBEDDING_UNUSABLE,
	METRIC_EMBEDDING_UNREACHABLE, /* or another status */
	METRIC_EMBEDDING_LATE,
	METRIC_TURNS_EMBEDDED,     /* recalld_turns_embedded_total{outcome="stored"} */
	METRIC_TURNS_WITHOUT,      /* {outcome="none"}: their texts were refused */
	METRIC_QUESTIONS_EMBEDDED, /* recalld_questions_embedded_total{outcome="given"} */
	METRIC_QUESTIONS_FAILED,
	METRIC_QUESTIONS_LATE,
	METRIC_QUESTIONS_SKIPPED, /* not asked, since the server does not keep up */
	METRIC_EXPIRED_EXCHANGES, /* recalld_expired_total{kind="exchanges"}: past their time */
	METRIC_EXPIRED_FACTS,
	METRIC_EXPIRED_OVER_LIMIT, /* {kind="over_limit"}: exchanges beyond user_limit */
	METRIC_CONFIG_RELOADS,
	METRIC_CONFIG_FAULTS,
	METRIC_COUNTER_COUNT,
};

enum metric_gauge {
	METRIC_EXCHANGES_LOADING, /* recalld_exchanges{state="loading"} ... */
	METRIC_EXCHANGES_WAITING, /* for the upstream's first byte */
	METRIC_EXCHANGES_RELAYING,
	METRIC_EXCHANGES_COMMITTING,
	METRIC_LEARNER_CALLS,
	METRIC_LEARNER_QUEUE,
	METRIC_GAUGE_COUNT,
};

enum metric_histogram {
	METRIC_MEMORY_SECONDS,     /* recalld_memory_seconds: scan, load, context and splice of one
				      request */
	METRIC_FIRST_BYTE_SECONDS, /* from request to the reply's first byte */
	METRIC_EXCHANGE_SECONDS,
	METRIC_COMMIT_SECONDS, /* from handing an exchange to the store to its being on disk */
	METRIC_HISTOGRAM_COUNT,
};

void metrics_count(enum metric_counter counter, uint64_t amount);
uint64_t metrics_counter(enum metric_counter counter);
void metrics_move(enum metric_gauge gauge, int64_t amount);
void metrics_observe(enum metric_histogram histogram, uint64_t microseconds);

/* Appends all of them with # HELP and # TYPE lines, and what is known of the process: its version
 * and when it began. */
void metrics_print(struct buffer *out);

#endif
