#include "core/learn/applier.h"

#include "core/facts/tombstone.h"

/* The rules by which what the user said changes what is remembered. The rules are ours, not the
 * model's. A fact's version is the time it was said, so the order of learning, which a slow model
 * or an import may reverse, does not decide which fact stands.
 *
 * - A newer observation wins; a late older one never overrides it and goes straight into history.
 * - Of two at the same instant, the later exchange is the newer.
 * - A turn's corrections and requests to forget do not reach what was said after it.
 * - A pinned fact stands: what contradicts it is kept as a suggestion, the newest one alone. A
 * value that a person corrected away does not come back.
 * - Entries of one answer are applied in their order; later ones see what the earlier ones did. */

static bool was_retracted_later(const struct applier *applier, const struct known *known)
{
	return (known->fact.state == FACT_RETRACTED || known->fact.state == FACT_HIDDEN) &&
	       known->fact.ended_at > applier->turn->created_at;
}

/* ---- set and add ---- */

/* Whether `known` is newer than the turn and so keeps the entry from standing. Two of several
 * values do not exclude each other; a single value excludes, and so does the same value. */
static bool is_in_the_way(const struct applier *applier, const struct known *known,
			  const struct known *said)
{
	const bool is_later = was_said_later(applier, known);
	if (known->fact.state == FACT_SUGGESTED)
		return false;
	if (!is_later && !was_retracted_later(applier, known))
		return false;
	return !said->fact.many || (is_later && !known->fact.many) || known_says(known, said);
}

static const struct known *find_newer(const struct applier *applier, const struct known *said)
{
	for (size_t i = 0; i < applier->facts.count; i++) {
		const struct known *known = &applier->facts.known[i];
		if (known_is_about(known, said) && is_in_the_way(applier, known, said))
			return known;
	}
	return NULL;
}

/* Uses the first known spelling and kind of an entity, and the first known spelling of a key. */
static void take_known_names(const struct applier *applier, const struct learn_entry *entry,
			     struct known *said)
{
	struct fact *fact = &said->fact;
	bool is_user = slice_equal(entry->entity, SLICE("user"));
	bool says_kind = entry->kind.size > 0 && !slice_equal(entry->kind, SLICE("user"));
	fact->kind = is_user ? SLICE("user") : says_kind ? entry->kind : SLICE("thing");
	for (size_t i = applier->facts.count; i-- > 0;) {
		const struct known *known = &applier->facts.known[i];
		if (!slice_equal(known->entity, said->entity))
			continue;
		fact->entity = known->fact.entity;
		if (!says_kind)
			fact->kind = known->fact.kind;
		if (slice_equal(known->key, said->key))
			fact->key = known->fact.key;
	}
}

static struct known say(const struct applier *applier, const struct learn_entry *entry)
{
	const struct fact fact = {
		.entity = entry->entity,
		.kind = entry->kind,
		.key = entry->key,
		.value = entry->value,
		.many = entry->op == LEARN_ADD || entry->is_beside,
		.pii = entry->pii,
		.classes = entry->classes,
		.confidence = entry->confidence,
		.quote = entry->quote,
		.keywords = entry->keywords,
		.exchange = applier->turn->exchange,
		.observed_at = applier->turn->created_at,
		.expires_at = entry->expires_at,
	};
	return known_of(&fact, applier->arena);
}

/* Adds a fact; if something newer is in the way, it goes straight into history. */
static struct known *add_fact(struct applier *applier, const struct learn_entry *entry,
			      struct known said, const struct known *newer)
{
	struct fact *fact = &said.fact;
	take_known_names(applier, entry, &said);
	if (newer != NULL) {
		bool is_later = was_said_later(applier, newer);
		fact->state = FACT_SUPERSEDED;
		fact->ended_at = is_later ? newer->fact.observed_at : newer->fact.ended_at;
		fact->superseded_by = is_later ? newer->fact.id : 0;
	}
	said.is_beside = entry->is_beside;
	return facts_add(&applier->facts, &said);
}

/* The fact was said again: it keeps its id and source. An end given earlier stays unless it is
 * past. */
static void refresh(struct applier *applier, struct known *known, const struct learn_entry *entry)
{
	int64_t now = applier->turn->created_at;
	if (was_said_later(applier, known))
		return;
	known->fact.observed_at = now;
	known->fact.repeats++;
	known->fact.many |= entry->is_beside;
	known->is_changed = true;
	if (known->fact.pinned && !fact_is_over(&known->fact, now))
		return;
	if (entry->expires_at != 0 || known->fact.expires_at <= now)
		known->fact.expires_at = entry->expires_at;
}

/* "Forget that I live in Rome" says where, too. */
static bool is_erased(const struct applier *applier, struct slice value)
{
	for (size_t i = 0; i < applier->erased_count; i++) {
		if (fact_same_value(applier->erased[i], value, applier->arena))
			return true;
	}
	for (size_t i = 0; i < applier->hidden_count; i++) {
		if (fact_same_value(applier->hidden[i].value, value, applier->arena))
			return true;
	}
	return false;
}

/* ---- against what a person decided ---- */

static const struct known *find_pinned(const struct applier *applier, const struct known *said)
{
	for (size_t i = 0; i < applier->facts.count; i++) {
		const struct known *known = &applier->facts.known[i];
		if (known_stands(known) && known->fact.pinned && known_is_about(known, said) &&
		    !fact_is_over(&known->fact, applier->turn->created_at))
			return known;
	}
	return NULL;
}

/* Keeps what contradicts a pinned fact, unless something newer does. */
static void suggest(struct applier *applier, const struct learn_entry *entry,
		    const struct known *said, uint64_t pinned)
{
	struct known *before = facts_find_suggested(&applier->facts, said);
	if (before != NULL && known_says(before, said)) {
		refresh(applier, before, entry);
		return;
	}
	if (before != NULL && was_said_later(applier, before))
		return;
	if (before != NULL)
		before->is_dropped = before->is_changed = true;
	struct known *suggested = add_fact(applier, entry, *said, NULL);
	suggested->fact.state = FACT_SUGGESTED;
	suggested->fact.superseded_by = pinned;
}

/* A value that the turn repeats beside others is not superseded by them. */
static void mark_beside(struct applier *applier, const struct learn_entry *entry)
{
	if (!entry->is_beside)
		return;
	const struct known said = say(applier, entry);
	struct known *stands = facts_find_standing(&applier->facts, &said);
	if (stands != NULL)
		stands->is_beside = true;
}

static void apply_value(struct applier *applier, const struct learn_entry *entry)
{
	if (is_erased(applier, entry->value))
		return;
	const struct known said = say(applier, entry);
	const struct known *pinned = find_pinned(applier, &said);
	struct known *stands = facts_find_standing(&applier->facts, &said);
	const bool is_another = said.fact.many && pinned != NULL && pinned->fact.many;
	if (stands == NULL && pinned != NULL && !is_another) {
		suggest(applier, entry, &said, pinned->fact.id);
		return;
	}
	if (stands == NULL &&
	    tombstones_find(&applier->turn->tombstones, &said.fact, applier->arena) != NULL)
		return;
	const struct known *newer = find_newer(applier, &said);
	if (stands != NULL)
		refresh(applier, stands, entry);
	else
		stands = add_fact(applier, entry, said, newer);
	if (entry->op == LEARN_SET && newer == NULL)
		facts_supersede(&applier->facts, stands, applier->turn->created_at);
}

/* ---- the change list ---- */

static void append_change(struct learning *learning, const struct change *change)
{
	learning->changes[learning->change_count++] = *change;
}

static enum change_kind kind_of(const struct known *known)
{
	if (known->fact.state == FACT_FORGOTTEN)
		return CHANGE_FORGET;
	if (known->is_dropped)
		return CHANGE_DROP;
	if (known->fact.state == FACT_HIDDEN)
		return CHANGE_CONCEAL;
	return known->is_new ? CHANGE_ADD : CHANGE_UPDATE;
}

static bool is_listed(const struct known *known)
{
	/* A fact both learned and forgotten in this answer was never stored. */
	return known->is_new ? known->fact.state != FACT_FORGOTTEN && !known->is_dropped
			     : known->is_changed;
}

/* New facts come first, so that others can refer to their ids. */
static void list_facts(const struct facts *facts, size_t stored, struct learning *learning)
{
	size_t *places = arena_alloc(facts->arena, (facts->count + 1) * sizeof(*places));
	for (size_t i = 0; i < facts->count; i++) {
		const size_t at = (stored + i) % facts->count;
		const struct known *known = &facts->known[at];
		places[at] = learning->change_count;
		if (is_listed(known))
			append_change(learning, &(struct change){kind_of(known), known->fact, -1});
	}
	for (size_t i = 0; i < facts->count; i++) {
		const struct known *known = &facts->known[i];
		if (is_listed(known) && known->fact.state == FACT_SUPERSEDED &&
		    known->replaced_by != NULL && is_listed(known->replaced_by))
			learning->changes[places[i]].replaced_by =
				(int)places[known->replaced_by - facts->known];
	}
}

static void list_changes(struct applier *applier, const struct learn_entries *entries,
			 struct learning *learning)
{
	const size_t most =
		applier->facts.count + applier->hidden_count + entries->masked_count + 1;
	learning->changes = arena_alloc(applier->arena, most * sizeof(*learning->changes));
	list_facts(&applier->facts, applier->turn->fact_count, learning);
	for (size_t i = 0; i < applier->hidden_count; i++)
		append_change(learning, &(struct change){.kind = CHANGE_HIDE,
							 .fact = applier->hidden[i],
							 .replaced_by = -1});
	for (size_t i = 0; i < entries->masked_count; i++) {
		const struct pii_said *said = &entries->masked[i];
		const struct fact fact = {
			.value = said->value, .quote = said->quote, .classes = said->classes};
		append_change(
			learning,
			&(struct change){.kind = CHANGE_MASK, .fact = fact, .replaced_by = -1});
	}
}

static void apply_entry(struct applier *applier, const struct learn_entry *entry)
{
	switch (entry->op) {
	case LEARN_SET:
	case LEARN_ADD:
		apply_value(applier, entry);
		break;
	case LEARN_REMOVE:
		learn_remove(applier, entry);
		break;
	case LEARN_FORGET:
		learn_forget(applier, entry);
		break;
	}
}

void learn_apply(const struct learn_turn *turn, const struct learn_entries *entries,
		 const struct wish *wish, struct learning *learning, struct arena *arena)
{
	const size_t most_known = turn->fact_count + entries->count;
	/* Each fact hides its words once at most, and each entry its own. */
	const size_t most_hidden = most_known + entries->count + MAX_REPEATED;
	struct applier applier = {.turn = turn, .wish = wish, .arena = arena};
	applier.facts = facts_know(turn->facts, turn->fact_count, entries->count, arena);
	applier.hidden = arena_alloc(arena, most_hidden * sizeof(*applier.hidden));
	applier.erased = arena_alloc(arena, most_known * sizeof(*applier.erased));
	for (size_t i = 0; i < entries->count; i++)
		mark_beside(&applier, &entries->list[i]);
	for (size_t i = 0; i < entries->count; i++) {
		apply_entry(&applier, &entries->list[i]);
		learning->hide_exchange |= entries->list[i].op == LEARN_FORGET &&
					   (!entries->list[i].conceals || applier.conceals);
	}
	list_changes(&applier, entries, learning);
}

/* ---- what the store does with it ---- */

bool change_update_fact(struct fact *fact, bool is_stored, const struct change *change,
			uint64_t superseded_by, uint64_t exchange)
{
	const bool stands = change->fact.state == FACT_CURRENT;
	/* A fact forgotten in the meantime stays forgotten. */
	if (is_stored ? fact->state == FACT_FORGOTTEN || fact->state == FACT_HIDDEN : !stands)
		return false;
	/* While this turn, which says the fact again, was learned from, the turn that the fact
	 * rested on was taken back or expired. */
	const bool moves = stands && (!is_stored || fact->state == FACT_RETRACTED);
	if (!is_stored)
		*fact = change->fact;
	if (moves) {
		fact->exchange = exchange;
		fact_unquote(fact);
	}
	fact->pinned &= !fact_is_over(fact, change->fact.observed_at);
	fact->state = change->fact.state;
	fact->ended_at = change->fact.ended_at;
	fact->expires_at = change->fact.expires_at;
	fact->observed_at = change->fact.observed_at;
	fact->superseded_by = superseded_by;
	fact->many |= change->fact.many;
	fact->repeats = change->fact.repeats;
	return true;
}
