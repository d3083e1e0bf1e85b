/* Facts that say the same: which one stays, and what a store keeps of the others. */
#include "core/facts/change.h"

#include "storage/rights.h"
#include "storage/user/memory.h"
#include "tests/unit/store_fixture.h"

enum { MAP = 64 * 1024 * 1024, NOW = 1000, MOST = 8 };

static struct arena arena;
static struct fact facts[MOST];
static size_t fact_count;

static struct fact *know(const char *key, const char *value, int64_t observed_at)
{
	struct fact *fact = &facts[fact_count++];
	*fact = (struct fact){.id = fact_count,
			      .entity = SLICE("user"),
			      .kind = SLICE("user"),
			      .key = slice_of(key),
			      .value = slice_of(value),
			      .many = true,
			      .confidence = 0.8,
			      .observed_at = observed_at};
	return fact;
}

static struct fact_changes find(void)
{
	return facts_settle(facts, fact_count, UINT64_MAX, NOW, &arena);
}

static void begin_facts(void)
{
	fact_count = 0;
}

static void end_facts(void)
{
	arena_finish(&arena);
	arena = (struct arena){0};
}

static const struct fact *changed(const struct fact_changes *found, uint64_t id)
{
	for (size_t i = 0; i < found->count; i++) {
		if (found->facts[i].id == id)
			return &found->facts[i];
	}
	ck_abort_msg("fact %d does not change", (int)id);
	return NULL;
}

START_TEST(the_one_said_last_stays_and_was_said_as_often_as_all)
{
	begin_facts();
	know("likes", "Green  Tea", 100)->repeats = 2;
	know("likes", "green tea", 300)->expires_at = 5000;
	struct fact *other = know("Likes", "GREEN TEA", 200);
	other->pii = true;
	other->classes = 4;
	other->confidence = 0.9;
	know("likes", "coffee", 100);
	know("drinks", "green tea", 100);
	const struct fact_changes found = find();
	ck_assert_uint_eq(found.count, 3);
	ck_assert_uint_eq(found.left_count, 2);
	ck_assert_uint_eq(found.left[0], 1);
	ck_assert_uint_eq(found.left[1], 3);
	const struct fact *stays = changed(&found, 2);
	ck_assert_int_eq(stays->state, FACT_CURRENT);
	ck_assert_uint_eq(stays->repeats, 2 + 2);
	ck_assert_int_eq(stays->observed_at, 300);
	ck_assert_int_eq(stays->expires_at, 0);
	ck_assert(stays->pii && stays->classes == 4 && stays->confidence == 0.9);
	const struct fact *gone = changed(&found, 1);
	ck_assert_int_eq(gone->state, FACT_SUPERSEDED);
	ck_assert_uint_eq(gone->superseded_by, 2);
	ck_assert_int_eq(gone->ended_at, NOW);
	ck_assert_int_eq(gone->observed_at, 100);
	end_facts();
}
END_TEST

START_TEST(a_pinned_one_stays_and_takes_the_suggestions_of_the_others)
{
	begin_facts();
	know("likes", "tea", 100)->pinned = true;
	know("likes", "tea", 200)->pinned = true;
	know("likes", "Tea", 300);
	struct fact *suggestion = know("likes", "coffee", 400);
	suggestion->state = FACT_SUGGESTED;
	suggestion->superseded_by = 1;
	struct fact *other = know("likes", "milk", 400);
	other->state = FACT_SUGGESTED;
	other->superseded_by = 2;
	const struct fact_changes found = find();
	ck_assert_uint_eq(found.left_count, 2);
	const struct fact *stays = changed(&found, 2);
	ck_assert(stays->pinned && stays->state == FACT_CURRENT);
	ck_assert_int_eq(stays->observed_at, 300);
	ck_assert(!changed(&found, 1)->pinned);
	ck_assert_uint_eq(changed(&found, 4)->superseded_by, 2);
	ck_assert_int_eq(changed(&found, 4)->state, FACT_SUGGESTED);
	ck_assert_uint_eq(found.count, 4); /* the other suggestion stays as it is */
	end_facts();
}
END_TEST

START_TEST(what_does_not_stand_is_no_duplicate)
{
	begin_facts();
	know("likes", "tea", 100);
	know("likes", "tea", 200)->state = FACT_SUPERSEDED;
	know("likes", "tea", 300)->state = FACT_RETRACTED;
	know("likes", "tea", 400)->expires_at = NOW;
	know("likes", "tea", 500)->entity = SLICE("Maria");
	ck_assert_uint_eq(find().count, 0);
	ck_assert_uint_eq(find().left_count, 0);
	/* of those said at once, the newer one stays; the longer life counts */
	begin_facts();
	know("likes", "tea", 100)->expires_at = NOW + 2;
	know("likes", "tea", 100)->expires_at = NOW + 1;
	know("likes", "", 100);
	know("likes", "", 90);
	const struct fact_changes found = find();
	ck_assert_uint_eq(found.left_count, 2);
	ck_assert_int_eq(changed(&found, 2)->expires_at, NOW + 2);
	ck_assert_uint_eq(changed(&found, 4)->superseded_by, 3);
	fact_count = 0;
	ck_assert_uint_eq(find().count, 0);
	end_facts();
}
END_TEST

/* ---- in a store ---- */

/* Facts from this one on were taken in. */
static struct fact_changes settle(uint64_t first_taken)
{
	return facts_settle(facts, fact_count, first_taken, NOW, &arena);
}

static struct fact *know_city(const char *key, const char *value, int64_t observed_at)
{
	struct fact *fact = know(key, value, observed_at);
	fact->many = false;
	return fact;
}

START_TEST(of_one_keys_values_the_newest_observation_stands_after_an_import)
{
	begin_facts();
	know_city("city", "Ulm", 200);
	know_city("wohnort", "Bern", 300);
	know_city("Home City", "Graz", 100);
	struct fact_changes found = settle(2);
	ck_assert_uint_eq(found.count, 2);
	ck_assert_int_eq(changed(&found, 1)->state, FACT_SUPERSEDED);
	ck_assert_uint_eq(changed(&found, 1)->superseded_by, 2);
	ck_assert_int_eq(changed(&found, 1)->ended_at, 300);
	ck_assert_uint_eq(changed(&found, 3)->superseded_by, 2);
	ck_assert_uint_eq(found.left_count, 1);
	/* Existing facts stay as they are, unless an imported one contradicts them. */
	ck_assert_uint_eq(settle(4).count, 0);
	ck_assert_uint_eq(settle(UINT64_MAX).count, 0);
	end_facts();
}
END_TEST

START_TEST(a_pinned_value_stands_against_an_import)
{
	begin_facts();
	know_city("city", "Ulm", 200)->pinned = true;
	know_city("wohnort", "Bern", 300);
	know_city("wohnort", "Graz", 400)->pinned = true;
	struct fact_changes found = settle(2);
	ck_assert_uint_eq(found.count, 2);
	ck_assert_uint_eq(changed(&found, 2)->superseded_by, 1);
	ck_assert_int_eq(changed(&found, 2)->ended_at, NOW);
	ck_assert_uint_eq(changed(&found, 3)->superseded_by, 1);
	/* One that is taken in supersedes what nobody pinned. */
	facts[0].pinned = false;
	facts[2].observed_at = 100;
	found = settle(2);
	ck_assert_uint_eq(changed(&found, 1)->superseded_by, 3);
	ck_assert_uint_eq(changed(&found, 2)->superseded_by, 3);
	end_facts();
}
END_TEST

START_TEST(the_same_value_taken_in_keeps_the_fact_that_was_there)
{
	begin_facts();
	know_city("city", "Ulm", 200);
	know_city("wohnort", "ulm.", 300);
	know("likes", "tea", 100);
	know("likes", "coffee", 200);
	struct fact_changes found = settle(2);
	ck_assert_uint_eq(found.count, 2);
	ck_assert_int_eq(changed(&found, 1)->state, FACT_CURRENT);
	ck_assert_int_eq(changed(&found, 1)->observed_at, 300);
	ck_assert_uint_eq(changed(&found, 2)->superseded_by, 1);
	ck_assert_uint_eq(found.left_count, 0);
	/* A fact that was retracted after it had been said does not come back; one said since
	 * does. */
	facts[0].state = FACT_RETRACTED;
	facts[0].ended_at = 301;
	found = settle(2);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_int_eq(changed(&found, 2)->state, FACT_RETRACTED);
	ck_assert_int_eq(changed(&found, 2)->ended_at, 301);
	facts[0].ended_at = 300;
	ck_assert_uint_eq(settle(2).count, 0);
	end_facts();
}
END_TEST

static uint64_t gone;

static enum store_result dedupe(struct fixture *fixture)
{
	struct fixture_wait wait = {0};
	(void)store_dedupe(fixture->store, fixture_key("alex"), NOW, &gone,
			   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

static struct take_in_count take_in(struct fixture *fixture)
{
	struct take_in_count count;
	const struct portable_memory memory = {.tenant = SLICE("shared"),
					       .user = SLICE("alex"),
					       .facts = facts,
					       .fact_count = fact_count};
	ck_assert_int_eq(fixture_take_in(fixture, &memory, NOW, &count), STORE_OK);
	return count;
}

/* As imports left them that merged nothing. */
static void put_facts(struct fixture *fixture)
{
	struct transaction transaction;
	const size_t count = fact_count;
	fact_count = 1;
	(void)take_in(fixture);
	fact_count = count;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	const struct memory memory = {&transaction, fixture_key("alex"), &arena};
	for (size_t i = 1; i < fact_count; i++)
		table_write(&transaction, TABLE_FACTS, memory_id_key(&memory, facts[i].id),
			    stored_fact_fields, &facts[i]);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

START_TEST(what_imports_doubled_is_merged_once_and_known_again)
{
	struct fixture fixture;
	struct fact_changes found;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(store_find_duplicates(fixture.store, fixture_key("alex"), NOW, &found,
					       &fixture.arena),
			 STORE_NOT_FOUND);
	ck_assert_int_eq(dedupe(&fixture), STORE_NOT_FOUND);
	begin_facts();
	know("likes", "tea", 100);
	know("likes", "Tea", 200);
	know("likes", "coffee", 300);
	put_facts(&fixture);
	ck_assert_int_eq(store_find_duplicates(fixture.store, fixture_key("alex"), NOW, &found,
					       &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(found.left_count, 1);
	ck_assert_int_eq(dedupe(&fixture), STORE_OK);
	ck_assert_uint_eq(gone, 1);
	const struct portable_memory memory = fixture_memory(&fixture, "alex");
	ck_assert_uint_eq(memory.fact_count, 3);
	ck_assert_int_eq(memory.facts[0].state, FACT_SUPERSEDED);
	ck_assert_uint_eq(memory.facts[0].superseded_by, memory.facts[1].id);
	ck_assert_uint_eq(memory.facts[1].repeats, 1);
	ck_assert_int_eq(memory.facts[2].state, FACT_CURRENT);
	/* twice changes nothing, neither the one nor the other */
	ck_assert_int_eq(dedupe(&fixture), STORE_NOT_FOUND);
	ck_assert_uint_eq(gone, 0);
	ck_assert_uint_eq(take_in(&fixture).known, 3);
	end_facts();
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_taken_in_doubles_nothing)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	begin_facts();
	know("likes", "tea", 100);
	know("likes", "Tea", 200);
	know_city("city", "Ulm", 100);
	know_city("wohnort", "Bern", 200);
	ck_assert_uint_eq(take_in(&fixture).facts, 4);
	ck_assert_uint_eq(take_in(&fixture).known, 4);
	for (size_t i = 0; i < 4; i++)
		facts[i].observed_at += 50;
	ck_assert_uint_eq(take_in(&fixture).facts, 4);
	const struct portable_memory memory = fixture_memory(&fixture, "alex");
	size_t current = 0;
	for (size_t i = 0; i < memory.fact_count; i++) {
		if (memory.facts[i].state != FACT_CURRENT)
			continue;
		unit_assert_slice(memory.facts[i].value, current++ == 0 ? "Tea" : "Bern");
		ck_assert_int_eq(memory.facts[i].observed_at, 250);
	}
	ck_assert_uint_eq(current, 2);
	end_facts();
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_has_a_tombstone_is_not_taken_in)
{
	struct fixture fixture;
	struct transaction transaction;
	struct fact wrong = {.entity = SLICE("user"), .key = SLICE("city"), .value = SLICE("Rome")};
	fixture_init(&fixture, MAP);
	begin_facts();
	know("likes", "tea", 100);
	(void)take_in(&fixture);
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	const struct memory memory = {&transaction, fixture_key("alex"), &arena};
	memory_bury(&memory, &wrong, 150);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	begin_facts();
	know_city("wohnort", "ROME", 200);
	know("note", "Lives in Rome since May", 200)->kind = SLICE("note");
	know("cat", "Rome", 100);
	know("cat", "Romulus", 200);
	struct take_in_count count = take_in(&fixture);
	ck_assert_uint_eq(count.facts, 1);
	ck_assert_uint_eq(count.erased, 3);
	/* A person who writes it down lifts it, by whatever name of the key. */
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	wrong.key = SLICE("home_city");
	memory_lift(&memory, &wrong);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	count = take_in(&fixture);
	ck_assert_uint_eq(count.facts, 3);
	ck_assert_uint_eq(count.erased, 0);
	end_facts();
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("duplicates", of_one_keys_values_the_newest_observation_stands_after_an_import,
	  a_pinned_value_stands_against_an_import,
	  the_same_value_taken_in_keeps_the_fact_that_was_there, what_is_taken_in_doubles_nothing,
	  what_has_a_tombstone_is_not_taken_in,
	  the_one_said_last_stays_and_was_said_as_often_as_all,
	  a_pinned_one_stays_and_takes_the_suggestions_of_the_others,
	  what_does_not_stand_is_no_duplicate, what_imports_doubled_is_merged_once_and_known_again)
