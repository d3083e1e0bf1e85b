/* Facts that say the same: which one stays, and what a store keeps of the others. */
#include "core/facts/duplicates.h"

#include "storage/rights.h"
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

static struct duplicates find(void)
{
	return duplicates_find(facts, fact_count, NOW, &arena);
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

static const struct fact *changed(const struct duplicates *found, uint64_t id)
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
	const struct duplicates found = find();
	ck_assert_uint_eq(found.count, 3);
	ck_assert_uint_eq(found.gone_count, 2);
	ck_assert_uint_eq(found.gone[0], 1);
	ck_assert_uint_eq(found.gone[1], 3);
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
	const struct duplicates found = find();
	ck_assert_uint_eq(found.gone_count, 2);
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
	ck_assert_uint_eq(find().gone_count, 0);
	/* of those said at once, the newer one stays; the longer life counts */
	begin_facts();
	know("likes", "tea", 100)->expires_at = NOW + 2;
	know("likes", "tea", 100)->expires_at = NOW + 1;
	know("likes", "", 100);
	know("likes", "", 90);
	const struct duplicates found = find();
	ck_assert_uint_eq(found.gone_count, 2);
	ck_assert_int_eq(changed(&found, 2)->expires_at, NOW + 2);
	ck_assert_uint_eq(changed(&found, 4)->superseded_by, 3);
	fact_count = 0;
	ck_assert_uint_eq(find().count, 0);
	end_facts();
}
END_TEST

/* ---- in a store ---- */

static uint64_t gone;

static enum store_result dedupe(struct fixture *fixture)
{
	struct fixture_wait wait = {0};
	(void)store_dedupe(fixture->store, fixture_key("alex"), NOW, &gone, &fixture->loop.loop,
			   fixture_done, &wait);
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

START_TEST(what_imports_doubled_is_merged_once_and_known_again)
{
	struct fixture fixture;
	struct duplicates found;
	fixture_init(&fixture, MAP);
	ck_assert_int_eq(store_find_duplicates(fixture.store, fixture_key("alex"), NOW, &found,
					       &fixture.arena),
			 STORE_NOT_FOUND);
	ck_assert_int_eq(dedupe(&fixture), STORE_NOT_FOUND);
	begin_facts();
	know("likes", "tea", 100);
	know("likes", "Tea", 200);
	know("likes", "coffee", 300);
	ck_assert_uint_eq(take_in(&fixture).facts, 3);
	ck_assert_int_eq(store_find_duplicates(fixture.store, fixture_key("alex"), NOW, &found,
					       &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(found.gone_count, 1);
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

UNIT_MAIN("duplicates", the_one_said_last_stays_and_was_said_as_often_as_all,
	  a_pinned_one_stays_and_takes_the_suggestions_of_the_others,
	  what_does_not_stand_is_no_duplicate, what_imports_doubled_is_merged_once_and_known_again)
