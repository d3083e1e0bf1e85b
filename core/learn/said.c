#include "core/learn/said.h"

#include "core/base/word_map.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "roles_map.h"

/* ---- what a word tells ---- */

unsigned said_word_bits(uint64_t hash, uint32_t languages)
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

/* True if the sign at `at` is only a part of another word. */
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
bool said_may_have_signs(struct slice text)
{
	size_t at = 0;
	while (at < text.size && (unsigned char)text.data[at] < 0xE3)
		at++;
	return at < text.size;
}

unsigned said_sign_bits(struct slice text)
{
	unsigned bits = 0;
	if (!said_may_have_signs(text))
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

bool said_is_number(struct slice word, struct slice digits)
{
	const char *list = words_of_number(digits);
	for (struct slice name = next_sign(&list); name.size > 0; name = next_sign(&list)) {
		if (slice_equal(name, word))
			return true;
	}
	return false;
}

bool said_has_number_sign(struct slice text, struct slice digits)
{
	const char *list = words_of_number(digits);
	for (struct slice name = next_sign(&list); name.size > 0; name = next_sign(&list)) {
		if ((unsigned char)name.data[0] >= 0xE3 && slice_find(text, name, 0) < text.size)
			return true;
	}
	return false;
}

bool said_is_counted(struct slice word)
{
	for (size_t i = 0; i < word.size; i++) {
		if (word.data[i] >= '0' && word.data[i] <= '9')
			return true;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *list = numbers[i];
		const struct slice digits = next_sign(&list);
		if (said_is_number(word, digits) || said_has_number_sign(word, digits))
			return true;
	}
	return false;
}

/* ---- words ---- */

struct word_list {
	struct said_word *words;
	size_t count;
	size_t capacity;
	uint32_t languages;
	unsigned language;
	struct arena *arena;
};

static struct said_word *new_word(struct word_list *list)
{
	list->words = arena_grow(list->arena, list->words, list->count, &list->capacity,
				 sizeof(*list->words));
	return &list->words[list->count++];
}

/* "Isn't" and the like. */
static bool is_negated(struct slice word)
{
	return slice_ends_with(word, SLICE("n't"));
}

static void put_part(struct word_list *list, struct slice part, bool is_of_negated)
{
	const uint32_t function = list->languages | 1U << LEXICON_OTHER;
	uint64_t hash = word_hash(part);
	struct said_word *word = new_word(list);
	word->text = arena_copy(list->arena, part);
	word->bits = said_word_bits(hash, list->languages);
	if (is_of_negated)
		word->bits |= WORD_NOT;
	word->is_function = (lexicon_find(hash) & function) != 0 || is_of_negated;
}

static bool put_word(void *cookie, struct slice word)
{
	size_t begin = 0;
	if (is_negated(word)) {
		put_part(cookie, word, true);
		return true;
	}
	for (size_t at = 0; at <= word.size; at++) {
		if (at < word.size && word.data[at] != '\'' && word.data[at] != '_')
			continue;
		if (at > begin)
			put_part(cookie, slice_part(word, begin, at), false);
		begin = at + 1;
	}
	return true;
}

struct said_word *said_words(struct slice text, const struct said *like, size_t *count,
			     struct arena *arena)
{
	struct word_list list = {.arena = arena, .languages = like->languages};
	text_words(text, put_word, &list);
	*count = list.count;
	return list.words;
}

/* ---- the language ---- */

static bool vote(void *cookie, struct slice word)
{
	lexicon_vote(cookie, lexicon_find(word_hash(word)), 1);
	return true;
}

static void tell_language(struct said *said)
{
	struct lexicon_votes votes = {0};
	text_words(said->text, vote, &votes);
	said->language = lexicon_elect(&votes);
	for (unsigned i = 0; i < LEXICON_LATIN_COUNT; i++) {
		if (votes.of[i] == votes.of[said->language])
			said->languages |= 1U << i;
	}
}

/* ---- clauses ---- */

struct splitter {
	struct said *said;
	struct arena *arena;
	size_t capacity;
	size_t begin; /* of the current clause */
	unsigned sentence;
	size_t first_of_sentence;
};

static struct said_clause *new_clause(struct splitter *splitter)
{
	struct said *said = splitter->said;
	said->clauses = arena_grow(splitter->arena, said->clauses, said->count, &splitter->capacity,
				   sizeof(*said->clauses));
	return &said->clauses[said->count++];
}

static void end_clause(struct splitter *splitter, size_t end)
{
	struct slice text = slice_trim(slice_part(splitter->said->text, splitter->begin, end));
	splitter->begin = end;
	if (text.size == 0)
		return;
	struct said_clause *clause = new_clause(splitter);
	*clause = (struct said_clause){.text = text, .sentence = splitter->sentence};
	clause->words = said_words(text, splitter->said, &clause->count, splitter->arena);
	/* "No I live in York" negates nothing. */
	if (splitter->said->languages == 1U << LEXICON_ENGLISH && clause->count > 0 &&
	    slice_equal(clause->words[0].text, SLICE("no")) &&
	    (said_bits(clause, 1) & WORD_FIRST) != 0)
		clause->words[0].bits &= ~(unsigned)WORD_NOT;
	clause->signs = said_sign_bits(text);
	clause->bits = clause->signs;
	for (size_t i = 0; i < clause->count; i++)
		clause->bits |= clause->words[i].bits;
}

/* Reads the sentence once for all of its clauses, of which there may be thousands. */
static void end_sentence(struct splitter *splitter, size_t end, bool is_asked)
{
	end_clause(splitter, end);
	struct said *said = splitter->said;
	const size_t begin = splitter->first_of_sentence;
	splitter->first_of_sentence = said->count;
	splitter->sentence++;
	if (begin == said->count)
		return;
	const struct said_clause *first = &said->clauses[begin];
	const unsigned opens = said_bits(first, 0) | first->signs;
	unsigned bits = 0;
	for (size_t i = begin; i < said->count; i++)
		bits |= said->clauses[i].bits;
	for (size_t i = begin; i < said->count; i++) {
		said->clauses[i].is_asked = is_asked;
		said->clauses[i].around = bits;
		said->clauses[i].opens = opens;
	}
}

enum mark { MARK_NONE, MARK_CLAUSE, MARK_SENTENCE, MARK_QUESTION };

/* An ASCII mark ends something only before white space or the end: "3.5" and "15:00" stay whole. */
static enum mark mark_of(uint32_t character, bool is_spaced)
{
	switch (character) {
	case ',':
	case ';':
	case ':':
		return is_spaced ? MARK_CLAUSE : MARK_NONE;
	case '.':
	case '!':
		return is_spaced ? MARK_SENTENCE : MARK_NONE;
	case '?':
		return is_spaced ? MARK_QUESTION : MARK_NONE;
	case '(':
	case ')':
	case 0x2014: /* dash */
	case 0x3001:
	case 0xFF0C:
	case 0xFF1B:
	case 0xFF1A: /* ideographic comma and the like */
	case 0x060C:
	case 0x061B: /* Arabic comma and semicolon */
		return MARK_CLAUSE;
	case '\n':
	case 0x2026:
	case 0x3002:
	case 0xFF01:
		return MARK_SENTENCE;
	case 0xFF1F:
	case 0x061F:
		return MARK_QUESTION;
	default:
		return MARK_NONE;
	}
}

enum { LONGEST_SPLIT = 24 };

static struct slice word_at(struct slice text, size_t at)
{
	size_t end = at;
	while (end < text.size && end - at < LONGEST_SPLIT && (unsigned char)text.data[end] > ' ' &&
	       strchr(",.;:!?()", text.data[end]) == NULL)
		end++;
	return slice_part(text, at, end);
}

/* Writes a word of ASCII letters as text_words() gives it. False: it has other bytes. */
static bool fold_letters(struct slice word, char *folded)
{
	for (size_t i = 0; i < word.size; i++) {
		char small = (char)(word.data[i] | 0x20);
		if (small < 'a' || small > 'z')
			return false;
		folded[i] = small;
	}
	return true;
}

static unsigned bits_at(const struct splitter *splitter, size_t at, struct slice *word)
{
	size_t count;
	char folded[LONGEST_SPLIT];
	*word = word_at(splitter->said->text, at);
	if (fold_letters(*word, folded))
		return said_word_bits(word_hash((struct slice){folded, word->size}),
				      splitter->said->languages);
	struct said_word *words = said_words(*word, splitter->said, &count, splitter->arena);
	return count == 1 ? words[0].bits : 0;
}

/* True if the word at `at` begins a clause. */
static bool splits_at(const struct splitter *splitter, size_t at)
{
	struct slice text = splitter->said->text;
	struct slice word;
	if (at == 0 || !text_is_space((unsigned char)text.data[at - 1]))
		return false;
	unsigned bits = bits_at(splitter, at, &word);
	if ((bits & WORD_AND) != 0) {
		struct slice next;
		unsigned after = bits_at(
			splitter, at + word.size + 1 < text.size ? at + word.size + 1 : at, &next);
		return (after & (WORD_FIRST | WORD_THIRD)) != 0;
	}
	return (bits & WORD_SPLIT) != 0;
}

static void split(struct splitter *splitter)
{
	struct slice text = splitter->said->text;
	uint32_t character;
	for (size_t at = 0; at < text.size;) {
		if (at > splitter->begin && splits_at(splitter, at))
			end_clause(splitter, at);
		size_t next = at + text_decode(text, at, &character);
		bool is_spaced = next == text.size || text_is_space((unsigned char)text.data[next]);
		enum mark mark = mark_of(character, is_spaced);
		if (mark == MARK_CLAUSE)
			end_clause(splitter, next);
		else if (mark != MARK_NONE)
			end_sentence(splitter, next, mark == MARK_QUESTION);
		at = next;
	}
	end_sentence(splitter, text.size, false);
}

struct said said_read(struct slice text, const struct said *like, struct arena *arena)
{
	struct said said = {.text = text};
	if (like == NULL)
		tell_language(&said);
	else
		said.languages = like->languages, said.language = like->language;
	struct splitter splitter = {.said = &said, .arena = arena};
	split(&splitter);
	return said;
}

/* ---- as it is written ---- */

static bool is_between_runs(char c)
{
	return strchr(" \t\n.,;:!?()\"", c) != NULL;
}

struct slice said_run(struct slice text, size_t *at)
{
	while (*at < text.size && is_between_runs(text.data[*at]))
		(*at)++;
	const size_t begin = *at;
	while (*at < text.size && !is_between_runs(text.data[*at]))
		(*at)++;
	return slice_part(text, begin, *at);
}

struct slice said_bare(struct slice text)
{
	size_t begin = 0;
	while (begin < text.size && is_between_runs(text.data[begin]))
		begin++;
	while (text.size > begin && is_between_runs(text.data[text.size - 1]))
		text.size--;
	return slice_part(text, begin, text.size);
}
