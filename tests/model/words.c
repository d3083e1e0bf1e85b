#include "tests/model/words.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

static const char english_stop_words[] =
	" a an the i me my mine myself we us our you your he she it its they them their this that "
	"these those "
	"is are am was were be been being do does did done doing don't doesn't didn't have has had "
	"having "
	"can could will would shall should may might must of in on at to for from with by about as "
	"and or "
	"but if so not no yes please what which who whom whose where when why how remind tell say "
	"said says "
	"told know remember recall mention mentioned again just now currently today right really "
	"also there "
	"here any some kind sort something get got let hi hello hey thanks thank okay ok once "
	"earlier before "
	"ago exactly actually first full ever one think well talk talked these days ";
static const char german_stop_words[] =
	" ich du er sie es wir ihr mich mir dich dir uns mein meine meinen meinem meiner dein "
	"deine der die "
	"das den dem des ein eine einen einem einer ist sind bin war waren bist hat habe hast "
	"haben hatte "
	"was wer wo wie wann warum welche welcher welches welchen welchem im an am auf zu zum zur "
	"von vom "
	"für mit bei und oder aber nicht kein ja nein bitte noch mal nochmal doch denn gesagt "
	"sagte erzähl "
	"erinnere erinnern erinnerst weisst erwähnt über gerade jetzt eigentlich danke hallo dass ";
static size_t character_at(struct slice text, size_t at, ucs4_t *character)
{
	int length = u8_mbtouc(character, (const uint8_t *)text.data + at, text.size - at);
	return length < 1 ? 1 : (size_t)length;
}

struct slice text_head(struct slice text, size_t limit)
{
	if (text.size <= limit)
		return text;
	while (limit > 0 && ((unsigned char)text.data[limit] & 0xc0) == 0x80)
		limit--;
	return slice_part(text, 0, limit);
}

bool word_in(const char *list, struct slice word)
{
	char needle[64];
	if (word.size == 0 || word.size > sizeof(needle) - 2)
		return false;
	needle[0] = ' ';
	memcpy(needle + 1, word.data, word.size);
	needle[word.size + 1] = ' ';
	return memmem(list, strlen(list), needle, word.size + 2) != NULL;
}

bool is_stop_word(struct slice folded)
{
	return word_in(english_stop_words, folded) || word_in(german_stop_words, folded);
}

bool is_ideograph(ucs4_t c)
{
	return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
	       (c >= 0x20000 && c <= 0x3ffff);
}

static bool is_apostrophe(ucs4_t c)
{
	return c == '\'' || c == 0x2019;
}

static bool is_alphanumeric_at(struct slice text, size_t at)
{
	ucs4_t c;
	if (at >= text.size)
		return false;
	(void)character_at(text, at, &c);
	return uc_is_alnum(c);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Marks that part words wherever they stand. "." and ":" do so only before a space. */
static bool is_break(struct slice text, size_t at, ucs4_t c, size_t length)
{
	if (c == '.' || c == ':')
		return !is_alphanumeric_at(text, at + length);
	if (c == ',' && at > 0 && is_digit(text.data[at - 1]) && is_alphanumeric_at(text, at + 1))
		return false;
	if (c < 0x80)
		return strchr(",;()[]{}\"!?|<>*`", (int)c) != NULL;
	return c != 0x2019 && (uc_is_property_dash(c) || uc_is_property_quotation_mark(c) ||
			       (uc_is_punct(c) && c > 0x2000));
}

/* The word that "'m" and its like stand for, or NULL. `at` is the apostrophe's offset. */
static const char *contraction_at(struct slice text, size_t at, size_t *end)
{
	static const char *const forms[][2] = {{"ll", "will"}, {"re", "are"}, {"ve", "have"},
					       {"m", "am"},    {"s", "is"},   {"d", "would"}};
	ucs4_t c;
	size_t begin = at + character_at(text, at, &c);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		*end = begin + strlen(forms[i][0]);
		if (*end <= text.size && !is_alphanumeric_at(text, *end) &&
		    slice_equal_nocase(slice_part(text, begin, *end), slice_of(forms[i][0])))
			return forms[i][1];
	}
	return NULL;
}

static size_t word_end(struct slice text, size_t at)
{
	size_t begin = at;
	while (at < text.size) {
		ucs4_t c;
		size_t end;
		size_t length = character_at(text, at, &c);
		if (uc_is_space(c) || is_ideograph(c) || is_break(text, at, c, length))
			break;
		if (is_apostrophe(c) && (at == begin || !is_alphanumeric_at(text, at + length) ||
					 contraction_at(text, at, &end) != NULL))
			break;
		at += length;
	}
	return at;
}

static struct slice fold(struct slice text, struct arena *arena)
{
	size_t length = 0;
	uint8_t *folded =
		u8_casefold((const uint8_t *)text.data, text.size, NULL, NULL, NULL, &length);
	if (folded == NULL)
		return text;
	struct slice copy = arena_copy(arena, (struct slice){(char *)folded, length});
	free(folded);
	return copy;
}

static bool has_alphanumeric(struct slice text)
{
	ucs4_t c;
	for (size_t at = 0; at < text.size; at += character_at(text, at, &c)) {
		if (is_alphanumeric_at(text, at))
			return true;
	}
	return false;
}

/* The word that begins at `at`; its end, or `at` when none begins there. */
static size_t token_at(struct slice text, size_t at, ucs4_t c, struct token *token,
		       struct arena *arena)
{
	size_t end = at;
	const char *contracted = NULL;
	if (is_ideograph(c)) {
		end = at + character_at(text, at, &c);
	} else if (is_apostrophe(c) && at > 0 &&
		   !uc_is_space((ucs4_t)(unsigned char)text.data[at - 1])) {
		contracted = contraction_at(text, at, &end);
		end = contracted == NULL ? at : end;
	} else {
		end = word_end(text, at);
	}
	token->text = slice_part(text, at, end);
	token->folded = contracted != NULL ? slice_of(contracted) : fold(token->text, arena);
	return end;
}

size_t tokens_of(struct slice text, struct token **tokens, struct arena *arena)
{
	size_t count = 0;
	bool after_break = false;
	text = text_head(text, 16 * 1024);
	size_t room = text.size < TOKEN_LIMIT ? text.size : TOKEN_LIMIT;
	*tokens = arena_alloc(arena, room * sizeof(**tokens));
	for (size_t at = 0; at < text.size && count < room;) {
		ucs4_t c;
		struct token token;
		size_t length = character_at(text, at, &c);
		bool breaks = is_break(text, at, c, length);
		size_t end = uc_is_space(c) || breaks ? at : token_at(text, at, c, &token, arena);
		after_break = after_break || breaks;
		if (end > at && has_alphanumeric(token.text)) {
			token.after_break = after_break;
			(*tokens)[count++] = token;
			after_break = false;
		}
		at = end > at ? end : at + length;
	}
	return count;
}

struct slice tokens_span(const struct token *tokens, size_t begin, size_t end)
{
	if (begin >= end)
		return (struct slice){"", 0};
	const char *first = tokens[begin].text.data;
	const char *past = tokens[end - 1].text.data + tokens[end - 1].text.size;
	return (struct slice){first, (size_t)(past - first)};
}

enum language language_of(struct slice text, struct arena *arena)
{
	struct token *tokens;
	size_t count = tokens_of(text, &tokens, arena);
	int german = 0;
	for (size_t i = 0; i < count; i++) {
		ucs4_t c;
		(void)character_at(tokens[i].text, 0, &c);
		if (is_ideograph(c))
			return CHINESE;
		german += word_in(german_stop_words, tokens[i].folded);
		german -= word_in(english_stop_words, tokens[i].folded);
	}
	return german > 0 ? GERMAN : ENGLISH;
}

/* "Dr. Kim" and "the 3. of May" go on after their full stop. */
static bool is_abbreviation(struct slice before)
{
	size_t begin = before.size;
	while (begin > 0 && before.data[begin - 1] != ' ' && before.data[begin - 1] != '\n')
		begin--;
	struct slice word = slice_part(before, begin, before.size);
	size_t digits = 0;
	while (digits < word.size && is_digit(word.data[digits]))
		digits++;
	if (digits == word.size && (digits == 1 || digits == 2))
		return true;
	return word_in(" Dr Mr Mrs Ms Prof St Hr Fr vs e.g i.e z.B bzw ca No Nr ", word);
}

/* The offset after the sentence's closing marks. */
static size_t sentence_end(struct slice text)
{
	for (size_t at = 0; at < text.size;) {
		ucs4_t c;
		size_t length = character_at(text, at, &c);
		size_t past = at + length;
		bool spaced = past == text.size || strchr(" \t\r\n\"')", text.data[past]) != NULL;
		if (c == '\n' || c == 0x3002 || c == 0xff01 || c == 0xff1f ||
		    ((c == '!' || c == '?') &&
		     (spaced || (ucs4_t)(unsigned char)text.data[past] != c)) ||
		    (c == '.' && spaced && !is_abbreviation(slice_part(text, 0, at))))
			return past;
		at = past;
	}
	return text.size;
}

bool next_sentence(struct slice *rest, struct slice *sentence)
{
	while (rest->size > 0) {
		size_t end = sentence_end(*rest);
		*sentence = slice_trim(slice_part(*rest, 0, end));
		*rest = slice_part(*rest, end, rest->size);
		if (has_alphanumeric(*sentence))
			return true;
	}
	return false;
}

static bool contains(struct slice text, const char *part)
{
	return slice_find(text, slice_of(part), 0) < text.size;
}

/* "When is", but not "When I was young,". */
static bool opens_question(const struct token *tokens, size_t count)
{
	static const char asking[] =
		" what which who whom whose how why was wer wen wem wie wo wann warum "
		"wieso welche welcher welches welchen welchem woher wohin ";
	static const char verbs[] =
		" do does did is are am was were can could will would should have has had ";
	static const char addressed[] = " i you we my he she they it the there your our ";
	if (count == 0)
		return false;
	if (word_in(asking, tokens[0].folded))
		return true;
	if (count < 2)
		return false;
	if (word_in(" when where ", tokens[0].folded))
		return word_in(verbs, tokens[1].folded);
	return word_in(verbs, tokens[0].folded) && word_in(addressed, tokens[1].folded);
}

bool is_question(struct slice sentence, struct arena *arena)
{
	static const char *const phrases[] = {
		"?",         "？",        "remind me", "tell me wh", "tell me my", "tell me how",
		"erinnere ", "erinnerst", "sag mir w", "吗",         "什么",       "哪",
		"谁",        "怎么",      "多少",      "提醒我"};
	struct slice folded = fold(text_head(sentence, 4096), arena);
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (contains(folded, phrases[i]))
			return true;
	}
	struct token *tokens;
	size_t count = tokens_of(sentence, &tokens, arena);
	while (count > 0 && word_in(" and so but then now und also dann hi hey hello ok okay ",
				    tokens[0].folded)) {
		tokens++;
		count--;
	}
	return opens_question(tokens, count);
}
