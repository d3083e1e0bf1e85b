#include "core/learn/applier.h"

#include "core/facts/facts.h"
#include "core/text/terms.h"

/* A user's retractions: facts that no longer hold, and requests to forget. */

/* A sentence with fewer words may be about anything. */
enum { LEAST_WORDS = 3 };

/* Which facts are meant; an empty slice means any. */
struct selection {
	struct slice entity;
	struct slice key;
	struct slice value;
	bool exact;
	bool ended_too;
	bool named; /* only facts whose value the user names or whose quote the user restates */
};

/* Whether finding the text inside another one means something: it needs three letters or two
 * ideographs. */
static bool says_enough(struct slice text)
{
	size_t characters = 0;
	uint32_t character;
	for (size_t at = 0; at < text.size; characters++)
		at += text_decode(text, at, &character);
	return characters >= 3 || text.size >= 6;
}

/* Under the same key, part of a word is enough: "Chroma" for "ChromaDB", but not "Ann" for
 * "Joanna". A value that was not kept may be any. */
static bool overlaps(const struct selection *selection, const struct fact *fact)
{
	struct slice value = fact->value;
	bool (*holds)(struct slice, struct slice) =
		selection->key.size > 0 ? text_contains : terms_say;
	if (fact_is_masked(fact))
		return selection->key.size > 0;
	return (says_enough(selection->value) && holds(value, selection->value)) ||
	       (says_enough(value) && holds(selection->value, value));
}

static bool selects(const struct applier *applier, const struct selection *selection,
		    const struct known *known)
{
	if (known->fact.state == FACT_FORGOTTEN || was_said_later(applier, known) ||
	    (!selection->ended_too && !known_stands(known)))
		return false;
	if (selection->entity.size > 0 && !slice_equal(known->entity, selection->entity))
		return false;
	if (selection->key.size > 0 && !slice_equal(known->key, selection->key))
		return false;
	if (selection->named &&
	    !support_names(&applier->wish->scope, known->fact.value, applier->arena) &&
	    !wish_restates(applier->wish, known->fact.quote, applier->arena))
		return false;
	if (selection->value.size == 0 ||
	    fact_same_value(known->fact.value, selection->value, applier->arena))
		return true;
	return !selection->exact && overlaps(selection, &known->fact);
}

static void retract(struct applier *applier, struct known *known)
{
	if (known->fact.pinned)
		return;
	known->fact.state = FACT_RETRACTED;
	known->fact.ended_at = applier->turn->created_at;
	known->is_changed = true;
}

static bool count_word(void *cookie, struct slice word)
{
	(void)word;
	return ++*(size_t *)cookie < LEAST_WORDS;
}

static bool is_hidden(const struct applier *applier, struct slice text)
{
	for (size_t i = 0; i < applier->hidden_count; i++) {
		if (slice_equal(applier->hidden[i].value, text))
			return true;
	}
	return false;
}

/* Hides the turns up to this one that say it, as in CHANGE_HIDE. */
static void hide_said(struct applier *applier, struct fact fact)
{
	fact.observed_at = applier->turn->created_at;
	applier->hidden[applier->hidden_count++] = fact;
}

static void hide_text(struct applier *applier, struct slice text)
{
	hide_said(applier, (struct fact){.value = text});
}

/* A fact's source is only the first turn that said it; other turns that say it in the same words
 * must go as well. */
static void hide_repetitions(struct applier *applier, const struct fact *fact)
{
	size_t words = 0;
	text_words(fact->quote, count_word, &words);
	if (words < LEAST_WORDS || !text_share_word(fact->quote, fact->value) ||
	    is_hidden(applier, fact->quote))
		return;
	if (applier->repeated++ < MAX_REPEATED)
		hide_text(applier, fact->quote);
}

/* Erases all of the fact, so that nothing can be found or lend its spelling. */
static void forget(struct applier *applier, struct known *known)
{
	if (known->fact.pinned && applier->turn->keeps_pinned)
		return;
	hide_repetitions(applier, &known->fact);
	applier->erased[applier->erased_count++] = known->fact.value;
	const struct fact forgotten = {
		.id = known->fact.id,
		.exchange = known->fact.exchange,
		.observed_at = known->fact.observed_at,
		.ended_at = applier->turn->created_at,
		.state = FACT_FORGOTTEN,
	};
	*known = (struct known){.fact = forgotten, .is_new = known->is_new, .is_changed = true};
}

/* Changes the facts that have exactly this value; if there are none, those that share part of
 * it. */
static size_t change_selected(struct applier *applier, struct selection selection,
			      void (*change)(struct applier *, struct known *))
{
	size_t changed = 0;
	for (int pass = 0; pass < 2 && changed == 0; pass++) {
		selection.exact = pass == 0;
		for (size_t i = 0; i < applier->facts.count; i++) {
			if (!selects(applier, &selection, &applier->facts.known[i]))
				continue;
			change(applier, &applier->facts.known[i]);
			changed++;
		}
	}
	return changed;
}

static struct selection selection_of(const struct applier *applier, const struct learn_entry *entry)
{
	return (struct selection){.entity = fact_fold(entry->entity, applier->arena),
				  .key = fact_key(entry->key, applier->arena),
				  .value = entry->value};
}

void learn_remove(struct applier *applier, const struct learn_entry *entry)
{
	(void)change_selected(applier, selection_of(applier, entry), retract);
}

/* Forgets everything about somebody, including what links others to them ("sister: Maria"). */
static size_t forget_entity(struct applier *applier, struct slice entity)
{
	struct selection about = {.entity = entity, .ended_too = true};
	size_t forgotten = change_selected(applier, about, forget);
	if (slice_equal(entity, SLICE("user")))
		return forgotten;
	struct selection naming = {.value = entity, .ended_too = true};
	return forgotten + change_selected(applier, naming, forget);
}

/* Forgets those of a key's values that the user names; if none is named, all values if the key
 * itself is. */
static void forget_key(struct applier *applier, struct selection selection,
		       const struct learn_entry *entry)
{
	selection.named = true;
	size_t forgotten = change_selected(applier, selection, forget);
	selection.named = false;
	if (forgotten == 0 && (wish_names_key(applier->wish, entry->key, applier->arena) ||
			       wish_names_all(applier->wish, entry->entity, applier->arena)))
		(void)change_selected(applier, selection, forget);
}

/* Hides the sentence of an earlier turn that says both what the user names and the value that the
 * model means by it: no fact holds "my PIN hint is my grandmother's birthday". */
static void hide_named(struct applier *applier, const struct learn_entry *entry)
{
	const struct learn_turn *turn = applier->turn;
	for (size_t i = turn->before_count; i-- > 0;) {
		if (turn->before[i].role != ROLE_USER)
			continue;
		const struct said said = said_read(learn_shown_turn(turn->before[i].text),
						   &applier->wish->said, applier->arena);
		for (size_t j = 0; j < said.count; j++) {
			const struct slice text = said.clauses[j].text;
			const struct support support = support_read(text, &said, applier->arena);
			if (!text_contains(text, entry->value) ||
			    !support_names(&support, entry->key, applier->arena))
				continue;
			hide_text(applier, text);
			return;
		}
	}
}

struct slice learn_words_for(struct slice user, struct slice value, struct arena *arena)
{
	const struct said said = said_read(learn_shown_turn(user), NULL, arena);
	for (size_t i = 0; i < said.count; i++) {
		if (text_contains(said.clauses[i].text, value))
			return text_one_line(said.clauses[i].text, LEARN_MAX_QUOTE, arena);
	}
	return (struct slice){0};
}

/* The oldest of the hidden facts, if there are as many as there may be. */
static struct known *find_oldest_hidden(const struct applier *applier)
{
	struct known *oldest = NULL;
	size_t count = 0;
	for (size_t i = 0; i < applier->facts.count; i++) {
		struct known *known = &applier->facts.known[i];
		if (known->fact.state != FACT_HIDDEN)
			continue;
		if (count++ == 0 || known->fact.ended_at < oldest->fact.ended_at)
			oldest = known;
	}
	return count < FACTS_HIDDEN_LIMIT ? NULL : oldest;
}

/* Nothing is lost if the model is wrong. */
static void conceal(struct applier *applier, struct known *known)
{
	struct known *oldest = find_oldest_hidden(applier);
	if (oldest != NULL) {
		hide_said(applier, oldest->fact);
		forget(applier, oldest);
	}
	known->fact.state = FACT_HIDDEN;
	known->fact.ended_at = applier->turn->created_at;
	known->is_changed = true;
}

static bool may_conceal(const struct applier *applier, const struct known *known)
{
	return known_stands(known) && !known->is_new &&
	       !(known->fact.pinned && applier->turn->keeps_pinned);
}

static bool is_known_value(const struct applier *applier, struct slice value)
{
	for (size_t i = 0; i < applier->facts.count; i++) {
		if (fact_same_value(applier->facts.known[i].fact.value, value, applier->arena))
			return true;
	}
	return false;
}

/* Turns may say what no fact holds, as in a mode that learns none. */
static void conceal_unheld(struct applier *applier, const struct learn_entry *entry)
{
	if (is_known_value(applier, entry->value) || !says_enough(entry->value))
		return;
	const bool is_user = slice_equal(entry->entity, SLICE("user"));
	const struct fact fact = {
		.entity = entry->entity,
		.kind = is_user                ? SLICE("user")
			: entry->kind.size > 0 ? entry->kind
					       : SLICE("thing"),
		.key = entry->key,
		.value = entry->value,
		.pii = entry->pii,
		.confidence = entry->confidence,
		.observed_at = applier->turn->created_at,
	};
	struct known known = known_of(&fact, applier->arena);
	conceal(applier, facts_add(&applier->facts, &known));
}

static void conceal_exactly(struct applier *applier, const struct learn_entry *entry)
{
	struct selection selection = selection_of(applier, entry);
	bool conceals = false;
	selection.exact = true;
	for (size_t i = 0; i < applier->facts.count; i++) {
		struct known *known = &applier->facts.known[i];
		if (!selects(applier, &selection, known) || !may_conceal(applier, known))
			continue;
		conceal(applier, known);
		conceals = true;
	}
	if (!conceals)
		conceal_unheld(applier, entry);
	applier->conceals |= conceals;
}

/* The words beside a value that a turn must say one of: the wish's and the key's. Empty: the wish
 * names nothing but the value, which is then enough. */
static struct slice words_beside(const struct applier *applier, const struct learn_entry *entry)
{
	const struct slice named = wish_beside(applier->wish, entry->value, applier->arena);
	const struct slice parts[] = {entry->key, SLICE(" "), named};
	return named.size == 0 ? named : arena_join(applier->arena, parts, 3);
}

/* If the model names a key other than the fact's, the value decides, provided that the user said
 * it. Turns may still contain what no fact holds. */
void learn_forget(struct applier *applier, const struct learn_entry *entry)
{
	struct selection selection = selection_of(applier, entry);
	selection.ended_too = true;
	bool whole_entity = entry->key.size == 0 && entry->value.size == 0;
	if (entry->conceals) {
		conceal_exactly(applier, entry);
		return;
	}
	if (entry->key.size > 0 && entry->value.size == 0) {
		forget_key(applier, selection, entry);
		return;
	}
	size_t forgotten = whole_entity ? forget_entity(applier, selection.entity)
					: change_selected(applier, selection, forget);
	if (entry->rests_on_names && entry->value.size > 0) {
		if (forgotten == 0)
			hide_named(applier, entry);
		return;
	}
	if (forgotten == 0 && entry->value.size > 0 && entry->key.size > 0) {
		selection.key = (struct slice){0};
		forgotten = change_selected(applier, selection, forget);
	}
	if (forgotten > 0)
		return;
	if (whole_entity && !slice_equal(selection.entity, SLICE("user")))
		hide_text(applier, entry->entity);
	else if (says_enough(entry->value))
		hide_said(applier, (struct fact){.key = words_beside(applier, entry),
						 .value = entry->value});
}
