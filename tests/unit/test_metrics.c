#include "tests/unit/unit.h"

#include "proxy/runtime/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints the metrics; the text ends with the test's process. */
static const char *print(void)
{
	struct buffer out;
	buffer_init(&out, 1024 * 1024);
	metrics_print(&out);
	ck_assert(buffer_append_byte(&out, '\0'));
	return out.data;
}

static void assert_line(const char *text, const char *line)
{
	char whole[256];
	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	ck_assert_msg(strstr(text, whole) != NULL, "\"%s\" is not in:\n%s", line, text);
}

START_TEST(counters_and_gauges_are_printed_with_their_labels)
{
	metrics_count(METRIC_REQUESTS_OTHER, 2);
	metrics_count(METRIC_REQUESTS_OTHER, 3);
	metrics_count(METRIC_TOKENS_INJECTED, 1500);
	metrics_move(METRIC_EXCHANGES_RELAYING, 4);
	metrics_move(METRIC_EXCHANGES_RELAYING, -5);
	ck_assert_uint_eq(metrics_counter(METRIC_REQUESTS_OTHER), 5);
	const char *text = print();
	assert_line(text, "recalld_requests_total{memory=\"none\"} 5");
	assert_line(text, "recalld_requests_total{memory=\"injected\"} 0");
	assert_line(text, "recalld_injected_tokens_total 1500");
	assert_line(text, "recalld_exchanges{state=\"relaying\"} -1");
	assert_line(text, "# TYPE recalld_exchanges gauge");
	free((void *)text);
}
END_TEST

START_TEST(answers_of_the_upstream_are_counted_by_dialect_and_class)
{
	metrics_count_answer("chat", 200);
	metrics_count_answer("chat", 204);
	metrics_count_answer("messages", 429);
	metrics_count_answer("responses", 401);
	metrics_count_answer("ollama", 500);
	metrics_count_answer("ollama", 529);
	metrics_count_answer("none", 302);
	const char *text = print();
	assert_line(text, "recalld_upstream_responses_total{dialect=\"chat\",status=\"2xx\"} 2");
	assert_line(text,
		    "recalld_upstream_responses_total{dialect=\"messages\",status=\"429\"} 1");
	assert_line(text,
		    "recalld_upstream_responses_total{dialect=\"messages\",status=\"4xx\"} 0");
	assert_line(text,
		    "recalld_upstream_responses_total{dialect=\"responses\",status=\"4xx\"} 1");
	assert_line(text, "recalld_upstream_responses_total{dialect=\"ollama\",status=\"5xx\"} 2");
	assert_line(text, "recalld_upstream_responses_total{dialect=\"none\",status=\"3xx\"} 1");
	ck_assert_uint_eq(metrics_answers(0), 2);
	ck_assert_uint_eq(metrics_answers(METRIC_ANSWER_CLASSES - 1), 2);
	free((void *)text);
}
END_TEST

START_TEST(histograms_are_cumulative)
{
	metrics_observe(METRIC_MEMORY_SECONDS, 0);
	metrics_observe(METRIC_MEMORY_SECONDS, 50);
	metrics_observe(METRIC_MEMORY_SECONDS, 51);
	metrics_observe(METRIC_MEMORY_SECONDS, 1500000);
	metrics_observe(METRIC_MEMORY_SECONDS, UINT64_C(600000001));
	const char *text = print();
	assert_line(text, "# TYPE recalld_memory_seconds histogram");
	assert_line(text, "recalld_memory_seconds_bucket{le=\"0.00005\"} 2");
	assert_line(text, "recalld_memory_seconds_bucket{le=\"0.0001\"} 3");
	assert_line(text, "recalld_memory_seconds_bucket{le=\"1\"} 3");
	assert_line(text, "recalld_memory_seconds_bucket{le=\"2.5\"} 4");
	assert_line(text, "recalld_memory_seconds_bucket{le=\"600\"} 4");
	assert_line(text, "recalld_memory_seconds_bucket{le=\"+Inf\"} 5");
	assert_line(text, "recalld_memory_seconds_sum 601.500102");
	assert_line(text, "recalld_memory_seconds_count 5");
	free((void *)text);
}
END_TEST

START_TEST(each_family_has_one_head_and_each_sample_a_value)
{
	char *text = (char *)print();
	char seen[64 * 1024] = "\n";
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char name[128];
		char key[160];
		if (sscanf(line, "# TYPE %127s", name) == 1) {
			(void)snprintf(key, sizeof(key), "\n%s\n", name);
			ck_assert_msg(strstr(seen, key) == NULL, "%s twice", name);
			strncat(seen, key + 1, sizeof(seen) - strlen(seen) - 1);
		} else if (line[0] != '#') {
			ck_assert_msg(sscanf(line, "%127[a-z_]", name) == 1, "%s", line);
			ck_assert_msg(strncmp(name, "(null)", 6) != 0, "%s", line);
			ck_assert_ptr_nonnull(strchr(line, ' '));
		}
	}
	ck_assert_ptr_nonnull(strstr(seen, "\nrecalld_build_info\n"));
	ck_assert_ptr_nonnull(strstr(seen, "\nprocess_start_time_seconds\n"));
	free(text);
}
END_TEST

enum { THREADS = 4, ROUNDS = 20000 };

static void *count_much(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		metrics_count(METRIC_MODEL_CALLS, 1);
		metrics_observe(METRIC_COMMIT_SECONDS, 1);
	}
	return NULL;
}

START_TEST(nothing_is_lost_between_threads)
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_much, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(metrics_counter(METRIC_MODEL_CALLS), THREADS * ROUNDS);
	const char *text = print();
	assert_line(text, "recalld_commit_seconds_count 80000");
	assert_line(text, "recalld_commit_seconds_sum 0.08");
	free((void *)text);
}
END_TEST

UNIT_MAIN("metrics", counters_and_gauges_are_printed_with_their_labels,
	  answers_of_the_upstream_are_counted_by_dialect_and_class, histograms_are_cumulative,
	  each_family_has_one_head_and_each_sample_a_value, nothing_is_lost_between_threads)
