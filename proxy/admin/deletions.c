/* Deleting parts of a user's memory, a fact, a turn, a conversation, a span of time, a topic, and
 * forgetting users, one or all of a tenant.
 *
 * ?dry_run=1 answers what would go, with a plan; ?plan= deletes exactly that. Everything else
 * answers with a report, which holds counts only. */
#include "storage/deletions.h"
#include "core/facts/facts.h"
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/background/learner.h"
#include "proxy/background/scrubber.h"
#include "storage/rights.h"

#include <inttypes.h>
#include <stdatomic.h>

enum {
	SHOWN = 1000, /* facts, and as many turns, of a dry run */
	MAX_SESSION = 256,
	MAX_TOPIC = 4096,   /* every turn is searched for each of its words */
	ID_TIME_SHIFT = 20, /* an id is milliseconds since 1970, then a counter */
};

static const struct deletion everything = {
	.kind = DELETION_SPAN, .since = INT64_MIN, .until = INT64_MAX};

/* ---- reports ---- */

/* A report's counts, as a deletion makes them. */
static const struct count {
	const char *name;
	size_t at; /* in struct deletion_report */
	bool is_previewed;
} counts[] = {
	{"users", offsetof(struct deletion_report, users), true},
	{"facts", offsetof(struct deletion_report, facts), true},
	{"unquoted", offsetof(struct deletion_report, unquoted), true},
	{"turns", offsetof(struct deletion_report, turns), true},
	{"receipts", offsetof(struct deletion_report, receipts), true},
	{"conversations", offsetof(struct deletion_report, conversations), true},
	{"frozen", offsetof(struct deletion_report, frozen), false},
	{"replays", offsetof(struct deletion_report, replays), false},
	{"vectors", offsetof(struct deletion_report, vectors), false},
	{"postings", offsetof(struct deletion_report, postings), false},
	{"jobs", offsetof(struct deletion_report, jobs), false},
	{"still_said", offsetof(struct deletion_report, still_said), true}, /* never summed up */
};
enum { COUNTS = sizeof(counts) / sizeof(counts[0]), SUMMED = COUNTS - 1 };

static uint64_t count_in(const struct deletion_report *report, const struct count *count)
{
	return *(const uint64_t *)(const void *)((const char *)report + count->at);
}

static void put_members(struct buffer *out, const struct deletion_report *report, bool is_preview)
{
	for (size_t i = 0; i < COUNTS; i++) {
		if (counts[i].is_previewed || !is_preview)
			buffer_printf(out, "\"%s\":%" PRIu64 ",", counts[i].name,
				      count_in(report, &counts[i]));
	}
	buffer_printf(out, "\"summary\":\"%s\"", report->summaries > 0 ? "dropped" : "kept");
}

/* Adds up the reports of several users. */
static void add_report(struct deletion_report *sum, const struct deletion_report *report)
{
	for (size_t i = 0; i < SUMMED; i++)
		*(uint64_t *)(void *)((char *)sum + counts[i].at) += count_in(report, &counts[i]);
	sum->summaries += report->summaries;
	if (sum->users == report->users || report->oldest < sum->oldest)
		sum->oldest = report->oldest;
	sum->unlisted |= report->unlisted;
}

/* A legal hold keeps a memory unless the call insists (?force=1). */
static bool is_held(struct admin_call *call, struct user_key user)
{
	struct user_settings settings;
	return store_settings(call->service->store, user, &settings, &call->arena) == STORE_OK &&
	       settings.hold_until > clock_wall();
}

/* False: the call has ended. */
static bool may_delete(struct admin_call *call)
{
	bool forces = false;
	if (!admin_query_switch(call, "force", &forces))
		return false;
	if (forces || !is_held(call, call->user))
		return true;
	admin_reply_error(call, 409, "legal_hold",
			  "The user is under a legal hold (\"hold_until\" of their settings); "
			  "force=1 deletes them nevertheless.");
	return false;
}

static void put_preview(struct buffer *out, const struct deletion_report *report)
{
	buffer_append_byte(out, '{');
	put_members(out, report, true);
	buffer_append_byte(out, '}');
}

static uint64_t next_id(void)
{
	static atomic_uint_least32_t counter;
	uint64_t mask = (UINT64_C(1) << ID_TIME_SHIFT) - 1;
	return (uint64_t)clock_wall() << ID_TIME_SHIFT | (atomic_fetch_add(&counter, 1) & mask);
}

/* Exported keys open sealed backups until the operator deletes them. */
static void put_backups(struct admin_call *call, const struct deletion_report *report,
			struct buffer *out)
{
	const int64_t exported = store_keys_exported(call->service->store);
	const int64_t until = exported + (int64_t)call->config->storage.backup_keys_keep;
	if (exported >= report->oldest && exported != 0 && until > clock_wall())
		admin_put_time(out, "backups_until", until, &call->arena);
}

/* Erasing leaves the bytes where they were; without the user's keys nobody can read them. */
static void put_disk(struct admin_call *call, const struct deletion_report *report)
{
	struct buffer *out = &call->out;
	struct scrubber_state state;
	scrubber_look(call->service->scrubber, &state);
	bool comes = state.running || state.due != 0;
	const char *disk = comes ? "scrub pending" : "logical";
	const bool by_keys = report->users > 0 && store_erases_by_keys(call->service->store);
	buffer_printf(out, ",\"disk\":\"%s\"", by_keys ? "keys" : disk);
	admin_put_time(out, "disk_until", by_keys ? 0 : state.due, &call->arena);
	admin_put_time(out, "left_out_until",
		       clock_wall() + (int64_t)call->config->storage.erasure_list, &call->arena);
	if (by_keys)
		put_backups(call, report, out);
}

/* Appends the report of what has been deleted, under a new id; the caller closes it. */
static void put_report(struct admin_call *call, const struct deletion_report *report)
{
	buffer_printf(&call->out, "{\"id\":\"%016" PRIx64 "\",", next_id());
	put_members(&call->out, report, false);
	put_disk(call, report);
}

static void reply_report(struct admin_call *call, const struct deletion_report *report)
{
	put_report(call, report);
	buffer_append_byte(&call->out, '}');
	admin_reply_json(call, 200);
}

/* ---- parts of a memory ---- */

struct deleting {
	struct admin_call *call;
	struct deletion deletion;
	uint64_t plan; /* 0: none */
	bool dry_run;
	bool is_user; /* everything of the user, which has no plan */
	struct deletion_report report;
};

/* ---- what was asked ---- */

static bool read_plan(struct admin_call *call, struct slice text, uint64_t *plan)
{
	if (text.data == NULL)
		return true;
	if (admin_read_hex(text, plan) && *plan != 0)
		return true;
	admin_reply_error(call, 400, "invalid_plan",
			  "A plan is the \"plan\" that a dry run answered.");
	return false;
}

/* NULL: the call has ended. */
static struct deleting *begin(struct admin_call *call, enum deletion_kind kind)
{
	struct slice plan;
	struct deleting *deleting = arena_alloc(&call->arena, sizeof(*deleting));
	*deleting = (struct deleting){
		.call = call, .deletion = {.kind = kind, .with_source = kind == DELETION_FACT}};
	struct deletion *deletion = &deleting->deletion;
	if (!admin_query_switch(call, "dry_run", &deleting->dry_run) ||
	    !admin_query_switch(call, "with_source", &deletion->with_source) ||
	    !admin_query_switch(call, "keep_facts", &deletion->keeps_facts) ||
	    !admin_query_switch(call, "keep_chain", &deletion->keeps_chain) ||
	    !admin_query_switch(call, "never_again", &deletion->never_again) ||
	    !admin_query(call, "plan", &plan) || !read_plan(call, plan, &deleting->plan))
		return NULL;
	return deleting;
}

/* ---- answers ---- */

static void reply_failure(struct admin_call *call, enum store_result result)
{
	if (result != STORE_NOT_FOUND) {
		admin_reply_failure(call, result);
		return;
	}
	call->is_written = false;
	admin_reply_error(call, 404, "not_found",
			  "There is nothing to delete: the user has nothing stored that this call "
			  "names.");
}

static void put_fact(struct buffer *out, const struct fact *fact)
{
	buffer_printf(out, "{\"id\":\"%" PRIu64 "\"", fact->id);
	json_put_text(out, "entity", fact->entity);
	json_put_text(out, "key", fact->key);
	json_put_text(out, "value", fact->value);
	buffer_append_byte(out, '}');
}

static void put_turn(struct buffer *out, const struct turn *turn, struct arena *arena)
{
	buffer_printf(out,
		      "{\"id\":\"%" PRIu64 "\",\"conversation\":\"%" PRIu32
		      "\",\"role\":\"%s\",\"created_at\":\"%.*s\",\"content\":",
		      turn->id, turn->conversation, role_name(turn->role),
		      SLICE_PRINT(text_time(turn->created_at, arena)));
	json_quote(out, turn->text);
	buffer_append_byte(out, '}');
}

static void show(struct deleting *deleting)
{
	struct admin_call *call = deleting->call;
	struct deletion_preview preview;
	call->action = "preview";
	enum store_result result =
		store_preview_deletion(call->service->store, call->user, &deleting->deletion, SHOWN,
				       &preview, &call->arena);
	if (result != STORE_OK) {
		reply_failure(call, result);
		return;
	}
	struct buffer *out = &call->out;
	preview.report.users = deleting->is_user;
	buffer_append(out, SLICE("{\"dry_run\":true,\"plan\":"));
	if (deleting->is_user)
		buffer_append(out, SLICE("null"));
	else
		buffer_printf(out, "\"%016" PRIx64 "\"", preview.token);
	buffer_append(out, SLICE(",\"would_delete\":"));
	put_preview(out, &preview.report);
	buffer_printf(out, ",\"exact\":%zu,\"facts\":[", preview.turn_count);
	for (size_t i = 0; i < preview.fact_count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_fact(out, &preview.facts[i]);
	}
	buffer_append(out, SLICE("],\"turns\":["));
	for (size_t i = 0; i < preview.turn_count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_turn(out, &preview.turns[i], &call->arena);
	}
	buffer_append(out, SLICE("]}"));
	admin_reply_json(call, 200);
}

static void on_deleted(void *cookie, enum store_result result)
{
	struct deleting *deleting = cookie;
	struct admin_call *call = deleting->call;
	if (result == STORE_CHANGED) {
		call->is_written = false;
		if (deleting->deletion.match.is_asked)
			admin_reply_changed(call);
		else
			admin_reply_error(call, 409, "plan_changed",
					  "Something else would go by now: make a new dry run.");
		return;
	}
	if (result != STORE_OK) {
		reply_failure(call, result);
		return;
	}
	learner_wake(call->service->learner, call->user, false); /* the summary is made again */
	reply_report(call, &deleting->report);
}

static void run(struct deleting *deleting)
{
	struct admin_call *call = deleting->call;
	bool forces = false; /* a dry run takes it, too */
	if (!admin_query_switch(call, "force", &forces))
		return;
	if (deleting->dry_run) {
		show(deleting);
		return;
	}
	if (!may_delete(call))
		return;
	store_delete(
		call->service->store, call->user, &deleting->deletion, deleting->plan, clock_wall(),
		&deleting->report,
		(struct store_waiter){admin_store_loop(call, call->user), on_deleted, deleting});
}

/* Previews what forgetting the user would take. */
static void preview_user(struct admin_call *call)
{
	struct deleting *deleting = arena_alloc(&call->arena, sizeof(*deleting));
	*deleting = (struct deleting){
		.call = call, .deletion = everything, .dry_run = true, .is_user = true};
	if (admin_has_keys(call))
		run(deleting);
}

/* ---- the paths ---- */

static void run_by_id(struct deleting *deleting)
{
	struct admin_call *call = deleting->call;
	struct deletion *deletion = &deleting->deletion;
	uint64_t most = deletion->kind == DELETION_CONVERSATION ? UINT32_MAX : UINT64_MAX;
	if (admin_read_id(call->item, &deletion->id) && deletion->id <= most)
		run(deleting);
	else
		admin_reply_error(call, 400, "invalid_id",
				  "The last part of the path must be an id, a whole number.");
}

static void delete_by_id(struct admin_call *call, enum deletion_kind kind)
{
	struct deleting *deleting = begin(call, kind);
	if (deleting != NULL)
		run_by_id(deleting);
}

/* If-Match keeps a fact that has changed since the client read it. */
void admin_delete_fact(struct admin_call *call)
{
	struct deleting *deleting = begin(call, DELETION_FACT);
	if (deleting != NULL && admin_read_match(call, &deleting->deletion.match))
		run_by_id(deleting);
}

void admin_delete_turn(struct admin_call *call)
{
	delete_by_id(call, DELETION_TURN);
}

void admin_delete_conversation(struct admin_call *call)
{
	delete_by_id(call, DELETION_CONVERSATION);
}

void admin_delete_session(struct admin_call *call)
{
	struct deleting *deleting = begin(call, DELETION_CONVERSATION);
	if (deleting == NULL || !admin_query(call, "session", &deleting->deletion.session))
		return;
	size_t size = deleting->deletion.session.size;
	if (size > 0 && size <= MAX_SESSION)
		run(deleting);
	else
		admin_reply_error(call, 400, "invalid_query",
				  "Give the conversation's \"session\", of at most 256 bytes.");
}

void admin_delete_span(struct admin_call *call)
{
	struct deleting *deleting = begin(call, DELETION_SPAN);
	if (deleting == NULL)
		return;
	struct deletion *deletion = &deleting->deletion;
	deletion->since = INT64_MIN;
	deletion->until = INT64_MAX;
	if (!admin_query_time(call, "since", &deletion->since) ||
	    !admin_query_time(call, "until", &deletion->until))
		return;
	if (deletion->since == INT64_MIN && deletion->until == INT64_MAX)
		admin_reply_error(call, 400, "invalid_query",
				  "Give \"since\", \"until\" or both; to delete all, delete the "
				  "user.");
	else if (deletion->since >= deletion->until)
		admin_reply_error(call, 400, "invalid_query",
				  "\"since\" must be before \"until\".");
	else
		run(deleting);
}

static bool read_flag(struct json_value value, bool *flag)
{
	if (value.end == 0)
		return true;
	*flag = value.type == JSON_TYPE_TRUE;
	return value.type == JSON_TYPE_TRUE || value.type == JSON_TYPE_FALSE;
}

static bool read_text(struct slice body, struct json_value value, struct slice *text,
		      struct arena *arena)
{
	if (value.end == 0)
		return true;
	if (value.type != JSON_TYPE_STRING)
		return false;
	*text = json_string_text(body, value, arena);
	return text->size > 0;
}

/* Refuses a mistyped member, whose meaning would be lost. */
static bool has_only(struct slice body, struct json_value object, const char *const *names,
		     size_t count, struct arena *arena)
{
	struct json_walk walk = json_walk(body, object);
	while (json_next(&walk)) {
		struct slice name = json_string_text(body, walk.key, arena);
		size_t i = 0;
		while (i < count && !slice_equal(name, slice_of(names[i])))
			i++;
		if (i == count)
			return false;
	}
	return true;
}

static const char *read_topic(struct deleting *deleting, struct slice *plan)
{
	static const char *const names[] = {"about",      "entity", "dry_run",    "in_words",
					    "with_facts", "plan",   "never_again"};
	struct admin_call *call = deleting->call;
	struct slice body = http_request_body(call->request);
	struct deletion *deletion = &deleting->deletion;
	struct json_value document, found[7];
	const bool is_dry = deleting->dry_run; /* by the query, whatever the body says */
	bool in_words = true;
	bool with_facts = true;
	if (!json_scan(body, &document) || document.type != JSON_TYPE_OBJECT)
		return "The body is not a JSON object.";
	if (JSON_PICK(body, document, names, found) != 0 ||
	    !has_only(body, document, names, sizeof(names) / sizeof(names[0]), &call->arena))
		return "The body may have \"about\", \"entity\", \"dry_run\", \"in_words\", "
		       "\"with_facts\", \"plan\" and \"never_again\", each once, and nothing else.";
	deleting->dry_run = found[5].end == 0;
	if (!read_text(body, found[0], &deletion->about, &call->arena) ||
	    !read_text(body, found[1], &deletion->entity, &call->arena) ||
	    !read_text(body, found[5], plan, &call->arena))
		return "\"about\", \"entity\" and \"plan\" must be texts that are not empty.";
	if (deletion->about.size + deletion->entity.size == 0)
		return "Say what to forget: \"about\", \"entity\" or both.";
	if (deletion->about.size > MAX_TOPIC || deletion->entity.size > MAX_TOPIC)
		return "\"about\" and \"entity\" may have 4096 bytes at most.";
	if (!read_flag(found[2], &deleting->dry_run) || !read_flag(found[3], &in_words) ||
	    !read_flag(found[4], &with_facts) || !read_flag(found[6], &deletion->never_again))
		return "\"dry_run\", \"in_words\", \"with_facts\" and \"never_again\" must be true "
		       "or false.";
	deletion->entity = fact_entity(deletion->entity);
	deleting->dry_run |= is_dry;
	deletion->keeps_turns = !in_words;
	deletion->keeps_facts = !with_facts;
	return NULL;
}

void admin_forget_topic(struct admin_call *call)
{
	struct slice plan = {0};
	struct deleting *deleting = begin(call, DELETION_TOPIC);
	if (deleting == NULL)
		return;
	const char *fault = read_topic(deleting, &plan);
	if (fault != NULL)
		admin_reply_error(call, 400, "invalid_forget", fault);
	else if (read_plan(call, plan, &deleting->plan))
		run(deleting);
}

/* ---- whole users ---- */

struct forgetting {
	struct user_walk walk; /* over a tenant's users; of one user: over none */
	size_t held;           /* users whom a legal hold keeps */
	bool is_tenant;
	bool forces;  /* a legal hold notwithstanding */
	bool dry_run; /* only counts */
	struct deletion_report sum;
	struct deletion_report report; /* of the user being forgotten */
};

static void on_forgotten(void *cookie, enum store_result result)
{
	struct forgetting *forgetting = cookie;
	struct admin_call *call = forgetting->walk.call;
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		admin_reply_failure(call, result);
		return;
	}
	if (result == STORE_NOT_FOUND)
		call->is_written = false;
	add_report(&forgetting->sum, &forgetting->report);
	admin_walk_on(&forgetting->walk);
}

static void forget(struct forgetting *forgetting, struct user_key user)
{
	struct admin_call *call = forgetting->walk.call;
	learner_forget(call->service->learner, user);
	(void)forgotten_take(&call->service->forgotten, user);
	store_forget(call->service->store, user, clock_wall(), &forgetting->report,
		     (struct store_waiter){admin_store_loop(call, user), on_forgotten, forgetting});
}

/* Adds what deleting the user would take. */
static void add_preview(struct forgetting *forgetting, struct user_key user)
{
	struct admin_call *call = forgetting->walk.call;
	struct deletion_preview preview;
	struct arena scratch = {0};
	enum store_result result = store_preview_deletion(call->service->store, user, &everything,
							  0, &preview, &scratch);
	arena_finish(&scratch);
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		admin_reply_failure(call, result);
		return;
	}
	preview.report.users = 1;
	add_report(&forgetting->sum, &preview.report);
	admin_walk_on(&forgetting->walk);
}

static void forget_next(struct user_walk *walk, const struct listed_user *user)
{
	struct forgetting *forgetting = (struct forgetting *)walk;
	if (!forgetting->forces && is_held(walk->call, user->key)) {
		forgetting->held++;
		admin_walk_on(walk);
	} else if (forgetting->dry_run) {
		add_preview(forgetting, user->key);
	} else {
		forget(forgetting, user->key);
	}
}

static void reply_forgotten(struct user_walk *walk)
{
	const struct forgetting *forgetting = (const struct forgetting *)walk;
	struct admin_call *call = walk->call;
	if (forgetting->dry_run) {
		buffer_append(&call->out, SLICE("{\"dry_run\":true,\"would_delete\":"));
		put_preview(&call->out, &forgetting->sum);
	} else {
		put_report(call, &forgetting->sum);
	}
	if (forgetting->is_tenant)
		buffer_printf(&call->out, ",\"held\":%zu", forgetting->held);
	buffer_append_byte(&call->out, '}');
	admin_reply_json(call, 200);
}

static struct forgetting *begin_forgetting(struct admin_call *call)
{
	struct forgetting *forgetting = arena_alloc(&call->arena, sizeof(*forgetting));
	*forgetting = (struct forgetting){.walk = {call, forget_next, reply_forgotten}};
	return forgetting;
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
		preview_user(call);
		return;
	}
	if (!may_delete(call))
		return;
	if (!keeps)
		(void)store_put_settings(
			call->service->store, call->user, &none,
			(struct store_waiter){loop_for_store(call->loop), NULL, NULL});
	forget(begin_forgetting(call), call->user);
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
	/* No name would be everybody's. */
	if (call->parameter.size == 0 || (!dry_run && !is_confirmed(call))) {
		admin_reply_error(call, 400, "not_confirmed",
				  "Confirm with the tenant's name: {\"confirm\":\"TENANT\"}.");
		return;
	}
	struct forgetting *forgetting = begin_forgetting(call);
	forgetting->is_tenant = true;
	forgetting->forces = forces;
	forgetting->dry_run = dry_run;
	if (dry_run)
		call->action = "preview";
	admin_walk_users(&forgetting->walk, call->parameter);
}
