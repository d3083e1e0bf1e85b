#include "core/clients/forms.h"
#include "core/facts/facts.h"
#include "core/learn/borne.h"
#include "core/learn/entry.h"
#include "core/learn/said.h"
#include "core/learn/wish.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

/* Any turn contains a shorter quote. */
enum { SHORTEST_QUOTE = 4 };

/* An answer is checked against this. */
struct reading {
	const struct learn_turn *turn;
	struct said said; /* the user's own words */
	struct wish wish;
	struct slice pointed_at; /* the answer before the turn */
	struct arena *arena;
};

/* The quote without the marks that some models put around it. */
static struct slice without_marks(struct slice quote)
{
	static const char *const marks[] = {"\"", "'", "`", "“",  "”",  "„",  "‘",
					    "’",  "«", "»", "「", "」", ".",  ",",
					    ";",  ":", "!", "?",  "…",  "。", NULL};
	for (const char *const *mark = marks; *mark != NULL;) {
		const struct slice text = slice_of(*mark++);
		const bool begins = slice_starts_with(quote, text);
		if (!begins && !slice_ends_with(quote, text))
			continue;
		quote = slice_trim(slice_part(quote, begins ? text.size : 0,
					      quote.size - (begins ? 0 : text.size)));
		mark = marks;
	}
	return quote;
}

/* The first mark at or after `at` for something that the model left out; the quote's size if there
 * is none. */
static size_t find_gap(struct slice quote, size_t at, size_t *behind)
{
	static const struct slice marks[] = {SLICE("[...]"), SLICE("..."), SLICE("…")};
	size_t first = quote.size;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t found = slice_find(quote, marks[i], at);
		if (found < first) {
			first = found;
			*behind = found + marks[i].size;
		}
	}
	return first;
}

/* True if the text contains each part of a quote that leaves something out. */
static bool says_parts(struct slice said, struct slice quote)
{
	enum { MOST_PARTS = 8 };
	size_t behind = 0;
	size_t count = 0;
	for (size_t at = 0; at < quote.size && count < MOST_PARTS; count++) {
		size_t gap = find_gap(quote, at, &behind);
		struct slice part = without_marks(slice_part(quote, at, gap));
		if (part.size < SHORTEST_QUOTE || !text_contains(said, part))
			return false;
		at = gap == quote.size ? gap : behind;
	}
	return count > 1 && count < MOST_PARTS;
}

/* True if the user said what the entry quotes. */
static bool is_said(const struct said *said, struct learn_entry *entry, struct arena *arena)
{
	if (entry->words.size == 0 || text_contains(said->text, entry->words))
		return true;
	const struct slice bare = without_marks(entry->words);
	if (bare.size > 0)
		entry->words = bare;
	entry->quote = text_one_line(entry->words, LEARN_MAX_QUOTE, arena);
	return text_contains(said->text, entry->words) || says_parts(said->text, entry->words);
}

/* ---- what a fact rests on ---- */

/* "The second one", "that one", "I'll take it": the user means something that the previous answer
 * names. */
static bool points(const struct support *support)
{
	const unsigned bits = support_bits(support);
	if ((said_sign_bits(support->text) & WORD_POINT) != 0)
		return true;
	bool ends_in_one = (bits & (WORD_POINT | WORD_THAT)) != 0 && (bits & WORD_ONE) != 0;
	return ends_in_one || ((bits & WORD_TAKE) != 0 && (bits & (WORD_POINT | WORD_THAT)) != 0) ||
	       ((bits & WORD_POINT) != 0 && support->said->language != LEXICON_ENGLISH);
}

static struct support support_of(const struct reading *reading, const struct learn_entry *entry)
{
	/* "So do I": the sentence before says it. */
	const bool is_echo = text_says_any(entry->words, list_echoes);
	struct slice text = entry->words.size > 0 && !is_echo ? entry->words : reading->said.text;
	struct support support = support_read(text, &reading->said, reading->arena);
	if (reading->pointed_at.size == 0 || !points(&support))
		return support;
	const struct slice parts[] = {text, SLICE("\n"), reading->pointed_at};
	return support_read(arena_join(reading->arena, parts, 3), &reading->said, reading->arena);
}

static bool is_value_borne(const struct reading *reading, const struct learn_entry *entry)
{
	const struct support support = support_of(reading, entry);
	return support_bears(&support, entry->value, reading->arena) &&
	       learn_is_meant(&reading->said, entry, reading->arena);
}

/* A fact ends where the user says that its value, or else its key, does. */
static bool is_end_borne(const struct reading *reading, struct learn_entry *entry)
{
	struct support support = support_of(reading, entry);
	if (entry->value.size > 0)
		return support_bears(&support, entry->value, reading->arena);
	entry->rests_on_names = true;
	return (entry->words.size >= SHORTEST_QUOTE && support_says_anything(&support)) ||
	       support_names(&support, entry->key, reading->arena) ||
	       (entry->names_entity && support_names(&support, entry->entity, reading->arena));
}

/* True if the user's own turn asks for it, and names it. */
static bool is_wished(const struct reading *reading, struct learn_entry *entry)
{
	const struct wish *wish = &reading->wish;
	struct arena *arena = reading->arena;
	if (!wish->is_asked)
		return false;
	if (entry->value.size > 0) {
		entry->rests_on_names = !wish_names_value(wish, entry->value, arena);
		entry->conceals =
			entry->rests_on_names && !wish_names_all(wish, entry->entity, arena) &&
			(entry->key.size == 0 || !wish_names_key(wish, entry->key, arena));
		return !entry->conceals || entry->key.size > 0;
	}
	/* Applying the entry shows which of the key's values the user names. */
	if (entry->key.size > 0)
		return true;
	/* An entry without details never empties a user. */
	if (slice_equal(entry->entity, SLICE("user")))
		return entry->words.size >= SHORTEST_QUOTE &&
		       wish_names_all(wish, entry->entity, arena);
	return wish_names_whole(wish, entry->entity, arena);
}

/* True if a key or an entity is a name of a few words, and not an instruction to its reader. */
static bool is_name(const struct reading *reading, struct slice name)
{
	/* In scripts without spaces, a pair of characters counts as a word. */
	enum { MOST_WORDS = 5, MOST_PAIRS = 12 };
	size_t count;
	uint32_t character = 0;
	const struct said_word *words = said_words(name, &reading->said, &count, reading->arena);
	for (size_t i = 0; i < count; i++) {
		if (slice_is_any(words[i].text, list_commands))
			return false;
	}
	if (name.size > 0)
		text_decode(name, 0, &character);
	return count <= (text_is_unspaced(character) ? MOST_PAIRS : MOST_WORDS) &&
	       !slice_has_any(name, list_command_signs);
}

/* Only the user's own words count, and only those that the model was shown. */
static bool is_grounded(const struct reading *reading, struct learn_entry *entry)
{
	if (!is_name(reading, entry->key) || !is_name(reading, entry->entity) ||
	    !is_said(&reading->said, entry, reading->arena))
		return false;
	/* The user did not say what was masked. */
	if (text_contains(entry->value, SLICE("redacted")) &&
	    text_contains(reading->said.text, SLICE("[redacted:")))
		return false;
	if (entry->op == LEARN_FORGET)
		return is_wished(reading, entry);
	return entry->op == LEARN_REMOVE ? is_end_borne(reading, entry)
					 : is_value_borne(reading, entry);
}

static bool is_over(const struct learn_turn *turn, const struct learn_entry *entry)
{
	bool stores = entry->op == LEARN_SET || entry->op == LEARN_ADD;
	return stores && entry->expires_at != 0 && entry->expires_at < turn->created_at;
}

/* Keeps the entries that may be learned, in order. */
static void keep_sound(const struct reading *reading, struct learn_entries *entries)
{
	const struct learn_turn *turn = reading->turn;
	size_t kept = 0;
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		if (entry->confidence > turn->min_confidence && !is_over(turn, entry) &&
		    is_grounded(reading, entry) &&
		    !(turn->repairs && learn_is_idle(entries->list, kept, entry, reading->arena)))
			entries->list[kept++] = *entry;
		else
			entries->rejected++;
	}
	entries->count = kept;
}

static struct slice last_answer(const struct learn_turn *turn)
{
	for (size_t i = turn->before_count; i-- > 0;) {
		if (turn->before[i].role == ROLE_ASSISTANT)
			return learn_shown_turn(turn->before[i].text);
	}
	return (struct slice){0};
}

/* ---- the answers ---- */

static bool is_same_entry(const struct learn_entry *a, const struct learn_entry *b)
{
	return a->op == b->op && slice_equal(a->entity, b->entity) && slice_equal(a->key, b->key) &&
	       slice_equal(a->value, b->value);
}

/* A model that is asked two things may answer both at once, and then again. */
static void add_entry(struct learn_entries *entries, const struct learn_entry *entry)
{
	for (size_t i = 0; i < entries->count; i++) {
		if (is_same_entry(&entries->list[i], entry))
			return;
	}
	if (entries->count < LEARN_MAX_ENTRIES)
		entries->list[entries->count++] = *entry;
	else
		entries->rejected++;
}

/* An entry list takes 9 KB, of which mostly the first few hundred bytes are used. */
static struct learn_entries *new_entries(struct arena *arena)
{
	struct learn_entries *entries =
		(struct learn_entries *)arena_bytes(arena, sizeof(*entries));
	entries->count = entries->rejected = entries->masked_count = 0;
	return entries;
}

static bool read_all(const struct slice *answers, size_t count, bool repairs,
		     struct learn_entries *entries, struct arena *arena)
{
	if (count == 1)
		return learn_entries_read(answers[0], repairs, entries, arena);
	struct learn_entries *more = new_entries(arena);
	for (size_t i = 0; i < count; i++) {
		if (!learn_entries_read(answers[i], repairs, more, arena))
			return false;
		entries->rejected += more->rejected;
		for (size_t j = 0; j < more->count; j++)
			add_entry(entries, &more->list[j]);
	}
	return true;
}

static struct slice own_text(struct slice user, struct arena *arena)
{
	return form_own_words(learn_shown_turn(user), arena);
}

static struct said own_words(const struct learn_turn *turn, struct arena *arena)
{
	return said_read(own_text(turn->user, arena), NULL, arena);
}

unsigned learn_questions(const struct learn_turn *turn, struct arena *arena)
{
	const struct slice text = own_text(turn->user, arena);
	if (!said_may_press(text))
		return LEARN_ASK_FACTS;
	const struct said said = said_read(text, NULL, arena);
	const struct wish wish = wish_read(turn, &said, arena);
	if (!wish.is_asked)
		return LEARN_ASK_FACTS;
	return LEARN_ASK_FORGET | (wish.says_more ? LEARN_ASK_FACTS : 0);
}

enum learn_plea learn_plea(struct slice user, struct arena *arena)
{
	const struct learn_turn turn = {.user = user};
	const struct slice text = own_text(user, arena);
	if (!said_may_press(text))
		return LEARN_PLEA_NONE;
	const struct said said = said_read(text, NULL, arena);
	if (wish_read(&turn, &said, arena).is_asked)
		return LEARN_PLEA_FORGET;
	return said_corrects(&said) ? LEARN_PLEA_CORRECT : LEARN_PLEA_NONE;
}

bool learn_declines(struct slice user, struct arena *arena)
{
	enum { LONGEST = 500 }; /* bytes of a message that says no more than that */
	if (user.size == 0 || user.size > LONGEST)
		return false;
	const struct slice text = own_text(user, arena);
	if (!said_may_decline(text))
		return false;
	const struct said said = said_read(text, NULL, arena);
	return said_declines(&said);
}

const struct learn_entries *learn_answers_parse(const struct slice *answers, size_t count,
						bool repairs, struct arena *arena)
{
	struct learn_entries *entries = new_entries(arena);
	return read_all(answers, count, repairs, entries, arena) ? entries : NULL;
}

/* True if the user says something of themselves or theirs that any model should find. A question
 * or a task tells nothing, whether it ends with a mark or begins with "what" or "how". */
static bool tells(const struct learn_turn *turn, struct arena *arena)
{
	const struct said said = own_words(turn, arena);
	for (size_t i = 0; i < said.count; i++) {
		const struct said_clause *clause = &said.clauses[i];
		const unsigned own = WORD_FIRST | WORD_MY | WORD_SUBJECT;
		const bool begins_otherwise = clause->count > 0 && clause->words[0].is_function &&
					      (clause->words[0].bits & own) == 0;
		if (!clause->is_asked && !begins_otherwise && !said_is_task(clause) &&
		    (said_is_of_user(clause) || said_is_of_something(clause) ||
		     said_is_of_kin(clause)))
			return true;
	}
	return false;
}

/* A copy, since checking an entry changes it. */
static struct learn_entries *copy_entries(const struct learn_entries *parsed, struct arena *arena)
{
	struct learn_entries *entries = new_entries(arena);
	entries->count = parsed->count;
	entries->rejected = parsed->rejected;
	memcpy(entries->list, parsed->list, parsed->count * sizeof(*parsed->list));
	return entries;
}

void learn_from_entries(const struct learn_turn *turn, const struct learn_entries *parsed,
			struct learning *learning, struct arena *arena)
{
	struct learn_entries *entries = copy_entries(parsed, arena);
	*learning = (struct learning){0};
	learning->is_empty = entries->count + entries->rejected == 0;
	struct reading reading = {.turn = turn, .arena = arena, .pointed_at = last_answer(turn)};
	learning->is_missed = learning->is_empty && tells(turn, arena);
	if (entries->count > 0) {
		reading.said = own_words(turn, arena);
		learn_mark_unmeant(&reading.said);
		reading.wish = wish_read(turn, &reading.said, arena);
	}
	for (size_t i = 0; i < entries->count; i++)
		(void)is_said(&reading.said, &entries->list[i], arena);
	if (turn->repairs)
		learn_repair_entries(turn, &reading.said, entries, arena);
	keep_sound(&reading, entries);
	learn_find_several(&reading.said, entries, arena);
	learn_keep_allowed(turn, entries, arena);
	learning->kept = entries->count;
	learning->rejected = entries->rejected;
	learn_apply(turn, entries, &reading.wish, learning, arena);
}
