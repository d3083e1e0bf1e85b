#include "core/learn/borne.h"

#include "core/recall/dates.h"
#include "core/text/terms.h"
#include "core/text/text.h"
#include "lists.h"

struct support support_read(struct slice text, const struct said *said, struct arena *arena)
{
	struct support support = {.text = text, .said = said};
	support.words = said_words(text, said, &support.count, arena);
	return support;
}

/* ---- one word ---- */

static bool is_unspaced(struct slice word)
{
	uint32_t character = 0;
	if (word.size > 0)
		text_decode(word, 0, &character);
	return text_is_unspaced(character);
}

static bool is_digits(struct slice word)
{
	size_t at = 0;
	while (at < word.size && word.data[at] >= '0' && word.data[at] <= '9')
		at++;
	return word.size > 0 && at == word.size;
}

/* "90,000" is "90000". Empty: it is no number. */
static struct slice digits_of(struct slice word, struct arena *arena)
{
	char *digits = arena_bytes(arena, word.size + 1);
	size_t size = 0;
	for (size_t i = 0; i < word.size; i++) {
		if (word.data[i] >= '0' && word.data[i] <= '9')
			digits[size++] = word.data[i];
		else if (strchr(".,", word.data[i]) == NULL)
			return (struct slice){0};
	}
	return (struct slice){digits, size};
}

/* Forms of one word mostly share four fifths of the shorter one: "fındık", "fındığa". */
static bool share_beginning(struct slice a, struct slice b)
{
	enum { LEAST = 4 };
	size_t shorter = a.size < b.size ? a.size : b.size;
	size_t shared = 0;
	while (shared < shorter && a.data[shared] == b.data[shared])
		shared++;
	return shared >= LEAST && 5 * shared >= 4 * shorter;
}

static bool has_number(const struct support *support, struct slice word, struct arena *arena)
{
	struct slice digits = digits_of(word, arena);
	if (digits.size == 0)
		return false;
	for (size_t i = 0; i < support->count; i++) {
		struct slice said = support->words[i].text;
		if (said_is_number(said, digits) || slice_equal(digits_of(said, arena), digits))
			return true;
	}
	return said_has_number_sign(support->text, digits);
}

static bool has_word(const struct support *support, struct slice word, struct arena *arena)
{
	if (is_unspaced(word))
		return slice_find(support->text, word, 0) < support->text.size;
	for (size_t i = 0; i < support->count; i++) {
		const struct slice said = support->words[i].text;
		if (slice_equal(said, word) || (!is_digits(word) && share_beginning(said, word)) ||
		    terms_share_stem(support->said->language, said, word))
			return true;
	}
	return has_number(support, word, arena);
}

/* ---- times ---- */

static bool is_date_word(const struct said_word *word)
{
	struct date_token token;
	return date_word_find(word->text, &token) && token.kind != DATE_JOINT &&
	       token.kind != DATE_THIS;
}

static bool speaks_of_time(const struct support *support)
{
	for (size_t i = 0; i < support->count; i++) {
		const struct said_word *word = &support->words[i];
		if ((word->bits & WORD_TIME) != 0 || is_digits(word->text) || is_date_word(word))
			return true;
	}
	return (said_sign_bits(support->text) & WORD_TIME) != 0;
}

static bool is_year(struct slice word)
{
	return word.size == 4 && is_digits(word) && (word.data[0] == '1' || word.data[0] == '2');
}

/* True if a value names a day, month or time in full, which the user may have said as "tomorrow".
 */
static bool holds_date(const struct said_word *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_year(words[i].text))
			return true;
	}
	return false;
}

/* "22", "22t15", "3pm", "November", "日". */
static bool is_date_part(const struct said_word *word)
{
	enum { LONGEST = 6 };
	const bool is_figure = word->text.data[0] >= '0' && word->text.data[0] <= '9';
	return (is_figure && word->text.size <= LONGEST) || is_date_word(word) ||
	       slice_is_any(word->text, list_date_signs);
}

/* "Tomorrow" and "next week" are over by the time they are read. */
static bool is_relative(const struct said_word *word)
{
	struct date_token token;
	return (word->bits & WORD_TIME) != 0 ||
	       (date_word_find(word->text, &token) && token.kind != DATE_MONTH &&
		token.kind != DATE_MODAL_MONTH && token.kind != DATE_WEEKDAY);
}

static bool is_only_relative(const struct said_word *words, size_t count, struct slice value)
{
	enum { LONGEST_MOMENT = 12 }; /* bytes: four ideographs */
	size_t relative = 0;
	if (is_unspaced(words[0].text))
		return value.size <= LONGEST_MOMENT && (said_sign_bits(value) & WORD_MOMENT) != 0;
	for (size_t i = 0; i < count; i++) {
		bool is_small = is_digits(words[i].text) && words[i].text.size <= 2;
		if (is_relative(&words[i]))
			relative++;
		else if (!words[i].is_function && !is_small)
			return false;
	}
	return relative > 0;
}

/* ---- a value ---- */

/* "Will", "IT": a function word written as a name within a sentence is a name. */
static bool is_name(const struct support *support, struct slice value)
{
	char first = value.size > 0 ? value.data[0] : 0;
	if (value.size < 2 || first < 'A' || first > 'Z')
		return false;
	size_t at = slice_find(support->text, value, 0);
	return at > 0 && at < support->text.size && text_says(support->text, value);
}

bool support_bears(const struct support *support, struct slice value, struct arena *arena)
{
	size_t count;
	size_t borne = 0;
	const struct said_word *words = said_words(value, support->said, &count, arena);
	if (count == 0 || is_only_relative(words, count, value))
		return false;
	const bool may_be_dated = holds_date(words, count) && speaks_of_time(support);
	for (size_t i = 0; i < count; i++) {
		if (words[i].is_function)
			continue;
		if (!has_word(support, words[i].text, arena) &&
		    !(may_be_dated && is_date_part(&words[i])))
			/* An invisible character may stand in the word. */
			return text_says(support->text, value);
		borne++;
	}
	return borne > 0 || is_name(support, value);
}

bool support_names(const struct support *support, struct slice names, struct arena *arena)
{
	size_t count;
	const struct said_word *words =
		said_words(text_spaced(names, arena), support->said, &count, arena);
	for (size_t i = 0; i < count; i++) {
		if (!words[i].is_function && has_word(support, words[i].text, arena))
			return true;
	}
	return false;
}

unsigned support_bits(const struct support *support)
{
	unsigned bits = said_sign_bits(support->text);
	for (size_t i = 0; i < support->count; i++)
		bits |= support->words[i].bits;
	return bits;
}

bool support_says_anything(const struct support *support)
{
	for (size_t i = 0; i < support->count; i++) {
		if (!support->words[i].is_function)
			return true;
	}
	return false;
}
