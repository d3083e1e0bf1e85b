#include "core/text/lexicon.h"

#include "core/base/word_map.h"
#include "core/text/text.h"
#include "lexicon_map.h"

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
	static const char *const latin[LEXICON_LATIN_COUNT] = {
		"english",  "german",  "french",     "spanish",   "portuguese", "italian",
		"dutch",    "swedish", "danish",     "norwegian", "finnish",    "hungarian",
		"romanian", "turkish", "indonesian", "catalan",
	};
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
			return scripts[i].stemmer == NULL ? latin[language] : scripts[i].stemmer;
	}
	return NULL;
}
