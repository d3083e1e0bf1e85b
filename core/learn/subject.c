#include "core/learn/subject.h"

#include "core/learn/words.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

#include <unicase.h>

/* ---- others ---- */

size_t said_kin(const struct said_clause *clause)
{
	enum { LATEST = 3 };
	for (size_t i = 1; i < clause->count && i <= LATEST; i++) {
		if ((said_bits(clause, i) & WORD_KIN) != 0 &&
		    (said_bits(clause, i - 1) & (WORD_FIRST | WORD_THIRD)) != 0)
			return i;
	}
	return 0;
}

/* "我妹妹是医生": the only "我" says whose sister it is. */
static bool is_of_kin_in_signs(const struct said_clause *clause)
{
	const struct slice self = SLICE("我");
	struct slice text = clause->text;
	size_t at = slice_find(text, self, 0);
	if ((clause->signs & WORD_KIN) == 0 || at == text.size)
		return false;
	/* "我是老师" says what the user is. */
	if (slice_starts_with(slice_part(text, at + self.size, text.size), SLICE("是")))
		return false;
	struct slice near = slice_part(text, at, at + 12 < text.size ? at + 12 : text.size);
	bool is_only = slice_find(text, self, at + self.size) == text.size;
	return is_only && (learn_sign_bits(near) & WORD_KIN) != 0;
}

/* "妹の美咲は...": the sign and what stands behind it up to the topic's mark; empty: the clause
 * begins otherwise. */
static struct slice kin_topic(const struct said_clause *clause)
{
	size_t end = clause->text.size;
	for (const char *const *mark = list_topic_marks; *mark != NULL; mark++) {
		size_t at = slice_find(clause->text, slice_of(*mark), 0);
		end = at < end ? at : end;
	}
	const struct slice topic = slice_part(clause->text, 0, end);
	const bool is_kin = end < clause->text.size && (learn_sign_bits(topic) & WORD_KIN) != 0;
	return is_kin ? topic : (struct slice){0};
}

static bool speaks_of_kin(const struct said_clause *clause)
{
	size_t kin = said_kin(clause);
	if (kin == 0)
		return is_of_kin_in_signs(clause) || kin_topic(clause).size > 0;
	for (size_t i = kin + 1; i < clause->count; i++) {
		if ((said_bits(clause, i) & WORD_FIRST) != 0)
			return false;
	}
	return true;
}

static bool speaks_of_third(const struct said_clause *clause)
{
	unsigned begin = said_bits(clause, 0) | said_bits(clause, 1);
	bool in_signs = slice_starts_with_any(clause->text, list_third_signs);
	return in_signs || ((begin & WORD_THIRD) != 0 && (clause->bits & WORD_FIRST) == 0);
}

bool said_is_of_others(const struct said *said, size_t index)
{
	for (;; index--) {
		const struct said_clause *clause = &said->clauses[index];
		if (speaks_of_kin(clause) || speaks_of_third(clause))
			return true;
		if (index == 0 || said->clauses[index - 1].sentence != clause->sentence ||
		    (clause->bits & (WORD_FIRST | WORD_SECOND | WORD_THIRD)) != 0)
			return false;
	}
}

/* ---- what is theirs ---- */

/* "Name", "nombre": a user's own; "mi chiamo" owns nothing. */
static bool is_name_word(struct slice word)
{
	return slice_ends_with_any(word, list_name_ends);
}

/* "My cat", but not "my name", nor "my friends" who "call me" something. */
static bool owns(const struct said_clause *clause, size_t at)
{
	enum { NEAR = 3 };
	if ((clause->words[at].bits & WORD_MY) == 0)
		return false;
	for (size_t i = at + 1; i < clause->count; i++) {
		const struct said_word *word = &clause->words[i];
		if ((i <= at + NEAR && is_name_word(word->text)) ||
		    (word->bits & (WORD_FIRST | WORD_MY)) == WORD_FIRST)
			return false;
	}
	return true;
}

/* "我的猫": what follows the sign is no name. */
static bool owns_in_signs(struct slice text)
{
	for (const char *const *sign = list_my_signs; *sign != NULL; sign++) {
		size_t at = slice_find(text, slice_of(*sign), 0);
		struct slice after = slice_part(text, at + strlen(*sign), text.size);
		if (at < text.size && !slice_starts_with(after, SLICE("名")))
			return true;
	}
	return false;
}

bool said_is_of_something(const struct said_clause *clause)
{
	if (owns_in_signs(clause->text))
		return true;
	for (size_t i = 0; i < clause->count; i++) {
		if (owns(clause, i))
			return true;
	}
	return false;
}

/* The word as the clause writes it, and where it ends there. */
static struct slice as_written(const struct said_clause *clause, struct slice word, size_t *end)
{
	*end = 0;
	for (struct slice run = said_run(clause->text, end); run.size > 0;
	     run = said_run(clause->text, end)) {
		if (text_says(run, word))
			return run;
	}
	return (struct slice){0};
}

struct slice said_owned(const struct said_clause *clause)
{
	enum { NEAR = 3 };
	size_t end;
	size_t mine = 0;
	while (mine < clause->count && !owns(clause, mine))
		mine++;
	if (mine + 1 >= clause->count)
		return (struct slice){0};
	/* "Mi mejor amiga". */
	for (size_t i = mine + 1; i < clause->count && i <= mine + NEAR; i++) {
		if ((clause->words[i].bits & WORD_KIN) != 0)
			return as_written(clause, clause->words[i].text, &end);
	}
	return as_written(clause, clause->words[mine + 1].text, &end);
}

static bool is_capital(struct slice word)
{
	uint32_t character = 0;
	if (word.size > 0)
		text_decode(word, 0, &character);
	return character != uc_tolower(character);
}

bool said_begins_with_kin(const struct said_clause *clause)
{
	return said_kin(clause) > 0 || is_of_kin_in_signs(clause) || kin_topic(clause).size > 0;
}

struct slice said_name_of_kin(const struct said_clause *clause)
{
	size_t end;
	const size_t kin = said_kin(clause);
	const struct slice joint = SLICE("の");
	const struct slice topic = kin_topic(clause);
	const size_t at = slice_find(topic, joint, 0);
	if (at < topic.size)
		return slice_part(topic, at + joint.size, topic.size);
	if (kin == 0 || as_written(clause, clause->words[kin].text, &end).size == 0)
		return (struct slice){0};
	const struct slice name = said_run(clause->text, &end);
	return is_capital(name) ? name : (struct slice){0};
}

/* ---- what is the user's ---- */

/* A verb without its pronoun: "estudio", "suono", "живу". It is not a participle, and no name. */
static bool is_first_person(const struct said *said, const struct said_clause *clause,
			    struct slice word)
{
	enum { LEAST = 4 };
	const uint32_t languages = said->languages | 1U << LEXICON_OTHER;
	if (word.size < LEAST || slice_find(clause->text, word, 0) == clause->text.size)
		return false;
	for (unsigned i = 0; i <= LEXICON_OTHER; i++) {
		if ((languages & 1U << i) != 0 && list_first_ends[i] != NULL &&
		    slice_ends_with_any(word, list_first_ends[i]))
			return true;
	}
	return false;
}

/* Where the clause begins to say something: after "and", "but not", "now". In front of a verb
 * stands no other: "es piloto" is no verb of the user's. */
static size_t head_of(const struct said_clause *clause, bool is_verb)
{
	const unsigned links = WORD_AND | WORD_SPLIT | WORD_NOT | WORD_SOFT | WORD_OPENER;
	size_t at = 0;
	while (at < clause->count && (clause->words[at].bits & WORD_FIRST) == 0 &&
	       ((clause->words[at].is_function && !is_verb) ||
		(clause->words[at].bits & links) != 0))
		at++;
	return at;
}

/* "Me gusta ...", "мне 29 лет": whom it is about stands first. */
static bool begins_with_user(const struct said *said, const struct said_clause *clause)
{
	const size_t verb = head_of(clause, true);
	const unsigned bits = said_bits(clause, head_of(clause, false));
	return (bits & (WORD_FIRST | WORD_MY)) == WORD_FIRST ||
	       (verb < clause->count && is_first_person(said, clause, clause->words[verb].text));
}

static bool is_of_user_in_signs(const struct said_clause *clause)
{
	return ((clause->signs & WORD_FIRST) != 0 ||
		text_says_any(clause->text, list_self_phrases)) &&
	       !is_of_kin_in_signs(clause) && kin_topic(clause).size == 0 &&
	       !owns_in_signs(clause->text);
}

bool said_is_of_user(const struct said *said, const struct said_clause *clause)
{
	if (is_of_user_in_signs(clause) || begins_with_user(said, clause))
		return true;
	for (size_t i = 0; i < clause->count; i++) {
		const unsigned bits = clause->words[i].bits;
		if ((bits & WORD_SUBJECT) != 0)
			return true;
		if ((bits & (WORD_THIRD | WORD_KIN)) != 0 || owns(clause, i))
			return false;
	}
	return false;
}

/* The index of the verb: behind the pronoun, or without one; `count` if there is none. */
static size_t verb_of(const struct said *said, const struct said_clause *clause)
{
	const size_t head = head_of(clause, true);
	if (head < clause->count && is_first_person(said, clause, clause->words[head].text))
		return head;
	for (size_t i = 0; i < clause->count; i++) {
		if ((clause->words[i].bits & WORD_SUBJECT) != 0)
			return clause->words[i].is_function ? i + 1 : i;
	}
	return clause->count;
}

struct slice said_deed(const struct said *said, const struct said_clause *clause)
{
	size_t end;
	const size_t verb = verb_of(said, clause);
	if (verb >= clause->count)
		return (struct slice){0};
	const struct slice written = as_written(clause, clause->words[verb].text, &end);
	const struct slice bare = said_bare(clause->text);
	const size_t last = (size_t)(bare.data - clause->text.data) + bare.size;
	if (written.size == 0 || last < end)
		return (struct slice){0};
	return slice_part(clause->text, end - written.size, last);
}

size_t said_clause_with(const struct said *said, struct slice text)
{
	size_t at = 0;
	while (at < said->count && !text_contains(said->clauses[at].text, text))
		at++;
	return at;
}

bool said_speaks_of_others(const struct said *said)
{
	for (size_t i = 0; i < said->count; i++) {
		const struct said_clause *clause = &said->clauses[i];
		if (speaks_of_kin(clause) || speaks_of_third(clause) ||
		    said_is_of_something(clause))
			return true;
	}
	return false;
}

/* "请帮我...", "...てください": at the beginning, or the end. */
static bool is_task_in_signs(const struct said_clause *clause)
{
	enum { NEAR = 21 }; /* bytes */
	const struct slice text = clause->text;
	const size_t near = text.size < NEAR ? text.size : NEAR;
	return (clause->signs & WORD_TASK) != 0 &&
	       ((learn_sign_bits(slice_part(text, 0, near)) |
		 learn_sign_bits(slice_part(text, text.size - near, text.size))) &
		WORD_TASK) != 0;
}

/* "Please write ...", "can you explain ...". */
bool said_is_task(const struct said_clause *clause)
{
	const unsigned asks = WORD_SECOND | WORD_OPENER | WORD_SOFT | WORD_ASK;
	size_t at = 0;
	for (size_t i = 0; i < clause->count; i++) {
		if ((clause->words[i].bits & (WORD_SUBJECT | WORD_MY)) != 0)
			return false;
	}
	while (at < clause->count && (clause->words[at].bits & WORD_TASK) == 0 &&
	       (clause->words[at].bits & asks) != 0)
		at++;
	return (said_bits(clause, at) & WORD_TASK) != 0 || is_task_in_signs(clause);
}

bool said_names_others(const struct said_clause *clause)
{
	bool names = speaks_of_kin(clause) || speaks_of_third(clause);
	for (size_t i = 0; i < clause->count; i++)
		names |= (clause->words[i].bits & (WORD_THIRD | WORD_KIN)) != 0;
	return names;
}
