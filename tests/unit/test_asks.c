/* A first look at a turn. */
#include "core/learn/said.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <stdio.h>

/* The lists of a language, whose sections' names are words, too. */
static struct slice words_of(const char *language)
{
	static char text[64 * 1024];
	char path[64];
	(void)snprintf(path, sizeof(path), "core/text/languages/%s.txt", language);
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	const size_t size = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	return (struct slice){text, size};
}

static void append_any_word(struct buffer *out, struct random *random)
{
	static const char *const others[] = {"don't",
					     "I",
					     "忘记",
					     "不对",
					     "错了",
					     "違う",
					     "n't",
					     "'",
					     "_",
					     "?",
					     ". ",
					     ", ",
					     "我",
					     "d'oublie",
					     "for_get",
					     "É",
					     "\n> ",
					     "```",
					     "Rome",
					     "no",
					     "this conversation",
					     "esta conversa",
					     "この会話",
					     "覚えないで"};
	static const char *const languages[] = {"english", "german",     "french", "spanish",
						"italian", "portuguese", "dutch",  "russian"};
	const struct slice words =
		words_of(languages[random_below(random, sizeof(languages) / sizeof(languages[0]))]);
	size_t at = random_below(random, words.size), end;
	while (at > 0 && strchr(" \n", words.data[at - 1]) == NULL)
		at--;
	for (end = at; end < words.size && strchr(" \n", words.data[end]) == NULL;)
		end++;
	if (random_below(random, 3) > 0)
		buffer_append(
			out,
			slice_of(others[random_below(random, sizeof(others) / sizeof(others[0]))]));
	else
		buffer_append(out, slice_part(words, at, end));
	if (random_below(random, 4) > 0)
		buffer_append_byte(out, ' ');
}

static bool presses(struct slice text, struct arena *arena)
{
	const struct said said = said_read(text, NULL, arena);
	bool asks = said_corrects(&said);
	for (size_t i = 0; i < said.count; i++)
		asks |= said_asks_to_forget(&said, &said.clauses[i]);
	return asks;
}

START_TEST(a_first_look_passes_over_nothing_that_asks_or_corrects)
{
	enum { TEXTS = 20000, WORDS = 6 };
	struct random random = {.state = 1};
	size_t pressing = 0;
	size_t declined = 0;
	size_t passed = 0;
	for (size_t i = 0; i < TEXTS; i++) {
		struct arena arena = {0};
		struct buffer text;
		buffer_init(&text, SIZE_MAX);
		for (size_t words = random_below(&random, WORDS); words > 0; words--)
			append_any_word(&text, &random);
		const struct slice said = arena_take(&arena, &text);
		const bool may = said_may_press(said);
		ck_assert_msg(may || !presses(said, &arena), "%.*s", (int)said.size, said.data);
		const struct said read = said_read(said, NULL, &arena);
		const bool declines = said_declines(&read);
		ck_assert_msg(said_may_decline(said) || !declines, "%.*s", (int)said.size,
			      said.data);
		pressing += presses(said, &arena);
		declined += declines;
		passed += !said_may_decline(said);
		arena_finish(&arena);
	}
	ck_assert_uint_gt(pressing, TEXTS / 50);
	ck_assert_uint_gt(declined, TEXTS / 500);
	ck_assert_uint_gt(passed, TEXTS / 10);
}
END_TEST

UNIT_MAIN("asks", a_first_look_passes_over_nothing_that_asks_or_corrects)
