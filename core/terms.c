#include "core/terms.h"

#include "core/language.h"
#include "core/text.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>

/* A distinct word of the text, and how often it stands there. */
struct word {
	uint64_t hash;
	struct slice text;
	uint32_t count;
};

/* The distinct words: open addressing by their hashes, a slot without text is free. */
struct word_table {
	struct word *slots;
	size_t capacity; /* a power of two */
	size_t used;
	size_t words;
	struct arena *arena;
};

/* FNV-1a with MurmurHash3's finalizer, since FNV leaves the high bits of short words much alike. */
uint64_t terms_hash(struct slice word)
{
	uint64_t hash = 0xCBF29CE484222325;
	for (size_t i = 0; i < word.size; i++)
		hash = (hash ^ (uint8_t)word.data[i]) * 0x100000001B3;
	hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCD;
	hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53;
	return hash ^ hash >> 33;
}

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
	larger.capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
	larger.slots = arena_alloc(table->arena, larger.capacity * sizeof(struct word));
	for (size_t i = 0; i < table->capacity; i++) {
		if (table->slots[i].text.size > 0)
			*slot_of(&larger, table->slots[i].hash) = table->slots[i];
	}
	*table = larger;
}

static void count_word(struct word_table *table, struct slice word)
{
	if (2 * table->used >= table->capacity)
		grow(table);
	uint64_t hash = terms_hash(word);
	struct word *slot = slot_of(table, hash);
	if (slot->text.size == 0) {
		*slot = (struct word){.hash = hash, .text = arena_copy(table->arena, word)};
		table->used++;
	}
	slot->count++;
}

/* "caroline's" and "l'homme" are more than one word: what is a single letter beside an apostrophe
 * is dropped. */
static bool take_word(void *cookie, struct slice word)
{
	struct word_table *table = cookie;
	table->words++;
	size_t begin = 0;
	for (size_t at = 0; at <= word.size; at++) {
		if (at < word.size && word.data[at] != '\'')
			continue;
		bool is_whole = begin == 0 && at == word.size;
		if (is_whole || at - begin > 1)
			count_word(table, slice_part(word, begin, at));
		begin = at + 1;
	}
	return true;
}

static int compare_terms(const void *a, const void *b)
{
	uint64_t left = ((const struct term *)a)->hash;
	uint64_t right = ((const struct term *)b)->hash;
	return (left > right) - (left < right);
}

/* Sorts, and makes one of equal terms: two words may have one stem. */
static void settle(struct term_list *list)
{
	qsort(list->terms, list->count, sizeof(*list->terms), compare_terms);
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (kept > 0 && list->terms[kept - 1].hash == list->terms[i].hash)
			list->terms[kept - 1].count += list->terms[i].count;
		else
			list->terms[kept++] = list->terms[i];
	}
	list->count = kept;
}

static struct slice stem(struct sb_stemmer *stemmer, struct slice word)
{
	const sb_symbol *stemmed =
		sb_stemmer_stem(stemmer, (const sb_symbol *)word.data, (int)word.size);
	if (stemmed == NULL)
		return word;
	return (struct slice){(const char *)stemmed, (size_t)sb_stemmer_length(stemmer)};
}

static const char *vote_for_language(const struct word_table *table)
{
	struct language_votes votes = {0};
	for (size_t i = 0; i < table->capacity; i++) {
		if (table->slots[i].text.size > 0)
			language_vote(&votes, table->slots[i].text, table->slots[i].count);
	}
	return language_elect(&votes);
}

void terms_read(struct slice text, struct term_list *list, struct arena *arena)
{
	struct word_table table = {.arena = arena};
	text_words(slice_part(text, 0, text.size < TERMS_TEXT_LIMIT ? text.size : TERMS_TEXT_LIMIT),
		   take_word, &table);
	*list = (struct term_list){.words = table.words};
	list->terms = arena_alloc(arena, 2 * table.used * sizeof(struct term));
	struct sb_stemmer *stemmer = sb_stemmer_new(vote_for_language(&table), NULL);
	for (size_t i = 0; i < table.capacity; i++) {
		const struct word *word = &table.slots[i];
		if (word->text.size == 0)
			continue;
		list->terms[list->count++] = (struct term){word->hash, word->count};
		struct slice stemmed = stemmer == NULL ? word->text : stem(stemmer, word->text);
		if (!slice_equal(stemmed, word->text))
			list->terms[list->count++] =
				(struct term){terms_hash(stemmed), word->count};
	}
	sb_stemmer_delete(stemmer);
	settle(list);
}
