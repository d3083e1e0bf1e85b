/* A person's settings as JSON: of the admin address, and in an export. */
#include "core/json/json.h"
#include "core/memory/user.h"
#include "core/text/text.h"
#include "proxy/portable/forms.h"
#include "proxy/runtime/loop.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_TEXT = 1024, MAX_NAME = 256 };

static const struct unit {
	const char *name;
	int64_t milliseconds;
} units[] = {
	{"w", INT64_C(604800000)}, {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000},
};

enum { UNITS = sizeof(units) / sizeof(units[0]), MOST_DAYS = 36500 };

static const int64_t LONGEST = INT64_C(86400000) * MOST_DAYS;

/* ---- writing ---- */

static void put_text(struct buffer *out, const char *name, struct slice text)
{
	buffer_printf(out, "\"%s\":", name);
	if (text.size == 0)
		buffer_append(out, SLICE("null"));
	else
		json_quote(out, text);
}

static void put_time(struct buffer *out, const char *name, int64_t at, struct arena *arena)
{
	put_text(out, name, at == 0 ? (struct slice){0} : text_time(at, arena));
}

/* In the largest unit that needs no fraction, but days rather than weeks. */
static void put_period(struct buffer *out, const char *name, int64_t period)
{
	if (period == SETTING_UNSET) {
		buffer_printf(out, "\"%s\":null", name);
		return;
	}
	size_t unit = 1;
	while (unit + 1 < UNITS && period % units[unit].milliseconds != 0)
		unit++;
	if (period == 0)
		buffer_printf(out, "\"%s\":\"0\"", name);
	else
		buffer_printf(out, "\"%s\":\"%" PRId64 "%s\"", name,
			      period / units[unit].milliseconds, units[unit].name);
}

static const char *const pii_words[] = {
	[PII_KEEP] = "keep", [PII_REDACT] = "redact", [PII_DROP] = "drop"};

void portable_write_settings(struct buffer *out, const struct user_settings *settings,
			     struct arena *arena)
{
	buffer_printf(out, "\"learn\":%s,\"inject\":%s,\"retention\":{",
		      settings->learn ? "true" : "false", settings->inject ? "true" : "false");
	put_period(out, "messages", settings->keep_messages);
	buffer_append_byte(out, ',');
	put_period(out, "facts", settings->keep_facts);
	buffer_append(out, SLICE("},"));
	put_text(out, "pii",
		 settings->pii == SETTING_UNSET ? (struct slice){0}
						: slice_of(pii_words[settings->pii]));
	if (settings->consent_at == 0) {
		buffer_append(out, SLICE(",\"consent\":null,"));
	} else {
		buffer_append(out, SLICE(",\"consent\":{"));
		put_time(out, "given_at", settings->consent_at, arena);
		buffer_append_byte(out, ',');
		put_text(out, "by", settings->consent_by);
		buffer_append_byte(out, ',');
		put_text(out, "text_version", settings->consent_text);
		buffer_append(out, SLICE("},"));
	}
	put_time(out, "hold_until", settings->hold_until, arena);
	buffer_append_byte(out, ',');
	put_text(out, "note", settings->note);
	buffer_append_byte(out, ',');
	put_time(out, "changed_at", settings->changed_at, arena);
}

/* ---- reading ---- */

struct body {
	struct user_settings settings;
	struct intake *intake;
	struct arena *arena;
};

static struct slice text_of(const struct body *body, json_t *value)
{
	struct slice text = {json_string_value(value), json_string_length(value)};
	return intake_text(body->intake, arena_copy(body->arena, text), INTAKE_SETTING,
			   body->arena);
}

static bool fits(json_t *value, size_t most)
{
	return json_is_null(value) || (json_is_string(value) && json_string_length(value) <= most);
}

static bool read_period(json_t *value, int64_t *period)
{
	const char *text = json_is_string(value) ? json_string_value(value) : "";
	size_t digits = strspn(text, "0123456789");
	int64_t number = 0;
	if (json_is_null(value))
		return true; /* as configured */
	for (size_t i = 0; i < digits && number <= LONGEST; i++)
		number = 10 * number + (text[i] - '0');
	*period = number;
	if (digits > 0 && number == 0 && text[digits] == '\0')
		return true;
	for (size_t i = 0; i < UNITS; i++) {
		if (digits == 0 || number == 0 || strcmp(text + digits, units[i].name) != 0 ||
		    number > LONGEST / units[i].milliseconds)
			continue;
		*period = number * units[i].milliseconds;
		return true;
	}
	return false;
}

static const char *read_retention(struct body *body, json_t *value)
{
	const char *name;
	json_t *member;
	const char *fault = json_is_object(value) || json_is_null(value)
				    ? NULL
				    : "\"retention\" must be an object.";
	json_object_foreach(value, name, member)
	{
		int64_t *period = strcmp(name, "messages") == 0 ? &body->settings.keep_messages
				  : strcmp(name, "facts") == 0  ? &body->settings.keep_facts
								: NULL;
		if (period == NULL || !read_period(member, period))
			fault = "\"retention\" has \"messages\" and \"facts\", each a period such "
				"as \"30d\", \"0\" or null.";
	}
	return fault;
}

static bool read_time(json_t *value, int64_t *at)
{
	struct slice text = {json_string_value(value), json_string_length(value)};
	return json_is_null(value) || (json_is_string(value) && text_read_time(text, at));
}

static const char *read_consent(struct body *body, json_t *value)
{
	struct user_settings *settings = &body->settings;
	json_t *by = json_object_get(value, "by"), *text = json_object_get(value, "text_version");
	json_t *given_at = json_object_get(value, "given_at");
	const char *name;
	json_t *member;
	if (json_is_null(value))
		return NULL;
	bool is_fine = json_object_size(value) > 0 && (by == NULL || fits(by, MAX_NAME)) &&
		       (text == NULL || fits(text, MAX_NAME));
	json_object_foreach(value, name, member) is_fine &=
		member == by || member == text || member == given_at;
	settings->consent_at = clock_wall();
	is_fine = is_fine && (given_at == NULL || read_time(given_at, &settings->consent_at));
	if (!is_fine || settings->consent_at == 0)
		return "\"consent\" must be null, or an object with at least one of \"given_at\" "
		       "(a time), \"by\" and \"text_version\".";
	settings->consent_by = by == NULL ? (struct slice){0} : text_of(body, by);
	settings->consent_text = text == NULL ? (struct slice){0} : text_of(body, text);
	return NULL;
}

static const char *read_pii(struct body *body, json_t *value)
{
	int pii = SETTING_UNSET;
	for (int i = PII_KEEP; i <= PII_DROP; i++) {
		if (json_is_string(value) && strcmp(json_string_value(value), pii_words[i]) == 0)
			pii = i;
	}
	body->settings.pii = pii;
	return json_is_null(value) || pii != SETTING_UNSET
		       ? NULL
		       : "\"pii\" must be keep, redact, drop or null.";
}

static const char *read_member(struct body *body, const char *name, json_t *value)
{
	struct user_settings *settings = &body->settings;
	bool *flag = strcmp(name, "learn") == 0    ? &settings->learn
		     : strcmp(name, "inject") == 0 ? &settings->inject
						   : NULL;
	if (flag != NULL) {
		*flag = json_is_true(value);
		return json_is_boolean(value) ? NULL
					      : "\"learn\" and \"inject\" must be true or false.";
	}
	if (strcmp(name, "retention") == 0)
		return read_retention(body, value);
	if (strcmp(name, "consent") == 0)
		return read_consent(body, value);
	if (strcmp(name, "pii") == 0)
		return read_pii(body, value);
	if (strcmp(name, "hold_until") == 0)
		return read_time(value, &settings->hold_until)
			       ? NULL
			       : "\"hold_until\" must be a time or null.";
	if (strcmp(name, "note") == 0) {
		settings->note = json_is_string(value) ? text_of(body, value) : (struct slice){0};
		return fits(value, MAX_TEXT) ? NULL
					     : "\"note\" must be a text of at most 1024 bytes.";
	}
	/* A client may send GET's answer back. */
	if (strcmp(name, "user") == 0)
		return NULL;
	if (strcmp(name, "changed_at") == 0)
		return read_time(value, &settings->changed_at)
			       ? NULL
			       : "\"changed_at\" must be a time or null.";
	return arena_printf(body->arena, "\"%.32s\" is not a setting.", name).data;
}

const char *portable_read_settings(struct user_settings *settings, struct slice text,
				   struct intake *intake, struct arena *arena)
{
	struct body body = {settings_default(), intake, arena};
	const char *fault = NULL;
	const char *name;
	json_t *value;
	json_t *object = json_loadb(text.data == NULL ? "" : text.data, text.size,
				    JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object))
		fault = "The body must be a JSON object that names each setting once.";
	json_object_foreach(object, name, value)
	{
		if (fault == NULL)
			fault = read_member(&body, name, value);
	}
	json_decref(object);
	*settings = body.settings;
	return fault;
}
