/* Merges facts that say the same: of one user, or of all, one after the other. */
#include "core/json/json.h"
#include "proxy/admin/call.h"
#include "storage/rights.h"

#include <inttypes.h>

enum { ANSWER_LIMIT = 16 << 20, MOST_SHOWN = 1000 };

struct deduping {
	struct admin_call *call;
	struct user_filter filter;
	struct user_list list; /* a page of all users, or the only one */
	struct user_key after;
	size_t next; /* in the list */
	bool dry_run;
	uint64_t users; /* that have duplicates */
	uint64_t facts; /* superseded */
	uint64_t gone;  /* superseded facts of the current user */
	size_t shown;
	struct buffer out; /* "duplicates", of a dry run */
};

static void go_on(void *cookie);

static void finish(struct deduping *deduping)
{
	struct buffer out;
	struct buffer list = deduping->out;
	buffer_init(&out, ANSWER_LIMIT);
	buffer_printf(&out, "{\"dry_run\":%s,\"users\":%" PRIu64 ",\"facts\":%" PRIu64,
		      deduping->dry_run ? "true" : "false", deduping->users, deduping->facts);
	if (deduping->dry_run) {
		buffer_append(&out, SLICE(",\"duplicates\":["));
		buffer_append(&out, buffer_slice(&list));
		buffer_append_byte(&out, ']');
	}
	buffer_append_byte(&out, '}');
	buffer_finish(&list);
	admin_reply_json(deduping->call, 200, &out);
}

static void fail(struct deduping *deduping, enum store_result result)
{
	buffer_finish(&deduping->out);
	admin_reply_failure(deduping->call, result);
}

static void show(struct deduping *deduping, const struct listed_user *user,
		 const struct fact_changes *found)
{
	struct buffer *out = &deduping->out;
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
		fail(deduping, result);
		return;
	}
	deduping->users += deduping->gone > 0;
	deduping->facts += deduping->gone;
	loop_post(deduping->call->loop, go_on, deduping);
}

/* Writes only for a user who has duplicates. */
static void dedupe(struct deduping *deduping, const struct listed_user *user)
{
	struct admin_call *call = deduping->call;
	struct store *store = call->service->store;
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
			     (struct store_waiter){admin_store_loop(call, user->key), on_deduped,
						   deduping});
}

static bool find_more(struct deduping *deduping)
{
	struct user_list *list = &deduping->list;
	enum store_result result = STORE_OK;
	deduping->next = list->count = 0;
	if (list->more)
		result = store_list_users(deduping->call->service->store, &deduping->filter,
					  &deduping->after, list, &deduping->call->arena);
	if (result != STORE_OK)
		fail(deduping, result);
	return result == STORE_OK;
}

static void go_on(void *cookie)
{
	struct deduping *deduping = cookie;
	struct user_list *list = &deduping->list;
	if (deduping->next == list->count && !find_more(deduping))
		return;
	if (deduping->next < list->count)
		dedupe(deduping, &list->users[deduping->next++]);
	else if (list->more)
		loop_post(deduping->call->loop, go_on, deduping);
	else
		finish(deduping);
}

/* NULL: the call has ended. */
static struct deduping *begin(struct admin_call *call)
{
	struct deduping *deduping = arena_alloc(&call->arena, sizeof(*deduping));
	*deduping = (struct deduping){.call = call};
	if (!admin_query_switch(call, "dry_run", &deduping->dry_run))
		return NULL;
	if (deduping->dry_run)
		call->action = "preview";
	buffer_init(&deduping->out, ANSWER_LIMIT);
	deduping->list.limit = STORE_LISTED_AT_ONCE;
	deduping->list.users =
		arena_alloc(&call->arena, STORE_LISTED_AT_ONCE * sizeof(struct listed_user));
	return deduping;
}

void admin_dedupe_user(struct admin_call *call)
{
	struct deduping *deduping = begin(call);
	struct arena scratch = {0};
	struct fact_changes found;
	if (deduping == NULL)
		return;
	enum store_result result = store_find_duplicates(call->service->store, call->user,
							 clock_wall(), &found, &scratch);
	arena_finish(&scratch);
	if (result != STORE_OK) {
		fail(deduping, result);
		return;
	}
	deduping->list.users[0] = (struct listed_user){.key = call->user, .user = call->parameter};
	deduping->list.count = 1;
	go_on(deduping);
}

void admin_dedupe_all(struct admin_call *call)
{
	struct deduping *deduping = begin(call);
	if (deduping == NULL)
		return;
	if (call->tenant.size > 0)
		deduping->filter.tenant = &call->tenant;
	deduping->list.more = true;
	go_on(deduping);
}
