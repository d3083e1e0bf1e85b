#include "core/recall/phrases.h"

#include "core/text/text.h"

#include <assert.h>
#include <unictype.h>
#include <unistr.h>

/* Case folded, in NFKC (where Thai sara am is two characters). A phrase stands between words; one
 * with a "*" behind it may go on. */
static const char *const wants_words[] = {
	"verbatim",
	"word for word",
	"word-for-word",
	"exact word*",
	"exactly",
	"quote*",
	"literally",
	"in my own words",
	"wörtlich",
	"wort für wort",
	"wortwörtlich",
	"genau gesagt",
	"im wortlaut",
	"zitier*",
	"mot pour mot",
	"textuel*",
	"exactement",
	"palabra por palabra",
	"textualmente",
	"exactamente",
	"palavra por palavra",
	"exatamente",
	"parola per parola",
	"esattamente",
	"woord voor woord",
	"letterlijk",
	"ord för ord",
	"ordagrant",
	"ord for ord",
	"kelimesi kelimesine",
	"słowo w słowo",
	"dosłownie",
	"слово в слово",
	"дословн*",
	"буквальн*",
	"حرفيا",
	"بالضبط",
	"逐字",
	"一字不差",
	"原话",
	"原話",
	"原文",
	"一字一句",
	"そのまま",
	"正確に",
	"그대로",
	"정확히",
	"ค\u0e4d\u0e32ต่อค\u0e4d\u0e32",
};

static const char *const about_past[] = {
	"before",     "previous*",     "former*",    "used to",       "earlier",
	"back then",  "original*",     "at first",   "in the past",   "history",
	"how long",   "no longer",     "anymore",    "at that time",  "when did",
	"when was",   "changed",       "ago",        "früher",        "vorher",
	"zuvor",      "ehemals",       "damals",     "ursprünglich",  "nicht mehr",
	"geändert",   "avant",         "auparavant", "autrefois",     "à l'époque",
	"antes",      "anteriormente", "solía",      "originalmente", "antigamente",
	"prima",      "in passato",    "precedent*", "vroeger",       "eerder",
	"tidigare",   "förut",         "tidligere",  "önceden",       "eskiden",
	"wcześniej",  "kiedyś",        "раньше",     "прежде",        "когда-то",
	"изначально", "سابقا",         "قبل",        "من قبل",        "以前",
	"之前",       "过去",          "過去",       "曾经",          "曾經",
	"原来",       "当初",          "昔",         "元々",          "전에",
	"예전",       "เมื่อก่อน",        "แต่ก่อน",
};

enum {
	WANTS_WORDS = sizeof(wants_words) / sizeof(wants_words[0]),
	ABOUT_PAST = sizeof(about_past) / sizeof(about_past[0]),
	CHAINS = 256, /* a power of two */
};

struct phrase {
	struct slice text;
	bool is_open;
	uint8_t meaning; /* one of enum recall_phrase */
	uint8_t next;    /* the next one in its chain, from 1; 0: none */
};

/* Those that begin alike are in one chain, so that few are looked at where a word begins. */
static struct phrase phrases[WANTS_WORDS + ABOUT_PAST];
static uint8_t chains[CHAINS];

static size_t chain_of(const char *beginning)
{
	return ((unsigned char)beginning[0] * 7U + (unsigned char)beginning[1]) & (CHAINS - 1);
}

static void add(size_t at, const char *text, enum recall_phrase meaning)
{
	struct slice phrase = slice_of(text);
	bool is_open = phrase.data[phrase.size - 1] == '*';
	phrase.size -= is_open;
	assert(phrase.size >= 2);
	uint8_t *chain = &chains[chain_of(text)];
	phrases[at] = (struct phrase){phrase, is_open, (uint8_t)meaning, *chain};
	*chain = (uint8_t)(at + 1);
}

__attribute__((constructor)) static void fill_chains(void)
{
	_Static_assert(WANTS_WORDS + ABOUT_PAST < UINT8_MAX, "a chain counts in bytes");
	for (size_t i = 0; i < WANTS_WORDS; i++)
		add(i, wants_words[i], RECALL_WANTS_WORDS);
	for (size_t i = 0; i < ABOUT_PAST; i++)
		add(WANTS_WORDS + i, about_past[i], RECALL_ABOUT_PAST);
}

/* Scripts without spaces have no end of a word to look for. */
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
	for (size_t i = chains[chain_of(rest.data)]; i > 0; i = phrases[i - 1].next) {
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
