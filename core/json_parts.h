/* What the scanner and the walks of json.h share. */
#ifndef RECALLD_CORE_JSON_PARTS_H
#define RECALLD_CORE_JSON_PARTS_H

#include "core/json.h"

static inline bool json_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline enum json_type json_type_of(char first)
{
	switch (first) {
	case '{':
		return JSON_TYPE_OBJECT;
	case '[':
		return JSON_TYPE_ARRAY;
	case '"':
		return JSON_TYPE_STRING;
	case 't':
		return JSON_TYPE_TRUE;
	case 'f':
		return JSON_TYPE_FALSE;
	case 'n':
		return JSON_TYPE_NULL;
	default:
		return JSON_TYPE_NUMBER;
	}
}

/* Of a document that json_scan() took; no other is walked through, and it takes none whose offsets
 * would not fit. */
static inline struct json_value json_value_of(struct slice document, size_t begin, size_t end)
{
	enum json_type type = json_type_of(document.data[begin]);
	return (struct json_value){type, (uint32_t)begin, (uint32_t)end};
}

/* Members that are looked for, as they come. */
struct picking {
	const char *const *names;
	size_t count;
	struct json_value *values;
	size_t likely; /* the name that is tried first, since members mostly keep their order */
	unsigned seen;
	unsigned repeated;
};

struct picking json_picking_begin(const char *const *names, size_t count,
				  struct json_value *values);
/* Of a name that comes again the last value stays, and its bit in `repeated` is set. */
void json_picking_take(struct picking *picking, struct slice document, struct json_value key,
		       struct json_value value);

#endif
