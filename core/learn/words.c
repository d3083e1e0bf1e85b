#include "core/learn/words.h"

#include "core/base/word_map.h"
#include "core/text/lexicon.h"
#include "roles_map.h"

unsigned learn_word_bits(uint64_t hash, uint32_t languages)
{
	unsigned bits = 0;
	uint32_t maps = word_map_find(&words_maps[LEXICON_OTHER + 1], hash);
	for (; maps != 0; maps &= maps - 1) {
		unsigned i = (unsigned)__builtin_ctz(maps);
		/* A request to forget is recognized whatever language the rest of the turn is
		 * in. */
		unsigned kept =
			(languages & 1U << i) != 0 || i == LEXICON_OTHER ? ~0U : WORD_FORGET;
		bits |= word_map_find(&words_maps[i], hash) & kept;
	}
	return bits;
}

/* The next word of a list separated by single spaces; empty at the end. */
static struct slice next_sign(const char **list)
{
	size_t size = strcspn(*list, " ");
	struct slice sign = {*list, size};
	*list += size + ((*list)[size] == ' ');
	return sign;
}

/* Whether the sign at `at` is only a part of another word. */
static bool is_other(struct slice text, size_t at)
{
	enum { LONGEST = 12 };
	const char *list = other_signs;
	for (struct slice sign = next_sign(&list); sign.size > 0; sign = next_sign(&list)) {
		size_t from = at > LONGEST ? at - LONGEST : 0;
		size_t found = slice_find(text, sign, from);
		if (found <= at && found + sign.size > at)
			return true;
	}
	return false;
}

static bool has_sign(struct slice text, struct slice sign)
{
	for (size_t at = slice_find(text, sign, 0); at < text.size;
	     at = slice_find(text, sign, at + 1)) {
		if (!is_other(text, at))
			return true;
	}
	return false;
}

/* U+3000 and above: no sign begins with a smaller byte. */
bool learn_may_have_signs(struct slice text)
{
	size_t at = 0;
	while (at < text.size && (unsigned char)text.data[at] < 0xE3)
		at++;
	return at < text.size;
}

unsigned learn_sign_bits(struct slice text)
{
	unsigned bits = 0;
	if (!learn_may_have_signs(text))
		return 0;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const char *list = signs[i].signs;
		for (struct slice sign = next_sign(&list); sign.size > 0; sign = next_sign(&list)) {
			if ((bits & signs[i].bits) != signs[i].bits && has_sign(text, sign))
				bits |= signs[i].bits;
		}
	}
	return bits;
}

static const char *words_of_number(struct slice digits)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *list = numbers[i];
		if (slice_equal(next_sign(&list), digits))
			return list;
	}
	return "";
}

bool learn_is_number_word(struct slice word, struct slice digits)
{
	const char *list = words_of_number(digits);
	for (struct slice name = next_sign(&list); name.size > 0; name = next_sign(&list)) {
		if (slice_equal(name, word))
			return true;
	}
	return false;
}

bool learn_has_number_sign(struct slice text, struct slice digits)
{
	const char *list = words_of_number(digits);
	for (struct slice name = next_sign(&list); name.size > 0; name = next_sign(&list)) {
		if ((unsigned char)name.data[0] >= 0xE3 && slice_find(text, name, 0) < text.size)
			return true;
	}
	return false;
}

bool learn_is_counted(struct slice word)
{
	for (size_t i = 0; i < word.size; i++) {
		if (word.data[i] >= '0' && word.data[i] <= '9')
			return true;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *list = numbers[i];
		const struct slice digits = next_sign(&list);
		if (learn_is_number_word(word, digits) || learn_has_number_sign(word, digits))
			return true;
	}
	return false;
}
