#include "core/pii/parts.h"
#include "tests/unit/pii_fixture.h"

#include <stdlib.h>

static struct arena arena;

START_TEST(a_mask_says_what_it_hides_and_leaves_the_rest)
{
	unsigned found;
	struct slice text = SLICE("alex@example.com or +49 30 1234567 from 203.0.113.9");
	unit_assert_slice(pii_mask(text, PII_BIT(PII_PHONE), &arena, &found),
			  "alex@example.com or [redacted: phone] from 203.0.113.9");
	ck_assert_uint_eq(found, PII_BIT(PII_PHONE));
	unit_assert_slice(pii_mask(text, PII_BIT(PII_GEO), &arena, &found), text.data);
	ck_assert_uint_eq(found, 0);
	ck_assert_ptr_eq(pii_mask(text, 0, &arena, NULL).data, text.data);
	ck_assert_uint_eq(pii_mask((struct slice){0}, PII_ALL, &arena, NULL).size, 0);
	arena_finish(&arena);
}
END_TEST

/* The text without the health detail that the user said in exchange 7. */
static struct slice mask_told(const char *value, const char *quote, const char *text,
			      uint64_t exchange)
{
	const struct pii_said said = {slice_of(value), slice_of(quote), 7, PII_BIT(PII_HEALTH)};
	struct pii_told told = {.left = 1 << 20};
	pii_told_add(&told, &said, &arena);
	return pii_mask_told(slice_of(text), exchange, &told, &arena);
}

START_TEST(what_a_model_told_of_goes_by_the_sentence)
{
	unit_assert_slice(
		mask_told("asthma", "", "I like figs. I have Asthma! And dogs.\nAsthma.", 7),
		"I like figs. [redacted: health] And dogs.\n[redacted: health]");
	const char *other = "The asthmatic likes figs.";
	ck_assert_ptr_eq(mask_told("asthma", "", other, 0).data, other);
	unit_assert_slice(
		mask_told("\u54ee\u5598", "", "\u6211\u6709\u54ee\u5598\u3002\u597d\u3002", 7),
		"[redacted: health]\u597d\u3002");
	/* A quote that leaves something out, and one over two sentences. */
	unit_assert_slice(mask_told("ill", "wheeze ... since May",
				    "Oh. I wheeze a bit. But I run. It is so since May.", 7),
			  "Oh. [redacted: health] But I run. [redacted: health]");
	unit_assert_slice(mask_told("ill", "I wheeze. At night", "I wheeze. At night. I run.", 7),
			  "[redacted: health] I run.");
	unit_assert_slice(mask_told("ill", "wheeze. At night", "I wheeze. At night it is bad.", 7),
			  "[redacted: health]");
	/* In other words: all of what its user said, and nothing of what others did. */
	unit_assert_slice(mask_told("asthma", "", other, 7), "[redacted: health]");
	arena_finish(&arena);
}
END_TEST

START_TEST(texts_that_cost_too_much_go_whole)
{
	enum { MOST = 64 * 1024 };
	const struct pii_said said = {SLICE("asthma"), SLICE("a. b"), 7, PII_BIT(PII_HEALTH)};
	struct pii_told told = {.left = SIZE_MAX};
	struct buffer text;
	pii_told_add(&told, &said, &arena);
	buffer_init(&text, 1 << 20);
	while (text.size <= MOST)
		buffer_append(&text, SLICE("figs and asthma "));
	unit_assert_slice(pii_mask_told(buffer_slice(&text), 0, &told, &arena),
			  "[redacted: health]");
	text.size = 0;
	while (text.size < MOST - 8)
		buffer_append(&text, SLICE("a. "));
	buffer_append(&text, SLICE("asthma"));
	told.left = 2 << 20;
	unit_assert_slice(pii_mask_told(buffer_slice(&text), 7, &told, &arena),
			  "[redacted: health]");
	ck_assert_uint_eq(told.left, 0);
	unit_assert_slice(pii_mask_told(SLICE("figs"), 0, &told, &arena), "[redacted: health]");
	buffer_finish(&text);
	arena_finish(&arena);
}
END_TEST

START_TEST(invisible_characters_hide_nothing)
{
	assert_masked("al\u200bex@exam\u00adple.com!", "[redacted: email]!");
	assert_masked("\u0130\u200b \u2060+49 30\u200b 12\u200b34567 \u0130",
		      "\u0130\u200b \u2060[redacted: phone] \u0130");
}
END_TEST

START_TEST(classes_have_names)
{
	enum pii_class class;
	struct buffer out;
	for (size_t i = 0; i < PII_CLASSES; i++) {
		ck_assert(pii_read(slice_of(pii_name((enum pii_class)i)), &class));
		ck_assert_int_eq(class, (int)i);
	}
	ck_assert(!pii_read(SLICE("phones"), &class));
	buffer_init(&out, 100);
	pii_print(PII_BIT(PII_EMAIL) | PII_BIT(PII_BIOMETRIC), &out);
	pii_print(0, &out);
	unit_assert_slice(buffer_slice(&out), "[\"email\",\"biometric\"][]");
	buffer_finish(&out);
}
END_TEST

/* The longest turn, of what makes the rules look furthest; a quadratic scan would take minutes. */
START_TEST(long_texts_are_scanned_once)
{
	static const char *const units[] = {
		"a",
		"1",
		"1 ",
		"12.",
		"1-",
		"@",
		"a@",
		"a.@",
		"a@b.",
		"a1",
		"de89 ",
		"+1",
		"(",
		"((1",
		"1:",
		"f:",
		"::",
		"ff:ff:",
		"tel ",
		"tel 1 ",
		"born ",
		"born 1.",
		"1.1.90 ",
		"street 5, ",
		"12345, ",
		"\u3012",
		"\u3012"
		"100-0001 ",
		"\u5e74",
		"1\u5e74",
		"\u00df",
		"\u0130",
		"\u200b",
		"\xff",
		"52.1234, ",
		"4111 ",
		"nw1 6x",
		"5 may ",
		"x1",
		"straat 1, ",
		"ul. 5, 12345 ",
		"\uff11",
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct buffer text;
		buffer_init(&text, 1 << 22);
		while (text.size < (i < 2 ? 1 << 20 : 1 << 17))
			buffer_append(&text, slice_of(units[i]));
		(void)pii_mask(buffer_slice(&text), PII_ALL, &arena, NULL);
		buffer_finish(&text);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(noise_breaks_nothing_and_spans_are_sound)
{
	static const char *const noise[] = {
		"alex",   "@",   "example.com", " ",      "+",      "49",     "30",   "1234567",
		"(",      ")",   "-",           ".",      ",",      "born",   "may",  "1990",
		"street", "tel", "\u00df",      "\u3012", "\u5e74", "\u200b", "\xff", "de89",
		":",      "ff",  "\n",          "\u0130", "\uff11", "12345",  "bsn",  "x",
	};
	srand(5);
	for (int round = 0; round < 20000; round++) {
		struct buffer text;
		buffer_init(&text, 10000);
		for (int i = rand() % 24; i >= 0; i--)
			buffer_append(&text, slice_of(noise[(size_t)rand() %
							    (sizeof(noise) / sizeof(noise[0]))]));
		size_t count;
		const struct pii_span *spans = pii_find(buffer_slice(&text), &count, &arena);
		size_t from = 0;
		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_le(from, spans[i].begin);
			ck_assert_uint_lt(spans[i].begin, spans[i].end);
			ck_assert_uint_le(spans[i].end, text.size);
			from = spans[i].end;
		}
		buffer_finish(&text);
		arena_finish(&arena);
	}
}
END_TEST

UNIT_MAIN("pii_mask", a_mask_says_what_it_hides_and_leaves_the_rest,
	  what_a_model_told_of_goes_by_the_sentence, texts_that_cost_too_much_go_whole,
	  invisible_characters_hide_nothing, classes_have_names, long_texts_are_scanned_once,
	  noise_breaks_nothing_and_spans_are_sound)
