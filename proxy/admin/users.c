#include "core/json/json.h"
#include "core/pii/pii.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/background/learner.h"
#include "proxy/background/next_job.h"
#include "storage/rights.h"

#include <inttypes.h>
#include <stdlib.h>

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
	int pii;          /* see admin_query_pii() */
	unsigned classes; /* of which one is asked for */
	struct told *told;
	size_t told_count;
};

/* Classes that only a memory model can tell: of an exchange, what its facts have. */
struct told {
	uint64_t exchange;
	unsigned classes;
};

static void find_told(struct reading *reading)
{
	const struct user_memory *memory = &reading->memory;
	reading->told = arena_alloc(&reading->call->arena,
				    (memory->fact_count + 1) * sizeof(*reading->told));
	for (size_t i = 0; i < memory->fact_count; i++) {
		const struct fact *fact = &memory->facts[i];
		if (fact->exchange != 0 && (fact->classes & PII_OF_MODEL) != 0)
			reading->told[reading->told_count++] =
				(struct told){fact->exchange, fact->classes & PII_OF_MODEL};
	}
	if (reading->told_count > 1)
		qsort(reading->told, reading->told_count, sizeof(*reading->told), ids_compare);
}

static unsigned turn_classes(const struct reading *reading, const struct turn *turn)
{
	unsigned classes = pii_classes(turn->text);
	const struct told *told = reading->told;
	const size_t count = turn->role == ROLE_USER ? reading->told_count : 0;
	size_t at = ids_first_from(told, count, sizeof(*told), turn->exchange);
	for (; at < count && told[at].exchange == turn->exchange; at++)
		classes |= told[at].classes;
	return classes;
}

static bool filters(const struct reading *reading)
{
	return reading->pii >= 0 || reading->classes != 0;
}

static bool wants(const struct reading *reading, unsigned classes, bool is_pii)
{
	return (reading->classes == 0 || (reading->classes & classes) != 0) &&
	       (reading->pii < 0 || (reading->pii == 1) == (is_pii || classes != 0));
}

static void put_time(struct buffer *out, const char *name, int64_t at, struct arena *arena)
{
	struct slice time = text_time(at, arena);
	buffer_printf(out, ",\"%s\":\"%.*s\"", name, SLICE_PRINT(time));
}

static void put_summary(struct buffer *out, const struct user_memory *memory, struct arena *arena)
{
	buffer_append(out, SLICE(",\"summary\":"));
	if (!memory->has_summary) {
		buffer_append(out, SLICE("null"));
		return;
	}
	buffer_append(out, SLICE("{\"text\":"));
	json_quote(out, memory->summary.text);
	put_time(out, "updated_at", memory->summary.updated_at, arena);
	buffer_append_byte(out, '}');
}

static void put_turn(struct buffer *out, const struct turn *turn, struct arena *arena)
{
	buffer_printf(out,
		      "{\"id\":\"%" PRIu64 "\",\"conversation\":\"%" PRIu32 "\",\"role\":\"%s\"",
		      turn->id, turn->conversation, role_name(turn->role));
	json_put_text(out, "content", turn->text);
	put_time(out, "created_at", turn->created_at, arena);
	if (turn->session.size == 0)
		buffer_append(out, SLICE(",\"session\":null"));
	else
		json_put_text(out, "session", turn->session);
	json_put_flag(out, "complete", turn->complete);
}

static void put_facts(struct buffer *out, const struct reading *reading)
{
	const struct user_memory *memory = &reading->memory;
	bool is_first = true;
	for (size_t i = 0; i < memory->fact_count; i++) {
		const struct fact *fact = &memory->facts[i];
		if (filters(reading) && !wants(reading, fact_classes(fact), fact->pii))
			continue;
		buffer_append(out, is_first ? SLICE("") : SLICE(","));
		admin_put_fact(out, fact, &reading->call->arena);
		buffer_append_byte(out, '}');
		is_first = false;
	}
}

static void put_turns(struct buffer *out, const struct reading *reading)
{
	const struct user_memory *memory = &reading->memory;
	bool is_first = true;
	for (size_t i = 0; i < memory->turn_count; i++) {
		const struct turn *turn = &memory->turns[i];
		const unsigned classes = filters(reading) ? turn_classes(reading, turn) : 0;
		if (filters(reading) && !wants(reading, classes, false))
			continue;
		buffer_append(out, is_first ? SLICE("") : SLICE(","));
		put_turn(out, turn, &reading->call->arena);
		if (filters(reading)) {
			buffer_append(out, SLICE(",\"pii_classes\":"));
			pii_print(classes, out);
		}
		buffer_append_byte(out, '}');
		is_first = false;
	}
}

static void put_memory(struct buffer *out, const struct reading *reading)
{
	const struct user_memory *memory = &reading->memory;
	struct arena *arena = &reading->call->arena;
	buffer_append(out, SLICE("{\"user\":"));
	json_quote(out, memory->user);
	buffer_printf(out, ",\"pending\":%zu,\"parked\":%zu,\"deferred\":%zu",
		      reading->jobs.pending, reading->jobs.parked, reading->jobs.deferred);
	put_summary(out, memory, arena);
	buffer_append(out, SLICE(",\"facts\":["));
	put_facts(out, reading);
	buffer_append(out, SLICE("],\"messages\":["));
	put_turns(out, reading);
	buffer_append(out, SLICE("]}"));
}

struct admin_jobs admin_count_jobs(struct admin_call *call, struct user_key user)
{
	struct admin_jobs jobs = {0};
	struct arena scratch = {0};
	struct job_list list;
	enum store_result result =
		store_user_jobs(call->service->store, user, 0, MAX_JOBS_COUNTED, &list, &scratch);
	const bool may_learn = result == STORE_OK && list.count > 0 &&
			       learner_may_learn(call->config, call->service->store, user);
	for (size_t i = 0; result == STORE_OK && i < list.count; i++) {
		const struct job *job = &list.jobs[i];
		jobs.all++;
		if (job->parked)
			jobs.parked++;
		else if (may_learn && learner_wants(call->config, &list, job, clock_wall()))
			jobs.pending++;
		else if (job->kind == JOB_FACTS)
			jobs.deferred++;
	}
	arena_finish(&scratch);
	return jobs;
}

void admin_get_memory(struct admin_call *call)
{
	struct reading reading = {.call = call};
	if (!admin_query_pii(call, &reading.pii, &reading.classes))
		return;
	/* Jobs first: anything learned meanwhile then counts as pending, never as lost. */
	reading.jobs = admin_count_jobs(call, call->user);
	enum store_result result =
		store_read_user(call->service->store, call->user, MAX_TURNS_SHOWN, clock_wall(),
				&reading.memory, &call->arena);
	if (admin_has_failed(call, result))
		return;
	find_told(&reading);
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	put_memory(&out, &reading);
	admin_reply_json(call, 200, &out);
}

/* ---- parked jobs ---- */

struct unparking {
	struct admin_call *call;
	bool everybody;
	size_t count;
};

static void on_unparked(void *cookie, enum store_result result)
{
	struct unparking *unparking = cookie;
	struct admin_call *call = unparking->call;
	if (admin_has_failed(call, result))
		return;
	if (unparking->everybody)
		learner_wake_all(call->service->learner);
	else
		learner_wake(call->service->learner, call->user, true);
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	buffer_printf(&out, "{\"unparked\":%zu}", unparking->count);
	admin_reply_json(call, 202, &out);
}

/* Of one user, or of all. */
void admin_post_unpark(struct admin_call *call)
{
	struct unparking *unparking = arena_alloc(&call->arena, sizeof(*unparking));
	*unparking = (struct unparking){.call = call, .everybody = !call->is_of_user};
	store_unpark(call->service->store, call->is_of_user ? &call->user : NULL, &unparking->count,
		     (struct store_waiter){loop_for_store(call->loop), on_unparked, unparking});
}
