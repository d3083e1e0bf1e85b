/* Shared by the scanner and the walks of json.h. */
#ifndef RECALLD_CORE_JSON_PARTS_H
#define RECALLD_CORE_JSON_PARTS_H

#include "core/json/json.h"

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

/* A value of a document that json_scan() accepted, which bounds its offsets; other documents are
 * never walked. */
static inline struct json_value json_value_of(struct slice document, size_t begin, size_t end)
{
	enum json_type type = json_type_of(document.data[begin]);
	return (struct json_value){type, (uint32_t)begin, (uint32_t)end};
}

/* Whether the key equals the name; up to the first escape, a byte comparison tells. */
static inline bool json_key_is(struct slice document, struct json_value key, const char *name)
{
	const char *text = document.data + key.begin + 1;
	size_t same = 0;
	/* This stops at the name's NUL, since a string contains none. */
	while (text[same] == name[same])
		same++;
	if (text[same] == '\\')
		return json_string_is(document, key, slice_of(name));
	return text[same] == '"' && name[same] == '\0';
}

/* The members to pick, as they arrive. */
struct picking {
	const char *const *names;
	size_t count;
	struct json_value *values;
	size_t likely; /* the name to try first, since members usually keep their order */
	unsigned seen;
	unsigned repeated;
	const struct json_list *list; /* or NULL */
};

static inline struct picking json_picking_begin(const char *const *names, size_t count,
						struct json_value *values)
{
	memset(values, 0, count * sizeof(*values));
	return (struct picking){.names = names, .count = count, .values = values};
}

/* For a repeated name, keeps the last value and sets its bit in `repeated`. */
static inline void json_picking_take(struct picking *picking, struct slice document,
				     struct json_value key, struct json_value value)
{
	/* Most names differ from the key in the first byte; every key has a byte after its
	 * quote. */
	char first = document.data[key.begin + 1];
	size_t i = picking->likely;
	for (size_t tried = 0; tried < picking->count; tried++, i++) {
		if (i >= picking->count)
			i = 0;
		const char *name = picking->names[i];
		if ((first != name[0] && first != '\\') || !json_key_is(document, key, name))
			continue;
		unsigned bit = 1U << i;
		picking->repeated |= picking->seen & bit;
		picking->seen |= bit;
		picking->values[i] = value;
		picking->likely = i + 1;
		return;
	}
}

#endif
