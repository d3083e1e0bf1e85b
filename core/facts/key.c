#include "core/facts/facts.h"

#include "core/base/word_map.h"
#include "core/text/text.h"
#include "keys_map.h"

#include <string.h>

static bool ends_sentence(char c)
{
	return c == '.' || c == '!' || c == '?' || c == ',' || c == ';' || c == ':';
}

struct slice fact_fold(struct slice text, struct arena *arena)
{
	text = slice_trim(text_comparable(text, arena));
	while (text.size > 0 && ends_sentence(text.data[text.size - 1]))
		text = slice_trim(slice_part(text, 0, text.size - 1));
	return text;
}

struct slice fact_entity(struct slice name)
{
	static const char *const selves[] = {"user", "the user", "me",      "i",
					     "self", "myself",   "speaker", NULL};
	return slice_is_any_nocase(name, selves) ? SLICE("user") : name;
}

bool fact_same_value(struct slice a, struct slice b, struct arena *arena)
{
	return slice_equal(a, b) || slice_equal(fact_fold(a, arena), fact_fold(b, arena));
}

/* Joins the words of a key with `joint`; 0 joins them directly. */
static struct slice join_words(struct slice text, char joint, struct arena *arena)
{
	char *joined = arena_alloc(arena, text.size + 1);
	size_t size = 0;
	bool between = false;
	for (size_t i = 0; i < text.size; i++) {
		const char c = text.data[i];
		if (c == '\'')
			continue;
		if (c != '\0' && strchr(" _-./()", c) != NULL) {
			between = size > 0;
			continue;
		}
		if (between && joint != 0)
			joined[size++] = joint;
		joined[size++] = c;
		between = false;
	}
	return (struct slice){joined, size};
}

struct slice fact_key_name(struct slice key, struct arena *arena)
{
	const struct slice folded = fact_fold(text_one_line(key, FACT_VALUE_LIMIT, arena), arena);
	return join_words(text_one_line(folded, FACT_NAME_LIMIT, arena), '_', arena);
}

struct slice fact_key(struct slice key, struct arena *arena)
{
	return fact_common_key(join_words(fact_fold(key, arena), 0, arena), arena);
}

/* ---- keys that mean the same ---- */

/* The letters in American spelling. */
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
	size_t row = word_map_find(&keys_maps[0], word_hash(bare));
	for (size_t i = 0; row == 0 && i < sizeof(owners) / sizeof(owners[0]); i++) {
		if (slice_starts_with(bare, owners[i]))
			row = word_map_find(&keys_maps[0],
					    word_hash(slice_part(bare, owners[i].size, bare.size)));
	}
	return row;
}

struct slice fact_common_key(struct slice bare, struct arena *arena)
{
	bare = respelled(bare, arena);
	size_t row = row_of(bare);
	if (row == 0)
		return bare;
	return (struct slice){synonyms[row - 1], strcspn(synonyms[row - 1], " ")};
}

struct slice fact_key_names(struct slice common)
{
	size_t row = row_of(common);
	return row == 0 ? (struct slice){0} : slice_of(synonyms[row - 1]);
}
