#include "core/text/lexicon.h"

#include "core/base/word_map.h"
#include "core/text/text.h"
#include "forms_map.h"
#include "lexicon_map.h"

/* Forms: words that belong together although their stems differ, such as "fly", "flew" and
 * "flight". */

/* The head of a family, or 0. */
static uint64_t find_head(const char *stemmer, struct slice stem)
{
	uint64_t key = form_key(stemmer, stem);
	size_t at = (size_t)key & (FORM_SLOTS - 1);
	while (form_slots[at].key != 0 && form_slots[at].key != key)
		at = (at + 1) & (FORM_SLOTS - 1);
	return form_slots[at].head;
}

/* "gekauft" and "kauft" have the stem of "kaufen". Other words lose a "t" in all of their forms. */
static struct slice without_inflection(struct slice stem)
{
	enum { LEAST = 5 };
	const struct slice prefix = SLICE("ge");
	if (stem.size <= LEAST || stem.data[stem.size - 1] != 't')
		return stem;
	stem.size--;
	if (stem.size > LEAST && slice_starts_with(stem, prefix))
		return slice_part(stem, prefix.size, stem.size);
	return stem;
}

uint64_t forms_stem(const char *stemmer, struct slice stem)
{
	uint64_t head = find_head(stemmer, stem);
	if (head != 0 || strcmp(stemmer, "german") != 0)
		return head != 0 ? head : word_hash(stem);
	struct slice shorter = without_inflection(stem);
	head = find_head(stemmer, shorter);
	return head != 0 ? head : word_hash(shorter);
}

uint32_t lexicon_find(uint64_t hash)
{
	return word_map_find(&lexicon_maps[0], hash);
}

void lexicon_vote(struct lexicon_votes *votes, uint32_t languages, uint32_t count)
{
	languages &= (1U << LEXICON_LATIN_COUNT) - 1;
	for (; languages != 0; languages &= languages - 1)
		votes->of[__builtin_ctz(languages)] += count;
}

unsigned lexicon_elect(const struct lexicon_votes *votes)
{
	unsigned best = LEXICON_ENGLISH;
	for (unsigned i = 0; i < LEXICON_LATIN_COUNT; i++) {
		if (votes->of[i] > votes->of[best])
			best = i;
	}
	return best;
}

const char *lexicon_stemmer(unsigned language, struct slice word)
{
	static const struct {
		uint32_t first;
		uint32_t last;
		const char *stemmer;
	} scripts[] = {
		{'A', 0x24F, NULL},         {0x370, 0x3FF, "greek"},  {0x400, 0x52F, "russian"},
		{0x531, 0x58F, "armenian"}, {0x600, 0x6FF, "arabic"}, {0x900, 0x97F, "hindi"},
		{0xB80, 0xBFF, "tamil"},    {0x1E00, 0x1EFF, NULL},
	};
	uint32_t character = 0;
	if (word.size > 0)
		text_decode(word, 0, &character);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		if (character >= scripts[i].first && character <= scripts[i].last)
			return scripts[i].stemmer == NULL ? latin_stemmers[language]
							  : scripts[i].stemmer;
	}
	return NULL;
}
