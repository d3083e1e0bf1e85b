/* The daemon itself: health, metrics, status, scrubs and the audit log. */
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/background/scrubber.h"
#include "proxy/runtime/metrics.h"
#include "proxy/runtime/version.h"
#include "storage/audit.h"

#include <inttypes.h>
#include <sys/stat.h>

enum { SECOND_MS = 1000, USUAL_LIMIT = 100, MAX_LIMIT = 1000, LAST_SEQUENCE_BITS = 62 };

/* The fault of the store; NULL: none. Chats continue either way. */
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
	buffer_append(&call->out, SLICE("ok\n"));
	admin_reply_text(call, 200, "text/plain; charset=utf-8");
}

void admin_get_readiness(struct admin_call *call)
{
	const char *fault = store_fault(call->service->store);
	bool draining = atomic_load(&call->service->draining);
	if (draining)
		buffer_append(&call->out, SLICE("draining: the daemon is about to stop\n"));
	else if (fault != NULL)
		buffer_printf(&call->out, "ready, but %s\n", fault);
	else
		buffer_append(&call->out, SLICE("ready\n"));
	admin_reply_text(call, draining ? 503 : 200, "text/plain; charset=utf-8");
}

static bool is_key_overdue(const struct admin_call *call)
{
	const int64_t made = store_key_made(call->service->store);
	const uint64_t rotate = call->config->storage.rotate;
	return made != 0 && rotate != 0 && clock_wall() - made >= (int64_t)rotate;
}

struct number {
	const char *name; /* counters end in _total */
	const char *help;
	int64_t value;
};

static void print_numbers(struct buffer *out, const struct number *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *name = numbers[i].name;
		const bool counts = slice_ends_with(slice_of(name), SLICE("_total"));
		buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name,
			      numbers[i].help, name, counts ? "counter" : "gauge", name,
			      numbers[i].value);
	}
}

static void print_load(const struct service *service, struct buffer *out)
{
	const struct number numbers[] = {
		{"recalld_exchanges_open", "Exchanges in progress.",
		 (int64_t)atomic_load(&service->exchanges)},
		{"recalld_connections", "Open client connections.",
		 (int64_t)atomic_load(&service->connections)},
		{"recalld_in_flight_bytes", "Bytes of requests and unsent replies held.",
		 (int64_t)atomic_load(&service->in_flight)},
		{"recalld_admin_in_flight_bytes", "The same at the admin address.",
		 (int64_t)atomic_load(&service->admin_in_flight)},
		{"recalld_held_bytes", "Bytes of replies' ends that wait for the disk.",
		 (int64_t)atomic_load(&service->held)},
	};
	print_numbers(out, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static void print_store(struct store *store, struct buffer *out)
{
	struct store_statistics statistics;
	store_statistics(store, &statistics);
	const struct number numbers[] = {
		{"recalld_store_users", "Users with stored memory.", (int64_t)statistics.users},
		{"recalld_store_turns", "Turns kept.", (int64_t)statistics.turns},
		{"recalld_store_facts", "Facts kept, ended ones included.",
		 (int64_t)statistics.facts},
		{"recalld_store_jobs",
		 "Learner jobs stored, also those that wait for another mode or for consent.",
		 (int64_t)statistics.jobs},
		{"recalld_store_jobs_parked", "Jobs given up until they are unparked.",
		 (int64_t)statistics.parked},
		{"recalld_store_receipts", "Receipts kept.", (int64_t)statistics.receipts},
		{"recalld_store_bytes_used", "Bytes of the map in use.",
		 (int64_t)statistics.bytes_used},
		{"recalld_store_bytes_mapped", "Size of the map.",
		 (int64_t)statistics.bytes_mapped},
		{"recalld_store_room", "1 while writes have room.", store_has_room(store)},
		{"recalld_store_fault",
		 "1 while the file is damaged or needs a restart to accept writes.",
		 store_is_broken(store) || store_is_stuck(store)},
		{"recalld_store_commits_total", "Transactions committed.",
		 (int64_t)statistics.commits},
		{"recalld_store_writes_total", "Writes in those transactions.",
		 (int64_t)statistics.writes},
		{"recalld_store_unreadable_total", "Unreadable records skipped.",
		 (int64_t)statistics.unreadable},
	};
	print_numbers(out, numbers, sizeof(numbers) / sizeof(numbers[0]));
}

/* An encrypted store has a key. */
static void print_scrub_and_key(const struct admin_call *call, struct buffer *out)
{
	struct scrubber_state state;
	scrubber_look(call->service->scrubber, &state);
	const int64_t made = store_key_made(call->service->store);
	const struct number numbers[] = {
		{"recalld_store_scrub_pending", "1 while the store's file may hold erased texts.",
		 state.pending},
		{"recalld_store_scrubbed_seconds",
		 "When the last scrub began, in seconds since 1970; 0: never.",
		 state.last / SECOND_MS},
		{"recalld_store_key_age_seconds", "Time since the store got its master key.",
		 (clock_wall() - made) / SECOND_MS},
		{"recalld_store_key_overdue",
		 "1 while the master key is older than [storage] rotate.", is_key_overdue(call)},
	};
	print_numbers(out, numbers, made != 0 ? 4 : 2);
}

void admin_get_metrics(struct admin_call *call)
{
	metrics_print(&call->out);
	print_load(call->service, &call->out);
	print_store(call->service->store, &call->out);
	print_scrub_and_key(call, &call->out);
	admin_reply_text(call, 200, "text/plain; version=0.0.4; charset=utf-8");
}

/* ---- scrubs ---- */

static void put_schedule(struct buffer *out, uint64_t schedule)
{
	static const char *const words[] = {[CONFIG_SCRUB_OFF] = "off",
					    [CONFIG_SCRUB_START] = "start",
					    [CONFIG_SCRUB_AFTER_DELETE] = "after_delete"};
	if (schedule < CONFIG_SCRUB_WORDS)
		buffer_printf(out, "\"%s\"", words[schedule]);
	else
		buffer_printf(out, "\"%" PRIu64 "s\"", schedule / SECOND_MS);
}

static void put_scrub(struct admin_call *call, struct buffer *out)
{
	struct scrubber_state state;
	scrubber_look(call->service->scrubber, &state);
	buffer_append(out, SLICE("{\"schedule\":"));
	put_schedule(out, call->config->storage.scrub);
	buffer_printf(out, ",\"running\":%s,\"share\":%.2f,\"pending\":%s",
		      state.running ? "true" : "false", state.share,
		      state.pending ? "true" : "false");
	admin_put_time(out, "last_at", state.last, &call->arena);
	admin_put_time(out, "due_at", state.due, &call->arena);
	json_put_text(out, "error", slice_of(state.error));
	buffer_append_byte(out, '}');
}

void admin_get_scrub(struct admin_call *call)
{
	put_scrub(call, &call->out);
	admin_reply_json(call, 200);
}

void admin_post_scrub(struct admin_call *call)
{
	scrubber_ask(call->service->scrubber);
	put_scrub(call, &call->out);
	admin_reply_json(call, 202);
}

/* ---- the status ---- */

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

/* Counts since the start, for a look without Prometheus. */
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

/* The last failure; "": none since. */
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
	struct buffer *out = &call->out;
	buffer_printf(out, "{\"version\":\"%s\",\"commit\":\"%s\",\"ready\":%s,\"reason\":",
		      RECALLD_VERSION, version_commit, reason == NULL ? "true" : "false");
	json_quote(out, reason == NULL ? SLICE("") : slice_of(reason));
	buffer_printf(out, ",\"mode\":\"%s\",\"inject\":%s,\"learn\":%s,\"learning_key\":\"%s\"",
		      mode_name((enum mode)config->memory.mode),
		      config->memory.inject ? "true" : "false",
		      config->memory.learn ? "true" : "false", key_source(config));
	json_put_text(out, "upstream", slice_of(config->upstream.base_url));
	json_put_text(out, "embedding", slice_of(config->model.embedding));
	print_troubles(call->service, out, &call->arena);
	print_retention(config, out);
	buffer_append(out, SLICE(",\"scrub\":"));
	put_scrub(call, out);
	print_key(call, out);
	print_work(out);
	buffer_printf(out,
		      ",\"users\":%" PRIu64 ",\"turns\":%" PRIu64 ",\"facts\":%" PRIu64
		      ",\"jobs\":%" PRIu64 ",\"parked\":%" PRIu64 ",\"bytes_used\":%" PRIu64
		      ",\"bytes_mapped\":%" PRIu64 ",\"file_bytes\":%" PRIu64
		      ",\"disk_free\":%" PRIu64 ",\"store_writable\":%s}",
		      statistics.users, statistics.turns, statistics.facts, statistics.jobs,
		      statistics.parked, statistics.bytes_used, statistics.bytes_mapped,
		      file_size(call), statistics.disk_free,
		      store_has_room(call->service->store) ? "true" : "false");
	admin_reply_json(call, 200);
}

/* ---- the audit log ---- */

static void put_log(struct buffer *out, const struct audit_page *page, bool as_texts)
{
	const struct audit_ends *ends = &page->ends;
	buffer_printf(out, "{\"first\":%" PRIu64 ",\"last\":%" PRIu64, ends->first, ends->last);
	buffer_printf(out, ",\"before\":\"%s\",\"head\":\"%s\"", ends->before, ends->head);
	buffer_append(out, SLICE(",\"entries\":["));
	for (size_t i = 0; i < page->count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		if (as_texts)
			json_quote(out, page->lines[i]);
		else
			buffer_append(out, page->lines[i]);
	}
	if (page->more)
		buffer_printf(out, "],\"next\":\"%" PRIu64 "\"", page->last);
	else
		buffer_append(out, SLICE("],\"next\":null"));
}

void admin_get_audit(struct admin_call *call)
{
	struct audit_query query = {.since = INT64_MIN, .until = INT64_MAX, .limit = USUAL_LIMIT};
	struct audit_page page;
	struct slice user;
	uint64_t limit = USUAL_LIMIT;
	bool as_texts = false;
	if (!admin_query(call, "user", &user) || !admin_query(call, "action", &query.action) ||
	    !admin_query_time(call, "since", &query.since) ||
	    !admin_query_time(call, "until", &query.until) ||
	    !admin_query_switch(call, "lines", &as_texts) ||
	    !admin_query_number(call, "after", UINT64_C(1) << LAST_SEQUENCE_BITS, &query.after) ||
	    !admin_query_number(call, "limit", MAX_LIMIT, &limit))
		return;
	query.limit = limit;
	query.has_user = user.size > 0;
	if (query.has_user)
		query.user = store_user_key(call->tenant, user);
	enum store_result result =
		store_read_audit(call->service->store, &query, &page, &call->arena);
	if (admin_has_failed(call, result))
		return;
	put_log(&call->out, &page, as_texts);
	buffer_printf(&call->out, ",\"dropped\":%" PRIu64 "}",
		      store_audit_dropped(call->service->store));
	admin_reply_json(call, 200);
}
