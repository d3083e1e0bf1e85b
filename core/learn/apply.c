#include "core/learn/applier.h"

/* The rules by which what the user said changes what is remembered. The rules are ours, not the
 * model's. A fact's version is the time it was said, so the order of learning, which a slow model
 * or an import may reverse, does not decide which fact stands.
 *
 * - A newer observation wins; a late older one never overrides it and goes straight into history.
 * - Of two at the same instant, the later exchange is the newer.
 * - A turn's corrections and requests to forget do not reach what was said after it.
 * - Entries of one answer are applied in their order; later ones see what the earlier ones did. */

static void know(struct applier *applier, const struct fact *fact, bool is_new)
{
	applier->known[applier->count++] = (struct known){
		.fact = *fact,
		.entity = learn_fold(fact->entity, applier->arena),
		.key = learn_bare_key(fact->key, applier->arena),
		.is_new = is_new,
	};
}

static bool is_about(const struct known *known, const struct subject *subject)
{
	return slice_equal(known->key, subject->key) && slice_equal(known->entity, subject->entity);
}

static bool was_retracted_later(const struct applier *applier, const struct known *known)
{
	return known->fact.state == FACT_RETRACTED &&
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
		.confidence = entry->confidence,
		.quote = entry->quote,
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
	if (entry->expires_at != 0 || known->fact.expires_at <= now)
		known->fact.expires_at = entry->expires_at;
	known->is_changed = true;
}

static void supersede(struct applier *applier, const struct subject *subject,
		      const struct known *successor)
{
	for (size_t i = 0; i < applier->count; i++) {
		struct known *known = &applier->known[i];
		if (known == successor || !is_current(known) || !is_about(known, subject))
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

static void apply_value(struct applier *applier, const struct subject *subject,
			const struct learn_entry *entry)
{
	if (is_erased(applier, entry->value))
		return;
	const struct known *newer = find_newer(applier, subject, entry);
	struct known *stands = find_current(applier, subject, entry->value);
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
	known->index = learning->change_count;
	append_change(learning, &(struct change){kind, known->fact, -1});
}

static bool is_listed(const struct known *known)
{
	/* A fact both learned and forgotten in this answer was never stored. */
	return known->is_new ? known->fact.state != FACT_FORGOTTEN : known->is_changed;
}

/* New facts come first, so that others can refer to their ids. */
static void list_changes(struct applier *applier, struct learning *learning)
{
	size_t stored = applier->turn->fact_count;
	learning->changes = arena_alloc(applier->arena, (applier->count + applier->hidden_count +
							 1) * sizeof(*learning->changes));
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
}

static void apply_entry(struct applier *applier, const struct learn_entry *entry)
{
	const struct subject subject = {learn_fold(entry->entity, applier->arena),
					learn_bare_key(entry->key, applier->arena)};
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
		learning->hide_exchange |= entries->list[i].op == LEARN_FORGET;
	}
	list_changes(&applier, learning);
}
