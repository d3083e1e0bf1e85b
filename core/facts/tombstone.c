#include "core/facts/tombstone.h"

#include "core/base/ids.h"
#include "core/base/word_map.h"
#include "core/facts/key.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>

/* ---- hashes ---- */

/* The salt may hold any byte, and text_hash() ignores some. */
static struct slice in_hex(struct slice salt, struct arena *arena)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = arena_alloc(arena, 2 * salt.size + 1);
	for (size_t i = 0; i < salt.size; i++) {
		unsigned char byte = (unsigned char)salt.data[i];
		hex[2 * i] = digits[byte >> 4];
		hex[2 * i + 1] = digits[byte & 15];
	}
	return (struct slice){hex, 2 * salt.size};
}

static bool is_digit(char c)
{
	return isdigit((unsigned char)c) != 0;
}

/* "7.5.1984", "2024-05-07" and "192.168.1.12": other parts make another one. */
static bool is_date_or_address(struct slice folded)
{
	size_t sizes[4] = {0};
	size_t part = 0;
	for (size_t i = 0; i < folded.size; i++) {
		const bool parts = strchr("./-", folded.data[i]) != NULL;
		if ((!parts && !is_digit(folded.data[i])) || (parts && ++part == 4))
			return false;
		sizes[part] += !parts;
	}
	return part == 3 ? folded.data[sizes[0]] == '.'
			 : part == 2 && (sizes[0] <= 2 || sizes[0] == 4) && sizes[1] <= 2;
}

/* Digits and what people put between them. */
static bool is_long_number(struct slice folded)
{
	enum { LEAST_DIGITS = 7 };
	size_t digits = 0;
	for (size_t i = 0; i < folded.size; i++) {
		if (strchr("0123456789 +-/.()", folded.data[i]) == NULL)
			return false;
		digits += is_digit(folded.data[i]);
	}
	return digits >= LEAST_DIGITS && !is_date_or_address(folded);
}

/* A number whose parts mean nothing: with "+49", "030" or "(030)" in front. */
static bool is_phone(struct slice folded)
{
	const struct slice behind = slice_part(folded, folded.size > 0, folded.size);
	return is_long_number(folded) && strchr("+(0", folded.data[0]) != NULL &&
	       !slice_has(folded, SLICE(".")) && !slice_has(folded, SLICE("- ")) &&
	       !slice_has(folded, SLICE(" -")) && !slice_has(behind, SLICE("+"));
}

static char char_at(struct slice text, size_t i)
{
	return i < text.size ? text.data[i] : ' ';
}

static bool is_in_word(char c)
{
	return c != ' ' && !ispunct((unsigned char)c);
}

/* Marks that people set or not: in "New-York", "St. Gallen", "O'Brien" and "Acme, Inc."; not in
 * "she'll", "-5", ".NET" and "3.11". */
static bool is_loose(struct slice text, size_t i)
{
	const char c = text.data[i];
	const char before = char_at(text, i - 1);
	const char behind = char_at(text, i + 1);
	const bool in_number = is_digit(before) && is_digit(behind);
	if (c == '\'')
		return !is_in_word(before) || !is_in_word(behind) ||
		       (is_in_word(char_at(text, i + 2)) && is_in_word(char_at(text, i + 3)));
	return c == '(' || c == ')' ||
	       (is_in_word(before) && !in_number &&
		(c == '.' || c == ',' || (c == '-' && is_in_word(behind))));
}

/* White space counts for nothing in text_hash(). */
static void append_loose(struct buffer *out, struct slice folded)
{
	const bool is_number = is_long_number(folded);
	const bool is_mail = slice_has(folded, SLICE("@"));
	if (is_number && folded.data[strspn(folded.data, "(")] == '+')
		buffer_append(out, SLICE("00"));
	for (size_t i = 0; i < folded.size; i++) {
		if (is_number ? is_digit(folded.data[i]) : is_mail || !is_loose(folded, i))
			buffer_append_byte(out, folded.data[i]);
	}
}

/* No value in one spelling has the hash of one in the other. */
enum spelling { EXACT = '|', LOOSE = '~' };

static uint64_t hash_of(struct buffer *scratch, struct slice hex, enum spelling spelling,
			struct slice folded)
{
	buffer_clear(scratch);
	buffer_append(scratch, hex);
	buffer_append_byte(scratch, (char)spelling);
	if (spelling == EXACT)
		buffer_append(scratch, folded);
	else
		append_loose(scratch, folded);
	return text_hash(buffer_slice(scratch));
}

static uint64_t hash_value(struct slice salt, enum spelling spelling, struct slice value,
			   struct arena *arena)
{
	struct buffer scratch;
	buffer_init(&scratch, SIZE_MAX);
	const uint64_t hash =
		hash_of(&scratch, in_hex(salt, arena), spelling, fact_fold(value, arena));
	buffer_finish(&scratch);
	return hash;
}

uint64_t tombstone_hash(struct slice salt, struct slice value, struct arena *arena)
{
	return hash_value(salt, EXACT, value, arena);
}

uint64_t tombstone_loose_hash(struct slice salt, struct slice value, struct arena *arena)
{
	return hash_value(salt, LOOSE, value, arena);
}

uint64_t tombstone_subject(struct slice salt, struct slice entity, struct slice key,
			   struct arena *arena)
{
	const struct slice parts[] = {in_hex(salt, arena), SLICE("|"), fact_fold(entity, arena),
				      SLICE("|"), fact_fold(key, arena)};
	return text_hash(arena_join(arena, parts, 5));
}

/* ---- values that tell enough ---- */

static bool is_telling_word(void *cookie, struct slice word)
{
	enum { LEAST_LETTERS = 3, LEAST_DIGITS = 4, LEAST_UNSPACED = 2 };
	bool *is_telling = cookie;
	size_t characters = 0;
	bool has_letter = false;
	bool is_unspaced = false;
	uint32_t character;
	for (size_t at = 0; at < word.size; characters++) {
		at += text_decode(word, at, &character);
		has_letter |= uc_is_alpha(character);
		is_unspaced |= text_is_unspaced(character);
	}
	const size_t least = is_unspaced  ? LEAST_UNSPACED
			     : has_letter ? LEAST_LETTERS
					  : LEAST_DIGITS;
	*is_telling = characters >= least && lexicon_find(word_hash(word)) == 0 &&
		      !slice_is_any(word, list_vague);
	return !*is_telling;
}

/* Whether finding the value elsewhere means something: "Ulm" does, "no", "5" and "the" do not, nor
 * does what stands for anything that was masked. */
static bool tells_enough(struct slice value)
{
	bool is_telling = false;
	if (!slice_starts_with(value, SLICE("[redacted: ")))
		text_words(value, is_telling_word, &is_telling);
	return is_telling;
}

/* ---- the words of a value ---- */

enum { MOST_WORDS = 16 /* of a value that is found in a text */ };

/* A word of the folded value, and the run of text between white space that it is in: "c" in "c++".
 */
struct said_word {
	size_t begin, end;
	size_t run_begin, run_end;
};

/* The first word of a run begins with it, and the last one ends with it. */
static size_t split(struct slice text, struct said_word *words)
{
	size_t count = 0;
	size_t at = 0;
	for (struct slice word; (word = text_next_word(text, &at)).size > 0;) {
		const size_t begin = at - word.size;
		const size_t before = count == 0 ? 0 : words[count - 1].end;
		const struct slice gap = slice_part(text, before, begin);
		const size_t space = slice_find(gap, SLICE(" "), 0);
		size_t run = begin;
		while ((count == 0 || space < gap.size) && run > before &&
		       text.data[run - 1] != ' ')
			run--;
		if (count > 0 && space < gap.size)
			words[count - 1].run_end = before + space;
		words[count++] = (struct said_word){begin, at, run, at};
	}
	if (count > 0)
		words[count - 1].run_end = text.size;
	return count;
}

/* ---- holding ---- */

/* The first tombstone of the value with this hash. */
static size_t find_value(const struct tombstones *tombstones, uint64_t hash)
{
	return ids_first_from(tombstones->list, tombstones->count, sizeof(*tombstones->list), hash);
}

static bool is_note(const struct fact *fact)
{
	return fact_kind_of(fact->kind) == FACT_OF_NOTE ||
	       slice_is_any_nocase(fact->key, list_note_keys);
}

/* How a value stands in a fact. PRECISE: behind articles and prepositions, and in front of more
 * about it: "in Rome, Italy". */
enum place { WHOLE, PRECISE, AMONG /* other words */ };

/* A note of the user's may be about somebody whom it names. */
static bool is_about(const struct tombstone *tombstone, const struct fact *fact, enum place place,
		     struct arena *arena)
{
	return slice_equal(fact_fold(tombstone->entity, arena), fact_fold(fact->entity, arena)) ||
	       (place != WHOLE && is_note(fact) && text_says(fact->value, tombstone->entity));
}

/* Whether it holds where its value stands, which tells enough by itself or not. */
static bool holds(const struct tombstone *tombstone, const struct fact *fact, enum place place,
		  bool tells, struct arena *arena)
{
	const bool was_before = fact->observed_at <= tombstone->at;
	const bool is_of_any = tombstone->key.size == 0 || is_note(fact);
	const bool is_found = tells && (is_of_any || (was_before && place != AMONG));
	return (!tombstone->is_hidden || was_before) &&
	       (is_found ||
		((tells ? place != AMONG : place == WHOLE) &&
		 slice_equal(fact_key(tombstone->key, arena), fact_key(fact->key, arena)))) &&
	       is_about(tombstone, fact, place, arena);
}

static const struct tombstone *find_holder(const struct tombstones *tombstones, uint64_t hash,
					   const struct fact *fact, enum place place,
					   struct slice value, struct arena *arena)
{
	size_t i = find_value(tombstones, hash);
	const bool tells =
		i < tombstones->count && tombstones->list[i].value == hash && tells_enough(value);
	for (; i < tombstones->count && tombstones->list[i].value == hash; i++) {
		if (holds(&tombstones->list[i], fact, place, tells, arena))
			return &tombstones->list[i];
	}
	return NULL;
}

/* The words of a value, and what its parts are hashed with. */
struct noted {
	const struct tombstones *tombstones;
	const struct fact *fact;
	struct slice text; /* folded */
	struct slice hex;  /* the salt */
	struct buffer scratch;
	struct arena *arena;
};

static const struct tombstone *find_part(struct noted *noted, size_t begin, size_t end,
					 enum place place)
{
	const struct slice part = slice_part(noted->text, begin, end);
	if (part.size > FACT_VALUE_LIMIT)
		return NULL;
	static const enum spelling spellings[] = {EXACT, LOOSE};
	const struct tombstone *found = NULL;
	for (size_t i = 0; i < 2 && found == NULL; i++)
		found = find_holder(noted->tombstones,
				    hash_of(&noted->scratch, noted->hex, spellings[i], part),
				    noted->fact, place, part, noted->arena);
	return found;
}

/* "..., Portugal", "... (Portugal)", but not "... (until 2020), now Globex". */
static bool is_more_about_it(struct slice rest)
{
	enum { MOST_MORE = 3 };
	size_t words = 0;
	size_t at = 0;
	while (rest.size > 0 && strchr(" \')", rest.data[0]) != NULL)
		rest = slice_part(rest, 1, rest.size);
	for (struct slice word; (word = text_next_word(rest, &at)).size > 0; words++) {
		if (words == MOST_MORE || is_digit(word.data[0]))
			return false;
	}
	return rest.size == 0 || rest.data[0] == ',' || rest.data[0] == '(';
}

/* With and without the marks around the words. */
static const struct tombstone *find_words(struct noted *noted, const struct said_word *first,
					  const struct said_word *last, bool begins)
{
	const size_t begins_at[] = {first->begin, first->run_begin};
	const size_t ends_at[] = {last->end, last->run_end};
	const struct tombstone *found = NULL;
	for (size_t i = 0; i < 4 && found == NULL; i++) {
		const size_t end = ends_at[i % 2];
		if ((i % 2 == 1 && ends_at[0] == end) ||
		    (i / 2 == 1 && begins_at[0] == begins_at[1]))
			continue;
		const struct slice rest = slice_part(noted->text, end, noted->text.size);
		found = find_part(noted, begins_at[i / 2], end,
				  begins && is_more_about_it(rest) ? PRECISE : AMONG);
	}
	return found;
}

static const struct tombstone *find_in_words(const struct tombstones *tombstones,
					     const struct fact *fact, struct arena *arena)
{
	struct noted noted = {.tombstones = tombstones,
			      .fact = fact,
			      .text = fact_fold(fact->value, arena),
			      .hex = in_hex(tombstones->salt, arena),
			      .arena = arena};
	struct said_word *words = arena_alloc(arena, (noted.text.size + 1) * sizeof(*words));
	const size_t count = split(noted.text, words);
	const struct tombstone *found = NULL;
	bool begins = true;
	buffer_init(&noted.scratch, SIZE_MAX);
	for (size_t i = 0; i < count && found == NULL; i++) {
		for (size_t j = i; j < count && j < i + MOST_WORDS && found == NULL; j++)
			found = find_words(&noted, &words[i], &words[j], begins);
		begins =
			begins && slice_is_any(slice_part(noted.text, words[i].begin, words[i].end),
					       list_linking);
	}
	buffer_finish(&noted.scratch);
	return found;
}

const struct tombstone *tombstones_find(const struct tombstones *tombstones,
					const struct fact *fact, struct arena *arena)
{
	if (tombstones->count == 0)
		return NULL;
	const uint64_t hashes[] = {tombstone_hash(tombstones->salt, fact->value, arena),
				   tombstone_loose_hash(tombstones->salt, fact->value, arena)};
	const struct tombstone *found = NULL;
	for (size_t i = 0; i < 2 && found == NULL; i++)
		found = find_holder(tombstones, hashes[i], fact, WHOLE, fact->value, arena);
	return found != NULL ? found : find_in_words(tombstones, fact, arena);
}

void tombstones_add_hidden(struct tombstones *tombstones, const struct fact *facts, size_t count,
			   struct arena *arena)
{
	struct tombstone *list =
		arena_alloc(arena, (tombstones->count + count + 1) * sizeof(*list));
	size_t all = tombstones->count;
	if (all > 0)
		memcpy(list, tombstones->list, all * sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		if (facts[i].state != FACT_HIDDEN)
			continue;
		list[all] =
			tombstone_of(&facts[i], false, facts[i].ended_at, tombstones->salt, arena);
		list[all++].is_hidden = true;
	}
	if (all > 1)
		qsort(list, all, sizeof(*list), ids_compare);
	tombstones->list = list;
	tombstones->count = all;
}

struct tombstone tombstone_of(const struct fact *fact, bool never_again, int64_t at,
			      struct slice salt, struct arena *arena)
{
	const bool is_of_any = never_again && tells_enough(fact->value);
	const bool is_loose = is_of_any || is_phone(fact_fold(fact->value, arena));
	return (struct tombstone){
		.entity = fact->entity,
		.key = is_of_any ? (struct slice){0} : fact->key,
		.value = hash_value(salt, is_loose ? LOOSE : EXACT, fact->value, arena),
		.at = at};
}

bool tombstone_is_lifted(const struct tombstone *tombstone, const struct fact *fact,
			 struct arena *arena)
{
	return slice_equal(fact_fold(tombstone->entity, arena), fact_fold(fact->entity, arena)) &&
	       (tombstone->key.size == 0 ||
		slice_equal(fact_key(tombstone->key, arena), fact_key(fact->key, arena)));
}
