#include "core/facts/saying.h"

#include "core/base/utf8.h"
#include "core/text/text.h"

enum { LEAST_WORDS = 3 }; /* with fewer, a text may be about anything */

static bool is_telling(const struct term *term, const struct term_list *value)
{
	if (term->kind == TERM_LIGHT || term->kind == TERM_FUNCTION)
		return false;
	for (size_t i = 0; i < value->count; i++) {
		if (value->terms[i].hash == term->hash)
			return false;
	}
	return true;
}

static struct slice with_spaces(struct slice key, struct arena *arena)
{
	char *spaced = arena_alloc(arena, key.size + 1);
	for (size_t i = 0; i < key.size; i++)
		spaced[i] = key.data[i] == '_' ? ' ' : key.data[i];
	return (struct slice){spaced, key.size};
}

/* A name or a number, of which nothing but the value is known. */
static bool looks_unique(struct slice value)
{
	for (size_t i = 0; value.size >= LEAST_WORDS && i < value.size; i++) {
		const char character = value.data[i];
		if ((character >= 'A' && character <= 'Z') ||
		    (character >= '0' && character <= '9') || (unsigned char)character >= 0x80)
			return true;
	}
	return false;
}

struct fact_saying fact_saying_read(const struct fact *fact, struct arena *arena)
{
	const struct slice parts[] = {fact->quote, SLICE(" "), with_spaces(fact->key, arena)};
	struct fact_saying saying = {.fact = fact};
	struct term_list value;
	size_t kept = 0;
	terms_read(fact->value, &value, arena);
	terms_read(arena_join(arena, parts, 3), &saying.words, arena);
	for (size_t i = 0; i < saying.words.count; i++) {
		if (is_telling(&saying.words.terms[i], &value))
			saying.words.terms[kept++] = saying.words.terms[i];
	}
	saying.words.count = kept;
	saying.tells_itself =
		value.words >= LEAST_WORDS || (fact->quote.size == 0 && looks_unique(fact->value));
	return saying;
}

bool fact_is_named(const struct fact_saying *saying, struct slice text)
{
	return saying->fact->value.size > 0 && terms_say(text, saying->fact->value);
}

bool fact_is_said(const struct fact_saying *saying, struct slice text)
{
	struct arena scratch = {0};
	if (saying->words.count > 1 && text_says(text, saying->fact->quote))
		return true;
	if (!fact_is_named(saying, text))
		return false;
	const bool is_said =
		saying->tells_itself || terms_find(&saying->words, &text, 1, &scratch) != 0;
	arena_finish(&scratch);
	return is_said;
}

bool fact_hides_turn(const struct fact *facts, size_t count, const struct turn *turn,
		     struct arena *arena)
{
	enum { LOOKED_AT = 8192 };
	for (size_t i = 0; i < count; i++) {
		if (facts[i].state != FACT_HIDDEN)
			continue;
		if (facts[i].exchange != 0 && facts[i].exchange == turn->exchange)
			return true;
		const struct fact_saying saying = fact_saying_read(&facts[i], arena);
		if (turn->created_at <= facts[i].ended_at &&
		    fact_is_said(&saying, utf8_cut(turn->text, LOOKED_AT)))
			return true;
	}
	return false;
}
