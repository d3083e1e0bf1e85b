#include "core/learn/borne.h"

#include "core/learn/words.h"
#include "core/recall/dates.h"
#include "core/text/lexicon.h"
#include "core/text/terms.h"
#include "core/text/text.h"
#include "lists.h"

/* How a word of a value is supported. */
enum standing {
	STANDS_NOT,
	STANDS_FUNCTION, /* a function word: supports nothing and needs no support */
	STANDS_REPEATS,  /* only repeats the key */
	STANDS_DATE,     /* part of a date that was made absolute */
	STANDS_THERE,
	STANDS_PAIR,      /* a pair of characters of a script without spaces, found... */
	STANDS_PAIR_LESS, /* ...or not found */
};

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

/* "90,000" is "90000". */
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

/* Forms of one word mostly share four fifths of the shorter one, and none is twice as long as
 * another. */
static bool share_beginning(struct slice a, struct slice b)
{
	enum { LEAST = 4 };
	size_t shorter = a.size < b.size ? a.size : b.size;
	size_t longer = a.size < b.size ? b.size : a.size;
	size_t shared = 0;
	while (shared < shorter && a.data[shared] == b.data[shared])
		shared++;
	return shared >= LEAST && 5 * shared >= 4 * shorter && longer <= 2 * shorter;
}

static bool is_form_of(struct slice a, struct slice b, unsigned language)
{
	if (a.size == 0 || b.size == 0 || a.data[0] != b.data[0])
		return false;
	return slice_equal(a, b) || (!is_digits(a) && share_beginning(a, b)) ||
	       terms_share_stem(language, a, b) || terms_share_stem(LEXICON_ENGLISH, a, b);
}

/* Whether the support has the digits; a long number may be grouped differently. */
static bool has_digits(const struct support *support, struct slice digits, struct arena *arena)
{
	enum { LEAST = 5 };
	char *all = arena_bytes(arena, support->text.size + 1);
	size_t size = 0;
	for (size_t i = 0; i < support->text.size; i++) {
		char c = support->text.data[i];
		if (c >= '0' && c <= '9')
			all[size++] = c;
	}
	struct slice run = {all, size};
	return digits.size >= LEAST && slice_find(run, digits, 0) < run.size;
}

static bool has_number(const struct support *support, struct slice word, struct arena *arena)
{
	struct slice digits = digits_of(word, arena);
	if (digits.size == 0)
		return false;
	for (size_t i = 0; i < support->count; i++) {
		struct slice said = support->words[i].text;
		if (learn_is_number_word(said, digits) ||
		    slice_equal(digits_of(said, arena), digits))
			return true;
	}
	return learn_has_number_sign(support->text, digits) || has_digits(support, digits, arena);
}

static bool has_word(const struct support *support, struct slice word, struct arena *arena)
{
	if (is_unspaced(word))
		return slice_find(support->text, word, 0) < support->text.size;
	for (size_t i = 0; i < support->count; i++) {
		if (is_form_of(support->words[i].text, word, support->said->language))
			return true;
	}
	return has_number(support, word, arena);
}

/* ---- a value ---- */

static bool speaks_of_time(const struct support *support)
{
	struct date_token token;
	for (size_t i = 0; i < support->count; i++) {
		const struct said_word *word = &support->words[i];
		if ((word->bits & WORD_TIME) != 0 || is_digits(word->text))
			return true;
		if (date_word_find(word->text, &token) && token.kind != DATE_JOINT &&
		    token.kind != DATE_THIS)
			return true;
	}
	return (learn_sign_bits(support->text) & WORD_TIME) != 0;
}

static bool is_year(struct slice word)
{
	return word.size == 4 && is_digits(word) && (word.data[0] == '1' || word.data[0] == '2');
}

static bool is_month(struct slice word)
{
	struct date_token token;
	return date_word_find(word, &token) &&
	       (token.kind == DATE_MONTH || token.kind == DATE_MODAL_MONTH ||
		token.kind == DATE_MONTH_SIGN || token.kind == DATE_YEAR_SIGN);
}

/* Whether the value contains a date with a year or a month's name. */
static bool holds_date(const struct said_word *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_year(words[i].text) || is_month(words[i].text))
			return true;
	}
	return false;
}

/* A day, month, year or hour, or the "T" and "Z" between them. */
static bool is_date_part(struct slice word)
{
	struct date_token token;
	if (word.size <= 4 && is_digits(word))
		return true;
	if (slice_is_any(word, list_date_signs))
		return true;
	if (word.size > 1 && (word.data[0] >= '0' && word.data[0] <= '9'))
		return word.size <= 6; /* "22t15", "3pm" */
	return date_word_find(word, &token) && token.kind != DATE_DAYS_AGO &&
	       token.kind != DATE_LAST && token.kind != DATE_AGO;
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
	size_t relative = 0;
	for (size_t i = 0; i < count; i++) {
		bool is_small = is_digits(words[i].text) && words[i].text.size <= 2;
		if (is_relative(&words[i]))
			relative++;
		else if (!words[i].is_function && !is_small && !is_unspaced(words[i].text))
			return false;
	}
	if (count > 0 && is_unspaced(words[0].text))
		return value.size <= 4 * 3 && (learn_sign_bits(value) & WORD_MOMENT) != 0 &&
		       !is_digits(words[0].text);
	return relative > 0;
}

/* "Will", "IT": a function word written as a name within a sentence is a name. */
static bool is_name(const struct support *support, struct slice value)
{
	char first = value.size > 0 ? value.data[0] : 0;
	if (value.size < 2 || first < 'A' || first > 'Z')
		return false;
	size_t at = slice_find(support->text, value, 0);
	return at > 0 && at < support->text.size && text_says(support->text, value);
}

struct weighing {
	const struct support *support;
	struct support key;
	bool may_be_dated;
	struct arena *arena;
	size_t counts[STANDS_PAIR_LESS + 1];
};

static enum standing standing_of(const struct weighing *weighing, const struct said_word *word)
{
	const struct support *support = weighing->support;
	bool is_pair = is_unspaced(word->text);
	if (word->is_function)
		return STANDS_FUNCTION;
	if (has_word(support, word->text, weighing->arena))
		return is_pair ? STANDS_PAIR : STANDS_THERE;
	if (weighing->may_be_dated && is_date_part(word->text))
		return STANDS_DATE;
	if (has_word(&weighing->key, word->text, weighing->arena))
		return STANDS_REPEATS;
	return is_pair ? STANDS_PAIR_LESS : STANDS_NOT;
}

/* Ignoring spaces, "ChromaDB" matches "Chroma DB". */
static struct slice squashed(struct slice text, struct arena *arena)
{
	struct slice folded = text_one_line(text, text.size, arena);
	char *out = arena_bytes(arena, folded.size + 1);
	size_t size = 0;
	for (size_t i = 0; i < folded.size; i++) {
		char c = folded.data[i];
		if (c != ' ' && c != '-' && c != '_')
			out[size++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return (struct slice){out, size};
}

static bool is_run_together(const struct support *support, struct slice value, struct arena *arena)
{
	enum { LEAST = 5 };
	struct slice wanted = squashed(value, arena);
	struct slice said = squashed(support->text, arena);
	return wanted.size >= LEAST && slice_find(said, wanted, 0) < said.size;
}

static bool is_truth(struct slice value, bool *truth)
{
	*truth = slice_is_any_nocase(value, list_yes);
	return *truth || slice_is_any_nocase(value, list_no);
}

static bool is_negated(const struct support *support)
{
	unsigned bits = learn_sign_bits(support->text);
	for (size_t i = 0; i < support->count; i++)
		bits |= support->words[i].bits;
	return (bits & WORD_NOT) != 0;
}

/* For "vegetarian: true", the user said the key. */
static bool bears_truth(const struct support *support, struct slice key, bool truth,
			struct arena *arena)
{
	return truth != is_negated(support) && support_names(support, key, arena);
}

bool support_bears(const struct support *support, struct slice value, struct slice key,
		   struct arena *arena)
{
	size_t count;
	bool truth;
	const struct said_word *words = said_words(value, support->said, &count, arena);
	if (is_truth(value, &truth) && bears_truth(support, key, truth, arena))
		return true;
	if (count == 0 || is_only_relative(words, count, value))
		return false;
	struct weighing weighing = {.support = support, .arena = arena};
	weighing.key = support_read(text_spaced(key, arena), support->said, arena);
	weighing.may_be_dated = holds_date(words, count) && speaks_of_time(support);
	for (size_t i = 0; i < count; i++)
		weighing.counts[standing_of(&weighing, &words[i])]++;
	const size_t *counts = weighing.counts;
	if (counts[STANDS_NOT] > 0 || counts[STANDS_PAIR] < counts[STANDS_PAIR_LESS])
		return counts[STANDS_FUNCTION] < count &&
		       (text_says(support->text, value) || is_run_together(support, value, arena));
	return counts[STANDS_THERE] + counts[STANDS_PAIR] + counts[STANDS_DATE] > 0 ||
	       is_name(support, value);
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

bool support_says_anything(const struct support *support)
{
	for (size_t i = 0; i < support->count; i++) {
		if (!support->words[i].is_function)
			return true;
	}
	return false;
}
