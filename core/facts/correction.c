#include "core/facts/correction.h"

#include "core/facts/key.h"
#include "core/text/text.h"

#include <string.h>

/* A fact with what is compared of it. */
struct held {
	struct fact fact;
	struct slice entity; /* folded; the same for the next two */
	struct slice key;
	struct slice value;
	bool is_changed;
};

struct correcting {
	const struct correction *correction;
	struct arena *arena;
	struct held *held; /* the user's facts; room for one more */
	size_t count;
	uint64_t next_id;
	struct corrected *out;
};

static struct held hold(const struct fact *fact, struct arena *arena)
{
	return (struct held){.fact = *fact,
			     .entity = fact_fold(fact->entity, arena),
			     .key = fact_key(fact->key, arena),
			     .value = fact_fold(fact->value, arena)};
}

static bool is_about_same(const struct held *a, const struct held *b)
{
	return slice_equal(a->key, b->key) && slice_equal(a->entity, b->entity);
}

static bool says_same(const struct held *a, const struct held *b)
{
	return is_about_same(a, b) && slice_equal(a->value, b->value);
}

static bool stands(const struct held *held)
{
	return held->fact.state == FACT_CURRENT;
}

static void bury(struct correcting *correcting, const struct held *held)
{
	correcting->out->wrong[correcting->out->wrong_count++] = held->fact;
}

static void lift(struct correcting *correcting, const struct held *held)
{
	correcting->out->right[correcting->out->right_count++] = held->fact;
}

/* What requests were given of it as it was is not given again. */
static void leave(struct correcting *correcting, struct held *held)
{
	held->is_changed = true;
	correcting->out->left[correcting->out->left_count++] = held->fact.id;
}

static void supersede(struct correcting *correcting, struct held *held, uint64_t successor)
{
	leave(correcting, held);
	held->fact.state = FACT_SUPERSEDED;
	held->fact.ended_at = correcting->correction->now;
	held->fact.superseded_by = successor;
}

/* Ends what cannot stand beside `held`, and drops what was suggested instead. Returns whether a
 * pinned fact went. */
static bool make_way(struct correcting *correcting, const struct held *held)
{
	struct corrected *out = correcting->out;
	bool was_pinned = false;
	for (size_t i = 0; i < correcting->count; i++) {
		struct held *other = &correcting->held[i];
		if (other->fact.id == held->fact.id || !is_about_same(other, held))
			continue;
		bool excludes = !held->fact.many || !other->fact.many || says_same(other, held);
		if (stands(other) && excludes) {
			was_pinned |= other->fact.pinned;
			supersede(correcting, other, held->fact.id);
		} else if (other->fact.state == FACT_SUGGESTED && excludes) {
			out->dropped[out->dropped_count++] = other->fact.id;
		}
	}
	return was_pinned;
}

static void let_stand(struct correcting *correcting, struct held *held)
{
	lift(correcting, held);
	leave(correcting, held);
	held->fact.state = FACT_CURRENT;
	held->fact.ended_at = 0;
	held->fact.superseded_by = 0;
	(void)make_way(correcting, held);
}

/* ---- members ---- */

static bool gives(const struct correction *correction, unsigned member)
{
	return (correction->members & member) != 0;
}

static void take_members(const struct correction *correction, struct fact *fact)
{
	const struct fact *given = &correction->given;
	if (gives(correction, CORRECTS_ENTITY))
		fact->entity = given->entity;
	if (gives(correction, CORRECTS_KIND))
		fact->kind = given->kind;
	if (gives(correction, CORRECTS_KEY))
		fact->key = given->key;
	if (gives(correction, CORRECTS_VALUE))
		fact->value = given->value;
	if (gives(correction, CORRECTS_MANY))
		fact->many = given->many;
	if (gives(correction, CORRECTS_PII)) {
		fact->pii = given->pii;
		fact->classes = given->classes;
	}
	if (gives(correction, CORRECTS_EXPIRY))
		fact->expires_at = given->expires_at;
	if (gives(correction, CORRECTS_CONFIDENCE))
		fact->confidence = given->confidence;
	if (gives(correction, CORRECTS_PINNED))
		fact->pinned = given->pinned;
	if (gives(correction, CORRECTS_AGENT))
		fact->agent = given->agent;
	if (gives(correction, CORRECTS_APP))
		fact->app = given->app;
	if (gives(correction, CORRECTS_METADATA))
		fact->metadata = given->metadata;
}

static struct held *find(struct correcting *correcting, uint64_t id)
{
	for (size_t i = 0; i < correcting->count; i++) {
		struct held *held = &correcting->held[i];
		if (held->fact.id == id && held->fact.state != FACT_FORGOTTEN)
			return held;
	}
	return NULL;
}

/* ---- creating ---- */

static struct held *find_standing(struct correcting *correcting, const struct held *like)
{
	for (size_t i = 0; i < correcting->count; i++) {
		if (stands(&correcting->held[i]) && says_same(&correcting->held[i], like))
			return &correcting->held[i];
	}
	return NULL;
}

static void add(struct correcting *correcting, struct held held)
{
	held.is_changed = true;
	lift(correcting, &held);
	held.fact.pinned |= make_way(correcting, &held);
	correcting->out->id = held.fact.id;
	correcting->held[correcting->count++] = held;
}

/* It is there: it was said again. */
static void say_again(struct correcting *correcting, struct held *held)
{
	const struct correction *correction = correcting->correction;
	struct correction details = *correction;
	details.members &= CORRECTS_EXPIRY | CORRECTS_PII | CORRECTS_CONFIDENCE | CORRECTS_LABELS;
	take_members(&details, &held->fact);
	held->fact.pinned |= correction->given.pinned;
	held->fact.observed_at = correction->now;
	held->fact.repeats++;
	held->is_changed = true;
	correcting->out->id = held->fact.id;
}

static enum correction_result create(struct correcting *correcting)
{
	const struct correction *correction = correcting->correction;
	struct fact fact = {.id = correcting->next_id,
			    .confidence = 1,
			    .observed_at = correction->now,
			    .source = FACT_FROM_NOTE,
			    .by = correction->by};
	take_members(correction, &fact);
	struct held held = hold(&fact, correcting->arena);
	struct held *standing = find_standing(correcting, &held);
	if (standing != NULL) {
		say_again(correcting, standing);
		return CORRECTION_DONE;
	}
	add(correcting, held);
	return CORRECTION_CREATED;
}

/* ---- changing ---- */

static enum correction_result change_state(struct correcting *correcting, struct held *held)
{
	const bool ends = correcting->correction->given.state == FACT_RETRACTED;
	const bool was_suggested = held->fact.state == FACT_SUGGESTED;
	held->fact.by = correcting->correction->by;
	held->is_changed = true;
	if (!ends && !stands(held)) {
		let_stand(correcting, held);
	} else if (ends && (stands(held) || was_suggested)) {
		if (!was_suggested)
			bury(correcting, held);
		leave(correcting, held);
		held->fact.state = FACT_RETRACTED;
		held->fact.ended_at = correcting->correction->now;
	}
	return CORRECTION_DONE;
}

/* The suggestion that waits for a fact; NULL: there is none. One that was imported as such
 * contradicts nothing, and waits for a person. */
static struct held *find_suggested(struct correcting *correcting, const struct held *pinned)
{
	for (size_t i = 0; i < correcting->count; i++) {
		struct held *held = &correcting->held[i];
		if (held->fact.state == FACT_SUGGESTED && held->fact.superseded_by != 0 &&
		    is_about_same(held, pinned))
			return held;
	}
	return NULL;
}

/* The same value: only its details change, and it stays the same fact. */
static void change_details(struct correcting *correcting, struct held *held)
{
	const struct correction *correction = correcting->correction;
	const unsigned beside = CORRECTS_PINNED | CORRECTS_LABELS;
	const bool was_pinned = held->fact.pinned;
	leave(correcting, held);
	take_members(correction, &held->fact);
	if ((correction->members & ~beside) != 0) {
		held->fact.source = FACT_FROM_CORRECTION;
		held->fact.by = correction->by;
		held->fact.pinned = held->fact.pinned || !gives(correction, CORRECTS_PINNED);
	}
	struct held *suggested = find_suggested(correcting, held);
	if (was_pinned && !held->fact.pinned && suggested != NULL) {
		let_stand(correcting, suggested);
		correcting->out->id = suggested->fact.id;
	}
}

/* Another value, or of something else: a new version. */
static void replace(struct correcting *correcting, struct held *held, struct held changed)
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
	if (!gives(correction, CORRECTS_PINNED))
		fact->pinned = true;
	bury(correcting, held);
	supersede(correcting, held, fact->id);
	const bool unpins = gives(correction, CORRECTS_PINNED) && !correction->given.pinned;
	add(correcting, changed);
	if (unpins)
		correcting->held[correcting->count - 1].fact.pinned = false;
}

static enum correction_result patch(struct correcting *correcting, struct held *held)
{
	struct fact fact = held->fact;
	if (gives(correcting->correction, CORRECTS_STATE))
		return change_state(correcting, held);
	if (!stands(held))
		return CORRECTION_ENDED;
	take_members(correcting->correction, &fact);
	struct held changed = hold(&fact, correcting->arena);
	if (says_same(&changed, held))
		change_details(correcting, held);
	else
		replace(correcting, held, changed);
	return CORRECTION_DONE;
}

static enum correction_result restore(struct correcting *correcting, struct held *held)
{
	if (stands(held) || held->fact.state == FACT_SUGGESTED)
		return CORRECTION_NOTHING;
	held->fact.by = correcting->correction->by;
	if (fact_is_dismissed(&held->fact)) {
		held->fact.state = FACT_SUGGESTED;
		held->fact.ended_at = 0;
		held->is_changed = true;
	} else {
		let_stand(correcting, held);
	}
	return CORRECTION_DONE;
}

/* ---- all ---- */

static enum correction_result apply(struct correcting *correcting)
{
	const struct correction *correction = correcting->correction;
	if (correction->kind == CORRECTION_CREATE)
		return create(correcting);
	struct held *held = find(correcting, correction->id);
	if (held == NULL)
		return CORRECTION_NO_FACT;
	if (!fact_matches(&held->fact, correction->match))
		return CORRECTION_CHANGED;
	correcting->out->id = held->fact.id;
	return correction->kind == CORRECTION_PATCH ? patch(correcting, held)
						    : restore(correcting, held);
}

struct corrected correction_apply(const struct correction *correction, const struct fact *facts,
				  size_t count, uint64_t next_id, struct arena *arena)
{
	const size_t most = 2 * count + 2; /* each leaves once by itself, once for another */
	struct corrected out = {.result = CORRECTION_DONE};
	struct correcting correcting = {.correction = correction,
					.arena = arena,
					.held = arena_alloc(arena, most * sizeof(struct held)),
					.count = count,
					.next_id = next_id,
					.out = &out};
	out.facts = arena_alloc(arena, most * sizeof(*out.facts));
	out.dropped = arena_alloc(arena, most * sizeof(*out.dropped));
	out.wrong = arena_alloc(arena, most * sizeof(*out.wrong));
	out.right = arena_alloc(arena, most * sizeof(*out.right));
	out.left = arena_alloc(arena, most * sizeof(*out.left));
	for (size_t i = 0; i < count; i++)
		correcting.held[i] = hold(&facts[i], arena);
	out.result = apply(&correcting);
	for (size_t i = 0; i < correcting.count; i++) {
		if (correcting.held[i].is_changed)
			out.facts[out.count++] = correcting.held[i].fact;
	}
	return out;
}
