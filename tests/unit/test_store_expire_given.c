/* Tests expiry: replays of expired turns, and turns that arrive while others expire. */
#include "tests/unit/expire_fixture.h"

/* A request of a conversation of its own that was given a turn, or a fact, or both. */
struct given {
	struct append append;
	struct frozen frozen;
	struct replay replay;
	uint64_t turn;
	uint64_t fact;
};

static void give(struct given *given, const char *session, uint64_t receipt, uint64_t turn,
		 uint64_t fact)
{
	*given = (struct given){
		.append = fixture_exchange("hm", "hm", 500), .turn = turn, .fact = fact};
	struct append *append = &given->append;
	append->session = slice_of(session);
	append->learn = false;
	append->receipt = (struct receipt){.id = receipt,
					   .text = SLICE("{}"),
					   .turns = &given->turn,
					   .turn_count = turn != 0,
					   .facts = &given->fact,
					   .fact_count = fact != 0};
	given->frozen = (struct frozen){
		.block = SLICE("block"), .given = &given->turn, .given_count = turn != 0};
	given->replay = (struct replay){.user_hash = 5,
					.text = SLICE("rides"),
					.facts = &given->fact,
					.fact_count = fact != 0};
	append->frozen = &given->frozen;
	append->replay = &given->replay;
}

static void append_given(struct fixture *fixture, const char *session, uint64_t receipt,
			 uint64_t turn, uint64_t fact)
{
	struct given given;
	give(&given, session, receipt, turn, fact);
	ck_assert_int_eq(fixture_append(fixture, &given.append), STORE_OK);
}

static bool has_receipt(struct fixture *fixture, uint64_t id)
{
	struct slice text;
	return fixture_receipt(fixture, id, &text) == STORE_OK;
}

static void begin_given(struct fixture *fixture)
{
	fixture_init(fixture, MAP);
	say(fixture, "chat", "I live in Lisbon", 100);
	say(fixture, "chat", "I live in Bergen", 200);
	learn_city(fixture, 1, "Lisbon", 100, false);
	learn_city(fixture, 3, "Bergen", 200, false);
}

static void append_linked(struct fixture *fixture, const char *session, int64_t now)
{
	const struct chain_link link = {.at = now};
	struct append append = fixture_exchange("hm", session, now);
	append.session = slice_of(session);
	append.link = &link;
	append.link_ids[0] = slice_of(session);
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static bool has_link(struct fixture *fixture, const char *id)
{
	const struct load load = {
		.user = fixture_key("alex"), .previous = slice_of(id), .now = 1000};
	return fixture_load(fixture, &load).has_link;
}

START_TEST(the_links_to_all_that_ends_go)
{
	struct fixture fixture;
	const struct expiry expiry = turns_until(250);
	fixture_init(&fixture, MAP);
	append_linked(&fixture, "a", 100);
	append_linked(&fixture, "b", 300);
	append_linked(&fixture, "c", 200);
	(void)expire(&fixture, expiry);
	ck_assert(!has_link(&fixture, "a"));
	ck_assert(!has_link(&fixture, "c"));
	ck_assert(has_link(&fixture, "b"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_given_of_it_goes_and_all_else_stays)
{
	struct fixture fixture;
	begin_given(&fixture);
	append_given(&fixture, "a", 11, 2, 0); /* the answer of the first exchange */
	append_given(&fixture, "b", 12, 0, 1);
	append_given(&fixture, "c", 13, 3, 2);
	struct expiry expiry = turns_until(150);
	expiry.facts_until = 150;
	(void)expire(&fixture, expiry);
	ck_assert(!fixture_view(&fixture, "a").has_frozen);
	ck_assert(fixture_view(&fixture, "b").has_frozen);
	ck_assert_uint_eq(fixture_view(&fixture, "b").replay_count, 0);
	ck_assert(fixture_view(&fixture, "c").has_frozen);
	ck_assert_uint_eq(fixture_view(&fixture, "c").replay_count, 1);
	ck_assert(!has_receipt(&fixture, 11));
	ck_assert(!has_receipt(&fixture, 12));
	ck_assert(has_receipt(&fixture, 13));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_given_a_summary_goes_with_the_last_turn_of_it)
{
	struct fixture fixture;
	struct given given;
	begin_given(&fixture);
	give(&given, "a", 11, 2, 0); /* the receipt's */
	given.frozen = (struct frozen){.block = SLICE("summary"), .covers = 2};
	ck_assert_int_eq(fixture_append(&fixture, &given.append), STORE_OK);
	given.append.session = SLICE("b");
	given.frozen.covers = 4;
	ck_assert_int_eq(fixture_append(&fixture, &given.append), STORE_OK);
	(void)expire(&fixture, turns_until(150));
	ck_assert(!fixture_view(&fixture, "a").has_frozen);
	ck_assert(!has_receipt(&fixture, 11));
	ck_assert(fixture_view(&fixture, "b").has_frozen);
	ck_assert_uint_eq(fixture_view(&fixture, "b").frozen.covers, 4);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_given_without_the_summary_stays_when_that_goes)
{
	struct fixture fixture;
	struct given given;
	begin_given(&fixture);
	say(&fixture, "later", "Oslo is cold", 400); /* the turns 5 and 6 */
	ck_assert_int_eq(fixture_summarized(&fixture, "A trip", 4, 0), STORE_OK);
	give(&given, "a", 11, 4, 0);
	given.frozen = (struct frozen){.block = SLICE("summary"), .covers = 4};
	ck_assert_int_eq(fixture_append(&fixture, &given.append), STORE_OK);
	append_given(&fixture, "b", 12, 5, 1);
	(void)expire(&fixture, turns_until(300));
	ck_assert(!fixture_view(&fixture, "b").has_summary);
	ck_assert(!fixture_view(&fixture, "a").has_frozen);
	ck_assert(!has_receipt(&fixture, 11));
	ck_assert(fixture_view(&fixture, "b").has_frozen);
	ck_assert_uint_eq(fixture_view(&fixture, "b").replay_count, 1);
	ck_assert(has_receipt(&fixture, 12));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_given_a_summary_goes_with_it_when_its_last_turn_went_before)
{
	struct fixture fixture;
	struct given given;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 200);
	say(&fixture, "old", "Bergen is rainy", 3); /* as an import has it */
	ck_assert_int_eq(fixture_summarized(&fixture, "A trip", 4, 0), STORE_OK);
	(void)expire(&fixture, turns_until(100));
	give(&given, "a", 11, 4, 0);
	given.append.receipt.covers = 4;
	given.frozen = (struct frozen){.block = SLICE("summary"), .covers = 4};
	ck_assert_int_eq(fixture_append(&fixture, &given.append), STORE_OK);
	ck_assert(fixture_view(&fixture, "a").has_summary);
	(void)expire(&fixture, turns_until(300));
	ck_assert(!fixture_view(&fixture, "a").has_frozen);
	ck_assert(!has_receipt(&fixture, 11));
	fixture_finish(&fixture);
}
END_TEST

/* As an earlier version kept it. */
static void untell(struct fixture *fixture, uint64_t id)
{
	struct transaction transaction;
	struct stored_receipt receipt = {0};
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	ck_assert(table_read(&transaction, TABLE_RECEIPTS, key_of_number(id), stored_receipt_fields,
			     &receipt, &fixture->arena));
	receipt.tells_ids = false;
	table_write(&transaction, TABLE_RECEIPTS, key_of_number(id), stored_receipt_fields,
		    &receipt);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

START_TEST(a_conversation_without_a_turn_takes_no_receipt_with_it)
{
	struct fixture fixture;
	begin_given(&fixture);
	struct append calls = fixture_exchange("look it up", "", 90);
	calls.session = SLICE("calls");
	calls.journal = false;
	calls.answer_hash = 77;
	ck_assert_int_eq(fixture_append(&fixture, &calls), STORE_OK);
	append_given(&fixture, "a", 11, 3, 2);
	untell(&fixture, 11);
	(void)expire(&fixture, turns_until(95));
	ck_assert_uint_eq(fixture_view(&fixture, "calls").conversation, 0);
	ck_assert(has_receipt(&fixture, 11));
	(void)expire(&fixture, turns_until(150));
	ck_assert(!has_receipt(&fixture, 11)); /* it may tell of any turn */
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_under_way_keeps_nothing_of_it)
{
	struct fixture fixture;
	struct given late;
	begin_given(&fixture);
	give(&late, "late", 14, 1, 0);
	late.append.forget_epoch = fixture_view(&fixture, "late").forget_epoch;
	(void)expire(&fixture, turns_until(150));
	ck_assert_int_eq(fixture_append(&fixture, &late.append), STORE_OK);
	ck_assert(!fixture_view(&fixture, "late").has_frozen);
	ck_assert(!has_receipt(&fixture, 14));
	ck_assert_uint_eq(fixture_view(&fixture, "late").turn_count, 4);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_written_while_a_memory_is_searched_is_looked_through_too)
{
	struct fixture fixture;
	struct transaction holds_up;
	struct fixture_wait waits[2] = {{0}};
	struct given late;
	struct expired_count count;
	begin_given(&fixture);
	const struct expiry expiry = turns_until(150);
	give(&late, "late", 14, 1, 0);
	ck_assert(transaction_begin_write(&holds_up, fixture.store));
	(void)store_append(fixture.store, &late.append,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[0]});
	(void)store_expire(fixture.store, fixture_key("alex"), &expiry, &count,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[1]});
	transaction_abort(&holds_up);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[0]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[1]), STORE_OK);
	ck_assert_uint_eq(count.exchanges, 1);
	ck_assert(fixture_view(&fixture, "late").conversation != 0);
	ck_assert(!fixture_view(&fixture, "late").has_frozen);
	ck_assert(!has_receipt(&fixture, 14));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_conversation_that_is_gone_on_with_meanwhile_stays)
{
	struct fixture fixture;
	struct transaction holds_up;
	struct fixture_wait waits[2] = {{0}};
	struct expired_count count;
	fixture_init(&fixture, MAP);
	const struct expiry expiry = turns_until(150);
	say(&fixture, "chat", "I live in Lisbon", 100);
	struct append next = fixture_exchange("and you?", "nowhere", 400);
	next.session = SLICE("chat");
	next.conversation = 1;
	next.ordinal = 1;
	ck_assert(transaction_begin_write(&holds_up, fixture.store));
	(void)store_append(fixture.store, &next,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[0]});
	(void)store_expire(fixture.store, fixture_key("alex"), &expiry, &count,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[1]});
	transaction_abort(&holds_up);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[0]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[1]), STORE_OK);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.conversation, 1);
	ck_assert_uint_eq(view.next_ordinal, 2);
	ck_assert_uint_eq(view.turn_count, 2);
	unit_assert_slice(view.turns[0].text, "and you?");
	fixture_finish(&fixture);
}
END_TEST

/* An import does not go on with a conversation at its end. */
START_TEST(a_conversation_into_which_is_imported_meanwhile_goes_later)
{
	struct fixture fixture;
	struct transaction holds_up;
	struct fixture_wait waits[2] = {{0}};
	struct expired_count count_of;
	fixture_init(&fixture, MAP);
	const struct expiry expiry = turns_until(150);
	say(&fixture, "chat", "I live in Lisbon", 100);
	const struct fixture_turn turns[] = {{.role = ROLE_USER,
					      .text = SLICE("and in Porto"),
					      .hash = 6,
					      .created_at = 90,
					      .session = SLICE("chat")}};
	ck_assert(transaction_begin_write(&holds_up, fixture.store));
	(void)fixture_begin_import(
		fixture.store, SLICE("shared"), SLICE("alex"), turns, 1, false, 0,
		(struct store_waiter){&fixture.loop.loop, fixture_done, &waits[0]});
	(void)store_expire(fixture.store, fixture_key("alex"), &expiry, &count_of,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &waits[1]});
	transaction_abort(&holds_up);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[0]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[1]), STORE_OK);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").conversation, 1);
	(void)expire(&fixture, expiry);
	ck_assert_uint_eq(count(&fixture).turns, 0);
	ck_assert_uint_eq(count(&fixture).users, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_request_is_told_when_the_beginning_that_it_carries_is_gone)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "chat", "Lisbon is sunny", 100);
	say(&fixture, "chat", "Bergen is rainy", 200);
	const struct answer_fingerprint marks[] = {
		{.hash = fixture_hash("chat"), .user_hash = fixture_hash("Lisbon is sunny")},
		{.hash = fixture_hash("chat"), .user_hash = fixture_hash("Bergen is rainy")},
	};
	struct load load = {.user = fixture_key("alex"),
			    .session = SLICE("chat"),
			    .fingerprints = marks,
			    .fingerprint_count = 2,
			    .trims = true,
			    .now = 1000};
	ck_assert_uint_eq(fixture_load(&fixture, &load).carried_from, 0);
	ck_assert(!fixture_load(&fixture, &load).begin_is_lost);
	(void)expire(&fixture, turns_until(150));
	ck_assert(fixture_load(&fixture, &load).begin_is_lost);
	load.trims = false;
	ck_assert(!fixture_load(&fixture, &load).begin_is_lost);
	load.trims = true;
	load.fingerprints = &marks[1];
	load.fingerprint_count = 1;
	ck_assert_uint_eq(fixture_load(&fixture, &load).carried_from, 1);
	ck_assert(!fixture_load(&fixture, &load).begin_is_lost);
	load.fingerprints = marks;
	load.fingerprint_count = 2;
	ck_assert_int_eq(fixture_summarized(&fixture, "Sunny, then rainy.", 4, 0), STORE_OK);
	ck_assert(!fixture_load(&fixture, &load).begin_is_lost);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_expire_given", the_links_to_all_that_ends_go,
	  what_was_given_of_it_goes_and_all_else_stays,
	  what_was_given_a_summary_goes_with_the_last_turn_of_it,
	  what_was_given_without_the_summary_stays_when_that_goes,
	  what_was_given_a_summary_goes_with_it_when_its_last_turn_went_before,
	  a_conversation_without_a_turn_takes_no_receipt_with_it,
	  what_was_under_way_keeps_nothing_of_it,
	  what_is_written_while_a_memory_is_searched_is_looked_through_too,
	  a_conversation_that_is_gone_on_with_meanwhile_stays,
	  a_conversation_into_which_is_imported_meanwhile_goes_later,
	  a_request_is_told_when_the_beginning_that_it_carries_is_gone)
