#include "core/text/text.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <uniwbrk.h>

/* What is taken the short way comes out as by the long one. */

static struct arena arena;

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

/* A letter that is not ASCII sends the text the long way. */
START_TEST(what_is_inert_at_a_glance_is_so_byte_by_byte)
{
	static const char alphabet[] = "aZ..,,  ::##<>[]\n\t\x7f";
	static const char *const words[] = {"user", "INST", "System", "a", "b", "c"};
	struct random random = {.state = 9};
	for (int round = 0; round < 20000; round++) {
		struct buffer text;
		buffer_init(&text, 1000);
		for (size_t i = random_below(&random, 24); i > 0; i--) {
			buffer_append_byte(&text, alphabet[random_below(&random, i % 2 ? 8 : 20)]);
			if (random_below(&random, 2))
				buffer_append(&text, slice_of(words[random_below(&random, 6)]));
		}
		buffer_append_byte(&text, '.');
		struct slice once = text_inert(buffer_slice(&text), SIZE_MAX, &arena);
		buffer_append(&text, SLICE("é"));
		struct slice longer = text_inert(buffer_slice(&text), SIZE_MAX, &arena);
		ck_assert(slice_equal(once, slice_part(longer, 0, longer.size - 2)));
		buffer_finish(&text);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(reasoning_is_taken_out_wherever_it_begins)
{
	char text[128];
	for (size_t at = 0; at < 100; at++) {
		memset(text, 'a', at);
		snprintf(text + at, sizeof(text) - at,
			 at % 2 ? "<think>x</think>" : "◁think▷x◁/think▷");
		struct slice kept = text_without_reasoning(slice_of(text), &arena);
		ck_assert(slice_equal(kept, (struct slice){text, at}));
		ck_assert_uint_eq(text_hash(slice_of(text)), text_hash(kept));
	}
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("text_oracles", what_is_taken_for_a_plain_word_is_one_by_the_rules,
	  what_is_inert_at_a_glance_is_so_byte_by_byte, reasoning_is_taken_out_wherever_it_begins)
