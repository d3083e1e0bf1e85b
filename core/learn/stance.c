#include "core/learn/entry.h"

#include "core/learn/borne.h"
#include "core/learn/names.h"
#include "core/learn/past.h"
#include "core/learn/said.h"
#include "core/learn/subject.h"
#include "core/learn/words.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

/* A place in the turn where an entry's quote, or its value, stands. */
struct place {
	const struct said *said;
	size_t index;             /* index of the clause */
	const struct said *quote; /* NULL: no quote */
	size_t part;              /* the clause of the quote that stands there */
	const struct learn_entry *entry;
	struct arena *arena;
};

static const struct said_clause *clause_of(const struct place *place)
{
	return &place->said->clauses[place->index];
}

static unsigned bits_of_sentence(const struct said *said, unsigned sentence)
{
	unsigned bits = 0;
	for (size_t i = 0; i < said->count; i++) {
		if (said->clauses[i].sentence == sentence)
			bits |= said->clauses[i].bits;
	}
	return bits;
}

/* ---- what is only supposed ---- */

static bool is_wish(const struct said_clause *clause)
{
	for (size_t i = 0; i < clause->count; i++) {
		if (slice_equal(clause->words[i].text, SLICE("wish")) &&
		    (said_bits(clause, i + 1) & WORD_FIRST) != 0)
			return true;
	}
	return false;
}

static bool is_supposed(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	unsigned sentence = bits_of_sentence(place->said, clause->sentence);
	bool unreal = (sentence & WORD_UNREAL) != 0;
	if ((clause->bits & WORD_IF) != 0 || is_wish(clause))
		return true;
	if ((clause->bits & WORD_MAY_IF) != 0 && unreal)
		return true;
	return (sentence & (WORD_IF | WORD_MAY_IF)) != 0 && (clause->bits & WORD_UNREAL) != 0;
}

/* "Do I live in Paris?" only asks; "Can you help me with my dog Rex?" also tells. */
static bool is_question(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	if (!clause->is_asked)
		return false;
	if (slice_ends_with(clause->text, SLICE("吗？")) ||
	    slice_ends_with(clause->text, SLICE("吗?")))
		return true;
	/* A question about the world tells nothing of the user's. */
	if ((bits_of_sentence(place->said, clause->sentence) & WORD_FIRST) == 0)
		return true;
	return (said_bits(clause, 0) & WORD_ASK) != 0 && (said_bits(clause, 1) & WORD_FIRST) != 0;
}

/* ---- what is said of what is hated ---- */

static bool says_irony(struct slice text)
{
	return text_says_any(text, list_ironies);
}

/* "Oh sure, I just love working weekends." The next sentence may also take a sentence back. */
static bool is_ironic(const struct place *place)
{
	const struct said *said = place->said;
	unsigned sentence = clause_of(place)->sentence;
	unsigned bits = bits_of_sentence(said, sentence);
	bool opens = false;
	bool is_first = true;
	for (size_t i = 0; i < said->count; i++) {
		const struct said_clause *clause = &said->clauses[i];
		if (clause->sentence != sentence && clause->sentence != sentence + 1)
			continue;
		if (says_irony(clause->text))
			return true;
		if (clause->sentence == sentence && is_first)
			opens = ((said_bits(clause, 0) | clause->signs) & WORD_OPENER) != 0;
		is_first = false;
	}
	return opens && (bits & WORD_LOVE) != 0 && (bits & WORD_NOT) == 0;
}

/* ---- what is negated ---- */

/* "Don't forget that I ..." and "not only" negate nothing; neither does an English "no" that
 * answers. */
static bool negates(const struct said *said, const struct said_clause *clause, size_t at)
{
	if ((said_bits(clause, at) & WORD_NOT) == 0)
		return false;
	unsigned near = said_bits(clause, at + 1) | said_bits(clause, at + 2);
	if (at > 0)
		near |= said_bits(clause, at - 1);
	if ((near & WORD_FORGET) != 0 || (said_bits(clause, at + 1) & WORD_ONLY) != 0)
		return false;
	bool is_answer = at == 0 && said->languages == 1U << LEXICON_ENGLISH &&
			 slice_equal(clause->words[0].text, SLICE("no")) &&
			 (said_bits(clause, 1) & WORD_FIRST) != 0;
	return !is_answer;
}

static size_t count_negations(const struct said *said, const struct said_clause *clause)
{
	size_t count = (clause->signs & WORD_NOT) != 0;
	for (size_t i = 0; i < clause->count; i++)
		count += negates(said, clause, i);
	return count;
}

static size_t negations_of(const struct place *place, struct slice text)
{
	const struct said said = said_read(text, place->said, place->arena);
	size_t count = 0;
	for (size_t i = 0; i < said.count; i++)
		count += count_negations(&said, &said.clauses[i]);
	return count;
}

/* For a key that states what is so, "I do not live in Paris" gives no value, however much is
 * quoted. */
static bool is_denied(const struct place *place, size_t negations)
{
	return negations > 0 && negations_of(place, place->entry->value) == 0 &&
	       learn_is_personal_key(place->entry->key, place->arena) &&
	       fact_key_names(fact_key(place->entry->key, place->arena)).size > 0;
}

/* "My cousin Fenna can't ..." says whose cousin she is all the same. */
static bool names_kin(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	size_t kin = said_kin(clause);
	if (kin == 0 || slice_equal(place->entry->entity, SLICE("user")) ||
	    !text_says(place->entry->value, clause->words[kin].text))
		return false;
	for (size_t i = 0; i < kin; i++) {
		if (negates(place->said, clause, i))
			return false;
	}
	return true;
}

/* The index behind the words in the clause, where they stand there; otherwise its count. */
static size_t end_of_words(const struct said_clause *clause, const struct said_clause *words)
{
	for (size_t at = 0; words->count > 0 && at + words->count <= clause->count; at++) {
		size_t same = 0;
		while (same < words->count &&
		       slice_equal(clause->words[at + same].text, words->words[same].text))
			same++;
		if (same == words->count)
			return at + same;
	}
	return clause->count;
}

/* What is denied behind an "and" that follows the quote: "I'm a beekeeper and eat no honey". A
 * "not" at the very end may be meant for both. */
static size_t denials_behind(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	size_t at = clause->count;
	size_t denials = 0;
	if (place->quote != NULL)
		at = end_of_words(clause, &place->quote->clauses[place->part]);
	while (at < clause->count && (clause->words[at].bits & WORD_AND) == 0)
		at++;
	for (; at + 1 < clause->count; at++)
		denials += negates(place->said, clause, at);
	return denials;
}

static bool is_negated(const struct place *place)
{
	size_t negations = count_negations(place->said, clause_of(place)) - denials_behind(place);
	size_t quoted = negations;
	if (place->quote != NULL)
		quoted = count_negations(place->said, &place->quote->clauses[place->part]);
	return (negations > quoted && !names_kin(place)) || is_denied(place, negations);
}

/* ---- what is over ---- */

/* Whether the key says that it is over: "former_job". */
static bool is_key_of_past(struct slice key)
{
	return slice_has_any(key, list_past_key_parts);
}

/* What held once gives no value. */
static bool is_over(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	if (is_key_of_past(place->entry->key))
		return false;
	return said_is_past(clause) ||
	       (said_is_ended(clause) && negations_of(place, place->entry->value) == 0);
}

/* ---- what is said of others ---- */

/* `She said: "I live in Rome"`. */
static bool is_quoted_speech(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	if (place->index == 0 || !slice_starts_with_any(clause->text, list_opening_quotes))
		return false;
	const struct said_clause *before = clause - 1;
	return before->sentence == clause->sentence && (before->bits & WORD_SAY) != 0 &&
	       (before->bits & (WORD_THIRD | WORD_KIN)) != 0;
}

static bool is_of_another(const struct place *place)
{
	const struct learn_entry *entry = place->entry;
	if (!slice_equal(entry->entity, SLICE("user")))
		return false;
	return is_quoted_speech(place) || (learn_is_personal_key(entry->key, place->arena) &&
					   said_is_of_others(place->said, place->index));
}

/* What a piece of work is to be about is nothing of the user's, but how it is to be done, and where
 * an answer finds them, may be. */
static bool is_of_task(const struct place *place)
{
	const struct learn_entry *entry = place->entry;
	const struct slice key = fact_key(entry->key, place->arena);
	return !slice_has_any(key, list_task_key_parts) &&
	       slice_equal(entry->entity, SLICE("user")) && said_is_task(clause_of(place));
}

/* ---- all of it ---- */

static bool is_plain(const struct place *place)
{
	return !is_supposed(place) && !is_question(place) && !is_negated(place) &&
	       !is_over(place) && !is_of_task(place) && !is_of_another(place) && !is_ironic(place);
}

/* Whether the text is said plainly in at least one of the places where it stands; `*found`: there
 * is such a place. */
static bool is_plain_somewhere(struct place place, struct slice text, bool *found)
{
	for (place.index = 0; place.index < place.said->count; place.index++) {
		if (!text_contains(clause_of(&place)->text, text))
			continue;
		*found = true;
		if (is_plain(&place))
			return true;
	}
	return false;
}

static bool bears_value(const struct said_clause *clause, const struct place *place)
{
	struct support support = support_read(clause->text, place->said, place->arena);
	return support_names(&support, place->entry->value, place->arena);
}

bool learn_is_meant(const struct said *said, const struct learn_entry *entry, struct arena *arena)
{
	enum { MOST_PARTS = 8 }; /* each is sought in the whole turn */
	struct place place = {.said = said, .entry = entry, .arena = arena};
	bool found = false;
	if (entry->words.size == 0)
		return is_plain_somewhere(place, entry->value, &found) || !found;
	struct said quote = said_read(entry->words, said, arena);
	place.quote = &quote;
	bool bears = false;
	for (size_t i = 0; i < quote.count && !bears; i++)
		bears = bears_value(&quote.clauses[i], &place);
	for (size_t i = 0, tries = 0; i < quote.count && tries < MOST_PARTS; i++) {
		if (bears && !bears_value(&quote.clauses[i], &place))
			continue;
		place.part = i;
		found = false;
		tries++;
		if (!is_plain_somewhere(place, quote.clauses[i].text, &found) && found)
			return false;
	}
	return true;
}
