/* The words that say what a number beside them is. */
#include "core/base/word_map.h"
#include "core/pii/parts.h"
#include "pii_words_map.h"

/* German and Dutch write a street's name and its kind as one word. */
static const struct slice street_ends[] = {
	SLICE("stra\u00dfe"), SLICE("strasse"), SLICE("str"),    SLICE("gasse"),
	SLICE("weg"),         SLICE("allee"),   SLICE("platz"),  SLICE("ring"),
	SLICE("damm"),        SLICE("ufer"),    SLICE("steig"),  SLICE("chaussee"),
	SLICE("straat"),      SLICE("laan"),    SLICE("plein"),  SLICE("gracht"),
	SLICE("kade"),        SLICE("dijk"),    SLICE("singel"), SLICE("hof"),
	SLICE("pad"),         SLICE("dreef"),   SLICE("steeg"),  SLICE("baan"),
	SLICE("boulevard"),   SLICE("markt"),   SLICE("gatan"),  SLICE("v\u00e4gen"),
};

static const struct {
	struct slice sign;
	unsigned bits;
} signs[] = {
	{SLICE("\u7535\u8bdd"), PII_WORD_PHONE},            /* telephone */
	{SLICE("\u96fb\u8a71"), PII_WORD_PHONE},            /* the same, traditional and Japanese */
	{SLICE("\u624b\u673a"), PII_WORD_PHONE},            /* mobile */
	{SLICE("\u624b\u6a5f"), PII_WORD_PHONE},            /* the same, traditional */
	{SLICE("\u643a\u5e2f"), PII_WORD_PHONE},            /* Japanese mobile */
	{SLICE("\uc804\ud654"), PII_WORD_PHONE},            /* Korean telephone */
	{SLICE("\ud734\ub300\ud3f0"), PII_WORD_PHONE},      /* Korean mobile */
	{SLICE("\u51fa\u751f"), PII_WORD_BORN},             /* born */
	{SLICE("\u751f\u65e5"), PII_WORD_BORN},             /* birthday */
	{SLICE("\u751f\u4e8e"), PII_WORD_BORN},             /* born on */
	{SLICE("\u8bde\u8fb0"), PII_WORD_BORN},             /* birthday, respectful */
	{SLICE("\u8a95\u751f\u65e5"), PII_WORD_BORN},       /* Japanese birthday */
	{SLICE("\u751f\u5e74\u6708\u65e5"), PII_WORD_BORN}, /* Japanese date of birth */
	{SLICE("\u751f\u307e\u308c"), PII_WORD_BORN},       /* Japanese born */
	{SLICE("\uc0dd\uc77c"), PII_WORD_BORN},             /* Korean birthday */
	{SLICE("\uc0dd\ub144\uc6d4\uc77c"), PII_WORD_BORN}, /* Korean date of birth */
	{SLICE("\u8def"), PII_WORD_STREET},                 /* road */
	{SLICE("\u8857"), PII_WORD_STREET},                 /* street */
	{SLICE("\u5927\u9053"), PII_WORD_STREET},           /* avenue */
	{SLICE("\u80e1\u540c"), PII_WORD_STREET},           /* lane */
	{SLICE("\u5df7"), PII_WORD_STREET},                 /* alley */
	{SLICE("\u3012"), PII_WORD_STREET_OF},              /* Japan's mark of a postcode */
	{SLICE("\u7248\u672c"), PII_WORD_VERSION},          /* version */
	{SLICE("\u53d1\u5e03"), PII_WORD_NO_PHONE},         /* released */
	{SLICE("\u767a\u58f2"), PII_WORD_NO_PHONE},         /* sold from */
	{SLICE("\u8ba2\u5355"), PII_WORD_NO_PHONE},         /* order */
};

/* Most words are told by their last letter. */
static bool is_compound(struct slice word)
{
	enum { SHORTEST = 6 };
	for (size_t i = 0;
	     word.size >= SHORTEST && i < sizeof(street_ends) / sizeof(street_ends[0]); i++) {
		const struct slice end = street_ends[i];
		if (word.data[word.size - 1] == end.data[end.size - 1] &&
		    word.size > end.size + 2 && slice_ends_with(word, end))
			return true;
	}
	return false;
}

unsigned pii_word_bits(struct slice word)
{
	enum { LONGEST = 64 };
	if (word.size > LONGEST)
		return 0;
	unsigned bits = word_map_find(&pii_words_maps[0], word_hash(word));
	return bits != 0 || !is_compound(word) ? bits : PII_WORD_STREET | PII_WORD_COMPOUND;
}

unsigned pii_sign_bits(struct slice text, size_t at, size_t *size)
{
	struct slice rest = slice_part(text, at, text.size);
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		/* Signs begin alike and differ in their second byte. */
		if (rest.size >= 3 && rest.data[1] == signs[i].sign.data[1] &&
		    slice_starts_with(rest, signs[i].sign)) {
			*size = signs[i].sign.size;
			return signs[i].bits;
		}
	}
	return 0;
}
