#include "core/learn/wish.h"

#include "core/base/word_map.h"
#include "core/learn/entry.h"
#include "core/learn/said.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

/* ---- what it names ---- */

/* Bits of words that name nothing by themselves. */
enum {
	ASKING = WORD_FORGET | WORD_ALL | WORD_SECOND | WORD_SOFT | WORD_KEEP | WORD_THAT |
		 WORD_OPENER,
};

static bool names_something(const struct said_word *word)
{
	return !word->is_function && (word->bits & ASKING) == 0 &&
	       (lexicon_find(word_hash(word->text)) & 1U << LEXICON_LIGHT) == 0;
}

static bool says_something(const struct said_clause *clause)
{
	for (size_t i = 0; i < clause->count; i++) {
		if (names_something(&clause->words[i]))
			return true;
	}
	return false;
}

/* "Forget that", "forget what I said": the request itself names nothing. */
static bool points_back(const struct said *said, unsigned sentence)
{
	unsigned bits = 0;
	for (size_t i = 0; i < said->count; i++) {
		const struct said_clause *clause = &said->clauses[i];
		if (clause->sentence != sentence)
			continue;
		bits |= clause->bits;
		if (says_something(clause))
			return false;
	}
	return (bits & WORD_THAT) != 0;
}

static struct slice last_user_text(const struct learn_turn *turn)
{
	for (size_t i = turn->before_count; i-- > 0;) {
		if (turn->before[i].role == ROLE_USER)
			return turn->before[i].text;
	}
	return (struct slice){0};
}

static void append_sentence(struct buffer *out, const struct said *said, unsigned sentence)
{
	for (size_t i = 0; i < said->count; i++) {
		if (said->clauses[i].sentence != sentence)
			continue;
		buffer_append(out, said->clauses[i].text);
		buffer_append_byte(out, ' ');
	}
}

/* Appends the sentence that asks, and what it points back to. */
static void append_scope(struct buffer *out, const struct learn_turn *turn, const struct said *said,
			 const struct said_clause *clause)
{
	append_sentence(out, said, clause->sentence);
	if (!points_back(said, clause->sentence))
		return;
	buffer_append_byte(out, '\n');
	if (clause->sentence > 0)
		append_sentence(out, said, clause->sentence - 1);
	else
		buffer_append(out, learn_shown_turn(last_user_text(turn)));
}

struct wish wish_read(const struct learn_turn *turn, const struct said *said, struct arena *arena)
{
	struct wish wish = {0};
	struct buffer scope;
	unsigned last = 0;
	buffer_init(&scope, SIZE_MAX);
	for (size_t i = 0; i < said->count; i++) {
		const struct said_clause *clause = &said->clauses[i];
		bool is_asking = said_asks_to_forget(said, clause);
		wish.says_more |= !is_asking && says_something(clause);
		if ((wish.is_asked && clause->sentence == last) || !is_asking)
			continue;
		wish.is_asked = true;
		wish.says_all |= (clause->bits & WORD_ALL) != 0;
		last = clause->sentence;
		append_scope(&scope, turn, said, clause);
	}
	wish.said = said_read(arena_take(arena, &scope), said, arena);
	wish.scope = support_read(wish.said.text, said, arena);
	return wish;
}

bool wish_names_value(const struct wish *wish, struct slice value, struct arena *arena)
{
	return support_bears(&wish->scope, value, arena);
}

struct slice wish_beside(const struct wish *wish, struct slice value, struct arena *arena)
{
	const struct support support = support_read(value, wish->scope.said, arena);
	struct buffer beside;
	buffer_init(&beside, SIZE_MAX);
	for (size_t i = 0; i < wish->scope.count; i++) {
		const struct said_word *word = &wish->scope.words[i];
		if (!names_something(word) || support_names(&support, word->text, arena))
			continue;
		buffer_append(&beside, word->text);
		buffer_append_byte(&beside, ' ');
	}
	return arena_take(arena, &beside);
}

/* True if the wish describes what the key holds without naming it. */
static bool names_by_cue(const struct wish *wish, struct slice common)
{
	for (const struct list_row *row = list_describes; row->key != NULL; row++) {
		for (size_t i = 0; slice_equal(common, slice_of(row->key)) && i < wish->scope.count;
		     i++) {
			if (slice_is_any(wish->scope.words[i].text, row->words))
				return true;
		}
	}
	return false;
}

/* Some languages say "my" by an ending: "adresimi", "puhelinnumeroni", "címemet". */
static bool is_name_with_ending(struct slice word, struct slice common, struct arena *arena)
{
	for (size_t i = 0; list_my_ends[i] != NULL; i++) {
		const struct slice end = slice_of(list_my_ends[i]);
		if (slice_ends_with(word, end) && word.size > end.size &&
		    slice_equal(fact_common_key(slice_part(word, 0, word.size - end.size), arena),
				common))
			return true;
	}
	return false;
}

/* True if one to three consecutive words are a name of the key. */
static bool names_by_synonym(const struct wish *wish, struct slice common, struct arena *arena)
{
	enum { MOST_WORDS = 3 };
	const struct said_word *words = wish->scope.words;
	for (size_t i = 0; i < wish->scope.count; i++) {
		struct slice parts[MOST_WORDS];
		if (is_name_with_ending(words[i].text, common, arena))
			return true;
		for (size_t j = 0; j < MOST_WORDS && i + j < wish->scope.count; j++) {
			parts[j] = words[i + j].text;
			struct slice joined = arena_join(arena, parts, j + 1);
			if (slice_equal(fact_common_key(joined, arena), common))
				return true;
		}
	}
	return false;
}

/* In scripts without spaces, the key's names may stand anywhere. */
static bool names_by_sign(const struct wish *wish, struct slice common)
{
	struct slice names = fact_key_names(common);
	for (size_t at = 0; at < names.size;) {
		size_t end = slice_find(names, SLICE(" "), at);
		struct slice name = slice_part(names, at, end);
		if ((unsigned char)name.data[0] >= 0xE3 &&
		    slice_find(wish->scope.text, name, 0) < wish->scope.text.size)
			return true;
		at = end + 1;
	}
	return false;
}

bool wish_names_key(const struct wish *wish, struct slice key, struct arena *arena)
{
	struct slice common = fact_key(key, arena);
	return support_names(&wish->scope, key, arena) || names_by_synonym(wish, common, arena) ||
	       names_by_sign(wish, common) || names_by_cue(wish, common);
}

static bool is_among(const struct said_word *words, size_t count, struct slice text)
{
	size_t at = 0;
	while (at < count && !slice_equal(words[at].text, text))
		at++;
	return at < count;
}

/* True if the wish names nothing but the entity. */
static bool names_only(const struct wish *wish, struct slice entity, struct arena *arena)
{
	size_t count;
	const struct said_word *names = said_words(entity, wish->scope.said, &count, arena);
	for (size_t i = 0; i < wish->scope.count; i++) {
		const struct said_word *word = &wish->scope.words[i];
		uint32_t character;
		text_decode(word->text, 0, &character);
		if (names_something(word) && (word->bits & WORD_KIN) == 0 &&
		    !text_is_unspaced(character) && !is_among(names, count, word->text))
			return false;
	}
	return true;
}

/* True if signs, in scripts without spaces, name something narrower than "me". */
static bool signs_name_self(const struct wish *wish)
{
	return slice_has_any(wish->scope.text, list_about_me) ||
	       said_sign_bits(wish->scope.text) == 0;
}

bool wish_names_all(const struct wish *wish, struct slice entity, struct arena *arena)
{
	if (!wish->says_all)
		return false;
	if (slice_equal(entity, SLICE("user")))
		return names_only(wish, (struct slice){0}, arena) && signs_name_self(wish);
	return support_names(&wish->scope, entity, arena);
}

bool wish_names_whole(const struct wish *wish, struct slice entity, struct arena *arena)
{
	return support_names(&wish->scope, entity, arena) &&
	       (wish->says_all || names_only(wish, entity, arena));
}

bool wish_restates(const struct wish *wish, struct slice quote, struct arena *arena)
{
	enum { LEAST = 2 };
	const struct support support = support_read(quote, wish->scope.said, arena);
	size_t count = 0;
	for (size_t i = 0; i < wish->scope.count; i++) {
		const struct said_word *word = &wish->scope.words[i];
		if (!names_something(word))
			continue;
		if (!support_names(&support, word->text, arena))
			return false;
		count++;
	}
	return count >= LEAST;
}
