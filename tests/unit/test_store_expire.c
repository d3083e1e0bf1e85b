#include "tests/unit/expire_fixture.h"

static void give_expiry(void *cookie, struct slice tenant, struct slice user,
			const struct user_settings *settings, struct expiry *expiry)
{
	(void)tenant;
	ck_assert(user.size > 0 && settings->hold_until == 0);
	*expiry = *(const struct expiry *)cookie;
}

START_TEST(a_turn_past_its_time_goes_with_all_that_was_made_of_it)
{
	struct fixture fixture;
	struct job_list jobs;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 100);
	say(&fixture, "chat", "Bergen is rainy", 200);
	ck_assert(recalls(&fixture, "Lisbon"));
	const struct expired_count gone = expire(&fixture, turns_until(150));
	ck_assert_uint_eq(gone.exchanges, 1);
	ck_assert(!gone.more);
	ck_assert(!recalls(&fixture, "Lisbon"));
	ck_assert(recalls(&fixture, "Bergen"));
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 2);
	unit_assert_slice(view.turns[0].text, "Bergen is rainy");
	/* The conversation goes on where it was. */
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 2);
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 2);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 3);
	ck_assert_uint_eq(jobs.jobs[1].uncovered, 2);
	ck_assert(!store_has(&fixture, "Lisbon"));
	ck_assert(store_has(&fixture, "Bergen"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_conversation_that_nobody_went_on_with_goes_whole)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "old", "Lisbon is sunny", 100);
	say(&fixture, "new", "Bergen is rainy", 200);
	struct append calls = fixture_exchange("look it up", "", 110); /* the reply called tools */
	calls.session = SLICE("old");
	calls.journal = false;
	calls.ordinal = 1;
	calls.answer_hash = 77;
	ck_assert_int_eq(fixture_append(&fixture, &calls), STORE_OK);
	(void)expire(&fixture, turns_until(150));
	const struct answer_fingerprint mark = {.hash = fixture_hash("old"),
						.user_hash = fixture_hash("Lisbon is sunny")};
	const struct load load = {.user = fixture_key("alex"),
				  .fingerprints = &mark,
				  .fingerprint_count = 1,
				  .now = 1000};
	ck_assert_uint_eq(fixture_load(&fixture, &load).conversation, 0);
	ck_assert_uint_eq(fixture_view(&fixture, "old").conversation, 0);
	ck_assert_uint_eq(fixture_view(&fixture, "new").conversation, 2);
	ck_assert_uint_eq(count(&fixture).turns, 2);
	struct transaction transaction;
	ck_assert(transaction_begin_read(&transaction, fixture.store));
	ck_assert_uint_eq(table_count(&transaction, TABLE_ANSWERS), 1);
	ck_assert_uint_eq(table_count(&transaction, TABLE_EXCHANGES), 1);
	ck_assert_uint_eq(table_count(&transaction, TABLE_CONVERSATIONS), 1);
	ck_assert_uint_eq(table_count(&transaction, TABLE_SESSIONS), 1);
	transaction_abort(&transaction);
	/* Its session begins another one. */
	say(&fixture, "old", "Oslo is cold", 300);
	ck_assert_uint_eq(fixture_view(&fixture, "old").conversation, 3);
	ck_assert_uint_eq(fixture_view(&fixture, "old").next_ordinal, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_user_of_whom_nothing_is_left_is_gone_and_comes_back_with_new_ids)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 100);
	/* Under way, and loaded before. */
	struct append late = fixture_exchange("and Bergen?", "rainy", 300);
	late.conversation = fixture_view(&fixture, "chat").conversation;
	late.ordinal = 1;
	late.session = SLICE("chat");
	late.forget_epoch = fixture_view(&fixture, "chat").forget_epoch;
	(void)expire(&fixture, turns_until(150));
	ck_assert_uint_eq(count(&fixture).users, 0);
	ck_assert_uint_eq(count(&fixture).jobs, 0);
	ck_assert(!store_has(&fixture, "alex"));
	say(&fixture, "another", "I am back", 290);
	ck_assert_int_eq(fixture_append(&fixture, &late), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 4);
	ck_assert_uint_gt(view.turns[0].id, 2);
	ck_assert_uint_ne(view.conversation, late.conversation);
	ck_assert_uint_ne(view.conversation, fixture_view(&fixture, "another").conversation);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(conversations_that_are_gone_do_not_count)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "one", "Lisbon is sunny", 100);
	say(&fixture, "two", "Bergen is rainy", 200);
	ck_assert_uint_eq(fixture_view(&fixture, "two").conversations, 2);
	(void)expire(&fixture, turns_until(150));
	ck_assert_uint_eq(fixture_view(&fixture, "two").conversations, 1);
	(void)expire(&fixture, turns_until(250));
	say(&fixture, "three", "Oslo is cold", 300);
	ck_assert_uint_eq(fixture_view(&fixture, "three").conversations, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(two_that_were_under_way_when_their_conversation_went_begin_one)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 100);
	struct append late[] = {fixture_exchange("and Bergen?", "rainy", 300),
				fixture_exchange("and Oslo?", "cold", 310)};
	(void)expire(&fixture, turns_until(150));
	for (size_t i = 0; i < 2; i++) {
		late[i].conversation = 1;
		late[i].ordinal = 1;
		late[i].session = SLICE("chat");
		ck_assert_int_eq(fixture_append(&fixture, &late[i]), STORE_OK);
	}
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 4);
	ck_assert_uint_eq(view.turns[0].conversation, view.turns[2].conversation);
	ck_assert_uint_gt(view.turns[2].ordinal, view.turns[0].ordinal);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(answers_and_turns_that_were_superseded_go_too)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 100);
	struct append again = fixture_exchange("Lisbon is sunny", "so it is", 120);
	again.conversation = 1;
	again.same_exchange = 1;
	ck_assert_int_eq(fixture_append(&fixture, &again), STORE_OK);
	struct append edit = fixture_exchange("Porto is sunny", "well then", 130);
	edit.conversation = 1;
	edit.session = SLICE("chat");
	edit.supersede = true;
	ck_assert_int_eq(fixture_append(&fixture, &edit), STORE_OK);
	say(&fixture, "chat", "Bergen is rainy", 200);
	ck_assert(store_has(&fixture, "Lisbon is sunny"));
	ck_assert_uint_eq(expire(&fixture, turns_until(150)).exchanges, 2);
	static const char *const gone[] = {"Lisbon", "so it is", "Porto", "well then"};
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		ck_assert_msg(!store_has(&fixture, gone[i]), "%s", gone[i]);
	ck_assert(store_has(&fixture, "Bergen is rainy"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_turn_that_was_taken_back_goes_although_all_current_ones_are_younger)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 100);
	struct append edit = fixture_exchange("Porto is sunny", "well then", 130);
	edit.conversation = 1;
	edit.session = SLICE("chat");
	edit.supersede = true;
	ck_assert_int_eq(fixture_append(&fixture, &edit), STORE_OK);
	ck_assert_uint_eq(expire(&fixture, turns_until(98)).exchanges, 0);
	ck_assert(store_has(&fixture, "Lisbon is sunny"));
	ck_assert_uint_eq(expire(&fixture, turns_until(110)).exchanges, 1);
	ck_assert(!store_has(&fixture, "Lisbon is sunny"));
	ck_assert_uint_eq(fixture_view(&fixture, "chat").turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_imported_answer_without_a_question_goes_by_its_own_time)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	const struct fixture_turn turns[] = {
		{.role = ROLE_ASSISTANT,
		 .text = SLICE("Hello there"),
		 .hash = 5,
		 .created_at = 100},
		{.role = ROLE_USER, .text = SLICE("Lisbon"), .hash = 6, .created_at = 120},
		{.role = ROLE_ASSISTANT, .text = SLICE("Good"), .hash = 7, .created_at = 190},
		{.role = ROLE_ASSISTANT, .text = SLICE("Are you"), .hash = 8, .created_at = 195},
	};
	ck_assert_int_eq(fixture_import(&fixture, turns, 4, false), STORE_OK);
	(void)expire(&fixture, turns_until(150));
	struct memory_view view = fixture_view(&fixture, "");
	ck_assert_uint_eq(view.turn_count, 1);
	unit_assert_slice(view.turns[0].text, "Are you");
	(void)expire(&fixture, turns_until(195));
	ck_assert_uint_eq(count(&fixture).users, 0);
	ck_assert_uint_eq(count(&fixture).turns, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(an_answer_of_which_the_question_was_lost_goes_by_its_own_time)
{
	struct fixture fixture;
	struct transaction transaction;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 100);
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	ck_assert(table_delete(&transaction, TABLE_TURNS,
			       key_u64(key_of_user(fixture_key("alex")), 1)));
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	(void)expire(&fixture, turns_until(99));
	ck_assert_uint_eq(count(&fixture).turns, 1);
	(void)expire(&fixture, turns_until(100));
	ck_assert_uint_eq(count(&fixture).turns, 0);
	ck_assert_uint_eq(count(&fixture).users, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(facts_outlive_their_turns_and_go_by_when_they_were_last_said)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "I live in Lisbon", 100);
	say(&fixture, "chat", "I live in Bergen", 200);
	learn_city(&fixture, 1, "Lisbon", 100, false);
	learn_city(&fixture, 3, "Bergen", 200, false);
	(void)expire(&fixture, turns_until(150));
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 2);
	ck_assert_uint_eq(view.fact_count, 2);
	unit_assert_slice(view.facts[0].quote, "Lisbon");
	struct expiry facts = never;
	facts.facts_until = 150;
	ck_assert_uint_eq(expire(&fixture, facts).facts, 1);
	view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 2);
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Bergen");
	ck_assert_uint_eq(count(&fixture).facts, 1);
	ck_assert(!store_has(&fixture, "Lisbon"));
	(void)expire(&fixture, turns_until(250));
	ck_assert_uint_eq(count(&fixture).users, 1); /* a fact is left */
	facts.facts_until = 250;
	(void)expire(&fixture, facts);
	ck_assert_uint_eq(count(&fixture).users, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(facts_that_identify_a_person_are_masked_or_go)
{
	struct fixture fixture;
	struct expiry expiry = never;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "I live in Lisbon, call 555", 100);
	say(&fixture, "chat", "or in Bergen", 200);
	learn_city(&fixture, 1, "555", 100, true);
	learn_city(&fixture, 3, "Bergen", 200, false);
	ck_assert_uint_eq(expire(&fixture, expiry).facts, 0);
	expiry.pii = PII_REDACT;
	ck_assert_uint_eq(expire(&fixture, expiry).facts, 1);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.fact_count, 2);
	unit_assert_slice(view.facts[0].value, "[redacted: pii]");
	ck_assert_uint_eq(view.facts[0].quote.size, 0);
	unit_assert_slice(view.facts[1].value, "Bergen");
	ck_assert_uint_eq(expire(&fixture, expiry).facts, 0);
	expiry.pii = PII_DROP;
	ck_assert_uint_eq(expire(&fixture, expiry).facts, 1);
	view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Bergen");
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_goes_when_all_that_it_was_made_of_is_past_its_time)
{
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 3);
	struct append append = fixture_exchange("Bergen is rainy", "yes", 20);
	append.session = SLICE("other");
	const uint64_t covers = 2;
	append.receipt = (struct receipt){
		.id = 5, .text = SLICE("the trip to Portugal"), .turns = &covers, .turn_count = 1};
	ck_assert_int_eq(fixture_summarized(&fixture, "A trip to Portugal", 2, 0), STORE_OK);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	(void)expire(&fixture, turns_until(1));
	ck_assert(fixture_view(&fixture, "chat").has_summary);
	ck_assert_int_eq(fixture_receipt(&fixture, 5, &text), STORE_OK);
	(void)expire(&fixture, turns_until(3)); /* it was written at 7 */
	struct memory_view view = fixture_view(&fixture, "other");
	ck_assert(!view.has_summary);
	ck_assert_uint_eq(view.turn_count, 2);
	ck_assert_int_eq(fixture_receipt(&fixture, 5, &text), STORE_NOT_FOUND);
	ck_assert(!store_has(&fixture, "Portugal"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_and_a_receipt_go_by_their_own_times)
{
	const uint64_t old = UINT64_C(100) << RECEIPT_TIME_SHIFT;
	const uint64_t young = UINT64_C(300) << RECEIPT_TIME_SHIFT;
	struct fixture fixture;
	struct user_page page = {0};
	struct slice text;
	fixture_init(&fixture, MAP);
	for (size_t i = 0; i < 2; i++) {
		struct append append = fixture_exchange("hi", "hello", 300);
		append.receipt = (struct receipt){.id = i == 0 ? old : young, .text = SLICE("{}")};
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	ck_assert_int_eq(fixture_summarized(&fixture, "A trip", 2, 0), STORE_OK);
	struct expiry expiry = never;
	expiry.receipts_until = 200;
	ck_assert_int_eq(store_users_expired(fixture.store, give_expiry, &expiry, NULL, 10, &page,
					     &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(page.count, 1);
	ck_assert_int_eq(page.expiries[0].receipts_until, 200);
	expire(&fixture, expiry);
	ck_assert_int_eq(fixture_receipt(&fixture, old, &text), STORE_NOT_FOUND);
	ck_assert_int_eq(fixture_receipt(&fixture, young, &text), STORE_OK);
	ck_assert(fixture_view(&fixture, "chat").has_summary);
	expiry = never;
	expiry.summaries_until = INT64_MAX;
	expire(&fixture, expiry);
	ck_assert(!fixture_view(&fixture, "chat").has_summary);
	ck_assert_uint_eq(expire(&fixture, expiry).exchanges, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_of_a_turn_that_stays_stays)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 20);
	say(&fixture, "old", "Bergen is rainy", 3); /* as an import has it */
	ck_assert_int_eq(fixture_summarized(&fixture, "A trip", 4, 0), STORE_OK);
	ck_assert_uint_eq(expire(&fixture, turns_until(10)).exchanges, 1);
	ck_assert(fixture_view(&fixture, "chat").has_summary);
	(void)expire(&fixture, turns_until(20));
	ck_assert(!store_has(&fixture, "trip"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_fact_that_goes_while_it_is_said_again_is_there_again)
{
	struct fixture fixture;
	struct expiry expiry = never;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "I live in Lisbon", 100);
	learn_city(&fixture, 1, "Lisbon", 100, false);
	say(&fixture, "chat", "Lisbon, as I said", 200);
	struct change again = {.kind = CHANGE_UPDATE,
			       .fact = fixture_view(&fixture, "chat").facts[0],
			       .replaced_by = -1};
	again.fact.observed_at = 200;
	expiry.facts_until = 150;
	ck_assert_uint_eq(expire(&fixture, expiry).facts, 1);
	ck_assert_int_eq(fixture_learned(&fixture, 3, &again, 1, false), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "Lisbon");
	ck_assert_uint_eq(view.facts[0].exchange, 3);
	ck_assert_int_eq(view.facts[0].observed_at, 200);
	ck_assert_uint_eq(expire(&fixture, expiry).facts, 0);
	fixture_finish(&fixture);
}
END_TEST

/* ---- many ---- */

START_TEST(a_long_memory_is_taken_out_in_parts_and_what_is_left_is_recalled)
{
	struct fixture fixture;
	struct oracle oracle;
	fixture_init(&fixture, 4 * (uint64_t)MAP);
	oracle_init(&oracle, &fixture);
	talk_import(&fixture, 1000); /* of the times 0 to 9000 */
	talk_import(&fixture, 1000);
	for (int i = 0; i < 100; i++)
		talk_append(&fixture, 9000 + i);
	oracle_look(&oracle, TURN_SUPERSEDED);
	for (int i = 0; i < 20; i++)
		talk_ask_again(&oracle, 9200 + i);
	for (int64_t until = 2000; until < 9000; until += 2000) {
		const struct expired_count gone = expire(&fixture, turns_until(until));
		ck_assert_uint_gt(gone.exchanges, 100);
		ck_assert_int_eq(gone.more, gone.exchanges >= 64);
		oracle_look(&oracle, TURN_HIDDEN);
		for (int i = 0; i < 20; i++)
			(void)talk_recall(&oracle);
	}
	ck_assert_uint_gt(oracle_ask(&oracle, "wordaa"), 0);
	(void)expire(&fixture, turns_until(100000));
	ck_assert_uint_eq(count(&fixture).users, 0);
	ck_assert_uint_eq(count(&fixture).turns, 0);
	oracle_finish(&oracle);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(new_turns_are_recalled_although_most_ids_between_old_ones_are_gone)
{
	struct fixture fixture;
	fixture_init(&fixture, 4 * (uint64_t)MAP);
	say(&fixture, "chat", "I live in Lisbon", 9500);
	for (int i = 0; i < 5; i++)
		talk_import(&fixture, 1000);
	say(&fixture, "chat", "I work in Bergen", 9600);
	(void)expire(&fixture, turns_until(9000));
	ck_assert_uint_eq(count(&fixture).turns, 4);
	ck_assert(recalls(&fixture, "Lisbon"));
	ck_assert(recalls(&fixture, "Bergen"));
	fixture_finish(&fixture);
}
END_TEST

static bool same_user(struct user_key a, struct user_key b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

START_TEST(users_are_looked_at_in_pages_and_those_who_have_any_are_given)
{
	static const char *const names[] = {"alex", "ben", "carla", "dora", "emil"};
	struct fixture fixture;
	struct user_page page = {0};
	size_t found = 0;
	size_t pages = 0;
	fixture_init(&fixture, MAP);
	for (size_t i = 0; i < 5; i++) {
		struct append append = fixture_exchange("hi", "hello", i == 3 ? 100 : 300);
		append.user = slice_of(names[i]);
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	const struct expiry expiry = turns_until(200);
	do {
		const struct user_key after = page.last;
		ck_assert_int_eq(store_users_expired(fixture.store, give_expiry, (void *)&expiry,
						     pages == 0 ? NULL : &after, 2, &page,
						     &fixture.arena),
				 STORE_OK);
		found += page.count;
		pages++;
		if (page.count > 0)
			ck_assert(same_user(page.users[0], fixture_key("dora")));
	} while (page.more);
	ck_assert_uint_eq(found, 1);
	ck_assert_uint_eq(pages, 3);
	ck_assert_int_eq(store_users_expired(fixture.store, give_expiry, (void *)&never, NULL, 10,
					     &page, &fixture.arena),
			 STORE_OK);
	ck_assert_uint_eq(page.count, 0);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_expire", a_turn_past_its_time_goes_with_all_that_was_made_of_it,
	  a_conversation_that_nobody_went_on_with_goes_whole,
	  a_user_of_whom_nothing_is_left_is_gone_and_comes_back_with_new_ids,
	  conversations_that_are_gone_do_not_count,
	  two_that_were_under_way_when_their_conversation_went_begin_one,
	  answers_and_turns_that_were_superseded_go_too,
	  a_turn_that_was_taken_back_goes_although_all_current_ones_are_younger,
	  an_imported_answer_without_a_question_goes_by_its_own_time,
	  an_answer_of_which_the_question_was_lost_goes_by_its_own_time,
	  facts_outlive_their_turns_and_go_by_when_they_were_last_said,
	  facts_that_identify_a_person_are_masked_or_go,
	  a_summary_goes_when_all_that_it_was_made_of_is_past_its_time,
	  a_summary_of_a_turn_that_stays_stays, a_summary_and_a_receipt_go_by_their_own_times,
	  a_fact_that_goes_while_it_is_said_again_is_there_again,
	  a_long_memory_is_taken_out_in_parts_and_what_is_left_is_recalled,
	  new_turns_are_recalled_although_most_ids_between_old_ones_are_gone,
	  users_are_looked_at_in_pages_and_those_who_have_any_are_given)
