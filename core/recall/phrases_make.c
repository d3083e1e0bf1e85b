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

static const char *const about_all[] = {
	"about me",
	"about myself",
	"who i am",
	"who am i",
	"know me",
	"remember of me",
	"über mich",
	"von mir",
	"wer bin ich",
	"wer ich bin",
	"sobre mí",
	"sobre mi",
	"acerca de mí",
	"quién soy",
	"quien soy",
	"sur moi",
	"de moi",
	"à mon sujet",
	"qui suis-je",
	"qui je suis",
	"su di me",
	"di me",
	"chi sono",
	"sobre mim",
	"quem sou",
	"over mij",
	"wie ben ik",
	"om mig",
	"vem är jag",
	"om meg",
	"hvem er jeg",
	"o mnie",
	"kim jestem",
	"hakkımda",
	"ben kimim",
	"обо мне",
	"кто я",
	"про меня",
	"关于我",
	"關於我",
	"我是谁",
	"我是誰",
	"了解我",
	"记得我",
	"記得我",
	"私について",
	"私のこと",
	"私は誰",
	"나에 대해",
	"내가 누구",
	"عني",
	"من أنا",
	"last time",
	"left off",
	"our last",
	"we talked",
	"we talk about",
	"we discussed",
	"letztes mal",
	"letzten mal",
	"aufgehört haben",
	"stehen geblieben",
	"la última vez",
	"lo dejamos",
	"dernière fois",
	"on en était",
	"ultima volta",
	"eravamo rimasti",
	"última vez",
	"ficamos",
	"vorige keer",
	"прошлый раз",
	"остановились",
	"上次",
	"前回",
	"المرة الماضية",
	"지난번",
};

/* Beside the words of core/text/lexicon.h: what is said within a word or by a verb's form, and what
 * scripts without spaces say. */
static const char *const says_i[] = {
	"j'*",       "j’*",   "qu'ai-je",   "ai-je", "suis-je", "tengo",  "soy",   "estoy",
	"vivo",      "llevo", "trabajo en", "puedo", "debo",    "faccio", "abito", "ho",
	"lavoro in", "devo",  "posso",      "moro",  "tenho",   "sou",    "estou", "faço",
	"我*",       "俺*",   "私*",        "僕*",   "わたし*", "ぼく*",  "나는*", "내가*",
	"제가*",     "저는*", "عندي",       "لدي",   "أعيش",    "أعمل",
};

enum {
	SAYS_I = sizeof(says_i) / sizeof(says_i[0]),
	ABOUT_ALL = sizeof(about_all) / sizeof(about_all[0]),
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
	_Static_assert(WANTS_WORDS + ABOUT_PAST + ABOUT_ALL + SAYS_I < UINT8_MAX,
		       "a chain counts in bytes");
	printf("/* Made while building, of the phrases. */\n"
	       "static const struct phrase phrases[] = {\n");
	for (size_t i = 0; i < WANTS_WORDS; i++)
		print_phrase(i, wants_words[i], RECALL_WANTS_WORDS);
	for (size_t i = 0; i < ABOUT_PAST; i++)
		print_phrase(WANTS_WORDS + i, about_past[i], RECALL_ABOUT_PAST);
	for (size_t i = 0; i < ABOUT_ALL; i++)
		print_phrase(WANTS_WORDS + ABOUT_PAST + i, about_all[i], RECALL_ABOUT_ALL);
	for (size_t i = 0; i < SAYS_I; i++)
		print_phrase(WANTS_WORDS + ABOUT_PAST + ABOUT_ALL + i, says_i[i], RECALL_SAYS_I);
	printf("};\nstatic const uint8_t phrase_chains[PHRASE_CHAINS] = {\n");
	for (size_t i = 0; i < PHRASE_CHAINS; i++)
		printf("\t%d,\n", chains[i]);
	printf("};\n");
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
