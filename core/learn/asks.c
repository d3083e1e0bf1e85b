#include "core/learn/said.h"

#include "core/base/word_map.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

/* ---- signs, in scripts without spaces ---- */

static bool says_any(struct slice text, const char *const *signs)
{
	return said_may_have_signs(text) && slice_has_any(text, signs);
}

/* ---- to forget ---- */

/* Words that may precede a request: articles, pronouns, "please", "actually". */
static bool may_precede(const struct said_word *word)
{
	return word->is_function || (word->bits & (WORD_SECOND | WORD_SOFT | WORD_OPENER)) != 0 ||
	       (lexicon_find(word_hash(word->text)) & 1U << LEXICON_LIGHT) != 0;
}

static bool is_answer_no(const struct said *said, const struct said_clause *clause, size_t at)
{
	return at == 0 && said->languages == 1U << LEXICON_ENGLISH &&
	       slice_equal(clause->words[0].text, SLICE("no"));
}

/* A few words have none by which their language is told. */
static bool looks_turkish(const struct said_clause *clause)
{
	for (size_t i = 0; i < clause->count; i++) {
		const struct slice word = clause->words[i].text;
		if (slice_ends_with_any(word, list_turkish_ends) ||
		    slice_has_any(word, list_turkish_letters))
			return true;
	}
	return false;
}

/* "Lizbon'da yaşadığımı unut lütfen": the verb ends the sentence, behind what is meant. */
static bool ends_in_turkish(const struct said *said, const struct said_clause *clause, size_t verb)
{
	if (!slice_is_any(clause->words[verb].text, list_turkish_wishes))
		return false;
	for (size_t i = verb + 1; i < clause->count; i++) {
		if (!slice_is_any(clause->words[i].text, list_turkish_please))
			return false;
	}
	return said->language == LEXICON_TURKISH ||
	       slice_starts_with(clause->words[verb].text, SLICE("unut")) || looks_turkish(clause);
}

/* "Älä unohda", "glöm inte"; and "unutur", "forgets", without "would you". */
static bool is_no_request(const struct said_clause *clause, size_t verb)
{
	const struct said_word *words = clause->words;
	const struct slice next =
		verb + 1 < clause->count ? words[verb + 1].text : (struct slice){0};
	return (verb > 0 && slice_is_any(words[verb - 1].text, list_beside_no_request)) ||
	       slice_is_any(next, list_beside_no_request) ||
	       (slice_is_any(words[verb].text, list_turkish_aorists) &&
		!slice_is_any(next, list_turkish_would_you));
}

/* True if the clause asks for what the word at `verb` means: "forget", but not "I forget", "people
 * forget", "don't forget" or "did you forget". */
static bool asks_at(const struct said *said, const struct said_clause *clause, size_t verb)
{
	bool follows_content = false;
	/* "N'oublie pas ...", "vergiss ... nicht". */
	if (verb + 1 < clause->count && ((clause->words[verb + 1].bits & WORD_NOT) != 0 ||
					 (clause->words[clause->count - 1].bits & WORD_NOT) != 0))
		return false;
	if ((clause->is_asked && (clause->words[0].bits & WORD_DID) != 0) ||
	    is_no_request(clause, verb))
		return false;
	for (size_t i = 0; i < verb; i++) {
		if ((clause->words[i].bits & WORD_NOT) != 0 && !is_answer_no(said, clause, i))
			return false;
		follows_content |= !may_precede(&clause->words[i]);
	}
	for (size_t i = verb; i-- > 0;) {
		unsigned bits = clause->words[i].bits;
		if ((bits & WORD_SECOND) != 0)
			return true;
		if ((bits & (WORD_SUBJECT | WORD_THIRD)) != 0)
			return false;
	}
	/* "How to delete ..." */
	bool is_infinitive = verb > 0 && slice_equal(clause->words[verb - 1].text, SLICE("to"));
	/* Some languages put the verb last. */
	bool may_end = said->language == LEXICON_TURKISH || ends_in_turkish(said, clause, verb) ||
		       (unsigned char)clause->words[verb].text.data[0] >= 0xD0;
	return !is_infinitive && (!follows_content || may_end);
}

/* "Don't remember that": a "not", no "I" before. */
static bool asks_not_to_keep(const struct said_clause *clause)
{
	if ((clause->bits & WORD_KEEP) == 0 || (clause->bits & WORD_NOT) == 0 || clause->is_asked)
		return false;
	for (size_t i = 0; i < clause->count; i++) {
		unsigned bits = clause->words[i].bits;
		if ((bits & WORD_KEEP) != 0)
			return true;
		if ((bits & (WORD_SUBJECT | WORD_THIRD)) != 0)
			return false;
	}
	return false;
}

/* Does this for scripts without spaces. */
static bool asks_in_signs(struct slice text)
{
	if (!said_may_have_signs(text))
		return false;
	for (size_t i = 0; list_forget_signs[i] != NULL; i++) {
		struct slice verb = slice_of(list_forget_signs[i]);
		size_t at = slice_find(text, verb, 0);
		if (at == text.size ||
		    slice_ends_with_any(slice_part(text, 0, at), list_before_no_request))
			continue;
		struct slice after = slice_part(text, at + verb.size, text.size);
		if (!slice_starts_with_any(after, list_behind_no_request))
			return true;
	}
	return false;
}

bool said_asks_to_forget(const struct said *said, const struct said_clause *clause)
{
	if (asks_not_to_keep(clause) || asks_in_signs(clause->text))
		return true;
	for (size_t i = 0; i < clause->count; i++) {
		if ((clause->words[i].bits & WORD_FORGET) != 0 && asks_at(said, clause, i))
			return true;
	}
	return false;
}

/* ---- the whole conversation ---- */

/* "This conversation": the one that it is said in. "The conversation with my boss" is another. */
static bool names_conversation(const struct said_clause *clause)
{
	for (size_t i = 0; i + 1 < clause->count; i++) {
		if (slice_is_any(clause->words[i].text, list_this) &&
		    slice_is_any(clause->words[i + 1].text, list_conversations))
			return true;
	}
	return says_any(clause->text, list_conversation_signs);
}

static bool refuses_in_signs(struct slice text)
{
	return says_any(text, list_refusal_signs);
}

/* Turkish negates within the verb. */
static bool refuses_in_turkish(const struct said_clause *clause)
{
	for (size_t i = 0; i < clause->count; i++) {
		if (slice_is_any(clause->words[i].text, list_turkish_refusals))
			return true;
	}
	return false;
}

/* "My wife said: ...", "Translate: ...", in whatever language: what follows is asked of nobody. */
static bool is_told(const struct said *said, size_t at)
{
	if (at == 0)
		return false;
	const struct said_clause *before = &said->clauses[at - 1];
	const char *begin = before->text.data;
	const struct slice between = {begin, (size_t)(said->clauses[at].text.data - begin) + 1};
	uint32_t bits = before->signs;
	for (size_t i = 0; i < before->count; i++)
		bits |= said_word_bits(word_hash(before->words[i].text), ~0U);
	return (bits & (WORD_SAY | WORD_TASK)) != 0 &&
	       (slice_find(between, SLICE(":"), 0) < between.size ||
		slice_find(between, SLICE("："), 0) < between.size ||
		slice_starts_with(said->clauses[at].text, SLICE("：")));
}

bool said_declines(const struct said *said)
{
	for (size_t i = 0; i < said->count; i++) {
		const struct said_clause *clause = &said->clauses[i];
		if (!clause->is_asked && names_conversation(clause) && !is_told(said, i) &&
		    (refuses_in_signs(clause->text) || refuses_in_turkish(clause) ||
		     said_asks_to_forget(said, clause)))
			return true;
	}
	return false;
}

/* ---- to be put right ---- */

/* "That's not right", "das stimmt nicht": short, and not about the user. */
static bool denies_what_was_said(const struct said_clause *clause)
{
	enum { MOST_WORDS = 6 };
	bool is_right = false;
	if ((clause->bits & WORD_NOT) == 0 || (clause->bits & (WORD_FIRST | WORD_SUBJECT)) != 0 ||
	    clause->count > MOST_WORDS)
		return false;
	for (size_t i = 0; i < clause->count; i++)
		is_right |= slice_is_any(clause->words[i].text, list_right);
	return is_right;
}

bool said_corrects(const struct said *said)
{
	for (size_t i = 0; i < said->count; i++) {
		const struct said_clause *clause = &said->clauses[i];
		const bool begins_with_not =
			i == 0 && clause->count > 0 && (clause->words[0].bits & WORD_NOT) != 0;
		if (!clause->is_asked && (begins_with_not || (clause->bits & WORD_WRONG) != 0 ||
					  denies_what_was_said(clause)))
			return true;
	}
	return false;
}

/* ---- a first look ---- */

static bool look_at_part(uint32_t *bits, struct slice part)
{
	enum { ENOUGH = WORD_FORGET | WORD_WRONG | WORD_NOT };
	*bits |= said_word_bits(word_hash(part), ~0U);
	return (*bits & ENOUGH) == 0;
}

/* Takes words apart as said_words() does. False: one is found. */
static bool look_at_word(void *cookie, struct slice word)
{
	size_t begin = 0;
	if (slice_ends_with(word, SLICE("n't"))) {
		*(uint32_t *)cookie |= WORD_NOT;
		return false;
	}
	for (size_t at = 0; at <= word.size; at++) {
		if (at < word.size && word.data[at] != '\'' && word.data[at] != '_')
			continue;
		if (!look_at_part(cookie, slice_part(word, begin, at)))
			return false;
		begin = at + 1;
	}
	return true;
}

bool said_may_press(struct slice text)
{
	uint32_t bits = 0;
	if (said_may_have_signs(text) && ((said_sign_bits(text) & (WORD_NOT | WORD_WRONG)) != 0 ||
					  says_any(text, list_forget_signs)))
		return true;
	text_words(text, look_at_word, &bits);
	return (bits & (WORD_FORGET | WORD_WRONG | WORD_NOT)) != 0;
}

bool said_may_decline(struct slice text)
{
	/* A Turkish verb follows its object, so it is written small. */
	return said_may_press(text) || refuses_in_signs(text) ||
	       slice_has_any(text, list_turkish_refusals);
}
