#include "core/text/text.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* A set of words by their hashes: open addressing in a table twice as large as needed. 0 marks a
 * free slot. */
struct word_set {
	uint64_t *slots;
	size_t mask;
	bool found;
};

static uint64_t *slot_of(const struct word_set *set, uint64_t hash)
{
	size_t at = (size_t)hash & set->mask;
	while (set->slots[at] != 0 && set->slots[at] != hash)
		at = (at + 1) & set->mask;
	return &set->slots[at];
}

static bool count_word(void *cookie, struct slice word)
{
	(void)word;
	*(size_t *)cookie += 1;
	return true;
}

static bool put_word(void *cookie, struct slice word)
{
	uint64_t hash = text_hash(word);
	*slot_of(cookie, hash) = hash;
	return true;
}

static bool seek_word(void *cookie, struct slice word)
{
	struct word_set *set = cookie;
	uint64_t hash = text_hash(word);
	set->found = hash != 0 && *slot_of(set, hash) == hash;
	return !set->found;
}

bool text_share_word(struct slice a, struct slice b)
{
	enum { SMALL = 256 };
	uint64_t small[SMALL] = {0};
	struct slice less = a.size < b.size ? a : b;
	struct slice more = a.size < b.size ? b : a;
	size_t count = 0;
	text_words(less, count_word, &count);
	size_t capacity = SMALL;
	while (capacity < 2 * count)
		capacity += capacity;
	struct word_set set = {.slots = small, .mask = capacity - 1};
	if (capacity > SMALL)
		set.slots = xcalloc(capacity, sizeof(*set.slots));
	text_words(less, put_word, &set);
	if (count > 0)
		text_words(more, seek_word, &set);
	if (set.slots != small)
		free(set.slots);
	return set.found;
}

/* Maps all marks of a kind to one. */
static uint32_t plain_mark(uint32_t character)
{
	if (character == 0xB4 || (character >= 0x2032 && character <= 0x2037) ||
	    uc_is_property_quotation_mark(character))
		return '\'';
	if (character == 0x2212 || uc_is_property_dash(character))
		return '-';
	return character;
}

static void append_character(struct buffer *out, uint32_t character)
{
	uint8_t bytes[4];
	int size = u8_uctomb(bytes, character, sizeof(bytes));
	buffer_append(out, (struct slice){(const char *)bytes, (size_t)size});
}

/* An exclusive or with it makes each ASCII character the one as which it is compared: white space a
 * space, quotation marks one kind, capital letters small. */
static const char plain_ascii[0x80] = {
	['\t'] = '\t' ^ ' ', ['\n'] = '\n' ^ ' ', ['\v'] = '\v' ^ ' ', ['\f'] = '\f' ^ ' ',
	['\r'] = '\r' ^ ' ', ['"'] = '"' ^ '\'',  ['`'] = '`' ^ '\'',  ['A' ... 'Z'] = 'A' ^ 'a',
};

/* Copies ASCII from `at` on to where there is room for it; returns where it ends in the text.
 * `*spaced`: the text before ends with white space, which has not been copied. */
static size_t copy_ascii(struct slice text, size_t at, struct buffer *plain, bool *spaced)
{
	/* A space is copied together with what follows it. */
	buffer_reserve(plain, text.size - at + 1);
	char *out = plain->data + plain->size;
	for (; at < text.size && (unsigned char)text.data[at] < 0x80; at++) {
		char c = text.data[at];
		c = (char)(c ^ plain_ascii[(unsigned char)c]);
		if (c == ' ') {
			*spaced = true;
			continue;
		}
		if (*spaced && out > plain->data)
			*out++ = ' ';
		*spaced = false;
		*out++ = c;
	}
	plain->size = (size_t)(out - plain->data);
	return at;
}

/* Copies the text with single spaces, plain marks, nothing invisible and ASCII in lower case.
 * Returns whether the copy is ASCII. */
static bool make_plain(struct slice text, struct buffer *plain)
{
	bool spaced = false;
	bool is_ascii = true;
	uint32_t character;
	for (size_t at = copy_ascii(text, 0, plain, &spaced); at < text.size;
	     at = copy_ascii(text, at, plain, &spaced)) {
		at += text_decode(text, at, &character);
		if (uc_is_property_default_ignorable_code_point(character))
			continue;
		bool space = text_is_space(character);
		if (!space && spaced && plain->size > 0)
			buffer_append_byte(plain, ' ');
		spaced = space;
		if (space)
			continue;
		character = plain_mark(character);
		is_ascii = is_ascii && character < 0x80;
		append_character(plain, character);
	}
	return is_ascii;
}

/* The Turkish capital I with a dot is an i with a dot when it is folded, and means an i. */
static void drop_dots(uint8_t *text, size_t *size)
{
	size_t kept = 0;
	for (size_t at = 0; at < *size; at++) {
		text[kept++] = text[at];
		if (text[at] == 'i' && at + 2 < *size && text[at + 1] == 0xCC &&
		    text[at + 2] == 0x87)
			at += 2;
	}
	*size = kept;
}

/* The text in the form that is compared, on the heap; NULL if nothing is left of it. */
static uint8_t *comparable(struct slice text, size_t *size)
{
	struct buffer plain;
	buffer_init(&plain, SIZE_MAX);
	bool is_folded = make_plain(text, &plain);
	if (plain.size == 0 || is_folded) {
		*size = plain.size;
		return (uint8_t *)plain.data;
	}
	uint8_t *folded = u8_casefold((const uint8_t *)plain.data, plain.size, NULL, UNINORM_NFKC,
				      NULL, size);
	if (folded == NULL) /* plain text is UTF-8 */
		out_of_memory();
	buffer_finish(&plain);
	drop_dots(folded, size);
	return folded;
}

/* Whether a word continues from one character to the other; 0 stands for no character. */
static bool goes_on(ucs4_t before, ucs4_t after)
{
	return before != 0 && after != 0 && uc_is_alnum(before) && uc_is_alnum(after) &&
	       !text_is_unspaced(before) && !text_is_unspaced(after);
}

/* Whether the place in the text is between characters of one word. */
static bool is_within_word(const uint8_t *text, size_t size, size_t at)
{
	ucs4_t before = 0;
	ucs4_t after = 0;
	if (at == 0 || at == size)
		return false;
	(void)u8_prev(&before, text + at, text);
	(void)u8_mbtouc(&after, text + at, size - at);
	return goes_on(before, after);
}

/* Whether the comparable text holds the part, which begins and ends with words. */
static bool has_words(const uint8_t *text, size_t size, const void *part, size_t part_size)
{
	const uint8_t *found = memmem(text, size, part, part_size);
	while (found != NULL) {
		size_t at = (size_t)(found - text);
		if (!is_within_word(text, size, at) && !is_within_word(text, size, at + part_size))
			break;
		found = memmem(found + 1, size - at - 1, part, part_size);
	}
	return found != NULL;
}

static bool find(struct slice whole, struct slice part, bool whole_words)
{
	size_t part_size = 0;
	uint8_t *needle = comparable(part, &part_size);
	size_t size = 0;
	uint8_t *hay = part_size == 0 ? NULL : comparable(whole, &size);
	bool found = size > 0 && (whole_words ? has_words(hay, size, needle, part_size)
					      : memmem(hay, size, needle, part_size) != NULL);
	free(needle);
	free(hay);
	return found;
}

bool text_contains(struct slice whole, struct slice part)
{
	return find(whole, part, false);
}

bool text_says(struct slice whole, struct slice part)
{
	return find(whole, part, true);
}

struct slice text_comparable(struct slice text, struct arena *arena)
{
	size_t size = 0;
	uint8_t *plain = comparable(text, &size);
	struct slice copy = arena_copy(arena, (struct slice){(const char *)plain, size});
	free(plain);
	return copy;
}

bool text_comparable_says(struct slice whole, struct slice part)
{
	return part.size > 0 &&
	       has_words((const uint8_t *)whole.data, whole.size, part.data, part.size);
}

bool text_says_any(struct slice whole, const char *const *folded)
{
	size_t size = 0;
	uint8_t *hay = comparable(whole, &size);
	bool found = false;
	for (; size > 0 && *folded != NULL && !found; folded++)
		found = has_words(hay, size, *folded, strlen(*folded));
	free(hay);
	return found;
}

static bool is_of_word(ucs4_t character)
{
	return uc_is_alnum(character) ||
	       uc_is_general_category_withtable(character, UC_CATEGORY_MASK_M);
}

struct slice text_next_word(struct slice text, size_t *at)
{
	ucs4_t character = 0;
	size_t begin = *at;
	size_t end = begin;
	while (end < text.size) {
		const size_t next = end + text_decode(text, end, &character);
		const bool is_word = is_of_word(character);
		const bool is_alone = is_word && text_is_unspaced(character);
		if (end > begin && (!is_word || is_alone))
			break;
		end = next;
		if (!is_word)
			begin = end;
		if (is_alone)
			break;
	}
	if (end > begin)
		*at = end;
	return slice_part(text, begin, end);
}
