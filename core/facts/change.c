#include "core/facts/change.h"

#include "core/base/ids.h"
#include "core/facts/facts.h"

#include <stdlib.h>
#include <string.h>

/* ---- the facts that are known ---- */

struct known known_of(const struct fact *fact, struct arena *arena)
{
	return (struct known){.fact = *fact,
			      .entity = fact_fold(fact->entity, arena),
			      .key = fact_key(fact->key, arena),
			      .value = fact_fold(fact->value, arena)};
}

struct facts facts_know(const struct fact *list, size_t count, size_t room, struct arena *arena)
{
	struct facts facts = {.arena = arena};
	facts.known = arena_alloc(arena, (count + room) * sizeof(*facts.known));
	for (size_t i = 0; i < count; i++)
		facts.known[facts.count++] = known_of(&list[i], arena);
	return facts;
}

struct known *facts_add(struct facts *facts, const struct known *known)
{
	struct known *added = &facts->known[facts->count++];
	*added = *known;
	added->is_new = added->is_changed = true;
	return added;
}

bool known_stands(const struct known *known)
{
	return known->fact.state == FACT_CURRENT;
}

bool known_is_about(const struct known *known, const struct known *other)
{
	return slice_equal(known->key, other->key) && slice_equal(known->entity, other->entity);
}

bool known_says(const struct known *known, const struct known *other)
{
	return slice_equal(known->value, other->value) && known_is_about(known, other);
}

struct known *facts_find_standing(const struct facts *facts, const struct known *said)
{
	for (size_t i = 0; i < facts->count; i++) {
		struct known *known = &facts->known[i];
		if (known_stands(known) && known_says(known, said))
			return known;
	}
	return NULL;
}

struct known *facts_find_suggested(const struct facts *facts, const struct known *about)
{
	for (size_t i = 0; i < facts->count; i++) {
		struct known *known = &facts->known[i];
		if (known->fact.state == FACT_SUGGESTED && known->fact.superseded_by != 0 &&
		    !known->is_dropped && known_is_about(known, about))
			return known;
	}
	return NULL;
}

bool known_excludes(const struct known *a, const struct known *b)
{
	return (!a->fact.many || !b->fact.many || slice_equal(a->value, b->value)) &&
	       known_is_about(a, b);
}

void known_end(struct known *known, const struct known *successor, int64_t at)
{
	known->is_changed = known->is_left = true;
	known->fact.state = FACT_SUPERSEDED;
	known->fact.ended_at = at;
	known->fact.superseded_by = successor->fact.id;
	known->replaced_by = successor;
}

void known_stand(struct known *known)
{
	known->is_changed = known->is_left = true;
	known->fact.state = FACT_CURRENT;
	known->fact.ended_at = 0;
	known->fact.superseded_by = 0;
}

void facts_supersede(struct facts *facts, const struct known *stays, int64_t at)
{
	for (size_t i = 0; i < facts->count; i++) {
		struct known *other = &facts->known[i];
		if (other != stays && known_stands(other) &&
		    (!other->fact.pinned || fact_is_over(&other->fact, at)) &&
		    !(other->is_beside && stays->is_beside) && known_is_about(other, stays))
			known_end(other, stays, at);
	}
}

static void add_fact(struct fact *list, size_t *count, const struct known *known, bool is_among)
{
	if (is_among)
		list[(*count)++] = known->fact;
}

static void add_id(uint64_t *list, size_t *count, const struct known *known, bool is_among)
{
	if (is_among)
		list[(*count)++] = known->fact.id;
}

struct fact_changes facts_changes(const struct facts *facts)
{
	const size_t most = facts->count + 1;
	struct fact_changes changes = {
		.facts = arena_alloc(facts->arena, most * sizeof(struct fact)),
		.dropped = arena_alloc(facts->arena, most * sizeof(uint64_t)),
		.wrong = arena_alloc(facts->arena, most * sizeof(struct fact)),
		.right = arena_alloc(facts->arena, most * sizeof(struct fact)),
		.left = arena_alloc(facts->arena, most * sizeof(uint64_t))};
	for (size_t i = 0; i < facts->count; i++) {
		const struct known *known = &facts->known[i];
		add_fact(changes.facts, &changes.count, known,
			 known->is_changed && !known->is_dropped);
		add_id(changes.dropped, &changes.dropped_count, known, known->is_dropped);
		add_fact(changes.wrong, &changes.wrong_count, known, known->is_wrong);
		add_fact(changes.right, &changes.right_count, known, known->is_right);
		add_id(changes.left, &changes.left_count, known, known->is_left && !known->is_new);
	}
	ids_sort(changes.left, changes.left_count);
	return changes;
}

/* ---- what a person decides ---- */

struct correcting {
	const struct correction *correction;
	struct facts facts;
	uint64_t next_id;
	uint64_t id; /* as in struct corrected */
};

/* Once its time is over, a pin holds nothing. */
static bool is_pinned(const struct correcting *correcting, const struct known *known)
{
	return known->fact.pinned && !fact_is_over(&known->fact, correcting->correction->now);
}

/* Ends what cannot stand beside `stays`, and drops what was suggested instead. Returns whether a
 * pinned fact went. */
static bool make_way(struct correcting *correcting, const struct known *stays)
{
	struct facts *facts = &correcting->facts;
	bool was_pinned = false;
	for (size_t i = 0; i < facts->count; i++) {
		struct known *other = &facts->known[i];
		if (other == stays || !known_excludes(other, stays))
			continue;
		if (known_stands(other)) {
			was_pinned |= is_pinned(correcting, other);
			known_end(other, stays, correcting->correction->now);
		} else if (other->fact.state == FACT_SUGGESTED) {
			other->is_dropped = true;
		}
	}
	return was_pinned;
}

static void let_stand(struct correcting *correcting, struct known *known)
{
	known_stand(known);
	known->is_right = true;
	(void)make_way(correcting, known);
}

static struct known *find(const struct facts *facts, uint64_t id)
{
	for (size_t i = 0; i < facts->count; i++) {
		if (facts->known[i].fact.id == id && facts->known[i].fact.state != FACT_FORGOTTEN)
			return &facts->known[i];
	}
	return NULL;
}

/* Whether `later` came of the fact by being said or corrected since. */
static bool succeeds(const struct facts *facts, const struct known *later,
		     const struct known *known)
{
	/* A damaged chain may be circular. */
	for (size_t i = 0; i < facts->count && known != NULL && known != later; i++)
		known = find(facts, known->fact.superseded_by);
	return known == later;
}

/* Another value that is pinned and would have to go; but a person may always go back from what took
 * the fact's own place. */
static bool asks(struct correcting *correcting, const struct known *wanted,
		 const struct known *instead)
{
	const struct facts *facts = &correcting->facts;
	for (size_t i = 0; i < facts->count && !correcting->correction->replaces; i++) {
		const struct known *other = &facts->known[i];
		if (!known_stands(other) || !is_pinned(correcting, other) || other == wanted ||
		    !known_excludes(other, wanted) || known_says(other, wanted) ||
		    (instead != NULL && succeeds(facts, other, instead)))
			continue;
		correcting->id = other->fact.id;
		return true;
	}
	return false;
}

static bool gives(const struct correction *correction, unsigned member)
{
	return (correction->members & member) != 0;
}

static void take_members(unsigned members, const struct fact *given, struct fact *fact)
{
	if ((members & CORRECTS_ENTITY) != 0)
		fact->entity = given->entity;
	if ((members & CORRECTS_KIND) != 0)
		fact->kind = given->kind;
	if ((members & CORRECTS_KEY) != 0)
		fact->key = given->key;
	if ((members & CORRECTS_VALUE) != 0)
		fact->value = given->value;
	if ((members & CORRECTS_MANY) != 0)
		fact->many = given->many;
	if ((members & CORRECTS_PII) != 0) {
		fact->pii = given->pii;
		fact->classes = given->classes;
	}
	if ((members & CORRECTS_EXPIRY) != 0)
		fact->expires_at = given->expires_at;
	if ((members & CORRECTS_CONFIDENCE) != 0)
		fact->confidence = given->confidence;
	if ((members & CORRECTS_PINNED) != 0)
		fact->pinned = given->pinned;
	if ((members & CORRECTS_AGENT) != 0)
		fact->agent = given->agent;
	if ((members & CORRECTS_APP) != 0)
		fact->app = given->app;
	if ((members & CORRECTS_METADATA) != 0)
		fact->metadata = given->metadata;
}

static struct known *add(struct correcting *correcting, const struct known *known)
{
	struct known *added = facts_add(&correcting->facts, known);
	added->is_right = true;
	added->fact.pinned |= make_way(correcting, added);
	correcting->id = added->fact.id;
	return added;
}

/* It is there: it was said again. */
static void say_again(struct correcting *correcting, struct known *known)
{
	const struct correction *correction = correcting->correction;
	const unsigned details =
		CORRECTS_EXPIRY | CORRECTS_PII | CORRECTS_CONFIDENCE | CORRECTS_LABELS;
	if (fact_is_over(&known->fact, correction->now)) {
		known->fact.expires_at = 0;
		known->fact.pinned = false;
	}
	take_members(correction->members & details, &correction->given, &known->fact);
	known->fact.pinned |= correction->given.pinned;
	known->fact.observed_at = correction->now;
	known->fact.repeats++;
	known->is_changed = true;
	correcting->id = known->fact.id;
}

static enum correction_result create(struct correcting *correcting)
{
	const struct correction *correction = correcting->correction;
	struct fact fact = {.id = correcting->next_id,
			    .confidence = 1,
			    .observed_at = correction->now,
			    .source = FACT_FROM_NOTE,
			    .by = correction->by};
	take_members(correction->members, &correction->given, &fact);
	const struct known known = known_of(&fact, correcting->facts.arena);
	struct known *stands = facts_find_standing(&correcting->facts, &known);
	if (stands != NULL) {
		say_again(correcting, stands);
		return CORRECTION_DONE;
	}
	if (asks(correcting, &known, NULL))
		return CORRECTION_PINNED;
	(void)add(correcting, &known);
	return CORRECTION_CREATED;
}

static enum correction_result change_state(struct correcting *correcting, struct known *known)
{
	const bool ends = correcting->correction->given.state == FACT_RETRACTED;
	const bool was_suggested = known->fact.state == FACT_SUGGESTED;
	if (!ends && !known_stands(known) && asks(correcting, known, known))
		return CORRECTION_PINNED;
	known->fact.by = correcting->correction->by;
	known->is_changed = true;
	if (!ends && !known_stands(known)) {
		let_stand(correcting, known);
	} else if (ends && known->fact.state == FACT_HIDDEN) {
		/* It stays hidden: the turns of a retracted fact are given, with a mark. */
		known->is_wrong = true;
	} else if (ends && (known_stands(known) || was_suggested)) {
		known->is_wrong = !was_suggested;
		known->is_left = true;
		known->fact.state = FACT_RETRACTED;
		known->fact.ended_at = correcting->correction->now;
	}
	return CORRECTION_DONE;
}

/* The value stays: only its details change, and it remains one fact. */
static void change_details(struct correcting *correcting, struct known *known)
{
	const struct correction *correction = correcting->correction;
	const unsigned beside = CORRECTS_PINNED | CORRECTS_LABELS;
	const bool was_pinned = known->fact.pinned;
	known->is_changed = known->is_left = true;
	take_members(correction->members, &correction->given, &known->fact);
	if ((correction->members & ~beside) != 0) {
		known->fact.source = FACT_FROM_CORRECTION;
		known->fact.by = correction->by;
		known->fact.pinned |= !gives(correction, CORRECTS_PINNED);
	}
	struct known *suggested = facts_find_suggested(&correcting->facts, known);
	if (was_pinned && !known->fact.pinned && suggested != NULL) {
		let_stand(correcting, suggested);
		correcting->id = suggested->fact.id;
	}
}

/* Another value, or of something else: a new version. */
static void replace(struct correcting *correcting, struct known *known, struct known changed)
{
	const struct correction *correction = correcting->correction;
	struct fact *fact = &changed.fact;
	fact->id = correcting->next_id;
	fact->source = FACT_FROM_CORRECTION;
	fact->by = correction->by;
	fact->observed_at = correction->now;
	fact->exchange = 0;
	fact->repeats = 0;
	fact_unquote(fact);
	if (!gives(correction, CORRECTS_CONFIDENCE))
		fact->confidence = 1;
	fact->pinned = !gives(correction, CORRECTS_PINNED) || correction->given.pinned;
	known->is_wrong = true;
	known_end(known, &changed, correction->now);
	struct known *added = add(correcting, &changed);
	if (gives(correction, CORRECTS_PINNED))
		added->fact.pinned = correction->given.pinned;
}

static enum correction_result patch(struct correcting *correcting, struct known *known)
{
	const struct correction *correction = correcting->correction;
	struct fact fact = known->fact;
	if (gives(correction, CORRECTS_STATE))
		return change_state(correcting, known);
	if (!known_stands(known))
		return CORRECTION_ENDED;
	take_members(correction->members, &correction->given, &fact);
	const struct known changed = known_of(&fact, correcting->facts.arena);
	if (known_says(&changed, known)) {
		change_details(correcting, known);
		return CORRECTION_DONE;
	}
	if (asks(correcting, &changed, known))
		return CORRECTION_PINNED;
	replace(correcting, known, changed);
	return CORRECTION_DONE;
}

static enum correction_result restore(struct correcting *correcting, struct known *known)
{
	if (known_stands(known) || known->fact.state == FACT_SUGGESTED)
		return CORRECTION_NOTHING;
	if (fact_is_dismissed(&known->fact)) {
		known->fact.state = FACT_SUGGESTED;
		known->fact.ended_at = 0;
		known->is_changed = true;
	} else if (asks(correcting, known, known)) {
		return CORRECTION_PINNED;
	} else {
		let_stand(correcting, known);
	}
	known->fact.by = correcting->correction->by;
	return CORRECTION_DONE;
}

static enum correction_result correct(struct correcting *correcting)
{
	const struct correction *correction = correcting->correction;
	if (correction->kind == CORRECTION_CREATE)
		return create(correcting);
	struct known *known = find(&correcting->facts, correction->id);
	if (known == NULL)
		return CORRECTION_NO_FACT;
	if (!fact_matches(&known->fact, correction->match))
		return CORRECTION_CHANGED;
	correcting->id = known->fact.id;
	return correction->kind == CORRECTION_PATCH ? patch(correcting, known)
						    : restore(correcting, known);
}

struct corrected facts_correct(const struct correction *correction, const struct fact *list,
			       size_t count, uint64_t next_id, struct arena *arena)
{
	struct correcting correcting = {.correction = correction,
					.facts = facts_know(list, count, 1, arena),
					.next_id = next_id};
	const enum correction_result result = correct(&correcting);
	return (struct corrected){result, correcting.id, facts_changes(&correcting.facts)};
}

/* ---- what is taken in, and doubled ---- */

static int compare_texts(struct slice a, struct slice b)
{
	if (a.size != b.size)
		return a.size < b.size ? -1 : 1;
	return a.size == 0 ? 0 : memcmp(a.data, b.data, a.size);
}

bool known_outranks(const struct known *a, const struct known *b)
{
	if (a->fact.pinned != b->fact.pinned)
		return a->fact.pinned;
	if (a->fact.pinned && a->is_new != b->is_new)
		return b->is_new;
	return fact_is_newer(&a->fact, &b->fact);
}

/* Sorts facts that say the same side by side, the one that stays first. */
static int compare_known(const void *left, const void *right)
{
	const struct known *a = *(const struct known *const *)left;
	const struct known *b = *(const struct known *const *)right;
	int order = compare_texts(a->key, b->key);
	order = order != 0 ? order : compare_texts(a->entity, b->entity);
	order = order != 0 ? order : compare_texts(a->value, b->value);
	if (order != 0)
		return order;
	if (known_stands(a) != known_stands(b))
		return known_stands(a) ? -1 : 1;
	if (a->fact.pinned == b->fact.pinned && a->is_new != b->is_new)
		return a->is_new ? 1 : -1;
	return known_outranks(a, b) ? -1 : known_outranks(b, a);
}

static void merge(struct fact *stays, const struct fact *goes)
{
	stays->repeats += goes->repeats + 1;
	stays->pii |= goes->pii;
	stays->classes |= goes->classes;
	if (goes->observed_at > stays->observed_at)
		stays->observed_at = goes->observed_at;
	if (goes->confidence > stays->confidence)
		stays->confidence = goes->confidence;
	if (stays->expires_at != 0 &&
	    (goes->expires_at == 0 || goes->expires_at > stays->expires_at))
		stays->expires_at = goes->expires_at;
}

/* Merges facts that say the same. What was retracted or hidden since it was said does not
 * come back. */
static void merge_all(struct known **list, size_t count, int64_t now)
{
	struct known *stays = list[0];
	for (size_t i = 1; i < count && known_stands(stays); i++) {
		struct known *other = list[i];
		if (known_stands(other)) {
			merge(&stays->fact, &other->fact);
			stays->is_changed = true;
			known_end(other, stays, now);
			other->fact.pinned = false;
		} else if (stays->is_new && other->fact.ended_at > stays->fact.observed_at) {
			stays->is_changed = true;
			stays->fact.state = other->fact.state;
			stays->fact.ended_at = other->fact.ended_at;
		}
	}
}

/* Of one key's values, those that were taken in give way or supersede. */
static void exclude_taken(struct known **list, size_t count, int64_t now)
{
	const struct known *best = NULL;
	for (size_t i = 0; i < count; i++) {
		if (known_stands(list[i]) && (best == NULL || known_outranks(list[i], best)))
			best = list[i];
	}
	for (size_t i = 0; i < count; i++) {
		if (known_stands(list[i]) && list[i] != best && known_excludes(list[i], best) &&
		    (list[i]->is_new || best->is_new))
			known_end(list[i], best,
				  fact_is_newer(&best->fact, &list[i]->fact)
					  ? best->fact.observed_at
					  : now);
	}
}

/* A suggestion against a fact that went is now one against the fact that stays. */
static void move_suggestions(const struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		struct known *known = &facts->known[i];
		if (known->fact.state != FACT_SUGGESTED || known->fact.superseded_by == 0)
			continue;
		const struct known *pinned = find(facts, known->fact.superseded_by);
		if (pinned == NULL || !pinned->is_left)
			continue;
		known->fact.superseded_by = pinned->fact.superseded_by;
		known->is_changed = true;
	}
}

/* Facts of the current run of the list that agree as far as `agree` tells. */
static size_t run_of(struct known **list, size_t count,
		     bool (*agree)(const struct known *a, const struct known *b))
{
	size_t run = 1;
	while (run < count && agree(list[0], list[run]))
		run++;
	return run;
}

struct fact_changes facts_settle(const struct fact *list, size_t count, uint64_t first_taken,
				 int64_t now, struct arena *arena)
{
	struct facts facts = facts_know(list, count, 0, arena);
	struct known **sorted = arena_alloc(arena, (count + 1) * sizeof(struct known *));
	size_t standing = 0;
	for (size_t i = 0; i < count; i++) {
		struct known *known = &facts.known[i];
		known->is_new = known->fact.id >= first_taken;
		if ((known_stands(known) && !fact_is_over(&known->fact, now)) ||
		    known->fact.state == FACT_HIDDEN ||
		    (known->fact.state == FACT_RETRACTED && known->fact.superseded_by == 0))
			sorted[standing++] = known;
	}
	if (standing > 1)
		qsort(sorted, standing, sizeof(*sorted), compare_known);
	for (size_t i = 0, run; i < standing; i += run) {
		run = run_of(sorted + i, standing - i, known_says);
		merge_all(sorted + i, run, now);
	}
	for (size_t i = 0, run; i < standing && first_taken != UINT64_MAX; i += run) {
		run = run_of(sorted + i, standing - i, known_is_about);
		exclude_taken(sorted + i, run, now);
	}
	move_suggestions(&facts);
	return facts_changes(&facts);
}
