#include "core/facts/tombstone.h"

#include "core/base/ids.h"
#include "core/base/word_map.h"
#include "core/facts/facts.h"
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
		spelling_append_loose(scratch, folded);
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

/* A fact, its folded value, and what parts of that are hashed with. */
struct noted {
	const struct tombstones *tombstones;
	const struct fact *fact;
	struct slice text;
	struct slice hex; /* the salt */
	struct buffer scratch;
	struct arena *arena;
};

static const struct tombstone *find_holder(const struct noted *noted, uint64_t hash,
					   enum place place, struct slice value)
{
	const struct tombstones *tombstones = noted->tombstones;
	size_t i = find_value(tombstones, hash);
	const bool tells =
		i < tombstones->count && tombstones->list[i].value == hash && tells_enough(value);
	for (; i < tombstones->count && tombstones->list[i].value == hash; i++) {
		if (holds(&tombstones->list[i], noted->fact, place, tells, noted->arena))
			return &tombstones->list[i];
	}
	return NULL;
}

/* `value` is what was folded. */
static const struct tombstone *find_spelled(struct noted *noted, struct slice folded,
					    enum place place, struct slice value)
{
	static const enum spelling spellings[] = {EXACT, LOOSE};
	const struct tombstone *found = NULL;
	for (size_t i = 0; i < 2 && found == NULL; i++)
		found = find_holder(noted,
				    hash_of(&noted->scratch, noted->hex, spellings[i], folded),
				    place, value);
	return found;
}

static const struct tombstone *find_part(struct noted *noted, size_t begin, size_t end,
					 enum place place)
{
	const struct slice part = slice_part(noted->text, begin, end);
	return part.size > FACT_VALUE_LIMIT ? NULL : find_spelled(noted, part, place, part);
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
		if (words == MOST_MORE || isdigit((unsigned char)word.data[0]) != 0)
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

static const struct tombstone *find_in_words(struct noted *noted)
{
	struct said_word *words =
		arena_alloc(noted->arena, (noted->text.size + 1) * sizeof(*words));
	const size_t count = split(noted->text, words);
	const struct tombstone *found = NULL;
	bool begins = true;
	for (size_t i = 0; i < count && found == NULL; i++) {
		for (size_t j = i; j < count && j < i + MOST_WORDS && found == NULL; j++)
			found = find_words(noted, &words[i], &words[j], begins);
		begins = begins &&
			 slice_is_any(slice_part(noted->text, words[i].begin, words[i].end),
				      list_linking);
	}
	return found;
}

const struct tombstone *tombstones_find(const struct tombstones *tombstones,
					const struct fact *fact, struct arena *arena)
{
	if (tombstones->count == 0)
		return NULL;
	struct noted noted = {.tombstones = tombstones,
			      .fact = fact,
			      .text = fact_fold(fact->value, arena),
			      .hex = in_hex(tombstones->salt, arena),
			      .arena = arena};
	buffer_init(&noted.scratch, SIZE_MAX);
	const struct tombstone *found = find_spelled(&noted, noted.text, WHOLE, fact->value);
	if (found == NULL)
		found = find_in_words(&noted);
	buffer_finish(&noted.scratch);
	return found;
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
	const bool is_loose = is_of_any || spelling_is_phone(fact_fold(fact->value, arena));
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
