/* The part of a long text that bears most on a question. */
#include "core/recall/recall.h"

#include "core/base/utf8.h"
#include "core/text/sentence.h"
#include "core/text/text.h"

#include <string.h>

enum {
	MOST_WORDS = 32,   /* words of the question to look for */
	MOST_HITS = 16,    /* per word; a word that occurs more often says little */
	SHORTEST_WORD = 3, /* bytes: "an" says nothing, one ideograph does */
	LOOKED_AT = 256 * 1024,
	/* A word is sought without its ending, by all but this many letters. */
	ENDING = 2,
	LONG_WORD = 6,
};

struct wanted {
	struct slice words[MOST_WORDS];
	size_t count;
	struct arena *arena;
};

/* Where a word of the question begins in the text. */
struct place {
	size_t at;
	size_t word;
};

struct places {
	struct place list[MOST_WORDS * MOST_HITS];
	size_t count;
	size_t of_word[MOST_WORDS]; /* how often each word occurs */
};

static bool want(void *cookie, struct slice word)
{
	struct wanted *wanted = cookie;
	if (word.size < SHORTEST_WORD)
		return true;
	if ((unsigned char)word.data[0] < 0x80 && word.size >= LONG_WORD)
		word.size -= ENDING;
	for (size_t i = 0; i < wanted->count; i++) {
		if (slice_equal(wanted->words[i], word))
			return true;
	}
	wanted->words[wanted->count++] = arena_copy(wanted->arena, word);
	return wanted->count < MOST_WORDS;
}

/* Lower-cases ASCII letters; the result has the same length as the text. */
static struct slice lowered(struct slice text, struct arena *arena)
{
	char *lower = arena_bytes(arena, text.size);
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	return (struct slice){lower, text.size};
}

static void find_word(struct places *places, struct slice text, struct slice word, size_t index)
{
	size_t at = slice_find(text, word, 0);
	while (at < text.size && places->of_word[index] < MOST_HITS) {
		places->list[places->count++] = (struct place){at, index};
		places->of_word[index]++;
		at = slice_find(text, word, at + word.size);
	}
}

/* The worth of the window [at, at + limit): each word in it counts once, more if it is rare in the
 * text. */
static double worth(const struct places *places, size_t at, size_t limit)
{
	bool seen[MOST_WORDS] = {false};
	double sum = 0;
	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->list[i];
		if (place->at < at || place->at - at >= limit || seen[place->word])
			continue;
		seen[place->word] = true;
		sum += 1 / (1 + (double)places->of_word[place->word]);
	}
	return sum;
}

/* The first place from which `limit` bytes are worth most; 0: no place is worth anything. */
static size_t best_place(const struct places *places, size_t limit)
{
	size_t best = 0;
	double most = 0;
	for (size_t i = 0; i < places->count; i++) {
		size_t at = places->list[i].at;
		double value = worth(places, at, limit);
		if (value > most || (value == most && at < best)) {
			most = value;
			best = at;
		}
	}
	return best;
}

/* Where the sentence that holds `at` begins, if that is near enough; otherwise the word. */
static size_t begin_before(struct slice text, size_t at, size_t most)
{
	size_t from = utf8_boundary(text, at > most ? at - most : 0);
	size_t end = sentence_end(slice_part(text, from, at), at - from);
	if (end > 0 || from == 0)
		return from + end;
	while (at > from && (unsigned char)text.data[at - 1] > ' ')
		at--;
	return at;
}

static size_t end_within(struct slice text, size_t begin, size_t limit)
{
	struct slice rest = slice_part(text, begin, text.size);
	if (rest.size <= limit)
		return text.size;
	size_t end = sentence_end(rest, limit);
	if (end > limit / 2)
		return begin + end;
	end = limit;
	while (end > limit / 2 && (unsigned char)rest.data[end] > ' ')
		end--;
	return utf8_boundary(text, begin + end);
}

struct slice recall_excerpt(const struct recall_question *question, struct slice text, size_t limit,
			    struct arena *arena)
{
	struct wanted wanted = {.arena = arena};
	struct places *places = arena_alloc(arena, sizeof(*places));
	if (text.size <= limit)
		return text;
	text_words(question->text, want, &wanted);
	struct slice lower =
		lowered(slice_part(text, 0, text.size < LOOKED_AT ? text.size : LOOKED_AT), arena);
	for (size_t i = 0; i < wanted.count; i++)
		find_word(places, lower, wanted.words[i], i);
	size_t at = best_place(places, limit * 2 / 3);
	size_t begin = begin_before(text, at, limit / 3);
	struct slice excerpt = slice_part(text, begin, end_within(text, begin, limit));
	return slice_trim(excerpt);
}
