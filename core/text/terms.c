#include "core/text/terms.h"

#include "core/base/ids.h"
#include "core/base/word_map.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>

/* A distinct word of the text, and how often it occurs. */
struct word {
	uint64_t hash;
	struct slice text;
	uint32_t count;
	uint32_t bits; /* the lexicon's */
};

/* The distinct words: open addressing by hash; a slot without text is free. */
struct word_table {
	struct word *slots;
	size_t capacity; /* a power of two */
	size_t least;    /* and its initial capacity */
	size_t used;
	size_t words;
	uint32_t self_bits; /* the lexicon's, for words such as "I" */
	struct arena *arena;
};

static struct word *slot_of(const struct word_table *table, uint64_t hash)
{
	size_t at = (size_t)hash & (table->capacity - 1);
	while (table->slots[at].text.size > 0 && table->slots[at].hash != hash)
		at = (at + 1) & (table->capacity - 1);
	return &table->slots[at];
}

static void grow(struct word_table *table)
{
	struct word_table larger = *table;
	larger.capacity = table->capacity == 0 ? table->least : 2 * table->capacity;
	larger.slots = arena_alloc(table->arena, larger.capacity * sizeof(struct word));
	for (size_t i = 0; i < table->capacity; i++) {
		if (table->slots[i].text.size > 0)
			*slot_of(&larger, table->slots[i].hash) = table->slots[i];
	}
	*table = larger;
}

static void count_word(struct word_table *table, struct slice word, uint64_t hash, uint32_t bits)
{
	if (2 * table->used >= table->capacity)
		grow(table);
	struct word *slot = slot_of(table, hash);
	if (slot->text.size == 0) {
		*slot = (struct word){
			.hash = hash, .text = arena_copy(table->arena, word), .bits = bits};
		table->used++;
	}
	slot->count++;
}

static void take_part(struct word_table *table, struct slice part, bool is_whole)
{
	uint64_t hash = word_hash(part);
	uint32_t bits = lexicon_find(hash);
	if ((bits & 1U << LEXICON_SELF) != 0)
		table->self_bits |= bits;
	if (is_whole || part.size > 1)
		count_word(table, part, hash, bits);
}

/* "caroline's", "I'm" and "vector_store" are several words; a single letter next to an apostrophe
 * is dropped. */
static bool take_word(void *cookie, struct slice word)
{
	struct word_table *table = cookie;
	table->words++;
	size_t begin = 0;
	for (size_t at = 0; at <= word.size; at++) {
		if (at < word.size && word.data[at] != '\'' && word.data[at] != '_')
			continue;
		bool is_whole = begin == 0 && at == word.size;
		take_part(table, slice_part(word, begin, at), is_whole);
		begin = at + 1;
	}
	return true;
}

/* Most texts have a few dozen terms, for which qsort() takes three times as long. */
enum { FEW_TERMS = 64 };

static void sort_few(struct term *terms, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct term term = terms[i];
		size_t at = i;
		for (; at > 0 && terms[at - 1].hash > term.hash; at--)
			terms[at] = terms[at - 1];
		terms[at] = term;
	}
}

/* Sorts the terms and merges equal ones: two words may share a stem. */
static void settle(struct term_list *list)
{
	if (list->count <= FEW_TERMS)
		sort_few(list->terms, list->count);
	else
		qsort(list->terms, list->count, sizeof(*list->terms), ids_compare);
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (kept > 0 && list->terms[kept - 1].hash == list->terms[i].hash)
			list->terms[kept - 1].count += list->terms[i].count;
		else
			list->terms[kept++] = list->terms[i];
	}
	list->count = kept;
}

/* Stems of the words that the thread met recently: people use the same words again and again, and a
 * lookup costs a twentieth of stemming. Compares the word itself, because equal hashes can be
 * constructed and the next text may be another user's. */
struct known_stem {
	const char *stemmer; /* NULL: the place is free */
	uint64_t stem;
	uint8_t size;
	char word[23]; /* longer words are not kept */
};

enum { KNOWN_STEMS = 2048 }; /* a power of two */

static _Thread_local struct known_stem known_stems[KNOWN_STEMS];

/* The stemmers that a text has needed so far: its language's, and those of other scripts in it. */
struct stemmers {
	unsigned language;
	const char *name;
	struct sb_stemmer *stemmer;
};

static uint64_t stem(struct stemmers *stemmers, const char *name, struct slice word)
{
	if (lexicon_is_unstemmed(name))
		return forms_stem(name, word);
	if (name != stemmers->name) {
		sb_stemmer_delete(stemmers->stemmer);
		stemmers->stemmer = sb_stemmer_new(name, NULL);
		stemmers->name = name;
	}
	/* A turn indexed without its stems would never be found by them again. */
	if (stemmers->stemmer == NULL)
		out_of_memory();
	const sb_symbol *stemmed =
		sb_stemmer_stem(stemmers->stemmer, (const sb_symbol *)word.data, (int)word.size);
	if (stemmed == NULL)
		out_of_memory();
	return forms_stem(name, (struct slice){(const char *)stemmed,
					       (size_t)sb_stemmer_length(stemmers->stemmer)});
}

static bool is_known(const struct known_stem *known, const char *stemmer, struct slice word)
{
	return known->stemmer == stemmer &&
	       slice_equal((struct slice){known->word, known->size}, word);
}

static void know(struct known_stem *known, const char *stemmer, struct slice word, uint64_t hash)
{
	if (word.size > sizeof(known->word))
		return;
	*known = (struct known_stem){stemmer, hash, (uint8_t)word.size, {0}};
	memcpy(known->word, word.data, word.size);
}

/* The hash of the word's stem, which may be the word itself. */
static uint64_t stem_of(struct stemmers *stemmers, const struct word *word)
{
	const char *name = lexicon_stemmer(stemmers->language, word->text);
	struct known_stem *known = &known_stems[word->hash & (KNOWN_STEMS - 1)];
	if (name == NULL)
		return word->hash;
	if (is_known(known, name, word->text))
		return known->stem;
	uint64_t hash = stem(stemmers, name, word->text);
	know(known, name, word->text, hash);
	return hash;
}

static unsigned language_of(const struct word_table *table)
{
	struct lexicon_votes votes = {0};
	for (size_t i = 0; i < table->capacity; i++)
		lexicon_vote(&votes, table->slots[i].bits, table->slots[i].count);
	return lexicon_elect(&votes);
}

static enum term_kind kind_of(const struct word *word, unsigned language)
{
	if ((word->bits & (1U << language | 1U << LEXICON_OTHER)) != 0)
		return TERM_FUNCTION;
	return (word->bits & 1U << LEXICON_LIGHT) != 0 ? TERM_LIGHT : TERM_WORD;
}

static bool is_ideograph(uint32_t character)
{
	return (character >= 0x3400 && character <= 0x9FFF) ||
	       (character >= 0x20000 && character <= 0x3FFFF);
}

/* The ideographs of a pair that tell something by themselves: "搬家" and "搬到" share a meaning. */
static size_t ideographs_of(struct slice pair, uint64_t hashes[2])
{
	size_t count = 0;
	for (size_t at = 0, size; at < pair.size && count < 2; at += size) {
		uint32_t character;
		size = text_decode(pair, at, &character);
		uint64_t hash = word_hash(slice_part(pair, at, at + size));
		if (is_ideograph(character) && size < pair.size && lexicon_find(hash) == 0)
			hashes[count++] = hash;
	}
	return count;
}

static void add_ideographs(struct term_list *list, const struct word *word)
{
	uint64_t hashes[2];
	size_t count = ideographs_of(word->text, hashes);
	for (size_t i = 0; i < count; i++)
		list->terms[list->count++] = (struct term){hashes[i], word->count, TERM_PART};
}

static void add_terms(struct term_list *list, const struct word *word, struct stemmers *stemmers)
{
	enum term_kind kind = kind_of(word, stemmers->language);
	struct term *term = &list->terms[list->count++];
	*term = (struct term){word->hash, word->count, kind};
	if (kind == TERM_FUNCTION)
		return;
	uint64_t stemmed = stem_of(stemmers, word);
	if (stemmed == word->hash) {
		add_ideographs(list, word);
		return;
	}
	bool is_light = kind == TERM_LIGHT;
	if (!is_light)
		term->kind = TERM_FORM;
	list->terms[list->count++] =
		(struct term){stemmed, word->count, is_light ? TERM_LIGHT : TERM_STEM};
}

void terms_read(struct slice text, struct term_list *list, struct arena *arena)
{
	struct word_table table = {.least = 64, .arena = arena};
	text_words(slice_part(text, 0, text.size < TERMS_TEXT_LIMIT ? text.size : TERMS_TEXT_LIMIT),
		   take_word, &table);
	*list = (struct term_list){.words = table.words};
	list->terms = arena_alloc(arena, 3 * table.used * sizeof(struct term));
	struct stemmers stemmers = {.language = language_of(&table)};
	const uint32_t languages = 1U << stemmers.language | 1U << LEXICON_OTHER;
	list->says_i = (table.self_bits & languages) != 0;
	for (size_t i = 0; i < table.capacity; i++) {
		if (table.slots[i].text.size > 0)
			add_terms(list, &table.slots[i], &stemmers);
	}
	sb_stemmer_delete(stemmers.stemmer);
	settle(list);
}

/* The place of the term with this hash, as a bit; 0 if it is not among the first 64. Hashes are
 * spread evenly, so the search starts where an even spread puts it. */
static uint64_t place_of(const struct term_list *list, uint64_t hash)
{
	size_t count = list->count < TERMS_FIND_LIMIT ? list->count : TERMS_FIND_LIMIT;
	size_t at = (size_t)((hash >> 32) * list->count >> 32);
	at = at < count ? at : count;
	while (at > 0 && list->terms[at - 1].hash >= hash)
		at--;
	while (at < count && list->terms[at].hash < hash)
		at++;
	return at < count && list->terms[at].hash == hash ? 1ULL << at : 0;
}

/* The places of its stem or its ideographs. */
static uint64_t places_of_kin(const struct term_list *wanted, const struct word *word,
			      struct stemmers *stemmers)
{
	uint64_t hashes[2];
	size_t count = ideographs_of(word->text, hashes);
	uint64_t found = place_of(wanted, stem_of(stemmers, word));
	for (size_t i = 0; i < count; i++)
		found |= place_of(wanted, hashes[i]);
	return found;
}

uint64_t terms_find(const struct term_list *wanted, const struct slice *texts, size_t count,
		    struct arena *arena)
{
	struct word_table table = {.least = 16, .arena = arena}; /* most texts are a few words */
	for (size_t i = 0; i < count; i++)
		text_words(texts[i], take_word, &table);
	struct stemmers stemmers = {.language = language_of(&table)};
	uint64_t found = 0;
	for (size_t i = 0; i < table.capacity; i++) {
		const struct word *word = &table.slots[i];
		if (word->text.size == 0)
			continue;
		found |= place_of(wanted, word->hash);
		if (kind_of(word, stemmers.language) != TERM_FUNCTION)
			found |= places_of_kin(wanted, word, &stemmers);
	}
	sb_stemmer_delete(stemmers.stemmer);
	return found;
}

/* ---- a text that says some words in any form ---- */

enum { MOST_FORMS = 16, DATE_FORMS = 3, DAY_DIGITS = 2, YEAR_DIGITS = 4 };

/* A word of a comparable text. */
struct form {
	struct slice text;
	struct slice gap; /* between it and the word before */
	bool is_number;
};

/* A text's words, read once, that another text may say. */
struct sought {
	struct form words[MOST_FORMS];
	size_t count;
	bool is_date;        /* a word, a number of one or two digits and one of four */
	struct slice anchor; /* the longest word, by which the others are found */
};

static bool is_made_of(struct slice text, const char *characters)
{
	size_t at = 0;
	while (at < text.size && strchr(characters, text.data[at]) != NULL)
		at++;
	return at == text.size;
}

/* Moves to the next word. False: there is none. */
static bool next_form(struct slice text, size_t *at, struct form *form)
{
	const size_t behind = *at;
	form->text = text_next_word(text, at);
	form->gap = slice_part(text, behind, *at - form->text.size);
	form->is_number = is_made_of(form->text, "0123456789");
	return form->text.size > 0;
}

/* Whether it stands directly behind the word before: "7. May" and "May 7, 1984" in a date. */
static bool follows(const struct form *form, bool in_date)
{
	struct slice gap = form->gap;
	if (in_date && gap.size > 1 && (gap.data[0] == '.' || gap.data[0] == ','))
		gap = slice_part(gap, 1, gap.size);
	return gap.size <= 1 && is_made_of(gap, " -_'/");
}

static size_t stub_size(struct slice word)
{
	enum { LETTERS = 3 };
	uint32_t character;
	size_t size = 0;
	for (int i = 0; i < LETTERS && size < word.size; i++)
		size += text_decode(word, size, &character);
	return size;
}

static struct slice anchor_of(struct slice comparable)
{
	struct slice anchor = {0};
	size_t at = 0;
	for (struct slice word; (word = text_next_word(comparable, &at)).size > 0;) {
		if (word.size > anchor.size)
			anchor = word;
	}
	return anchor;
}

struct slice terms_stub(struct slice comparable)
{
	const struct slice anchor = anchor_of(comparable);
	return anchor.size == 0 ? slice_part(comparable, 0, stub_size(comparable))
				: slice_part(anchor, 0, stub_size(anchor));
}

static bool is_date(const struct sought *sought)
{
	size_t days = 0;
	size_t years = 0;
	for (size_t i = 0; i < sought->count; i++) {
		const struct form *form = &sought->words[i];
		days += form->is_number && form->text.size <= DAY_DIGITS;
		years += form->is_number && form->text.size == YEAR_DIGITS;
	}
	return sought->count == DATE_FORMS && days == 1 && years == 1;
}

/* False: it has marks that may mean something, as in "C++", "-5" and "A-", or too many words. */
static bool read_sought(struct slice comparable, struct sought *sought)
{
	struct form form;
	size_t at = 0;
	*sought = (struct sought){.anchor = anchor_of(comparable)};
	while (next_form(comparable, &at, &form)) {
		if (sought->count == MOST_FORMS)
			return false;
		sought->words[sought->count++] = form;
	}
	sought->is_date = is_date(sought);
	for (size_t i = 1; i < sought->count; i++) {
		if (!follows(&sought->words[i], sought->is_date))
			return false;
	}
	return sought->count > 0 && sought->words[0].gap.size == 0 &&
	       is_made_of(slice_part(comparable, at, comparable.size), ".,;:!?");
}

static unsigned language_of_words(struct slice comparable)
{
	struct lexicon_votes votes = {0};
	size_t at = 0;
	for (struct slice word; (word = text_next_word(comparable, &at)).size > 0;)
		lexicon_vote(&votes, lexicon_find(word_hash(word)), 1);
	return lexicon_elect(&votes);
}

/* "Cats" and "cat", but not "university" and "universal", whose stem is one, too. */
static bool differ_at_the_end(struct slice a, struct slice b)
{
	enum { LONGEST_END = 3 };
	const size_t least = size_min(a.size, b.size);
	size_t same = 0;
	while (same < least && a.data[same] == b.data[same])
		same++;
	return same + 1 >= least && size_max(a.size, b.size) - least <= LONGEST_END;
}

static bool is_form(struct slice said, const struct sought *sought, size_t at,
		    struct stemmers *stemmers)
{
	const struct slice wanted = sought->words[at].text;
	const struct word a = {.hash = word_hash(said), .text = said};
	const struct word b = {
		.hash = word_hash(wanted), .text = wanted, .bits = lexicon_find(word_hash(wanted))};
	const bool alone = sought->count == 1;
	if (kind_of(&b, stemmers->language) == TERM_FUNCTION || sought->words[at].is_number)
		return !alone && slice_equal(said, wanted);
	return slice_equal(said, wanted) || ((alone || differ_at_the_end(said, wanted)) &&
					     stem_of(stemmers, &a) == stem_of(stemmers, &b));
}

/* "May 7, 1984" of "7 May 1984", whose three words are of three kinds. */
static bool is_same_date(const struct form *said, const struct sought *sought)
{
	size_t found = 0;
	for (size_t i = 0; i < DATE_FORMS; i++) {
		const struct slice word = sought->words[i].text;
		found += slice_equal(word, said[0].text) || slice_equal(word, said[1].text) ||
			 slice_equal(word, said[2].text);
	}
	return found == DATE_FORMS;
}

static bool are_forms(const struct form *said, const struct sought *sought,
		      struct stemmers *stemmers)
{
	bool are = true;
	for (size_t i = 1; i < sought->count; i++) {
		if (!follows(&said[i], sought->is_date))
			return false;
	}
	for (size_t i = 0; i < sought->count && are; i++)
		are = is_form(said[i].text, sought, i, stemmers);
	return are || (sought->is_date && is_same_date(said, sought));
}

/* Looks at the last words wherever one of them begins as the anchor does. */
static bool has_forms(struct slice text, const struct sought *sought, struct stemmers *stemmers)
{
	const struct slice stub = slice_part(sought->anchor, 0, stub_size(sought->anchor));
	const size_t count = sought->count;
	struct form last[2 * MOST_FORMS];
	size_t held = 0;
	size_t left = 0; /* how many words may still come in whose window the anchor is */
	size_t at = 0;
	bool found = false;
	while (!found && next_form(text, &at, &last[held])) {
		left = slice_starts_with(last[held++].text, stub) ? count : left - (left > 0);
		found = left > 0 && held >= count &&
			are_forms(&last[held - count], sought, stemmers);
		if (held == 2 * MOST_FORMS) {
			held = count - 1;
			memmove(last, last + 2 * MOST_FORMS - held, held * sizeof(*last));
		}
	}
	return found;
}

/* A few words do not tell their language, and a short text may be misjudged. English, which
 * removes a final "s", also works for some other languages. */
static bool says_forms(struct slice text, struct slice what)
{
	struct sought sought;
	struct stemmers stemmers = {.language = LEXICON_ENGLISH};
	if (!read_sought(what, &sought) || !slice_has(text, terms_stub(what)))
		return false;
	bool found = has_forms(text, &sought, &stemmers);
	if (!found && (stemmers.language = language_of_words(text)) != LEXICON_ENGLISH)
		found = has_forms(text, &sought, &stemmers);
	sb_stemmer_delete(stemmers.stemmer);
	return found;
}

bool terms_say(struct slice text, struct slice what)
{
	struct arena arena = {0};
	what = text_comparable(what, &arena);
	text = text_comparable(text, &arena);
	const bool said = text_comparable_says(text, what) || says_forms(text, what);
	arena_finish(&arena);
	return said;
}

bool terms_share_stem(unsigned language, struct slice a, struct slice b)
{
	struct stemmers stemmers = {.language = language};
	const struct word first = {.hash = word_hash(a), .text = a};
	const struct word second = {.hash = word_hash(b), .text = b};
	bool shared = stem_of(&stemmers, &first) == stem_of(&stemmers, &second);
	sb_stemmer_delete(stemmers.stemmer);
	return shared;
}
