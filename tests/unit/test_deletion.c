#include "core/facts/deletion.h"
#include "core/facts/facts.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

/* Tests what a deletion takes along, without a store. */

static struct arena arena;
static struct deletion_plan plan;

/* Two conversations: 1 asks 1, answered by 2 (and 3, superseded); 4 answered by 5 in another; 6 is
 * an answer to nothing; 7 is an answer whose question expired. */
static const struct deletable_turn turns[] = {
	{.id = 1, .exchange = 1, .conversation = 1, .is_user = true, .created_at = 10},
	{.id = 2, .exchange = 1, .conversation = 1, .created_at = 30},
	{.id = 3, .exchange = 1, .conversation = 1, .created_at = 12, .is_hidden = true},
	{.id = 4,
	 .exchange = 4,
	 .conversation = 2,
	 .is_user = true,
	 .says = true,
	 .created_at = 20},
	{.id = 5, .exchange = 4, .conversation = 2, .created_at = 21},
	{.id = 6, .conversation = 2, .created_at = 40},
	{.id = 8, .exchange = 7, .conversation = 2, .created_at = 50},
};

enum { TURNS = sizeof(turns) / sizeof(turns[0]) };

static void finish(void)
{
	arena_finish(&arena);
	plan = (struct deletion_plan){0};
}

enum { FACTS = 5 };
static struct deletable_fact facts[FACTS]; /* set_facts() */

static void take_turns(const struct deletion *deletion)
{
	finish();
	deletion_take_named(&plan, deletion, facts, facts[0].fact == NULL ? 0 : FACTS, &arena);
	deletion_take_turns(&plan, deletion, turns, TURNS, &arena);
}

static void assert_ids(const struct id_list *list, const uint64_t *ids, size_t count)
{
	ck_assert_uint_eq(list->count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(list->ids[i], ids[i]);
}

#define ASSERT_IDS(list, ...)                                                                      \
	assert_ids(&(list), (const uint64_t[]){__VA_ARGS__},                                       \
		   sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

START_TEST(a_turn_takes_its_whole_exchange)
{
	for (uint64_t id = 1; id <= 3; id++) {
		take_turns(&(struct deletion){.kind = DELETION_TURN, .id = id});
		ASSERT_IDS(plan.turns, 1, 2);
		ASSERT_IDS(plan.exchanges, 1);
	}
	take_turns(&(struct deletion){.kind = DELETION_TURN, .id = 6});
	ASSERT_IDS(plan.turns, 6);
	take_turns(&(struct deletion){.kind = DELETION_TURN, .id = 99});
	ck_assert(deletion_is_empty(&plan));
	finish();
}
END_TEST

START_TEST(a_conversation_takes_all_its_turns)
{
	take_turns(&(struct deletion){.kind = DELETION_CONVERSATION, .id = 2});
	ASSERT_IDS(plan.turns, 4, 5, 6, 8);
	ck_assert_uint_eq(plan.conversation, 2);
	take_turns(&(struct deletion){.kind = DELETION_CONVERSATION, .id = 3});
	ck_assert_uint_eq(plan.turns.count, 0);
	ck_assert(!deletion_is_empty(&plan)); /* its other records */
	finish();
}
END_TEST

START_TEST(a_span_of_time_is_half_open_and_counts_the_question)
{
	struct deletion span = {.kind = DELETION_SPAN, .since = 10, .until = 20};
	take_turns(&span);
	ASSERT_IDS(plan.turns, 1, 2);
	span.until = 21;
	take_turns(&span);
	ASSERT_IDS(plan.turns, 1, 2, 4, 5);
	/* the answer at 30 belongs to the question at 10 */
	span = (struct deletion){.kind = DELETION_SPAN, .since = 21, .until = 41};
	take_turns(&span);
	ASSERT_IDS(plan.turns, 6);
	/* and the answer to what is gone goes by its own time */
	span = (struct deletion){.kind = DELETION_SPAN, .since = 50, .until = 51};
	take_turns(&span);
	ASSERT_IDS(plan.turns, 8);
	finish();
}
END_TEST

START_TEST(a_topic_takes_the_exchanges_that_say_it)
{
	struct deletion topic = {.kind = DELETION_TOPIC, .about = SLICE("tea")};
	ck_assert(deletion_reads_texts(&topic));
	take_turns(&topic);
	ASSERT_IDS(plan.turns, 4, 5);
	topic.keeps_turns = true;
	ck_assert(!deletion_reads_texts(&topic));
	take_turns(&topic);
	ck_assert_uint_eq(plan.turns.count, 0);
	finish();
}
END_TEST

static const struct fact city = {
	.id = 9, .entity = SLICE("user"), .exchange = 4, .observed_at = 20};
static const struct fact old_city = {.id = 5,
				     .entity = SLICE("user"),
				     .exchange = 1,
				     .observed_at = 10,
				     .superseded_by = 9,
				     .state = FACT_SUPERSEDED};
static const struct fact oldest_city = {.id = 4,
					.entity = SLICE("user"),
					.exchange = 2,
					.observed_at = 5,
					.superseded_by = 5,
					.state = FACT_SUPERSEDED};
static const struct fact maria = {
	.id = 11, .entity = SLICE("Maria"), .exchange = 4, .observed_at = 30};
static const struct fact gone = {
	.id = 12, .exchange = 4, .superseded_by = 9, .state = FACT_FORGOTTEN};

static void take_facts(const struct deletion *deletion)
{
	deletion_take_facts(&plan, deletion, facts, FACTS, &arena);
}

static void set_facts(void)
{
	facts[0] = (struct deletable_fact){.fact = &city};
	facts[1] = (struct deletable_fact){.fact = &old_city};
	facts[2] = (struct deletable_fact){.fact = &oldest_city};
	facts[3] = (struct deletable_fact){.fact = &maria, .says = true};
	facts[4] = (struct deletable_fact){.fact = &gone};
}

START_TEST(a_fact_takes_its_source_only_if_asked)
{
	struct deletion deletion = {.kind = DELETION_FACT, .id = 5};
	set_facts();
	ck_assert(!deletion_reads_texts(&deletion));
	take_turns(&deletion);
	ck_assert_uint_eq(plan.turns.count, 0);
	deletion.with_source = true;
	ck_assert(deletion_reads_texts(&deletion));
	take_turns(&deletion);
	ASSERT_IDS(plan.turns, 1, 2, 4, 5); /* 1 is the source, 4 says it */
	/* Other facts that were learned from them stay, without their quotes. */
	take_facts(&deletion);
	ASSERT_IDS(plan.facts, 4, 5);
	ASSERT_IDS(plan.unquoted, 9, 11);
	finish();
}
END_TEST

START_TEST(a_text_says_a_fact_by_its_value_and_a_word_of_its_quote)
{
	const struct fact green = {.key = SLICE("favourite_colour"),
				   .value = SLICE("green"),
				   .quote = SLICE("My favourite colour is green")};
	struct fact_saying saying = fact_saying_read(&green, &arena);
	ck_assert(fact_is_said(&saying, SLICE("As I said: my favourite colour is green!")));
	ck_assert(fact_is_said(&saying, SLICE("Green has always been a favourite of mine.")));
	ck_assert(!fact_is_said(&saying, SLICE("My favourite food is figs.")));
	ck_assert(!fact_is_said(&saying, SLICE("The grass is green.")));
	ck_assert(fact_is_named(&saying, SLICE("The grass is green.")));
	ck_assert(!fact_is_named(&saying, SLICE("A greenhouse.")));
	const struct fact yes = {.key = SLICE("vegetarian"), .value = SLICE("yes")};
	saying = fact_saying_read(&yes, &arena);
	ck_assert(!fact_is_said(&saying, SLICE("Yes, please do.")));
	ck_assert(fact_is_said(&saying, SLICE("Vegetarian? Yes.")));
	/* Nothing but a name is known. */
	const struct fact name = {.key = SLICE("city"), .value = SLICE("Lisbon")};
	saying = fact_saying_read(&name, &arena);
	ck_assert(fact_is_said(&saying, SLICE("I live in Lisbon.")));
	ck_assert(!fact_is_said(&saying, SLICE("I live in Porto.")));
	const struct fact long_one = {.key = SLICE("note"), .value = SLICE("likes long walks")};
	saying = fact_saying_read(&long_one, &arena);
	ck_assert(fact_is_said(&saying, SLICE("She likes long walks.")));
	ck_assert(!fact_is_said(&saying, (struct slice){0}));
	arena_finish(&arena);
}
END_TEST

START_TEST(a_fact_takes_its_older_values_unless_they_are_kept)
{
	struct deletion deletion = {.kind = DELETION_FACT, .id = 9};
	set_facts();
	take_turns(&deletion);
	take_facts(&deletion);
	ASSERT_IDS(plan.facts, 4, 5, 9);
	deletion.keeps_chain = true;
	take_turns(&deletion);
	take_facts(&deletion);
	ASSERT_IDS(plan.facts, 9);
	finish();
}
END_TEST

START_TEST(facts_go_with_their_only_source)
{
	struct deletion deletion = {.kind = DELETION_TURN, .id = 4};
	set_facts();
	take_turns(&deletion);
	ck_assert(deletion_takes_source(&plan, &city));
	ck_assert(!deletion_takes_source(&plan, &old_city));
	ck_assert(!deletion_takes_source(&plan, &(struct fact){0}));
	take_facts(&deletion);
	ASSERT_IDS(plan.facts, 9, 11);
	ck_assert_uint_eq(plan.unquoted.count, 0);
	/* what other words support stays with those */
	facts[0].elsewhere = 1;
	take_turns(&deletion);
	take_facts(&deletion);
	ASSERT_IDS(plan.facts, 11);
	ASSERT_IDS(plan.moved, 9);
	deletion.keeps_facts = true;
	facts[0].elsewhere = 0;
	take_turns(&deletion);
	take_facts(&deletion);
	ck_assert_uint_eq(plan.facts.count, 0);
	ASSERT_IDS(plan.unquoted, 9, 11);
	finish();
}
END_TEST

START_TEST(a_span_takes_the_facts_of_its_time)
{
	struct deletion span = {.kind = DELETION_SPAN, .since = 30, .until = 31};
	set_facts();
	take_turns(&span);
	take_facts(&span);
	ASSERT_IDS(plan.facts, 11);
	span.keeps_facts = true;
	take_turns(&span);
	take_facts(&span);
	ck_assert(deletion_is_empty(&plan));
	finish();
}
END_TEST

START_TEST(a_topic_takes_the_facts_that_say_it_or_are_about_it)
{
	struct deletion topic = {.kind = DELETION_TOPIC, .about = SLICE("x"), .keeps_turns = true};
	set_facts();
	take_turns(&topic);
	take_facts(&topic);
	ASSERT_IDS(plan.facts, 11);
	topic = (struct deletion){
		.kind = DELETION_TOPIC, .entity = SLICE("maria"), .keeps_turns = true};
	take_turns(&topic);
	take_facts(&topic);
	ASSERT_IDS(plan.facts, 11);
	topic.entity = SLICE("mari");
	take_turns(&topic);
	take_facts(&topic);
	ck_assert_uint_eq(plan.facts.count, 0);
	topic.entity = SLICE("mari anna");
	take_turns(&topic);
	take_facts(&topic);
	ck_assert_uint_eq(plan.facts.count, 0);
	topic.entity = SLICE("maria");
	topic.keeps_facts = true;
	take_turns(&topic);
	take_facts(&topic);
	ck_assert_uint_eq(plan.facts.count, 0);
	finish();
}
END_TEST

START_TEST(a_summary_goes_if_it_may_tell_of_it)
{
	struct deletion deletion = {.kind = DELETION_TURN, .id = 4};
	set_facts();
	take_turns(&deletion);
	take_facts(&deletion);
	ck_assert_uint_eq(deletion_leaving(&plan).changed_from, plan.turns.ids[0]);
	/* also of a fact whose turn stays */
	deletion = (struct deletion){.kind = DELETION_FACT, .id = 9, .keeps_chain = true};
	take_turns(&deletion);
	take_facts(&deletion);
	ck_assert_uint_eq(plan.turns.count, 0);
	ck_assert_uint_eq(deletion_leaving(&plan).changed_from, city.exchange);
	finish();
}
END_TEST

START_TEST(equal_plans_have_equal_tokens)
{
	struct deletion deletion = {.kind = DELETION_TURN, .id = 4};
	set_facts();
	take_turns(&deletion);
	take_facts(&deletion);
	const uint64_t token = deletion_token(&plan);
	take_turns(&deletion);
	take_facts(&deletion);
	ck_assert_uint_eq(deletion_token(&plan), token);
	deletion.keeps_facts = true;
	take_turns(&deletion);
	take_facts(&deletion);
	ck_assert_uint_ne(deletion_token(&plan), token);
	ck_assert_uint_ne(deletion_token(&(struct deletion_plan){0}), 0);
	finish();
}
END_TEST

/* ---- quotes ---- */

START_TEST(each_quote_is_found_once_in_the_first_text_that_holds_it)
{
	static const struct slice list[] = {
		SLICE("I live in Hull"),
		SLICE("I live in Leeds"),
		SLICE("Hull"),
		SLICE("x"),
		SLICE(""),
		SLICE("I live in Hull"),
		SLICE("of"),
		SLICE("eight by"),
	};
	enum { COUNT = sizeof(list) / sizeof(list[0]) };
	uint32_t found[COUNT];
	struct quotes quotes;
	quotes_init(&quotes, list, COUNT, &arena);
	ck_assert_uint_eq(quotes.left, COUNT - 1); /* nothing holds an empty one */
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("I live in York"), found), 0);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE(""), found), 0);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("eight b"), found), 0);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("I live in I live in Hull"), found), 3);
	bool is_found[COUNT] = {false};
	for (size_t i = 0; i < 3; i++)
		is_found[found[i]] = true;
	ck_assert(is_found[0] && is_found[2] && is_found[5]);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("I live in Hull"), found), 0);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("made of x"), found), 2);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("eight by"), found), 1);
	ck_assert_uint_eq(found[0], 7);
	ck_assert_uint_eq(quotes.left, 1);
	quotes_init(&quotes, NULL, 0, &arena);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("any"), found), 0);
	finish();
}
END_TEST

START_TEST(a_quote_is_not_held_by_longer_words)
{
	static const struct slice list[] = {SLICE("My car is A1"), SLICE("cat"),
					    SLICE("\u6211\u4f4f")};
	uint32_t found[3];
	struct quotes quotes;
	quotes_init(&quotes, list, 3, &arena);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("My car is A12, says a category."), found), 0);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("My car is A12. My car is A1."), found), 1);
	ck_assert_uint_eq(found[0], 0);
	ck_assert_uint_eq(quotes_take(&quotes, SLICE("\u6211\u4f4f\u5728"), found),
			  1); /* unspaced */
	ck_assert_uint_eq(found[0], 2);
	finish();
}
END_TEST

/* Only letters and spaces. */
static bool holds_words(struct slice text, struct slice words)
{
	size_t at = slice_find(text, words, 0);
	for (; at < text.size; at = slice_find(text, words, at + 1)) {
		const size_t end = at + words.size;
		const bool begins = at == 0 || text.data[at - 1] == ' ' || words.data[0] == ' ';
		if (begins &&
		    (end == text.size || text.data[end] == ' ' || text.data[end - 1] == ' '))
			return true;
	}
	return false;
}

/* Against a search for each. */
START_TEST(quotes_are_found_as_by_a_search_for_each)
{
	enum { QUOTES = 50, TEXTS = 400, MOST = 12 };
	static char bytes[QUOTES][MOST];
	struct random random = {7};
	struct slice list[QUOTES];
	uint32_t found[QUOTES];
	bool is_left[QUOTES];
	struct quotes quotes;
	for (size_t i = 0; i < QUOTES; i++) {
		list[i] = (struct slice){bytes[i], 1 + random_below(&random, MOST)};
		for (size_t j = 0; j < list[i].size; j++)
			bytes[i][j] = "ab "[random_below(&random, 3)];
		is_left[i] = true;
	}
	quotes_init(&quotes, list, QUOTES, &arena);
	for (size_t round = 0; round < TEXTS; round++) {
		char said[40];
		const struct slice text = {said, random_below(&random, sizeof(said))};
		for (size_t j = 0; j < text.size; j++)
			said[j] = "abb b "[random_below(&random, 6)];
		size_t expected = 0;
		for (size_t i = 0; i < QUOTES; i++)
			expected += is_left[i] && holds_words(text, list[i]);
		const size_t count = quotes_take(&quotes, text, found);
		ck_assert_uint_eq(count, expected);
		for (size_t i = 0; i < count; i++) {
			ck_assert(is_left[found[i]]);
			ck_assert(holds_words(text, list[found[i]]));
			is_left[found[i]] = false;
		}
	}
	finish();
}
END_TEST

UNIT_MAIN("deletion", a_turn_takes_its_whole_exchange, a_conversation_takes_all_its_turns,
	  a_span_of_time_is_half_open_and_counts_the_question,
	  a_topic_takes_the_exchanges_that_say_it, a_fact_takes_its_source_only_if_asked,
	  a_text_says_a_fact_by_its_value_and_a_word_of_its_quote,
	  a_fact_takes_its_older_values_unless_they_are_kept, facts_go_with_their_only_source,
	  a_span_takes_the_facts_of_its_time, a_topic_takes_the_facts_that_say_it_or_are_about_it,
	  a_summary_goes_if_it_may_tell_of_it, equal_plans_have_equal_tokens,
	  each_quote_is_found_once_in_the_first_text_that_holds_it,
	  a_quote_is_not_held_by_longer_words, quotes_are_found_as_by_a_search_for_each)
