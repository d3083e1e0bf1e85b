/* JSON by offset: a strict RFC 8259 scanner that never builds a tree, and a writer of strings.
 *
 * The scanner is for documents that must stay unchanged: it says where a value begins and ends. It
 * validates as it goes, UTF-8 included (RFC 3629), allocates nothing, and refuses nesting deeper
 * than JSON_MAX_DEPTH. Use jansson for small documents that are read into a tree. */
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

/* The position of a value: [begin, end) of the document, quotes or brackets included. Small enough
 * for two registers, since there are many. */
struct json_value {
	enum json_type type;
	uint32_t begin;
	uint32_t end;
};

/* Scans a document that is one value. False: it is invalid JSON, nested too deeply, 4 GiB or more,
 * or something except white space follows the value. */
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

/* Whether an object has no members, or an array no elements. */
static inline bool json_is_empty(struct slice document, struct json_value container)
{
	return slice_trim(slice_part(document, container.begin + 1, container.end - 1)).size == 0;
}

/* Looks up several members of an object in one walk: values[i] is the last member named names[i],
 * or a JSON_TYPE_NULL if there is none (or the value is not an object). At most 32 names. Returns a
 * bit, 1 << i, for each name that occurs more than once. */
unsigned json_pick(struct slice document, struct json_value object, const char *const *names,
		   size_t count, struct json_value *values);
/* json_pick() for an array of names. */
#define JSON_PICK(document, object, names, values)                                                 \
	json_pick(document, object, names, sizeof(names) / sizeof((names)[0]), values)

/* The last member of that name; a JSON_TYPE_NULL if there is none. */
struct json_value json_member(struct slice document, struct json_value object, const char *name);

/* A top-level member that is an array of many objects, whose members are picked too, as by
 * json_pick(). If the name occurs several times, each occurrence is such a list. */
struct json_list {
	const char *name;
	const char *const *names;
	size_t count;
	struct json_value *values;
	/* Called for each element in order, with its members in `values`; an element that is not an
	 * object has none. The document may still turn out to be invalid after some calls. */
	void (*take)(void *cookie, struct json_value element);
	void *cookie;
};

/* Scans a document and picks members from its object and from the elements of `list` (may be NULL),
 * in one pass. False: it is invalid JSON; ignore what was picked. */
bool json_scan_and_pick(struct slice document, const char *const *names, size_t count,
			struct json_value *values, unsigned *repeated,
			const struct json_list *list);

/* json_next() and json_pick() in one pass, for an array of many objects. Also false if the next
 * element is not an object; the walk then stands before it. */
bool json_next_picked(struct json_walk *walk, const char *const *names, size_t count,
		      struct json_value *values);

/* Whether the value is a string equal to `text` after its escapes are resolved. */
bool json_string_is(struct slice document, struct json_value string, struct slice text);
/* The string's text with escapes resolved (a lone surrogate becomes U+FFFD); empty if the value is
 * not a string. Points into the document if there are no escapes, otherwise into the arena. */
struct slice json_string_text(struct slice document, struct json_value string, struct arena *arena);
/* The text of the part between `begin` and `end`, which lie inside the string. Omits an escape that
 * is cut at either end. */
struct slice json_string_part(struct slice document, struct json_value string, size_t begin,
			      size_t end, struct arena *arena);
/* Makes each escape of a lone surrogate, in place, that of U+FFFD; other bytes stay as they are. */
void json_mend_surrogates(char *text, size_t size);
/* Reads an integer of at most 18 digits. False: the value is not one. */
bool json_read_integer(struct slice document, struct json_value number, int64_t *result);

/* Appends `text` as the inside of a JSON string: escapes quotes, backslashes and control
 * characters, and replaces bytes that are not UTF-8 by U+FFFD. */
void json_escape(struct buffer *out, struct slice text);
/* Appends the string with its quotes. */
void json_quote(struct buffer *out, struct slice text);

/* Members of an object that are not its first: each begins with a comma. Names are not escaped. */
void json_put_text(struct buffer *out, const char *name, struct slice text);
void json_put_flag(struct buffer *out, const char *name, bool flag);
/* As a text; null for 0, which is no id. */
void json_put_id(struct buffer *out, const char *name, uint64_t id);

#endif
