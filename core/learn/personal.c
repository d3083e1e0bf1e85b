/* Facts that identify a person, or hold personal data of a class that is not to be stored. */
#include "core/learn/entry.h"
#include "core/text/text.h"

/* The operator may want no facts that identify a person, or none of a class. */
static bool is_masked(const struct learn_turn *turn, const struct learn_entry *entry)
{
	bool stores = entry->op == LEARN_SET || entry->op == LEARN_ADD;
	return stores && ((entry->pii && turn->pii != PII_KEEP) ||
			  (entry->classes & (turn->policy.mask | turn->policy.drop)) != 0);
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

static void mask(struct learn_entry *entry)
{
	struct fact fact = {0};
	fact_mask(&fact);
	entry->value = fact.value;
	entry->quote = fact.quote;
	entry->keywords = fact.keywords;
}

/* Its words in the turn go, too: no rule found them before the turn was stored. */
static void note_said(const struct learn_turn *turn, const struct learn_entry *entry,
		      struct learn_entries *entries)
{
	const unsigned masked = turn->policy.mask | turn->policy.drop;
	const unsigned classes = entry->classes & masked & PII_OF_MODEL;
	if (classes != 0)
		entries->masked[entries->masked_count++] = (struct pii_said){
			.value = entry->value, .quote = entry->quote, .classes = classes};
}

void learn_keep_allowed(const struct learn_turn *turn, struct learn_entries *entries)
{
	size_t kept = 0;
	for (size_t i = 0; i < entries->count; i++) {
		if (!is_masked(turn, &entries->list[i]))
			continue;
		note_said(turn, &entries->list[i], entries);
		drop_quotes_of(entries->list[i].value, entries->list[i].quote, entries);
	}
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		bool masked = is_masked(turn, entry);
		bool is_dropped = (entry->pii && turn->pii == PII_DROP) ||
				  (entry->classes & turn->policy.drop) != 0;
		if (masked && is_dropped) {
			entries->rejected++;
			continue;
		}
		if (masked)
			mask(entry);
		entries->list[kept++] = *entry;
	}
	entries->count = kept;
}

bool learn_is_dropped(const struct learn_turn *turn, struct learn_entry *entry, struct arena *arena)
{
	const struct pii_policy *policy = &turn->policy;
	unsigned in_value;
	unsigned in_entity;
	if (entry->op == LEARN_FORGET || entry->op == LEARN_REMOVE)
		return false;
	unsigned masked = policy->mask | policy->drop;
	entry->value = pii_mask(entry->value, masked, arena, &in_value);
	entry->entity = pii_mask(entry->entity, masked, arena, &in_entity);
	entry->quote = pii_mask(entry->quote, masked, arena, NULL);
	entry->keywords = pii_mask(entry->keywords, masked, arena, NULL);
	entry->pii |= (in_value | in_entity) != 0;
	entry->classes |= in_value | in_entity;
	return ((in_value | in_entity) & policy->drop) != 0 || in_entity != 0;
}
