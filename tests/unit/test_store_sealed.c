/* Tests the files of an encrypted store, and searching it. */
#include "tests/unit/sealed_fixture.h"

#include <string.h>

START_TEST(no_file_shows_a_word_a_name_or_who_said_what)
{
	struct fixture fixture;
	sealed_begin_clear(&fixture);
	sealed_fill(&fixture);
	ck_assert(sealed_file_has(&fixture, "data.mdb", "Bergamot",
				  8)); /* the search finds what is there */
	fixture_finish(&fixture);
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	ck_assert(!sealed_shows_anything(&fixture));
	ck_assert_uint_eq(fixture_view(&fixture, "session-of-bergamot").turn_count, 4);
	ck_assert_uint_eq(store_unreadable(fixture.store), 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(words_are_found_by_their_hashes)
{
	struct fixture fixture;
	sealed_begin(&fixture);
	sealed_fill(&fixture);
	sealed_fill_postings(&fixture);
	struct recall_result found = sealed_recall(&fixture, "who is Quillon?");
	ck_assert_uint_ge(found.count, 1);
	unit_assert_slice(found.turns[0].text, "my dog is called Quillon");
	fixture_reopen(&fixture);
	ck_assert_uint_ge(sealed_recall(&fixture, "who is Quillon?").count, 1);
	fixture_finish(&fixture);
}
END_TEST

/* Their hashes with the user's key stand in another order than the words' own. */
START_TEST(each_of_many_words_is_found)
{
	enum { WORDS = 700, WORD = 4 };
	char text[WORDS * WORD + 1];
	struct fixture fixture;
	sealed_begin(&fixture);
	for (size_t i = 0; i < WORDS; i++) {
		const char word[WORD] = {'b' + (char)(i % 10), 'm' + (char)(i / 10 % 10),
					 'b' + (char)(i / 100), ' '};
		memcpy(text + i * WORD, word, WORD);
	}
	text[WORDS * WORD] = '\0';
	sealed_say(&fixture, "alex", text, 5);
	for (size_t i = 0; i < WORDS; i += 7) {
		char word[WORD] = {text[i * WORD], text[i * WORD + 1], text[i * WORD + 2]};
		const struct recall_result found = sealed_recall(&fixture, word);
		ck_assert_msg(found.count >= 1, "%s", word);
		unit_assert_slice(found.turns[0].text, text);
	}
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_sealed", no_file_shows_a_word_a_name_or_who_said_what,
	  words_are_found_by_their_hashes, each_of_many_words_is_found)
