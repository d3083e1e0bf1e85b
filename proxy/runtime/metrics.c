/* Counters, gauges and histograms: relaxed atomics, since each is read independently. */
#include "proxy/runtime/metrics.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

struct sample {
	const char *family; /* NULL: same family as the previous sample */
	const char *help;
	const char *label; /* with its braces; NULL: none */
};

#define FAMILY(family_, help_) .family = (family_), .help = (help_)
#define LABEL(name, value) .label = "{" name "=\"" value "\"}"

static const struct sample counters[METRIC_COUNTER_COUNT] = {
	[METRIC_REQUESTS_INJECTED] = {FAMILY("recalld_requests_total",
					     "Requests, by what happened to their memory"),
				      LABEL("memory", "injected")},
	[METRIC_REQUESTS_EMPTY] = {LABEL("memory", "empty")},
	[METRIC_REQUESTS_OFF] = {LABEL("memory", "off")},
	[METRIC_REQUESTS_ANONYMOUS] = {LABEL("memory", "anonymous")},
	[METRIC_REQUESTS_SIDE] = {LABEL("memory", "side")},
	[METRIC_REQUESTS_BYPASSED] = {LABEL("memory", "bypassed")},
	[METRIC_REQUESTS_OTHER] = {LABEL("memory", "none")},
	[METRIC_WITHOUT_RESPONSES] =
		{FAMILY("recalld_without_memory_total",
			"Requests that named a user at a path that has no memory, by path"),
		 LABEL("path", "/v1/responses")},
	[METRIC_WITHOUT_COMPLETIONS] = {LABEL("path", "/v1/completions")},
	[METRIC_WITHOUT_MESSAGES] = {LABEL("path", "/v1/messages")},
	[METRIC_WITHOUT_EMBEDDINGS] = {LABEL("path", "/v1/embeddings")},
	[METRIC_WITHOUT_MODELS] = {LABEL("path", "/v1/models")},
	[METRIC_WITHOUT_API_CHAT] = {LABEL("path", "/api/chat")},
	[METRIC_WITHOUT_API_GENERATE] = {LABEL("path", "/api/generate")},
	[METRIC_WITHOUT_OTHER] = {LABEL("path", "other")},
	[METRIC_BYPASS_BODY] = {FAMILY("recalld_bypassed_total",
				       "Requests that went on without memory, by cause"),
				LABEL("cause", "body")},
	[METRIC_BYPASS_STORE] = {LABEL("cause", "store")},
	[METRIC_BYPASS_FULL] = {LABEL("cause", "full")},
	[METRIC_BYPASS_BEHIND] = {LABEL("cause", "behind")},
	[METRIC_BYPASS_REFUSED] = {LABEL("cause", "refused")},
	[METRIC_BYPASS_COMMIT] = {LABEL("cause", "commit")},
	[METRIC_BYPASS_HELD] = {LABEL("cause", "held")},
	[METRIC_ERRORS_CLIENT] = {FAMILY("recalld_errors_total", "Errors answered by recalld"),
				  LABEL("kind", "client")},
	[METRIC_ERRORS_UPSTREAM] = {LABEL("kind", "upstream")},
	[METRIC_ERRORS_CONNECTIONS] = {LABEL("kind", "connections")},
	[METRIC_ERRORS_BYTES] = {LABEL("kind", "bytes")},
	[METRIC_ERRORS_TLS] = {LABEL("kind", "tls")},
	[METRIC_CLIENTS_GONE] = {FAMILY("recalld_clients_gone_total",
					"Clients that left before their reply's end")},
	[METRIC_TOKENS_INJECTED] = {FAMILY("recalld_injected_tokens_total",
					   "Memory tokens injected into requests, estimated")},
	[METRIC_TOKENS_TRIMMED] = {FAMILY("recalld_trimmed_tokens_total",
					  "History tokens trimmed from requests, estimated")},
	[METRIC_EXCHANGES_JOURNALLED] = {FAMILY("recalld_exchanges_journalled_total",
						"Exchanges written to the journal")},
	[METRIC_EXCHANGES_INCOMPLETE] = {FAMILY("recalld_exchanges_incomplete_total",
						"Exchanges whose reply broke off")},
	[METRIC_LEARNED_FACTS] = {FAMILY("recalld_learned_total",
					 "Completed learning jobs, by what was learned"),
				  LABEL("kind", "facts")},
	[METRIC_LEARNED_SUMMARIES] = {LABEL("kind", "summaries")},
	[METRIC_SUMMARIES_REFUSED] = {FAMILY(
		"recalld_summaries_refused_total",
		"Summaries of the memory model that did not replace the old one")},
	[METRIC_FACTS_STORED] = {FAMILY("recalld_facts_total",
					"Facts that the memory model named, by outcome"),
				 LABEL("outcome", "stored")},
	[METRIC_FACTS_REJECTED] = {LABEL("outcome", "rejected")},
	[METRIC_MODEL_EMPTY] = {FAMILY("recalld_model_answers_empty_total",
				       "Answers of the memory model without any fact")},
	[METRIC_MODEL_MISSED] = {FAMILY("recalld_model_answers_missed_total",
					"Such answers to users who told something of themselves")},
	[METRIC_MODEL_CALLS] = {FAMILY("recalld_model_calls_total", "Calls to the memory model")},
	[METRIC_MODEL_TOKENS] = {FAMILY("recalld_model_tokens_total",
					"Tokens of calls to the memory model, in and out")},
	[METRIC_MODEL_UNREACHABLE] = {FAMILY("recalld_model_failures_total",
					     "Failed calls to the memory model, by cause"),
				      LABEL("cause", "unreachable")},
	[METRIC_MODEL_REFUSED] = {LABEL("cause", "refused")},
	[METRIC_MODEL_LATE] = {LABEL("cause", "late")},
	[METRIC_MODEL_UNUSABLE] = {LABEL("cause", "unusable")},
	[METRIC_JOBS_PARKED] = {FAMILY("recalld_jobs_parked_total",
				       "Exchanges given up after too many unusable answers")},
	[METRIC_EMBEDDING_CALLS] = {FAMILY("recalld_embedding_calls_total",
					   "Calls to /embeddings for turns and questions")},
	[METRIC_EMBEDDING_REFUSED] = {FAMILY("recalld_embedding_failures_total",
					     "Failed calls to /embeddings, by cause"),
				      LABEL("cause", "refused")},
	[METRIC_EMBEDDING_UNUSABLE] = {LABEL("cause", "unusable")},
	[METRIC_EMBEDDING_UNREACHABLE] = {LABEL("cause", "unreachable")},
	[METRIC_EMBEDDING_LATE] = {LABEL("cause", "late")},
	[METRIC_TURNS_EMBEDDED] = {FAMILY("recalld_turns_embedded_total",
					  "Turns, by whether they have an embedding"),
				   LABEL("outcome", "stored")},
	[METRIC_TURNS_WITHOUT] = {LABEL("outcome", "none")},
	[METRIC_QUESTIONS_EMBEDDED] = {FAMILY("recalld_questions_embedded_total",
					      "Questions, by the outcome of their embedding"),
				       LABEL("outcome", "given")},
	[METRIC_QUESTIONS_FAILED] = {LABEL("outcome", "failed")},
	[METRIC_QUESTIONS_LATE] = {LABEL("outcome", "late")},
	[METRIC_QUESTIONS_SKIPPED] = {LABEL("outcome", "skipped")},
	[METRIC_EXPIRED_EXCHANGES] =
		{
			FAMILY("recalld_expired_total",
			       "Records that [retention] deleted, and facts that it redacted"),
			LABEL("kind", "exchanges")},
	[METRIC_EXPIRED_FACTS] = {LABEL("kind", "facts")},
	[METRIC_EXPIRED_OVER_LIMIT] = {LABEL("kind", "over_limit")},
	[METRIC_EXPIRED_FACTS_OVER] = {LABEL("kind", "facts_over_limit")},
	[METRIC_SCRUBS_DONE] = {FAMILY("recalld_scrubs_total",
				       "Scrubs of the store's file, by outcome"),
				LABEL("outcome", "done")},
	[METRIC_SCRUBS_FAILED] = {LABEL("outcome", "failed")},
	[METRIC_CONFIG_RELOADS] = {FAMILY("recalld_config_reloads_total",
					  "Configurations reloaded")},
	[METRIC_CONFIG_FAULTS] = {FAMILY("recalld_config_faults_total",
					 "Changed configurations rejected for faults")},
	[METRIC_TRACE_SENT] = {FAMILY("recalld_trace_spans_total",
				      "Spans of traced exchanges, by outcome"),
			       LABEL("outcome", "sent")},
	[METRIC_TRACE_DROPPED] = {LABEL("outcome", "dropped")},
	[METRIC_TRACE_FAILED] = {LABEL("outcome", "failed")},
};

static const struct sample gauges[METRIC_GAUGE_COUNT] = {
	[METRIC_EXCHANGES_LOADING] = {FAMILY("recalld_exchanges",
					     "Exchanges in progress, by what they wait for"),
				      LABEL("state", "loading")},
	[METRIC_EXCHANGES_WAITING] = {LABEL("state", "waiting")},
	[METRIC_EXCHANGES_RELAYING] = {LABEL("state", "relaying")},
	[METRIC_EXCHANGES_COMMITTING] = {LABEL("state", "committing")},
	[METRIC_LEARNER_CALLS] = {FAMILY("recalld_learner_calls",
					 "Calls to the memory model in progress")},
	[METRIC_LEARNER_QUEUE] = {FAMILY("recalld_learner_queue",
					 "Exchanges waiting to be learned from")},
};

static const struct sample histograms[METRIC_HISTOGRAM_COUNT] = {
	[METRIC_MEMORY_SECONDS] = {FAMILY("recalld_memory_seconds",
					  "Time that memory adds to a request")},
	[METRIC_FIRST_BYTE_SECONDS] = {FAMILY(
		"recalld_first_byte_seconds",
		"Time from a request to the first byte of its reply")},
	[METRIC_EXCHANGE_SECONDS] = {FAMILY("recalld_exchange_seconds",
					    "Time from a request to the end of its reply")},
	[METRIC_COMMIT_SECONDS] = {FAMILY(
		"recalld_commit_seconds",
		"Time from handing an exchange to the store until it is on disk")},
};

/* Upper bounds in microseconds: 50 us for memory's own work, 600 s for a slow model's reply. */
static const uint64_t bounds[] = {50,       100,       250,       500,      1000,     2500,
				  5000,     10000,     25000,     50000,    100000,   250000,
				  500000,   1000000,   2500000,   5000000,  10000000, 30000000,
				  60000000, 120000000, 300000000, 600000000};
enum { BOUND_COUNT = sizeof(bounds) / sizeof(bounds[0]) };

struct histogram {
	_Atomic uint64_t buckets[BOUND_COUNT + 1]; /* not cumulative; the last is unbounded */
	_Atomic uint64_t microseconds;
};

static _Atomic uint64_t counter_values[METRIC_COUNTER_COUNT];
static _Atomic int64_t gauge_values[METRIC_GAUGE_COUNT];
static struct histogram histogram_values[METRIC_HISTOGRAM_COUNT];
static time_t started_at;

/* Runs before main(), so that it is the process's real start and needs no call. */
__attribute__((constructor)) static void remember_start(void)
{
	started_at = time(NULL);
}

void metrics_count(enum metric_counter counter, uint64_t amount)
{
	atomic_fetch_add_explicit(&counter_values[counter], amount, memory_order_relaxed);
}

uint64_t metrics_counter(enum metric_counter counter)
{
	return atomic_load_explicit(&counter_values[counter], memory_order_relaxed);
}

/* ---- the upstream's answers ---- */

static const char *const answer_dialects[] = {"chat", "responses", "messages", "ollama", "none"};
enum { ANSWER_DIALECTS = sizeof(answer_dialects) / sizeof(answer_dialects[0]) };

const char *const metric_answer_classes[] = {"2xx", "3xx", "4xx", "429", "5xx"};
enum { CLASS_2XX, CLASS_3XX, CLASS_4XX, CLASS_429, CLASS_5XX };

static _Atomic uint64_t answers[ANSWER_DIALECTS][METRIC_ANSWER_CLASSES];

static size_t class_of(int status)
{
	if (status == 429)
		return CLASS_429;
	if (status >= 500)
		return CLASS_5XX;
	if (status >= 400)
		return CLASS_4XX;
	return status >= 300 ? CLASS_3XX : CLASS_2XX;
}

void metrics_count_answer(const char *dialect, int status)
{
	size_t i = 0;
	while (i + 1 < ANSWER_DIALECTS && strcmp(answer_dialects[i], dialect) != 0)
		i++;
	atomic_fetch_add_explicit(&answers[i][class_of(status)], 1, memory_order_relaxed);
}

uint64_t metrics_answers(size_t class)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < ANSWER_DIALECTS; i++)
		sum += atomic_load_explicit(&answers[i][class], memory_order_relaxed);
	return sum;
}

static void print_answers(struct buffer *out)
{
	static const char family[] = "recalld_upstream_responses_total";
	buffer_printf(out, "# HELP %s Answers of the upstream.\n# TYPE %s counter\n", family,
		      family);
	for (size_t i = 0; i < ANSWER_DIALECTS; i++) {
		for (size_t class = 0; class < METRIC_ANSWER_CLASSES; class ++)
			buffer_printf(out, "%s{dialect=\"%s\",status=\"%s\"} %llu\n", family,
				      answer_dialects[i], metric_answer_classes[class],
				      (unsigned long long)atomic_load_explicit(
					      &answers[i][class], memory_order_relaxed));
	}
}

/* ---- the others ---- */

void metrics_move(enum metric_gauge gauge, int64_t amount)
{
	atomic_fetch_add_explicit(&gauge_values[gauge], amount, memory_order_relaxed);
}

void metrics_observe(enum metric_histogram histogram, uint64_t microseconds)
{
	struct histogram *values = &histogram_values[histogram];
	size_t i = 0;
	while (i < BOUND_COUNT && microseconds > bounds[i])
		i++;
	atomic_fetch_add_explicit(&values->buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&values->microseconds, microseconds, memory_order_relaxed);
}

/* Prints the family's header where one begins. Returns the family. */
static const char *print_family(const struct sample *sample, const char *type, const char *family,
				struct buffer *out)
{
	if (sample->family == NULL)
		return family;
	buffer_printf(out, "# HELP %s %s.\n# TYPE %s %s\n", sample->family, sample->help,
		      sample->family, type);
	return sample->family;
}

static const char *label_of(const struct sample *sample)
{
	return sample->label == NULL ? "" : sample->label;
}

static void print_counters(struct buffer *out)
{
	const char *family = NULL;
	for (size_t i = 0; i < METRIC_COUNTER_COUNT; i++) {
		family = print_family(&counters[i], "counter", family, out);
		buffer_printf(out, "%s%s %llu\n", family, label_of(&counters[i]),
			      (unsigned long long)metrics_counter((enum metric_counter)i));
	}
}

static void print_gauges(struct buffer *out)
{
	const char *family = NULL;
	for (size_t i = 0; i < METRIC_GAUGE_COUNT; i++) {
		int64_t value = atomic_load_explicit(&gauge_values[i], memory_order_relaxed);
		family = print_family(&gauges[i], "gauge", family, out);
		buffer_printf(out, "%s%s %lld\n", family, label_of(&gauges[i]), (long long)value);
	}
}

/* Seconds without trailing zeros and independent of the locale. */
static void print_seconds(uint64_t microseconds, struct buffer *out)
{
	uint64_t decimals = microseconds % 1000000;
	int places = 6;
	buffer_printf(out, "%llu", (unsigned long long)(microseconds / 1000000));
	if (decimals == 0)
		return;
	for (; decimals % 10 == 0; decimals /= 10)
		places--;
	buffer_printf(out, ".%0*llu", places, (unsigned long long)decimals);
}

static void print_histogram(size_t index, struct buffer *out)
{
	const char *family = print_family(&histograms[index], "histogram", NULL, out);
	struct histogram *values = &histogram_values[index];
	uint64_t count = 0;
	for (size_t i = 0; i <= BOUND_COUNT; i++) {
		count += atomic_load_explicit(&values->buckets[i], memory_order_relaxed);
		buffer_printf(out, "%s_bucket{le=\"", family);
		if (i < BOUND_COUNT)
			print_seconds(bounds[i], out);
		else
			buffer_append(out, SLICE("+Inf"));
		buffer_printf(out, "\"} %llu\n", (unsigned long long)count);
	}
	buffer_printf(out, "%s_sum ", family);
	print_seconds(atomic_load_explicit(&values->microseconds, memory_order_relaxed), out);
	buffer_printf(out, "\n%s_count %llu\n", family, (unsigned long long)count);
}

void metrics_print(struct buffer *out)
{
	print_counters(out);
	print_answers(out);
	print_gauges(out);
	for (size_t i = 0; i < METRIC_HISTOGRAM_COUNT; i++)
		print_histogram(i, out);
	buffer_append(
		out,
		SLICE("# HELP recalld_build_info The running version.\n# TYPE recalld_build_info "
		      "gauge\nrecalld_build_info{version=\"" RECALLD_VERSION "\"} 1\n"));
	buffer_printf(
		out,
		"# HELP process_start_time_seconds Start time of the process, in seconds since "
		"1970.\n# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %lld\n",
		(long long)started_at);
}
