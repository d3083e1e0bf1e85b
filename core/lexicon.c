#include "core/lexicon.h"

#include "core/lexicon_words.h"
#include "core/text.h"

#include <string.h>

/* The words by their hashes: open addressing, a free slot has no bit set. Filled before main() and
 * never written again. */
enum { SLOTS = 8192 };

static struct {
	uint64_t hash;
	uint32_t bits;
} slots[SLOTS];

/* FNV-1a with MurmurHash3's finalizer, since FNV leaves the high bits of short words much alike. */
uint64_t lexicon_hash(struct slice word)
{
	uint64_t hash = 0xCBF29CE484222325;
	for (size_t i = 0; i < word.size; i++)
		hash = (hash ^ (uint8_t)word.data[i]) * 0x100000001B3;
	hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCD;
	hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53;
	return hash ^ hash >> 33;
}

static size_t slot_of(uint64_t hash)
{
	size_t at = (size_t)hash % SLOTS;
	while (slots[at].bits != 0 && slots[at].hash != hash)
		at = (at + 1) % SLOTS;
	return at;
}

__attribute__((constructor)) static void fill_slots(void)
{
	for (size_t i = 0; i < sizeof(lexicon_words) / sizeof(lexicon_words[0]); i++) {
		for (const char *at = lexicon_words[i]; *at != '\0';) {
			size_t size = strcspn(at, " ");
			uint64_t hash = lexicon_hash((struct slice){at, size});
			size_t slot = slot_of(hash);
			slots[slot].hash = hash;
			slots[slot].bits |= 1U << i;
			at += size + strspn(at + size, " ");
		}
	}
}

uint32_t lexicon_find(uint64_t hash)
{
	return slots[slot_of(hash)].bits;
}

void lexicon_vote(struct lexicon_votes *votes, uint32_t languages, uint32_t count)
{
	for (unsigned i = 0; languages != 0 && i < LEXICON_LATIN_COUNT; i++) {
		if ((languages >> i & 1) != 0)
			votes->of[i] += count;
	}
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
