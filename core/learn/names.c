#include "core/learn/names.h"

#include "core/base/word_map.h"
#include "core/learn/entry.h"
#include "core/learn/names_table.h"
#include "core/text/text.h"
#include "names_map.h"

/* ---- keys that mean the same ---- */

/* The same letters in American spelling. */
static struct slice respelled(struct slice bare, struct arena *arena)
{
	static const struct slice pairs[][2] = {{SLICE("favourite"), SLICE("favorite")},
						{SLICE("colour"), SLICE("color")}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		size_t at = slice_find(bare, pairs[i][0], 0);
		const struct slice parts[] = {slice_part(bare, 0, at), pairs[i][1],
					      slice_part(bare, at + pairs[i][0].size, bare.size)};
		if (at < bare.size)
			bare = arena_join(arena, parts, 3);
	}
	return bare;
}

static size_t row_of(struct slice bare)
{
	static const struct slice owners[] = {SLICE("users"), SLICE("user"), SLICE("my"),
					      SLICE("current"), SLICE("the")};
	size_t row = word_map_find(&names_maps[0], word_hash(bare));
	for (size_t i = 0; row == 0 && i < sizeof(owners) / sizeof(owners[0]); i++) {
		if (slice_starts_with(bare, owners[i]))
			row = word_map_find(&names_maps[0],
					    word_hash(slice_part(bare, owners[i].size, bare.size)));
	}
	return row;
}

struct slice learn_common_key(struct slice bare, struct arena *arena)
{
	bare = respelled(bare, arena);
	size_t row = row_of(bare);
	if (row == 0)
		return bare;
	return (struct slice){synonyms[row - 1], strcspn(synonyms[row - 1], " ")};
}

struct slice learn_names_of_key(struct slice common)
{
	size_t row = row_of(common);
	return row == 0 ? (struct slice){0} : slice_of(synonyms[row - 1]);
}

/* ---- names ---- */

/* Words in a key or an entity that instruct a reader. */
static const char commands[] = "ignore obey disregard override bypass pretend comply execute must "
			       "shall you your yours instruction instructions prompt jailbreak "
			       "ignoriere ignorier gehorche befolge anweisung anweisungen ignora "
			       "obedece instrucciones instrucción ignorez obéis instructions "
			       "obedeça instruções obbedisci istruzioni игнорируй инструкции";
static const char *const command_signs[] = {"忽略", "无视",   "無視",   "服从",   "服從", "遵守",
					    "指令", "你必须", "从现在", "從現在", NULL};

struct naming {
	size_t words;
	bool commands;
};

static bool weigh_word(struct naming *naming, struct slice word)
{
	const char *at = commands;
	naming->words += word.size > 0;
	while (*at != '\0' && !naming->commands) {
		size_t size = strcspn(at, " ");
		naming->commands = slice_equal((struct slice){at, size}, word);
		at += size + (at[size] == ' ');
	}
	return !naming->commands;
}

static bool weigh(void *cookie, struct slice word)
{
	size_t begin = 0;
	for (size_t at = 0; at <= word.size; at++) {
		if (at < word.size && word.data[at] != '_')
			continue;
		if (!weigh_word(cookie, slice_part(word, begin, at)))
			return false;
		begin = at + 1;
	}
	return true;
}

bool learn_is_name(struct slice name)
{
	/* In scripts without spaces, a pair of characters counts as a word. */
	enum { MOST_WORDS = 5, MOST_PAIRS = 12 };
	struct naming naming = {0};
	uint32_t character = 0;
	text_words(name, weigh, &naming);
	for (size_t i = 0; command_signs[i] != NULL; i++)
		naming.commands |= slice_find(name, slice_of(command_signs[i]), 0) < name.size;
	if (name.size > 0)
		text_decode(name, 0, &character);
	size_t most = text_is_unspaced(character) ? MOST_PAIRS : MOST_WORDS;
	return !naming.commands && naming.words <= most;
}

static const char personal[] =
	" job employer city name age birthday hometown phone email address nationality salary "
	"maritalstatus diet timezone hobby hobbies "
	"likes like dislikes dislike interests interest allergy allergies languages language "
	"nativelanguage education degree school university "
	"studies religion height weight health condition medication car vehicle workschedule "
	"skills drink food loves hates favoritecolor "
	"favoritefood allergie allergien alergia alergias hobbys aficiones intereses 过敏 爱好 "
	"兴趣 学校 专业 ";

bool learn_is_personal_key(struct slice key, struct arena *arena)
{
	struct slice common = learn_bare_key(key, arena);
	const struct slice parts[] = {SLICE(" "), common, SLICE(" ")};
	struct slice wanted = arena_join(arena, parts, 3);
	struct slice all = SLICE(personal);
	if (slice_starts_with(common, SLICE("favorite")))
		return true;
	return slice_find(all, wanted, 0) < all.size;
}
