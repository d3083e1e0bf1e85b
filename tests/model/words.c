#include "tests/model/words.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

enum { TOKEN_LIMIT = 512 };

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
/* Longer ones first: what is found is blanked before the next is looked for. */
static const char *const chinese_stop_words[] = {
	"什么", "哪里", "哪儿", "怎么", "多少", "我们", "你们", "告诉", "记得", "提醒", "一下",
	"说过", "可以", "哪",   "谁",   "吗",   "呢",   "我",   "你",   "您",   "的",   "了",
	"是",   "在",   "请",   "过",   "还",   "能",   "里",   "说",   "也",
};

/* Near-synonyms, so that "where do I live" meets "my home is in Rome". */
static const struct synonyms {
	const char *group;
	const char *words;
	const char *chinese[4];
} groups[] = {
	{"#name", " name names named called call heisse heisst heissen genannt ", {"名字", "叫"}},
	{"#live",
	 " live lives living lived home city town move moved moving reside based wohne wohnst "
	 "wohnt lebe "
	 "lebst lebt wohnort stadt zuhause ",
	 {"城市", "住", "搬"}},
	{"#work",
	 " works job jobs employer employed profession occupation company arbeite arbeitest "
	 "arbeitet "
	 "beruf arbeitgeber firma ",
	 {"工作", "公司", "职业"}},
	{"#project",
	 " project projects building build builds built develop developing projekt baue baust "
	 "entwickle "
	 "entwickelst ",
	 {"项目", "开发"}},
	{"#use",
	 " use uses using used switched switch chose choose chosen nutze nutzt nutzen nutzst "
	 "verwende verwendet "
	 "verwendest benutze benutzt ",
	 {"使用", "用"}},
	{"#like",
	 " like likes liked love loves enjoy enjoys prefer prefers "
	 "mag magst "
	 "liebe liebst gern gerne ",
	 {"喜欢"}},
	{"#favourite", " favourite favorite favourites lieblings ", {"最爱"}},
	{"#birthday", " birthday born geburtstag geboren ", {"生日"}},
	{"#age", " old age alt alter ", {"岁", "年龄"}},
	{"#mail", " email emails e-mail mail ", {"邮箱", "邮件"}},
	{"#phone",
	 " phone telephone mobile number telefon nummer handy telefonnummer handynummer ",
	 {"电话", "手机", "号码"}},
	{"#colour", " colour colours color colors farbe farben ", {"颜色"}},
	{"#allergy", " allergic allergy allergies allergisch allergie ", {"过敏"}},
	{"=sister", " sister sisters schwester ", {"妹妹", "姐姐"}},
	{"=brother", " brother brothers bruder ", {"弟弟", "哥哥"}},
};
enum { GROUP_COUNT = sizeof(groups) / sizeof(groups[0]) };

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

static bool is_ideograph(ucs4_t c)
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

/* Without the endings that English and German inflect by. Both sides of a comparison lose the same.
 */
static struct slice stem(struct slice word)
{
	static const char *const endings[] = {"ies", "ing", "ed", "es", "en", "em",
					      "er",  "e",   "s",  "n",  "y"};
	if (word.size < 5)
		return word;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t length = strlen(endings[i]);
		if (word.size >= length + 3 &&
		    memcmp(word.data + word.size - length, endings[i], length) == 0) {
			word.size -= length;
			break;
		}
	}
	if (word.size > 3 && word.data[word.size - 1] == word.data[word.size - 2])
		word.size--;
	return word;
}

bool features_have(const struct features *features, struct slice item)
{
	for (size_t i = 0; i < features->count; i++) {
		if (slice_equal(features->items[i], item))
			return true;
	}
	return false;
}

static void features_add(struct features *features, struct slice item)
{
	if (features->count < TOKEN_LIMIT && !features_have(features, item))
		features->items[features->count++] = item;
}

static bool blank(char *text, size_t size, const char *part)
{
	char *found;
	bool any = false;
	while ((found = memmem(text, size, part, strlen(part))) != NULL) {
		memset(found, ',', strlen(part));
		any = true;
	}
	return any;
}

/* Chinese has no spaces to find words by: those known are taken out, and what is left counts in
 * pairs. */
static void blank_chinese(char *text, size_t size, struct features *features)
{
	for (size_t i = 0; i < GROUP_COUNT; i++) {
		for (size_t j = 0; j < 4 && groups[i].chinese[j] != NULL; j++) {
			if (blank(text, size, groups[i].chinese[j]))
				features_add(features, slice_of(groups[i].group));
		}
	}
	for (size_t i = 0; i < sizeof(chinese_stop_words) / sizeof(chinese_stop_words[0]); i++)
		(void)blank(text, size, chinese_stop_words[i]);
}

/* "Working on" is a project, "working at" a job, and "works well" neither. */
static const char *group_of(const struct token *tokens, size_t count, size_t i)
{
	struct slice next = i + 1 < count ? tokens[i + 1].folded : (struct slice){"", 0};
	if (word_in(" work working worked ", tokens[i].folded)) {
		if (word_in(" on ", next))
			return "#project";
		return next.size == 0 || word_in(" at for as in ", next) ? "#work" : NULL;
	}
	for (size_t j = 0; j < GROUP_COUNT; j++) {
		if (word_in(groups[j].words, tokens[i].folded))
			return groups[j].group;
	}
	return NULL;
}

/* The parts of "50-token" are words of their own here. */
static void add_parts(struct features *features, struct slice word)
{
	for (size_t begin = 0, end = 0; begin < word.size; begin = end + 1) {
		end = begin;
		while (end < word.size && strchr("-_/.@", word.data[end]) == NULL)
			end++;
		struct slice part = slice_part(word, begin, end);
		if (part.size > 0 && !is_stop_word(part))
			features_add(features, stem(part));
	}
}

static bool is_ideograph_token(const struct token *tokens, size_t count, size_t i)
{
	ucs4_t c = 0;
	if (i < count)
		(void)character_at(tokens[i].text, 0, &c);
	return is_ideograph(c);
}

/* Two ideographs in a row, or one that stands alone. */
static void add_ideograph(struct features *features, const struct token *tokens, size_t count,
			  size_t i)
{
	bool next = is_ideograph_token(tokens, count, i + 1) && !tokens[i + 1].after_break;
	bool previous = i > 0 && is_ideograph_token(tokens, count, i - 1) && !tokens[i].after_break;
	if (next)
		features_add(features, tokens_span(tokens, i, i + 2));
	else if (!previous)
		features_add(features, tokens[i].folded);
}

struct features features_of(struct slice text, struct arena *arena)
{
	struct slice items[TOKEN_LIMIT];
	struct features features = {.items = items};
	struct token *tokens;
	text = text_head(text, 16 * 1024);
	char *copy = arena_string(arena, text);
	blank_chinese(copy, text.size, &features);
	size_t count = tokens_of((struct slice){copy, text.size}, &tokens, arena);
	for (size_t i = 0; i < count; i++) {
		const char *group = group_of(tokens, count, i);
		if (group != NULL)
			features_add(&features, slice_of(group));
		else if (is_ideograph_token(tokens, count, i))
			add_ideograph(&features, tokens, count, i);
		else if (!is_stop_word(tokens[i].folded))
			add_parts(&features, tokens[i].folded);
	}
	features.items = arena_alloc(arena, features.count * sizeof(struct slice));
	if (features.count > 0)
		memcpy(features.items, items, features.count * sizeof(struct slice));
	return features;
}
