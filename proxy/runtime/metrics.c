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

#include "metric_tables.h"

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
