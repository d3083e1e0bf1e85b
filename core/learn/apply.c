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

static void know(struct applier *applier, const struct fact *fact, bool is_new)
{
	applier->known[applier->count++] = (struct known){
		.fact = *fact,
		.entity = fact_fold(fact->entity, applier->arena),
		.key = fact_key(fact->key, applier->arena),
		.is_new = is_new,
	};
}

static bool is_about(const struct known *known, const struct subject *subject)
{
	return slice_equal(known->key, subject->key) && slice_equal(known->entity, subject->entity);
}

static bool was_retracted_later(const struct applier *applier, const struct known *known)
{
	return (known->fact.state == FACT_RETRACTED || known->fact.state == FACT_HIDDEN) &&
	       known->fact.ended_at > applier->turn->created_at;
}

/* ---- set and add ---- */

static struct known *find_current(struct applier *applier, const struct subject *subject,
				  struct slice value)
{
	for (size_t i = 0; i < applier->count; i++) {
		struct known *known = &applier->known[i];
		if (is_current(known) && is_about(known, subject) &&
		    is_same_value(known->fact.value, value))
			return known;
	}
	return NULL;
}

/* Whether `known` is newer than the turn and so keeps the entry from standing. Two of several
 * values do not exclude each other; a single value excludes, and so does the same value. */
static bool is_in_the_way(const struct applier *applier, const struct known *known,
			  const struct learn_entry *entry)
{
	bool said = was_said_later(applier, known);
	if (known->fact.state == FACT_SUGGESTED)
		return false;
	if (!said && !was_retracted_later(applier, known))
		return false;
	if (entry->op == LEARN_SET || (said && !known->fact.many))
		return true;
	return is_same_value(known->fact.value, entry->value);
}

static const struct known *find_newer(const struct applier *applier, const struct subject *subject,
				      const struct learn_entry *entry)
{
	for (size_t i = 0; i < applier->count; i++) {
		const struct known *known = &applier->known[i];
		if (is_about(known, subject) && is_in_the_way(applier, known, entry))
			return known;
	}
	return NULL;
}

/* Uses the first known spelling and kind of an entity, and the first known spelling of a key. */
static void take_known_names(const struct applier *applier, const struct subject *subject,
			     const struct learn_entry *entry, struct fact *fact)
{
	bool is_user = slice_equal(entry->entity, SLICE("user"));
	bool says_kind = entry->kind.size > 0 && !slice_equal(entry->kind, SLICE("user"));
	fact->entity = entry->entity;
	fact->key = entry->key;
	fact->kind = is_user ? SLICE("user") : says_kind ? entry->kind : SLICE("thing");
	for (size_t i = applier->count; i-- > 0;) {
		const struct known *known = &applier->known[i];
		if (!slice_equal(known->entity, subject->entity))
			continue;
		fact->entity = known->fact.entity;
		if (!says_kind)
			fact->kind = known->fact.kind;
		if (slice_equal(known->key, subject->key))
			fact->key = known->fact.key;
	}
}

/* Adds a fact; if something newer is in the way, it goes straight into history. */
static struct known *add_fact(struct applier *applier, const struct subject *subject,
			      const struct learn_entry *entry, const struct known *newer)
{
	struct fact fact = {
		.value = entry->value,
		.many = entry->op == LEARN_ADD,
		.pii = entry->pii,
		.classes = entry->classes,
		.confidence = entry->confidence,
		.quote = entry->quote,
		.keywords = entry->keywords,
		.exchange = applier->turn->exchange,
		.observed_at = applier->turn->created_at,
		.expires_at = entry->expires_at,
	};
	take_known_names(applier, subject, entry, &fact);
	if (newer != NULL) {
		bool said = was_said_later(applier, newer);
		fact.state = FACT_SUPERSEDED;
		fact.ended_at = said ? newer->fact.observed_at : newer->fact.ended_at;
		fact.superseded_by = said ? newer->fact.id : 0;
	}
	know(applier, &fact, true);
	return &applier->known[applier->count - 1];
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
	known->is_changed = true;
	if (known->fact.pinned)
		return;
	if (entry->expires_at != 0 || known->fact.expires_at <= now)
		known->fact.expires_at = entry->expires_at;
}

static void supersede(struct applier *applier, const struct subject *subject,
		      const struct known *successor)
{
	for (size_t i = 0; i < applier->count; i++) {
		struct known *known = &applier->known[i];
		if (known == successor || !is_current(known) || known->fact.pinned ||
		    !is_about(known, subject))
			continue;
		known->fact.state = FACT_SUPERSEDED;
		known->fact.ended_at = applier->turn->created_at;
		known->replaced_by = successor;
		known->is_changed = true;
	}
}

/* "Forget that I live in Rome" says where, too. */
static bool is_erased(const struct applier *applier, struct slice value)
{
	for (size_t i = 0; i < applier->erased_count; i++) {
		if (is_same_value(applier->erased[i], value))
			return true;
	}
	for (size_t i = 0; i < applier->hidden_count; i++) {
		if (is_same_value(applier->hidden[i].value, value))
			return true;
	}
	return false;
}

/* ---- against what a person decided ---- */

static const struct known *find_pinned(const struct applier *applier, const struct subject *subject)
{
	for (size_t i = 0; i < applier->count; i++) {
		const struct known *known = &applier->known[i];
		if (is_current(known) && known->fact.pinned && is_about(known, subject))
			return known;
	}
	return NULL;
}

/* Not one that was imported as such, and contradicts nothing. */
static struct known *find_suggested(struct applier *applier, const struct subject *subject)
{
	for (size_t i = 0; i < applier->count; i++) {
		struct known *known = &applier->known[i];
		if (known->fact.state == FACT_SUGGESTED && known->fact.superseded_by != 0 &&
		    !known->is_dropped && is_about(known, subject))
			return known;
	}
	return NULL;
}

/* Keeps what contradicts a pinned fact, unless something newer does. */
static void suggest(struct applier *applier, const struct subject *subject,
		    const struct learn_entry *entry, uint64_t pinned)
{
	struct known *before = find_suggested(applier, subject);
	if (before != NULL && is_same_value(before->fact.value, entry->value)) {
		refresh(applier, before, entry);
		return;
	}
	if (before != NULL && was_said_later(applier, before))
		return;
	if (before != NULL)
		before->is_dropped = before->is_changed = true;
	struct known *suggested = add_fact(applier, subject, entry, NULL);
	suggested->fact.state = FACT_SUGGESTED;
	suggested->fact.superseded_by = pinned;
}

static bool is_buried(const struct applier *applier, const struct learn_entry *entry)
{
	const struct fact fact = {.entity = entry->entity,
				  .kind = entry->kind,
				  .key = entry->key,
				  .value = entry->value,
				  .observed_at = applier->turn->created_at};
	return tombstones_hold(&applier->turn->tombstones, &fact, applier->arena);
}

static void apply_value(struct applier *applier, const struct subject *subject,
			const struct learn_entry *entry)
{
	if (is_erased(applier, entry->value))
		return;
	const struct known *pinned = find_pinned(applier, subject);
	struct known *stands = find_current(applier, subject, entry->value);
	const bool is_another = entry->op == LEARN_ADD && pinned != NULL && pinned->fact.many;
	if (stands == NULL && pinned != NULL && !is_another) {
		suggest(applier, subject, entry, pinned->fact.id);
		return;
	}
	if (stands == NULL && is_buried(applier, entry))
		return;
	const struct known *newer = find_newer(applier, subject, entry);
	if (stands != NULL)
		refresh(applier, stands, entry);
	else
		stands = add_fact(applier, subject, entry, newer);
	if (entry->op == LEARN_SET && newer == NULL)
		supersede(applier, subject, stands);
}

/* ---- the change list ---- */

static void append_change(struct learning *learning, const struct change *change)
{
	learning->changes[learning->change_count++] = *change;
}

static void list_known(struct learning *learning, struct known *known)
{
	enum change_kind kind = known->is_new ? CHANGE_ADD : CHANGE_UPDATE;
	if (known->fact.state == FACT_FORGOTTEN)
		kind = CHANGE_FORGET;
	else if (known->fact.state == FACT_HIDDEN)
		kind = CHANGE_CONCEAL;
	else if (known->is_dropped)
		kind = CHANGE_DROP;
	known->index = learning->change_count;
	append_change(learning, &(struct change){kind, known->fact, -1});
}

static bool is_listed(const struct known *known)
{
	/* A fact both learned and forgotten in this answer was never stored. */
	return known->is_new ? known->fact.state != FACT_FORGOTTEN && !known->is_dropped
			     : known->is_changed;
}

/* New facts come first, so that others can refer to their ids. */
static void list_changes(struct applier *applier, const struct learn_entries *entries,
			 struct learning *learning)
{
	size_t stored = applier->turn->fact_count;
	learning->changes = arena_alloc(applier->arena, (applier->count + applier->hidden_count +
							 entries->masked_count + 1) *
								sizeof(*learning->changes));
	for (size_t i = 0; i < applier->count; i++) {
		struct known *known = &applier->known[(stored + i) % applier->count];
		if (is_listed(known))
			list_known(learning, known);
	}
	for (size_t i = 0; i < applier->count; i++) {
		const struct known *known = &applier->known[i];
		if (is_listed(known) && known->fact.state == FACT_SUPERSEDED &&
		    known->replaced_by != NULL && is_listed(known->replaced_by))
			learning->changes[known->index].replaced_by =
				(int)known->replaced_by->index;
	}
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
	const struct subject subject = {fact_fold(entry->entity, applier->arena),
					fact_key(entry->key, applier->arena)};
	switch (entry->op) {
	case LEARN_SET:
	case LEARN_ADD:
		apply_value(applier, &subject, entry);
		break;
	case LEARN_REMOVE:
		learn_remove(applier, &subject, entry);
		break;
	case LEARN_FORGET:
		learn_forget(applier, &subject, entry);
		break;
	}
}

void learn_apply(const struct learn_turn *turn, const struct learn_entries *entries,
		 const struct wish *wish, struct learning *learning, struct arena *arena)
{
	const size_t most_known = turn->fact_count + entries->count;
	const size_t most_hidden = entries->count + MAX_REPEATED;
	struct applier applier = {.turn = turn, .wish = wish, .arena = arena};
	applier.known = arena_alloc(arena, most_known * sizeof(*applier.known));
	applier.hidden = arena_alloc(arena, most_hidden * sizeof(*applier.hidden));
	applier.erased = arena_alloc(arena, most_known * sizeof(*applier.erased));
	for (size_t i = 0; i < turn->fact_count; i++)
		know(&applier, &turn->facts[i], false);
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
	fact->state = change->fact.state;
	fact->ended_at = change->fact.ended_at;
	fact->expires_at = change->fact.expires_at;
	fact->observed_at = change->fact.observed_at;
	fact->superseded_by = superseded_by;
	fact->repeats = change->fact.repeats;
	return true;
}
