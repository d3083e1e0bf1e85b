/* JSON by offset: a strict RFC 8259 scanner that never builds a tree, and a writer of strings.
 *
 * The scanner is for documents that must be left as they are: it says where a value begins and
 * ends. It validates as it goes, UTF-8 included (RFC 3629), allocates nothing and refuses nesting
 * deeper than JSON_MAX_DEPTH. For small documents that are read into a tree there is jansson. */
#ifndef RECALLD_CORE_JSON_JSON_H
#define RECALLD_CORE_JSON_JSON_H

#include "core/base/bytes.h"

enum { JSON_MAX_DEPTH = 256 };

enum json_type {
	JSON_TYPE_NULL,
	JSON_TYPE_FALSE,
	JSON_TYPE_TRUE,
	JSON_TYPE_NUMBER,
	JSON_TYPE_STRING,
	JSON_TYPE_ARRAY,
	JSON_TYPE_OBJECT,
};

/* Where a value lies: [begin, end) of the document, quotes or brackets included. Small enough for
 * two registers, since there are many. */
struct json_value {
	enum json_type type;
	uint32_t begin;
	uint32_t end;
};

/* Scans the one value of the whole document. False: it is not valid JSON, is nested too deeply, is
 * 4 GiB or more, or something but white space follows the value. */
bool json_scan(struct slice document, struct json_value *value);

/* Walks the members of an object or the elements of an array of a document that json_scan()
 * accepted (nothing is checked again); any other value has none:
 *     struct json_walk walk = json_walk(document, object);
 *     while (json_next(&walk)) ... walk.key (of an object's member, with quotes), walk.value ... */
struct json_walk {
	struct slice document;
	size_t at;
	size_t end;
	bool is_object;
	struct json_value key;
	struct json_value value;
};

struct json_walk json_walk(struct slice document, struct json_value container);
bool json_next(struct json_walk *walk);

/* Looks up members of an object by name, all in one walk: values[i] is the member named names[i],
 * the last of several, or a JSON_TYPE_NULL when there is none (or the value is no object). At most
 * 32 names. Returns a bit, 1 << i, for each name that came more than once. */
unsigned json_pick(struct slice document, struct json_value object, const char *const *names,
		   size_t count, struct json_value *values);
/* The same for an array of names. */
#define JSON_PICK(document, object, names, values)                                                 \
	json_pick(document, object, names, sizeof(names) / sizeof((names)[0]), values)

/* An outermost member that is an array of many objects: of each of them members are picked too, as
 * json_pick() does it. Of several of that name all are such lists. */
struct json_list {
	const char *name;
	const char *const *names;
	size_t count;
	struct json_value *values;
	/* Called for each element in its turn, whose members are in `values`; one that is no object
	 * has none. A document may turn out not to be valid when some were taken. */
	void (*take)(void *cookie, struct json_value element);
	void *cookie;
};

/* All in one pass: scans a document, and picks from the object that it is and from the elements of
 * `list`, unless that is NULL. False: it is no valid JSON, and what was picked means nothing. */
bool json_scan_and_pick(struct slice document, const char *const *names, size_t count,
			struct json_value *values, unsigned *repeated,
			const struct json_list *list);

/* json_next() and json_pick() in one pass, for an array of many objects. False also where the next
 * element is no object; the walk then stands before it. */
bool json_next_picked(struct json_walk *walk, const char *const *names, size_t count,
		      struct json_value *values);

/* Whether the value is a string that reads as `text` once its escapes are resolved. */
bool json_string_is(struct slice document, struct json_value string, struct slice text);
/* The string's text with its escapes resolved (a lone surrogate becomes U+FFFD); empty when the
 * value is no string. Points into the document when there is nothing to resolve, else into the
 * arena. */
struct slice json_string_text(struct slice document, struct json_value string, struct arena *arena);
/* Of what lies between `begin` and `end` in the document, which are inside the string: an escape
 * that is cut at either end is left out. */
struct slice json_string_part(struct slice document, struct json_value string, size_t begin,
			      size_t end, struct arena *arena);
/* The value as an integer of at most 18 digits; false when it is not one. */
bool json_read_integer(struct slice document, struct json_value number, int64_t *result);

/* Appends `text` as the inside of a JSON string: quotes, backslashes and control characters
 * escaped, bytes that are not UTF-8 replaced by U+FFFD. */
void json_escape(struct buffer *out, struct slice text);
/* The same with the quotes round it. */
void json_quote(struct buffer *out, struct slice text);

#endif
