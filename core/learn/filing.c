/* Whom an entry is about. */
#include "core/base/word_map.h"
#include "core/facts/facts.h"
#include "core/learn/borne.h"
#include "core/learn/named.h"
#include "core/learn/names.h"
#include "core/learn/subject.h"
#include "core/learn/words.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

static bool is_user(struct slice entity)
{
	return slice_equal(entity, SLICE("user"));
}

static bool is_name_key(struct slice key, struct arena *arena)
{
	return slice_equal(fact_key(key, arena), SLICE("name"));
}

/* ---- whose name it is ---- */

static const struct said_clause *clause_of(const struct said *said, struct slice name)
{
	const size_t at = said_clause_with(said, name);
	return at < said->count ? &said->clauses[at] : NULL;
}

bool learn_is_own_name(const struct said *said, const struct learn_entry *entry,
		       struct arena *arena)
{
	if (!is_name_key(entry->key, arena))
		return true;
	/* "My boss" is no name. */
	if ((learn_word_bits(word_hash(fact_fold(entry->value, arena)), said->languages) &
	     WORD_KIN) != 0)
		return false;
	if (!is_user(entry->entity))
		return true;
	const struct said_clause *clause = clause_of(said, entry->value);
	return clause == NULL || !said_is_of_something(clause);
}

/* ---- the user's name ---- */

/* "I'm Priya", filed under Priya, or under what the model makes of a name in another script. */
static bool introduces(const struct said *said, const struct learn_entry *entry,
		       struct arena *arena)
{
	if (!is_name_key(entry->key, arena) || is_user(entry->entity) ||
	    (!slice_equal_nocase(entry->entity, entry->value) &&
	     text_contains(said->text, entry->entity)))
		return false;
	const struct said_clause *clause = clause_of(said, entry->value);
	return clause != NULL && (clause->bits & WORD_FIRST) != 0 && !said_is_of_something(clause);
}

static struct slice known_name(const struct learn_turn *turn, struct arena *arena)
{
	struct slice name = {0};
	for (size_t i = 0; i < turn->fact_count; i++) {
		const struct fact *fact = &turn->facts[i];
		if (fact->state == FACT_CURRENT && fact_is_about_user(fact) &&
		    is_name_key(fact->key, arena))
			name = fact->value;
	}
	return name;
}

/* The names under which the entries speak of the user. */
struct own_names {
	struct slice known;
	struct slice told;
	struct slice filed; /* the entity under which the name is told */
};

static void read_told(const struct said *said, const struct learn_entries *entries,
		      struct own_names *names, struct arena *arena)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct learn_entry *entry = &entries->list[i];
		if (entry->op == LEARN_FORGET || !is_name_key(entry->key, arena))
			continue;
		if (introduces(said, entry, arena))
			names->filed = entry->entity;
		else if (!is_user(entry->entity) || !learn_is_own_name(said, entry, arena))
			continue;
		names->told = entry->value;
	}
}

/* ---- whom a fact is about ---- */

static bool is_known_entity(const struct learn_turn *turn, struct slice entity)
{
	for (size_t i = 0; i < turn->fact_count; i++) {
		if (slice_equal_nocase(turn->facts[i].entity, entity))
			return true;
	}
	for (size_t i = 0; i < turn->before_count; i++) {
		if (text_contains(turn->before[i].text, entity))
			return true;
	}
	return false;
}

/* In a turn of another language, a model may name things in English: "cat", but not "Hani". */
static bool may_be_translated(const struct said *said, struct slice entity)
{
	if (entity.size == 0 || entity.data[0] < 'a' || entity.data[0] > 'z')
		return false;
	if ((said->languages & 1U << LEXICON_ENGLISH) == 0)
		return true;
	for (size_t i = 0; i < said->text.size; i++) {
		if ((unsigned char)said->text.data[i] >= 0x80)
			return true;
	}
	return false;
}

/* Kin may be named otherwise: "my mom" is "mother". */
bool learn_is_named(const struct learn_turn *turn, const struct said *said,
		    const struct learn_entry *entry, struct arena *arena)
{
	if (is_user(entry->entity) || text_contains(said->text, entry->entity) ||
	    is_known_entity(turn, entry->entity) || may_be_translated(said, entry->entity))
		return true;
	const struct support support = support_read(said->text, said, arena);
	if (support_names(&support, entry->entity, arena))
		return true;
	struct slice folded = fact_fold(entry->entity, arena);
	unsigned bits = learn_sign_bits(said->text);
	for (size_t i = 0; i < support.count; i++)
		bits |= support.words[i].bits;
	return (bits & WORD_KIN) != 0 &&
	       (learn_word_bits(word_hash(folded), 1U << LEXICON_ENGLISH) & WORD_KIN) != 0;
}

/* ---- somebody of the user's ---- */

/* Whether the word is one for kin and the like, in English or the turn's languages. */
static bool is_kin(const struct said *said, struct slice word, struct arena *arena)
{
	const uint32_t languages = said->languages | 1U << LEXICON_ENGLISH | 1U << LEXICON_OTHER;
	return (learn_word_bits(word_hash(fact_fold(word, arena)), languages) & WORD_KIN) != 0;
}

/* Whether the turn says the entity in its own letters, or whom it may mean is known. */
static bool is_heard_of(const struct learn_turn *turn, const struct said *said, struct slice entity,
			struct arena *arena)
{
	const struct support support = support_read(said->text, said, arena);
	return text_contains(said->text, entity) || support_names(&support, entity, arena) ||
	       is_known_entity(turn, entity) ||
	       (is_kin(said, entity, arena) && said_speaks_of_others(said));
}

/* The clause that calls something of the user's by the name: "mein Kater heißt Pumuckl". */
static const struct said_clause *clause_naming(const struct said *said, struct slice name)
{
	const struct said_clause *clause = clause_of(said, name);
	const bool is_theirs = clause != NULL && said_owned(clause).size > 0 &&
			       !text_says(said_owned(clause), name);
	return is_theirs ? clause : NULL;
}

/* "Boss: name: Hervé" says whom the other entries about the boss are about, and what he is. */
static void settle_named(const struct said *said, struct learn_entries *entries, size_t at,
			 struct arena *arena)
{
	struct learn_entry *entry = &entries->list[at];
	const struct slice called = entry->entity;
	const struct slice name = text_says(entry->value, called) ? called : entry->value;
	const struct said_clause *clause = clause_naming(said, name);
	if (is_user(called) || !is_name_key(entry->key, arena) || clause == NULL)
		return;
	const struct slice owned = said_owned(clause);
	for (size_t i = 0; i < entries->count; i++) {
		if (slice_equal_nocase(entries->list[i].entity, called))
			entries->list[i].entity = name;
	}
	entry->key = is_kin(said, owned, arena) ? SLICE("relation") : SLICE("kind");
	entry->value = owned;
	entry->words = clause->text;
	entry->quote = text_one_line(entry->words, LEARN_MAX_QUOTE, arena);
}

/* "Vera" of a turn in other letters. */
static bool is_respelled(const struct learn_turn *turn, const struct said *said,
			 const struct learn_entry *entry, struct arena *arena)
{
	return !is_user(entry->entity) && entry->entity.size > 0 && entry->entity.data[0] >= 'A' &&
	       entry->entity.data[0] <= 'Z' && !is_heard_of(turn, said, entry->entity, arena);
}

/* The name of whom a clause continues to speak, back to the one that begins with kin. */
static struct slice name_before(const struct said *said, size_t at)
{
	while (at > 0 && !said_begins_with_kin(&said->clauses[at]))
		at--;
	return said_name_of_kin(&said->clauses[at]);
}

/* The name in the only clause that begins with kin. */
static struct slice only_name(const struct said *said)
{
	struct slice name = {0};
	size_t count = 0;
	for (size_t i = 0; i < said->count; i++) {
		if (!said_begins_with_kin(&said->clauses[i]))
			continue;
		name = said_name_of_kin(&said->clauses[i]);
		count++;
	}
	return count == 1 ? name : (struct slice){0};
}

/* The name of the kin that the entry is about: "daughter", of "mi hija Lucía", or the user where
 * the clause is about her. */
static struct slice name_of_kin(const struct learn_turn *turn, const struct said *said,
				const struct learn_entry *entry, struct arena *arena)
{
	const size_t at = said_clause_with(said, entry->words);
	if (entry->words.size == 0)
		return (struct slice){0};
	if (is_user(entry->entity) && at < said->count &&
	    learn_is_personal_key(entry->key, arena) && said_is_of_others(said, at))
		return name_before(said, at);
	if (is_kin(said, entry->entity, arena) || is_respelled(turn, said, entry, arena))
		return only_name(said);
	/* "Tamsin: age: four" of "our son Jude has just turned four". */
	if (!is_user(entry->entity) && at < said->count &&
	    is_heard_of(turn, said, entry->entity, arena) &&
	    !text_contains(said->clauses[at].text, entry->entity))
		return said_name_of_kin(&said->clauses[at]);
	return (struct slice){0};
}

static void settle_kin(const struct learn_turn *turn, const struct said *said,
		       struct learn_entry *entry, struct arena *arena)
{
	const struct slice name = name_of_kin(turn, said, entry, arena);
	if (name.size > 0)
		entry->entity = name;
	if (!is_user(entry->entity) && is_kin(said, entry->value, arena) &&
	    !slice_equal_nocase(entry->entity, entry->value))
		entry->key = SLICE("relation");
}

/* ---- what is the user's own ---- */

/* Whether every clause of the quote that names somebody names the user. */
static bool is_quote_of_user(const struct said *said, struct slice quote, struct arena *arena)
{
	bool is_of_user = false;
	const struct said parts = said_read(quote, said, arena);
	for (size_t i = 0; i < parts.count; i++) {
		if (said_names_others(&parts.clauses[i]))
			return false;
		is_of_user |= said_is_of_user(&parts, &parts.clauses[i]);
	}
	return is_of_user;
}

/* "... and study architecture": the subject stands before. */
static bool continues_user(const struct said *said, size_t at)
{
	for (;; at--) {
		const struct said_clause *clause = &said->clauses[at];
		if (said_names_others(clause) || said_is_of_something(clause))
			return false;
		if (said_is_of_user(said, clause))
			return true;
		if (at == 0 || said->clauses[at - 1].sentence != clause->sentence)
			return false;
	}
}

static bool overlap(struct slice a, struct slice b)
{
	return text_says(a, b) || text_says(b, a);
}

/* Whether an entry says that the user has it: "pet: dog". */
static bool is_had(const struct learn_entries *entries, struct slice entity)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct learn_entry *entry = &entries->list[i];
		if (slice_is_any(entry->key, list_had_keys) &&
		    slice_equal_nocase(entry->value, entity))
			return true;
	}
	return false;
}

/* What a small model files under a place, a job or a word of what the user says of themselves:
 * "Fiona lives in Tver" of "I live in Tver" in other letters, "shellfish cannot eat shellfish",
 * "Sheffield drives a tram". */
static bool is_misfiled(const struct learn_turn *turn, const struct said *said,
			const struct learn_entries *entries, const struct learn_entry *entry,
			struct arena *arena)
{
	size_t at = said_clause_with(said, entry->words);
	if (at == said->count && text_contains(said->text, entry->words))
		at = said_clause_with(said, entry->value);
	if (entry->words.size == 0 || at == said->count || !learn_is_name(entry->entity) ||
	    is_user(entry->entity) || is_name_key(entry->key, arena))
		return false;
	const struct slice entity = text_spaced(entry->entity, arena);
	const bool says_user = is_quote_of_user(said, entry->words, arena);
	if (!is_heard_of(turn, said, entity, arena))
		return says_user || (!is_had(entries, entity) && continues_user(said, at));
	if (overlap(entity, entry->value))
		return says_user || is_quote_of_user(said, said->clauses[at].text, arena);
	if (is_known_entity(turn, entry->entity) || slice_equal(entry->kind, SLICE("project")) ||
	    named_as_project(said, entity, arena))
		return false;
	if (!says_user)
		return !said_names_others(&said->clauses[at]) &&
		       !said_is_of_something(&said->clauses[at]) &&
		       !text_contains(entry->words, entity) && named_as_place(said, entity, arena);
	if (!text_contains(entry->words, entity))
		return true;
	return learn_is_personal_key(entry->key, arena) &&
	       named_as_thing(said, entry->words, entity, arena);
}

void learn_settle_self(const struct learn_turn *turn, const struct said *said,
		       struct learn_entries *entries, struct arena *arena)
{
	struct own_names names = {.known = known_name(turn, arena)};
	read_told(said, entries, &names, arena);
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		bool is_self = slice_equal_nocase(entry->entity, names.known) ||
			       slice_equal_nocase(entry->entity, names.told) ||
			       slice_equal_nocase(entry->entity, names.filed);
		if ((is_self && entry->entity.size > 0) ||
		    is_misfiled(turn, said, entries, entry, arena))
			entry->entity = SLICE("user");
	}
	for (size_t i = 0; i < entries->count; i++) {
		if (entries->list[i].op != LEARN_FORGET)
			settle_named(said, entries, i, arena);
	}
	for (size_t i = 0; i < entries->count; i++) {
		if (entries->list[i].op != LEARN_FORGET)
			settle_kin(turn, said, &entries->list[i], arena);
	}
}
