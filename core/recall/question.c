#include "core/base/bytes.h"
#include "core/base/utf8.h"
#include "core/recall/dates.h"
#include "core/recall/rank.h"
#include "core/text/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

enum recall_phrase {
	RECALL_WANTS_WORDS = 1, /* "verbatim", "word for word" */
	RECALL_ABOUT_PAST = 2,  /* "used to", "no longer" */
	RECALL_ABOUT_ALL = 4,   /* "about me", "who am I", "last time" */
	RECALL_SAYS_I = 8,      /* where no word of its own says it: "j\'ai", "tengo", "我" */
};

/* Phrases, in many languages, that show what a question wants. */

struct phrase {
	struct slice text;
	bool is_open;
	uint8_t meaning; /* one of enum recall_phrase */
	uint8_t next;    /* the next phrase in its chain, from 1; 0: none */
};

/* Phrases that begin alike share a chain, so that few are compared where a word begins. */
enum { PHRASE_CHAINS = 256 /* a power of two */ };

static size_t phrase_chain(const char *beginning)
{
	return ((unsigned char)beginning[0] * 7U + (unsigned char)beginning[1]) &
	       (PHRASE_CHAINS - 1);
}

#include "phrases_map.h"

/* Words of scripts without spaces have no end to look for. */
static bool is_letter(uint32_t character)
{
	if (character < 0x80)
		return (character >= 'a' && character <= 'z') ||
		       (character >= 'A' && character <= 'Z');
	return character < 0x0E00 && uc_is_property_alphabetic(character);
}

static bool may_begin(struct slice text, size_t at)
{
	const uint8_t *start = (const uint8_t *)text.data;
	ucs4_t before = at == 0 ? 0 : start[at - 1];
	if (before >= 0x80)
		(void)u8_prev(&before, start + at, start);
	return !is_letter(before);
}

static bool may_end(struct slice text, size_t at)
{
	uint32_t after = 0;
	if (at < text.size)
		text_decode(text, at, &after);
	return !is_letter(after);
}

static unsigned phrases_at(struct slice text, size_t at)
{
	unsigned found = 0;
	struct slice rest = slice_part(text, at, text.size);
	for (size_t i = phrase_chains[phrase_chain(rest.data)]; i > 0; i = phrases[i - 1].next) {
		const struct phrase *phrase = &phrases[i - 1];
		if (slice_starts_with(rest, phrase->text) &&
		    (phrase->is_open || may_end(rest, phrase->text.size)))
			found |= phrase->meaning;
	}
	return found;
}

/* Which kinds of phrases the text contains, one bit each. The text must be case folded and in
 * NFKC. */
static unsigned find_phrases(struct slice text)
{
	unsigned found = 0;
	for (size_t at = 0; at + 1 < text.size; at++) {
		if (may_begin(text, at))
			found |= phrases_at(text, at);
	}
	return found;
}

/* Empty if it is not ASCII. */
static struct slice ascii_lower(struct slice text, struct arena *arena)
{
	char *lower = arena_bytes(arena, text.size);
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if ((unsigned char)c >= 0x80)
			return SLICE("");
		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	return (struct slice){lower, text.size};
}

/* Empty if it is not UTF-8. */
static struct slice fold(struct slice text, struct arena *arena)
{
	struct slice lower = ascii_lower(text, arena);
	if (lower.size > 0)
		return lower;
	size_t size = 0;
	uint8_t *folded =
		u8_casefold((const uint8_t *)text.data, text.size, NULL, UNINORM_NFKC, NULL, &size);
	struct slice copy = {0};
	if (folded != NULL)
		copy = arena_copy(arena, (struct slice){(const char *)folded, size});
	else if (errno == ENOMEM)
		out_of_memory();
	free(folded);
	return copy;
}

/* A word and its stem count as one. */
static size_t count_telling(const struct term_list *terms)
{
	size_t count = 0;
	for (size_t i = 0; i < terms->count; i++)
		count += terms->terms[i].kind == TERM_WORD || terms->terms[i].kind == TERM_STEM;
	return count;
}

/* The beginning and the end of a long message say what it asks; text pasted in between would only
 * cost time. */
static struct slice asking_part(struct slice text, struct arena *arena)
{
	enum { HALF = 1024 };
	if (text.size <= 2 * HALF)
		return text;
	size_t first = HALF;
	size_t last = text.size - HALF;
	while (first > HALF - 4 && utf8_is_tail(text.data[first]))
		first--;
	while (last < text.size - HALF + 4 && utf8_is_tail(text.data[last]))
		last++;
	const struct slice parts[] = {slice_part(text, 0, first), SLICE("\n"),
				      slice_part(text, last, text.size)};
	return arena_join(arena, parts, 3);
}

enum { ENOUGH_WORDS = 3 };

void recall_read_question(struct slice text, int64_t now, struct recall_question *question,
			  struct arena *arena)
{
	struct slice asked = asking_part(text, arena);
	struct slice folded = fold(asked, arena);
	*question = (struct recall_question){.text = asked};
	terms_read(asked, &question->terms, arena);
	question->ages = (uint8_t *)arena_bytes(arena, question->terms.count);
	memset(question->ages, 0, question->terms.count);
	size_t telling = count_telling(&question->terms);
	question->has_subject = telling > 0;
	question->leans = telling < ENOUGH_WORDS;
	unsigned said = find_phrases(folded);
	question->wants_words = (said & RECALL_WANTS_WORDS) != 0;
	question->about_past = (said & RECALL_ABOUT_PAST) != 0;
	question->about_user = question->terms.says_i || (said & RECALL_SAYS_I) != 0;
	question->is_broad = (said & RECALL_ABOUT_ALL) != 0;
	question->period_count = recall_read_dates(asked, now, question->periods);
	for (size_t i = 0; i < question->period_count; i++)
		question->about_past |= question->periods[i].until <= now;
}

/* Adds the terms that the question itself does not have. */
static void add_terms(struct recall_question *question, const struct term_list *earlier,
		      uint8_t age, struct arena *arena)
{
	const struct term_list own = question->terms;
	const uint8_t *own_ages = question->ages;
	struct term_list *both = &question->terms;
	size_t a = 0, b = 0;
	both->terms = arena_alloc(arena, (own.count + earlier->count) * sizeof(struct term));
	both->count = 0;
	question->ages = (uint8_t *)arena_bytes(arena, own.count + earlier->count);
	while (a < own.count || b < earlier->count) {
		bool is_own = b == earlier->count ||
			      (a < own.count && own.terms[a].hash <= earlier->terms[b].hash);
		bool is_both =
			is_own && b < earlier->count && own.terms[a].hash == earlier->terms[b].hash;
		question->ages[both->count] = is_own ? own_ages[a] : age;
		both->terms[both->count++] = is_own ? own.terms[a] : earlier->terms[b];
		a += is_own;
		b += is_both || !is_own;
	}
}

void recall_read_earlier(const struct slice *texts, size_t count, struct recall_question *question,
			 struct arena *arena)
{
	if (!question->has_subject && !recall_asks(question->text))
		return;
	for (size_t i = 0; i < count && i < RECALL_EARLIER; i++) {
		struct term_list earlier;
		terms_read(asking_part(texts[i], arena), &earlier, arena);
		add_terms(question, &earlier, (uint8_t)(i + 1), arena);
		question->earlier = i + 1;
	}
	question->has_subject = count_telling(&question->terms) > 0;
}
