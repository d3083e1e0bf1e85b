/* A user's facts, one by one: listed, written down, corrected, restored. */
#include "core/facts/facts.h"
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/admin/fact_body.h"
#include "proxy/background/learner.h"
#include "proxy/portable/forms.h"
#include "storage/rights.h"

#include <inttypes.h>

enum { ANSWER_LIMIT = 64 << 20, USUAL_LIMIT = 100, MAX_LIMIT = 1000 };

/* ---- writing ---- */

void admin_put_time(struct buffer *out, const char *name, int64_t at, struct arena *arena)
{
	if (at == 0)
		buffer_printf(out, ",\"%s\":null", name);
	else
		buffer_printf(out, ",\"%s\":\"%.*s\"", name, SLICE_PRINT(text_time(at, arena)));
}

void admin_put_fact(struct buffer *out, const struct fact *fact, struct arena *arena)
{
	const bool is_suggested = fact->state == FACT_SUGGESTED || fact_is_dismissed(fact);
	const unsigned classes = fact_classes(fact);
	portable_write_said(out, fact);
	buffer_printf(out, ",\"confidence\":%.3g", fact->confidence);
	json_put_flag(out, "pii", fact->pii || classes != 0);
	buffer_append(out, SLICE(",\"pii_classes\":"));
	pii_print(classes, out);
	json_put_flag(out, "pinned", fact->pinned);
	buffer_printf(out, ",\"state\":\"%s\",\"repeats\":%" PRIu64, fact_state_name(fact->state),
		      fact->repeats);
	admin_put_time(out, "observed_at", fact->observed_at, arena);
	admin_put_time(out, "valid_until", fact->expires_at, arena);
	admin_put_time(out, "ended_at", fact->ended_at, arena);
	json_put_id(out, "superseded_by", is_suggested ? 0 : fact->superseded_by);
	json_put_id(out, "contradicts", is_suggested ? fact->superseded_by : 0);
	buffer_printf(out, ",\"source\":{\"type\":\"%s\"", fact_source_name(fact->source));
	json_put_id(out, "exchange", fact->exchange);
	json_put_text(out, "quote", fact->quote);
	json_put_text(out, "by", fact->by);
	buffer_append_byte(out, '}');
	portable_write_labels(out, fact);
	buffer_printf(out, ",\"version\":\"%016" PRIx64 "\"", fact_version(fact));
}

static void put_facts(struct buffer *out, const char *name, const struct fact *facts, size_t count,
		      struct arena *arena)
{
	buffer_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		admin_put_fact(out, &facts[i], arena);
		buffer_append_byte(out, '}');
	}
	buffer_append_byte(out, ']');
}

/* ---- reading ---- */

static bool refuse(struct admin_call *call, const char *message)
{
	admin_reply_error(call, 400, "invalid_query", message);
	return false;
}

static bool read_states(struct admin_call *call, struct fact_filter *filter)
{
	struct slice state;
	if (!admin_query(call, "state", &state))
		return false;
	filter->only_suggested = slice_equal(state, SLICE("suggested"));
	filter->only_hidden = slice_equal(state, SLICE("hidden"));
	filter->all =
		filter->only_suggested || filter->only_hidden || slice_equal(state, SLICE("all"));
	return filter->all || state.data == NULL || slice_equal(state, SLICE("current")) ||
	       refuse(call, "\"state\" must be current, all, suggested or hidden.");
}

static bool read_kind(struct admin_call *call, struct fact_filter *filter)
{
	static const char *const kinds[] = {"user",  "person", "place", "project",
					    "thing", "note",   NULL};
	if (!admin_query(call, "kind", &filter->kind))
		return false;
	return filter->kind.size == 0 || slice_is_any(filter->kind, kinds) ||
	       refuse(call, "\"kind\" must be user, person, place, project, thing or note.");
}

static bool read_filter(struct admin_call *call, struct fact_filter *filter)
{
	struct slice after;
	*filter = (struct fact_filter){.since = INT64_MIN, .until = INT64_MAX, .now = clock_wall()};
	if (!read_states(call, filter) || !admin_query_pii(call, &filter->pii, &filter->classes) ||
	    !admin_query(call, "entity", &filter->entity) || !read_kind(call, filter) ||
	    !admin_query(call, "q", &filter->text) ||
	    !admin_query_time(call, "since", &filter->since) ||
	    !admin_query_time(call, "until", &filter->until) || !admin_query(call, "after", &after))
		return false;
	filter->entity = fact_entity(filter->entity);
	return after.data == NULL || admin_read_id(after, &filter->after) ||
	       refuse(call, "\"after\" must be the \"next\" of an earlier answer.");
}

void admin_get_facts(struct admin_call *call)
{
	struct fact_filter filter;
	struct fact_page page;
	uint64_t limit = USUAL_LIMIT;
	if (!read_filter(call, &filter) || !admin_query_number(call, "limit", MAX_LIMIT, &limit))
		return;
	enum store_result result = store_list_facts(call->service->store, call->user, &filter,
						    limit, &page, &call->arena);
	if (admin_has_failed(call, result))
		return;
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	buffer_append(&out, SLICE("{\"user\":"));
	json_quote(&out, call->parameter);
	put_facts(&out, "facts", page.facts, page.count, &call->arena);
	json_put_id(&out, "next", page.more ? page.facts[page.count - 1].id : 0);
	buffer_append_byte(&out, '}');
	admin_reply_json(call, 200, &out);
}

static void reply_missing(struct admin_call *call)
{
	admin_reply_error(call, 404, "not_found", "There is no such fact.");
}

static void reply_fact(struct admin_call *call, int status, uint64_t id)
{
	struct fact_account account;
	struct arena *arena = &call->arena;
	struct buffer out;
	enum store_result result =
		store_read_fact(call->service->store, call->user, id, &account, arena);
	if (result == STORE_NOT_FOUND) {
		reply_missing(call);
		return;
	}
	if (admin_has_failed(call, result))
		return;
	buffer_init(&out, ANSWER_LIMIT);
	admin_put_fact(&out, &account.fact, arena);
	put_facts(&out, "history", account.older, account.older_count, arena);
	put_facts(&out, "suggested", account.suggested, account.suggested_count, arena);
	buffer_printf(&out,
		      ",\"derived\":{\"receipts\":%" PRIu64 ",\"conversations\":%" PRIu64 "}}",
		      account.receipts, account.conversations);
	admin_reply_tagged(call, status, fact_version(&account.fact), &out);
}

void admin_get_fact(struct admin_call *call)
{
	uint64_t id;
	if (admin_read_id(call->item, &id))
		reply_fact(call, 200, id);
	else
		reply_missing(call);
}

/* ---- correcting ---- */

void admin_reply_changed(struct admin_call *call)
{
	admin_reply_error(call, 412, "changed", "The fact has changed since it was read.");
}

struct correcting {
	struct admin_call *call;
	struct correction correction;
	struct correction_outcome outcome;
};

/* What the call would have let stand: the texts given, or the fact that was named. */
static struct fact wanted(const struct correcting *correcting)
{
	const struct correction *correction = &correcting->correction;
	struct admin_call *call = correcting->call;
	struct fact_account account = {0};
	struct fact wanted = correction->given;
	if (correction->kind != CORRECTION_CREATE &&
	    store_read_fact(call->service->store, call->user, correction->id, &account,
			    &call->arena) == STORE_OK)
		wanted = account.fact;
	if ((correction->members & CORRECTS_ENTITY) != 0)
		wanted.entity = correction->given.entity;
	if ((correction->members & CORRECTS_KEY) != 0)
		wanted.key = correction->given.key;
	if ((correction->members & CORRECTS_VALUE) != 0)
		wanted.value = correction->given.value;
	return wanted;
}

/* 409 with both values. */
static void reply_pinned(const struct correcting *correcting)
{
	struct admin_call *call = correcting->call;
	const struct fact given = wanted(correcting);
	struct fact_account pinned;
	struct buffer out;
	enum store_result result = store_read_fact(call->service->store, call->user,
						   correcting->outcome.id, &pinned, &call->arena);
	if (result != STORE_OK) {
		admin_reply_failure(call, result);
		return;
	}
	buffer_init(&out, ANSWER_LIMIT);
	buffer_append(&out, SLICE("{\"error\":{\"message\":\"Another value of this key is pinned; "
				  "?replace=1 puts yours in its place.\","
				  "\"type\":\"invalid_request_error\",\"param\":\"replace\","
				  "\"code\":\"pinned\"},\"pinned\":"));
	admin_put_fact(&out, &pinned.fact, &call->arena);
	buffer_append(&out, SLICE("},\"given\":{\"entity\":"));
	json_quote(&out, given.entity);
	json_put_text(&out, "key", given.key);
	json_put_text(&out, "value", given.value);
	buffer_append(&out, SLICE("}}"));
	admin_reply_json(call, 409, &out);
}

static void on_corrected(void *cookie, enum store_result result)
{
	struct correcting *correcting = cookie;
	struct admin_call *call = correcting->call;
	call->is_written = result == STORE_OK;
	if (result == STORE_NOT_FOUND)
		correcting->outcome.result = CORRECTION_NO_FACT;
	else if (admin_has_failed(call, result))
		return;
	learner_wake(call->service->learner, call->user, false); /* for a new summary */
	switch (correcting->outcome.result) {
	case CORRECTION_DONE:
		reply_fact(call, 200, correcting->outcome.id);
		return;
	case CORRECTION_CREATED:
		reply_fact(call, 201, correcting->outcome.id);
		return;
	case CORRECTION_NO_FACT:
		reply_missing(call);
		return;
	case CORRECTION_CHANGED:
		admin_reply_changed(call);
		return;
	case CORRECTION_ENDED:
		admin_reply_error(call, 409, "not_current",
				  "The fact does not stand any more; restore it first.");
		return;
	case CORRECTION_NOTHING:
		admin_reply_error(call, 409, "nothing_to_restore", "The fact stands.");
		return;
	case CORRECTION_PINNED:
		reply_pinned(correcting);
		return;
	}
}

static void correct(struct correcting *correcting)
{
	struct admin_call *call = correcting->call;
	correcting->correction.by = SLICE("admin");
	correcting->correction.now = clock_wall();
	store_correct(call->service->store, call->tenant, call->parameter, &correcting->correction,
		      &correcting->outcome,
		      (struct store_waiter){admin_store_loop(call, call->user), on_corrected,
					    correcting});
}

/* Masks what the names make a secret, those that the fact has or gets. */
static void mask_secret(struct correction *correction, const struct fact *was,
			const struct config_memory *settings, struct arena *arena)
{
	struct intake intake = config_intake(settings);
	const struct fact *given = &correction->given;
	struct fact told = {
		.entity = given->entity.size > 0 ? given->entity : was->entity,
		.key = given->key.size > 0 ? given->key : was->key,
		.value = given->value.size > 0 ? given->value : was->value,
	};
	intake_secret(&intake, &told, arena);
	if (intake.masked == 0)
		return;
	correction->given.value = told.value;
	correction->given.metadata = told.metadata;
	correction->members |= CORRECTS_VALUE | CORRECTS_METADATA;
}

/* Secrets, and what identifies a person, are kept as the operator and the user want it. False: not
 * at all; the call has ended. */
static bool apply_policy(struct correcting *correcting, const struct fact *was)
{
	struct admin_call *call = correcting->call;
	struct correction *correction = &correcting->correction;
	struct user_settings settings;
	const bool gives = (correction->members & (CORRECTS_VALUE | CORRECTS_PII)) != 0;
	const struct fact *marked =
		(correction->members & CORRECTS_PII) != 0 ? &correction->given : was;
	enum store_result result =
		store_settings(call->service->store, call->user, &settings, &call->arena);
	if (result != STORE_OK) {
		admin_reply_failure(call, result);
		return false;
	}
	if (correction->kind == CORRECTION_CREATE && !settings.learn) {
		admin_reply_error(call, 409, "restricted", "This user wants nothing kept.");
		return false;
	}
	const struct config_memory configured = admin_memory_settings(call);
	mask_secret(correction, was, &configured, &call->arena);
	const enum pii pii = settings_pii(&settings, (enum pii)configured.retention.pii);
	const bool is_masked =
		(marked->classes & config_intake(&configured).policy.mask & PII_OF_MODEL) != 0;
	if (!gives || (!is_masked && (!marked->pii || pii == PII_KEEP)))
		return true;
	if (marked->pii && pii == PII_DROP) {
		admin_reply_error(call, 409, "pii_dropped",
				  "Facts that identify a person are not kept here.");
		return false;
	}
	fact_mask(&correction->given);
	correction->members |= CORRECTS_VALUE | CORRECTS_METADATA;
	return true;
}

/* NULL: the call has ended. */
static struct correcting *begin(struct admin_call *call, enum correction_kind kind)
{
	struct correcting *correcting = arena_alloc(&call->arena, sizeof(*correcting));
	correcting->call = call;
	correcting->correction.kind = kind;
	return admin_query_switch(call, "replace", &correcting->correction.replaces) ? correcting
										     : NULL;
}

/* False: the call has ended. */
static bool read_body(struct correcting *correcting)
{
	struct admin_call *call = correcting->call;
	const struct config_memory settings = admin_memory_settings(call);
	struct intake intake = config_intake(&settings);
	const char *fault = fact_body_read(&correcting->correction,
					   http_request_body(call->request), &intake, &call->arena);
	if (fault != NULL)
		admin_reply_error(call, 400, "invalid_fact", fault);
	return fault == NULL;
}

void admin_post_fact(struct admin_call *call)
{
	struct correcting *correcting = begin(call, CORRECTION_CREATE);
	if (correcting != NULL && read_body(correcting) && admin_has_consent(call) &&
	    apply_policy(correcting, &(struct fact){0}))
		correct(correcting);
}

/* The fact as it is; if it cannot be read, an empty one. */
static struct fact read_standing(struct admin_call *call, uint64_t id)
{
	struct fact_account account;
	return store_read_fact(call->service->store, call->user, id, &account, &call->arena) ==
			       STORE_OK
		       ? account.fact
		       : (struct fact){0};
}

void admin_patch_fact(struct admin_call *call)
{
	struct correcting *correcting = begin(call, CORRECTION_PATCH);
	if (correcting == NULL)
		return;
	if (!admin_read_id(call->item, &correcting->correction.id)) {
		reply_missing(call);
		return;
	}
	const struct fact was = read_standing(call, correcting->correction.id);
	if (read_body(correcting) &&
	    admin_read_match(correcting->call, &correcting->correction.match) &&
	    apply_policy(correcting, &was))
		correct(correcting);
}

void admin_restore_fact(struct admin_call *call)
{
	struct correcting *correcting = begin(call, CORRECTION_RESTORE);
	if (correcting == NULL)
		return;
	if (!admin_read_id(call->item, &correcting->correction.id))
		reply_missing(call);
	else if (admin_read_match(correcting->call, &correcting->correction.match))
		correct(correcting);
}
