#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/admin/scrub.h"
#include "proxy/runtime/metrics.h"
#include "proxy/runtime/version.h"

#include <inttypes.h>
#include <sys/stat.h>

enum { ANSWER_LIMIT = 1 << 20, SECOND_MS = 1000 };

/* What is wrong with the store; NULL: nothing. Chats continue either way. */
static const char *store_fault(const struct store *store)
{
	if (store_is_broken(store))
		return "the store's file is damaged: chats continue with the memory that can still "
		       "be read; see \"When the disk fails\" in recalld(8)";
	if (store_is_stuck(store))
		return "the store has stopped because its disk refused a write: chats continue "
		       "without memory; repair the disk, then restart recalld";
	if (!store_has_room(store))
		return "the store has no room: chats continue without memory; raise [storage] "
		       "map_size, free disk space, or forget users";
	return NULL;
}

void admin_get_health(struct admin_call *call)
{
	admin_reply(call, 200, "text/plain; charset=utf-8", SLICE("ok\n"));
}

void admin_get_readiness(struct admin_call *call)
{
	const char *fault = store_fault(call->service->store);
	struct slice body = SLICE("ready\n");
	bool draining = atomic_load(&call->service->draining);
	if (draining)
		body = SLICE("draining: the daemon is about to stop\n");
	else if (fault != NULL)
		body = arena_printf(&call->arena, "ready, but %s\n", fault);
	admin_reply(call, draining ? 503 : 200, "text/plain; charset=utf-8", body);
}

static void print_store_metrics(struct store *store, struct buffer *out)
{
	struct store_statistics statistics;
	store_statistics(store, &statistics);
	const struct {
		const char *name, *help;
		uint64_t value;
	} gauges[] = {
		{"recalld_store_users", "Users with stored memory.", statistics.users},
		{"recalld_store_turns", "Turns kept.", statistics.turns},
		{"recalld_store_facts", "Facts kept, ended ones included.", statistics.facts},
		{"recalld_store_jobs",
		 "Learner jobs stored, also those that wait for another mode or for consent.",
		 statistics.jobs},
		{"recalld_store_jobs_parked", "Jobs given up until they are unparked.",
		 statistics.parked},
		{"recalld_store_receipts", "Receipts kept.", statistics.receipts},
		{"recalld_store_bytes_used", "Bytes of the map in use.", statistics.bytes_used},
		{"recalld_store_bytes_mapped", "Size of the map.", statistics.bytes_mapped},
		{"recalld_store_room", "1 while writes have room.", store_has_room(store)},
		{"recalld_store_fault",
		 "1 while the file is damaged or needs a restart to accept writes.",
		 store_is_broken(store) || store_is_stuck(store)},
	};
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %" PRIu64 "\n",
			      gauges[i].name, gauges[i].help, gauges[i].name, gauges[i].name,
			      gauges[i].value);
	buffer_printf(
		out,
		"# HELP recalld_store_commits_total Transactions committed.\n"
		"# TYPE recalld_store_commits_total counter\n"
		"recalld_store_commits_total %" PRIu64
		"\n# HELP recalld_store_writes_total Writes in those transactions.\n# TYPE "
		"recalld_store_writes_total counter\nrecalld_store_writes_total %" PRIu64
		"\n# HELP recalld_store_unreadable_total Unreadable records skipped.\n# TYPE "
		"recalld_store_unreadable_total counter\nrecalld_store_unreadable_total %" PRIu64
		"\n",
		statistics.commits, statistics.writes, statistics.unreadable);
}

static bool is_key_overdue(const struct admin_call *call)
{
	const int64_t made = store_key_made(call->service->store);
	const uint64_t rotate = call->config->storage.rotate;
	return made != 0 && rotate != 0 && clock_wall() - made >= (int64_t)rotate;
}

static void print_key_metrics(const struct admin_call *call, struct buffer *out)
{
	const int64_t made = store_key_made(call->service->store);
	if (made == 0)
		return;
	buffer_printf(
		out,
		"# HELP recalld_store_key_age_seconds Time since the store got its master "
		"key.\n# TYPE recalld_store_key_age_seconds gauge\nrecalld_store_key_age_seconds "
		"%" PRId64 "\n# HELP recalld_store_key_overdue 1 while the master key is older "
		"than [storage] rotate.\n# TYPE recalld_store_key_overdue "
		"gauge\nrecalld_store_key_overdue %d\n",
		(clock_wall() - made) / SECOND_MS, is_key_overdue(call));
}

static void print_load(const struct service *service, struct buffer *out)
{
	buffer_printf(
		out,
		"# HELP recalld_exchanges_open Exchanges in progress.\n# TYPE "
		"recalld_exchanges_open gauge\nrecalld_exchanges_open %zu\n# HELP "
		"recalld_connections Open client connections.\n# TYPE recalld_connections "
		"gauge\nrecalld_connections %zu\n# HELP recalld_in_flight_bytes Bytes of "
		"requests and unsent replies held.\n# TYPE recalld_in_flight_bytes "
		"gauge\nrecalld_in_flight_bytes %zu\n# HELP recalld_admin_in_flight_bytes "
		"The same at the admin address.\n# TYPE recalld_admin_in_flight_bytes "
		"gauge\nrecalld_admin_in_flight_bytes %zu\n# HELP recalld_held_bytes Bytes of "
		"replies' ends that wait for the disk.\n# TYPE recalld_held_bytes "
		"gauge\nrecalld_held_bytes %zu\n",
		atomic_load(&service->exchanges), atomic_load(&service->connections),
		atomic_load(&service->in_flight), atomic_load(&service->admin_in_flight),
		atomic_load(&service->held));
}

void admin_get_metrics(struct admin_call *call)
{
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	metrics_print(&out);
	print_load(call->service, &out);
	print_store_metrics(call->service->store, &out);
	scrub_put_metrics(call, &out);
	print_key_metrics(call, &out);
	admin_reply(call, 200, "text/plain; version=0.0.4; charset=utf-8", buffer_slice(&out));
	buffer_finish(&out);
}

/* Where the key for learning comes from. */
static const char *key_source(const struct config *config)
{
	if (config->model.api_key[0] != '\0')
		return "model";
	return config->upstream.api_key[0] != '\0' ? "upstream" : "client";
}

static void print_retention(const struct config *config, struct buffer *out)
{
	static const char *const policies[] = {
		[PII_KEEP] = "keep", [PII_REDACT] = "redact", [PII_DROP] = "drop"};
	buffer_printf(out,
		      ",\"retention\":{\"messages_ms\":%" PRIu64 ",\"facts_ms\":%" PRIu64
		      ",\"pii\":\"%s\"}",
		      config->memory.retention.messages, config->memory.retention.facts,
		      policies[config->memory.retention.pii]);
}

struct counted {
	const char *name;
	enum metric_counter counter;
};

static void print_counted(struct buffer *out, const char *title, const struct counted *counted,
			  size_t count)
{
	buffer_printf(out, ",\"%s\":{", title);
	for (size_t i = 0; i < count; i++)
		buffer_printf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", counted[i].name,
			      metrics_counter(counted[i].counter));
	buffer_append_byte(out, '}');
}

/* What happened since the start, for a look without Prometheus. */
static void print_work(struct buffer *out)
{
	static const struct counted requests[] = {
		{"injected", METRIC_REQUESTS_INJECTED}, {"empty", METRIC_REQUESTS_EMPTY},
		{"off", METRIC_REQUESTS_OFF},           {"anonymous", METRIC_REQUESTS_ANONYMOUS},
		{"side", METRIC_REQUESTS_SIDE},         {"bypassed", METRIC_REQUESTS_BYPASSED},
	};
	static const struct counted causes[] = {
		{"body", METRIC_BYPASS_BODY},       {"store", METRIC_BYPASS_STORE},
		{"full", METRIC_BYPASS_FULL},       {"behind", METRIC_BYPASS_BEHIND},
		{"refused", METRIC_BYPASS_REFUSED}, {"commit", METRIC_BYPASS_COMMIT},
	};
	static const struct counted model[] = {
		{"calls", METRIC_MODEL_CALLS},
		{"empty", METRIC_MODEL_EMPTY},
		{"missed", METRIC_MODEL_MISSED},
		{"unusable", METRIC_MODEL_UNUSABLE},
		{"refused", METRIC_MODEL_REFUSED},
		{"late", METRIC_MODEL_LATE},
		{"unreachable", METRIC_MODEL_UNREACHABLE},
		{"lessons", METRIC_LEARNED_FACTS},
		{"facts_stored", METRIC_FACTS_STORED},
		{"facts_rejected", METRIC_FACTS_REJECTED},
		{"summaries", METRIC_LEARNED_SUMMARIES},
		{"summaries_refused", METRIC_SUMMARIES_REFUSED},
	};
	static const struct counted tokens[] = {
		{"learning", METRIC_MODEL_TOKENS},
		{"injected", METRIC_TOKENS_INJECTED},
		{"trimmed", METRIC_TOKENS_TRIMMED},
	};
	buffer_append(out, SLICE(",\"upstream_answers\":{"));
	for (size_t i = 0; i < METRIC_ANSWER_CLASSES; i++)
		buffer_printf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", metric_answer_classes[i],
			      metrics_answers(i));
	buffer_append_byte(out, '}');
	print_counted(out, "requests", requests, sizeof(requests) / sizeof(requests[0]));
	print_counted(out, "bypassed", causes, sizeof(causes) / sizeof(causes[0]));
	print_counted(out, "memory_model", model, sizeof(model) / sizeof(model[0]));
	print_counted(out, "tokens", tokens, sizeof(tokens) / sizeof(tokens[0]));
}

/* null: the store is not encrypted. */
static void print_key(struct admin_call *call, struct buffer *out)
{
	const int64_t made = store_key_made(call->service->store);
	buffer_append(out, SLICE(",\"store_key\":"));
	if (made == 0)
		buffer_append(out, SLICE("null"));
	else
		buffer_printf(out,
			      "{\"since\":\"%.*s\",\"overdue\":%s,\"missing_keys\":%" PRIu64 "}",
			      SLICE_PRINT(text_time(made, &call->arena)),
			      is_key_overdue(call) ? "true" : "false",
			      store_lost(call->service->store).users);
}

/* 0: unknown. */
static uint64_t file_size(struct admin_call *call)
{
	const char *path =
		arena_printf(&call->arena, "%s/data.mdb", call->service->bound->storage.path).data;
	struct stat status;
	return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* What failed last; "": nothing since. */
static void print_troubles(struct service *service, struct buffer *out, struct arena *arena)
{
	json_put_text(out, "upstream_trouble", last_failure_read(&service->upstream, arena));
	json_put_text(out, "learning_trouble", last_failure_read(&service->learning, arena));
	json_put_text(out, "embedding_trouble", last_failure_read(&service->embedding, arena));
	json_put_text(out, "configuration_trouble", last_failure_read(&service->reload, arena));
}

void admin_get_status(struct admin_call *call)
{
	const struct config *config = call->config;
	const char *reason = atomic_load(&call->service->draining)
				     ? "draining: the daemon is about to stop"
				     : store_fault(call->service->store);
	struct store_statistics statistics;
	store_statistics(call->service->store, &statistics);
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	buffer_printf(&out, "{\"version\":\"%s\",\"commit\":\"%s\",\"ready\":%s,\"reason\":",
		      RECALLD_VERSION, version_commit, reason == NULL ? "true" : "false");
	json_quote(&out, reason == NULL ? SLICE("") : slice_of(reason));
	buffer_printf(&out, ",\"mode\":\"%s\",\"inject\":%s,\"learn\":%s,\"learning_key\":\"%s\"",
		      mode_name((enum mode)config->memory.mode),
		      config->memory.inject ? "true" : "false",
		      config->memory.learn ? "true" : "false", key_source(config));
	json_put_text(&out, "upstream", slice_of(config->upstream.base_url));
	json_put_text(&out, "embedding", slice_of(config->model.embedding));
	print_troubles(call->service, &out, &call->arena);
	print_retention(config, &out);
	buffer_append(&out, SLICE(",\"scrub\":"));
	scrub_put_state(call, &out);
	print_key(call, &out);
	print_work(&out);
	buffer_printf(&out,
		      ",\"users\":%" PRIu64 ",\"turns\":%" PRIu64 ",\"facts\":%" PRIu64
		      ",\"jobs\":%" PRIu64 ",\"parked\":%" PRIu64 ",\"bytes_used\":%" PRIu64
		      ",\"bytes_mapped\":%" PRIu64 ",\"file_bytes\":%" PRIu64
		      ",\"disk_free\":%" PRIu64 ",\"store_writable\":%s}",
		      statistics.users, statistics.turns, statistics.facts, statistics.jobs,
		      statistics.parked, statistics.bytes_used, statistics.bytes_mapped,
		      file_size(call), statistics.disk_free,
		      store_has_room(call->service->store) ? "true" : "false");
	admin_reply_json(call, 200, &out);
}
