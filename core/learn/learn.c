#include "core/clients/forms.h"
#include "core/grounding/borne.h"
#include "core/grounding/words.h"
#include "core/learn/entry.h"
#include "core/learn/names.h"
#include "core/learn/stance.h"
#include "core/learn/wish.h"
#include "core/memory/fact_order.h"
#include "core/secrets/secrets.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"

/* Any turn contains a shorter quote. */
enum { SHORTEST_QUOTE = 4 };

/* What an answer is checked against. */
struct reading {
	const struct learn_turn *turn;
	struct said said; /* the user's own words */
	struct wish wish;
	struct slice pointed_at; /* the answer before the turn */
	struct arena *arena;
};

/* Some models put a quote in quotation marks or end it like a sentence. */
static struct slice without_marks(struct slice quote)
{
	static const char *const marks[] = {"\"", "'", "`", "“", "”", "„", "‘", "’",  "«", "»",
					    ".",  ",", ";", ":", "!", "?", "…", "。", NULL};
	const char *const *mark = marks;
	while (*mark != NULL) {
		struct slice text = slice_of(*mark++);
		bool begins = slice_starts_with(quote, text);
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

/* Whether the text contains each part of a quote that leaves something out. */
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

/* Whether the user said what the entry quotes; if so, the quote becomes what the user wrote. */
static bool is_said(struct slice said, struct learn_entry *entry, struct arena *arena)
{
	if (entry->words.size == 0 || text_contains(said, entry->words))
		return true;
	entry->words = without_marks(entry->words);
	entry->quote = text_one_line(entry->words, LEARN_MAX_QUOTE, arena);
	return text_contains(said, entry->words) || says_parts(said, entry->words);
}

/* ---- what a fact rests on ---- */

/* "The second one", "that one", "I'll take it": the user means something that the previous answer
 * names. */
static bool points(const struct support *support)
{
	unsigned signs = learn_sign_bits(support->text);
	unsigned bits = signs;
	for (size_t i = 0; i < support->count; i++)
		bits |= support->words[i].bits;
	if ((signs & WORD_POINT) != 0)
		return true;
	bool ends_in_one = (bits & (WORD_POINT | WORD_THAT)) != 0 && (bits & WORD_ONE) != 0;
	return ends_in_one || ((bits & WORD_TAKE) != 0 && (bits & (WORD_POINT | WORD_THAT)) != 0) ||
	       ((bits & WORD_POINT) != 0 && support->said->language != LEXICON_ENGLISH);
}

/* "So do I": the sentence before says what. */
static bool is_echo(struct slice quote)
{
	static const char *const echoes[] = {"so do i", "so am i",   "me too",     "same here",
					     "as do i", "ich auch",  "yo también", "moi aussi",
					     "anch'io", "eu também", "ik ook",     "я тоже",
					     "我也",    "私も",      NULL};
	return text_says_any(quote, echoes);
}

static struct support support_of(const struct reading *reading, const struct learn_entry *entry)
{
	bool quotes = entry->words.size > 0 && !is_echo(entry->words);
	struct slice text = quotes ? entry->words : reading->said.text;
	struct support support = support_read(text, &reading->said, reading->arena);
	if (reading->pointed_at.size == 0 || !points(&support))
		return support;
	const struct slice parts[] = {text, SLICE("\n"), reading->pointed_at};
	return support_read(arena_join(reading->arena, parts, 3), &reading->said, reading->arena);
}

static bool is_value_borne(const struct reading *reading, const struct learn_entry *entry)
{
	struct support support = support_of(reading, entry);
	return support_bears(&support, entry->value, entry->key, reading->arena) &&
	       learn_is_meant(&reading->said, entry, reading->arena);
}

/* A fact ends where the user says that its value, or else its key, does. */
static bool is_end_borne(const struct reading *reading, struct learn_entry *entry)
{
	struct support support = support_of(reading, entry);
	if (entry->value.size > 0)
		return support_bears(&support, entry->value, entry->key, reading->arena);
	entry->rests_on_names = true;
	return (entry->words.size >= SHORTEST_QUOTE && support_says_anything(&support)) ||
	       support_names(&support, entry->key, reading->arena) ||
	       (entry->names_entity && support_names(&support, entry->entity, reading->arena));
}

/* Whether the user's own turn asks for it, and names it. */
static bool is_wished(const struct reading *reading, struct learn_entry *entry)
{
	const struct wish *wish = &reading->wish;
	struct arena *arena = reading->arena;
	if (!wish->is_asked)
		return false;
	if (entry->value.size > 0) {
		entry->rests_on_names = !wish_names_value(wish, entry->value, arena);
		return !entry->rests_on_names || wish_names_all(wish, entry->entity, arena) ||
		       (entry->key.size > 0 && wish_names_key(wish, entry->key, arena));
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

/* Only the user's own words count, and only those that the model was shown. */
static bool is_grounded(const struct reading *reading, struct learn_entry *entry)
{
	if (!learn_is_name(entry->key) || !learn_is_name(entry->entity) ||
	    !is_said(reading->said.text, entry, reading->arena))
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

/* The operator may want no facts that identify a person. */
static bool is_masked(const struct learn_turn *turn, const struct learn_entry *entry)
{
	bool stores = entry->op == LEARN_SET || entry->op == LEARN_ADD;
	return stores && entry->pii && turn->pii != PII_KEEP;
}

/* Drops the quotes of entries that say the value, or the words that it rests on: the value may be
 * written otherwise than it was said, a date for instance. */
static void drop_quotes_of(struct slice value, struct slice words, struct learn_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		struct slice *quote = &entries->list[i].quote;
		if (text_says(*quote, value) || text_says(*quote, words))
			*quote = (struct slice){0};
	}
}

static void mask(struct learn_entry *entry)
{
	struct fact fact = {0};
	fact_mask(&fact);
	entry->value = fact.value;
	entry->quote = fact.quote;
}

static void keep_allowed(const struct learn_turn *turn, struct learn_entries *entries)
{
	size_t kept = 0;
	for (size_t i = 0; i < entries->count; i++) {
		if (is_masked(turn, &entries->list[i]))
			drop_quotes_of(entries->list[i].value, entries->list[i].quote, entries);
	}
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		bool masked = is_masked(turn, entry);
		if (masked && turn->pii == PII_DROP) {
			entries->rejected++;
			continue;
		}
		if (masked)
			mask(entry);
		entries->list[kept++] = *entry;
	}
	entries->count = kept;
}

/* The memory model may join what the turn had split: a card number over two lines. A secret in the
 * quote is masked; a fact with a secret elsewhere is not kept. */
static bool is_secret(const struct learn_turn *turn, struct learn_entry *entry, struct arena *arena)
{
	size_t count = 0;
	size_t in_names = 0;
	if (!turn->mask_secrets || entry->op == LEARN_FORGET || entry->op == LEARN_REMOVE)
		return false;
	const struct slice parts[] = {entry->key, SLICE(": "), entry->value};
	(void)secrets_mask(arena_join(arena, parts, 3), arena, &count);
	(void)secrets_mask(entry->entity, arena, &in_names);
	entry->quote = secrets_mask(entry->quote, arena, NULL);
	return count + in_names > 0;
}

/* Keeps the entries that may be learned, in order. */
static void keep_sound(const struct reading *reading, struct learn_entries *entries)
{
	const struct learn_turn *turn = reading->turn;
	size_t kept = 0;
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		if (entry->confidence > turn->min_confidence && !is_over(turn, entry) &&
		    is_grounded(reading, entry) && !is_secret(turn, entry, reading->arena))
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

/* The user's own name may come back as another person's. */
static void settle_self(const struct learn_turn *turn, struct learn_entries *entries,
			struct arena *arena)
{
	struct slice names[2] = {{0}};
	for (size_t i = 0; i < turn->fact_count; i++) {
		const struct fact *fact = &turn->facts[i];
		if (fact->state == FACT_CURRENT && fact_is_about_user(fact) &&
		    slice_equal(learn_bare_key(fact->key, arena), SLICE("name")))
			names[0] = fact->value;
	}
	for (size_t i = 0; i < entries->count; i++) {
		const struct learn_entry *entry = &entries->list[i];
		if (slice_equal(entry->entity, SLICE("user")) && entry->op != LEARN_FORGET &&
		    slice_equal(learn_bare_key(entry->key, arena), SLICE("name")))
			names[1] = entry->value;
	}
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		bool is_self = slice_equal_nocase(entry->entity, names[0]) ||
			       slice_equal_nocase(entry->entity, names[1]);
		if (is_self && entry->entity.size > 0)
			entry->entity = SLICE("user");
	}
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
	entries->count = entries->rejected = 0;
	return entries;
}

static bool read_all(const struct slice *answers, size_t count, struct learn_entries *entries,
		     struct arena *arena)
{
	if (count == 1)
		return learn_entries_read(answers[0], entries, arena);
	struct learn_entries *more = new_entries(arena);
	for (size_t i = 0; i < count; i++) {
		if (!learn_entries_read(answers[i], more, arena))
			return false;
		entries->rejected += more->rejected;
		for (size_t j = 0; j < more->count; j++)
			add_entry(entries, &more->list[j]);
	}
	return true;
}

static struct said own_words(const struct learn_turn *turn, struct arena *arena)
{
	return said_read(form_own_words(learn_shown_turn(turn->user), arena), NULL, arena);
}

unsigned learn_questions(const struct learn_turn *turn, struct arena *arena)
{
	const struct said said = own_words(turn, arena);
	const struct wish wish = wish_read(turn, &said, arena);
	if (!wish.is_asked)
		return LEARN_ASK_FACTS;
	return LEARN_ASK_FORGET | (wish.says_more ? LEARN_ASK_FACTS : 0);
}

bool learn_is_pressing(struct slice user, struct arena *arena)
{
	const struct learn_turn turn = {.user = user};
	const struct said said = own_words(&turn, arena);
	return wish_corrects(&said) || wish_read(&turn, &said, arena).is_asked;
}

bool learn_answers_read(const struct learn_turn *turn, const struct slice *answers, size_t count,
			struct learning *learning, struct arena *arena)
{
	struct learn_entries *entries = new_entries(arena);
	*learning = (struct learning){0};
	if (!read_all(answers, count, entries, arena))
		return false;
	learning->is_empty = entries->count + entries->rejected == 0;
	struct reading reading = {.turn = turn, .arena = arena, .pointed_at = last_answer(turn)};
	if (entries->count > 0) {
		reading.said = own_words(turn, arena);
		reading.wish = wish_read(turn, &reading.said, arena);
	}
	settle_self(turn, entries, arena);
	keep_sound(&reading, entries);
	keep_allowed(turn, entries);
	learning->kept = entries->count;
	learning->rejected = entries->rejected;
	learn_apply(turn, entries, &reading.wish, learning, arena);
	return true;
}

bool learn_facts_read(const struct learn_turn *turn, struct slice answer, struct learning *learning,
		      struct arena *arena)
{
	return learn_answers_read(turn, &answer, 1, learning, arena);
}
