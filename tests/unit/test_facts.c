/* When two facts are about the same, when they say the same, and what a tombstone keeps away. */
#include "core/facts/facts.h"
#include "core/facts/tombstone.h"
#include "tests/unit/rights_fixture.h"

#include <string.h>
#include <time.h>

enum { BURIED_AT = 1000 };

static struct arena arena;

/* ---- keys and texts ---- */

START_TEST(one_key_has_many_spellings_and_names)
{
	static const char *const cities[] = {
		"city",      "City",    "home_city", "Home City",
		"home-city", "wohnort", "Wohnort.",  "Ｈｏｍｅ　Ｃｉｔｙ",
		"homeCity",  "ville",   "users_city"};
	for (size_t i = 0; i < sizeof(cities) / sizeof(cities[0]); i++)
		unit_assert_slice(fact_key(slice_of(cities[i]), &arena), "city");
	unit_assert_slice(fact_key(SLICE("Favourite Colour"), &arena), "favoritecolor");
	unit_assert_slice(fact_key(SLICE("cat's name"), &arena), "catsname");
	ck_assert(unit_has(fact_key_names(SLICE("city")), "wohnort"));
	ck_assert_uint_eq(fact_key_names(SLICE("cat")).size, 0);
	arena_finish(&arena);
}
END_TEST

START_TEST(texts_are_compared_folded)
{
	unit_assert_slice(fact_fold(SLICE("  Straße\t 5!? "), &arena), "strasse 5");
	unit_assert_slice(fact_fold(SLICE("O’Brien — Ｒｏｍｅ"), &arena), "o'brien - rome");
	unit_assert_slice(fact_fold(SLICE(" ... "), &arena), "");
	ck_assert_uint_gt(fact_fold(SLICE("\xff"), &arena).size, 0);
	unit_assert_slice(fact_key_name(SLICE(" Home-City "), &arena), "home_city");
	unit_assert_slice(fact_key_name(SLICE("_vector.store_"), &arena), "vector_store");
	unit_assert_slice(fact_key_name(SLICE("Ｊｏｂ"), &arena), "job");
	unit_assert_slice(fact_key_name(SLICE("--"), &arena), "");
	arena_finish(&arena);
}
END_TEST

/* ---- tombstones ---- */

static const struct slice salt = SLICE("\1\xff");

/* Whether the only tombstone, of `key` and `value`, keeps the fact away. */
static bool keeps_away(const char *key, const char *value, bool never_again, struct fact fact)
{
	const struct fact wrong = user_fact(1, key, value);
	const struct tombstone tombstone =
		tombstone_of(&wrong, never_again, BURIED_AT, salt, &arena);
	const struct tombstones tombstones = {&tombstone, 1, salt};
	return tombstones_find(&tombstones, &fact, &arena) != NULL;
}

static struct fact later(const char *key, const char *value)
{
	struct fact fact = user_fact(2, key, value);
	fact.observed_at = BURIED_AT + 1;
	return fact;
}

static struct fact note(const char *text)
{
	struct fact fact = later("note", text);
	fact.kind = SLICE("note");
	return fact;
}

START_TEST(a_tombstone_knows_its_value_however_it_is_written)
{
	ck_assert(keeps_away("city", "New  York", false, later("city", " new york. ")));
	ck_assert(keeps_away("city", "New York", false, later("Wohnort", "ＮＥＷ ＹＯＲＫ")));
	ck_assert(!keeps_away("city", "New York", false, later("city", "York")));
	ck_assert(keeps_away("city", "5", false, later("city", "5")));
	struct fact of_maria = later("city", "New York");
	of_maria.entity = SLICE("Maria");
	ck_assert(!keeps_away("city", "New York", false, of_maria));
	const struct tombstones none = {0};
	ck_assert_ptr_null(tombstones_find(&none, &of_maria, &arena));
	ck_assert(tombstone_hash(salt, SLICE("C"), &arena) !=
		  tombstone_hash(salt, SLICE("C++"), &arena));
	ck_assert(tombstone_hash(salt, SLICE("C"), &arena) !=
		  tombstone_hash(SLICE("\2\xff"), SLICE("C"), &arena));
	ck_assert(tombstone_subject(salt, SLICE("a"), SLICE("b"), &arena) !=
		  tombstone_subject(salt, SLICE("b"), SLICE("a"), &arena));
	arena_finish(&arena);
}
END_TEST

START_TEST(another_key_brings_back_only_what_is_said_later_and_not_never)
{
	struct fact before = user_fact(2, "cat", "Rome");
	before.observed_at = BURIED_AT;
	ck_assert(keeps_away("city", "Rome", false, before));
	ck_assert(!keeps_away("city", "Rome", false, later("cat", "Rome")));
	ck_assert(keeps_away("city", "Rome", true, later("cat", "Rome")));
	/* "Yes" says nothing by itself. */
	before = user_fact(2, "likes_tea", "yes");
	ck_assert(!keeps_away("vegetarian", "yes", false, before));
	ck_assert(!keeps_away("vegetarian", "yes", true, later("likes_tea", "yes")));
	ck_assert(keeps_away("vegetarian", "yes", true, later("vegetarian", "Yes")));
	arena_finish(&arena);
}
END_TEST

START_TEST(a_note_that_says_the_value_is_kept_away)
{
	static const struct {
		const char *value;
		const char *note;
		bool holds;
	} cases[] = {
		{"Rome", "Alex lives in ROME, near the river.", true},
		{"Rome", "Alex lives in Ｒｏｍｅ", true},
		{"Rome", "Alex likes romesco", false},
		{"Ulm", "Ulm", true},
		{"New York", "They moved to new\nyork last year", true},
		{"New York", "York is new", false},
		{"C++", "writes (C++) daily", false},
		{"Borland C++", "writes Borland C++ daily", true},
		{"@alex_k", "writes as @alex_k.", true},
		{"no", "There is no cat", false},
		{"5", "Has 5 cats", false},
		{"30", "30 years old", false},
		{"the", "the cat", false},
		{"true", "It is true that tea helps", false},
		{"0176 5550199", "Phone: 0176 5550199", true},
		{"東京", "アレックスは東京に住んでいます", true},
		{"हिन्दी", "वह हिन्दी बोलता है", true},
		{"a house by the lake", "Wants: a house by the lake", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(keeps_away("city", cases[i].value, i % 2 == 0, note(cases[i].note)) ==
				      cases[i].holds,
			      "%s in %s", cases[i].value, cases[i].note);
	/* Of several tombstones, each is looked for. */
	struct tombstone list[3];
	const char *values[] = {"Ulm", "Bern", "Graz"};
	for (size_t i = 0; i < 3; i++) {
		const struct fact wrong = user_fact(1, "city", values[i]);
		list[i] = tombstone_of(&wrong, false, BURIED_AT, salt, &arena);
	}
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = i + 1; j < 3; j++) {
			const struct tombstone other = list[i];
			if (list[j].value < other.value) {
				list[i] = list[j];
				list[j] = other;
			}
		}
	}
	const struct tombstones tombstones = {list, 3, salt};
	for (size_t i = 0; i < 3; i++) {
		const struct fact fact = note(arena_printf(&arena, "in %s now", values[i]).data);
		ck_assert_ptr_nonnull(tombstones_find(&tombstones, &fact, &arena));
	}
	arena_finish(&arena);
}
END_TEST

static const struct {
	const char *buried;
	const char *key;
	const char *value;
	bool by_correction; /* of "city" */
	bool by_never_again;
} other_forms[] = {
	{"Lisbon", "city", "Lisbon, Portugal", true, true},
	{"Lisbon", "home_city", "Lisbon (Portugal)", true, true},
	{"Lisbon", "city", "\"Lisbon\"", true, true},
	{"Lisbon", "city", "(Lisbon)", true, true},
	{"Lisbon", "wohnort", "in Lisbon", true, true},
	{"Lisbon", "wohnort", "in der Stadt Lisbon", false, true},
	{"Lisbon", "favourite_place", "Lisbon", false, true},
	{"Lisbon", "favourite_place", "near Lisbon", false, true},
	{"Lisbon", "favourite_place", "Lissabon", false, false},
	{"Lisbon", "bio", "Lives in Lisbon", true, true},
	{"Lisbon", "about", "Lives in Lisbon", true, true},
	{"Lisbon", "notiz", "Lives in Lisbon", true, true},
	{"Lisbon", "trip", "Flew to Lisbon in May", false, true},
	{"New York", "city", "New-York", false, true},
	{"New-York", "city", "new york", false, true},
	{"New York", "city", "York New", false, false},
	{"St. Gallen", "city", "St Gallen", false, true},
	{"HIV", "health", "HIV-positive", false, true},
	{"HIV positive", "city", "HIV-positive", false, true},
	{"+49 30 1234567", "city", "+49 (30) 123-4567", true, true},
	{"+49 30 1234567", "mobile", "0049 30 1234567", false, true},
	{"0049301234567", "note", "Call +49 30 1234567 at noon", true, true},
	{"+49 30 1234567", "mobile", "+49 30 1234568", false, false},
	{"Anna", "city", "Anna Maria", false, true},
	{"3.11", "city", "31.1", false, false},
	{"Al", "note", "Al and the others go out", false, false},
	{"Go", "note", "They go out", false, false},
	{"Go", "city", "Go home", false, false},
	{"Will", "bio", "They will go", false, false},
	{"Will", "city", "will", true, true},
	{"A", "city", "A-", false, false},
	/* Another spelling may be what is right, and other parts make another number. */
	{"OBrien", "city", "O'Brien", false, true},
	{"Annemarie", "city", "Anne-Marie", false, true},
	{"bobsmith@example.com", "city", "bob.smith@example.com", false, false},
	{"1/11/2024", "city", "11/1/2024", false, false},
	{"1-11", "city", "11-1", false, false},
	{"192.168.1.12", "note", "The printer has 192.168.11.2", false, false},
	{"-33.8688 151.2093", "city", "33.8688 151.2093", false, true},
	{"1234.567", "city", "1234567", false, true},
	{"+49 30 1234567", "note", "Call (+49) 30 1234567", true, true},
	{"555-123-4567", "city", "(555) 123-4567", false, true},
	{"5551234567", "city", "555-123-4567", false, true},
	{"555.123.4567", "note", "Call 555 123 4567 at noon", false, true},
	{"1-800-555-1234", "city", "1 800 555 1234", false, true},
	{"4111 1111 1111 1111", "city", "4111-1111-1111-1111", false, true},
	{"type 2 diabetes", "city", "Type-2 diabetes", false, true},
	{"COVID-19", "note", "had Covid 19 in May", false, true},
	{"J.P. Morgan", "city", "JP Morgan", false, true},
	{"J. R. R. Tolkien", "city", "J.R.R. Tolkien", true, true},
	{"Acme, Inc.", "city", "Acme Inc", false, true},
	{"12 Main Street", "city", "12, Main Street", false, true},
	{"Shell", "note", "She'll visit Rome in May", false, false},
	{"ill", "note", "I'll visit Rome in May", false, false},
	{"Iman", "note", "I'm an engineer", false, false},
	{".NET", "note", "I bought a net", false, false},
	{"+40.7128 -74.0060", "city", "+40.7128 +74.0060", false, true},
	{"01/11/2024", "city", "01.1.12024", false, false},
	{"2010 - 2014", "city", "20 10 2014", false, true},
	{"married", "city", "not married", false, true},
	{"vegetarisch", "city", "nicht vegetarisch", false, true},
	{"meat", "city", "no meat", false, true},
	{"Acme", "city", "Acme (until 2020), now Globex", false, true},
	{"Acme", "city", "Acme/Globex", false, true},
};

START_TEST(a_value_is_kept_away_in_other_forms)
{
	for (size_t i = 0; i < sizeof(other_forms) / sizeof(other_forms[0]); i++) {
		const struct fact fact = later(other_forms[i].key, other_forms[i].value);
		ck_assert_msg(keeps_away("city", other_forms[i].buried, false, fact) ==
				      other_forms[i].by_correction,
			      "%s, %s = %s", other_forms[i].buried, fact.key.data, fact.value.data);
		ck_assert_msg(keeps_away("city", other_forms[i].buried, true, fact) ==
				      other_forms[i].by_never_again,
			      "never %s, %s = %s", other_forms[i].buried, fact.key.data,
			      fact.value.data);
	}
	/* Nor does a note that says no more than "go" keep all others away. */
	ck_assert(!keeps_away("note", "Go", true, note("They go out")));
	arena_finish(&arena);
}
END_TEST

START_TEST(a_note_may_name_whom_the_value_was_of)
{
	struct fact wrong = user_fact(1, "city", "Rome");
	wrong.entity = SLICE("Maria");
	const struct tombstone tombstone = tombstone_of(&wrong, false, BURIED_AT, salt, &arena);
	const struct tombstones tombstones = {&tombstone, 1, salt};
	const struct fact about = note("My sister maria lives in Rome");
	const struct fact other = note("My sister lives in Rome");
	ck_assert_ptr_nonnull(tombstones_find(&tombstones, &about, &arena));
	ck_assert_ptr_null(tombstones_find(&tombstones, &other, &arena));
	arena_finish(&arena);
}
END_TEST

START_TEST(a_person_lifts_it_under_any_name_of_its_key)
{
	struct fact wrong = user_fact(1, "city", "Rome");
	struct tombstone tombstone = tombstone_of(&wrong, false, BURIED_AT, salt, &arena);
	struct fact right = user_fact(2, "wohnort", "rome");
	ck_assert(tombstone_is_lifted(&tombstone, &right, &arena));
	right.key = SLICE("cat");
	ck_assert(!tombstone_is_lifted(&tombstone, &right, &arena));
	tombstone = tombstone_of(&wrong, true, BURIED_AT, salt, &arena);
	ck_assert(tombstone_is_lifted(&tombstone, &right, &arena));
	right.entity = SLICE("Maria");
	ck_assert(!tombstone_is_lifted(&tombstone, &right, &arena));
	arena_finish(&arena);
}
END_TEST

/* ---- more facts than there may be ---- */

enum { NOW = 10000, KINDS = 8 };

/* In the order in which they give way; the id of the last may be spared. */
static void list_by_use(struct fact facts[KINDS])
{
	for (size_t i = 0; i < KINDS; i++) {
		facts[i] = user_fact(i + 1, "boat", "Argo");
		facts[i].observed_at = (int64_t)(NOW - 100 * i);
	}
	facts[0].state = FACT_FORGOTTEN;
	facts[1].state = FACT_SUPERSEDED;
	facts[1].ended_at = 1;
	facts[2].expires_at = NOW;
	facts[3].state = FACT_SUGGESTED;
	facts[4].observed_at = 5;
	facts[5].observed_at = 5;
	facts[5].repeats = 1;
	facts[6].key = SLICE("allergies");
	facts[7].pinned = true;
}

START_TEST(what_is_least_used_gives_way)
{
	struct fact facts[KINDS];
	list_by_use(facts);
	for (size_t keep = 0; keep <= KINDS; keep++) {
		const struct id_list gone = facts_least_used(facts, KINDS, keep, 0, NOW, &arena);
		ck_assert_uint_eq(gone.count, KINDS - keep);
		for (size_t i = 0; i < gone.count; i++)
			ck_assert_uint_eq(gone.ids[i], i + 1);
	}
	facts[7].state = FACT_HIDDEN;
	ck_assert_uint_eq(facts_least_used(facts, KINDS, 0, 0, NOW, &arena).count, KINDS - 1);
	ck_assert_uint_eq(facts_least_used(facts, KINDS, 0, 1, NOW, &arena).count, KINDS - 2);
	arena_finish(&arena);
}
END_TEST

START_TEST(room_for_later_facts_takes_nothing_dear)
{
	enum { MANY = 2 * FACTS_SLACK_SHARE, KEPT = FACTS_SLACK_SHARE };
	struct fact facts[MANY];
	for (size_t i = 0; i < MANY; i++)
		facts[i] = user_fact(i + 1, "boat", "Argo");
	ck_assert_uint_eq(facts_least_used(facts, MANY, KEPT, 0, NOW, &arena).count,
			  MANY - KEPT + 1);
	for (size_t i = 0; i < MANY; i++)
		facts[i].pinned = true;
	ck_assert_uint_eq(facts_least_used(facts, MANY, KEPT, 0, NOW, &arena).count, MANY - KEPT);
	arena_finish(&arena);
}
END_TEST

/* CPU seconds that the search of a note takes which repeats that text. */
static double cost_of_note(const char *text)
{
	enum { NOTE = 4096, TIMES = 3 };
	char whole[NOTE + 1];
	const size_t size = strlen(text);
	for (size_t at = 0; at + size <= NOTE; at += size) {
		memcpy(whole + at, text, size);
		whole[at + size] = '\0';
	}
	const clock_t begin = clock();
	for (int i = 0; i < TIMES; i++)
		ck_assert(!keeps_away("city", "Ulm", true, note(whole)));
	arena_finish(&arena);
	return (double)(clock() - begin);
}

START_TEST(a_note_without_spaces_costs_no_more_than_its_characters)
{
	const double usual = cost_of_note("The walk along the river was long. ");
	ck_assert_double_lt(cost_of_note("私は京都に住んでいます"), 30 * usual);
	ck_assert_double_lt(cost_of_note("a-"), 30 * usual);
}
END_TEST

UNIT_MAIN("facts", a_note_without_spaces_costs_no_more_than_its_characters,
	  one_key_has_many_spellings_and_names, texts_are_compared_folded,
	  a_tombstone_knows_its_value_however_it_is_written,
	  another_key_brings_back_only_what_is_said_later_and_not_never,
	  a_value_is_kept_away_in_other_forms, a_note_that_says_the_value_is_kept_away,
	  a_note_may_name_whom_the_value_was_of, a_person_lifts_it_under_any_name_of_its_key,
	  what_is_least_used_gives_way, room_for_later_facts_takes_nothing_dear)
