/* True if the user means what an entry rests on: a clause may only suppose it, ask it, deny it, say
 * that it is over, or speak of somebody else. */
#include "core/learn/borne.h"
#include "core/learn/entry.h"
#include "core/learn/said.h"
#include "core/text/text.h"
#include "lists.h"

/* A place in the turn where an entry's quote, or its value, stands. */
struct place {
	const struct said *said;
	size_t index;                     /* of the clause */
	const struct said_clause *quoted; /* what of the quote stands there; NULL: no quote */
	const struct learn_entry *entry;
	struct arena *arena;
};

static const struct said_clause *clause_of(const struct place *place)
{
	return &place->said->clauses[place->index];
}

/* ---- what nobody states ---- */

/* Where all of a row's cues stand, each by one of its WORD_*, the clause states nothing. */
struct cue {
	unsigned clause;   /* in the clause */
	unsigned first;    /* the clause's first word */
	unsigned second;   /* the clause's second word */
	unsigned sentence; /* in the clause's sentence */
	unsigned opens;    /* the sentence's first word */
	unsigned without;  /* nowhere in the sentence */
	bool is_asked;
};

static const struct cue unstated[] = {
	/* "If I lived in Paris ...", "wenn ich ... würde", "... I would buy a boat" */
	{.clause = WORD_IF},
	{.clause = WORD_MAY_IF, .sentence = WORD_UNREAL},
	{.clause = WORD_UNREAL, .sentence = WORD_IF | WORD_MAY_IF},
	/* "Do I live in Paris?", but not "Can you help me with my dog Rex?" */
	{.is_asked = true, .first = WORD_ASK, .second = WORD_FIRST},
	/* A question about the world tells nothing of the user's. */
	{.is_asked = true, .without = WORD_FIRST},
	/* "Oh sure, I just love working weekends." */
	{.opens = WORD_OPENER, .sentence = WORD_LOVE, .without = WORD_NOT},
};

static bool shows(unsigned bits, unsigned cue)
{
	return cue == 0 || (bits & cue) != 0;
}

void learn_mark_unmeant(struct said *said)
{
	for (size_t i = 0, end; i < said->count; i = end) {
		const char *begin = said->clauses[i].text.data;
		for (end = i + 1;
		     end < said->count && said->clauses[end].sentence == said->clauses[i].sentence;)
			end++;
		const struct slice last = said->clauses[end - 1].text;
		const struct slice sentence = {begin, (size_t)(last.data + last.size - begin)};
		const bool is_unmeant = text_says_any(sentence, list_unmeant);
		for (size_t j = i; j < end; j++)
			said->clauses[j].is_unmeant = is_unmeant;
	}
}

static bool is_unstated(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	if (clause->is_unmeant ||
	    (clause->is_asked && (slice_ends_with(clause->text, SLICE("吗？")) ||
				  slice_ends_with(clause->text, SLICE("吗?")))))
		return true;
	for (size_t i = 0; i < sizeof(unstated) / sizeof(unstated[0]); i++) {
		const struct cue *cue = &unstated[i];
		if (shows(clause->bits, cue->clause) && shows(said_bits(clause, 0), cue->first) &&
		    shows(said_bits(clause, 1), cue->second) &&
		    shows(clause->around, cue->sentence) && shows(clause->opens, cue->opens) &&
		    (clause->around & cue->without) == 0 && (clause->is_asked || !cue->is_asked))
			return true;
	}
	return false;
}

/* ---- what is negated ---- */

/* "Don't forget that I ..." negates nothing. */
static bool negates(const struct said_clause *clause, size_t at)
{
	unsigned near = said_bits(clause, at + 1) | said_bits(clause, at + 2);
	if (at > 0)
		near |= said_bits(clause, at - 1);
	return (said_bits(clause, at) & WORD_NOT) != 0 && (near & WORD_FORGET) == 0;
}

static size_t count_negations(const struct said_clause *clause)
{
	size_t count = (clause->signs & WORD_NOT) != 0;
	for (size_t i = 0; i < clause->count; i++)
		count += negates(clause, i);
	return count;
}

static bool is_value_negated(const struct place *place)
{
	const struct said said = said_read(place->entry->value, place->said, place->arena);
	size_t count = 0;
	for (size_t i = 0; i < said.count; i++)
		count += count_negations(&said.clauses[i]);
	return count > 0;
}

/* True if a key is about one person alone (a job, a city), so that statements about others must not
 * be filed under it. Keys of relations ("sister", "manager") are not. */
static bool is_personal_key(struct slice key, struct arena *arena)
{
	const struct slice common = fact_key(key, arena);
	return slice_starts_with(common, SLICE("favorite")) ||
	       slice_is_any(common, list_personal_keys);
}

/* For a key that states what is so, "I do not live in Paris" gives no value, however much is
 * quoted. */
static bool states_what_is_so(const struct place *place)
{
	const struct slice key = place->entry->key;
	return is_personal_key(key, place->arena) &&
	       fact_key_names(fact_key(key, place->arena)).size > 0;
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

/* Counts the denials behind an "and" that follows the quote: "I'm a beekeeper and eat no honey". A
 * "not" at the very end may be meant for both. */
static size_t denials_behind(const struct said_clause *clause, const struct said_clause *quoted)
{
	size_t at = end_of_words(clause, quoted);
	size_t denials = 0;
	while (at < clause->count && (clause->words[at].bits & WORD_AND) == 0)
		at++;
	for (; at + 1 < clause->count; at++)
		denials += negates(clause, at);
	return denials;
}

/* "My cousin Fenna can't ..." says whose cousin she is all the same. */
static bool names_kin(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	if (slice_equal(place->entry->entity, SLICE("user")))
		return false;
	for (size_t i = 0; i < clause->count && !negates(clause, i); i++) {
		if ((clause->words[i].bits & WORD_KIN) != 0 &&
		    text_says(place->entry->value, clause->words[i].text))
			return true;
	}
	return false;
}

static bool is_negated(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	const struct said_clause *quoted = place->quoted;
	size_t negations = count_negations(clause);
	if (quoted != NULL) {
		negations -= denials_behind(clause, quoted);
		if (negations > count_negations(quoted) && !names_kin(place))
			return true;
	}
	return negations > 0 && states_what_is_so(place) && !is_value_negated(place);
}

/* True if it held once, which gives no value. */
static bool is_over(const struct place *place)
{
	const struct said_clause *clause = clause_of(place);
	return said_is_past(clause) || (said_is_ended(clause) && !is_value_negated(place));
}

/* ---- what is not the user's ---- */

/* "My sister is a surgeon", "my cat is called Tom", "write a poem about Leeds". */
static bool is_of_another(const struct place *place)
{
	const struct learn_entry *entry = place->entry;
	const struct said_clause *clause = clause_of(place);
	if (!slice_equal(entry->entity, SLICE("user")))
		return false;
	const struct slice key = fact_key(entry->key, place->arena);
	/* How a piece of work is to be done, and where an answer finds them, may be. */
	if (said_is_task(clause) && !slice_has_any(key, list_task_key_parts))
		return true;
	if (slice_equal(key, SLICE("name")) && said_is_of_something(clause))
		return true;
	return is_personal_key(entry->key, place->arena) &&
	       said_is_of_others(place->said, place->index);
}

/* ---- all of it ---- */

/* True if the text is said plainly in at least one of the places where it stands, or stands
 * nowhere. */
static bool is_plain_somewhere(struct place place, struct slice text)
{
	bool found = false;
	for (place.index = 0; place.index < place.said->count; place.index++) {
		if (!text_contains(clause_of(&place)->text, text))
			continue;
		found = true;
		if (!is_unstated(&place) && !is_negated(&place) && !is_over(&place) &&
		    !is_of_another(&place))
			return true;
	}
	return !found;
}

static bool bears_value(const struct said_clause *clause, const struct place *place)
{
	const struct support support = support_read(clause->text, place->said, place->arena);
	return support_names(&support, place->entry->value, place->arena);
}

bool learn_is_meant(const struct said *said, const struct learn_entry *entry, struct arena *arena)
{
	enum { MOST_PARTS = 8 }; /* each is sought in the whole turn */
	struct place place = {.said = said, .entry = entry, .arena = arena};
	if (entry->words.size == 0)
		return is_plain_somewhere(place, entry->value);
	const struct said quote = said_read(entry->words, said, arena);
	bool bears = false;
	for (size_t i = 0; i < quote.count && !bears; i++)
		bears = bears_value(&quote.clauses[i], &place);
	for (size_t i = 0, tries = 0; i < quote.count && tries < MOST_PARTS; i++) {
		if (bears && !bears_value(&quote.clauses[i], &place))
			continue;
		place.quoted = &quote.clauses[i];
		tries++;
		if (!is_plain_somewhere(place, place.quoted->text))
			return false;
	}
	return true;
}
