#include "core/facts/facts.h"

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
	const struct slice parts[] = {fact->quote, SLICE(" "), text_spaced(fact->key, arena)};
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
		value.words >= LEAST_WORDS ||
		(fact->quote.size == 0 && (fact->key.size == 0 || looks_unique(fact->value)));
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

struct facts_hidden facts_hidden_read(const struct fact *facts, size_t count, struct arena *arena)
{
	struct facts_hidden hidden = {0};
	size_t most = 0;
	for (size_t i = 0; i < count; i++)
		most += facts[i].state == FACT_HIDDEN;
	if (most > 0)
		hidden.list = arena_alloc(arena, most * sizeof(*hidden.list));
	for (size_t i = 0; hidden.count < most; i++) {
		if (facts[i].state != FACT_HIDDEN)
			continue;
		hidden.list[hidden.count++] = (struct hidden_saying){
			fact_saying_read(&facts[i], arena), text_comparable(facts[i].quote, arena),
			terms_stub(text_comparable(facts[i].value, arena))};
	}
	return hidden;
}

static bool hides(const struct hidden_saying *hidden, const struct turn *turn,
		  struct slice comparable, bool is_long)
{
	const struct fact *fact = hidden->saying.fact;
	if (fact->exchange != 0 && fact->exchange == turn->exchange)
		return true;
	return turn->created_at <= fact->ended_at &&
	       (is_long || ((slice_find(comparable, hidden->stub, 0) < comparable.size ||
			     text_comparable_says(comparable, hidden->quote)) &&
			    fact_is_said(&hidden->saying, turn->text)));
}

bool facts_hide_turn(const struct facts_hidden *hidden, const struct turn *turn)
{
	enum { LOOKED_AT = 16384 };
	struct arena scratch = {0};
	bool is_hidden = false;
	if (hidden->count == 0)
		return false;
	const bool is_long = turn->text.size > LOOKED_AT;
	const struct slice comparable =
		is_long ? (struct slice){0} : text_comparable(turn->text, &scratch);
	for (size_t i = 0; i < hidden->count && !is_hidden; i++)
		is_hidden = hides(&hidden->list[i], turn, comparable, is_long);
	arena_finish(&scratch);
	return is_hidden;
}
