#include "core/json/json.h"

#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* An element that the scanner came by must be picked from as it is afterwards. */
struct listed {
	struct slice document;
	struct json_value values[2];
	size_t begins[8];
	size_t count;
};

static const char *const listed_names[] = {"a", "b"};

static void take_listed(void *cookie, struct json_value element)
{
	struct listed *listed = cookie;
	struct json_value values[2];
	(void)JSON_PICK(listed->document, element, listed_names, values);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(listed->values[i].type, values[i].type);
		ck_assert_uint_eq(listed->values[i].begin, values[i].begin);
		ck_assert_uint_eq(listed->values[i].end, values[i].end);
	}
	if (listed->count < 8)
		listed->begins[listed->count] = element.begin;
	listed->count++;
}

static struct json_list list_of(struct listed *listed)
{
	return (struct json_list){.name = "list",
				  .names = listed_names,
				  .count = 2,
				  .values = listed->values,
				  .take = take_listed,
				  .cookie = listed};
}

/* The document in memory that ends where it does, so that a sanitizer sees a step beyond it. */
static bool scan_exactly(struct slice document, struct json_value *value)
{
	char *copy = malloc(document.size == 0 ? 1 : document.size);
	ck_assert_ptr_nonnull(copy);
	if (document.size > 0)
		memcpy(copy, document.data, document.size);
	const struct slice exact = {copy, document.size};
	static const char *const names[] = {"a"};
	struct json_value picked;
	unsigned repeated;
	struct listed listed = {.document = exact};
	const struct json_list list = list_of(&listed);
	bool valid = json_scan(exact, value);
	ck_assert(json_scan_and_pick(exact, names, 1, &picked, &repeated, NULL) == valid);
	ck_assert(json_scan_and_pick(exact, names, 1, &picked, &repeated, &list) == valid);
	free(copy);
	return valid;
}

static bool is_valid(struct slice document)
{
	struct json_value value;
	return scan_exactly(document, &value);
}

START_TEST(valid_documents_are_accepted)
{
	static const char *const documents[] = {
		"0",
		"-0",
		"-1.5e+10",
		"1E5",
		"1e-0",
		"123456789012345678901234567890",
		"true",
		"false",
		"null",
		"\"\"",
		"\"\\u0000\\ud800\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"[]",
		"{}",
		" [ ] ",
		"\t{\n}\r",
		"[1,[2,[3]]]",
		"{\"a\":{\"a\":[{}]}}",
		"{\"a\":1,\"a\":2}",
		"\"\x7f\"",
		"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\"",
		"\"\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
		"\"sixteen bytes or more, and a \\\" in them\"",
	};
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		ck_assert_msg(is_valid(slice_of(documents[i])), "%s", documents[i]);
}
END_TEST

START_TEST(what_is_no_json_is_refused)
{
	static const char *const documents[] = {
		"",
		"{",
		" ",
		"01",
		"-",
		"+1",
		".5",
		"1.",
		"1.e1",
		"1e",
		"1e+",
		"0x1",
		"NaN",
		"tru",
		"truex",
		"nul",
		"True",
		"[1 2]",
		"[1,,2]",
		"[1,]",
		"[,1]",
		"[",
		"]",
		"[1}",
		"{1:2}",
		"{\"a\":1,}",
		"{\"a\":\"b\":\"c\"}",
		"{\"a\" 1}",
		"{\"a\"}",
		"{,}",
		"{\"a\":}",
		"\"",
		"\"\\",
		"\"\\\"",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\n\"",
		"\"\x1f\"",
		"1 2",
		"[]]",
		"{}{}",
		"'a'",
		"\"\x80\"",
		"\"\xc0\xaf\"",
		"\"\xc1\xbf\"",
		"\"\xe0\x9f\xbf\"",
		"\"\xed\xa0\x80\"",
		"\"\xf0\x8f\xbf\xbf\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xf5\x80\x80\x80\"",
		"\"\xe2\x82\"",
		"\"\xf0\x9f\x98\"",
		"\"\xe2\x82",
		"\xef\xbb\xbf{}",
		"[1]x",
		"/**/1",
		"\"sixteen bytes or more: \x01\"",
	};
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		ck_assert_msg(!is_valid(slice_of(documents[i])), "%s", documents[i]);
	ck_assert(!is_valid((struct slice){"\"a\0\"", 4}));
	ck_assert(!is_valid((struct slice){"1\0", 2}));
	ck_assert(!is_valid((struct slice){"\"\\\0\"", 4}));
	ck_assert(!is_valid((struct slice){NULL, 0}));
}
END_TEST

START_TEST(a_special_byte_is_found_wherever_it_stands_in_a_string)
{
	for (size_t length = 1; length < 70; length++) {
		for (size_t at = 0; at < length; at++) {
			char document[80];
			memset(document, 'a', sizeof(document));
			document[0] = '"';
			document[length + 1] = '"';
			struct slice slice = {document, length + 2};
			ck_assert(is_valid(slice));
			static const char bad[] = "\n\x80\xff\"\\";
			for (size_t i = 0; i < sizeof(bad) - 1; i++) {
				document[1 + at] = bad[i];
				/* "\a" is no escape, and "\\"" leaves the string open. */
				ck_assert(!is_valid(slice));
			}
		}
	}
}
END_TEST

static struct slice nested(char *out, size_t depth)
{
	for (size_t i = 0; i < depth; i++) {
		out[i] = '[';
		out[2 * depth - 1 - i] = ']';
	}
	return (struct slice){out, 2 * depth};
}

START_TEST(nesting_is_taken_up_to_the_limit_and_no_deeper)
{
	char document[2 * (JSON_MAX_DEPTH + 1)];
	ck_assert(is_valid(nested(document, JSON_MAX_DEPTH)));
	ck_assert(!is_valid(nested(document, JSON_MAX_DEPTH + 1)));
	/* Objects and arrays mixed at every depth keep their kinds apart. */
	ck_assert(is_valid(SLICE("[{\"a\":[{\"a\":[{\"a\":[[{}]]}]}]}]")));
	ck_assert(!is_valid(SLICE("[{\"a\":[{\"a\":[{\"a\":[[{]}]}]}]}]")));
}
END_TEST

/* jansson's tree of a value that was walked here, so that the two can be compared. */
static json_t *tree_of(struct slice document, struct json_value value, struct arena *arena)
{
	struct json_walk walk = json_walk(document, value);
	json_t *tree = NULL;
	if (value.type == JSON_TYPE_OBJECT) {
		tree = json_object();
		while (json_next(&walk)) {
			char *key =
				arena_string(arena, json_string_text(document, walk.key, arena));
			json_object_set_new(tree, key, tree_of(document, walk.value, arena));
		}
	} else if (value.type == JSON_TYPE_ARRAY) {
		tree = json_array();
		while (json_next(&walk))
			json_array_append_new(tree, tree_of(document, walk.value, arena));
	} else if (value.type == JSON_TYPE_STRING) {
		struct slice text = json_string_text(document, value, arena);
		ck_assert(json_string_is(document, value, text));
		tree = json_stringn(text.data, text.size);
	} else {
		tree = json_loadb(document.data + value.begin, value.end - value.begin,
				  JSON_DECODE_ANY, NULL);
	}
	ck_assert_ptr_nonnull(tree);
	return tree;
}

/* jansson refuses some JSON that RFC 8259 allows: numbers that it cannot hold, NUL in a key, half
 * of a surrogate pair. */
static bool is_janssons_own_refusal(const json_error_t *error)
{
	return json_error_code(error) == json_error_numeric_overflow ||
	       json_error_code(error) == json_error_null_byte_in_key ||
	       strncmp(error->text, "invalid Unicode", strlen("invalid Unicode")) == 0;
}

/* True when it is valid. */
static bool compare_with_jansson(struct slice document)
{
	json_error_t error;
	struct json_value value;
	bool valid = scan_exactly(document, &value);
	json_t *expected =
		json_loadb(document.data, document.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (expected == NULL && is_janssons_own_refusal(&error))
		return valid;
	/* jansson swallows a NUL behind a number; JSON has no place for one. */
	if (slice_find(document, (struct slice){"", 1}, 0) < document.size) {
		ck_assert(!valid);
		json_decref(expected);
		return false;
	}
	ck_assert_msg(valid == (expected != NULL), "%s, jansson: %s: %.*s",
		      valid ? "accepted" : "refused", expected != NULL ? "accepted" : error.text,
		      SLICE_PRINT(document));
	if (valid) {
		struct arena arena = {0};
		json_t *tree = tree_of(document, value, &arena);
		ck_assert_msg(json_equal(tree, expected), "%.*s", SLICE_PRINT(document));
		json_decref(tree);
		arena_finish(&arena);
	}
	json_decref(expected);
	return valid;
}

START_TEST(jansson_agrees_about_documents_and_about_their_mutants)
{
	struct random random = {1};
	size_t valid = 0;
	size_t invalid = 0;
	for (int i = 0; i < 4000; i++) {
		struct buffer document;
		buffer_init(&document, 64 * 1024);
		random_json(&random, &document, 4);
		ck_assert(compare_with_jansson(buffer_slice(&document)));
		for (int mutation = 0; mutation < 12; mutation++) {
			random_mutation(&random, &document);
			if (compare_with_jansson(buffer_slice(&document)))
				valid++;
			else
				invalid++;
		}
		buffer_finish(&document);
	}
	/* Neither side of the comparison is empty. */
	ck_assert_uint_gt(valid, 2000);
	ck_assert_uint_gt(invalid, 10000);
}
END_TEST

START_TEST(offsets_are_those_of_the_value)
{
	struct slice document = SLICE(" {\"a\" : [1, \"]\\\"\"] ,\n\"b\":-2.5e3 } ");
	struct json_value value;
	ck_assert(json_scan(document, &value));
	ck_assert_int_eq(value.type, JSON_TYPE_OBJECT);
	ck_assert_uint_eq(value.begin, 1);
	ck_assert_uint_eq(value.end, document.size - 1);
	struct json_walk walk = json_walk(document, value);
	ck_assert(json_next(&walk));
	unit_assert_slice(slice_part(document, walk.key.begin, walk.key.end), "\"a\"");
	unit_assert_slice(slice_part(document, walk.value.begin, walk.value.end), "[1, \"]\\\"\"]");
	struct json_walk inner = json_walk(document, walk.value);
	ck_assert(json_next(&inner) && json_next(&inner));
	unit_assert_slice(slice_part(document, inner.value.begin, inner.value.end), "\"]\\\"\"");
	ck_assert(!json_next(&inner));
	ck_assert(json_next(&walk));
	unit_assert_slice(slice_part(document, walk.value.begin, walk.value.end), "-2.5e3");
	ck_assert(!json_next(&walk));
	ck_assert(!json_next(&walk));
}
END_TEST

START_TEST(a_document_whose_offsets_do_not_fit_is_refused)
{
	struct json_value value;
	/* Not a byte of it is read. */
	ck_assert(!json_scan((struct slice){"1", (size_t)UINT32_MAX + 1}, &value));
}
END_TEST

START_TEST(a_value_that_is_no_container_has_no_members)
{
	struct slice document = SLICE("\"[1,2]\"");
	struct json_value value;
	ck_assert(json_scan(document, &value));
	struct json_walk walk = json_walk(document, value);
	ck_assert(!json_next(&walk));
}
END_TEST

START_TEST(members_are_picked_by_their_resolved_names_and_the_last_wins)
{
	struct slice document = SLICE("{\"a\":1,\"\\u0062\":2,\"a\":[3],\"c\":null,\"ab\":4}");
	static const char *const names[] = {"a", "b", "c", "d"};
	struct json_value value;
	struct json_value picked[4];
	ck_assert(json_scan(document, &value));
	ck_assert_uint_eq(json_pick(document, value, names, 4, picked), 1);
	unit_assert_slice(slice_part(document, picked[0].begin, picked[0].end), "[3]");
	unit_assert_slice(slice_part(document, picked[1].begin, picked[1].end), "2");
	ck_assert_int_eq(picked[2].type, JSON_TYPE_NULL);
	ck_assert_int_eq(picked[3].type, JSON_TYPE_NULL);
	ck_assert_uint_eq(json_pick(document, picked[0], names, 4, picked), 0);
	ck_assert_int_eq(picked[0].type, JSON_TYPE_NULL);
}
END_TEST

/* On the heap, so that a read beyond the end is one. */
static void assert_no_beginning_is_picked(struct slice whole)
{
	static const char *const names[] = {"a", "messages"};
	for (size_t size = 0; size < whole.size; size++) {
		char *copy = xmalloc(size + 1);
		char *begin = copy + 1; /* what lies before is nobody's either */
		memcpy(begin, whole.data, size);
		struct json_value values[2];
		struct json_value value;
		unsigned repeated;
		struct slice document = {begin, size};
		struct listed listed = {.document = document};
		const struct json_list list = list_of(&listed);
		ck_assert(json_scan_and_pick(document, names, 2, values, &repeated, &list) ==
			  json_scan(document, &value));
		free(copy);
	}
}

START_TEST(what_is_picked_while_scanning_is_what_is_picked_afterwards)
{
	static const char *const names[] = {"a", "ab", "b", "messages"};
	static const struct slice documents[] = {
		SLICE("{}"),
		SLICE(" {\"a\" : [ {\"b\":1} , [2] ] , \"b\":{\"a\":{}},\"messages\":\"x\\\"\"} "),
		SLICE("{\"\\u0061b\":true,\"a\":1,\"ab\":{},\"a\":null,\"c\":[[]]}"),
		SLICE("[{\"a\":1},2,{\"b\":[]}]"),
		SLICE("\"a\""),
		SLICE("{\"messages\":[],\"messages\":[{}],\"m\\u0065ssages\":[1,{}]}"),
	};
	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		struct json_value value;
		struct json_value before[4];
		struct json_value after[4];
		unsigned repeated;
		ck_assert(json_scan(documents[i], &value));
		ck_assert(json_scan_and_pick(documents[i], names, 4, before, &repeated, NULL));
		ck_assert_uint_eq(JSON_PICK(documents[i], value, names, after), repeated);
		assert_no_beginning_is_picked(documents[i]);
		for (size_t name = 0; name < 4; name++) {
			ck_assert_int_eq(before[name].type, after[name].type);
			ck_assert_uint_eq(before[name].begin, after[name].begin);
			ck_assert_uint_eq(before[name].end, after[name].end);
		}
	}
}
END_TEST

/* Scans a valid document; what came of the list, and what was picked as "list". */
static struct listed scan_list(struct slice document, struct json_value *picked)
{
	static const char *const names[] = {"list"};
	struct listed listed = {.document = document};
	const struct json_list list = list_of(&listed);
	unsigned repeated;
	ck_assert(json_scan_and_pick(document, names, 1, picked, &repeated, &list));
	assert_no_beginning_is_picked(document);
	return listed;
}

START_TEST(the_elements_of_the_list_are_picked_while_scanning)
{
	struct slice document = SLICE(
		" {\"lis\":[{}],\"list\" : [ {\"a\":1,\"b\":\"\\\"\"} ,{},7, "
		"{\"\\u0062\":[2],\"b\":{\"a\":0}},[{\"a\":1}],{\"c\":{\"list\":[{}]}}],\"a\":3} ");
	struct json_value array;
	struct listed listed = scan_list(document, &array);
	struct json_walk walk = json_walk(document, array);
	size_t count = 0;
	for (; json_next(&walk); count++)
		ck_assert_uint_eq(listed.begins[count], walk.value.begin);
	ck_assert_uint_eq(count, 6);
	ck_assert_uint_eq(listed.count, count);
}
END_TEST

START_TEST(the_list_is_an_outermost_member_that_is_an_array)
{
	static const struct {
		struct slice document;
		size_t count;
	} cases[] = {
		{SLICE("{\"list\":[]}"), 0},
		{SLICE("{\"list\":[[]]}"), 1},
		{SLICE("{\"l\\u0069st\":[{}]}"), 1},
		{SLICE("{\"list\":[{}],\"list\":[{\"a\":1},{}]}"), 3},
		{SLICE("{\"list\":{\"list\":[{}]}}"), 0},
		{SLICE("{\"a\":[{\"list\":[{}]}]}"), 0},
		{SLICE("[{\"list\":[{}]}]"), 0},
		{SLICE("[\"list\",[{}]]"), 0},
		{SLICE("{\"listed\":[{}],\"lis\":[{}]}"), 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_value array;
		struct listed listed = scan_list(cases[i].document, &array);
		ck_assert_uint_eq(listed.count, cases[i].count);
	}
}
END_TEST

START_TEST(nesting_is_counted_from_the_document_in_a_list_too)
{
	static const struct {
		struct slice begin;
		struct slice end;
		unsigned depth;
	} frames[] = {
		{SLICE("{\"list\":["), SLICE("]}"), 2},
		{SLICE("{\"list\":[{\"a\":"), SLICE("}]}"), 3},
		{SLICE("{\"list\":[[{\"a\":"), SLICE("}]]}"), 4},
	};
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		for (unsigned depth = JSON_MAX_DEPTH - 1; depth <= JSON_MAX_DEPTH + 1; depth++) {
			struct buffer document;
			buffer_init(&document, 4096);
			(void)buffer_append(&document, frames[i].begin);
			for (unsigned k = frames[i].depth; k < depth; k++)
				(void)buffer_append_byte(&document, '[');
			for (unsigned k = frames[i].depth; k < depth; k++)
				(void)buffer_append_byte(&document, ']');
			(void)buffer_append(&document, frames[i].end);
			ck_assert(is_valid(buffer_slice(&document)) == (depth <= JSON_MAX_DEPTH));
			buffer_finish(&document);
		}
	}
}
END_TEST

UNIT_MAIN("json", valid_documents_are_accepted, what_is_no_json_is_refused,
	  a_special_byte_is_found_wherever_it_stands_in_a_string,
	  nesting_is_taken_up_to_the_limit_and_no_deeper,
	  jansson_agrees_about_documents_and_about_their_mutants, offsets_are_those_of_the_value,
	  a_document_whose_offsets_do_not_fit_is_refused,
	  a_value_that_is_no_container_has_no_members,
	  members_are_picked_by_their_resolved_names_and_the_last_wins,
	  what_is_picked_while_scanning_is_what_is_picked_afterwards,
	  the_elements_of_the_list_are_picked_while_scanning,
	  the_list_is_an_outermost_member_that_is_an_array,
	  nesting_is_counted_from_the_document_in_a_list_too)
