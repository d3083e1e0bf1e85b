#include "core/recall/phrases.h"

#include "core/text/text.h"

#include <unictype.h>
#include <unistr.h>

struct phrase {
	struct slice text;
	bool is_open;
	uint8_t meaning; /* one of enum recall_phrase */
	uint8_t next;    /* the next phrase in its chain, from 1; 0: none */
};

/* Phrases that begin alike share a chain, so that few are compared where a word begins. */
enum { PHRASE_CHAINS = 256 /* a power of two */ };

static size_t phrase_chain(const char *beginning)
{
	return ((unsigned char)beginning[0] * 7U + (unsigned char)beginning[1]) &
	       (PHRASE_CHAINS - 1);
}

#include "phrases_map.h"

/* Words of scripts without spaces have no end to look for. */
static bool is_letter(uint32_t character)
{
	if (character < 0x80)
		return (character >= 'a' && character <= 'z') ||
		       (character >= 'A' && character <= 'Z');
	return character < 0x0E00 && uc_is_property_alphabetic(character);
}

static bool may_begin(struct slice text, size_t at)
{
	const uint8_t *start = (const uint8_t *)text.data;
	ucs4_t before = at == 0 ? 0 : start[at - 1];
	if (before >= 0x80)
		(void)u8_prev(&before, start + at, start);
	return !is_letter(before);
}

static bool may_end(struct slice text, size_t at)
{
	uint32_t after = 0;
	if (at < text.size)
		text_decode(text, at, &after);
	return !is_letter(after);
}

static unsigned phrases_at(struct slice text, size_t at)
{
	unsigned found = 0;
	struct slice rest = slice_part(text, at, text.size);
	for (size_t i = phrase_chains[phrase_chain(rest.data)]; i > 0; i = phrases[i - 1].next) {
		const struct phrase *phrase = &phrases[i - 1];
		if (slice_starts_with(rest, phrase->text) &&
		    (phrase->is_open || may_end(rest, phrase->text.size)))
			found |= phrase->meaning;
	}
	return found;
}

unsigned recall_find_phrases(struct slice text)
{
	unsigned found = 0;
	for (size_t at = 0; at + 1 < text.size; at++) {
		if (may_begin(text, at))
			found |= phrases_at(text, at);
	}
	return found;
}
