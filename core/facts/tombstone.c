#include "core/facts/tombstone.h"

#include "core/base/ids.h"
#include "core/base/word_map.h"
#include "core/facts/key.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"

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

uint64_t tombstone_hash(struct slice salt, struct slice value, struct arena *arena)
{
	const struct slice parts[] = {in_hex(salt, arena), SLICE("|"), fact_fold(value, arena)};
	return text_hash(arena_join(arena, parts, 3));
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
	static const char *const vague[] = {"true",  "false", "none",    "null", "never",
					    "often", "daily", "unknown", NULL};
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
		      !slice_is_any(word, vague);
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

/* ---- what a note says ---- */

enum { MOST_WORDS = 16 /* of a value that is found in a text */ };

/* A word of the folded note, or a character of a script without spaces; and the run of text between
 * white space that it is in: "c" in "c++". */
struct said_word {
	size_t begin, end;
	size_t run_begin, run_end;
};

static bool is_of_word(uint32_t character)
{
	return uc_is_alnum(character) ||
	       uc_is_general_category_withtable(character, UC_CATEGORY_MASK_M);
}

static size_t end_of_word(struct slice text, size_t at)
{
	uint32_t character;
	size_t end = at + text_decode(text, at, &character);
	if (text_is_unspaced(character))
		return end;
	for (at = end; at < text.size; at = end) {
		end = at + text_decode(text, at, &character);
		if (!is_of_word(character) || text_is_unspaced(character))
			return at;
	}
	return text.size;
}

/* The first word of a run begins with it, and the last one ends with it. */
static size_t split(struct slice text, struct said_word *words)
{
	size_t count = 0;
	size_t in_run = 0;
	size_t run = 0;
	uint32_t character;
	for (size_t at = 0; at < text.size;) {
		const size_t next = at + text_decode(text, at, &character);
		if (is_of_word(character)) {
			const size_t end = end_of_word(text, at);
			words[count++] = (struct said_word){at, end, in_run++ == 0 ? run : at, end};
			at = end;
			continue;
		}
		if (character == ' ' && in_run > 0)
			words[count - 1].run_end = at;
		if (character == ' ') {
			run = next;
			in_run = 0;
		}
		at = next;
	}
	if (in_run > 0)
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
	static const char *const keys[] = {"note", "notes", "remark", "remarks", NULL};
	return fact_kind_of(fact->kind) == FACT_OF_NOTE || slice_is_any_nocase(fact->key, keys);
}

/* A note of the user's may be about somebody whom it names. */
static bool is_about(const struct tombstone *tombstone, const struct fact *fact, bool in_note,
		     struct arena *arena)
{
	return slice_equal(fact_fold(tombstone->entity, arena), fact_fold(fact->entity, arena)) ||
	       (in_note && text_says(fact->value, tombstone->entity));
}

/* Whether it holds where its value stands, which tells enough by itself or not. */
static bool holds(const struct tombstone *tombstone, const struct fact *fact, bool in_note,
		  bool tells, struct arena *arena)
{
	const bool was_before = fact->observed_at <= tombstone->at;
	const bool is_of_any = in_note || tombstone->key.size == 0 || was_before;
	return (!tombstone->is_hidden || was_before) &&
	       ((tells && is_of_any) ||
		slice_equal(fact_key(tombstone->key, arena), fact_key(fact->key, arena))) &&
	       is_about(tombstone, fact, in_note, arena);
}

static const struct tombstone *find_holder(const struct tombstones *tombstones, uint64_t hash,
					   const struct fact *fact, bool in_note, bool tells,
					   struct arena *arena)
{
	for (size_t i = find_value(tombstones, hash);
	     i < tombstones->count && tombstones->list[i].value == hash; i++) {
		if (holds(&tombstones->list[i], fact, in_note, tells, arena))
			return &tombstones->list[i];
	}
	return NULL;
}

/* The words of a note, and what its parts are hashed with. */
struct noted {
	const struct tombstones *tombstones;
	const struct fact *fact;
	struct slice text; /* folded */
	struct buffer salted;
	size_t salt_size;
	struct arena *arena;
};

static const struct tombstone *find_part(struct noted *noted, size_t begin, size_t end)
{
	const struct slice part = slice_part(noted->text, begin, end);
	if (part.size > FACT_VALUE_LIMIT)
		return NULL;
	noted->salted.size = noted->salt_size;
	buffer_append(&noted->salted, part);
	const uint64_t hash = text_hash(buffer_slice(&noted->salted));
	const size_t at = find_value(noted->tombstones, hash);
	if (at == noted->tombstones->count || noted->tombstones->list[at].value != hash)
		return NULL;
	return find_holder(noted->tombstones, hash, noted->fact, true, tells_enough(part),
			   noted->arena);
}

/* With and without the marks around the words. */
static const struct tombstone *find_words(struct noted *noted, const struct said_word *first,
					  const struct said_word *last)
{
	const size_t begins[] = {first->begin, first->run_begin};
	const size_t ends[] = {last->end, last->run_end};
	const struct tombstone *found = NULL;
	for (size_t i = 0; i < 4 && found == NULL; i++) {
		if ((i % 2 == 1 && ends[0] == ends[1]) || (i / 2 == 1 && begins[0] == begins[1]))
			continue;
		found = find_part(noted, begins[i / 2], ends[i % 2]);
	}
	return found;
}

static const struct tombstone *find_in_note(const struct tombstones *tombstones,
					    const struct fact *fact, struct arena *arena)
{
	struct noted noted = {.tombstones = tombstones,
			      .fact = fact,
			      .text = fact_fold(fact->value, arena),
			      .arena = arena};
	struct said_word *words = arena_alloc(arena, (noted.text.size + 1) * sizeof(*words));
	const size_t count = split(noted.text, words);
	const struct tombstone *found = NULL;
	buffer_init(&noted.salted, SIZE_MAX);
	buffer_append(&noted.salted, in_hex(tombstones->salt, arena));
	buffer_append_byte(&noted.salted, '|');
	noted.salt_size = noted.salted.size;
	for (size_t i = 0; i < count && found == NULL; i++) {
		for (size_t j = i; j < count && j < i + MOST_WORDS && found == NULL; j++)
			found = find_words(&noted, &words[i], &words[j]);
	}
	buffer_finish(&noted.salted);
	return found;
}

const struct tombstone *tombstones_find(const struct tombstones *tombstones,
					const struct fact *fact, struct arena *arena)
{
	if (tombstones->count == 0)
		return NULL;
	const uint64_t hash = tombstone_hash(tombstones->salt, fact->value, arena);
	const struct tombstone *found =
		find_holder(tombstones, hash, fact, false, tells_enough(fact->value), arena);
	return found != NULL || !is_note(fact) ? found : find_in_note(tombstones, fact, arena);
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
	return (struct tombstone){.entity = fact->entity,
				  .key = is_of_any ? (struct slice){0} : fact->key,
				  .value = tombstone_hash(salt, fact->value, arena),
				  .at = at};
}

bool tombstone_is_lifted(const struct tombstone *tombstone, const struct fact *fact,
			 struct arena *arena)
{
	return slice_equal(fact_fold(tombstone->entity, arena), fact_fold(fact->entity, arena)) &&
	       (tombstone->key.size == 0 ||
		slice_equal(fact_key(tombstone->key, arena), fact_key(fact->key, arena)));
}
