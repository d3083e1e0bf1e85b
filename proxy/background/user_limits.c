#include "proxy/background/retention.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"
#include "storage/rights.h"

#include <stdlib.h>

enum { PERIOD_MS = 2000, PAUSE_MS = 10, FREED_SHARE = 8 };

struct user_limits {
	struct store *store;
	struct loop *loop;
	struct config *config;
	struct event *timer;
	/* For the pass over all users that is in progress. */
	struct arena arena; /* for their names */
	struct user_size users[STORE_SIZES_AT_ONCE];
	size_t count;
	size_t next;           /* index of the next user */
	struct user_key after; /* see store_users_above() */
	bool more;
	bool looked;          /* all users have been looked at */
	bool missed;          /* an uncounted one could not be counted */
	bool is_crowded;      /* the pass makes room in the whole store */
	bool made_room;       /* it made room */
	bool warned;          /* that the store is nearly full */
	struct expiry expiry; /* of the current user */
	bool has_trimmed;     /* facts of the current user, if there were any to trim */
	bool is_measured;
	bool took;      /* something of the current user */
	size_t deleted; /* exchanges of the current user */
	struct expired_count taken;
	struct store_call *call; /* under way */
};

static void next_user(struct user_limits *limits)
{
	if (limits->deleted > 0)
		log_info("%s: %zu exchanges of one user deleted, the oldest",
			 limits->is_crowded ? "map_size" : "user_limit", limits->deleted);
	limits->deleted = 0;
	/* the largest one's was enough for now */
	limits->next = limits->is_crowded && limits->took ? limits->count : limits->next + 1;
	limits->has_trimmed = limits->is_measured = limits->took = false;
	loop_wait(limits->timer, PAUSE_MS);
}

/* ---- one user ---- */

static void on_taken(void *cookie, enum store_result result)
{
	struct user_limits *limits = cookie;
	limits->call = NULL;
	if (result == STORE_OK && limits->taken.exchanges > 0) {
		limits->took = limits->made_room = true;
		limits->deleted += limits->taken.exchanges;
		metrics_count(METRIC_EXPIRED_OVER_LIMIT, limits->taken.exchanges);
	}
	if (result == STORE_OK && limits->taken.more)
		loop_wait(limits->timer, PAUSE_MS);
	else
		next_user(limits);
}

static void on_room(void *cookie, enum store_result result)
{
	struct user_limits *limits = cookie;
	limits->call = NULL;
	if (result == STORE_OK)
		loop_wait(limits->timer, PAUSE_MS);
	else
		next_user(limits);
}

static void on_trimmed(void *cookie, enum store_result result)
{
	struct user_limits *limits = cookie;
	limits->call = NULL;
	limits->has_trimmed = true;
	limits->took = result == STORE_OK;
	limits->made_room |= limits->took;
	loop_wait(limits->timer, PAUSE_MS);
}

static void on_counted(void *cookie, enum store_result result)
{
	struct user_limits *limits = cookie;
	limits->call = NULL;
	limits->missed |= result != STORE_OK && result != STORE_NOT_FOUND;
	next_user(limits);
}

/* Nothing of a user under a legal hold goes. */
static bool is_held(struct user_limits *limits, const struct user_size *user)
{
	struct user_settings settings;
	return store_settings(limits->store, user->key, &settings, &limits->arena) == STORE_OK &&
	       settings.hold_until > clock_wall();
}

/* False: the user stays within the limit, or cannot be measured now. */
static bool measure(struct user_limits *limits, const struct user_size *user, uint64_t keep)
{
	if (is_held(limits, user))
		return false;
	limits->expiry =
		(struct expiry){.now = clock_wall(), .facts_until = INT64_MIN, .pii = PII_KEEP};
	limits->is_measured = store_measure(limits->store, user->key, keep, &limits->expiry) &&
			      limits->expiry.turns_until != INT64_MIN;
	return limits->is_measured;
}

static void take_next(struct user_limits *limits)
{
	const struct user_size *user = &limits->users[limits->next];
	struct store_loop *loop = loop_for_store(limits->loop);
	const uint64_t limit = limits->is_crowded
				       ? user->bytes
				       : config_memory_for(limits->config, (struct slice){0},
							   user->tenant, user->user)
						 .user_limit;
	const uint64_t keep = limit - limit / FREED_SHARE;
	const bool is_over = limits->is_crowded || user->bytes > limit;
	if (!user->is_counted)
		limits->call = store_count(limits->store, user->key,
					   (struct store_waiter){loop, on_counted, limits});
	else if (!limits->is_crowded && user->given > limit / 2)
		limits->call = store_make_room(limits->store, &user->key, limit, clock_wall(),
					       (struct store_waiter){loop, on_room, limits});
	else if (is_over && !limits->has_trimmed)
		limits->call = store_trim_facts(limits->store, user->key, keep, clock_wall(),
						(struct store_waiter){loop, on_trimmed, limits});
	else if (limits->is_measured || (is_over && measure(limits, user, keep)))
		limits->call =
			store_expire(limits->store, user->key, &limits->expiry, &limits->taken,
				     (struct store_waiter){loop, on_taken, limits});
	else
		next_user(limits);
}

/* ---- the whole store ---- */

/* Once no more is left of what requests were given, turns go, those of the largest user first. */
static void on_relieved(void *cookie, enum store_result result)
{
	struct user_limits *limits = cookie;
	limits->call = NULL;
	limits->is_crowded = true;
	limits->made_room = result == STORE_OK;
	if (result == STORE_NOT_FOUND)
		limits->count = store_largest_users(limits->store, limits->users, &limits->arena);
	loop_wait(limits->timer, result == STORE_OK || limits->count > 0 ? PAUSE_MS : PERIOD_MS);
}

static void relieve(struct user_limits *limits)
{
	if (!limits->warned)
		log_warn(
			"the store is nearly full: deleting the oldest of the users who take most; "
			"raise [storage] map_size, or lower [memory] user_limit");
	limits->warned = true;
	limits->call = store_make_room(
		limits->store, NULL, 0, clock_wall(),
		(struct store_waiter){loop_for_store(limits->loop), on_relieved, limits});
}

/* ---- all users ---- */

static bool may_be_any(const struct user_limits *limits, uint64_t least)
{
	struct store_statistics statistics;
	store_statistics(limits->store, &statistics);
	return statistics.bytes_used > least || store_is_crowded(limits->store);
}

static void on_noted(void *cookie, enum store_result result)
{
	struct user_limits *limits = cookie;
	(void)result;
	limits->call = NULL;
	loop_wait(limits->timer, PERIOD_MS);
}

static void look_at_users(struct user_limits *limits, bool is_counted)
{
	/* what requests were given may take half of the limit */
	const uint64_t least = config_least_user_limit(limits->config) / 2;
	if (limits->looked && !limits->more && !is_counted && !limits->missed) {
		limits->looked = false;
		limits->call = store_note_counted(
			limits->store,
			(struct store_waiter){loop_for_store(limits->loop), on_noted, limits});
		return;
	}
	if (!limits->more) {
		limits->after = (struct user_key){0};
		limits->missed = false;
		limits->looked = may_be_any(limits, least);
	}
	if (limits->looked)
		limits->count = store_users_above(limits->store, least, &limits->after,
						  &limits->more, limits->users, &limits->arena);
	loop_wait(limits->timer, limits->count > 0 || limits->more ? PAUSE_MS : PERIOD_MS);
}

static void on_step(evutil_socket_t fd, short what, void *cookie)
{
	struct user_limits *limits = cookie;
	(void)fd;
	(void)what;
	if (limits->next < limits->count) {
		take_next(limits);
		return;
	}
	limits->next = limits->count = 0;
	arena_finish(&limits->arena);
	const bool is_counted = store_is_counted(limits->store);
	const bool was_in_vain = limits->is_crowded && !limits->made_room;
	limits->is_crowded = false;
	limits->warned = limits->warned && store_is_crowded(limits->store);
	if (is_counted && store_is_crowded(limits->store) && !was_in_vain)
		relieve(limits);
	else
		look_at_users(limits, is_counted);
}

/* On the writer's thread. */
static void on_facts_gone(struct user_key user, size_t count)
{
	const unsigned char *key = user.bytes;
	metrics_count(METRIC_EXPIRED_FACTS_OVER, count);
	log_info("a user has more than %d facts, or more than user_limit has room for: %zu of "
		 "them gave way, the least used (user=%02x%02x%02x%02x)",
		 FACTS_LIMIT, count, key[0], key[1], key[2], key[3]);
}

struct user_limits *user_limits_create(struct store *store, struct loop *loop,
				       struct config *config)
{
	struct user_limits *limits = xcalloc(1, sizeof(*limits));
	limits->store = store;
	limits->loop = loop;
	limits->config = config_retain(config);
	limits->timer = evtimer_new(loop_base(loop), on_step, limits);
	store_listen_to_fact_limit(store, on_facts_gone);
	loop_wait(limits->timer, PERIOD_MS);
	return limits;
}

void user_limits_configure(struct user_limits *limits, struct config *config)
{
	config_release(limits->config);
	limits->config = config_retain(config);
}

void user_limits_stop(struct user_limits *limits)
{
	event_del(limits->timer);
	store_cancel(limits->call);
	limits->call = NULL;
}

void user_limits_destroy(struct user_limits *limits)
{
	if (limits == NULL)
		return;
	event_free(limits->timer);
	config_release(limits->config);
	arena_finish(&limits->arena);
	free(limits);
}
