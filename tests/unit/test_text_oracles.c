#include "core/text/text.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <uniwbrk.h>

/* The fast path gives the result of the slow one. */

static struct arena arena;

enum { LONGEST = 64, ROUNDS = 100000 };

static bool collect(void *cookie, struct slice word)
{
	buffer_append(cookie, word);
	return buffer_append_byte(cookie, '|');
}

/* The words that text_words() should find in ASCII, by libunistring's rules alone. */
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

/* The form in which ASCII is compared, made the simplest way. */
static void make_plain(struct slice text, struct buffer *plain)
{
	buffer_clear(plain);
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		bool is_first = plain->size == 0;
		if (!isspace((unsigned char)c))
			buffer_append_byte(plain, c == '"' || c == '`' ? '\'' : (char)tolower(c));
		else if (!is_first && plain->data[plain->size - 1] != ' ')
			buffer_append_byte(plain, ' ');
	}
	if (plain->size > 0 && plain->data[plain->size - 1] == ' ')
		plain->size--;
	buffer_append_byte(plain, '\0');
	plain->size--;
}

static bool is_inside(const char *text, const char *at)
{
	return at > text && *at != '\0' && isalnum((unsigned char)at[-1]) &&
	       isalnum((unsigned char)*at);
}

static bool says(const char *text, const char *part, bool whole_words)
{
	size_t size = strlen(part);
	const char *at = size == 0 ? NULL : strstr(text, part);
	while (whole_words && at != NULL && (is_inside(text, at) || is_inside(text, at + size)))
		at = strstr(at + 1, part);
	return at != NULL;
}

/* A character that is not shown sends the text the long way. */
static void check_what_is_said(struct slice whole, struct slice part)
{
	struct buffer plain;
	struct buffer sought;
	buffer_init(&plain, SIZE_MAX);
	buffer_init(&sought, SIZE_MAX);
	make_plain(whole, &plain);
	make_plain(part, &sought);
	const char *const phrases[] = {"zz", sought.data, NULL};
	const struct slice pieces[] = {SLICE("\u00ad"), whole};
	struct slice hidden = arena_join(&arena, pieces, 2);
	bool contained = says(plain.data, sought.data, false);
	bool said = says(plain.data, sought.data, true);
	ck_assert_int_eq(text_contains(whole, part), contained);
	ck_assert_int_eq(text_contains(hidden, part), contained);
	ck_assert_int_eq(text_says(whole, part), said);
	ck_assert_int_eq(text_says(hidden, part), said);
	if (sought.size > 0)
		ck_assert_int_eq(text_says_any(whole, phrases),
				 said || says(plain.data, "zz", true));
	buffer_finish(&plain);
	buffer_finish(&sought);
	arena_finish(&arena);
}

START_TEST(what_ascii_says_is_what_its_plain_form_says)
{
	static const char alphabet[] = "aAbB  \t\n'\"`-.1";
	struct random random = {.state = 5};
	for (int round = 0; round < ROUNDS; round++) {
		char bytes[LONGEST];
		struct slice whole = {bytes, random_below(&random, LONGEST / 2)};
		struct slice part = {bytes + LONGEST / 2, random_below(&random, 5)};
		for (size_t i = 0; i < LONGEST; i++)
			bytes[i] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
		check_what_is_said(whole, part);
	}
}
END_TEST

START_TEST(no_phrase_is_said_by_an_empty_text_or_list)
{
	static const char *const none[] = {NULL};
	static const char *const some[] = {"tea", "né", NULL};
	ck_assert(!text_says_any(SLICE("tea"), none));
	ck_assert(!text_says_any(SLICE(" \n"), some));
	ck_assert(text_says_any(SLICE("Il est NÉ"), some));
	ck_assert(!text_says_any(SLICE("steam"), some));
}
END_TEST

UNIT_MAIN("text_oracles", what_ascii_says_is_what_its_plain_form_says,
	  no_phrase_is_said_by_an_empty_text_or_list,
	  what_is_taken_for_a_plain_word_is_one_by_the_rules,
	  what_is_inert_at_a_glance_is_so_byte_by_byte, reasoning_is_taken_out_wherever_it_begins)
