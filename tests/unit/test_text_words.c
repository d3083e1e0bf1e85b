#include "core/text.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <ctype.h>
#include <uniwbrk.h>

enum { LONGEST = 64, ROUNDS = 100000 };

static bool collect(void *cookie, struct slice word)
{
	buffer_append(cookie, word);
	return buffer_append_byte(cookie, '|');
}

/* What text_words() should give of ASCII, by libunistring's rules alone. */
static void split(struct slice text, struct buffer *words)
{
	char breaks[LONGEST];
	u8_wordbreaks((const uint8_t *)text.data, text.size, breaks);
	bool has_letter = false;
	size_t begin = 0;
	for (size_t at = 0; at <= text.size; at++) {
		if (at == text.size || breaks[at]) {
			for (size_t i = begin; has_letter && i < at; i++)
				buffer_append_byte(words, (char)tolower(text.data[i]));
			if (has_letter)
				buffer_append_byte(words, '|');
			has_letter = false;
			begin = at;
		}
		has_letter |= at < text.size && isalnum((unsigned char)text.data[at]);
	}
}

START_TEST(what_is_taken_for_a_plain_word_is_one_by_the_rules)
{
	static const char alphabet[] = "aZz09__''..:,;!?\"()-#@ \t\n\x01\x7f";
	struct random random = {.state = 3};
	struct buffer expected;
	struct buffer words;
	buffer_init(&expected, SIZE_MAX);
	buffer_init(&words, SIZE_MAX);
	for (int round = 0; round < ROUNDS; round++) {
		char bytes[LONGEST];
		struct slice text = {bytes, random_below(&random, LONGEST + 1)};
		for (size_t i = 0; i < text.size; i++)
			bytes[i] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
		buffer_clear(&expected);
		buffer_clear(&words);
		split(text, &expected);
		text_words(text, collect, &words);
		ck_assert_msg(slice_equal(buffer_slice(&words), buffer_slice(&expected)),
			      "\"%.*s\": %.*s, not %.*s", SLICE_PRINT(text),
			      SLICE_PRINT(buffer_slice(&words)),
			      SLICE_PRINT(buffer_slice(&expected)));
	}
	buffer_finish(&expected);
	buffer_finish(&words);
}
END_TEST

UNIT_MAIN("text_words", what_is_taken_for_a_plain_word_is_one_by_the_rules)
