/* A user's facts, one by one: listed, written down, corrected, restored. */
#include "core/facts/facts.h"
#include "core/facts/change.h"
#include "core/facts/intake.h"
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/background/learner.h"
#include "proxy/portable/forms.h"
#include "storage/rights.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

enum { USUAL_LIMIT = 100, MAX_LIMIT = 1000 };

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
	struct buffer *out = &call->out;
	buffer_append(out, SLICE("{\"user\":"));
	json_quote(out, call->parameter);
	put_facts(out, "facts", page.facts, page.count, &call->arena);
	json_put_id(out, "next", page.more ? page.facts[page.count - 1].id : 0);
	buffer_append_byte(out, '}');
	admin_reply_json(call, 200);
}

static void reply_missing(struct admin_call *call)
{
	admin_reply_error(call, 404, "not_found", "There is no such fact.");
}

static void reply_fact(struct admin_call *call, int status, uint64_t id)
{
	struct fact_account account;
	struct arena *arena = &call->arena;
	struct buffer *out = &call->out;
	enum store_result result =
		store_read_fact(call->service->store, call->user, id, &account, arena);
	if (result == STORE_NOT_FOUND) {
		reply_missing(call);
		return;
	}
	if (admin_has_failed(call, result))
		return;
	admin_put_fact(out, &account.fact, arena);
	put_facts(out, "history", account.older, account.older_count, arena);
	put_facts(out, "suggested", account.suggested, account.suggested_count, arena);
	buffer_printf(out, ",\"derived\":{\"receipts\":%" PRIu64 ",\"conversations\":%" PRIu64 "}}",
		      account.receipts, account.conversations);
	admin_reply_tagged(call, status, fact_version(&account.fact));
}

void admin_get_fact(struct admin_call *call)
{
	uint64_t id;
	if (admin_read_id(call->item, &id))
		reply_fact(call, 200, id);
	else
		reply_missing(call);
}

/* ---- what a person says of a fact ---- */

enum member_type {
	MEMBER_ENTITY,
	MEMBER_KIND,
	MEMBER_KEY,
	MEMBER_VALUE,
	MEMBER_FLAG,
	MEMBER_PII,
	MEMBER_TIME,
	MEMBER_SHARE,
	MEMBER_STATE,
	MEMBER_LABEL,
	MEMBER_METADATA,
};

static const struct member {
	const char *name;
	unsigned bit;
	enum member_type type;
	size_t at;         /* in struct fact, of a flag or a label */
	const char *fault; /* what it must be */
} members[] = {
	{"entity", CORRECTS_ENTITY, MEMBER_ENTITY, 0,
	 "\"entity\" must be \"user\" or a name of at most 64 bytes."},
	{"kind", CORRECTS_KIND, MEMBER_KIND, 0,
	 "\"kind\" must be one of user, person, place, project and thing."},
	{"key", CORRECTS_KEY, MEMBER_KEY, 0, "\"key\" must be a name of at most 64 bytes."},
	{"value", CORRECTS_VALUE, MEMBER_VALUE, 0,
	 "\"value\" must be a text of at most 512 bytes that is not empty."},
	{"many", CORRECTS_MANY, MEMBER_FLAG, offsetof(struct fact, many),
	 "\"many\" must be true or false."},
	{"pii", CORRECTS_PII, MEMBER_PII, 0,
	 "\"pii\" must be true, false, or one or a list of the classes of [pii]."},
	{"valid_until", CORRECTS_EXPIRY, MEMBER_TIME, 0,
	 "\"valid_until\" must be a time such as 2026-01-05T10:00:00Z, a date, or null."},
	{"pinned", CORRECTS_PINNED, MEMBER_FLAG, offsetof(struct fact, pinned),
	 "\"pinned\" must be true or false."},
	{"confidence", CORRECTS_CONFIDENCE, MEMBER_SHARE, 0,
	 "\"confidence\" must be a number from 0 to 1."},
	{"state", CORRECTS_STATE, MEMBER_STATE, 0, "\"state\" must be retracted or current."},
	{"agent", CORRECTS_AGENT, MEMBER_LABEL, offsetof(struct fact, agent),
	 "\"agent\" must be a text of at most 256 bytes, or null."},
	{"app", CORRECTS_APP, MEMBER_LABEL, offsetof(struct fact, app),
	 "\"app\" must be a text of at most 256 bytes, or null."},
	{"metadata", CORRECTS_METADATA, MEMBER_METADATA, 0,
	 "\"metadata\" must be a JSON object of at most 4096 bytes and 16 levels, or null, in "
	 "which secrets and personal data to be masked are texts."},
};

struct body {
	struct correction *correction;
	struct intake *intake;
	struct arena *arena;
};

static struct slice string_of(const json_t *value)
{
	return (struct slice){json_string_value(value), json_string_length(value)};
}

/* Empty: it is no string, or too long, or nothing to see. */
static struct slice text_of(struct body *body, json_t *value, enum intake_kind kind)
{
	const struct slice text = string_of(value);
	if (!json_is_string(value) || text.size > intake_limit(kind))
		return (struct slice){0};
	return intake_text(body->intake, arena_copy(body->arena, text), kind, body->arena);
}

static bool read_fact_kind(struct fact *given, json_t *value)
{
	static const char *const kinds[] = {"user", "person", "place", "project", "thing"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (slice_equal(string_of(value), slice_of(kinds[i]))) {
			given->kind = slice_of(kinds[i]);
			return true;
		}
	}
	return false;
}

static bool read_class(struct fact *given, json_t *name)
{
	enum pii_class class;
	if (!json_is_string(name) || !pii_read(string_of(name), &class))
		return false;
	given->classes |= PII_BIT(class);
	return true;
}

static bool read_pii(struct body *body, json_t *value)
{
	struct fact *given = &body->correction->given;
	size_t i;
	json_t *name;
	bool fits = json_is_boolean(value) || json_is_array(value) || read_class(given, value);
	json_array_foreach(value, i, name) fits &= read_class(given, name);
	given->pii = json_is_true(value) || given->classes != 0;
	body->intake->found |= given->classes;
	return fits;
}

/* null, and an object without members, take it away. */
static bool read_metadata(struct body *body, json_t *value)
{
	const bool is_none =
		json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0);
	const struct slice metadata =
		is_none ? (struct slice){0}
			: intake_metadata(body->intake, portable_metadata(value, body->arena),
					  body->arena);
	body->correction->given.metadata = metadata;
	return is_none || metadata.size > 0;
}

/* False: it is not what its row says. */
static bool read_member(struct body *body, const struct member *member, json_t *value)
{
	struct fact *given = &body->correction->given;
	void *place = (char *)given + member->at;
	switch (member->type) {
	case MEMBER_ENTITY:
		given->entity = fact_entity(text_of(body, value, INTAKE_NAME));
		return given->entity.size > 0;
	case MEMBER_KIND:
		return read_fact_kind(given, value);
	case MEMBER_KEY:
		given->key = fact_key_name(text_of(body, value, INTAKE_NAME), body->arena);
		return given->key.size > 0;
	case MEMBER_VALUE:
		given->value = text_of(body, value, INTAKE_VALUE);
		return given->value.size > 0;
	case MEMBER_FLAG:
		*(bool *)place = json_is_true(value);
		return json_is_boolean(value);
	case MEMBER_PII:
		return read_pii(body, value);
	case MEMBER_TIME:
		given->expires_at = 0;
		return json_is_null(value) ||
		       (json_is_string(value) &&
			text_read_time(string_of(value), &given->expires_at));
	case MEMBER_SHARE:
		given->confidence = json_number_value(value);
		return json_is_number(value) && given->confidence >= 0 && given->confidence <= 1;
	case MEMBER_STATE:
		given->state = slice_equal(string_of(value), SLICE("retracted")) ? FACT_RETRACTED
										 : FACT_CURRENT;
		return given->state == FACT_RETRACTED ||
		       slice_equal(string_of(value), SLICE("current"));
	case MEMBER_LABEL: /* null takes it away */
		*(struct slice *)place = text_of(body, value, INTAKE_LABEL);
		return json_is_null(value) || ((struct slice *)place)->size > 0;
	case MEMBER_METADATA:
		return read_metadata(body, value);
	}
	return false;
}

/* NULL: it is fine. */
static const char *read_named(struct body *body, const char *name, json_t *value)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(members[i].name, name) != 0)
			continue;
		body->correction->members |= members[i].bit;
		return read_member(body, &members[i], value) ? NULL : members[i].fault;
	}
	return arena_printf(body->arena, "\"%.32s\" is not a member of a fact.", name).data;
}

/* The joint meaning of the members. */
static const char *check_members(struct correction *correction)
{
	const bool creates = correction->kind == CORRECTION_CREATE;
	const unsigned needed = CORRECTS_KEY | CORRECTS_VALUE;
	const unsigned closed = creates ? CORRECTS_STATE : CORRECTS_MANY;
	if ((correction->members & closed) != 0)
		return creates ? "A new fact has no \"state\"."
			       : "\"many\" cannot be changed: write a new fact.";
	if (creates && (correction->members & needed) != needed)
		return "A new fact needs a \"key\" and a \"value\".";
	if (correction->members == 0)
		return "Give at least one member to change.";
	if ((correction->members & CORRECTS_STATE) != 0 && correction->members != CORRECTS_STATE)
		return "\"state\" is changed alone.";
	return NULL;
}

static void fill_names(struct correction *correction)
{
	struct fact *given = &correction->given;
	if ((correction->members & CORRECTS_ENTITY) == 0)
		given->entity = SLICE("user");
	if ((correction->members & CORRECTS_KIND) == 0)
		given->kind =
			slice_equal(given->entity, SLICE("user")) ? SLICE("user") : SLICE("thing");
	correction->members |= CORRECTS_ENTITY | CORRECTS_KIND;
}

/* Fills a CORRECTION_CREATE or CORRECTION_PATCH with the members of the JSON `text`. NULL: it is
 * fine; else what is wrong with it: a person who writes a text that is too long is told. */
static const char *read_correction(struct correction *correction, struct slice text,
				   struct intake *intake, struct arena *arena)
{
	struct body body = {correction, intake, arena};
	const char *fault = NULL;
	const char *name;
	json_t *value;
	json_t *object = json_loadb(text.data == NULL ? "" : text.data, text.size,
				    JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		return "The body must be a JSON object that names each member once.";
	}
	json_object_foreach(object, name, value)
	{
		if (fault == NULL)
			fault = read_named(&body, name, value);
	}
	json_decref(object);
	if (fault == NULL)
		fault = check_members(correction);
	if (fault == NULL && (intake->found & intake->policy.drop) != 0)
		fault = "It holds personal data of a class that is not kept here ([pii]).";
	if (fault == NULL && correction->kind == CORRECTION_CREATE)
		fill_names(correction);
	return fault;
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

/* The call would have kept: the texts given, or the fact that was named. */
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
	struct buffer *out = &call->out;
	enum store_result result = store_read_fact(call->service->store, call->user,
						   correcting->outcome.id, &pinned, &call->arena);
	if (admin_has_failed(call, result))
		return;
	buffer_append(out, SLICE("{\"error\":{\"message\":\"Another value of this key is pinned; "
				 "?replace=1 puts yours in its place.\","
				 "\"type\":\"invalid_request_error\",\"param\":\"replace\","
				 "\"code\":\"pinned\"},\"pinned\":"));
	admin_put_fact(out, &pinned.fact, &call->arena);
	buffer_append(out, SLICE("},\"given\":{\"entity\":"));
	json_quote(out, given.entity);
	json_put_text(out, "key", given.key);
	json_put_text(out, "value", given.value);
	buffer_append(out, SLICE("}}"));
	admin_reply_json(call, 409);
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
	case CORRECTION_CREATED:
		reply_fact(call, correcting->outcome.result == CORRECTION_DONE ? 200 : 201,
			   correcting->outcome.id);
		break;
	case CORRECTION_NO_FACT:
		reply_missing(call);
		break;
	case CORRECTION_CHANGED:
		admin_reply_changed(call);
		break;
	case CORRECTION_ENDED:
		admin_reply_error(call, 409, "not_current",
				  "The fact does not stand any more; restore it first.");
		break;
	case CORRECTION_NOTHING:
		admin_reply_error(call, 409, "nothing_to_restore", "The fact stands.");
		break;
	case CORRECTION_PINNED:
		reply_pinned(correcting);
		break;
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
	if (admin_has_failed(call, result))
		return false;
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
	const char *fault = read_correction(
		&correcting->correction, http_request_body(call->request), &intake, &call->arena);
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
