/* Tests the skeleton of a JSON text that is too large to be kept. */
#include "core/dialect/skeleton.h"

#include "core/json/json.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { LIMIT = 4096 };

static struct slice reduce(struct skeleton *skeleton, struct slice text, size_t piece)
{
	skeleton_clear(skeleton);
	for (size_t at = 0; at < text.size; at += piece)
		skeleton_feed(
			skeleton,
			slice_part(text, at, at + piece < text.size ? at + piece : text.size));
	return buffer_slice(&skeleton->out);
}

START_TEST(members_stay_and_what_they_hold_goes)
{
	static const struct {
		const char *text, *left;
	} cases[] = {
		{"{}", "{}"},
		{"{\"a\":{\"b\":[1,{\"c\":\"}\"}]},\"d\":true}", "{\"a\":{},\"d\":true}"},
		{"{\"a\":[1,\"]\\\"\"] , \"e\\\"\" : -1.5}", "{\"a\":[] , \"e\\\"\" : -1.5}"},
		{"[[1],{\"a\":1},2]", "[[],{},2]"},
		{"\"done\"", "\"done\""},
		{"{\"a\":\"\\\\\",\"done\":true}", "{\"a\":\"\\\\\",\"done\":true}"},
		{"}{", "}{"},
	};
	struct skeleton skeleton;
	skeleton_init(&skeleton, LIMIT);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece <= strlen(cases[i].text); piece++)
			unit_assert_slice(reduce(&skeleton, slice_of(cases[i].text), piece),
					  cases[i].left);
	}
	skeleton_finish(&skeleton);
}
END_TEST

/* Of a string whatever its characters and escapes are, so much is left that it is still one. */
START_TEST(a_long_string_is_cut_and_stays_one)
{
	static const char *const units[] = {"x",        "\\u00e9",          "\\\\", "\\\"",
					    "\xc3\xa9", "\xf0\x9f\x98\x80", "\\n"};
	struct skeleton skeleton;
	struct random random = {5};
	skeleton_init(&skeleton, LIMIT);
	for (size_t round = 0; round < 300; round++) {
		struct buffer text;
		struct json_value value;
		buffer_init(&text, SIZE_MAX);
		(void)buffer_append(&text, SLICE("{\"a\":\""));
		for (int i = 0; i < 1500; i++)
			(void)buffer_append(&text,
					    slice_of(units[random_below(&random, round % 7 + 1)]));
		(void)buffer_append(&text, SLICE("\",\"done\":true}"));
		struct slice left =
			reduce(&skeleton, buffer_slice(&text), 1 + random_below(&random, 900));
		ck_assert_msg(json_scan(left, &value), "%.*s", SLICE_PRINT(left));
		ck_assert_uint_lt(left.size, SKELETON_STRING + 64);
		ck_assert(slice_ends_with(left, SLICE("\",\"done\":true}")));
		buffer_finish(&text);
	}
	skeleton_finish(&skeleton);
}
END_TEST

START_TEST(of_too_many_members_no_more_is_kept_than_the_limit)
{
	struct skeleton skeleton;
	skeleton_init(&skeleton, 16);
	skeleton_feed(&skeleton, SLICE("{\"a\":1,\"b\":2,\"c\":3,\"d\":4}"));
	ck_assert(skeleton.out.overflowed);
	ck_assert_uint_le(skeleton.out.size, 16);
	skeleton_clear(&skeleton);
	skeleton_feed(&skeleton, SLICE("{\"a\":1}"));
	unit_assert_slice(buffer_slice(&skeleton.out), "{\"a\":1}");
	skeleton_finish(&skeleton);
}
END_TEST

UNIT_MAIN("skeleton", members_stay_and_what_they_hold_goes, a_long_string_is_cut_and_stays_one,
	  of_too_many_members_no_more_is_kept_than_the_limit)
