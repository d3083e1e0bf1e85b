#include "core/learn_entry.h"

#include "core/text.h"

/* A quote shorter than this is in every turn and says nothing. */
enum { SHORTEST_QUOTE = 4 };

/* Whether the words of a key ("home_city") or the entity's name are in the turn. */
static bool names_are_in(struct slice shown, const struct learn_entry *entry, struct arena *arena)
{
	char *words = arena_string(arena, entry->key);
	for (size_t i = 0; i < entry->key.size; i++) {
		if (words[i] == '_')
			words[i] = ' ';
	}
	return text_share_word((struct slice){words, entry->key.size}, shown) ||
	       text_share_word(entry->entity, shown);
}

/* Some models put a quote in quotation marks, or end it as a sentence. */
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

/* Whether the user said what the entry quotes; the quote then is as he said it. */
static bool is_said(struct slice shown, struct learn_entry *entry, struct arena *arena)
{
	if (entry->words.size == 0 || text_contains(shown, entry->words))
		return true;
	entry->words = without_marks(entry->words);
	entry->quote = text_one_line(entry->words, LEARN_MAX_QUOTE, arena);
	return text_contains(shown, entry->words);
}

/* Only the user's own words count, and of them only those that the model was shown. */
static bool is_grounded(struct slice shown, struct learn_entry *entry, struct arena *arena)
{
	if (!is_said(shown, entry, arena))
		return false;
	/* What was masked is nothing that the user said. */
	if (text_contains(entry->value, SLICE("redacted")) &&
	    text_contains(shown, SLICE("[redacted:")))
		return false;
	if (entry->words.size >= SHORTEST_QUOTE)
		return true;
	if (entry->value.size > 0 && text_share_word(entry->value, shown))
		return true;
	/* What is to be forgotten is often named by its key alone. */
	entry->rests_on_names = entry->value.size == 0 || entry->op == LEARN_FORGET;
	return entry->rests_on_names && names_are_in(shown, entry, arena);
}

static bool is_over(const struct learn_turn *turn, const struct learn_entry *entry)
{
	bool stores = entry->op == LEARN_SET || entry->op == LEARN_ADD;
	return stores && entry->expires_at != 0 && entry->expires_at < turn->created_at;
}

/* A request to forget stores nothing: it is honoured however sure the model is. */
static bool is_sure(const struct learn_turn *turn, const struct learn_entry *entry)
{
	return entry->op == LEARN_FORGET || entry->confidence > turn->min_confidence;
}

/* What identifies a person may be none of memory's business. */
static bool is_masked(const struct learn_turn *turn, const struct learn_entry *entry)
{
	bool stores = entry->op == LEARN_SET || entry->op == LEARN_ADD;
	return stores && entry->pii && turn->pii != PII_KEEP;
}

/* Others may rest on the sentence that says it, too: they do without a quote then. The value may be
 * written otherwise than it was said, a date for instance, but the words that it rests on are not.
 */
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

/* Keeps what may be learned, in order. */
static void keep_sound(const struct learn_turn *turn, struct learn_entries *entries,
		       struct arena *arena)
{
	struct slice shown = learn_shown_turn(turn->user);
	size_t kept = 0;
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		if (is_sure(turn, entry) && !is_over(turn, entry) &&
		    is_grounded(shown, entry, arena))
			entries->list[kept++] = *entry;
		else
			entries->rejected++;
	}
	entries->count = kept;
}

bool learn_facts_read(const struct learn_turn *turn, struct slice answer, struct learning *learning,
		      struct arena *arena)
{
	/* 9 KB, of which mostly the first few hundred bytes are used. */
	struct learn_entries *entries =
		(struct learn_entries *)arena_bytes(arena, sizeof(*entries));
	*learning = (struct learning){0};
	if (!learn_entries_read(answer, entries, arena))
		return false;
	keep_sound(turn, entries, arena);
	keep_allowed(turn, entries);
	learning->rejected = entries->rejected;
	learn_apply(turn, entries, learning, arena);
	return true;
}
