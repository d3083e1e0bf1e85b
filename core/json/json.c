/* Walks over scanned documents: finds ends, checks nothing again. */
#include "core/base/find_either.h"
#include "core/json/parts.h"

#include <string.h>

/* Longer strings are left to memchr(). */
enum { SHORT_STRING = 64 };

/* The offset after the first quote preceded by an even number of backslashes; `from` is after the
 * quote that begins the string. */
static size_t long_string_end(struct slice document, size_t from)
{
	while (from < document.size) {
		const char *quote = memchr(document.data + from, '"', document.size - from);
		if (quote == NULL)
			break;
		size_t end = (size_t)(quote - document.data);
		size_t backslashes = 0;
		while (end - backslashes > from && document.data[end - backslashes - 1] == '\\')
			backslashes++;
		from = end + 1;
		if (backslashes % 2 == 0)
			return from;
	}
	return document.size;
}

/* The end of the string that begins at `at`. Most strings are short, and a call costs more than
 * they do. */
static inline size_t string_end(struct slice document, size_t at)
{
	size_t from = at + 1;
	bool is_near_end = document.size - from < SHORT_STRING;
	size_t to = is_near_end ? document.size : from + SHORT_STRING;
	from = find_either(document.data, from, to, '"', '\\');
	if (from < document.size && document.data[from] == '"')
		return from + 1;
	return long_string_end(document, from);
}

static size_t container_end(struct slice document, size_t at)
{
	size_t depth = 0;
	while (at < document.size) {
		switch (document.data[at]) {
		case '"':
			at = string_end(document, at);
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			depth--;
			break;
		default:
			break;
		}
		at++;
		if (depth == 0)
			break;
	}
	return at;
}

static size_t scalar_end(struct slice document, size_t at)
{
	while (at < document.size && !byte_is_blank(document.data[at]) &&
	       document.data[at] != ',' && document.data[at] != ']' && document.data[at] != '}')
		at++;
	return at;
}

static struct json_value value_at(struct slice document, size_t begin)
{
	size_t end = begin;
	if (document.data[begin] == '"')
		end = string_end(document, begin);
	else if (document.data[begin] == '{' || document.data[begin] == '[')
		end = container_end(document, begin);
	else
		end = scalar_end(document, begin);
	return json_value_of(document, begin, end);
}

struct json_walk json_walk(struct slice document, struct json_value container)
{
	struct json_walk walk = {.document = document,
				 .is_object = container.type == JSON_TYPE_OBJECT};
	if (container.type == JSON_TYPE_OBJECT || container.type == JSON_TYPE_ARRAY) {
		walk.at = container.begin + 1;
		walk.end = container.end - 1;
	}
	return walk;
}

static void skip_to_next(struct json_walk *walk, char separator)
{
	while (walk->at < walk->end && (byte_is_blank(walk->document.data[walk->at]) ||
					walk->document.data[walk->at] == separator))
		walk->at++;
}

/* If the end is unknown, look for the closing bracket. */
static bool is_at_end(const struct json_walk *walk)
{
	return walk->at >= walk->end || walk->document.data[walk->at] == '}' ||
	       walk->document.data[walk->at] == ']';
}

static inline bool next(struct json_walk *walk)
{
	skip_to_next(walk, ',');
	if (is_at_end(walk))
		return false;
	if (walk->is_object) {
		size_t end = string_end(walk->document, walk->at);
		walk->key = json_value_of(walk->document, walk->at, end);
		walk->at = end;
		skip_to_next(walk, ':');
	}
	walk->value = value_at(walk->document, walk->at);
	walk->at = walk->value.end;
	return true;
}

bool json_next(struct json_walk *walk)
{
	return next(walk);
}

static inline unsigned pick(struct json_walk *members, const char *const *names, size_t count,
			    struct json_value *values)
{
	struct picking picking = json_picking_begin(names, count, values);
	while (next(members))
		json_picking_take(&picking, members->document, members->key, members->value);
	return picking.repeated;
}

unsigned json_pick(struct slice document, struct json_value object, const char *const *names,
		   size_t count, struct json_value *values)
{
	if (object.type == JSON_TYPE_ARRAY)
		object.type = JSON_TYPE_NULL; /* an array's elements are not members */
	struct json_walk members = json_walk(document, object);
	return pick(&members, names, count, values);
}

struct json_value json_member(struct slice document, struct json_value object, const char *name)
{
	struct json_value value;
	(void)json_pick(document, object, &name, 1, &value);
	return value;
}

bool json_next_picked(struct json_walk *walk, const char *const *names, size_t count,
		      struct json_value *values)
{
	skip_to_next(walk, ',');
	if (is_at_end(walk) || walk->document.data[walk->at] != '{')
		return false;
	struct json_walk members = {
		.document = walk->document,
		.at = walk->at + 1,
		.end = walk->document.size,
		.is_object = true,
	};
	(void)pick(&members, names, count, values);
	walk->value = json_value_of(walk->document, walk->at, members.at + 1);
	walk->at = members.at + 1;
	return true;
}
