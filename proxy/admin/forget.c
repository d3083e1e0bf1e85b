/* Forgetting users: one, or all of a tenant. */
#include "core/json/json.h"
#include "proxy/admin/call.h"
#include "proxy/admin/report.h"
#include "proxy/background/learner.h"
#include "storage/rights.h"

enum { ANSWER_LIMIT = 4096 };

/* Users are forgotten one after the other, so that others' writes come between. */
struct forgetting {
	struct admin_call *call;
	struct user_filter filter;
	struct slice tenant;
	struct user_list list;
	struct user_key after;
	size_t next; /* of the list */
	size_t held; /* users whom a legal hold keeps */
	bool is_tenant;
	bool forces;  /* a legal hold notwithstanding */
	bool dry_run; /* only counts */
	struct deletion_report sum;
	struct deletion_report report; /* of the user being forgotten */
};

static void go_on(void *cookie);

static void on_forgotten(void *cookie, enum store_result result)
{
	struct forgetting *forgetting = cookie;
	struct admin_call *call = forgetting->call;
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		admin_reply_failure(call, result);
		return;
	}
	if (result == STORE_NOT_FOUND)
		call->is_written = false;
	report_add(&forgetting->sum, &forgetting->report);
	loop_post(call->loop, go_on, forgetting); /* of one user, the list is empty */
}

static void forget(struct forgetting *forgetting, struct user_key user)
{
	struct admin_call *call = forgetting->call;
	learner_forget(call->service->learner, user);
	(void)forgotten_take(&call->service->forgotten, user);
	store_forget(call->service->store, user, clock_wall(), &forgetting->report,
		     (struct store_waiter){admin_store_loop(call, user), on_forgotten, forgetting});
}

/* Without a word, that the user does not want to be remembered stays. */
void admin_delete_user(struct admin_call *call)
{
	const struct user_settings none = settings_default();
	bool keeps = true;
	bool dry_run = false;
	if (!admin_query_switch(call, "keep_restriction", &keeps) ||
	    !admin_query_switch(call, "dry_run", &dry_run))
		return;
	if (dry_run) {
		report_preview_user(call);
		return;
	}
	if (!report_may_delete(call))
		return;
	if (!keeps)
		(void)store_put_settings(
			call->service->store, call->user, &none,
			(struct store_waiter){loop_for_store(call->loop), NULL, NULL});
	struct forgetting *forgetting = arena_alloc(&call->arena, sizeof(*forgetting));
	*forgetting = (struct forgetting){.call = call};
	forget(forgetting, call->user);
}

/* ---- tenants ---- */

static bool find_more(struct forgetting *forgetting)
{
	struct admin_call *call = forgetting->call;
	enum store_result result = STORE_OK;
	forgetting->next = forgetting->list.count = 0;
	if (!forgetting->list.more)
		return true;
	result = store_list_users(call->service->store, &forgetting->filter, &forgetting->after,
				  &forgetting->list, &call->arena);
	if (result == STORE_OK)
		return true;
	admin_reply_failure(call, result);
	return false;
}

/* Adds what deleting the user would take. False: the call has ended. */
static bool add_preview(struct forgetting *forgetting, struct user_key user)
{
	static const struct deletion all = {
		.kind = DELETION_SPAN, .since = INT64_MIN, .until = INT64_MAX};
	struct admin_call *call = forgetting->call;
	struct deletion_preview preview;
	struct arena scratch = {0};
	enum store_result result =
		store_preview_deletion(call->service->store, user, &all, 0, &preview, &scratch);
	arena_finish(&scratch);
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		admin_reply_failure(call, result);
		return false;
	}
	preview.report.users = 1;
	report_add(&forgetting->sum, &preview.report);
	return true;
}

static void reply(struct forgetting *forgetting)
{
	struct admin_call *call = forgetting->call;
	struct buffer out;
	if (!forgetting->is_tenant) {
		report_reply(call, &forgetting->sum);
		return;
	}
	if (!forgetting->dry_run) {
		report_reply_users(call, &forgetting->sum, forgetting->held);
		return;
	}
	buffer_init(&out, ANSWER_LIMIT);
	buffer_append(&out, SLICE("{\"dry_run\":true,\"would_delete\":"));
	report_put_preview(&out, &forgetting->sum);
	buffer_printf(&out, ",\"held\":%zu}", forgetting->held);
	admin_reply_json(call, 200, &out);
}

/* One user at a time, so that the loop stays free. */
static void go_on(void *cookie)
{
	struct forgetting *forgetting = cookie;
	struct admin_call *call = forgetting->call;
	struct user_list *list = &forgetting->list;
	if (forgetting->next == list->count && !find_more(forgetting))
		return;
	if (forgetting->next == list->count && !list->more) {
		reply(forgetting);
		return;
	}
	if (forgetting->next < list->count) {
		const struct user_key user = list->users[forgetting->next++].key;
		if (!forgetting->forces && report_is_held(call, user)) {
			forgetting->held++;
		} else if (!forgetting->dry_run) {
			forget(forgetting, user);
			return;
		} else if (!add_preview(forgetting, user)) {
			return;
		}
	}
	loop_post(call->loop, go_on, forgetting);
}

static bool is_confirmed(struct admin_call *call)
{
	struct slice body = http_request_body(call->request);
	struct json_value document;
	if (!json_scan(body, &document) || document.type != JSON_TYPE_OBJECT)
		return false;
	struct json_value name = json_member(body, document, "confirm");
	return name.type == JSON_TYPE_STRING &&
	       slice_equal(json_string_text(body, name, &call->arena), call->parameter);
}

void admin_delete_tenant(struct admin_call *call)
{
	bool forces = false;
	bool dry_run = false;
	if (!admin_query_switch(call, "force", &forces) ||
	    !admin_query_switch(call, "dry_run", &dry_run))
		return;
	if (!dry_run && !is_confirmed(call)) {
		admin_reply_error(call, 400, "not_confirmed",
				  "Confirm with the tenant's name: {\"confirm\":\"TENANT\"}.");
		return;
	}
	struct forgetting *forgetting = arena_alloc(&call->arena, sizeof(*forgetting));
	*forgetting = (struct forgetting){.call = call,
					  .tenant = call->parameter,
					  .is_tenant = true,
					  .forces = forces,
					  .dry_run = dry_run};
	if (dry_run)
		call->action = "preview";
	forgetting->filter.tenant = &forgetting->tenant;
	forgetting->list = (struct user_list){
		.users = arena_alloc(&call->arena,
				     STORE_LISTED_AT_ONCE * sizeof(struct listed_user)),
		.limit = STORE_LISTED_AT_ONCE,
		.more = true,
	};
	go_on(forgetting);
}
