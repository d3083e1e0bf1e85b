#include "tests/unit/random.h"

#include <string.h>

#define ANY_OF(random, list) (list)[random_below(random, sizeof(list) / sizeof((list)[0]))]

/* Marsaglia's xorshift64*. */
size_t random_below(struct random *random, size_t bound)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (size_t)((random->state * UINT64_C(2685821657736338717)) >> 33) % bound;
}

void random_text(struct random *random, struct buffer *out)
{
	static const char *const characters[] = {
		"a",
		"b",
		"0",
		" ",
		"the words that people write",
		"\"",
		"\\",
		"/",
		"\n",
		"\t",
		"\x01",
		"\x1f",
		"\x7f",
		"\xc2\x80",
		"\xc3\xa4",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xe4\xbd\xa0",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf0\x9f\x98\x80",
		"\xf4\x8f\xbf\xbf",
		"messages",
		"{\"role\":",
		"]}",
		",",
	};
	for (size_t left = random_below(random, 40); left > 0; left--)
		(void)buffer_append(out, slice_of(ANY_OF(random, characters)));
}

void random_json_string(struct random *random, struct buffer *out)
{
	static const char *const pieces[] = {
		"a",
		"\xc3\xa9",
		"\xe4\xbd\xa0",
		"\xf0\x9f\x98\x80",
		"\\\"",
		"\\\\",
		"\\/",
		"\\b",
		"\\f",
		"\\n",
		"\\r",
		"\\t",
		"\\u0000",
		"\\u00e9",
		"\\u4F60",
		"\\ud83d\\ude00",
		"[",
		"}",
		",",
		":",
		" ",
		"messages",
		"a run of more than sixteen plain bytes",
	};
	(void)buffer_append_byte(out, '"');
	for (size_t left = random_below(random, 12); left > 0; left--)
		(void)buffer_append(out, slice_of(ANY_OF(random, pieces)));
	(void)buffer_append_byte(out, '"');
}

void random_space(struct random *random, struct buffer *out)
{
	static const char *const spaces[] = {"", "", "", " ", "\n", "\t", "\r\n", "   "};
	(void)buffer_append(out, slice_of(ANY_OF(random, spaces)));
}

static void random_key(struct random *random, struct buffer *out)
{
	static const char *const keys[] = {"\"a\"", "\"\\u0061\"", "\"\"", "\"key\"",
					   "\"\xc3\xa9\""};
	(void)buffer_append(out, slice_of(ANY_OF(random, keys)));
	random_space(random, out);
	(void)buffer_append_byte(out, ':');
}

static void random_container(struct random *random, struct buffer *out, unsigned depth)
{
	bool is_object = random_below(random, 2) == 0;
	(void)buffer_append_byte(out, is_object ? '{' : '[');
	random_space(random, out);
	for (size_t left = random_below(random, 5); left > 0; left--) {
		if (is_object)
			random_key(random, out);
		random_json(random, out, depth - 1);
		if (left > 1)
			(void)buffer_append_byte(out, ',');
		random_space(random, out);
	}
	(void)buffer_append_byte(out, is_object ? '}' : ']');
}

void random_json(struct random *random, struct buffer *out, unsigned depth)
{
	static const char *const scalars[] = {
		"null",
		"true",
		"false",
		"0",
		"-0",
		"-1.50e+3",
		"1E-2",
		"12345678901234567",
		"1.0",
		"0.7",
		"-9223372036854775808",
	};
	random_space(random, out);
	switch (random_below(random, depth == 0 ? 2 : 4)) {
	case 0:
		(void)buffer_append(out, slice_of(ANY_OF(random, scalars)));
		break;
	case 1:
		random_json_string(random, out);
		break;
	default:
		random_container(random, out, depth);
		break;
	}
	random_space(random, out);
}

/* Puts `bytes` in the place of `size` bytes at `at`. */
static void replace(struct buffer *document, size_t at, size_t size, struct slice bytes)
{
	struct buffer changed;
	buffer_init(&changed, document->limit);
	(void)buffer_append(&changed, slice_part(buffer_slice(document), 0, at));
	(void)buffer_append(&changed, bytes);
	(void)buffer_append(&changed,
			    slice_part(buffer_slice(document), at + size, document->size));
	buffer_finish(document);
	*document = changed;
}

void random_mutation(struct random *random, struct buffer *document)
{
	static const char *const tokens[] = {
		"{",
		"}",
		"[",
		"]",
		",",
		":",
		"\"",
		"\\",
		" ",
		"\n",
		"0",
		"1",
		"-",
		"+",
		".",
		"e",
		"null",
		"true",
		"\"a\":",
		"[]",
		"{}",
		"\\u",
		"\\ud83d",
		"\x80",
		"\xc3",
		"\xe0\xa0",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xff",
		"\x01",
		"\x7f",
		"/",
		"'",
		"N",
	};
	if (document->size == 0)
		return;
	size_t at = random_below(random, document->size);
	size_t size = 1 + random_below(random, 3);
	if (size > document->size - at)
		size = document->size - at;
	struct slice some = slice_part(buffer_slice(document), at, at + size);
	switch (random_below(random, 5)) {
	case 0:
		replace(document, at, size, SLICE(""));
		break;
	case 1:
		replace(document, at, 0, some);
		break;
	case 2:
		replace(document, at, 1, slice_of(ANY_OF(random, tokens)));
		break;
	case 3:
		document->data[at] = (char)random_below(random, 256);
		break;
	default:
		replace(document, at, 0, slice_of(ANY_OF(random, tokens)));
		break;
	}
}
