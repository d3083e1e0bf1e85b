/* The phrases, and the table of them that phrases.c reads. */
#include "core/recall/phrase_chains.h"
#include "core/recall/phrases.h"

#include <stdio.h>
#include <stdlib.h>

/* Case folded and in NFKC (where Thai sara am is two characters). A phrase must stand between
 * words; after a "*" its last word may go on. */
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
};

static uint8_t chains[PHRASE_CHAINS];

static void print_phrase(size_t at, const char *text, enum recall_phrase meaning)
{
	size_t size = strlen(text);
	bool is_open = text[size - 1] == '*';
	size -= is_open;
	if (size < 2)
		abort();
	uint8_t *chain = &chains[phrase_chain(text)];
	printf("\t{SLICE(\"%.*s\"), %d, %d, %d},\n", (int)size, text, is_open, (int)meaning,
	       *chain);
	*chain = (uint8_t)(at + 1);
}

int main(void)
{
	_Static_assert(WANTS_WORDS + ABOUT_PAST < UINT8_MAX, "a chain counts in bytes");
	printf("/* Made while building, of the phrases. */\n"
	       "static const struct phrase phrases[] = {\n");
	for (size_t i = 0; i < WANTS_WORDS; i++)
		print_phrase(i, wants_words[i], RECALL_WANTS_WORDS);
	for (size_t i = 0; i < ABOUT_PAST; i++)
		print_phrase(WANTS_WORDS + i, about_past[i], RECALL_ABOUT_PAST);
	printf("};\nstatic const uint8_t phrase_chains[PHRASE_CHAINS] = {\n");
	for (size_t i = 0; i < PHRASE_CHAINS; i++)
		printf("\t%d,\n", chains[i]);
	printf("};\n");
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
