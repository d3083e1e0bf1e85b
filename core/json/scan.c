/* The scanner: json_scan() and json_scan_and_pick().
 *
 * Each element of the grammar has a function. It takes the offset where the element begins and
 * returns the offset where it ends, or 0, where nothing ends, if it is invalid. Everything is
 * passed by value so that it stays in registers. Nesting is recursion, bounded by JSON_MAX_DEPTH:
 * `depth` counts the enclosing containers. */
#include "core/base/utf8.h"
#include "core/json/parts.h"

#include <string.h>

static inline bool stands_at(struct slice document, size_t at, char byte)
{
	return at < document.size && document.data[at] == byte;
}

static inline size_t space_end(struct slice document, size_t at)
{
	while (at < document.size && byte_is_blank(document.data[at]))
		at++;
	return at;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The length of the escape at `escape`; 0 if it is invalid. */
static size_t escape_length(const char *escape, size_t left)
{
	if (left < 2 || escape[1] == '\0')
		return 0;
	if (strchr("\"\\/bfnrt", escape[1]) != NULL)
		return 2;
	bool is_unicode = left >= 6 && escape[1] == 'u' && is_hex(escape[2]) && is_hex(escape[3]) &&
			  is_hex(escape[4]) && is_hex(escape[5]);
	return is_unicode ? 6 : 0;
}

/* The end of the run of non-ASCII characters; a byte that begins none also ends it. */
static size_t wide_end(const char *data, size_t at, size_t size)
{
	while (at < size && (signed char)data[at] < 0) {
		size_t length = utf8_length(data + at, size - at);
		if (length == 0)
			break;
		at += length;
	}
	return at;
}

/* The closing quote of a string, searched from a byte that needs a closer look; `size` if the
 * string is invalid. */
static size_t closing_quote(const char *data, size_t at, size_t size)
{
	while (at < size && data[at] != '"') {
		at = wide_end(data, at, size);
		if (at == size || (signed char)data[at] < ' ')
			return size;
		if (data[at] == '\\') {
			size_t length = escape_length(data + at, size - at);
			if (length == 0)
				return size;
			at += length;
		}
		at = json_plain_end(data, at, size);
	}
	return at;
}

/* Most strings are one plain run, and a call costs more than that. */
static inline size_t string_end(struct slice document, size_t at)
{
	if (!stands_at(document, at, '"'))
		return 0;
	at = json_plain_end(document.data, at + 1, document.size);
	if (!stands_at(document, at, '"'))
		at = closing_quote(document.data, at, document.size);
	return at < document.size ? at + 1 : 0;
}

/* The end of one or more digits. */
static size_t digits_end(struct slice document, size_t at)
{
	size_t begin = at;
	while (at < document.size && document.data[at] >= '0' && document.data[at] <= '9')
		at++;
	return at > begin ? at : 0;
}

static size_t exponent_end(struct slice document, size_t at)
{
	if (stands_at(document, at, '+') || stands_at(document, at, '-'))
		at++;
	return digits_end(document, at);
}

static size_t number_end(struct slice document, size_t at)
{
	if (stands_at(document, at, '-'))
		at++;
	at = stands_at(document, at, '0') ? at + 1 : digits_end(document, at);
	if (at > 0 && stands_at(document, at, '.'))
		at = digits_end(document, at + 1);
	if (at > 0 && (stands_at(document, at, 'e') || stands_at(document, at, 'E')))
		at = exponent_end(document, at + 1);
	return at;
}

static size_t word_end(struct slice document, size_t at, struct slice word)
{
	struct slice rest = slice_part(document, at, document.size);
	return slice_starts_with(rest, word) ? at + word.size : 0;
}

static size_t object_end(struct slice document, size_t at, unsigned depth);
static size_t array_end(struct slice document, size_t at, unsigned depth);

static inline size_t value_end(struct slice document, size_t at, unsigned depth)
{
	if (at == document.size)
		return 0;
	switch (json_type_of(document.data[at])) {
	case JSON_TYPE_STRING:
		return string_end(document, at);
	case JSON_TYPE_OBJECT:
		return object_end(document, at, depth);
	case JSON_TYPE_ARRAY:
		return array_end(document, at, depth);
	case JSON_TYPE_NUMBER:
		return number_end(document, at);
	case JSON_TYPE_TRUE:
		return word_end(document, at, SLICE("true"));
	case JSON_TYPE_FALSE:
		return word_end(document, at, SLICE("false"));
	case JSON_TYPE_NULL:
		return word_end(document, at, SLICE("null"));
	}
	return 0;
}

/* The end of an element of the list whose members are picked. */
static size_t listed_end(struct slice document, size_t at, const struct json_list *list);

/* `list` is NULL for all arrays but one. */
static inline size_t elements_end(struct slice document, size_t at, unsigned depth,
				  const struct json_list *list)
{
	if (depth == JSON_MAX_DEPTH)
		return 0;
	at = space_end(document, at + 1);
	if (stands_at(document, at, ']'))
		return at + 1;
	for (;;) {
		at = list == NULL ? value_end(document, at, depth + 1)
				  : listed_end(document, at, list);
		if (at == 0)
			return 0;
		at = space_end(document, at);
		if (!stands_at(document, at, ','))
			return stands_at(document, at, ']') ? at + 1 : 0;
		at = space_end(document, at + 1);
	}
}

/* The end of the colon after a key, and of the space around it. */
static inline size_t colon_end(struct slice document, size_t at)
{
	at = space_end(document, at);
	return stands_at(document, at, ':') ? space_end(document, at + 1) : 0;
}

static inline size_t member_end(struct slice document, struct json_value key, size_t begin,
				unsigned depth, const struct json_list *list)
{
	bool is_list = list != NULL && stands_at(document, begin, '[') &&
		       json_key_is(document, key, list->name);
	return is_list ? elements_end(document, begin, depth, list)
		       : value_end(document, begin, depth);
}

/* `picking` is NULL except for objects whose members are looked for; always inlined, so that the
 * others do not pay for it. */
static inline size_t members_end(struct slice document, size_t at, unsigned depth,
				 struct picking *picking) __attribute__((always_inline));

static inline size_t members_end(struct slice document, size_t at, unsigned depth,
				 struct picking *picking)
{
	if (depth == JSON_MAX_DEPTH)
		return 0;
	at = space_end(document, at + 1);
	if (stands_at(document, at, '}'))
		return at + 1;
	for (;;) {
		size_t key_end = string_end(document, at);
		size_t begin = key_end == 0 ? 0 : colon_end(document, key_end);
		if (begin == 0)
			return 0;
		struct json_value key = json_value_of(document, at, key_end);
		const struct json_list *list = picking == NULL ? NULL : picking->list;
		size_t end = member_end(document, key, begin, depth + 1, list);
		if (end == 0)
			return 0;
		if (picking != NULL)
			json_picking_take(picking, document, key,
					  json_value_of(document, begin, end));
		at = space_end(document, end);
		if (!stands_at(document, at, ','))
			return stands_at(document, at, '}') ? at + 1 : 0;
		at = space_end(document, at + 1);
	}
}

static size_t object_end(struct slice document, size_t at, unsigned depth)
{
	return members_end(document, at, depth, NULL);
}

static size_t array_end(struct slice document, size_t at, unsigned depth)
{
	return elements_end(document, at, depth, NULL);
}

static size_t listed_end(struct slice document, size_t at, const struct json_list *list)
{
	enum { DEPTH = 2 }; /* in an array in the outermost object */
	struct picking picking = json_picking_begin(list->names, list->count, list->values);
	size_t end = stands_at(document, at, '{') ? members_end(document, at, DEPTH, &picking)
						  : value_end(document, at, DEPTH);
	if (end != 0)
		list->take(list->cookie, json_value_of(document, at, end));
	return end;
}

/* Whether this is the end of the document's only value. */
static bool is_last_end(struct slice document, size_t end)
{
	return end > 0 && space_end(document, end) == document.size;
}

bool json_scan(struct slice document, struct json_value *value)
{
	if (document.size > UINT32_MAX)
		return false;
	size_t begin = space_end(document, 0);
	size_t end = value_end(document, begin, 0);
	if (!is_last_end(document, end))
		return false;
	*value = json_value_of(document, begin, end);
	return true;
}

bool json_scan_and_pick(struct slice document, const char *const *names, size_t count,
			struct json_value *values, unsigned *repeated, const struct json_list *list)
{
	struct picking picking = json_picking_begin(names, count, values);
	picking.list = list;
	*repeated = 0;
	if (document.size > UINT32_MAX)
		return false;
	size_t begin = space_end(document, 0);
	size_t end = stands_at(document, begin, '{') ? members_end(document, begin, 0, &picking)
						     : value_end(document, begin, 0);
	*repeated = picking.repeated;
	return is_last_end(document, end);
}
