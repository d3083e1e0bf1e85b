/* Merges facts that say the same: of one user, or of all, one after the other. */
#include "core/json/json.h"
#include "proxy/admin/call.h"
#include "storage/rights.h"

#include <inttypes.h>

enum { MOST_SHOWN = 1000 };

/* A dry run's "duplicates" are collected in the call's answer. */
struct deduping {
	struct user_walk walk;
	bool dry_run;
	uint64_t users; /* that have duplicates */
	uint64_t facts; /* superseded */
	uint64_t gone;  /* superseded facts of the current user */
	size_t shown;
};

static void reply(struct user_walk *walk)
{
	const struct deduping *deduping = (const struct deduping *)walk;
	struct buffer *out = &walk->call->out;
	const struct slice shown = arena_copy(&walk->call->arena, buffer_slice(out));
	buffer_clear(out);
	buffer_printf(out, "{\"dry_run\":%s,\"users\":%" PRIu64 ",\"facts\":%" PRIu64,
		      deduping->dry_run ? "true" : "false", deduping->users, deduping->facts);
	if (deduping->dry_run)
		buffer_printf(out, ",\"duplicates\":[%.*s]", SLICE_PRINT(shown));
	buffer_append_byte(out, '}');
	admin_reply_json(walk->call, 200);
}

static void show(struct deduping *deduping, const struct listed_user *user,
		 const struct fact_changes *found)
{
	struct buffer *out = &deduping->walk.call->out;
	for (size_t i = 0; i < found->count && deduping->shown < MOST_SHOWN; i++) {
		const struct fact *fact = &found->facts[i];
		if (fact->state != FACT_SUPERSEDED)
			continue;
		buffer_append(out, deduping->shown++ == 0 ? SLICE("") : SLICE(","));
		buffer_append(out, SLICE("{\"user\":"));
		json_quote(out, user->user);
		json_put_id(out, "id", fact->id);
		json_put_id(out, "same_as", fact->superseded_by);
		json_put_text(out, "entity", fact->entity);
		json_put_text(out, "key", fact->key);
		json_put_text(out, "value", fact->value);
		buffer_append_byte(out, '}');
	}
}

static void on_deduped(void *cookie, enum store_result result)
{
	struct deduping *deduping = cookie;
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		admin_reply_failure(deduping->walk.call, result);
		return;
	}
	deduping->users += deduping->gone > 0;
	deduping->facts += deduping->gone;
	admin_walk_on(&deduping->walk);
}

/* Writes only for a user who has duplicates. */
static void dedupe(struct user_walk *walk, const struct listed_user *user)
{
	struct deduping *deduping = (struct deduping *)walk;
	struct store *store = walk->call->service->store;
	struct arena scratch = {0};
	struct fact_changes found;
	const int64_t now = clock_wall();
	enum store_result result = store_find_duplicates(store, user->key, now, &found, &scratch);
	const bool is_empty = found.left_count == 0;
	deduping->gone = 0;
	if (result == STORE_OK && deduping->dry_run) {
		show(deduping, user, &found);
		deduping->gone = found.left_count;
	}
	arena_finish(&scratch);
	if (result != STORE_OK || is_empty || deduping->dry_run)
		on_deduped(deduping, result);
	else
		store_dedupe(store, user->key, now, &deduping->gone,
			     (struct store_waiter){admin_store_loop(walk->call, user->key),
						   on_deduped, deduping});
}

/* NULL: the call has ended. */
static struct deduping *begin(struct admin_call *call)
{
	struct deduping *deduping = arena_alloc(&call->arena, sizeof(*deduping));
	*deduping = (struct deduping){.walk = {call, dedupe, reply}};
	if (!admin_query_switch(call, "dry_run", &deduping->dry_run))
		return NULL;
	if (deduping->dry_run)
		call->action = "preview";
	return deduping;
}

void admin_dedupe_user(struct admin_call *call)
{
	struct deduping *deduping = begin(call);
	const struct listed_user user = {.key = call->user, .user = call->parameter};
	struct arena scratch = {0};
	struct fact_changes found;
	if (deduping == NULL)
		return;
	enum store_result result = store_find_duplicates(call->service->store, call->user,
							 clock_wall(), &found, &scratch);
	arena_finish(&scratch);
	if (!admin_has_failed(call, result))
		dedupe(&deduping->walk, &user);
}

void admin_dedupe_all(struct admin_call *call)
{
	struct deduping *deduping = begin(call);
	if (deduping != NULL)
		admin_walk_users(&deduping->walk, call->tenant);
}
