#include "proxy/background/retention.h"

#include "core/memory/user.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"
#include "storage/audit.h"
#include "storage/lmdb/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
	USERS_AT_ONCE = 256,
	PAUSE_MS = 10, /* after a step, at least */
	PAUSES = 19,   /* the pause in times of what the step took: a twentieth of a processor at
			* most */
	SHORTEST_PERIOD_MS = 1000,
	LONGEST_PERIOD_MS = 60 * 60 * 1000,
	PERIODS = 24, /* checks within the time that data is kept */
};

struct retention {
	struct store *store;
	struct config *config;
	struct loop *loop;
	struct event *timer;
	struct user_limits *limits; /* has its own timer, on this loop */
	pthread_t thread;
	bool stopping;

	/* For the pass over all users that is in progress. */
	int64_t now;                /* when it began */
	struct arena arena;         /* for `page` */
	struct user_page page;      /* users with expired data */
	size_t user;                /* index of the current user */
	uint64_t begun_at;          /* of this step, by processor_time() */
	struct expired_count count; /* of the last call */
	struct expired_count total; /* not logged yet */
	bool more_audit;            /* old entries of the audit log */
	struct store_call *call;    /* under way */
	bool starts_anew;           /* the next step begins with the first user, at once */
	bool ended;                 /* the next step begins with the first user, in its time */
};

static int64_t period_of(uint64_t kept)
{
	int64_t period = (int64_t)(kept / PERIODS);
	if (period < SHORTEST_PERIOD_MS)
		return SHORTEST_PERIOD_MS;
	return period < LONGEST_PERIOD_MS ? period : LONGEST_PERIOD_MS;
}

static uint64_t shorter(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

int64_t retention_period(const struct config *config)
{
	const struct config_retention kept = config_shortest_retention(config);
	uint64_t shortest =
		shorter(shorter(kept.messages, kept.facts), shorter(kept.summaries, kept.receipts));
	shortest = shorter(shortest, kept.hidden);
	for (size_t i = 0; i < FACT_KINDS; i++)
		shortest = shorter(shortest, kept.fact_kinds[i]);
	return shortest == 0 ? LONGEST_PERIOD_MS : period_of(shortest);
}

static int64_t until(int64_t now, uint64_t kept)
{
	return kept == 0 ? INT64_MIN : now - (int64_t)kept;
}

static int64_t until_or_none(int64_t now, uint64_t kept)
{
	return kept == 0 ? 0 : now - (int64_t)kept;
}

static struct expiry expiry_of(const struct config_retention *kept, int64_t now)
{
	struct expiry expiry = {
		.now = now,
		.turns_until = until(now, kept->messages),
		.facts_until = until(now, kept->facts),
		.summaries_until = until_or_none(now, kept->summaries),
		.receipts_until = until_or_none(now, kept->receipts),
		.hidden_until = until_or_none(now, kept->hidden),
		.pii = (enum pii)kept->pii,
	};
	for (size_t i = 0; i < FACT_KINDS; i++)
		expiry.kinds_until[i] = until_or_none(now, kept->fact_kinds[i]);
	return expiry;
}

/* The shortest of the configuration, the tenant's sections and the user's own wish counts. Nothing
 * of a user under a legal hold expires. */
static void make_expiry(void *cookie, struct slice tenant, struct slice user,
			const struct user_settings *settings, struct expiry *expiry)
{
	struct retention *retention = cookie;
	struct config_retention kept =
		config_memory_for(retention->config, (struct slice){0}, tenant, user).retention;
	if (settings->keep_messages > 0)
		kept.messages = shorter(kept.messages, (uint64_t)settings->keep_messages);
	if (settings->keep_facts > 0)
		kept.facts = shorter(kept.facts, (uint64_t)settings->keep_facts);
	kept.pii = (int)settings_pii(settings, (enum pii)kept.pii);
	if (settings->hold_until > retention->now)
		kept = (struct config_retention){.pii = PII_KEEP};
	*expiry = expiry_of(&kept, retention->now);
}

static void begin(struct retention *retention)
{
	retention->page = (struct user_page){0};
	retention->user = 0;
	retention->starts_anew = false;
	retention->ended = false;
	retention->now = clock_wall();
}

static void expire_user(struct retention *retention);

static void log_total(struct retention *retention)
{
	struct expired_count *total = &retention->total;
	if (total->exchanges + total->facts > 0)
		log_info("retention: %zu exchanges deleted, %zu facts deleted or redacted",
			 total->exchanges, total->facts);
	*total = (struct expired_count){0};
}

static void end(struct retention *retention);

static void wait_for_next(struct retention *retention)
{
	retention->ended = true;
	loop_wait(retention->timer,
		  retention->starts_anew ? 0 : retention_period(retention->config));
}

static void on_trimmed(void *cookie, enum store_result result)
{
	struct retention *retention = cookie;
	retention->call = NULL;
	if (retention->stopping)
		return;
	if (result == STORE_OK && retention->more_audit && !retention->starts_anew)
		end(retention);
	else
		wait_for_next(retention);
}

static void end(struct retention *retention)
{
	const uint64_t kept = retention->config->audit.keep;
	log_total(retention);
	if (kept == 0)
		wait_for_next(retention);
	else
		retention->call = store_trim_audit(
			retention->store, until(retention->now, kept), &retention->more_audit,
			(struct store_waiter){loop_for_store(retention->loop), on_trimmed,
					      retention});
}

/* ---- one user after the other ---- */

/* Processor time of this thread in microseconds. */
static uint64_t processor_time(void)
{
	struct timespec time = {0};
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void pause_step(struct retention *retention)
{
	int64_t pause = (int64_t)(processor_time() - retention->begun_at) * PAUSES / 1000;
	loop_wait(retention->timer, pause > PAUSE_MS ? pause : PAUSE_MS);
}

static void take_next(struct retention *retention);

static void on_taken(void *cookie, enum store_result result)
{
	struct retention *retention = cookie;
	const struct expired_count *count = &retention->count;
	retention->call = NULL;
	if (result == STORE_OK) {
		retention->total.exchanges += count->exchanges;
		retention->total.facts += count->facts;
		metrics_count(METRIC_EXPIRED_EXCHANGES, count->exchanges);
		metrics_count(METRIC_EXPIRED_FACTS, count->facts);
	}
	/* A store that fails reports it, and is asked again in the next pass. */
	if (result == STORE_OK && count->more) {
		pause_step(retention);
		return;
	}
	retention->user++;
	take_next(retention);
}

static void take_next(struct retention *retention)
{
	if (retention->starts_anew)
		loop_wait(retention->timer, 0);
	else if (retention->user < retention->page.count)
		expire_user(retention);
	else if (retention->page.more)
		pause_step(retention);
	else
		end(retention);
}

static void expire_user(struct retention *retention)
{
	const struct user_page *page = &retention->page;
	const struct audit_entry entry = {
		.by = "expiry",
		.action = "delete",
		.target = "expired",
		.has_user = true,
		.user = page->users[retention->user],
		.result = 200,
		.at = retention->now,
	};
	retention->call =
		store_expire(retention->store, page->users[retention->user],
			     &page->expiries[retention->user], &retention->count,
			     (struct store_waiter){loop_for_audited(retention->loop, &entry),
						   on_taken, retention});
}

static void look_at_users(struct retention *retention)
{
	struct user_page *page = &retention->page;
	const struct user_key after = page->last;
	arena_finish(&retention->arena);
	if (store_users_expired(retention->store, make_expiry, retention, &after, USERS_AT_ONCE,
				page, &retention->arena) != STORE_OK)
		*page = (struct user_page){0};
	retention->user = 0;
}

static void on_step(evutil_socket_t fd, short what, void *cookie)
{
	struct retention *retention = cookie;
	(void)fd;
	(void)what;
	if (retention->starts_anew || retention->ended)
		begin(retention);
	retention->begun_at = processor_time();
	if (retention->user == retention->page.count)
		look_at_users(retention);
	take_next(retention);
}

/* ---- the audit log's lines ---- */

static void log_entry(struct slice line)
{
	/* A line is JSON, so it can stand in a JSON log as it is. */
	const struct log_field fields[] = {{"entry", line, true}, {NULL, {0}, false}};
	log_event(LOG_LEVEL_INFO, "audit", fields);
}

static void listen_to_audit(const struct retention *retention)
{
	store_listen_to_audit(retention->store, retention->config->audit.log ? log_entry : NULL);
}

/* ---- from other threads ---- */

static void configure(void *cookie, void *config)
{
	struct retention *retention = cookie;
	config_release(retention->config);
	retention->config = config;
	listen_to_audit(retention);
	user_limits_configure(retention->limits, config);
	retention->starts_anew = true;
	if (!retention->stopping && retention->call == NULL)
		loop_wait(retention->timer, 0);
}

void retention_configure(struct retention *retention, struct config *config)
{
	loop_post_with(retention->loop, configure, retention, config_retain(config));
}

/* ---- its life ---- */

static void *run(void *cookie)
{
	struct retention *retention = cookie;
	thread_give_way(); /* to chats */
	loop_run(retention->loop);
	retention->stopping = true;
	store_cancel(retention->call);
	retention->call = NULL;
	user_limits_stop(retention->limits);
	return NULL;
}

struct retention *retention_start(struct store *store, struct config *config)
{
	struct retention *retention = xcalloc(1, sizeof(*retention));
	retention->store = store;
	retention->config = config_retain(config);
	listen_to_audit(retention);
	retention->loop = loop_create();
	retention->starts_anew = true;
	retention->timer = evtimer_new(loop_base(retention->loop), on_step, retention);
	loop_wait(retention->timer, 0);
	retention->limits = user_limits_create(store, retention->loop, config);
	if (!thread_start(&retention->thread, "retain", run, retention)) {
		retention_destroy(retention);
		return NULL;
	}
	return retention;
}

void retention_stop(struct retention *retention)
{
	loop_stop(retention->loop);
	pthread_join(retention->thread, NULL);
}

void retention_destroy(struct retention *retention)
{
	if (retention == NULL)
		return;
	event_free(retention->timer);
	user_limits_destroy(retention->limits);
	loop_destroy(retention->loop);
	arena_finish(&retention->arena);
	config_release(retention->config);
	free(retention);
}
