#include "core/lexicon.h"
#include "core/recall.h"
#include "core/recall_dates.h"
#include "core/text.h"

#include <string.h>

static const char about_user_words[] =
	"i me my mine myself ich mich mir mein meine meinen meinem meiner je moi mon ma mes yo mí "
	"mi "
	"mis me mío eu meu minha meus minhas io mio mia miei mie ik mij mijn jag mig min mitt mina "
	"jeg meg mit mine minä minun minua én nekem engem eu meu mea ben beni bana benim saya aku "
	"jo "
	"meva ja mnie mi mój moja moje já můj tôi я меня мне мой моя моё мои моего моей εγώ μου "
	"εμένα أنا لي عندي मैं मेरा मेरी मेरे मुझे אני שלי من من我 我 我的 我是 是我 私 私の 私は 僕の "
	"僕は 俺の "
	"저는 나는 내가 제가 ผม ฉัน";

/* As text_contains() compares. */
static const char *const wants_words_phrases[] = {
	"verbatim",
	"word for word",
	"word-for-word",
	"exact word",
	"exactly",
	"quote",
	"literally",
	"in my own words",
	"wörtlich",
	"wortwörtlich",
	"genau gesagt",
	"im wortlaut",
	"zitier",
	"mot pour mot",
	"textuellement",
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
	"дословно",
	"буквально",
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
	"คำต่อคำ",
};

static const char *const about_past_phrases[] = {
	"before",     "previous",      "formerly",   "used to",       "earlier",
	"back then",  "originally",    "at first",   "in the past",   "history",
	"how long",   "no longer",     "anymore",    "at that time",  "when did",
	"when was",   "changed",       "ago",        "früher",        "vorher",
	"zuvor",      "ehemals",       "damals",     "ursprünglich",  "nicht mehr",
	"geändert",   "avant",         "auparavant", "autrefois",     "à l'époque",
	"antes",      "anteriormente", "solía",      "originalmente", "antigamente",
	"prima",      "in passato",    "precedente", "vroeger",       "eerder",
	"tidigare",   "förut",         "tidligere",  "önceden",       "eskiden",
	"wcześniej",  "kiedyś",        "раньше",     "прежде",        "когда-то",
	"изначально", "سابقا",         "قبل",        "من قبل",        "以前",
	"之前",       "过去",          "過去",       "曾经",          "曾經",
	"原来",       "当初",          "昔",         "元々",          "전에",
	"예전",       "เมื่อก่อน",        "แต่ก่อน",
};

static bool holds_phrase(struct slice text, const char *const *phrases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (text_contains(text, slice_of(phrases[i])))
			return true;
	}
	return false;
}
#define HOLDS(text, phrases) holds_phrase(text, phrases, sizeof(phrases) / sizeof(phrases[0]))

static bool find_user_word(void *cookie, struct slice word)
{
	for (const char *at = about_user_words; *at != '\0';) {
		size_t size = strcspn(at, " ");
		if (slice_equal((struct slice){at, size}, word)) {
			*(bool *)cookie = true;
			return false;
		}
		at += size + strspn(at + size, " ");
	}
	return true;
}

static bool names_something(const struct term_list *terms)
{
	for (size_t i = 0; i < terms->count; i++) {
		if (terms->terms[i].kind <= TERM_STEM)
			return true;
	}
	return false;
}

/* A question is told by its beginning and its end; what is pasted between them is not searched. */
static struct slice asking_part(struct slice text)
{
	enum { LONGEST = 4096 };
	return slice_part(text, 0, text.size < LONGEST ? text.size : LONGEST);
}

void recall_read_question(struct slice text, int64_t now, struct recall_question *question,
			  struct arena *arena)
{
	*question = (struct recall_question){.text = text};
	terms_read(text, &question->terms, arena);
	question->has_subject = names_something(&question->terms);
	struct slice asking = asking_part(text);
	text_words(asking, find_user_word, &question->about_user);
	question->wants_words = HOLDS(asking, wants_words_phrases);
	question->period_count = recall_read_dates(asking, now, question->periods);
	question->about_past = HOLDS(asking, about_past_phrases);
	for (size_t i = 0; i < question->period_count; i++)
		question->about_past |= question->periods[i].until <= now;
}
