#include "core/facts/change.h"
#include "tests/unit/rights_fixture.h"

/* Tests the changes that a correction of facts makes, without a store. */

enum { NOW = 1000, NEXT = 50, MOST = 8 };

static struct arena arena;
static struct fact facts[MOST];
static size_t fact_count;

static struct fact *know(const char *key, const char *value)
{
	struct fact *fact = &facts[fact_count++];
	*fact = user_fact(fact_count, key, value);
	return fact;
}

static struct corrected run(const struct correction *correction)
{
	struct correction whole = *correction;
	whole.now = NOW;
	whole.by = SLICE("admin");
	return facts_correct(&whole, facts, fact_count, NEXT, &arena);
}

static const struct fact *written(const struct corrected *corrected, uint64_t id)
{
	for (size_t i = 0; i < corrected->changes.count; i++) {
		if (corrected->changes.facts[i].id == id)
			return &corrected->changes.facts[i];
	}
	ck_abort_msg("fact %d is not written", (int)id);
	return NULL;
}

static bool is_among(const uint64_t *ids, size_t count, uint64_t id)
{
	bool found = false;
	for (size_t i = 0; i < count; i++)
		found |= ids[i] == id;
	return found;
}

static struct correction patch(uint64_t id, const char *value)
{
	return (struct correction){.kind = CORRECTION_PATCH,
				   .id = id,
				   .members = CORRECTS_VALUE,
				   .given = {.value = slice_of(value)}};
}

static struct correction state(uint64_t id, enum fact_state to)
{
	return (struct correction){.kind = CORRECTION_PATCH,
				   .id = id,
				   .members = CORRECTS_STATE,
				   .given = {.state = to}};
}

static struct correction pin(uint64_t id, bool pinned)
{
	return (struct correction){.kind = CORRECTION_PATCH,
				   .id = id,
				   .members = CORRECTS_PINNED,
				   .given = {.pinned = pinned}};
}

static struct correction restore(uint64_t id)
{
	return (struct correction){.kind = CORRECTION_RESTORE, .id = id};
}

static struct correction create(const char *key, const char *value)
{
	return (struct correction){.kind = CORRECTION_CREATE,
				   .members = CORRECTS_ENTITY | CORRECTS_KIND | CORRECTS_KEY |
					      CORRECTS_VALUE,
				   .given = {.entity = SLICE("user"),
					     .kind = SLICE("user"),
					     .key = slice_of(key),
					     .value = slice_of(value)}};
}

static void begin(void)
{
	fact_count = 0;
}

static void end(void)
{
	arena_finish(&arena);
}

START_TEST(a_corrected_value_is_a_new_version_and_the_old_one_gets_a_tombstone)
{
	begin();
	know("city", "Rome");
	const struct correction correction = patch(1, "Lyon");
	struct corrected corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_DONE);
	ck_assert_uint_eq(corrected.id, NEXT);
	const struct fact *old = written(&corrected, 1);
	ck_assert_int_eq(old->state, FACT_SUPERSEDED);
	ck_assert_uint_eq(old->superseded_by, NEXT);
	ck_assert_int_eq(old->ended_at, NOW);
	const struct fact *new = written(&corrected, NEXT);
	unit_assert_slice(new->value, "Lyon");
	unit_assert_slice(new->by, "admin");
	ck_assert(new->pinned &&new->confidence == 1);
	ck_assert_int_eq(new->source, FACT_FROM_CORRECTION);
	ck_assert_int_eq(new->observed_at, NOW);
	ck_assert_uint_eq(new->exchange, 0);
	ck_assert_uint_eq(new->quote.size, 0);
	ck_assert_uint_eq(corrected.changes.wrong_count, 1);
	unit_assert_slice(corrected.changes.wrong[0].value, "Rome");
	ck_assert_uint_eq(corrected.changes.right_count, 1);
	unit_assert_slice(corrected.changes.right[0].value, "Lyon");
	ck_assert(is_among(corrected.changes.left, corrected.changes.left_count, 1));
	end();
}
END_TEST

START_TEST(a_correction_takes_all_members_and_may_leave_the_fact_unpinned)
{
	begin();
	know("city", "Rome");
	struct correction correction = patch(1, "Lyon");
	correction.members |= CORRECTS_ENTITY | CORRECTS_KEY | CORRECTS_KIND | CORRECTS_PII |
			      CORRECTS_EXPIRY | CORRECTS_PINNED | CORRECTS_CONFIDENCE |
			      CORRECTS_MANY;
	correction.given.entity = SLICE("Maria");
	correction.given.key = SLICE("home");
	correction.given.kind = SLICE("person");
	correction.given.pii = true;
	correction.given.many = true;
	correction.given.expires_at = 5000;
	correction.given.confidence = 0.5;
	struct corrected corrected = run(&correction);
	const struct fact *new = written(&corrected, NEXT);
	unit_assert_slice(new->entity, "Maria");
	unit_assert_slice(new->key, "home");
	unit_assert_slice(new->kind, "person");
	ck_assert(new->pii &&new->many && !new->pinned &&new->confidence == 0.5);
	ck_assert_int_eq(new->expires_at, 5000);
	end();
}
END_TEST

START_TEST(the_same_value_in_other_letters_stays_the_same_fact)
{
	begin();
	know("city", "rome");
	struct correction correction = patch(1, " Rome. ");
	struct corrected corrected = run(&correction);
	ck_assert_uint_eq(corrected.id, 1);
	ck_assert_uint_eq(corrected.changes.count, 1);
	ck_assert_uint_eq(corrected.changes.wrong_count, 0);
	ck_assert(written(&corrected, 1)->pinned);
	ck_assert_int_eq(written(&corrected, 1)->source, FACT_FROM_CORRECTION);
	end();
}
END_TEST

START_TEST(pinning_changes_nothing_else)
{
	begin();
	know("city", "Rome");
	struct correction correction = pin(1, true);
	struct corrected corrected = run(&correction);
	ck_assert_uint_eq(corrected.changes.count, 1);
	ck_assert(written(&corrected, 1)->pinned);
	ck_assert_int_eq(written(&corrected, 1)->source, FACT_FROM_CHAT);
	unit_assert_slice(written(&corrected, 1)->quote, "I said so");
	end();
}
END_TEST

START_TEST(what_programs_put_beside_a_fact_changes_nothing_else)
{
	begin();
	know("city", "Rome");
	const uint64_t bare = fact_version(&facts[0]);
	struct correction correction = {.kind = CORRECTION_PATCH,
					.id = 1,
					.members = CORRECTS_LABELS,
					.given = {.agent = SLICE("planner"),
						  .app = SLICE("mail"),
						  .metadata = SLICE("{\"a\":1}")}};
	struct corrected corrected = run(&correction);
	const struct fact *fact = written(&corrected, 1);
	ck_assert(!fact->pinned);
	ck_assert_int_eq(fact->source, FACT_FROM_CHAT);
	unit_assert_slice(fact->agent, "planner");
	unit_assert_slice(fact->app, "mail");
	unit_assert_slice(fact->metadata, "{\"a\":1}");
	ck_assert(fact_version(fact) != bare);
	facts[0] = *fact;
	correction.members = CORRECTS_METADATA;
	correction.given.metadata = (struct slice){0};
	corrected = run(&correction);
	ck_assert_uint_eq(written(&corrected, 1)->metadata.size, 0);
	unit_assert_slice(written(&corrected, 1)->agent, "planner");
	end();
}
END_TEST

START_TEST(a_new_version_and_a_note_said_again_keep_what_is_beside_them)
{
	begin();
	know("city", "Rome")->agent = SLICE("planner");
	struct correction correction = patch(1, "Lyon");
	struct corrected corrected = run(&correction);
	unit_assert_slice(written(&corrected, corrected.id)->agent, "planner");
	correction = create("city", "Rome");
	correction.members |= CORRECTS_APP;
	correction.given.app = SLICE("mail");
	corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_DONE);
	unit_assert_slice(written(&corrected, 1)->agent, "planner");
	unit_assert_slice(written(&corrected, 1)->app, "mail");
	end();
}
END_TEST

START_TEST(unpinning_takes_what_was_suggested)
{
	begin();
	know("city", "Rome")->pinned = true;
	struct fact *said = know("city", "Lyon");
	said->state = FACT_SUGGESTED;
	said->superseded_by = 1;
	struct correction correction = pin(1, false);
	struct corrected corrected = run(&correction);
	ck_assert_uint_eq(corrected.id, 2);
	ck_assert_int_eq(written(&corrected, 2)->state, FACT_CURRENT);
	ck_assert_uint_eq(written(&corrected, 2)->superseded_by, 0);
	ck_assert_int_eq(written(&corrected, 1)->state, FACT_SUPERSEDED);
	ck_assert_uint_eq(written(&corrected, 1)->superseded_by, 2);
	/* Without a suggestion it is only unpinned. */
	fact_count = 1;
	corrected = run(&correction);
	ck_assert_uint_eq(corrected.id, 1);
	ck_assert_int_eq(written(&corrected, 1)->state, FACT_CURRENT);
	ck_assert(!written(&corrected, 1)->pinned);
	end();
}
END_TEST

START_TEST(correcting_to_what_was_suggested_takes_it)
{
	begin();
	know("city", "Rome")->pinned = true;
	know("city", "Lyon")->state = FACT_SUGGESTED;
	know("job", "baker")->state = FACT_SUGGESTED;
	struct correction correction = patch(1, "lyon");
	struct corrected corrected = run(&correction);
	ck_assert_uint_eq(corrected.changes.dropped_count, 1);
	ck_assert_uint_eq(corrected.changes.dropped[0], 2);
	ck_assert_int_eq(written(&corrected, NEXT)->state, FACT_CURRENT);
	end();
}
END_TEST

START_TEST(a_retracted_value_gets_a_tombstone_and_a_dismissed_one_does_not)
{
	begin();
	know("city", "Rome");
	know("city", "Lyon")->state = FACT_SUGGESTED;
	facts[1].superseded_by = 1;
	struct correction correction = state(1, FACT_RETRACTED);
	struct corrected corrected = run(&correction);
	ck_assert_int_eq(written(&corrected, 1)->state, FACT_RETRACTED);
	unit_assert_slice(written(&corrected, 1)->by, "admin");
	ck_assert_uint_eq(corrected.changes.wrong_count, 1);
	correction = state(2, FACT_RETRACTED);
	corrected = run(&correction);
	ck_assert_uint_eq(corrected.changes.wrong_count, 0);
	ck_assert(fact_is_dismissed(written(&corrected, 2)));
	facts[0].state = FACT_HIDDEN;
	correction = state(1, FACT_RETRACTED);
	corrected = run(&correction);
	ck_assert_int_eq(written(&corrected, 1)->state, FACT_HIDDEN);
	ck_assert_uint_eq(corrected.changes.wrong_count, 1);
	/* A dismissed suggestion comes back when the dismissal is undone. */
	facts[1].state = FACT_RETRACTED;
	correction = restore(2);
	corrected = run(&correction);
	ck_assert_int_eq(written(&corrected, 2)->state, FACT_SUGGESTED);
	end();
}
END_TEST

START_TEST(a_restored_fact_takes_its_place_again)
{
	begin();
	struct fact *old = know("city", "Rome");
	old->state = FACT_SUPERSEDED;
	old->superseded_by = 2;
	old->ended_at = 500;
	know("city", "Lyon")->pinned = true;
	know("job", "baker");
	struct correction correction = restore(1);
	struct corrected corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_DONE);
	ck_assert_int_eq(written(&corrected, 1)->state, FACT_CURRENT);
	ck_assert_int_eq(written(&corrected, 1)->ended_at, 0);
	ck_assert_int_eq(written(&corrected, 2)->state, FACT_SUPERSEDED);
	ck_assert_uint_eq(written(&corrected, 2)->superseded_by, 1);
	ck_assert_uint_eq(corrected.changes.right_count, 1);
	unit_assert_slice(corrected.changes.right[0].value, "Rome");
	correction = state(1, FACT_CURRENT);
	corrected = run(&correction);
	ck_assert_int_eq(written(&corrected, 1)->state, FACT_CURRENT);
	correction = state(2, FACT_CURRENT); /* it stands: nothing but who says so */
	corrected = run(&correction);
	ck_assert_int_eq(written(&corrected, 2)->state, FACT_CURRENT);
	ck_assert_uint_eq(corrected.changes.count, 1);
	end();
}
END_TEST

START_TEST(nothing_comes_of_a_correction_of_nothing)
{
	begin();
	know("city", "Rome");
	know("job", "baker")->state = FACT_SUPERSEDED;
	know("age", "")->state = FACT_FORGOTTEN;
	know("pet", "cat")->state = FACT_SUGGESTED;
	struct correction correction = restore(1);
	ck_assert_int_eq(run(&correction).result, CORRECTION_NOTHING);
	correction = restore(4);
	ck_assert_int_eq(run(&correction).result, CORRECTION_NOTHING);
	correction = restore(3);
	ck_assert_int_eq(run(&correction).result, CORRECTION_NO_FACT);
	correction = patch(99, "x");
	ck_assert_int_eq(run(&correction).result, CORRECTION_NO_FACT);
	correction = patch(2, "cook");
	struct corrected corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_ENDED);
	ck_assert_uint_eq(corrected.changes.count, 0);
	end();
}
END_TEST

START_TEST(a_correction_of_another_version_is_refused)
{
	begin();
	know("city", "Rome");
	struct correction correction = patch(1, "Lyon");
	uint64_t versions[2] = {fact_version(&facts[0])};
	correction.match.is_asked = true;
	ck_assert_int_eq(run(&correction).result, CORRECTION_CHANGED);
	correction.match.versions = versions;
	correction.match.count = 1;
	facts[0].repeats++;
	ck_assert_int_eq(run(&correction).result, CORRECTION_CHANGED);
	versions[1] = fact_version(&facts[0]);
	ck_assert_int_eq(run(&correction).result, CORRECTION_CHANGED);
	correction.match.count = 2;
	ck_assert_int_eq(run(&correction).result, CORRECTION_DONE);
	facts[0].pinned = true;
	ck_assert(!fact_matches(&facts[0], correction.match));
	end();
}
END_TEST

START_TEST(a_note_is_a_fact_and_the_same_note_is_said_again)
{
	begin();
	struct correction correction = create("city", "Rome");
	struct corrected corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_CREATED);
	ck_assert_uint_eq(corrected.id, NEXT);
	const struct fact *note = written(&corrected, NEXT);
	ck_assert_int_eq(note->source, FACT_FROM_NOTE);
	ck_assert(!note->pinned && note->confidence == 1);
	know("city", "ROME");
	correction.given.pinned = true;
	correction.members |= CORRECTS_PINNED;
	corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_DONE);
	ck_assert_uint_eq(corrected.id, 1);
	ck_assert_uint_eq(corrected.changes.count, 1);
	ck_assert_uint_eq(written(&corrected, 1)->repeats, 1);
	ck_assert_int_eq(written(&corrected, 1)->observed_at, NOW);
	ck_assert(written(&corrected, 1)->pinned);
	end();
}
END_TEST

START_TEST(a_note_replaces_a_single_value_and_joins_several)
{
	begin();
	know("city", "Rome");
	know("pet", "cat")->many = true;
	struct correction correction = create("Wohnort", "Lyon");
	struct corrected corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_CREATED);
	ck_assert_int_eq(written(&corrected, 1)->state, FACT_SUPERSEDED);
	ck_assert_uint_eq(written(&corrected, 1)->superseded_by, NEXT);
	ck_assert(!written(&corrected, NEXT)->pinned);
	ck_assert_uint_eq(corrected.changes.wrong_count, 0);
	correction = create("pet", "dog");
	correction.members |= CORRECTS_MANY;
	correction.given.many = true;
	corrected = run(&correction);
	ck_assert_uint_eq(corrected.changes.count, 1);
	correction.given.many = false;
	corrected = run(&correction);
	ck_assert_int_eq(written(&corrected, 2)->state, FACT_SUPERSEDED);
	end();
}
END_TEST

START_TEST(another_value_beside_a_pinned_one_is_asked_about_under_every_name_of_the_key)
{
	static const char *const names[] = {"city", "wohnort", "Home City", "ＣＩＴＹ"};
	begin();
	know("home_city", "Rome")->pinned = true;
	know("town", "Bern")->pinned = true; /* from before one key had one value */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct correction correction = create(names[i], "Lyon");
		struct corrected corrected = run(&correction);
		ck_assert_int_eq(corrected.result, CORRECTION_PINNED);
		ck_assert_uint_eq(corrected.id, 1);
		ck_assert_uint_eq(corrected.changes.count, 0);
		correction.replaces = true;
		corrected = run(&correction);
		ck_assert_int_eq(corrected.result, CORRECTION_CREATED);
		ck_assert_int_eq(written(&corrected, 1)->state, FACT_SUPERSEDED);
		ck_assert_int_eq(written(&corrected, 2)->state, FACT_SUPERSEDED);
		ck_assert(written(&corrected, NEXT)->pinned);
	}
	/* A value is said again, and several values stand side by side. */
	struct correction correction = create("wohnort", "rome");
	ck_assert_int_eq(run(&correction).result, CORRECTION_DONE);
	facts[0].many = facts[1].many = true;
	correction = create("wohnort", "Lyon");
	correction.members |= CORRECTS_MANY;
	correction.given.many = true;
	ck_assert_int_eq(run(&correction).result, CORRECTION_CREATED);
	end();
}
END_TEST

START_TEST(a_fact_that_moves_onto_a_pinned_ones_key_is_asked_about)
{
	begin();
	know("city", "Rome")->pinned = true;
	know("town_of_birth", "Lyon")->repeats = 3;
	struct correction correction = {.kind = CORRECTION_PATCH,
					.id = 2,
					.members = CORRECTS_KEY,
					.given = {.key = SLICE("wohnort")}};
	struct corrected corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_PINNED);
	ck_assert_uint_eq(corrected.id, 1);
	ck_assert_uint_eq(corrected.changes.count, 0);
	correction.replaces = true;
	corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_DONE);
	ck_assert_int_eq(written(&corrected, 1)->state, FACT_SUPERSEDED);
	ck_assert_int_eq(written(&corrected, 2)->state, FACT_SUPERSEDED);
	/* The text about the new version was said once. */
	ck_assert_uint_eq(written(&corrected, NEXT)->repeats, 0);
	/* Beside one that is not pinned it supersedes. */
	facts[0].pinned = false;
	correction.replaces = false;
	corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_DONE);
	ck_assert_int_eq(written(&corrected, 1)->state, FACT_SUPERSEDED);
	/* A pinned fact is corrected without being asked about itself. */
	facts[0].pinned = true;
	correction = patch(1, "Bern");
	ck_assert_int_eq(run(&correction).result, CORRECTION_DONE);
	end();
}
END_TEST

START_TEST(what_comes_back_beside_another_pinned_value_is_asked_about)
{
	begin();
	struct fact *old = know("city", "Rome");
	old->state = FACT_SUPERSEDED;
	old->superseded_by = 2;
	know("city", "Lyon")->state = FACT_SUPERSEDED;
	facts[1].superseded_by = 3;
	know("wohnort", "Bern")->pinned = true;
	/* Going back from what took its place is an undo. */
	struct correction correction = restore(1);
	ck_assert_int_eq(run(&correction).result, CORRECTION_DONE);
	facts[1].superseded_by = 0;
	facts[1].state = FACT_RETRACTED;
	struct corrected corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_PINNED);
	ck_assert_uint_eq(corrected.id, 3);
	ck_assert_uint_eq(corrected.changes.count, 0);
	correction = state(2, FACT_CURRENT);
	ck_assert_int_eq(run(&correction).result, CORRECTION_PINNED);
	correction.replaces = true;
	corrected = run(&correction);
	ck_assert_int_eq(corrected.result, CORRECTION_DONE);
	ck_assert_int_eq(written(&corrected, 3)->state, FACT_SUPERSEDED);
	end();
}
END_TEST

UNIT_MAIN("correction",
	  another_value_beside_a_pinned_one_is_asked_about_under_every_name_of_the_key,
	  a_fact_that_moves_onto_a_pinned_ones_key_is_asked_about,
	  what_comes_back_beside_another_pinned_value_is_asked_about,
	  a_corrected_value_is_a_new_version_and_the_old_one_gets_a_tombstone,
	  a_correction_takes_all_members_and_may_leave_the_fact_unpinned,
	  the_same_value_in_other_letters_stays_the_same_fact, pinning_changes_nothing_else,
	  what_programs_put_beside_a_fact_changes_nothing_else,
	  a_new_version_and_a_note_said_again_keep_what_is_beside_them,
	  unpinning_takes_what_was_suggested, correcting_to_what_was_suggested_takes_it,
	  a_retracted_value_gets_a_tombstone_and_a_dismissed_one_does_not,
	  a_restored_fact_takes_its_place_again, nothing_comes_of_a_correction_of_nothing,
	  a_correction_of_another_version_is_refused,
	  a_note_is_a_fact_and_the_same_note_is_said_again,
	  a_note_replaces_a_single_value_and_joins_several)
