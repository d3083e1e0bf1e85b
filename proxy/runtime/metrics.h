/* Counters, gauges and histograms: any thread writes them without a lock; metrics_print() prints
 * Prometheus text format (0.0.4). metrics.txt names them all. Labels come only
 * from there: never a user, a client's model name or a path. */
#ifndef RECALLD_PROXY_RUNTIME_METRICS_H
#define RECALLD_PROXY_RUNTIME_METRICS_H

#include "core/base/bytes.h"
#include "metric_names.h"

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
