/* Users: one's memory, all of them a page at a time or one after the other, and parked jobs. */
#include "core/json/json.h"
#include "core/pii/pii.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/background/learner.h"
#include "proxy/background/next_job.h"
#include "storage/rights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_TURNS_SHOWN = 10000,
	MAX_JOBS_COUNTED = 100000,
	USUAL_LIMIT = 100,
	MAX_LIMIT = 1000,
	MAX_LOOKED_AT = 20000,
	STEPS_PER_SLICE = 4096,
	MAX_STEPS = 1000000, /* after these, no further user is counted */
	LOG_ID_BYTES = 4,    /* of a user's key, as an exchange's line in the log shows them */
};

/* A user's jobs, see learner_wants() and learner_may_learn(). */
struct jobs {
	size_t pending;  /* exchanges to be learned from */
	size_t parked;   /* given up until somebody unparks them */
	size_t deferred; /* until the mode learns, or the user agrees */
	size_t all;
};

/* Counts 100,000 at most. */
static struct jobs count_jobs(struct admin_call *call, struct user_key user)
{
	struct jobs jobs = {0};
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

/* ---- reading ---- */

struct reading {
	struct admin_call *call;
	struct jobs jobs;
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

void admin_get_memory(struct admin_call *call)
{
	struct reading reading = {.call = call};
	if (!admin_query_pii(call, &reading.pii, &reading.classes))
		return;
	/* Jobs first: anything learned meanwhile then counts as pending, never as lost. */
	reading.jobs = count_jobs(call, call->user);
	enum store_result result =
		store_read_user(call->service->store, call->user, MAX_TURNS_SHOWN, clock_wall(),
				&reading.memory, &call->arena);
	if (admin_has_failed(call, result))
		return;
	find_told(&reading);
	put_memory(&call->out, &reading);
	admin_reply_json(call, 200);
}

/* ---- parked jobs ---- */

static void on_unparked(void *cookie, enum store_result result)
{
	struct admin_call *call = cookie;
	if (admin_has_failed(call, result))
		return;
	if (call->is_of_user)
		learner_wake(call->service->learner, call->user, true);
	else
		learner_wake_all(call->service->learner);
	buffer_printf(&call->out, "{\"unparked\":%zu}", *(const size_t *)call->pending);
	admin_reply_json(call, 202);
}

/* Of one user, or of all. */
void admin_post_unpark(struct admin_call *call)
{
	size_t *count = arena_alloc(&call->arena, sizeof(*count));
	call->pending = count;
	store_unpark(call->service->store, call->is_of_user ? &call->user : NULL, count,
		     (struct store_waiter){loop_for_store(call->loop), on_unparked, call});
}

/* ---- GET /v1/users ---- */

/* A store may hold millions of users, and a user millions of turns, so the work is done in slices:
 * each takes a bounded part on one turn of the loop and posts the next. A request looks at
 * MAX_LOOKED_AT users at most and then answers with what it found so far; `next` leads on. */
struct listing {
	struct admin_call *call;
	struct user_filter filter;
	struct slice tenant;
	struct user_list list;
	struct user_key after;
	size_t looked_at;
	size_t counted; /* users of the list whose counts are known */
	size_t steps;
	struct user_counts *counts;
	struct jobs *jobs;
	bool *restricted; /* by the user's own settings */
	bool gone;
};

static void put_user(struct buffer *out, const struct listing *listing, size_t i)
{
	struct arena *arena = &listing->call->arena;
	const struct listed_user *user = &listing->list.users[i];
	const struct user_counts *counts = &listing->counts[i];
	const struct jobs *jobs = &listing->jobs[i];
	buffer_append(out, SLICE("{\"user\":"));
	json_quote(out, user->user);
	json_put_text(out, "tenant", user->tenant);
	buffer_printf(out, ",\"first_seen\":\"%.*s\",\"last_seen\":\"%.*s\"",
		      SLICE_PRINT(text_time(user->first_seen, arena)),
		      SLICE_PRINT(text_time(user->last_seen, arena)));
	buffer_printf(out,
		      ",\"turns\":%" PRIu64 ",\"facts\":%" PRIu64 ",\"conversations\":%" PRIu64
		      ",\"pending\":%zu,\"parked\":%zu,\"restricted\":%s}",
		      counts->turns, counts->facts, counts->conversations, jobs->pending,
		      jobs->parked, listing->restricted[i] ? "true" : "false");
}

static void put_next(struct buffer *out, const struct listing *listing)
{
	bool cut = listing->counted < listing->list.count;
	const struct user_key *next =
		cut ? &listing->list.users[listing->counted - 1].key : &listing->after;
	if (!cut && !listing->list.more) {
		buffer_append(out, SLICE("null"));
		return;
	}
	buffer_append_byte(out, '"');
	for (size_t i = 0; i < sizeof(next->bytes); i++)
		buffer_printf(out, "%02x", next->bytes[i]);
	buffer_append_byte(out, '"');
}

static void reply_users(struct listing *listing)
{
	struct buffer *out = &listing->call->out;
	buffer_append(out, SLICE("{\"users\":["));
	for (size_t i = 0; i < listing->counted; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_user(out, listing, i);
	}
	buffer_append(out, SLICE("],\"next\":"));
	put_next(out, listing);
	buffer_append_byte(out, '}');
	admin_reply_json(listing->call, 200);
}

static bool has_found_all(const struct listing *listing)
{
	return !listing->list.more || listing->list.count == listing->list.limit ||
	       listing->looked_at >= MAX_LOOKED_AT;
}

static enum store_result find_some(struct listing *listing)
{
	struct admin_call *call = listing->call;
	listing->looked_at += STORE_LISTED_AT_ONCE;
	return store_list_users(call->service->store, &listing->filter, &listing->after,
				&listing->list, &call->arena);
}

static bool is_restricted(struct admin_call *call, struct user_key user)
{
	struct user_settings settings;
	struct arena scratch = {0};
	enum store_result result = store_settings(call->service->store, user, &settings, &scratch);
	bool restricted = result == STORE_OK && settings_restrict(&settings);
	arena_finish(&scratch);
	return restricted;
}

/* Ends the slice after a user with jobs, since counting them may take as long as a slice. */
static enum store_result count_some(struct listing *listing)
{
	struct admin_call *call = listing->call;
	size_t steps = STEPS_PER_SLICE;
	enum store_result result = STORE_OK;
	bool has_jobs = false;
	while (result == STORE_OK && listing->counted < listing->list.count && steps > 0 &&
	       !has_jobs) {
		size_t i = listing->counted;
		struct user_counts *counts = &listing->counts[i];
		result = store_count_user(call->service->store, listing->list.users[i].key,
					  clock_wall(), counts, &steps);
		if (!counts->done)
			break;
		listing->jobs[i] = count_jobs(call, listing->list.users[i].key);
		has_jobs = listing->jobs[i].all > 0;
		listing->restricted[i] = is_restricted(call, listing->list.users[i].key);
		listing->counted++;
	}
	listing->steps += STEPS_PER_SLICE - steps;
	return result;
}

static bool has_counted_all(const struct listing *listing)
{
	return listing->counted == listing->list.count ||
	       (listing->steps >= MAX_STEPS && listing->counted > 0);
}

static void run_slice(void *cookie)
{
	struct listing *listing = cookie;
	struct admin_call *call = listing->call;
	if (listing->gone) {
		admin_abandon(call);
		return;
	}
	bool finds = !has_found_all(listing);
	enum store_result result = finds ? find_some(listing) : count_some(listing);
	if (result != STORE_OK)
		admin_reply_failure(call, result);
	else if (!finds && has_counted_all(listing))
		reply_users(listing);
	else
		loop_post(call->loop, run_slice, listing);
}

/* The slice that is posted ends the call. */
static void on_client_gone(struct admin_call *call)
{
	struct listing *listing = call->pending;
	listing->gone = true;
}

static bool read_hex(struct slice text, unsigned char *bytes, size_t size)
{
	if (text.size != 2 * size)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = memchr(digits, text.data[i], sizeof(digits) - 1);
		if (digit == NULL)
			return false;
		unsigned char *byte = &bytes[i / 2];
		*byte = (unsigned char)(*byte << 4 | (digit - digits));
	}
	return true;
}

void admin_get_users(struct admin_call *call)
{
	struct listing *listing = arena_alloc(&call->arena, sizeof(*listing));
	*listing = (struct listing){.call = call, .list = {.limit = USUAL_LIMIT, .more = true}};
	unsigned char *log_id = arena_alloc(&call->arena, LOG_ID_BYTES);
	struct slice after, told;
	uint64_t limit = USUAL_LIMIT;
	if (!admin_query(call, "tenant", &listing->tenant) || !admin_query(call, "log_id", &told) ||
	    !admin_query(call, "prefix", &listing->filter.prefix) ||
	    !admin_query(call, "after", &after) ||
	    !admin_query_number(call, "limit", MAX_LIMIT, &limit))
		return;
	if (after.data != NULL &&
	    !read_hex(after, listing->after.bytes, sizeof(listing->after.bytes))) {
		admin_reply_error(call, 400, "invalid_query",
				  "\"after\" must be the \"next\" of an earlier answer.");
		return;
	}
	if (told.data != NULL && !read_hex(told, log_id, LOG_ID_BYTES)) {
		admin_reply_error(call, 400, "invalid_query",
				  "\"log_id\" must be the 8 hex digits of user= in the log.");
		return;
	}
	if (told.data != NULL)
		listing->filter.log_id = (struct slice){(const char *)log_id, LOG_ID_BYTES};
	if (listing->tenant.data != NULL)
		listing->filter.tenant = &listing->tenant;
	struct user_list *list = &listing->list;
	list->limit = limit;
	list->users = arena_alloc(&call->arena, limit * sizeof(*list->users));
	listing->counts = arena_alloc(&call->arena, limit * sizeof(*listing->counts));
	memset(listing->counts, 0, limit * sizeof(*listing->counts));
	listing->jobs = arena_alloc(&call->arena, limit * sizeof(*listing->jobs));
	listing->restricted = arena_alloc(&call->arena, limit * sizeof(*listing->restricted));
	call->pending = listing;
	call->gone = on_client_gone;
	run_slice(listing);
}

/* ---- one after the other ---- */

static bool find_more(struct user_walk *walk)
{
	enum store_result result = STORE_OK;
	walk->next = walk->list.count = 0;
	if (walk->list.more)
		result = store_list_users(walk->call->service->store, &walk->filter, &walk->after,
					  &walk->list, &walk->call->arena);
	return !admin_has_failed(walk->call, result);
}

static void step(void *cookie)
{
	struct user_walk *walk = cookie;
	struct user_list *list = &walk->list;
	if (walk->next == list->count && !find_more(walk))
		return;
	if (walk->next < list->count)
		walk->each(walk, &list->users[walk->next++]);
	else if (list->more)
		admin_walk_on(walk);
	else
		walk->done(walk);
}

void admin_walk_on(struct user_walk *walk)
{
	loop_post(walk->call->loop, step, walk);
}

void admin_walk_users(struct user_walk *walk, struct slice tenant)
{
	walk->tenant = tenant;
	if (tenant.size > 0)
		walk->filter.tenant = &walk->tenant;
	walk->list = (struct user_list){
		.users = arena_alloc(&walk->call->arena,
				     STORE_LISTED_AT_ONCE * sizeof(*walk->list.users)),
		.limit = STORE_LISTED_AT_ONCE,
		.more = true,
	};
	step(walk);
}
