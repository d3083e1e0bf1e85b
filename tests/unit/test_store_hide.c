/* Tests what forgetting a fact, hiding a text and masking a word take along. */
#include "core/pii/pii.h"
#include "tests/unit/store_learn_fixture.h"
#include "tests/unit/store_oracle.h"

/* Whether the word is in anything that is read of the user. */
static bool is_remembered(struct fixture *fixture, const char *word)
{
	struct memory_view view = fixture_view(fixture, "chat");
	bool found = unit_has(view.summary.text, word) || unit_has(view.frozen.block, word);
	for (size_t i = 0; i < view.turn_count; i++)
		found = found || unit_has(view.turns[i].text, word);
	for (size_t i = 0; i < view.fact_count; i++)
		found = found || unit_has(view.facts[i].value, word) ||
			unit_has(view.facts[i].quote, word);
	return found;
}

START_TEST(a_forgotten_fact_takes_all_that_was_made_of_it_along)
{
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	static const uint64_t first = 1;
	struct frozen frozen = {.block = SLICE("works at Acme"), .facts = &first, .fact_count = 1};
	struct append append = fixture_exchange("I work at Acme", "Noted: Acme", 100);
	append.session = SLICE("chat");
	append.frozen = &frozen;
	append.receipt =
		(struct receipt){.id = 5, .text = SLICE("Acme"), .turns = &first, .turn_count = 1};
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	say(&fixture, "I like tea", "Fine", 200);
	struct change facts[] = {add("employer", "Acme", 1), add("role", "engineer", 1)};
	facts[1].fact.keywords = SLICE("profession");
	learn_ok(&fixture, 1, facts, 2, false);
	ck_assert_int_eq(fixture_summarized(&fixture, "Works at Acme", 2, 0), STORE_OK);
	unit_assert_slice(fixture_view(&fixture, "chat").facts[1].keywords, "profession");
	say(&fixture, "Forget where I work", "Done", 300);
	ck_assert(is_remembered(&fixture, "Acme"));

	struct change forget = {.kind = CHANGE_FORGET, .fact = {.id = 1}, .replaced_by = -1};
	learn_ok(&fixture, 5, &forget, 1, true);
	ck_assert(!is_remembered(&fixture, "Acme"));
	ck_assert_int_eq(fixture_receipt(&fixture, 5, &text), STORE_NOT_FOUND);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert(!view.has_frozen && !view.has_summary);
	ck_assert_uint_eq(view.turn_count, 2);
	unit_assert_slice(view.turns[0].text, "I like tea");
	/* The other fact of that turn stays, without the user's words. */
	ck_assert_uint_eq(view.fact_count, 1);
	unit_assert_slice(view.facts[0].value, "engineer");
	ck_assert_uint_eq(view.facts[0].quote.size, 0);
	ck_assert_uint_eq(view.facts[0].keywords.size, 0);
	/* The summary is to be made anew of what is left. */
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 2);
	ck_assert_uint_eq(jobs.jobs[1].uncovered, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_second_fact_of_a_hidden_turn_leaves_frozen_contexts_too)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "I am an engineer at Acme", "Noted", 100);
	say(&fixture, "forget Acme", "Done", 200);
	say(&fixture, "forget my job", "Done", 300);
	struct change facts[] = {add("employer", "Acme", 1), add("role", "engineer", 1)};
	learn_ok(&fixture, 1, facts, 2, false);
	struct change forget = {.kind = CHANGE_FORGET, .fact = {.id = 1}, .replaced_by = -1};
	learn_ok(&fixture, 3, &forget, 1, false);
	static const uint64_t second = 2;
	struct frozen frozen = {.block = SLICE("an engineer"), .facts = &second, .fact_count = 1};
	struct append append = fixture_exchange("hm", "yes", 400);
	append.session = SLICE("chat");
	append.frozen = &frozen;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert(is_remembered(&fixture, "engineer"));
	forget.fact.id = 2;
	learn_ok(&fixture, 5, &forget, 1, false);
	ck_assert(!is_remembered(&fixture, "engineer"));
	fixture_finish(&fixture);
}
END_TEST

/* Another conversation that was given a turn, a fact or a summary up to a turn. */
static void give(struct fixture *fixture, const char *session, uint64_t receipt, uint64_t turn,
		 uint64_t fact, uint64_t covers)
{
	struct append append = fixture_exchange("hm", "hm", 500);
	struct frozen frozen = {
		.block = SLICE("block"), .facts = &fact, .fact_count = fact != 0, .covers = covers};
	struct replay replay = {
		.user_hash = 5, .text = SLICE("rides"), .turns = &turn, .turn_count = turn != 0};
	append.session = slice_of(session);
	append.learn = false;
	append.frozen = &frozen;
	append.replay = &replay;
	append.receipt = (struct receipt){.id = receipt,
					  .text = SLICE("{}"),
					  .turns = &turn,
					  .turn_count = turn != 0,
					  .facts = &fact,
					  .fact_count = fact != 0,
					  .covers = covers};
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static bool has_receipt(struct fixture *fixture, uint64_t id)
{
	struct slice text;
	return fixture_receipt(fixture, id, &text) == STORE_OK;
}

START_TEST(what_other_conversations_were_given_stays_unless_it_holds_what_is_forgotten)
{
	static const struct {
		uint64_t turn, fact, covers;
		bool frozen, replay, receipt; /* stay */
	} given[] = {
		{7, 2, 0, true, true, true},   {7, 2, 2, true, true, true},
		{3, 2, 0, true, false, false}, /* the forgotten turn */
		{7, 1, 0, false, true, false}, /* the forgotten fact */
		{7, 2, 5, false, true, false}, /* a summary that may tell of it */
		{0, 0, 0, true, true, true},
	};
	struct fixture fixture;
	char session[] = "c0";
	fixture_init(&fixture, MAP);
	say(&fixture, "I like tea", "Fine", 100);
	say(&fixture, "My favourite colour is green", "Nice", 200);
	say(&fixture, "Forget my favourite colour", "Done", 300);
	say(&fixture, "I have a cat", "Sweet", 400);
	struct change facts[] = {add("favourite_colour", "green", 3), add("drink", "tea", 1)};
	learn_ok(&fixture, 3, facts, 2, false);
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		session[1] = (char)('0' + i);
		give(&fixture, session, 10 + i, given[i].turn, given[i].fact, given[i].covers);
	}
	struct change forget = {.kind = CHANGE_FORGET, .fact = {.id = 1}, .replaced_by = -1};
	learn_ok(&fixture, 5, &forget, 1, true);
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		session[1] = (char)('0' + i);
		const struct memory_view view = fixture_view(&fixture, session);
		ck_assert_msg(view.has_frozen == given[i].frozen, "frozen %zu", i);
		ck_assert_msg(view.replay_count == given[i].replay, "replay %zu", i);
		ck_assert_msg(has_receipt(&fixture, 10 + i) == given[i].receipt, "receipt %zu", i);
	}
	fixture_finish(&fixture);
}
END_TEST

START_TEST(receipts_that_only_mention_what_is_forgotten_lose_its_text_or_go_if_they_are_many)
{
	enum { GIVEN = 300, SILENCED = 256 };
	static const uint64_t fact = 1;
	struct fixture fixture;
	struct slice text;
	size_t left = 0;
	fixture_init(&fixture, MAP);
	fixture.receipts = 1000;
	fixture_reopen(&fixture);
	say(&fixture, "My favourite colour is green", "Nice", 100);
	struct change facts[] = {add("favourite_colour", "green", 1)};
	learn_ok(&fixture, 1, facts, 1, false);
	for (uint64_t i = 0; i < GIVEN; i++) {
		struct append append = fixture_exchange("hm", "hm", 500 + (int64_t)i);
		append.session = SLICE("other");
		append.learn = false;
		append.receipt = (struct receipt){
			.id = 10 + i,
			.text = SLICE("[{\"kind\":\"fact\",\"id\":\"1\",\"text\":\"green\"}]"),
			.facts = &fact,
			.fact_count = 1,
			.facts_left_out = 1};
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	say(&fixture, "Forget my favourite colour", "Done", 900);
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	struct change forget = {.kind = CHANGE_FORGET, .fact = {.id = 1}, .replaced_by = -1};
	learn_ok(&fixture, jobs.jobs[0].exchange, &forget, 1, true);
	for (uint64_t i = 0; i < GIVEN; i++) {
		if (fixture_receipt(&fixture, 10 + i, &text) != STORE_OK)
			continue;
		ck_assert(!unit_has(text, "green"));
		left++;
	}
	ck_assert_uint_eq(left, SILENCED);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_turn_under_way_is_not_kept_when_something_is_forgotten)
{
	struct fixture fixture;
	const struct chain_link link = {
		.at = 150, .is_pending = true, .user_text = SLICE("I owe Bob money")};
	struct append append = fixture_exchange("hm", "hm", 150);
	fixture_init(&fixture, MAP);
	append.session = SLICE("tools");
	append.link = &link;
	append.link_ids[0] = SLICE("resp_1");
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	say(&fixture, "Forget Bob", "Done", 200);
	const struct load load = {
		.user = fixture_key("alex"), .previous = SLICE("resp_1"), .now = 1000};
	ck_assert_uint_gt(fixture_load(&fixture, &load).link.user_text.size, 0);
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("Bob"), .observed_at = 200}};
	learn_ok(&fixture, 3, &hide, 1, true);
	const struct memory_view view = fixture_load(&fixture, &load);
	ck_assert(view.has_link && !view.link.is_pending);
	ck_assert_uint_eq(view.link.user_text.size, 0);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(hiding_a_text_hides_every_exchange_that_has_it)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "My doctor is Dr. Weiss", "Noted", 100);
	say(&fixture, "Whom do I see?", "DR.  WEISS, you said", 200);
	say(&fixture, "I like tea", "Fine", 300);
	struct append again = fixture_exchange("I like tea", "Earl Grey?", 350);
	again.conversation = 1;
	again.same_exchange = 5;
	ck_assert_int_eq(fixture_append(&fixture, &again), STORE_OK);
	say(&fixture, "Forget the doctor", "Done", 400);
	say(&fixture, "Teak is a wood", "It is", 150);
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("dr. weiss"), .observed_at = 400}};
	const struct change changes[] = {
		hide,
		{.kind = CHANGE_HIDE, .fact = {.value = SLICE("tea"), .observed_at = 200}},
	};
	learn_ok(&fixture, 8, changes, 2, true);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.turn_count, 4);
	unit_assert_slice(view.turns[0].text, "Teak is a wood");
	unit_assert_slice(view.turns[2].text, "I like tea");
	/* Jobs of hidden exchanges are gone: they would learn it again. */
	struct job_list jobs;
	ck_assert_int_eq(fixture_jobs(&fixture, &jobs), STORE_OK);
	ck_assert_uint_eq(jobs.count, 3);
	ck_assert_uint_eq(jobs.jobs[0].exchange, 5);
	/* A superseded answer is no hiding place. */
	hide.fact.value = SLICE("fine");
	learn_ok(&fixture, 5, &hide, 1, false);
	ck_assert_uint_eq(fixture_view(&fixture, "chat").turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_said_after_a_request_to_forget_stays)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	const struct fixture_turn later = {.role = ROLE_ASSISTANT,
					   .text = SLICE("Tea is back"),
					   .hash = fixture_hash("Tea is back"),
					   .created_at = 350};
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("tea"), .observed_at = 200}};
	say(&fixture, "I like tea", "Good", 100);
	say(&fixture, "My team has five people", "Nice", 110);
	say(&fixture, "Forget the tea", "Done", 200);
	say(&fixture, "Tea is what I drink again", "Fine", 300);
	ck_assert_int_eq(fixture_import(&fixture, &later, 1, false), STORE_OK);
	learn_ok(&fixture, 5, &hide, 1, true);
	ck_assert(!is_remembered(&fixture, "I like tea"));
	ck_assert(is_remembered(&fixture, "team"));
	ck_assert(is_remembered(&fixture, "drink again"));
	ck_assert(is_remembered(&fixture, "Tea is back"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_text_without_spaces_is_found_within_another)
{
	struct fixture fixture;
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("李明"), .observed_at = 200}};
	fixture_init(&fixture, MAP);
	say(&fixture, "我欠李明钱", "好的", 100);
	say(&fixture, "忘记吧", "好的", 200);
	learn_ok(&fixture, 3, &hide, 1, false);
	ck_assert(!is_remembered(&fixture, "李明"));
	ck_assert(is_remembered(&fixture, "忘记吧"));
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_is_said_while_a_text_is_searched_for_is_hidden_too)
{
	struct fixture fixture;
	struct fixture_loop held;
	struct fixture_wait waits[3] = {{0}};
	fixture_init(&fixture, MAP);
	say(&fixture, "I owe Bob money", "I see", 100);
	say(&fixture, "Forget Bob", "Done", 200);
	/* The writer stands still while it posts to a loop that is held: what is queued is not
	 * written yet when the search is made. */
	fixture_loop_init(&held);
	pthread_mutex_lock(&held.lock);
	struct append append = fixture_exchange("I like tea", "Fine", 300);
	(void)store_append(fixture.store, &append,
			   (struct store_waiter){&held.loop, fixture_done, &waits[0]});
	append = fixture_exchange("And Bob?", "No", 150);
	(void)store_append(fixture.store, &append,
			   (struct store_waiter){&held.loop, fixture_done, &waits[1]});
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("Bob"), .observed_at = 200}};
	(void)store_learned(fixture.store, fixture_key("alex"),
			    &(struct learned){3, UINT64_MAX, &hide, 1, true, 500},
			    (struct store_waiter){&held.loop, fixture_done, &waits[2]});
	pthread_mutex_unlock(&held.lock);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(fixture_await(&held, &waits[i]), STORE_OK);
	ck_assert(!is_remembered(&fixture, "Bob"));
	ck_assert_uint_eq(fixture_view(&fixture, "chat").turn_count, 2);
	fixture_loop_finish(&held);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_summary_of_turns_hidden_meanwhile_is_refused)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "I owe Bob money", "I see", 100);
	say(&fixture, "Forget that", "Done", 200);
	struct job_input input;
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("Bob"), .observed_at = 200}};
	learn_ok(&fixture, 3, &hide, 1, false);
	ck_assert_int_eq(fixture_summarized(&fixture, "Owes Bob", 4, 0), STORE_CHANGED);
	ck_assert_int_eq(fixture_input(&fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_uint_eq(input.uncovered_count, 2);
	ck_assert_int_eq(fixture_summarized(&fixture, "Asked", 4, 0), STORE_OK);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_a_request_was_given_before_a_hiding_is_not_kept)
{
	struct fixture fixture;
	struct slice text;
	fixture_init(&fixture, MAP);
	say(&fixture, "I owe Bob money", "I see", 100);
	say(&fixture, "Forget that", "Done", 200);
	struct frozen frozen = {.block = SLICE("Owes Bob")};
	struct append append = fixture_exchange("hi", "hello", 300);
	append.session = SLICE("chat");
	append.forget_epoch = fixture_view(&fixture, "chat").forget_epoch;
	append.frozen = &frozen;
	append.receipt.id = 9;
	append.receipt.text = SLICE("Bob");
	struct append again = append;
	again.same_exchange = 1;
	struct change hide = {.kind = CHANGE_HIDE,
			      .fact = {.value = SLICE("Bob"), .observed_at = 200}};
	learn_ok(&fixture, 3, &hide, 1, false);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert(!fixture_view(&fixture, "chat").has_frozen);
	ck_assert_int_eq(fixture_receipt(&fixture, 9, &text), STORE_NOT_FOUND);
	ck_assert_int_eq(fixture_append(&fixture, &again), STORE_STALE);
	append.forget_epoch = fixture_view(&fixture, "chat").forget_epoch;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	ck_assert(fixture_view(&fixture, "chat").has_frozen);
	fixture_finish(&fixture);
}
END_TEST

/* The first turn that is recalled for a word, or nothing. */
static struct slice recalled(struct fixture *fixture, const char *word)
{
	const struct recall_question question = fixture_question(fixture, word);
	const struct recall recall = {
		.user = fixture_key("alex"), .question = &question, .text_limit = 100000};
	const struct recall_result result = fixture_recall(fixture, &recall);
	return result.count == 0 ? (struct slice){0} : result.turns[0].text;
}

START_TEST(what_is_masked_once_a_model_told_of_it_is_found_no_more)
{
	enum { EXCHANGES = 80 }; /* more than a block of turns */
	static const uint64_t given[] = {1};
	const struct frozen frozen = {
		.mode = MODE_HYBRID, .block = SLICE("asthma"), .given = given, .given_count = 1};
	const char *said[] = {"I like figs. I have asthma.", "Dates! I am diabetic."};
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	for (int i = 0; i < EXCHANGES; i++) {
		const char *text = i == 0               ? said[0]
				   : i + 1 == EXCHANGES ? said[1]
							: "A lamp is lit.";
		struct append append =
			fixture_exchange(text, i == 0 ? "Asthma? I see." : "Good.", 100 + i);
		append.session = SLICE("chat");
		append.frozen = i == 1 ? &frozen : NULL;
		ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	}
	ck_assert_int_eq(fixture_summarized(&fixture, "Alex has asthma.", 2, 0), STORE_OK);
	ck_assert_uint_gt(recalled(&fixture, "asthma").size, 0);
	struct change change = {.kind = CHANGE_MASK,
				.fact = {.value = SLICE("asthma"),
					 .quote = SLICE("have asthma"),
					 .classes = PII_BIT(PII_HEALTH)},
				.replaced_by = -1};
	learn_ok(&fixture, 1, &change, 1, false);
	unit_assert_slice(recalled(&fixture, "figs"), "I like figs. [redacted: health]");
	ck_assert_uint_eq(recalled(&fixture, "asthma").size, 0);
	struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert(!view.has_summary && !view.has_frozen);
	/* In other words than were told, and in a turn whose terms wait for their block. */
	change.fact.value = SLICE("diabetes");
	change.fact.quote = (struct slice){0};
	const uint64_t last = 2 * EXCHANGES - 1;
	ck_assert_uint_gt(recalled(&fixture, "diabetic").size, 0);
	fixture.forget_epoch = UINT64_MAX;
	learn_ok(&fixture, last, &change, 1, false);
	ck_assert_uint_eq(recalled(&fixture, "diabetic").size, 0);
	fixture_finish(&fixture);
}
END_TEST

static void conceal(struct fixture *fixture, uint64_t exchange, uint64_t fact, int64_t at,
		    bool hide_exchange)
{
	struct change change = add("canary", "Zwingli", 1);
	change.kind = CHANGE_CONCEAL;
	change.fact.id = fact;
	change.fact.quote = SLICE("My canary is Zwingli");
	change.fact.ended_at = at;
	learn_ok(fixture, exchange, &change, 1, hide_exchange);
}

START_TEST(what_was_made_of_any_turn_that_says_a_hidden_fact_goes)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "My canary is Zwingli", "Nice", 100);
	say(&fixture, "Zwingli is my only canary", "Fine", 200);
	say(&fixture, "Forget my pet", "Done", 300);
	struct change fact = add("canary", "Zwingli", 1);
	learn_ok(&fixture, 1, &fact, 1, false);
	give(&fixture, "repeats", 10, 3, 0, 0);
	give(&fixture, "wish", 11, 7, 0, 0);
	conceal(&fixture, 5, 1, 300, true);
	ck_assert(!has_receipt(&fixture, 10) && has_receipt(&fixture, 11));
	ck_assert_uint_eq(fixture_view(&fixture, "repeats").replay_count, 0);
	ck_assert_uint_eq(fixture_view(&fixture, "wish").replay_count, 1);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(what_was_made_of_the_exchanges_of_a_value_that_no_fact_held_goes)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	say(&fixture, "My canary is Zwingli", "A fine bird", 100);
	say(&fixture, "Forget my pet", "Done", 300);
	say(&fixture, "I have a cat", "Sweet", 400);
	give(&fixture, "said", 10, 1, 0, 0);
	give(&fixture, "answer", 11, 2, 0, 0);
	give(&fixture, "wish", 12, 3, 0, 0);
	give(&fixture, "other", 13, 5, 0, 0);
	conceal(&fixture, 3, 0, 300, false);
	for (uint64_t id = 10; id <= 13; id++)
		ck_assert_msg(has_receipt(&fixture, id) == (id == 13), "%d", (int)id);
	fixture_finish(&fixture);
}
END_TEST

START_TEST(a_hidden_fact_is_found_among_any_number_of_facts)
{
	enum { FACTS = 1100 };
	struct fixture fixture;
	static struct change facts[FACTS];
	fixture_init(&fixture, MAP);
	say(&fixture, "My canary is Zwingli", "Nice", 100);
	say(&fixture, "Forget my pet", "Done", 200);
	say(&fixture, "I like many things", "Good", 300);
	facts[0] = add("canary", "Zwingli", 1);
	learn_ok(&fixture, 1, facts, 1, false);
	conceal(&fixture, 3, 1, 200, true);
	fixture.forget_epoch = UINT64_MAX;
	for (size_t i = 0; i < FACTS; i++)
		facts[i] = add("likes", "things", 5);
	learn_ok(&fixture, 5, facts, FACTS, false);
	const struct memory_view view = fixture_view(&fixture, "chat");
	ck_assert_uint_eq(view.outdated_count, 1);
	ck_assert_int_eq(view.outdated[0].state, FACT_HIDDEN);
	ck_assert_int_eq(view.outdated[0].ended_at, 200);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_hide", what_was_made_of_the_exchanges_of_a_value_that_no_fact_held_goes,
	  what_was_made_of_any_turn_that_says_a_hidden_fact_goes,
	  a_hidden_fact_is_found_among_any_number_of_facts,
	  a_forgotten_fact_takes_all_that_was_made_of_it_along,
	  a_second_fact_of_a_hidden_turn_leaves_frozen_contexts_too,
	  what_other_conversations_were_given_stays_unless_it_holds_what_is_forgotten,
	  receipts_that_only_mention_what_is_forgotten_lose_its_text_or_go_if_they_are_many,
	  a_turn_under_way_is_not_kept_when_something_is_forgotten,
	  hiding_a_text_hides_every_exchange_that_has_it,
	  what_is_said_after_a_request_to_forget_stays,
	  a_text_without_spaces_is_found_within_another,
	  what_is_said_while_a_text_is_searched_for_is_hidden_too,
	  a_summary_of_turns_hidden_meanwhile_is_refused,
	  what_a_request_was_given_before_a_hiding_is_not_kept,
	  what_is_masked_once_a_model_told_of_it_is_found_no_more)
