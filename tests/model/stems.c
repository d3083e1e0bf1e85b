#include "tests/model/stems.h"

#include <string.h>
#include <unistr.h>

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

static const char *listed_group(struct slice word)
{
	for (size_t i = 0; i < GROUP_COUNT; i++) {
		if (word_in(groups[i].words, word))
			return groups[i].group;
	}
	return NULL;
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
	return listed_group(tokens[i].folded);
}

/* The parts of "50-token" and "lives_in" are words of their own here. */
static void add_parts(struct features *features, struct slice word)
{
	for (size_t begin = 0, end = 0; begin < word.size; begin = end + 1) {
		end = begin;
		while (end < word.size && strchr("-_/.@", word.data[end]) == NULL)
			end++;
		struct slice part = slice_part(word, begin, end);
		const char *group = listed_group(part);
		if (group != NULL)
			features_add(features, slice_of(group));
		else if (part.size > 0 && !is_stop_word(part))
			features_add(features, stem(part));
	}
}

static bool is_ideograph_token(const struct token *tokens, size_t count, size_t i)
{
	ucs4_t c = 0;
	if (i < count)
		(void)u8_mbtouc(&c, (const uint8_t *)tokens[i].text.data, tokens[i].text.size);
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
