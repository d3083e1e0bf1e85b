#include "core/recall_dates.h"
#include "core/recall_rank.h"
#include "core/text.h"
#include "core/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* Case folded, in NFKC (where Thai sara am is two characters). A phrase stands between words; one
 * with a "*" behind it may go on. */
static const char *const wants_words_phrases[] = {
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

static const char *const about_past_phrases[] = {
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

/* Scripts without spaces have no end of a word to look for. */
static bool is_letter(uint32_t character)
{
	return character < 0x0E00 && uc_is_property_alphabetic(character);
}

static bool stands_alone(struct slice text, size_t begin, size_t end, bool is_open)
{
	ucs4_t before = 0;
	uint32_t after = 0;
	const uint8_t *start = (const uint8_t *)text.data;
	if (begin > 0)
		(void)u8_prev(&before, start + begin, start);
	if (end < text.size)
		text_decode(text, end, &after);
	return !is_letter(before) && (is_open || !is_letter(after));
}

/* The bytes that stand in a text: most phrases have one that doesn't. */
struct byte_set {
	bool has[256];
};

static struct byte_set bytes_of(struct slice text)
{
	struct byte_set set = {0};
	for (size_t i = 0; i < text.size; i++)
		set.has[(unsigned char)text.data[i]] = true;
	return set;
}

static bool may_hold(const struct byte_set *set, const char *phrase)
{
	while (*phrase == '*' || (*phrase != '\0' && set->has[(unsigned char)*phrase]))
		phrase++;
	return *phrase == '\0';
}

static bool holds_phrase(struct slice text, struct slice phrase)
{
	bool is_open = phrase.data[phrase.size - 1] == '*';
	phrase.size -= is_open;
	size_t at = slice_find(text, phrase, 0);
	while (at < text.size && !stands_alone(text, at, at + phrase.size, is_open))
		at = slice_find(text, phrase, at + 1);
	return at < text.size;
}

static bool holds_any(struct slice text, const struct byte_set *bytes, const char *const *phrases,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (may_hold(bytes, phrases[i]) && holds_phrase(text, slice_of(phrases[i])))
			return true;
	}
	return false;
}
#define HOLDS_ANY(text, bytes, phrases)                                                            \
	holds_any(text, bytes, phrases, sizeof(phrases) / sizeof((phrases)[0]))

/* Empty when it is not ASCII. */
static struct slice ascii_lower(struct slice text, struct arena *arena)
{
	char *lower = arena_bytes(arena, text.size);
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if ((unsigned char)c >= 0x80)
			return SLICE("");
		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	return (struct slice){lower, text.size};
}

/* Empty when it is not UTF-8. */
static struct slice fold(struct slice text, struct arena *arena)
{
	struct slice lower = ascii_lower(text, arena);
	if (lower.size > 0)
		return lower;
	size_t size = 0;
	uint8_t *folded =
		u8_casefold((const uint8_t *)text.data, text.size, NULL, UNINORM_NFKC, NULL, &size);
	struct slice copy = {0};
	if (folded != NULL)
		copy = arena_copy(arena, (struct slice){(const char *)folded, size});
	else if (errno == ENOMEM)
		out_of_memory();
	free(folded);
	return copy;
}

static bool names_something(const struct term_list *terms)
{
	for (size_t i = 0; i < terms->count; i++) {
		if (recall_tells(terms->terms[i].kind))
			return true;
	}
	return false;
}

/* What a long message asks is told by its beginning and its end; what is pasted between them would
 * only cost time. */
static struct slice asking_part(struct slice text, struct arena *arena)
{
	enum { HALF = 1024 };
	if (text.size <= 2 * HALF)
		return text;
	size_t first = HALF;
	size_t last = text.size - HALF;
	while (first > HALF - 4 && utf8_is_tail(text.data[first]))
		first--;
	while (last < text.size - HALF + 4 && utf8_is_tail(text.data[last]))
		last++;
	return arena_printf(arena, "%.*s\n%.*s", (int)first, text.data, (int)(text.size - last),
			    text.data + last);
}

void recall_read_question(struct slice text, int64_t now, struct recall_question *question,
			  struct arena *arena)
{
	struct slice asked = asking_part(text, arena);
	struct slice folded = fold(asked, arena);
	*question = (struct recall_question){.text = text};
	terms_read(asked, &question->terms, arena);
	question->has_subject = names_something(&question->terms);
	question->about_user = question->terms.says_i;
	struct byte_set bytes = bytes_of(folded);
	question->wants_words = HOLDS_ANY(folded, &bytes, wants_words_phrases);
	question->about_past = HOLDS_ANY(folded, &bytes, about_past_phrases);
	question->period_count = recall_read_dates(asked, now, question->periods);
	for (size_t i = 0; i < question->period_count; i++)
		question->about_past |= question->periods[i].until <= now;
}
