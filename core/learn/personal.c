/* Facts that identify a person, or hold personal data of a class that is not to be stored. */
#include "core/learn/entry.h"
#include "core/text/text.h"

static bool stores(const struct learn_entry *entry)
{
	return entry->op == LEARN_SET || entry->op == LEARN_ADD;
}

/* The operator may want no facts that identify a person, or none of a class. */
static bool is_masked(const struct intake *intake, const struct learn_entry *entry)
{
	const unsigned masks = intake->policy.mask | intake->policy.drop;
	const unsigned classes = masks == 0 ? 0
					    : entry->classes | pii_classes(entry->value) |
						      pii_classes(entry->entity);
	return stores(entry) && ((entry->pii && intake->pii != PII_KEEP) || (classes & masks) != 0);
}

/* Drops the quotes of entries that say the value, or the words that it rests on: the value may be
 * written otherwise than it was said, a date for instance. */
static void drop_quotes_of(struct slice value, struct slice words, struct learn_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		struct slice *quote = &entries->list[i].quote;
		if (text_says(*quote, value) || text_says(*quote, words))
			*quote = entries->list[i].keywords = (struct slice){0};
	}
}

/* Its words in the turn go, too: no rule found them before the turn was stored. */
static void note_said(const struct intake *intake, const struct learn_entry *entry,
		      struct learn_entries *entries)
{
	const unsigned masked = intake->policy.mask | intake->policy.drop;
	const unsigned classes = entry->classes & masked & PII_OF_MODEL;
	if (classes != 0)
		entries->masked[entries->masked_count++] = (struct pii_said){
			.value = entry->value, .quote = entry->quote, .classes = classes};
}

/* As any fact is taken in. False: it is not to be stored. */
static bool take_in(struct intake *intake, struct learn_entry *entry, struct arena *arena)
{
	struct fact fact = {
		.entity = entry->entity,
		.kind = entry->kind,
		.key = entry->key,
		.value = entry->value,
		.quote = entry->quote,
		.keywords = entry->keywords,
		.pii = entry->pii,
		.classes = entry->classes,
	};
	/* Nobody is called what is masked. */
	if (!stores(entry))
		return true;
	if (!intake_fact(intake, &fact, arena) || !slice_equal(fact.entity, entry->entity))
		return false;
	entry->value = fact.value;
	entry->quote = fact.quote;
	entry->keywords = fact.keywords;
	entry->pii = fact.pii;
	entry->classes = fact.classes;
	return true;
}

void learn_keep_allowed(const struct learn_turn *turn, struct learn_entries *entries,
			struct arena *arena)
{
	struct intake intake = turn->intake;
	size_t kept = 0;
	/* The memory model may join what the turn had split: a card number over two lines. */
	intake.refuses_secrets = true;
	for (size_t i = 0; i < entries->count; i++) {
		if (!is_masked(&intake, &entries->list[i]))
			continue;
		note_said(&intake, &entries->list[i], entries);
		drop_quotes_of(entries->list[i].value, entries->list[i].quote, entries);
	}
	for (size_t i = 0; i < entries->count; i++) {
		if (take_in(&intake, &entries->list[i], arena))
			entries->list[kept++] = entries->list[i];
		else
			entries->rejected++;
	}
	entries->count = kept;
}
