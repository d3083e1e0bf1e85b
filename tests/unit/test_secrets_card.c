#include "tests/unit/secrets_fixture.h"

static struct arena arena;

START_TEST(card_numbers_are_masked)
{
	assert_masked("4111 1111 1111 1111", CARD, 1);
	assert_masked("card 4111-1111-1111-1111, ok", "card " CARD ", ok", 1);
	assert_masked("5555555555554444.", CARD ".", 1);
	assert_masked("amex 3782 822463 10005", "amex " CARD, 1);
	assert_masked("6011111111111117 and 30569309025904", CARD " and " CARD, 2);
}
END_TEST

START_TEST(card_numbers_are_known_however_they_are_typeset)
{
	assert_masked("4111\u00A01111\u00A01111\u00A01111", CARD, 1);
	assert_masked("4111\u202F1111 1111\u00A01111.", CARD ".", 1);
	assert_masked("4111\u20131111\u20101111-1111", CARD, 1);
	assert_masked("4111\u20151111\u20151111\u20151111", CARD, 1);
	assert_masked("カード：４１１１１１１１１１１１１１１１。", "カード：" CARD "。", 1);
	assert_masked("４１１１－1111 x ４１１１ １１１１　4111 1111 1111 1111",
		      "４１１１－1111 x ４１１１ １１１１　" CARD, 1);
	assert_masked("４１１１ １１１１ １１１１ １１１１", CARD, 1);
	assert_masked("４１１１　１１１１　１１１１　１１１１", CARD, 1);
	assert_masked("４１１１－１１１１－１１１１－１１１１", CARD, 1);
	assert_masked("4111\u20091111\u20091111\u20091111", CARD, 1);
	assert_masked("4111111111111111\u20142 times", CARD "\u20142 times", 1);
	assert_kept("９9４１１１１１１１１１１１１１１１");
	assert_kept("994111111111111111１");
	assert_kept("DE89\u00A04111\u00A01111\u00A01111\u00A01111\u00A000");
	assert_kept("１，２，３\u00A04111\u20131112");
}
END_TEST

START_TEST(a_card_number_ends_where_another_number_begins)
{
	assert_masked("4110 11111 1111 4111111111111111", CARD " " CARD, 2);
	assert_masked("4111 1111 1111 1111 5555 5555 5555 4444 3782 822463 10005",
		      CARD " " CARD " " CARD, 3);
	assert_masked("4111 1111 1111 1111 123 12/27", CARD " 123 12/27", 1);
	assert_masked("4111 1111 1111 1111 22", CARD " 22", 1);
	assert_masked("4111 1111 1111 1111 20261121", CARD " 20261121", 1);
	assert_masked("7 4111-1111-1111-1111 7", "7 " CARD " 7", 1);
	assert_masked("ID12 4111 1111 1111 1111", "ID12 " CARD, 1);
	assert_masked("ID12 4111-1111-1111-1111 12/27", "ID12 " CARD " 12/27", 1);
	assert_masked("123 4111 1111 1111 1111", "123 " CARD, 1);
	assert_masked("ok 12 4111 1111 1111 1111 7", "ok 12 " CARD " 7", 1);
}
END_TEST

START_TEST(numbers_that_are_no_cards_stay)
{
	assert_kept("4111 1111 1111 1112"); /* fails Luhn */
	assert_kept("order 1111111111111117");
	assert_kept("+49 170 1234567 or 030-1234-5678");
	assert_kept("2026-11-21 09:30:00, 1763717400000");
	assert_kept("0.4111111111111111");
	assert_kept("4111111111111111111111111111");
	assert_kept("4111 1111 1111 1111-22");
	assert_kept("4111 1111 1111 1111.22");
	assert_kept("4111-1111-1111-1111-22");
	assert_kept("4111-1111-1111-1111-2222");
	assert_kept("4111 1111 1111 1111x");
	assert_kept("DE89 4111 1111 1111 1111 00");
	assert_kept("ISBN 978-3-16-148410-0");
	assert_kept("DE89 3704 0044 0532 0130 00");
}
END_TEST

START_TEST(a_cards_groups_may_be_joined_by_other_signs)
{
	static const char *const signs[] = {".", "/", "_", "\t", "\n", "  ", "\r\n", " - ", "-\n"};
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		struct slice text = arena_printf(&arena, "a 4111%s1111%s1111%s1111 b", signs[i],
						 signs[i], signs[i]);
		unit_assert_slice(secrets_mask(text, &arena, NULL), "a " CARD " b");
	}
	arena_finish(&arena);
	assert_masked("4111 1111\n1111 1111", CARD, 1);
	assert_masked("4111-1111\n1111-1111.", CARD ".", 1);
	assert_masked("3782\n822463\n10005", CARD, 1);
	assert_masked("\u0664\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 "
		      "\u0661\u0661\u0661\u0661",
		      CARD, 1);
	assert_masked(
		"\u096a\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967"
		"\u0967\u0967\u0967",
		CARD, 1);
	/* A table's numbers. */
	assert_kept("4111\n1111\n1111\n1111\n2026");
	assert_kept("411\t1111\t1111\t11111");
	assert_kept("4111.1111.1111.1111.22");
	assert_kept("4111 1111/1111 1111");
}
END_TEST

START_TEST(a_cards_groups_are_as_cards_have_them)
{
	assert_masked("4111\u205F1111\u205F1111\u205F1111", CARD, 1);
	assert_masked("4111\u22121111\u22121111\u22121111", CARD, 1);
	assert_masked("4111\uFE631111\uFE631111\uFE631111", CARD, 1);
	assert_masked("3056/930902/5904", CARD, 1);
	assert_masked("3782/822463/10005", CARD, 1);
	assert_masked("4111.1111.1111.1111.110", CARD, 1);
	assert_masked("XDE89 4111 1111 1111 1111 00", "XDE89 " CARD " 00", 1);
	assert_masked("DEX9 4111 1111 1111 1111 00", "DEX9 " CARD " 00", 1);
	assert_kept("the account DE89 4111 1111 1111 1111 00");
	assert_kept("4222/222222/222");
	assert_kept("4222/2222/22222");
	assert_kept("422/222222/2222");
	assert_kept("4111     1111     1111     1111");
	assert_kept("4111.1111.1111.1111.1111");
	assert_kept("41 111111 111111 11");
	assert_kept("3400 0000 0000 0000 0");
}
END_TEST

UNIT_MAIN("secrets_card", card_numbers_are_masked, card_numbers_are_known_however_they_are_typeset,
	  a_card_number_ends_where_another_number_begins, numbers_that_are_no_cards_stay,
	  a_cards_groups_may_be_joined_by_other_signs, a_cards_groups_are_as_cards_have_them)
