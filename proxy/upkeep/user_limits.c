#include "proxy/upkeep/user_limits.h"

#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"
#include "storage/rights.h"

#include <event2/event.h>
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
	struct expiry expiry; /* of the current user */
	bool is_measured;
	struct expired_count taken;
	struct store_call *call; /* under way */
};

static void wait_for(struct user_limits *limits, unsigned wait)
{
	const struct timeval pause = {.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
	evtimer_add(limits->timer, &pause);
}

static void next_user(struct user_limits *limits)
{
	limits->next++;
	limits->is_measured = false;
	wait_for(limits, PAUSE_MS);
}

static void on_taken(void *cookie, enum store_result result)
{
	struct user_limits *limits = cookie;
	limits->call = NULL;
	if (result == STORE_OK && limits->taken.exchanges > 0) {
		metrics_count(METRIC_EXPIRED_OVER_LIMIT, limits->taken.exchanges);
		log_info("user_limit: %zu exchanges of one user deleted, the oldest",
			 limits->taken.exchanges);
	}
	if (result == STORE_OK && limits->taken.more)
		wait_for(limits, PAUSE_MS);
	else
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
static bool measure(struct user_limits *limits, const struct user_size *user)
{
	struct config_memory settings =
		config_memory_for(limits->config, (struct slice){0}, user->tenant, user->user);
	if (user->bytes <= settings.user_limit || is_held(limits, user))
		return false;
	uint64_t keep = settings.user_limit - settings.user_limit / FREED_SHARE;
	limits->expiry =
		(struct expiry){.now = clock_wall(), .facts_until = INT64_MIN, .pii = PII_KEEP};
	limits->is_measured = store_measure(limits->store, user->key, keep, &limits->expiry);
	return limits->is_measured;
}

static void take_next(struct user_limits *limits)
{
	const struct user_size *user = &limits->users[limits->next];
	if (limits->is_measured || measure(limits, user))
		limits->call =
			store_expire(limits->store, user->key, &limits->expiry, &limits->taken,
				     loop_for_store(limits->loop), on_taken, limits);
	else
		next_user(limits);
}

static bool may_be_any(const struct user_limits *limits, uint64_t least)
{
	struct store_statistics statistics;
	store_statistics(limits->store, &statistics);
	return statistics.bytes_used > least;
}

static void on_step(evutil_socket_t fd, short what, void *cookie)
{
	struct user_limits *limits = cookie;
	uint64_t least = config_least_user_limit(limits->config);
	(void)fd;
	(void)what;
	if (limits->next < limits->count) {
		take_next(limits);
		return;
	}
	if (!limits->more)
		limits->after = (struct user_key){0};
	limits->next = limits->count = 0;
	arena_finish(&limits->arena);
	if (may_be_any(limits, least))
		limits->count = store_users_above(limits->store, least, &limits->after,
						  &limits->more, limits->users, &limits->arena);
	else
		limits->more = false;
	wait_for(limits, limits->count > 0 || limits->more ? PAUSE_MS : PERIOD_MS);
}

struct user_limits *user_limits_create(struct store *store, struct loop *loop,
				       struct config *config)
{
	struct user_limits *limits = xcalloc(1, sizeof(*limits));
	limits->store = store;
	limits->loop = loop;
	limits->config = config_retain(config);
	limits->timer = evtimer_new(loop_base(loop), on_step, limits);
	wait_for(limits, PERIOD_MS);
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
