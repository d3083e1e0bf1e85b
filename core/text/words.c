#include "core/text/text.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>
#include <uniwbrk.h>

/* The size of the pieces that uniwbrk gets, and so the longest word. */
enum { PIECE = 256 };

struct word_sink {
	bool (*word)(void *cookie, struct slice word);
	void *cookie;
};

bool text_is_unspaced(uint32_t character)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} ranges[] = {
		{0x0E01, 0x0E3A},   {0x0E40, 0x0E4E},   /* Thai */
		{0x0E81, 0x0ECF},   {0x0EDC, 0x0EDF},   /* Lao */
		{0x1000, 0x103F},   {0x1050, 0x108F},   /* Myanmar */
		{0x1100, 0x11FF},                       /* Hangul */
		{0x1780, 0x17D3},   {0x17DC, 0x17DD},   /* Khmer */
		{0x2E80, 0x2FD5},   {0x3005, 0x3007},   /* Han */
		{0x3021, 0x3029},   {0x3041, 0x309A},   /* Han, Hiragana */
		{0x309D, 0x309F},   {0x30A1, 0x30FA},   /* Hiragana, Katakana */
		{0x30FC, 0x30FF},   {0x3131, 0x318E},   /* Katakana, Hangul */
		{0x31F0, 0x31FF},   {0x3400, 0x4DBF},   /* Katakana, Han */
		{0x4E00, 0x9FFF},   {0xA960, 0xA97C},   /* Han, Hangul */
		{0xA9E0, 0xA9EF},   {0xAA60, 0xAA7F},   /* Myanmar */
		{0xAC00, 0xD7FB},   {0xF900, 0xFAFF},   /* Hangul, Han */
		{0xFF66, 0xFFDC},   {0x1B000, 0x1B16F}, /* Katakana and Hangul, kana */
		{0x20000, 0x3FFFF},                     /* Han */
	};
	if (character < ranges[0].first)
		return false;
	size_t low = 0;
	size_t high = sizeof(ranges) / sizeof(ranges[0]);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (character > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sizeof(ranges) / sizeof(ranges[0]) && character >= ranges[low].first;
}

static bool is_emoji(uint32_t character)
{
	return character > 0xFF && (uc_is_property_extended_pictographic(character) ||
				    uc_is_property_regional_indicator(character));
}

static bool is_word_character(uint32_t character)
{
	return uc_is_general_category_withtable(character,
						UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N) ||
	       is_emoji(character);
}

static bool is_word(struct slice piece)
{
	uint32_t character;
	for (size_t at = 0; at < piece.size;) {
		at += text_decode(piece, at, &character);
		if (is_word_character(character))
			return true;
	}
	return false;
}

static bool is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	}
	return true;
}

static bool give_ascii(const struct word_sink *sink, struct slice word)
{
	char folded[PIECE];
	for (size_t i = 0; i < word.size; i++) {
		char c = word.data[i];
		folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	return sink->word(sink->cookie, (struct slice){folded, word.size});
}

/* Copies a word without differences of appearance: typographic apostrophes and the variation
 * selectors of emoji. Bytes that are not UTF-8 become U+FFFD. */
static size_t plain_copy(struct slice word, uint8_t *copy, size_t capacity)
{
	size_t size = 0;
	uint32_t character;
	for (size_t at = 0; at < word.size;) {
		at += text_decode(word, at, &character);
		if (character == 0xFE0E || character == 0xFE0F)
			continue;
		if (character == 0x2019)
			character = '\'';
		size += (size_t)u8_uctomb(copy + size, character, (ptrdiff_t)(capacity - size));
	}
	return size;
}

static bool give(const struct word_sink *sink, struct slice word)
{
	if (is_ascii(word))
		return give_ascii(sink, word);
	uint8_t plain[3 * PIECE]; /* a byte that is not UTF-8 becomes three */
	size_t plain_size = plain_copy(word, plain, sizeof(plain));
	uint8_t folded[3 * PIECE];
	size_t size = sizeof(folded);
	uint8_t *result = u8_casefold(plain, plain_size, NULL, UNINORM_NFKC, folded, &size);
	if (result == NULL) /* the copy is UTF-8 */
		out_of_memory();
	bool go_on = sink->word(sink->cookie, (struct slice){(const char *)result, size});
	if (result != folded)
		free(result);
	return go_on;
}

/* Gives the words of one piece without white space or unspaced scripts; `used` receives how much
 * was consumed, since the last word may continue after a piece that does not end the `whole`
 * text. */
static bool give_piece(const struct word_sink *sink, struct slice piece, bool whole, size_t *used)
{
	char breaks[PIECE];
	u8_wordbreaks((const uint8_t *)piece.data, piece.size, breaks);
	size_t begin = 0;
	for (size_t at = 1; at <= piece.size; at++) {
		bool last = at == piece.size;
		if (!last && !breaks[at])
			continue;
		if (last && !whole && begin > 0)
			break;
		struct slice word = slice_part(piece, begin, at);
		begin = at;
		*used = at;
		if (is_word(word) && !give(sink, word))
			return false;
	}
	return true;
}

/* At most PIECE bytes, cut at a character boundary. */
static struct slice first_piece(struct slice text)
{
	if (text.size <= PIECE)
		return text;
	size_t end = 0;
	uint32_t character;
	for (size_t next = 0; next <= PIECE; next += text_decode(text, next, &character))
		end = next;
	return slice_part(text, 0, end);
}

/* The classes of ASCII bytes in the rules of UAX #29; marks are those that may end a word. */
enum sign { SIGN_OTHER, SIGN_SPACE, SIGN_MARK, SIGN_JOINER, SIGN_DIGIT, SIGN_LETTER };

static const uint8_t signs[256] = {
	['\t' ... '\r'] = SIGN_SPACE, [' '] = SIGN_SPACE,        ['!' ... '/'] = SIGN_MARK,
	['0' ... '9'] = SIGN_DIGIT,   [':' ... '@'] = SIGN_MARK, ['A' ... 'Z'] = SIGN_LETTER,
	['[' ... '^'] = SIGN_MARK,    ['_'] = SIGN_JOINER,       ['`'] = SIGN_MARK,
	['a' ... 'z'] = SIGN_LETTER,  ['{' ... '~'] = SIGN_MARK,
};

static enum sign sign_at(struct slice text, size_t at)
{
	return at < text.size ? signs[(unsigned char)text.data[at]] : SIGN_SPACE;
}

/* "don't" is one word. */
static bool is_inner_apostrophe(struct slice text, size_t begin, size_t at)
{
	return at > begin && at < text.size && text.data[at] == '\'' &&
	       sign_at(text, at - 1) == SIGN_LETTER && sign_at(text, at + 1) == SIGN_LETTER;
}

/* Finds the word of a run between spaces, and the run's end, if the run is a single ASCII word with
 * marks only at its ends, as most are. False: the rules of UAX #29 are needed. */
static bool plain_word(struct slice text, size_t at, struct slice *word, size_t *run_end)
{
	size_t run = at;
	while (sign_at(text, at) == SIGN_MARK)
		at++;
	size_t begin = at;
	while (sign_at(text, at) >= SIGN_JOINER || is_inner_apostrophe(text, begin, at))
		at++;
	*word = slice_part(text, begin, at);
	while (sign_at(text, at) == SIGN_MARK)
		at++;
	*run_end = at;
	return sign_at(text, at) == SIGN_SPACE && sign_at(text, begin) != SIGN_JOINER &&
	       at - run <= PIECE;
}

static bool give_spaced(const struct word_sink *sink, struct slice text)
{
	while (text.size > 0) {
		struct slice piece = first_piece(text);
		size_t used = piece.size;
		if (!give_piece(sink, piece, piece.size == text.size, &used))
			return false;
		text = slice_part(text, used, text.size);
	}
	return true;
}

/* Pairs overlap, so that a word of two characters is found wherever it stands. */
static bool give_pairs(const struct word_sink *sink, struct slice run)
{
	uint32_t character;
	size_t first = 0;
	size_t second = text_decode(run, 0, &character);
	if (second == run.size)
		return sink->word(sink->cookie, run);
	while (second < run.size) {
		size_t end = second + text_decode(run, second, &character);
		if (!sink->word(sink->cookie, slice_part(run, first, end)))
			return false;
		first = second;
		second = end;
	}
	return true;
}

enum run_kind { RUN_SPACE, RUN_UNSPACED, RUN_OTHER };

static enum run_kind kind_of(uint32_t character)
{
	if (text_is_space(character))
		return RUN_SPACE;
	return text_is_unspaced(character) ? RUN_UNSPACED : RUN_OTHER;
}

/* The run of characters of one kind that begins at `at`. */
static struct slice run_at(struct slice text, size_t at, enum run_kind *kind)
{
	uint32_t character;
	size_t end = at + text_decode(text, at, &character);
	*kind = kind_of(character);
	while (end < text.size) {
		size_t size = text_decode(text, end, &character);
		if (kind_of(character) != *kind)
			break;
		end += size;
	}
	return slice_part(text, at, end);
}

/* Gives the words of the run that begins at `at`; returns where it ends. */
static bool give_run(const struct word_sink *sink, struct slice text, size_t at, size_t *end)
{
	struct slice word;
	if (plain_word(text, at, &word, end))
		return word.size == 0 || give_ascii(sink, word);
	enum run_kind kind;
	struct slice run = run_at(text, at, &kind);
	*end = at + run.size;
	if (kind == RUN_UNSPACED)
		return give_pairs(sink, run);
	return kind == RUN_SPACE || give_spaced(sink, run);
}

void text_words(struct slice text, bool (*word)(void *cookie, struct slice word), void *cookie)
{
	const struct word_sink sink = {word, cookie};
	for (size_t at = 0; at < text.size;) {
		if (sign_at(text, at) == SIGN_SPACE)
			at++;
		else if (!give_run(&sink, text, at, &at))
			break;
	}
}
