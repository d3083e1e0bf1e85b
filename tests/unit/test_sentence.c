#include "core/text/sentence.h"
#include "tests/unit/unit.h"

static void assert_sentences(const char *text, size_t limit, const char *expected)
{
	struct slice whole = slice_of(text);
	unit_assert_slice(slice_part(whole, 0, sentence_end(whole, limit)), expected);
}

START_TEST(a_cut_falls_behind_the_last_whole_sentence)
{
	assert_sentences("One. Two! Three four.", 20, "One. Two!");
	assert_sentences("One. Two! Three four.", 21, "One. Two! Three four.");
	assert_sentences("One. Two! Three four.", 9, "One. Two!");
	assert_sentences("One. Two! Three four.", 8, "One.");
	assert_sentences("He said \"no.\" Then left", 22, "He said \"no.\"");
	assert_sentences("- first line\n- second li", 23, "- first line");
}
END_TEST

START_TEST(a_point_inside_a_number_ends_nothing)
{
	assert_sentences("Uses v3.5 and 0.75 now", 22, "");
	assert_sentences("Ends here. Uses v3.5", 17, "Ends here.");
}
END_TEST

START_TEST(ideographic_stops_need_no_space)
{
	assert_sentences("我叫李明。我住在上海", 24, "我叫李明。");
	assert_sentences("我叫李明。", 15, "我叫李明。");
	assert_sentences("我叫李明。", 14, "");
}
END_TEST

START_TEST(each_script_ends_its_sentences_in_its_own_way)
{
	assert_sentences("मैं राम हूँ। मैं", 200, "मैं राम हूँ।");
	assert_sentences("東京です！次", 200, "東京です！");
	assert_sentences("元気？はい", 200, "元気？");
	assert_sentences("Wait… no", 200, "Wait…");
	assert_sentences("He said “no.” Then", 200, "He said “no.”");
	assert_sentences("„Nein.“ Dann", 200, "„Nein.“");
	assert_sentences("It’s ‘so.’ Then", 200, "It’s ‘so.’");
	assert_sentences("« Non. » Puis", 200, "« Non.");
	assert_sentences("«Non.» Puis", 200, "«Non.»");
	assert_sentences("(So it is.) 'Yes.' Then", 200, "(So it is.) 'Yes.'");
}
END_TEST

static void assert_words(const char *text, unsigned max, const char *expected)
{
	struct slice whole = slice_of(text);
	unit_assert_slice(slice_part(whole, 0, sentence_words_end(whole, max)), expected);
}

START_TEST(words_are_counted_by_the_spaces_between_them)
{
	assert_words("one two  three", 3, "one two  three");
	assert_words("one two  three", 2, "one two");
	assert_words("one\ntwo three four", 3, "one\ntwo three");
	assert_words("", 3, "");
	assert_words("one", 0, "");
}
END_TEST

START_TEST(two_ideographs_count_as_a_word)
{
	assert_words("我叫李明住在上海", 2, "我叫李明");
	assert_words("用 ChromaDB 好吧", 2, "用 ChromaDB 好");
	assert_words("𠀀𠀁𠀂 x", 1, "𠀀𠀁");                  /* beyond the basic plane */
	assert_words("豈更車 x", 1, "豈更");                  /* compatibility ideographs */
	assert_words("한국어 좋아요 네", 2, "한국어 좋아요"); /* Hangul has spaces */
	assert_words("ﬁne ﬂow on", 2, "ﬁne ﬂow");
}
END_TEST

START_TEST(a_word_without_an_end_is_cut_at_a_character)
{
	char text[1000];
	for (size_t i = 0; i + 1 < sizeof(text); i += 2) {
		text[i] = (char)0xC3;
		text[i + 1] = (char)0xA4;
	}
	size_t end = sentence_words_end((struct slice){text, sizeof(text)}, 2);
	ck_assert_uint_gt(end, 0);
	ck_assert_uint_lt(end, 200);
	ck_assert_uint_eq(end % 2, 0);
}
END_TEST

UNIT_MAIN("sentence", a_cut_falls_behind_the_last_whole_sentence,
	  a_point_inside_a_number_ends_nothing, each_script_ends_its_sentences_in_its_own_way,
	  ideographic_stops_need_no_space, words_are_counted_by_the_spaces_between_them,
	  two_ideographs_count_as_a_word, a_word_without_an_end_is_cut_at_a_character)
