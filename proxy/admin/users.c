#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/learn/learner.h"
#include "proxy/learn/next_job.h"

#include <inttypes.h>

enum {
	ANSWER_LIMIT = 256 << 20,
	MAX_TURNS_SHOWN = 10000,
	MAX_JOBS_COUNTED = 100000,
};

/* ---- reading ---- */

struct reading {
	struct admin_call *call;
	struct admin_jobs jobs;
	struct user_memory memory;
};

static void put_time(struct buffer *out, const char *name, int64_t at, struct arena *arena)
{
	struct slice time = text_time(at, arena);
	buffer_printf(out, "\"%s\":\"%.*s\"", name, SLICE_PRINT(time));
}

static void put_text(struct buffer *out, const char *name, struct slice text)
{
	buffer_printf(out, "\"%s\":", name);
	json_quote(out, text);
}

static void put_summary(struct buffer *out, const struct user_memory *memory, struct arena *arena)
{
	buffer_append(out, SLICE(",\"summary\":"));
	if (!memory->has_summary) {
		buffer_append(out, SLICE("null"));
		return;
	}
	buffer_append_byte(out, '{');
	put_text(out, "text", memory->summary.text);
	buffer_append_byte(out, ',');
	put_time(out, "updated_at", memory->summary.updated_at, arena);
	buffer_append_byte(out, '}');
}

static void put_fact(struct buffer *out, const struct fact *fact, struct arena *arena)
{
	buffer_printf(out, "{\"id\":\"%" PRIu64 "\",", fact->id);
	put_text(out, "entity", fact->entity);
	buffer_append_byte(out, ',');
	put_text(out, "kind", fact->kind);
	buffer_append_byte(out, ',');
	put_text(out, "key", fact->key);
	buffer_append_byte(out, ',');
	put_text(out, "value", fact->value);
	buffer_printf(out, ",\"confidence\":%.3g,\"pii\":%s,", fact->confidence,
		      fact->pii ? "true" : "false");
	put_time(out, "observed_at", fact->observed_at, arena);
	if (fact->expires_at != 0) {
		buffer_append_byte(out, ',');
		put_time(out, "valid_until", fact->expires_at, arena);
	}
	buffer_printf(out, ",\"source\":{\"exchange\":\"%" PRIu64 "\",", fact->exchange);
	put_text(out, "quote", fact->quote);
	buffer_append(out, SLICE("}}"));
}

static void put_turn(struct buffer *out, const struct turn *turn, struct arena *arena)
{
	buffer_printf(out, "{\"role\":\"%s\",", role_name(turn->role));
	put_text(out, "content", turn->text);
	buffer_append_byte(out, ',');
	put_time(out, "created_at", turn->created_at, arena);
	buffer_append(out, SLICE(",\"session\":"));
	if (turn->session.size == 0)
		buffer_append(out, SLICE("null"));
	else
		json_quote(out, turn->session);
	buffer_printf(out, ",\"complete\":%s}", turn->complete ? "true" : "false");
}

static void put_memory(struct buffer *out, const struct reading *reading)
{
	const struct user_memory *memory = &reading->memory;
	struct arena *arena = &reading->call->arena;
	buffer_append_byte(out, '{');
	put_text(out, "user", memory->user);
	buffer_printf(out, ",\"pending\":%zu,\"parked\":%zu,\"deferred\":%zu",
		      reading->jobs.pending, reading->jobs.parked, reading->jobs.deferred);
	put_summary(out, memory, arena);
	buffer_append(out, SLICE(",\"facts\":["));
	for (size_t i = 0; i < memory->fact_count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_fact(out, &memory->facts[i], arena);
	}
	buffer_append(out, SLICE("],\"messages\":["));
	for (size_t i = 0; i < memory->turn_count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_turn(out, &memory->turns[i], arena);
	}
	buffer_append(out, SLICE("]}"));
}

struct admin_jobs admin_count_jobs(struct admin_call *call, struct user_key user)
{
	struct admin_jobs jobs = {0};
	struct arena scratch = {0};
	struct job_list list;
	enum store_result result =
		store_user_jobs(call->service->store, user, 0, MAX_JOBS_COUNTED, &list, &scratch);
	for (size_t i = 0; result == STORE_OK && i < list.count; i++) {
		const struct job *job = &list.jobs[i];
		jobs.all++;
		if (job->parked)
			jobs.parked++;
		else if (learner_wants(call->config, &list, job, clock_wall()))
			jobs.pending++;
		else if (job->kind == JOB_FACTS)
			jobs.deferred++;
	}
	arena_finish(&scratch);
	return jobs;
}

static void get_memory(struct admin_call *call)
{
	struct reading reading = {.call = call};
	/* Jobs first: anything learned meanwhile then counts as pending, never as lost. */
	reading.jobs = admin_count_jobs(call, call->user);
	enum store_result result =
		store_read_user(call->service->store, call->user, MAX_TURNS_SHOWN, clock_wall(),
				&reading.memory, &call->arena);
	if (result != STORE_OK) {
		admin_reply_failure(call, result);
		return;
	}
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	put_memory(&out, &reading);
	admin_reply_json(call, 200, &out);
}

/* ---- forgetting ---- */

static void on_forgotten(void *cookie, enum store_result result)
{
	struct admin_call *call = cookie;
	if (result == STORE_OK || result == STORE_NOT_FOUND)
		admin_reply(call, 204, NULL, (struct slice){0});
	else
		admin_reply_failure(call, result);
}

static void delete_user(struct admin_call *call)
{
	learner_forget(call->service->learner, call->user);
	store_forget(call->service->store, call->user, loop_for_store(call->loop), on_forgotten,
		     call);
}

const struct admin_endpoint admin_user_endpoints[] = {
	{"GET", "/v1/users/{}/memory", false, get_memory},
	{"DELETE", "/v1/users/{}", false, delete_user},
	{NULL, NULL, false, NULL},
};
