#include "core/memory/erasure.h"
#include "tests/unit/unit.h"

/* Tests what expires, without a store. */

enum { UNTIL = 100 };

static const struct expiry old_turns = {.turns_until = UNTIL, .facts_until = INT64_MIN};

static struct turn said(uint64_t id, uint64_t exchange, int64_t at)
{
	return (struct turn){.id = id, .exchange = exchange, .created_at = at};
}

START_TEST(a_turn_said_at_the_limit_expires_and_a_later_one_stays)
{
	const struct turn at = said(1, 1, UNTIL);
	const struct turn after = said(2, 2, UNTIL + 1);
	const struct expiry never = {.turns_until = INT64_MIN};
	ck_assert(expiry_takes_turn(&old_turns, &at));
	ck_assert(!expiry_takes_turn(&old_turns, &after));
	ck_assert(!expiry_takes_turn(&never, &at));
	ck_assert(expiry_takes_conversation(&old_turns, UNTIL));
	ck_assert(!expiry_takes_conversation(&old_turns, UNTIL + 1));
}
END_TEST

START_TEST(an_answer_goes_with_its_question_unless_that_is_gone)
{
	struct turn question = said(1, 1, 10);
	const struct turn answer = said(2, 1, 20);
	ck_assert(turn_expires_alone(&question, NULL));
	ck_assert(!turn_expires_alone(&answer, &question));
	question.state = TURN_SUPERSEDED;
	ck_assert(!turn_expires_alone(&answer, &question));
	question.state = TURN_HIDDEN;
	ck_assert(turn_expires_alone(&answer, &question));
	ck_assert(turn_expires_alone(&answer, NULL));
}
END_TEST

START_TEST(a_summary_lasts_as_long_as_the_newest_of_its_turns)
{
	struct turn covered = said(1, 1, UNTIL + 1);
	ck_assert(expiry_keeps_summary(&old_turns, &covered));
	/* Hidden turns hold nothing any more. */
	covered.state = TURN_HIDDEN;
	ck_assert(!expiry_keeps_summary(&old_turns, &covered));
	covered = said(1, 1, UNTIL);
	ck_assert(!expiry_keeps_summary(&old_turns, &covered));
}
END_TEST

static enum fact_fate fate(enum pii pii, struct fact fact)
{
	const struct expiry expiry = {.facts_until = UNTIL, .pii = pii};
	fact.value = fact.value.size > 0 ? fact.value : SLICE("Ada");
	return expiry_of_fact(&expiry, &fact);
}

START_TEST(an_old_fact_is_deleted_whoever_it_is_about)
{
	ck_assert_int_eq(fate(PII_KEEP, (struct fact){.observed_at = UNTIL}), FACT_IS_DELETED);
	ck_assert_int_eq(fate(PII_REDACT, (struct fact){.observed_at = UNTIL, .pii = true}),
			 FACT_IS_DELETED);
	ck_assert_int_eq(fate(PII_KEEP, (struct fact){.observed_at = UNTIL + 1}), FACT_STAYS);
}
END_TEST

START_TEST(a_fact_that_identifies_a_person_goes_as_configured)
{
	struct fact fact = {.observed_at = UNTIL + 1, .pii = true};
	ck_assert_int_eq(fate(PII_KEEP, fact), FACT_STAYS);
	ck_assert_int_eq(fate(PII_REDACT, fact), FACT_IS_MASKED);
	ck_assert_int_eq(fate(PII_DROP, fact), FACT_IS_DELETED);
	/* A forgotten one has no text left, and that it was forgotten stays known. */
	fact.state = FACT_FORGOTTEN;
	ck_assert_int_eq(fate(PII_DROP, fact), FACT_STAYS);
	fact.state = FACT_CURRENT;
	fact.pii = false;
	ck_assert_int_eq(fate(PII_DROP, fact), FACT_STAYS);
}
END_TEST

START_TEST(a_masked_fact_is_not_masked_again)
{
	struct fact fact = {.observed_at = UNTIL + 1, .pii = true};
	fact_mask(&fact);
	ck_assert_int_eq(fate(PII_REDACT, fact), FACT_STAYS);
	ck_assert_int_eq(fate(PII_DROP, fact), FACT_IS_DELETED);
}
END_TEST

START_TEST(facts_are_looked_at_only_when_one_may_change)
{
	const struct expiry redacts = {.facts_until = INT64_MIN, .pii = PII_REDACT};
	const struct expiry ends = {.facts_until = UNTIL};
	ck_assert(!expiry_takes_facts(&old_turns));
	ck_assert(expiry_takes_facts(&redacts));
	ck_assert(expiry_takes_facts(&ends));
}
END_TEST

START_TEST(facts_of_a_kind_a_summary_and_a_receipt_go_by_their_own_times)
{
	static const char *const kinds[] = {"user", "person", "place", "project", "note", "thing"};
	const struct summary summary = {.updated_at = UNTIL};
	struct expiry expiry = {.turns_until = INT64_MIN, .facts_until = INT64_MIN};
	const uint64_t receipt = (uint64_t)UNTIL << RECEIPT_TIME_SHIFT | 7;
	ck_assert(!expiry_takes_facts(&expiry) && !expiry_takes_summary(&expiry, &summary));
	ck_assert(!expiry_takes_receipt(&expiry, receipt));
	expiry.summaries_until = expiry.receipts_until = UNTIL;
	ck_assert(expiry_takes_summary(&expiry, &summary));
	ck_assert(expiry_takes_receipt(&expiry, receipt));
	expiry.summaries_until = expiry.receipts_until = UNTIL - 1;
	ck_assert(!expiry_takes_summary(&expiry, &summary));
	ck_assert(!expiry_takes_receipt(&expiry, receipt));
	for (size_t i = 0; i < FACT_KINDS; i++) {
		struct fact fact = {.kind = slice_of(kinds[i]), .observed_at = UNTIL};
		struct expiry of_kind = {.turns_until = INT64_MIN, .facts_until = INT64_MIN};
		of_kind.kinds_until[i] = UNTIL;
		ck_assert(expiry_takes_facts(&of_kind));
		ck_assert_int_eq(expiry_of_fact(&of_kind, &fact), FACT_IS_DELETED);
		fact.observed_at = UNTIL + 1;
		ck_assert_int_eq(expiry_of_fact(&of_kind, &fact), FACT_STAYS);
		fact.kind = slice_of(kinds[(i + 1) % FACT_KINDS]);
		fact.observed_at = UNTIL;
		ck_assert_int_eq(expiry_of_fact(&of_kind, &fact), FACT_STAYS);
	}
	ck_assert_int_eq(fact_kind_of(SLICE("pet")), FACT_OF_THING);
}
END_TEST

START_TEST(the_oldest_turns_go_until_the_rest_is_small_enough)
{
	struct sized_turn turns[] = {{30, 5}, {10, 5}, {40, 5}, {20, 5}};
	struct expiry expiry = {0};
	expiry_cut(&expiry, turns, 4, 10);
	ck_assert_int_eq(expiry.turns_until, 20);
}
END_TEST

START_TEST(turns_of_one_millisecond_go_together)
{
	struct sized_turn turns[] = {{10, 5}, {20, 5}, {20, 5}, {20, 5}, {30, 5}};
	struct expiry expiry = {0};
	expiry_cut(&expiry, turns, 5, 15);
	ck_assert_int_eq(expiry.turns_until, 20);
}
END_TEST

START_TEST(what_is_small_enough_is_not_cut)
{
	struct sized_turn turns[] = {{10, 5}, {20, 5}};
	struct expiry expiry = {.turns_until = 99};
	expiry_cut(&expiry, turns, 2, 10);
	ck_assert_int_eq(expiry.turns_until, INT64_MIN);
}
END_TEST

UNIT_MAIN("memory_expiry", a_turn_said_at_the_limit_expires_and_a_later_one_stays,
	  an_answer_goes_with_its_question_unless_that_is_gone,
	  a_summary_lasts_as_long_as_the_newest_of_its_turns,
	  an_old_fact_is_deleted_whoever_it_is_about,
	  a_fact_that_identifies_a_person_goes_as_configured, a_masked_fact_is_not_masked_again,
	  facts_are_looked_at_only_when_one_may_change,
	  facts_of_a_kind_a_summary_and_a_receipt_go_by_their_own_times,
	  the_oldest_turns_go_until_the_rest_is_small_enough, turns_of_one_millisecond_go_together,
	  what_is_small_enough_is_not_cut)
