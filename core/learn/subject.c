#include "core/learn/said.h"

#include "core/text/text.h"
#include "lists.h"

/* ---- others ---- */

/* "我妹妹是医生": the sign for kin stands right behind the "我" that says whose it is. "我是老师"
 * says what the user is. */
static bool is_of_kin_in_signs(const struct said_clause *clause)
{
	enum { NEAR = 12 }; /* bytes: four ideographs */
	const size_t at = slice_find(clause->text, SLICE("我"), 0);
	if (slice_find(clause->text, SLICE("我是"), 0) == at)
		return false;
	const size_t end = at + NEAR < clause->text.size ? at + NEAR : clause->text.size;
	return (clause->signs & WORD_KIN) != 0 && at < clause->text.size &&
	       (said_sign_bits(slice_part(clause->text, at, end)) & WORD_KIN) != 0;
}

bool said_is_of_kin(const struct said_clause *clause)
{
	enum { LATEST = 3 };
	for (size_t i = 1; i < clause->count && i <= LATEST; i++) {
		if ((said_bits(clause, i) & WORD_KIN) != 0 &&
		    (said_bits(clause, i - 1) & (WORD_FIRST | WORD_THIRD)) != 0)
			return true;
	}
	return is_of_kin_in_signs(clause);
}

static bool is_of_third(const struct said_clause *clause)
{
	return (said_bits(clause, 0) & WORD_THIRD) != 0 ||
	       slice_starts_with_any(clause->text, list_third_signs);
}

bool said_is_of_others(const struct said *said, size_t index)
{
	for (;; index--) {
		const struct said_clause *clause = &said->clauses[index];
		if (said_is_of_kin(clause) || is_of_third(clause))
			return true;
		if (index == 0 || said->clauses[index - 1].sentence != clause->sentence ||
		    (clause->bits & (WORD_FIRST | WORD_SECOND | WORD_THIRD)) != 0)
			return false;
	}
}

bool said_names_others(const struct said_clause *clause)
{
	bool names = is_of_kin_in_signs(clause) || is_of_third(clause);
	for (size_t i = 0; i < clause->count; i++)
		names |= (clause->words[i].bits & (WORD_THIRD | WORD_KIN)) != 0;
	return names;
}

/* ---- what is theirs ---- */

/* "My cat", but not "my name", nor "my friends" who "call me" something. */
static bool owns(const struct said_clause *clause, size_t at)
{
	if ((clause->words[at].bits & WORD_MY) == 0)
		return false;
	for (size_t i = at + 1; i < clause->count; i++) {
		const struct said_word *word = &clause->words[i];
		if (slice_ends_with_any(word->text, list_name_ends) ||
		    (word->bits & (WORD_FIRST | WORD_MY)) == WORD_FIRST)
			return false;
	}
	return true;
}

/* The index of "my" where the clause tells of something of the user's; otherwise its count. */
static size_t find_owned(const struct said_clause *clause)
{
	size_t at = 0;
	while (at < clause->count && !owns(clause, at))
		at++;
	return at;
}

bool said_is_of_something(const struct said_clause *clause)
{
	return find_owned(clause) < clause->count;
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
	size_t at = find_owned(clause) + 1;
	if (at >= clause->count)
		return (struct slice){0};
	/* "Mi mejor amiga". */
	for (size_t i = at; i < clause->count && i < at + NEAR; i++) {
		if ((clause->words[i].bits & WORD_KIN) != 0)
			return as_written(clause, clause->words[i].text, &end);
	}
	return as_written(clause, clause->words[at].text, &end);
}

/* ---- what is the user's ---- */

static bool is_of_user_in_signs(const struct said_clause *clause)
{
	return ((clause->signs & WORD_FIRST) != 0 ||
		text_says_any(clause->text, list_self_phrases)) &&
	       !is_of_kin_in_signs(clause);
}

bool said_is_of_user(const struct said_clause *clause)
{
	if (is_of_user_in_signs(clause))
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

/* The index of the verb, behind the pronoun or with it in one ("vivo"); otherwise the count. */
static size_t find_verb(const struct said_clause *clause)
{
	for (size_t i = 0; i < clause->count; i++) {
		if ((clause->words[i].bits & WORD_SUBJECT) != 0)
			return clause->words[i].is_function ? i + 1 : i;
	}
	return clause->count;
}

struct slice said_deed(const struct said_clause *clause)
{
	size_t end;
	const size_t verb = find_verb(clause);
	if (verb >= clause->count)
		return (struct slice){0};
	const struct slice written = as_written(clause, clause->words[verb].text, &end);
	const struct slice bare = said_bare(clause->text);
	const size_t last = (size_t)(bare.data - clause->text.data) + bare.size;
	if (written.size == 0 || last < end)
		return (struct slice){0};
	return slice_part(clause->text, end - written.size, last);
}

/* ---- what is over, or only asked for ---- */

/* "Früher war ich ...", but not "antes de ...", which says when. */
static bool begins_in_past(const struct said_clause *clause)
{
	size_t at = 0;
	while (at < 2 && at < clause->count && !slice_is_any(clause->words[at].text, list_once))
		at++;
	return at < 2 && at + 1 < clause->count &&
	       !slice_is_any(clause->words[at + 1].text, list_behind_once);
}

bool said_is_past(const struct said_clause *clause)
{
	return begins_in_past(clause) || text_says_any(clause->text, list_used_to) ||
	       slice_has_any(clause->text, list_once_signs);
}

bool said_is_ended(const struct said_clause *clause)
{
	return (clause->bits & WORD_NOT) != 0 && text_says_any(clause->text, list_no_longer);
}

/* "请帮我...", "...てください": at the beginning, or the end. */
static bool is_task_in_signs(const struct said_clause *clause)
{
	enum { NEAR = 21 }; /* bytes */
	const struct slice text = clause->text;
	const size_t near = text.size < NEAR ? text.size : NEAR;
	return (clause->signs & WORD_TASK) != 0 &&
	       ((said_sign_bits(slice_part(text, 0, near)) |
		 said_sign_bits(slice_part(text, text.size - near, text.size))) &
		WORD_TASK) != 0;
}

bool said_is_task(const struct said_clause *clause)
{
	const unsigned asks = WORD_SECOND | WORD_OPENER | WORD_SOFT | WORD_ASK;
	size_t at = 0;
	if ((clause->bits & (WORD_SUBJECT | WORD_MY)) != 0)
		return false;
	while (at < clause->count && (clause->words[at].bits & WORD_TASK) == 0 &&
	       (clause->words[at].bits & asks) != 0)
		at++;
	return (said_bits(clause, at) & WORD_TASK) != 0 || is_task_in_signs(clause);
}

const struct said_clause *said_clause_with(const struct said *said, struct slice text)
{
	for (size_t i = 0; i < said->count; i++) {
		if (text_contains(said->clauses[i].text, text))
			return &said->clauses[i];
	}
	return NULL;
}
