#include "proxy/admin/fact_body.h"

#include "core/facts/facts.h"
#include "core/text/text.h"
#include "proxy/portable/forms.h"

#include <jansson.h>
#include <string.h>

struct body {
	struct correction *correction;
	struct intake *intake;
	struct arena *arena;
};

typedef const char *member_reader(struct body *body, json_t *value);

/* Empty: it is no string, or too long, or nothing to see. */
static struct slice text_of(struct body *body, json_t *value, enum intake_kind kind)
{
	struct slice text = {json_string_value(value), json_string_length(value)};
	if (!json_is_string(value) || text.size > intake_limit(kind))
		return (struct slice){0};
	return intake_text(body->intake, arena_copy(body->arena, text), kind, body->arena);
}

static const char *read_entity(struct body *body, json_t *value)
{
	body->correction->given.entity = fact_entity(text_of(body, value, INTAKE_NAME));
	return body->correction->given.entity.size > 0
		       ? NULL
		       : "\"entity\" must be \"user\" or a name of at most 64 bytes.";
}

static const char *read_kind(struct body *body, json_t *value)
{
	static const char *const kinds[] = {"user", "person", "place", "project", "thing"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (json_is_string(value) && strcmp(json_string_value(value), kinds[i]) == 0) {
			body->correction->given.kind = slice_of(kinds[i]);
			return NULL;
		}
	}
	return "\"kind\" must be one of user, person, place, project and thing.";
}

static const char *read_key(struct body *body, json_t *value)
{
	struct slice key = fact_key_name(text_of(body, value, INTAKE_NAME), body->arena);
	body->correction->given.key = key;
	return key.size > 0 ? NULL : "\"key\" must be a name of at most 64 bytes.";
}

static const char *read_fact_value(struct body *body, json_t *value)
{
	body->correction->given.value = text_of(body, value, INTAKE_VALUE);
	return body->correction->given.value.size > 0
		       ? NULL
		       : "\"value\" must be a text of at most 512 bytes that is not empty.";
}

static const char *read_flag(json_t *value, bool *flag, const char *fault)
{
	*flag = json_is_true(value);
	return json_is_boolean(value) ? NULL : fault;
}

static const char *read_many(struct body *body, json_t *value)
{
	return read_flag(value, &body->correction->given.many, "\"many\" must be true or false.");
}

static const char *read_pinned(struct body *body, json_t *value)
{
	return read_flag(value, &body->correction->given.pinned,
			 "\"pinned\" must be true or false.");
}

static bool read_class(struct body *body, json_t *name)
{
	enum pii_class class;
	struct fact *given = &body->correction->given;
	if (!json_is_string(name) ||
	    !pii_read((struct slice){json_string_value(name), json_string_length(name)}, &class))
		return false;
	given->classes |= PII_BIT(class);
	return true;
}

static const char *read_pii(struct body *body, json_t *value)
{
	struct fact *given = &body->correction->given;
	size_t i;
	json_t *name;
	bool fits = json_is_boolean(value) || json_is_array(value) || read_class(body, value);
	json_array_foreach(value, i, name) fits &= read_class(body, name);
	given->pii = json_is_true(value) || given->classes != 0;
	body->intake->found |= given->classes;
	return fits ? NULL
		    : "\"pii\" must be true, false, or one or a list of the classes of [pii].";
}

static const char *read_expiry(struct body *body, json_t *value)
{
	struct slice text = {json_string_value(value), json_string_length(value)};
	body->correction->given.expires_at = 0;
	if (json_is_null(value) ||
	    (json_is_string(value) && text_read_time(text, &body->correction->given.expires_at)))
		return NULL;
	return "\"valid_until\" must be a time such as 2026-01-05T10:00:00Z, a date, or null.";
}

static const char *read_confidence(struct body *body, json_t *value)
{
	double confidence = json_number_value(value);
	body->correction->given.confidence = confidence;
	return json_is_number(value) && confidence >= 0 && confidence <= 1
		       ? NULL
		       : "\"confidence\" must be a number from 0 to 1.";
}

static const char *read_state(struct body *body, json_t *value)
{
	const char *word = json_is_string(value) ? json_string_value(value) : "";
	bool ends = strcmp(word, "retracted") == 0;
	body->correction->given.state = ends ? FACT_RETRACTED : FACT_CURRENT;
	return ends || strcmp(word, "current") == 0 ? NULL
						    : "\"state\" must be retracted or current.";
}

/* null takes it away. */
static const char *read_label(struct body *body, json_t *value, struct slice *label,
			      const char *fault)
{
	*label = json_is_null(value) ? (struct slice){0} : text_of(body, value, INTAKE_LABEL);
	return json_is_null(value) || label->size > 0 ? NULL : fault;
}

static const char *read_agent(struct body *body, json_t *value)
{
	return read_label(body, value, &body->correction->given.agent,
			  "\"agent\" must be a text of at most 256 bytes, or null.");
}

static const char *read_app(struct body *body, json_t *value)
{
	return read_label(body, value, &body->correction->given.app,
			  "\"app\" must be a text of at most 256 bytes, or null.");
}

/* null, and an object without members, take it away. */
static const char *read_metadata(struct body *body, json_t *value)
{
	struct slice *metadata = &body->correction->given.metadata;
	const bool is_none =
		json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0);
	*metadata = is_none ? (struct slice){0}
			    : intake_metadata(body->intake, portable_metadata(value, body->arena),
					      body->arena);
	return is_none || metadata->size > 0
		       ? NULL
		       : "\"metadata\" must be a JSON object of at most 4096 bytes and 16 levels, "
			 "or null, in which secrets and personal data to be masked are texts.";
}

static const struct member {
	const char *name;
	unsigned bit;
	member_reader *read;
} members[] = {
	{"entity", CORRECTS_ENTITY, read_entity},
	{"kind", CORRECTS_KIND, read_kind},
	{"key", CORRECTS_KEY, read_key},
	{"value", CORRECTS_VALUE, read_fact_value},
	{"many", CORRECTS_MANY, read_many},
	{"pii", CORRECTS_PII, read_pii},
	{"valid_until", CORRECTS_EXPIRY, read_expiry},
	{"pinned", CORRECTS_PINNED, read_pinned},
	{"confidence", CORRECTS_CONFIDENCE, read_confidence},
	{"state", CORRECTS_STATE, read_state},
	{"agent", CORRECTS_AGENT, read_agent},
	{"app", CORRECTS_APP, read_app},
	{"metadata", CORRECTS_METADATA, read_metadata},
};

static const char *read_member(struct body *body, const char *name, json_t *value)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(members[i].name, name) != 0)
			continue;
		body->correction->members |= members[i].bit;
		return members[i].read(body, value);
	}
	return arena_printf(body->arena, "\"%.32s\" is not a member of a fact.", name).data;
}

/* What the members say together. */
static const char *check(struct correction *correction)
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

const char *fact_body_read(struct correction *correction, struct slice text, struct intake *intake,
			   struct arena *arena)
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
			fault = read_member(&body, name, value);
	}
	json_decref(object);
	if (fault == NULL)
		fault = check(correction);
	if (fault == NULL && (intake->found & intake->policy.drop) != 0)
		fault = "It holds personal data of a class that is not kept here ([pii]).";
	if (fault == NULL && correction->kind == CORRECTION_CREATE)
		fill_names(correction);
	return fault;
}
