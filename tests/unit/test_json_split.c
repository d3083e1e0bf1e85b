/* JSON that arrives in pieces is split alike wherever the pieces end. */
#include "core/json/split.h"

#include "tests/unit/unit.h"

static const char document[] =
	" {\"format\" : \"own\\\"1\\\\\", \"empty\":[ ], "
	"\"number\":-1.5e3,\"facts\":[{\"a\":[1,{\"b\":\"]}\"}]},"
	"\"te\\\\xt\", 12 "
	",null,[[]]],\r\n\t\"conversations\":[{\"id\":\"7\",\"turns\":[{\"x\":1},\"\xc3\xbc\"],"
	"\"last\":true},{}] "
	",\"aVeryLongNameThatIsLongerThanAnyNameThatIsKeptAndThereforeHasNone\":{\"x\":[]}} ";

static const char lines[] = "{\"a\":1}\n{\"b\":[1,2]}\r\n\n{\"c\":\"}{\"}";

/* Each part on a line; `cut` and `next` are where the first piece and the second one end. */
static struct buffer split(struct slice text, bool is_lines, size_t limit, size_t cut, size_t next)
{
	const size_t ends[] = {cut, next, text.size};
	struct json_split split;
	struct json_part part;
	struct buffer told;
	buffer_init(&told, SIZE_MAX);
	json_split_init(&split, limit);
	split.is_lines = is_lines;
	split.open = "conversations";
	split.inner = "turns";
	for (size_t i = 0, begin = 0; i < 3; begin = ends[i++]) {
		/* a copy of the piece's own size, so that a look beyond it is found */
		struct arena piece = {0};
		enum json_split_found found;
		json_split_feed(&split, arena_copy(&piece, slice_part(text, begin, ends[i])));
		while ((found = json_split_next(&split, &part)) == JSON_SPLIT_PART)
			buffer_printf(&told, "%d %.*s %.*s %d %.*s\n", (int)part.kind,
				      SLICE_PRINT(part.list), SLICE_PRINT(part.name),
				      part.is_too_long, SLICE_PRINT(part.text));
		if (found == JSON_SPLIT_BROKEN)
			buffer_append(&told, SLICE("broken"));
		arena_finish(&piece);
		if (found == JSON_SPLIT_BROKEN)
			break;
	}
	if (json_split_may_end(&split))
		buffer_append(&told, SLICE("end"));
	json_split_finish(&split);
	return told;
}

static void assert_alike(struct slice text, bool is_lines, size_t limit, struct buffer *whole)
{
	*whole = split(text, is_lines, limit, text.size, text.size);
	for (size_t cut = 0; cut <= text.size; cut++) {
		for (size_t next = cut; next <= text.size; next++) {
			struct buffer told = split(text, is_lines, limit, cut, next);
			ck_assert_msg(slice_equal(buffer_slice(&told), buffer_slice(whole)),
				      "%zu, %zu: %.*s", cut, next,
				      SLICE_PRINT(buffer_slice(&told)));
			buffer_finish(&told);
		}
	}
}

START_TEST(a_document_gives_the_same_parts_wherever_its_pieces_end)
{
	struct buffer whole;
	assert_alike(SLICE(document), false, SIZE_MAX, &whole);
	unit_assert_slice(buffer_slice(&whole), "1 format  0 \"own\\\"1\\\\\"\n"
						"0 empty  0 \n"
						"1 number  0 -1.5e3\n"
						"0 facts  0 \n"
						"2 facts  0 {\"a\":[1,{\"b\":\"]}\"}]}\n"
						"2 facts  0 \"te\\\\xt\"\n"
						"2 facts  0 12\n"
						"2 facts  0 null\n"
						"2 facts  0 [[]]\n"
						"0 conversations  0 \n"
						"3 conversations  0 \n"
						"4 conversations id 0 \"7\"\n"
						"5 conversations  0 {\"x\":1}\n"
						"5 conversations  0 \"\xc3\xbc\"\n"
						"4 conversations last 0 true\n"
						"3 conversations  0 \n"
						"1 \"  0 {\"x\":[]}\n"
						"end");
	buffer_finish(&whole);
}
END_TEST

START_TEST(lines_give_the_same_parts_wherever_their_pieces_end)
{
	struct buffer whole;
	assert_alike(SLICE(lines), true, SIZE_MAX, &whole);
	unit_assert_slice(buffer_slice(&whole), "2   0 {\"a\":1}\n"
						"2   0 {\"b\":[1,2]}\n"
						"2   0 {\"c\":\"}{\"}\n"
						"end");
	buffer_finish(&whole);
}
END_TEST

START_TEST(a_part_that_is_too_long_is_so_wherever_its_pieces_end)
{
	struct buffer whole;
	assert_alike(SLICE("[\"1234\",\"12345\",{\"a\":12345},7]"), false, 6, &whole);
	unit_assert_slice(buffer_slice(&whole), "0   0 \n"
						"2   0 \"1234\"\n"
						"2   1 \n"
						"2   1 \n"
						"2   0 7\n"
						"end");
	buffer_finish(&whole);
}
END_TEST

START_TEST(what_is_no_json_is_broken_wherever_its_pieces_end)
{
	static const char *const broken[] = {"{\"a\":1,}", "[1 2]", "[1],", "{\"a\" 1}",
					     "{a:1}",      "[,1]",  "]",    "[1}",
					     "{\"a\":[1}", "1 2",   "[]{}"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct buffer whole;
		assert_alike(slice_of(broken[i]), false, SIZE_MAX, &whole);
		ck_assert_msg(slice_find(buffer_slice(&whole), SLICE("broken"), 0) < whole.size,
			      "%s", broken[i]);
		buffer_finish(&whole);
	}
}
END_TEST

UNIT_MAIN("json_split", a_document_gives_the_same_parts_wherever_its_pieces_end,
	  lines_give_the_same_parts_wherever_their_pieces_end,
	  a_part_that_is_too_long_is_so_wherever_its_pieces_end,
	  what_is_no_json_is_broken_wherever_its_pieces_end)
