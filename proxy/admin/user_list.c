/* GET /v1/users: all users, a page at a time.
 *
 * A store may hold millions of users, and a user millions of turns, so the work is done in slices:
 * each takes a bounded part on one turn of the loop and posts the next. A request looks at
 * MAX_LOOKED_AT users at most and then answers with what it found so far; `next` leads on. */
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "storage/rights.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	USUAL_LIMIT = 100,
	MAX_LIMIT = 1000,
	MAX_LOOKED_AT = 20000,
	STEPS_PER_SLICE = 4096,
	MAX_STEPS = 1000000, /* after these, no further user is counted */
	ANSWER_LIMIT = 8 << 20,
	LOG_ID_BYTES = 4, /* of a user's key, as an exchange's line in the log shows them */
};

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
	struct admin_jobs *jobs;
	bool *restricted; /* by the user's own settings */
	bool gone;
};

static void put_user(struct buffer *out, const struct listing *listing, size_t i)
{
	struct arena *arena = &listing->call->arena;
	const struct listed_user *user = &listing->list.users[i];
	const struct user_counts *counts = &listing->counts[i];
	const struct admin_jobs *jobs = &listing->jobs[i];
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

static void reply(struct listing *listing)
{
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	buffer_append(&out, SLICE("{\"users\":["));
	for (size_t i = 0; i < listing->counted; i++) {
		buffer_append(&out, i == 0 ? SLICE("") : SLICE(","));
		put_user(&out, listing, i);
	}
	buffer_append(&out, SLICE("],\"next\":"));
	put_next(&out, listing);
	buffer_append_byte(&out, '}');
	admin_reply_json(listing->call, 200, &out);
}

/* ---- slices ---- */

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

/* Counting one user's jobs may be a slice's work, so the slice ends with a user who has some. */
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
		listing->jobs[i] = admin_count_jobs(call, listing->list.users[i].key);
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
		reply(listing);
	else
		loop_post(call->loop, run_slice, listing);
}

/* The slice that is posted ends the call. */
static void on_gone(struct admin_call *call)
{
	struct listing *listing = call->pending;
	listing->gone = true;
}

/* ---- the request ---- */

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
	if (after.size > 0 &&
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
	call->gone = on_gone;
	run_slice(listing);
}
