#include "core/learn_entry.h"

#include "core/learn_wish.h"
#include "core/terms.h"
#include "core/text.h"

/* The rules by which what the user said changes what is remembered. They are ours, not the model's:
 * facts are versioned by when they were said, so that the order in which turns are learned from,
 * which a slow model or an import may turn round, makes no difference to which one stands.
 *
 * - A newer observation wins; a late older one never overrides and goes into history at once.
 * - Of two in the same instant the later exchange is the newer.
 * - What was said after the turn is out of reach of its corrections and of its requests to forget.
 * - Entries of one answer are applied in their order; later ones see what the earlier ones did. */

/* Of so many sentences that are forgotten at once the repetitions are looked for; each takes a walk
 * over all turns. A sentence of fewer words may be about anything. */
enum { MAX_REPEATED = 8, LEAST_WORDS = 3 };

/* A fact, stored or new, and what becomes of it. */
struct known {
	struct fact fact;
	struct slice entity; /* folded */
	struct slice key;    /* bare */
	bool is_new;
	bool is_changed;
	const struct known *replaced_by;
	size_t index; /* in the change list */
};

struct applier {
	const struct learn_turn *turn;
	const struct wish *wish;
	struct arena *arena;
	struct known *known; /* the turn's facts, then the new ones */
	size_t count;
	struct fact *hidden; /* as CHANGE_HIDE has it */
	size_t hidden_count;
	size_t repeated;
};

/* Whom and what an entry is about, as it is compared. */
struct subject {
	struct slice entity;
	struct slice key;
};

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

static bool is_current(const struct known *known)
{
	return known->fact.state == FACT_CURRENT;
}

static bool is_same_value(struct slice a, struct slice b)
{
	return slice_equal(a, b) || (text_contains(a, b) && text_contains(b, a));
}

static bool was_said_later(const struct applier *applier, const struct known *known)
{
	const struct learn_turn *turn = applier->turn;
	return known->fact.observed_at > turn->created_at ||
	       (known->fact.observed_at == turn->created_at &&
		known->fact.exchange > turn->exchange);
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

/* Whether `known` is newer than the turn and so keeps the entry from standing. One of several
 * values is not in the way of another one, a single one and the same one are. */
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

/* One spelling and one kind for one entity, one spelling for one key: the first known. */
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

/* A new fact; when something newer is in the way it is history from the beginning. */
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

/* Said again: it keeps its id and its source. An end that was given earlier stays unless it is
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

static void apply_value(struct applier *applier, const struct subject *subject,
			const struct learn_entry *entry)
{
	const struct known *newer = find_newer(applier, subject, entry);
	struct known *stands = find_current(applier, subject, entry->value);
	if (stands != NULL)
		refresh(applier, stands, entry);
	else
		stands = add_fact(applier, subject, entry, newer);
	if (entry->op == LEARN_SET && newer == NULL)
		supersede(applier, subject, stands);
}

/* ---- remove and forget ---- */

/* Which facts are meant; an empty slice means any. */
struct selection {
	struct slice entity;
	struct slice key;
	struct slice value;
	bool exact;
	bool ended_too;
	bool named; /* only those whose value the user names */
};

/* Long enough that finding it inside another text means something: three letters, two ideographs.
 */
static bool says_enough(struct slice text)
{
	size_t characters = 0;
	uint32_t character;
	for (size_t at = 0; at < text.size; characters++)
		at += text_decode(text, at, &character);
	return characters >= 3 || text.size >= 6;
}

/* Under its key a part of a word will do: "Chroma" of "ChromaDB". "Ann" is not "Joanna". A value
 * that was not kept may be any. */
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
	    (!selection->ended_too && !is_current(known)))
		return false;
	if (selection->entity.size > 0 && !slice_equal(known->entity, selection->entity))
		return false;
	if (selection->key.size > 0 && !slice_equal(known->key, selection->key))
		return false;
	if (selection->named &&
	    !support_names(&applier->wish->scope, known->fact.value, applier->arena))
		return false;
	if (selection->value.size == 0 || is_same_value(known->fact.value, selection->value))
		return true;
	return !selection->exact && overlaps(selection, &known->fact);
}

static void retract(struct applier *applier, struct known *known)
{
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

/* What was said until this turn, as CHANGE_HIDE has it. */
static void hide_text(struct applier *applier, struct slice text)
{
	applier->hidden[applier->hidden_count++] =
		(struct fact){.value = text, .observed_at = applier->turn->created_at};
}

/* The fact keeps the first turn that said it as its source: others that say it in the same words
 * are to go as well. */
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

/* Nothing of it is left to be found or to lend its spelling. */
static void forget(struct applier *applier, struct known *known)
{
	hide_repetitions(applier, &known->fact);
	const struct fact forgotten = {
		.id = known->fact.id,
		.exchange = known->fact.exchange,
		.observed_at = known->fact.observed_at,
		.ended_at = applier->turn->created_at,
		.state = FACT_FORGOTTEN,
	};
	*known = (struct known){.fact = forgotten, .is_new = known->is_new, .is_changed = true};
}

/* Changes the facts that have exactly this value, or, when none has, those that share it in part.
 */
static size_t change_selected(struct applier *applier, struct selection selection,
			      void (*change)(struct applier *, struct known *))
{
	size_t changed = 0;
	for (int pass = 0; pass < 2 && changed == 0; pass++) {
		selection.exact = pass == 0;
		for (size_t i = 0; i < applier->count; i++) {
			if (!selects(applier, &selection, &applier->known[i]))
				continue;
			change(applier, &applier->known[i]);
			changed++;
		}
	}
	return changed;
}

static void apply_removal(struct applier *applier, const struct subject *subject,
			  const struct learn_entry *entry)
{
	change_selected(applier,
			(struct selection){.entity = subject->entity,
					   .key = subject->key,
					   .value = entry->value},
			retract);
}

/* Everything about somebody, and that others have to do with them ("sister: Maria"). */
static size_t forget_entity(struct applier *applier, const struct subject *subject)
{
	struct selection about = {.entity = subject->entity, .ended_too = true};
	size_t forgotten = change_selected(applier, about, forget);
	if (slice_equal(subject->entity, SLICE("user")))
		return forgotten;
	struct selection naming = {.value = subject->entity, .ended_too = true};
	return forgotten + change_selected(applier, naming, forget);
}

/* Of a key's values those that the user names, or, when none is, all if the key itself is. */
static void forget_key(struct applier *applier, const struct subject *subject,
		       const struct learn_entry *entry)
{
	struct selection selection = {
		.entity = subject->entity, .key = subject->key, .ended_too = true, .named = true};
	size_t forgotten = change_selected(applier, selection, forget);
	selection.named = false;
	if (forgotten == 0 && (wish_names_key(applier->wish, entry->key, applier->arena) ||
			       wish_names_all(applier->wish, entry->entity, applier->arena)))
		(void)change_selected(applier, selection, forget);
}

/* The model may name another key than the one that the fact has: the value then decides, if it is
 * the user's. What no fact holds may still stand in the turns themselves. */
static void apply_forgetting(struct applier *applier, const struct subject *subject,
			     const struct learn_entry *entry)
{
	struct selection selection = {.entity = subject->entity,
				      .key = subject->key,
				      .value = entry->value,
				      .ended_too = true};
	bool whole_entity = entry->key.size == 0 && entry->value.size == 0;
	if (entry->key.size > 0 && entry->value.size == 0) {
		forget_key(applier, subject, entry);
		return;
	}
	size_t forgotten = whole_entity ? forget_entity(applier, subject)
					: change_selected(applier, selection, forget);
	if (entry->rests_on_names && entry->value.size > 0)
		return;
	if (forgotten == 0 && entry->value.size > 0 && entry->key.size > 0) {
		selection.key = (struct slice){0};
		forgotten = change_selected(applier, selection, forget);
	}
	bool is_user = slice_equal(subject->entity, SLICE("user"));
	struct slice hidden = entry->value;
	if (whole_entity && !is_user)
		hidden = entry->entity;
	if (forgotten == 0 && says_enough(hidden))
		hide_text(applier, hidden);
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
	/* What was both learned and forgotten in this answer was never stored. */
	return known->is_new ? known->fact.state != FACT_FORGOTTEN : known->is_changed;
}

/* New facts come first, so that their ids are known when others refer to them. */
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
		apply_removal(applier, &subject, entry);
		break;
	case LEARN_FORGET:
		apply_forgetting(applier, &subject, entry);
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
	for (size_t i = 0; i < turn->fact_count; i++)
		know(&applier, &turn->facts[i], false);
	for (size_t i = 0; i < entries->count; i++) {
		apply_entry(&applier, &entries->list[i]);
		learning->hide_exchange |= entries->list[i].op == LEARN_FORGET;
	}
	list_changes(&applier, learning);
}
