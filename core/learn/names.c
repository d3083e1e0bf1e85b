#include "core/learn/names.h"

#include "core/facts/facts.h"
#include "core/learn/entry.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

/* ---- names ---- */

struct naming {
	size_t words;
	bool commands;
};

static bool weigh_word(struct naming *naming, struct slice word)
{
	naming->words += word.size > 0;
	naming->commands = slice_is_any(word, list_commands);
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
	naming.commands |= slice_has_any(name, list_command_signs);
	if (name.size > 0)
		text_decode(name, 0, &character);
	size_t most = text_is_unspaced(character) ? MOST_PAIRS : MOST_WORDS;
	return !naming.commands && naming.words <= most;
}

bool learn_is_personal_key(struct slice key, struct arena *arena)
{
	const struct slice common = fact_key(key, arena);
	return slice_starts_with(common, SLICE("favorite")) ||
	       slice_is_any(common, list_personal_keys);
}

/* ---- entries that say nothing ---- */

/* "How: convert" of "how to convert": no name of anything. */
static bool is_function_word(struct slice key)
{
	return slice_is_any(key, list_function_keys);
}

/* A person, a place or a tool has no date; a meeting has. German writes both alike. */
static bool is_of_name(const struct said *said, struct slice entity)
{
	return slice_equal(entity, SLICE("user")) ||
	       ((said->languages & 1U << LEXICON_GERMAN) == 0 && entity.size > 0 &&
		entity.data[0] >= 'A' && entity.data[0] <= 'Z' &&
		slice_find(entity, SLICE(" "), 0) == entity.size);
}

bool learn_says_nothing(const struct said *said, const struct learn_entry *entry,
			struct arena *arena)
{
	const bool is_form = slice_is_any(entry->key, list_form_keys);
	const bool is_kind = slice_is_any_nocase(entry->entity, list_kind_entities);
	return is_function_word(entry->key) || slice_equal_nocase(entry->entity, entry->key) ||
	       (slice_equal_nocase(entry->entity, entry->value) &&
		!slice_equal(fact_key(entry->key, arena), SLICE("name"))) ||
	       (is_form && is_of_name(said, entry->entity)) ||
	       (is_kind && !text_contains(said->text, entry->entity)) ||
	       (slice_find(entry->value, SLICE("_"), 0) < entry->value.size &&
		slice_find(entry->value, SLICE(" "), 0) == entry->value.size &&
		!text_contains(said->text, entry->value));
}
