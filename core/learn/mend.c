#include "core/learn/mend.h"

#include "core/learn/borne.h"
#include "core/learn/subject.h"
#include "core/learn/words.h"
#include "core/text/text.h"
#include "lists.h"

#include <unicase.h>

/* ---- words that are written almost alike ---- */

enum { LONGEST = 32 }; /* characters of a word that is compared */

/* A word's characters in lower case. 0: it is too long, or not all letters. */
static size_t letters_of(struct slice word, uint32_t letters[LONGEST])
{
	size_t count = 0;
	for (size_t at = 0; at < word.size;) {
		uint32_t character;
		at += text_decode(word, at, &character);
		if (count == LONGEST ||
		    (character < 0x80 && (character | 0x20) - 'a' > 'z' - 'a') ||
		    text_is_unspaced(character))
			return 0;
		letters[count++] = character < 0x80 ? character | 0x20 : uc_tolower(character);
	}
	return count;
}

static size_t least_of(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

/* Levenshtein's distance. */
static size_t distance(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	size_t row[LONGEST + 1];
	for (size_t j = 0; j <= b_count; j++)
		row[j] = j;
	for (size_t i = 0; i < a_count; i++) {
		size_t corner = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < b_count; j++) {
			size_t above = row[j + 1];
			row[j + 1] = least_of(above + 1, row[j] + 1, corner + (a[i] != b[j]));
			corner = above;
		}
	}
	return row[b_count];
}

/* A letter in five, two in eight, may differ. */
static bool is_almost(struct slice a, struct slice b)
{
	enum { LEAST = 5, LONG = 8 };
	uint32_t of_a[LONGEST];
	uint32_t of_b[LONGEST];
	if (a.size < LEAST || b.size < LEAST) /* so few bytes are fewer letters */
		return false;
	size_t a_count = letters_of(a, of_a);
	size_t b_count = letters_of(b, of_b);
	size_t shorter = a_count < b_count ? a_count : b_count;
	size_t longer = a_count < b_count ? b_count : a_count;
	size_t most = shorter >= LONG ? 2 : 1;
	return shorter >= LEAST && longer - shorter <= most &&
	       distance(of_a, a_count, of_b, b_count) <= most;
}

static bool is_latin_letter(uint32_t character)
{
	return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z') ||
	       (character >= 0xC0 && character <= 0x24F);
}

/* Counts the letters in Latin script, and characters of others. */
static void count_scripts(struct slice text, size_t *latin, size_t *others)
{
	*latin = *others = 0;
	for (size_t at = 0; at < text.size;) {
		uint32_t character;
		at += text_decode(text, at, &character);
		*latin += is_latin_letter(character);
		*others += character >= 0x370 && !(character >= 0x2000 && character < 0x3040);
	}
}

/* The quote's word of which the value is another form, in Latin script; the value if there is none
 * or it is spelled so. */
static struct slice as_inflected(const struct said *said, struct slice quote, struct slice value,
				 struct arena *arena)
{
	size_t at = 0;
	size_t latin;
	size_t others;
	count_scripts(value, &latin, &others);
	if (latin == 0 || others > 0 || text_says(quote, value) ||
	    slice_find(value, SLICE("_"), 0) < value.size)
		return value;
	for (struct slice run = said_run(quote, &at); run.size > 0; run = said_run(quote, &at)) {
		const struct support support = support_read(run, said, arena);
		if (support.count == 1 && support_names(&support, value, arena))
			return arena_copy(arena, run);
	}
	return value;
}

struct slice mend_spelling(const struct said *said, struct slice quote, struct slice value,
			   struct arena *arena)
{
	size_t at = 0;
	const struct support support = support_read(quote, said, arena);
	if (slice_find(value, SLICE(" "), 0) < value.size)
		return value;
	if (support_names(&support, value, arena))
		return as_inflected(said, quote, value, arena);
	for (struct slice run = said_run(quote, &at); run.size > 0; run = said_run(quote, &at)) {
		if (is_almost(run, value))
			return arena_copy(arena, run);
	}
	return value;
}

/* ---- a quote ---- */

static bool holds_almost(const struct said_clause *clause, struct slice word)
{
	for (size_t i = 0; i < clause->count; i++) {
		if (slice_equal(clause->words[i].text, word) ||
		    is_almost(clause->words[i].text, word))
			return true;
	}
	return false;
}

struct slice mend_quote(const struct said *said, struct slice quote, struct arena *arena)
{
	enum { LEAST_WORDS = 3, MOST_WORDS = 64 };
	size_t count;
	size_t most = 0;
	struct slice best = quote;
	if (quote.size == 0 || text_contains(said->text, quote))
		return quote;
	const struct said_word *words = said_words(quote, said, &count, arena);
	if (count < LEAST_WORDS || count > MOST_WORDS)
		return quote;
	for (size_t i = 0; i < said->count; i++) {
		size_t held = 0;
		bool differs = false;
		for (size_t j = 0; j < count; j++) {
			bool holds = holds_almost(&said->clauses[i], words[j].text);
			held += holds;
			differs |= !holds && !words[j].is_function;
		}
		if (!differs && held > most && 3 * held >= 2 * count) {
			most = held;
			best = said->clauses[i].text;
		}
	}
	return best;
}

/* ---- a translated value ---- */

/* What confirms a key, in scripts other than Latin; NULL: nothing does. */
static const struct list_row *cue_of(struct slice key)
{
	for (const struct list_row *row = list_introduces; row->key != NULL; row++) {
		if (slice_equal(key, slice_of(row->key)))
			return row;
	}
	return NULL;
}

static bool is_of_user(const struct said *said, struct slice quote)
{
	for (size_t i = 0; i < said->count; i++) {
		const struct said_clause *clause = &said->clauses[i];
		if (!text_contains(clause->text, quote) || clause->is_asked)
			continue;
		unsigned bits = 0;
		for (size_t j = 0; j < said->count; j++)
			bits |= said->clauses[j].sentence == clause->sentence
					? said->clauses[j].bits
					: 0;
		if ((bits & WORD_FIRST) != 0 || said_is_of_user(said, clause))
			return true;
	}
	return false;
}

bool mend_is_translated(const struct said *said, struct slice quote, struct slice value)
{
	size_t latin;
	size_t others;
	count_scripts(quote, &latin, &others);
	if (latin > 0 || others == 0)
		return false;
	count_scripts(value, &latin, &others);
	return latin > 0 && others == 0 && is_of_user(said, quote);
}

/* The name that follows its cue in the clause, or in Japanese precedes it. */
static struct slice name_beside(const struct list_row *cue, struct slice clause)
{
	for (size_t i = 0; cue->words[i] != NULL; i++) {
		const struct slice word = slice_of(cue->words[i]);
		size_t at = slice_find(clause, word, 0);
		if (at == clause.size)
			continue;
		if (!slice_starts_with(word, SLICE("と")))
			return slice_part(clause, at + word.size, clause.size);
		struct slice before = slice_part(clause, 0, at);
		for (size_t j = 0; list_self_topics[j] != NULL; j++) {
			if (slice_starts_with(before, slice_of(list_self_topics[j])))
				before = slice_part(before, strlen(list_self_topics[j]),
						    before.size);
		}
		return before;
	}
	return (struct slice){0};
}

static struct slice clause_with(const struct said *said, struct slice quote)
{
	for (size_t i = 0; i < said->count; i++) {
		if (text_contains(said->clauses[i].text, quote))
			return said->clauses[i].text;
	}
	return quote;
}

/* Without the cue and the function words that it begins with: "в Твери". */
static struct slice without_cue(const struct said *said, const struct list_row *cue,
				struct slice quote, struct arena *arena)
{
	size_t at = 0;
	size_t count;
	struct slice run = said_run(quote, &at);
	while (at < quote.size) {
		const struct said_word *words = said_words(run, said, &count, arena);
		if (!slice_is_any_nocase(run, cue->words) && !(count == 1 && words[0].is_function))
			break;
		run = said_run(quote, &at);
	}
	return run.size == 0 ? run : slice_part(quote, (size_t)(run.data - quote.data), quote.size);
}

/* The name in the quote, or the word behind a quote that ends before it. */
static struct slice name_of(const struct said *said, const struct list_row *cue,
			    struct slice *quote)
{
	size_t at = 0;
	struct slice name = said_bare(name_beside(cue, *quote));
	if (name.size > 0)
		return name;
	*quote = clause_with(said, *quote);
	return said_run(name_beside(cue, *quote), &at);
}

struct slice mend_translated(const struct said *said, struct slice *quote, struct slice key,
			     bool *fits, struct arena *arena)
{
	enum { LONGEST_NAME = 40, LONGEST_VALUE = 120 };
	const struct list_row *cue = cue_of(key);
	const struct support support = support_read(*quote, said, arena);
	struct slice value = said_bare(*quote);
	*fits = cue != NULL && text_says_any(clause_with(said, *quote), cue->words);
	if (*fits && slice_equal(key, SLICE("name"))) {
		value = name_of(said, cue, quote);
		return value.size > LONGEST_NAME ? (struct slice){0} : value;
	}
	if (*fits)
		value = without_cue(said, cue, value, arena);
	return value.size > LONGEST_VALUE || !support_says_anything(&support) ? (struct slice){0}
									      : value;
}
