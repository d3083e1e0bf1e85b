/* jansson is the oracle: the scanner takes the same documents, and walking one finds the same tree.
 */
#include "core/json/json.h"

#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <string.h>

/* jansson refuses some JSON that RFC 8259 allows: numbers that it cannot hold, NUL in a key, half
 * of a surrogate pair. */
static bool is_janssons_own_refusal(const json_error_t *error)
{
	return json_error_code(error) == json_error_numeric_overflow ||
	       json_error_code(error) == json_error_null_byte_in_key ||
	       strncmp(error->text, "invalid Unicode", strlen("invalid Unicode")) == 0;
}

/* Walks the value beside jansson's tree of it. The depth is bounded by JSON_MAX_DEPTH. */
static void compare(struct slice document, struct json_value value, const json_t *expected,
		    struct arena *arena)
{
	struct json_walk walk = json_walk(document, value);
	size_t count = 0;
	if (value.type == JSON_TYPE_OBJECT) {
		FUZZ_ASSERT(json_is_object(expected));
		for (; json_next(&walk); count++) {
			struct slice key = json_string_text(document, walk.key, arena);
			FUZZ_ASSERT(json_object_getn(expected, key.data, key.size) != NULL);
		}
		/* Of duplicate keys jansson keeps one. */
		FUZZ_ASSERT(count >= json_object_size(expected));
	} else if (value.type == JSON_TYPE_ARRAY) {
		FUZZ_ASSERT(json_is_array(expected));
		for (; json_next(&walk); count++)
			compare(document, walk.value, json_array_get(expected, count), arena);
		FUZZ_ASSERT(count == json_array_size(expected));
	} else if (value.type == JSON_TYPE_STRING) {
		struct slice text = json_string_text(document, value, arena);
		FUZZ_ASSERT(json_is_string(expected));
		FUZZ_ASSERT(json_string_is(document, value, text));
		FUZZ_ASSERT(slice_equal(text, (struct slice){json_string_value(expected),
							     json_string_length(expected)}));
	}
}

struct listed {
	struct slice document;
	struct json_value values[2];
	size_t count;
	size_t end;
};

static const char *const listed_names[] = {"a", "role"};

static bool same(struct json_value one, struct json_value other)
{
	return one.type == other.type && one.begin == other.begin && one.end == other.end;
}

static void take_listed(void *cookie, struct json_value element)
{
	struct listed *listed = cookie;
	struct json_value values[2];
	(void)JSON_PICK(listed->document, element, listed_names, values);
	FUZZ_ASSERT(same(listed->values[0], values[0]) && same(listed->values[1], values[1]));
	FUZZ_ASSERT(element.begin > listed->end && element.end > element.begin);
	listed->end = element.end;
	listed->count++;
}

/* The elements of all outermost arrays of that name. */
static size_t count_listed(struct slice document, struct json_value value, struct slice name)
{
	size_t count = 0;
	struct json_walk walk = json_walk(document, value);
	while (value.type == JSON_TYPE_OBJECT && json_next(&walk)) {
		struct json_walk list = json_walk(document, walk.value);
		while (json_string_is(document, walk.key, name) &&
		       walk.value.type == JSON_TYPE_ARRAY && json_next(&list))
			count++;
	}
	return count;
}

/* In one pass is as in two. */
static void check_picked(struct slice document, bool valid, struct json_value value)
{
	static const char *const names[] = {"a", "role", "messages", "model"};
	enum { NAMES = sizeof(names) / sizeof(*names) };
	struct json_value before[NAMES];
	struct json_value after[NAMES];
	unsigned repeated;
	struct listed listed = {.document = document};
	const struct json_list list = {.name = "messages",
				       .names = listed_names,
				       .count = 2,
				       .values = listed.values,
				       .take = take_listed,
				       .cookie = &listed};
	FUZZ_ASSERT(json_scan_and_pick(document, names, NAMES, before, &repeated, &list) == valid);
	if (!valid)
		return;
	FUZZ_ASSERT(count_listed(document, value, SLICE("messages")) == listed.count);
	FUZZ_ASSERT(JSON_PICK(document, value, names, after) == repeated);
	for (size_t i = 0; i < NAMES; i++)
		FUZZ_ASSERT(same(before[i], after[i]));
}

static void check_quoted(struct slice text)
{
	struct buffer quoted;
	struct json_value value;
	buffer_init(&quoted, text.size * 6 + 2);
	json_quote(&quoted, text);
	FUZZ_ASSERT(!quoted.overflowed);
	FUZZ_ASSERT(json_scan(buffer_slice(&quoted), &value));
	FUZZ_ASSERT(value.type == JSON_TYPE_STRING);
	buffer_finish(&quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice document = {(const char *)data, size};
	struct arena arena = {0};
	struct json_value value;
	json_error_t error;
	bool valid = json_scan(document, &value);
	json_t *expected =
		json_loadb(document.data, document.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	/* jansson swallows a NUL behind a number; JSON has no place for one. */
	if (size > 0 && memchr(data, '\0', size) != NULL)
		FUZZ_ASSERT(!valid);
	/* jansson nests deeper, and the fuzzer finds that out. */
	else if (valid != (expected != NULL) && size < JSON_MAX_DEPTH)
		FUZZ_ASSERT(valid && is_janssons_own_refusal(&error));
	check_picked(document, valid, value);
	if (valid && expected != NULL)
		compare(document, value, expected, &arena);
	check_quoted(document);
	json_decref(expected);
	arena_finish(&arena);
	return 0;
}
