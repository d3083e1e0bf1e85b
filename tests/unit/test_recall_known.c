#include "tests/unit/unit.h"

#include "tests/unit/recall_fixture.h"

static struct recall_fixture memory;

static void remember(const char *const *texts, size_t count)
{
	arena_finish(&memory.arena);
	memory = (struct recall_fixture){.now = 1700000000000};
	for (size_t i = 0; i < count; i++)
		recall_fixture_say(&memory, (struct turn){.id = i + 1,
							  .conversation = 1,
							  .role = ROLE_USER,
							  .created_at = 1690000000000,
							  .text = slice_of(texts[i])});
}

static const char *const talk[] = {
	"I rent a flat in Leeds near the river.",
	"The bakery opens at seven.",
	"York it is, we unpacked the boxes today.",
	"Nothing to add here, thanks a lot.",
};

static bool is_found(const char *question, uint32_t document)
{
	struct recall_hit hits[8];
	size_t found = recall_fixture_ask(&memory, question, hits, 8);
	for (size_t i = 0; i < found; i++) {
		if (hits[i].document == document)
			return true;
	}
	return false;
}

START_TEST(what_holds_now_is_found_with_what_held_once)
{
	const struct recall_successor successor = {0, 2};
	remember(talk, 4);
	memory.documents[1].conversation = 2;
	memory.documents[2].conversation = 3;
	ck_assert(!is_found("Where do I rent a flat?", 2));
	memory.successors = &successor;
	memory.successor_count = 1;
	ck_assert(is_found("Where do I rent a flat?", 0));
	ck_assert(is_found("Where do I rent a flat?", 2));
	ck_assert(!is_found("When does the bakery open?", 2));
	memory.documents[2].is_live = 0;
	ck_assert(!is_found("Where do I rent a flat?", 2));
}
END_TEST

START_TEST(a_turn_is_found_by_what_was_learned_from_it)
{
	const struct fact facts[] = {
		{.entity = SLICE("user"),
		 .key = SLICE("home_town"),
		 .value = SLICE("York"),
		 .exchange = 2},
		{.entity = SLICE("user"),
		 .key = SLICE("pet"),
		 .value = SLICE("cat"),
		 .keywords = SLICE("animal, kitten"),
		 .exchange = 1},
		{.entity = SLICE("user"),
		 .key = SLICE("home_town"),
		 .value = SLICE("Leeds"),
		 .state = FACT_SUPERSEDED},
	};
	struct recall_hint hints[3];
	struct recall_question question;
	remember(talk, 4);
	for (size_t i = 0; i < 4; i++)
		memory.documents[i].conversation = (uint32_t)i;
	ck_assert(!is_found("Which is my home town?", 2));
	recall_read_question(SLICE("Which is my home town?"), 0, &question, &memory.arena);
	size_t count = recall_hint_turns(&question, facts, 3, hints, &memory.arena);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(hints[0].document, 2);
	memory.hints = hints;
	memory.hint_count = 1;
	ck_assert(is_found("Which is my home town?", 2));
	memory.documents[2].is_live = 0;
	ck_assert(!is_found("Which is my home town?", 2));
	recall_read_question(SLICE("Which kittens do I keep?"), 0, &question, &memory.arena);
	ck_assert_uint_eq(recall_hint_turns(&question, facts, 3, hints, &memory.arena), 1);
	ck_assert_uint_eq(hints[0].document, 1);
	recall_read_question(SLICE("Hello!"), 0, &question, &memory.arena);
	ck_assert_uint_eq(recall_hint_turns(&question, facts, 3, hints, &memory.arena), 0);
}
END_TEST

START_TEST(a_short_turn_comes_with_the_one_before_it)
{
	static const char *const moved[] = {
		"The appointment with the notary is on Tuesday morning.",
		"And the notary?",
		"Nothing at all.",
		"It was postponed to Friday.",
	};
	remember(moved, 4);
	for (size_t i = 1; i < 4; i++)
		memory.documents[i].created_at += (int64_t)i * 86400000;
	memory.documents[0].conversation = 9;
	memory.documents[1].conversation = 9;
	struct recall_hit hits[8];
	size_t found = recall_fixture_ask(&memory, "What was postponed?", hits, 8);
	ck_assert_uint_gt(found, 1);
	ck_assert_uint_eq(hits[0].document, 3);
	ck_assert(is_found("What was postponed?", 2));
	ck_assert(!is_found("What was postponed?", 0));
}
END_TEST

START_TEST(what_is_said_of_a_person_counts_more_than_what_the_person_says)
{
	static const char *const lines[] = {
		"Anna: The garden needs water, the roses are dry.",
		"Anna: I watered the roses in the garden today.",
		"Ben: The roses in the garden, Anna did water them.",
		"Ben: The roses in the garden did get water.",
	};
	struct recall_hit hits[8];
	remember(lines, 4);
	for (size_t i = 0; i < 4; i++)
		memory.documents[i].conversation = (uint32_t)i;
	size_t found = recall_fixture_ask(&memory, "Anna and the roses in the garden", hits, 8);
	ck_assert_uint_eq(found, 3); /* not the last: it neither is hers nor names her */
	ck_assert_uint_eq(hits[0].document, 1);
	ck_assert(hits[1].document != 3 && hits[2].document != 3);
}
END_TEST

UNIT_MAIN("recall_known", what_holds_now_is_found_with_what_held_once,
	  a_turn_is_found_by_what_was_learned_from_it, a_short_turn_comes_with_the_one_before_it,
	  what_is_said_of_a_person_counts_more_than_what_the_person_says)
