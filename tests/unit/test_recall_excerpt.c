#include "core/recall/recall.h"
#include "core/text/text.h"
#include "unit.h"

#include <string.h>

static struct slice excerpt(const char *question, struct slice text, size_t limit,
			    struct arena *arena)
{
	struct recall_question asked = {.text = slice_of(question)};
	struct slice found = recall_excerpt(&asked, text, limit, arena);
	ck_assert_uint_le(found.size, limit);
	ck_assert(found.data >= text.data);
	ck_assert(found.data + found.size <= text.data + text.size);
	ck_assert(text_is_utf8(found) || !text_is_utf8(text));
	return found;
}

/* `sentence` in the midst of sentences about nothing. */
static struct slice bury(const char *sentence, const char *filler, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	for (int i = 0; i < 60; i++)
		buffer_append(&out, slice_of(i == 37 ? sentence : filler));
	struct slice text = arena_copy(arena, buffer_slice(&out));
	buffer_finish(&out);
	return text;
}

static void assert_found(const char *question, const char *sentence, const char *filler)
{
	struct arena arena = {0};
	struct slice text = bury(sentence, filler, &arena);
	struct slice found = excerpt(question, text, 160, &arena);
	struct slice wanted = slice_trim(slice_of(sentence));
	ck_assert_msg(slice_find(found, wanted, 0) < found.size, "%.*s", SLICE_PRINT(found));
	arena_finish(&arena);
}

START_TEST(the_sentence_that_shares_words_with_the_question_is_in_it)
{
	assert_found("Who was the harbour pilot?", "The Pilot of that day was Dora Sand. ",
		     "The sea was calm and the wind came from the west. ");
	assert_found("Wie hei\u00dft die Lotsin?", "Die Lotsin hei\u00dft Dora. ",
		     "Das Meer war ruhig und der Wind kam von Westen. ");
	assert_found("\u732b\u306e\u540d\u524d\u306f\uff1f",
		     "\u732b\u306e\u540d\u524d\u306f\u30de\u30eb\u3067\u3059\u3002",
		     "\u4eca\u65e5\u306f\u5929\u6c17\u304c\u3044\u3044\u3002");
}
END_TEST

START_TEST(a_short_text_is_given_whole_and_an_unrelated_one_from_its_beginning)
{
	struct arena arena = {0};
	unit_assert_slice(excerpt("Who?", SLICE("Dora Sand."), 40, &arena), "Dora Sand.");
	struct slice text = bury("Nothing. ", "The sea was calm that morning. ", &arena);
	struct slice found = excerpt("Which flour does bread need?", text, 100, &arena);
	ck_assert_ptr_eq(found.data, text.data);
	ck_assert_uint_gt(found.size, 50);
	arena_finish(&arena);
}
END_TEST

START_TEST(hostile_texts_are_cut_too)
{
	struct arena arena = {0};
	static char bytes[100000];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7919 >> 3);
	struct slice text = {bytes, sizeof(bytes)};
	for (size_t limit = 1; limit < 3000; limit = limit * 3 + 1)
		(void)excerpt("\xff\xfe the pilot pilot pilot", text, limit, &arena);
	memset(bytes, 'a', sizeof(bytes));
	(void)excerpt("aaaa", text, 300, &arena);
	memset(bytes, 0xE4, sizeof(bytes));
	(void)excerpt("\xE4\xE4\xE4", text, 300, &arena);
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("recall_excerpt", the_sentence_that_shares_words_with_the_question_is_in_it,
	  a_short_text_is_given_whole_and_an_unrelated_one_from_its_beginning,
	  hostile_texts_are_cut_too)
