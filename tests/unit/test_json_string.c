/* Tests reading and writing JSON strings and numbers. */
#include "core/json/json.h"

#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static void assert_text(const char *document, struct slice expected)
{
	struct arena arena = {0};
	struct slice slice = slice_of(document);
	struct json_value value;
	ck_assert_msg(json_scan(slice, &value), "%s", document);
	struct slice text = json_string_text(slice, value, &arena);
	ck_assert_msg(slice_equal(text, expected), "%s gives %.*s", document, SLICE_PRINT(text));
	ck_assert(json_string_is(slice, value, expected));
	ck_assert(!json_string_is(slice, value, SLICE("something else")));
	if (expected.size > 0)
		ck_assert(
			!json_string_is(slice, value, slice_part(expected, 0, expected.size - 1)));
	arena_finish(&arena);
}

START_TEST(escapes_are_resolved)
{
	assert_text("\"\"", SLICE(""));
	assert_text("\"plain\"", SLICE("plain"));
	assert_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", SLICE("\"\\/\b\f\n\r\t"));
	assert_text("\"mess\\u0061ges\"", SLICE("messages"));
	assert_text("\"\\u0000\\u007f\\u0080\\u07FF\\u0800\\uFFff\"",
		    SLICE("\0\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"));
	assert_text("\"\\ud83D\\uDe00.\\ud800\\udc00\\udbff\\udfff\"",
		    SLICE("\xf0\x9f\x98\x80.\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
	assert_text("\"\\ud83d\\u0041\\ud83d\\ud83d\\ude00\\ude00\\ud83d\"",
		    SLICE("\xef\xbf\xbd"
			  "A\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd"));
}
END_TEST

START_TEST(half_a_surrogate_pair_is_mended_in_place)
{
	char text[] = "\\ud83d a \\ud83d\\ude00 \\\\ud83d \\uDE00\\u00e9 \\ud83d\\u";
	json_mend_surrogates(text, strlen(text));
	ck_assert_str_eq(text, "\\ufffd a \\ud83d\\ude00 \\\\ud83d \\ufffd\\u00e9 \\ufffd\\u");
	for (size_t size = 0; size < sizeof(text); size++) {
		char *part = xmalloc(size + 1); /* sanitizers see what is read behind it */
		memcpy(part,
		       "\\ud83d\\ud83d\\ud83d\\ud83d\\ud83d\\ud83d\\ud83d\\ud83d\\ud83d\\ud83d",
		       size);
		json_mend_surrogates(part, size);
		free(part);
	}
}
END_TEST

START_TEST(integers_are_read_up_to_eighteen_digits)
{
	static const struct {
		const char *document;
		bool valid;
		int64_t value;
	} cases[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"-12", true, -12},
		{"999999999999999999", true, 999999999999999999},
		{"-999999999999999999", true, -999999999999999999},
		{"1000000000000000000", false, 0},
		{"1.0", false, 0},
		{"1e2", false, 0},
		{"\"1\"", false, 0},
		{"null", false, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice document = slice_of(cases[i].document);
		struct json_value value;
		int64_t result = 0;
		ck_assert(json_scan(document, &value));
		ck_assert_int_eq(json_read_integer(document, value, &result), cases[i].valid);
		ck_assert_int_eq(result, cases[i].value);
	}
}
END_TEST

START_TEST(what_is_quoted_reads_back_as_it_was)
{
	struct random random = {2};
	for (int i = 0; i < 3000; i++) {
		struct buffer text;
		struct buffer quoted;
		struct arena arena = {0};
		struct json_value value;
		buffer_init(&text, 1024);
		buffer_init(&quoted, 8 * 1024);
		random_text(&random, &text);
		json_quote(&quoted, buffer_slice(&text));
		ck_assert(!quoted.overflowed);
		ck_assert(json_scan(buffer_slice(&quoted), &value));
		ck_assert(slice_equal(json_string_text(buffer_slice(&quoted), value, &arena),
				      buffer_slice(&text)));
		arena_finish(&arena);
		buffer_finish(&text);
		buffer_finish(&quoted);
	}
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_replaced_when_quoted)
{
	struct buffer quoted;
	buffer_init(&quoted, 100);
	json_quote(&quoted, SLICE("a\xff\xe2\x82z\xed\xa0\x80\x01"));
	unit_assert_slice(buffer_slice(&quoted), "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"
						 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\u0001\"");
	buffer_finish(&quoted);
}
END_TEST

START_TEST(a_quoted_text_too_long_for_its_buffer_is_noticed)
{
	struct buffer quoted;
	buffer_init(&quoted, 5);
	json_quote(&quoted, SLICE("\n\n"));
	ck_assert(quoted.overflowed);
	buffer_finish(&quoted);
}
END_TEST

START_TEST(members_follow_others)
{
	struct buffer out;
	buffer_init(&out, 1024);
	json_put_text(&out, "text", SLICE("a \"b\""));
	json_put_flag(&out, "yes", true);
	json_put_flag(&out, "no", false);
	json_put_id(&out, "id", UINT64_MAX);
	json_put_id(&out, "none", 0);
	unit_assert_slice(buffer_slice(&out), ",\"text\":\"a \\\"b\\\"\",\"yes\":true,\"no\":false,"
					      "\"id\":\"18446744073709551615\",\"none\":null");
	buffer_finish(&out);
}
END_TEST

UNIT_MAIN("json_string", escapes_are_resolved, half_a_surrogate_pair_is_mended_in_place,
	  integers_are_read_up_to_eighteen_digits, what_is_quoted_reads_back_as_it_was,
	  bytes_that_are_no_utf8_are_replaced_when_quoted,
	  a_quoted_text_too_long_for_its_buffer_is_noticed, members_follow_others)
