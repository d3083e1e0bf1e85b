/* A call's parameters outside its path and its body: the parameters behind the "?", and If-
 * Match. */
#include "core/facts/facts.h"
#include "core/pii/pii.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"

#include <inttypes.h>
#include <jansson.h>

enum { MESSAGE_LIMIT = 256, MOST_SHOWN = 64, HEX_DIGITS = 16, MOST_PARAMETERS = 64 << 10 };

/* The next "name=value", and what follows it. */
static struct slice take_pair(struct slice *query)
{
	size_t end = slice_find(*query, SLICE("&"), 0);
	struct slice pair = slice_part(*query, 0, end);
	*query = slice_part(*query, end < query->size ? end + 1 : end, query->size);
	return pair;
}

static struct slice name_of(struct slice pair)
{
	return slice_part(pair, 0, slice_find(pair, SLICE("="), 0));
}

/* The value of the first pair of that name. */
static struct slice find_value(const struct admin_call *call, struct slice name)
{
	struct slice query = call->query;
	while (query.size > 0) {
		struct slice pair = take_pair(&query);
		if (pair.size > name.size && slice_equal(name_of(pair), name))
			return slice_part(pair, name.size + 1, pair.size);
	}
	return (struct slice){0};
}

static bool refuse(struct admin_call *call, const char *name, const char *need)
{
	char message[MESSAGE_LIMIT];
	(void)snprintf(message, sizeof(message), "\"%s\" must be %s.", name, need);
	admin_reply_error(call, 400, "invalid_query", message);
	return false;
}

bool admin_query(struct admin_call *call, const char *name, struct slice *value)
{
	struct slice written = find_value(call, slice_of(name));
	*value = (struct slice){0};
	if (written.data == NULL)
		return true;
	if (!percent_decode(written, value, &call->arena))
		return refuse(call, name, "percent-encoded");
	if (value->data == NULL)
		*value = SLICE("");
	return true;
}

bool admin_query_switch(struct admin_call *call, const char *name, bool *on)
{
	struct slice text;
	if (!admin_query(call, name, &text))
		return false;
	if (text.data == NULL)
		return true;
	*on = slice_equal(text, SLICE("1"));
	return *on || slice_equal(text, SLICE("0")) || refuse(call, name, "0 or 1");
}

bool admin_query_number(struct admin_call *call, const char *name, uint64_t most, uint64_t *number)
{
	struct slice text;
	uint64_t read = 0;
	if (!admin_query(call, name, &text))
		return false;
	if (text.data == NULL)
		return true;
	bool fits = text.size > 0;
	for (size_t i = 0; fits && i < text.size; i++) {
		fits = text.data[i] >= '0' && text.data[i] <= '9';
		read = 10 * read + (uint64_t)(text.data[i] - '0');
		fits = fits && read <= most;
	}
	if (fits && read > 0) {
		*number = read;
		return true;
	}
	char need[MESSAGE_LIMIT / 2];
	(void)snprintf(need, sizeof(need), "a whole number from 1 to %" PRIu64, most);
	return refuse(call, name, need);
}

bool admin_query_time(struct admin_call *call, const char *name, int64_t *at)
{
	struct slice text;
	if (!admin_query(call, name, &text))
		return false;
	if (text.data == NULL || text_read_time(text, at))
		return true;
	return refuse(call, name, "a time such as 2026-01-05T10:00:00Z, or a date");
}

bool admin_query_pii(struct admin_call *call, int *pii, unsigned *classes)
{
	struct slice text;
	enum pii_class class;
	*pii = -1;
	*classes = 0;
	if (!admin_query(call, "pii", &text))
		return false;
	if (text.data == NULL)
		return true;
	if (pii_read(text, &class)) {
		*classes = PII_BIT(class);
		return true;
	}
	*pii = slice_equal(text, SLICE("true")) || slice_equal(text, SLICE("1"));
	return *pii == 1 || slice_equal(text, SLICE("false")) || slice_equal(text, SLICE("0")) ||
	       refuse(call, "pii", "true, false or a class of [pii]");
}

bool admin_read_id(struct slice text, uint64_t *id)
{
	*id = 0;
	for (size_t i = 0; i < text.size; i++) {
		const uint64_t digit = (uint64_t)(text.data[i] - '0');
		if (digit > 9 || *id > (UINT64_MAX - digit) / 10)
			return false;
		*id = 10 * *id + digit;
	}
	return *id > 0;
}

bool admin_read_hex(struct slice text, uint64_t *id)
{
	bool fits = text.size == HEX_DIGITS;
	*id = 0;
	for (size_t i = 0; fits && i < text.size; i++) {
		size_t digit = slice_find(SLICE("0123456789abcdef"), slice_part(text, i, i + 1), 0);
		fits = digit < 16;
		*id = *id << 4 | digit;
	}
	return fits;
}

struct config_memory admin_memory_settings(const struct admin_call *call)
{
	return config_memory_for(call->config, (struct slice){0}, call->tenant, call->parameter);
}

/* The name's place in the list, from 0, or the number of names in it. */
static unsigned place_in(struct slice names, struct slice name)
{
	unsigned place = 0;
	for (size_t begin = 0; begin < names.size; place++) {
		size_t end = slice_find(names, SLICE(" "), begin);
		if (slice_equal(slice_part(names, begin, end), name))
			break;
		begin = end + 1;
	}
	return place;
}

static void refuse_pair(struct admin_call *call, struct slice pair)
{
	struct slice name = name_of(pair);
	struct slice shown = slice_part(name, 0, name.size < MOST_SHOWN ? name.size : MOST_SHOWN);
	struct slice message = arena_printf(
		&call->arena,
		name.size == pair.size
			? "\"%.*s\" in the query has no value."
			: "\"%.*s\" is no parameter of this call, or stands there twice.",
		SLICE_PRINT(shown));
	admin_reply_error(call, 400, "invalid_query", message.data);
}

bool admin_query_add_body(struct admin_call *call)
{
	struct buffer query;
	const char *name;
	json_t *value;
	const struct slice body = http_request_body(call->request);
	json_t *object = body.size > MOST_PARAMETERS
				 ? NULL
				 : json_loadb(body.data == NULL ? "" : body.data, body.size,
					      JSON_REJECT_DUPLICATES, NULL);
	bool fits = json_is_object(object) || body.size == 0;
	buffer_init(&query, body.size * 3 + call->query.size + 1);
	buffer_append(&query, call->query);
	json_object_foreach(object, name, value)
	{
		const struct slice text =
			json_is_boolean(value)
				? json_is_true(value) ? SLICE("1") : SLICE("0")
				: slice_of(json_is_string(value) ? json_string_value(value) : "");
		fits = fits && text.size > 0;
		buffer_append_byte(&query, '&');
		percent_encode(&query, slice_of(name));
		buffer_append_byte(&query, '=');
		percent_encode(&query, text);
	}
	call->query = arena_copy(&call->arena, buffer_slice(&query));
	buffer_finish(&query);
	json_decref(object);
	if (!fits)
		admin_reply_error(call, 400, "invalid_body",
				  "The body must be a JSON object whose members are parameters of "
				  "this call: true, false or texts.");
	return fits;
}

bool admin_query_admits(struct admin_call *call, const char *names)
{
	const struct slice list = arena_printf(&call->arena, "tenant %s", names);
	const unsigned unknown = place_in(list, SLICE(""));
	struct slice query = call->query;
	uint64_t seen = 0; /* bit 0 is the first name */
	while (query.size > 0) {
		struct slice pair = take_pair(&query);
		unsigned place = place_in(list, name_of(pair));
		if (pair.size == 0)
			continue;
		if (place >= unknown || (seen >> place & 1) != 0 ||
		    name_of(pair).size == pair.size) {
			refuse_pair(call, pair);
			return false;
		}
		seen |= UINT64_C(1) << place;
	}
	return true;
}

/* ---- If-Match ---- */

/* Takes the next entity-tag of a list, without its quotation marks; `data` is NULL at the list's
 * end. A weak one never matches (RFC 9110, 8.8.3.2) and is given as empty. False: it is no list. */
static bool take_tag(struct slice *list, struct slice *tag)
{
	*tag = (struct slice){0};
	*list = slice_trim(*list);
	while (slice_starts_with(*list, SLICE(",")))
		*list = slice_trim(slice_part(*list, 1, list->size));
	if (list->size == 0)
		return true;
	const bool is_weak = slice_starts_with(*list, SLICE("W/"));
	const size_t begin = is_weak ? 3 : 1;
	const size_t end = slice_find(*list, SLICE("\""), begin);
	if (end >= list->size || list->data[begin - 1] != '"')
		return false;
	*tag = is_weak ? SLICE("") : slice_part(*list, begin, end);
	*list = slice_trim(slice_part(*list, end + 1, list->size));
	return list->size == 0 || list->data[0] == ',';
}

static bool read_tags(struct slice list, uint64_t *versions, size_t *count)
{
	struct slice tag;
	bool fits;
	while ((fits = take_tag(&list, &tag)) && tag.data != NULL)
		*count += admin_read_hex(tag, &versions[*count]);
	return fits;
}

bool admin_read_match(struct admin_call *call, struct fact_match *match)
{
	const struct http_head *head = http_request_head(call->request);
	bool fits = true;
	size_t size = 0;
	*match = (struct fact_match){0};
	for (size_t i = 0; i < head->field_count; i++) {
		const struct http_field *field = &head->fields[i];
		if (!slice_equal_nocase(field->name, SLICE("If-Match")))
			continue;
		match->is_asked |= !slice_equal(slice_trim(field->value), SLICE("*"));
		size += field->value.size;
	}
	if (!match->is_asked)
		return true;
	uint64_t *versions = arena_alloc(&call->arena, (size / HEX_DIGITS + 1) * sizeof(*versions));
	match->versions = versions;
	for (size_t i = 0; fits && i < head->field_count; i++) {
		if (slice_equal_nocase(head->fields[i].name, SLICE("If-Match")))
			fits = read_tags(head->fields[i].value, versions, &match->count);
	}
	if (!fits)
		admin_reply_error(call, 412, "changed",
				  "If-Match must be * or a list of versions of this fact, each "
				  "\"version\" in quotation marks.");
	return fits;
}
