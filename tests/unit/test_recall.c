#include "tests/unit/unit.h"

#include "tests/unit/recall_fixture.h"

#include <stdlib.h>
#include <string.h>

static struct recall_fixture memory;

static void remember(const char *const *texts, size_t count)
{
	arena_finish(&memory.arena);
	memory = (struct recall_fixture){.now = 1700000000000};
	for (size_t i = 0; i < count; i++)
		recall_fixture_say(&memory,
				   (struct turn){.id = i + 1,
						 .conversation = 1,
						 .ordinal = (uint32_t)i / 2,
						 .role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
						 .created_at = 1690000000000 + (int64_t)i * 60000,
						 .text = slice_of(texts[i])});
}

static void assert_first(const char *question, uint32_t expected)
{
	struct recall_hit hits[8];
	size_t found = recall_fixture_ask(&memory, question, hits, 8);
	ck_assert_uint_gt(found, 0);
	ck_assert_uint_eq(hits[0].document, expected);
}

static void assert_nothing(const char *question)
{
	struct recall_hit hits[8];
	ck_assert_uint_eq(recall_fixture_ask(&memory, question, hits, 8), 0);
}

static const char *const small[] = {
	"Hi! My name is Alex and I'm building a RAG system in Python.",
	"Nice to meet you, Alex! How can I help you with it?",
	"I'm using ChromaDB for the vector store.",
	"Good choice. What do you want to do with it?",
	"My main challenge is chunking strategy for long PDFs.",
	"You could split by headings, or into windows that overlap.",
};

START_TEST(the_turn_that_answers_comes_first_in_a_small_memory)
{
	remember(small, 6);
	assert_first("Can you remind me what vector store I said I was using?", 2);
	assert_first("What was my challenge?", 4);
}
END_TEST

static const char *const travels[] = {
	"My flight to Lisbon leaves on Friday at 7:40 from gate B12.",
	"Noted. Do you need a taxi to the airport?",
	"My sister Clara is getting married in a vineyard near Siena.",
	"How lovely! When is the wedding?",
	"The dentist moved my appointment to the third of March.",
	"Thank you for telling me.",
};

static void assert_first_after(const char *question, const char *before, uint32_t expected)
{
	struct recall_hit hits[8];
	const struct slice earlier[] = {slice_of(before)};
	size_t found = recall_fixture_ask_after(&memory, question, earlier, 1, hits, 8);
	ck_assert_uint_gt(found, 0);
	ck_assert_uint_eq(hits[0].document, expected);
}

START_TEST(a_question_that_says_little_asks_about_what_was_said_before_it)
{
	remember(travels, 6);
	assert_nothing("And at what time?");
	assert_first_after("And at what time?", "When is my flight to Lisbon?", 0);
	assert_first_after("And what was that about?", "I have to see the dentist soon.", 4);
}
END_TEST

START_TEST(a_question_that_says_enough_goes_before_what_was_said_before_it)
{
	remember(travels, 6);
	assert_first_after("Where does my sister Clara marry?", "When is my flight to Lisbon?", 2);
	assert_first_after("When do I have to see the dentist?", "A flight is long.", 4);
}
END_TEST

START_TEST(thanks_recall_nothing_whatever_came_before)
{
	struct recall_hit hits[8];
	const struct slice earlier[] = {SLICE("When is my flight to Lisbon?")};
	remember(travels, 6);
	ck_assert_uint_eq(recall_fixture_ask_after(&memory, "thanks!", earlier, 1, hits, 8), 0);
}
END_TEST

START_TEST(what_has_hardly_to_do_with_a_request_is_not_recalled)
{
	remember(travels, 6);
	assert_nothing("Write a haiku about snow.");
	assert_nothing("Explain how mountains come to be on the floor of the sea.");
	assert_nothing("Which year did Portugal win the European championship?");
}
END_TEST

START_TEST(far_weaker_hits_than_the_best_are_left_out)
{
	struct recall_hit hits[8];
	remember(travels, 6);
	size_t found = recall_fixture_ask(
		&memory, "Which gate does my flight to Lisbon leave from on Friday?", hits, 8);
	ck_assert_uint_gt(found, 0);
	ck_assert_uint_lt(found, 6);
	for (size_t i = 0; i < found; i++)
		ck_assert(hits[i].score >= 0.2f * hits[0].score);
}
END_TEST

START_TEST(a_greeting_recalls_nothing)
{
	remember(small, 6);
	assert_nothing("Hi!");
	assert_nothing("thanks");
	assert_nothing("ok go on");
	assert_nothing("Hallo, wie geht's?");
}
END_TEST

START_TEST(what_is_not_live_is_not_found)
{
	remember(small, 6);
	memory.documents[2].is_live = 0;
	struct recall_hit hits[8];
	size_t found = recall_fixture_ask(&memory, "Which vector store?", hits, 8);
	for (size_t i = 0; i < found; i++)
		ck_assert_uint_ne(hits[i].document, 2);
}
END_TEST

START_TEST(a_greeting_recalls_nothing_from_a_large_memory_either)
{
	enum { COUNT = 60 };
	static const char *texts[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		texts[i] = small[i % 6];
	remember(texts, COUNT);
	assert_nothing("Hi there!");
	assert_nothing("Thank you so much, good night");
}
END_TEST

START_TEST(an_answer_is_found_by_the_question_before_it)
{
	static const char *const talk[] = {
		"The weather was awful all week.", "Indeed.",
		"Which breed is your new puppy?",  "A beagle!",
		"Let us cook something tonight.",  "Gladly, what about pasta?",
	};
	remember(talk, 6);
	struct recall_hit hits[8];
	size_t found = recall_fixture_ask(&memory, "what breed is the puppy", hits, 8);
	ck_assert_uint_ge(found, 2);
	ck_assert(hits[0].document == 3 || hits[1].document == 3);
}
END_TEST

START_TEST(interleaved_conversations_are_not_neighbours)
{
	static const char *const talk[] = {"Which breed is your puppy?", "Unrelated remark.",
					   "A beagle!"};
	remember(talk, 3);
	memory.documents[1].conversation = 2;
	struct recall_hit hits[8];
	size_t found = recall_fixture_ask(&memory, "what breed is the puppy", hits, 8);
	ck_assert_uint_eq(found, 2);
	ck_assert(hits[0].document != 1 && hits[1].document != 1);
}
END_TEST

START_TEST(who_is_asked_about_counts_more)
{
	static const char *const talk[] = {
		"Maria: I adopted a kitten from the shelter.",
		"John: I adopted a kitten from the shelter.",
	};
	remember(talk, 2);
	assert_first("Who adopted a kitten, was it Maria?", 0);
	assert_first("Did John adopt a kitten?", 1);
}
END_TEST

START_TEST(a_question_about_the_user_lifts_the_users_own_turns)
{
	static const char *const talk[] = {
		"You could try the hiking trails.",
		"Which ones do you mean?",
		"Try the hiking trails in the north.",
	};
	remember(talk, 3);
	memory.documents[0].role = ROLE_ASSISTANT;
	memory.documents[2].role = ROLE_USER;
	assert_first("Which hiking trails did I mention?", 2);
	memory.documents[0].role = ROLE_USER;
	memory.documents[2].role = ROLE_ASSISTANT;
	assert_first("Which hiking trails did I mention?", 0);
}
END_TEST

START_TEST(what_was_said_in_the_period_asked_about_counts_more)
{
	static const char *const talk[] = {"We went camping by the lake.",
					   "We went camping by the lake."};
	remember(talk, 2);
	memory.documents[0].conversation = 7;
	memory.documents[0].created_at = 1683500000000; /* 2023-05-07 */
	assert_first("When did we go camping in May 2023?", 0);
	assert_first("When did we go camping?", 1);
}
END_TEST

START_TEST(a_question_about_a_time_alone_finds_what_was_said_then)
{
	remember(small, 6); /* on 2023-07-22 */
	memory.documents[3].created_at = 1683500000000;
	assert_first("What did we talk about on 7 May 2023?", 3);
	assert_nothing("What did we talk about on 8 June 2023?");
}
END_TEST

START_TEST(equal_hits_come_newest_first_and_at_most_so_many)
{
	static const char *const talk[] = {"apple", "apple", "apple", "apple"};
	remember(talk, 4);
	for (uint32_t i = 0; i < 4; i++)
		memory.documents[i].conversation = i;
	for (uint32_t i = 0; i < 4; i++)
		memory.documents[i].role = ROLE_USER;
	struct recall_hit hits[4];
	ck_assert_uint_eq(recall_fixture_ask(&memory, "apple", hits, 3), 3);
	ck_assert_uint_eq(hits[0].document, 3);
	ck_assert_uint_eq(hits[1].document, 2);
	ck_assert_uint_eq(hits[2].document, 1);
	ck_assert_uint_eq(recall_fixture_ask(&memory, "apple", hits, 0), 0);
}
END_TEST

START_TEST(similar_turns_are_found_without_a_common_word)
{
	static const float similarities[] = {-2, 0.1f, 0.05f, 0, 0.9f, 0.1f};
	remember(small, 6);
	memory.similarities = similarities;
	assert_first("trouble with papers of many pages", 4);
	assert_nothing("Hi!");
	memory.documents[4].is_live = 0;
	assert_nothing("Anything about quokkas?");
}
END_TEST

START_TEST(to_a_model_that_finds_all_texts_alike_few_are_similar)
{
	static const char *const talk[20] = {"ab", "cd", "ef", "gh", "ij", "kl", "mn",
					     "op", "qr", "st", "uv", "wx", "yz", "ba",
					     "dc", "fe", "hg", "ji", "lk", "nm"};
	float similarities[20];
	struct recall_hit hits[20];
	remember(talk, 20);
	for (size_t i = 0; i < 20; i++) {
		similarities[i] = 0.8f + 0.002f * (float)(i % 5);
		memory.documents[i].conversation = (uint32_t)i + 1;
	}
	similarities[7] = 0.92f;
	memory.similarities = similarities;
	ck_assert_uint_lt(recall_fixture_ask(&memory, "Which pastry did I praise?", hits, 20), 15);
	ck_assert_uint_eq(hits[0].document, 7);
	memory.similarities = NULL;
}
END_TEST

START_TEST(a_huge_question_is_answered)
{
	enum { SIZE = 64 * 1024 };
	char *question = malloc(SIZE + 1);
	for (size_t i = 0; i < SIZE; i++)
		question[i] = i % 5 == 4 ? ' ' : (char)('a' + i / 5 * 7 % 26);
	memcpy(question, "vector store ", 13);
	question[SIZE] = '\0';
	remember(small, 6);
	assert_first(question, 2);
	memset(question, 'x', 13);
	memcpy(question + SIZE - 13, " vector store", 13);
	assert_first(question, 2);
	free(question);
}
END_TEST

/* The choice among terms of these sizes, as a bit for each: 0 to 2 are words, 3 and 4 function
 * words. */
static unsigned choose(const size_t sizes[5], size_t limit)
{
	struct term terms[5] = {{1, 1, TERM_WORD},
				{2, 1, TERM_STEM},
				{3, 1, TERM_FORM},
				{4, 1, TERM_FUNCTION},
				{5, 1, TERM_LIGHT}};
	struct recall_question question = {.terms = {.terms = terms, .count = 5}};
	struct arena arena = {0};
	bool chosen[5];
	unsigned bits = 0;
	recall_choose_terms(&question, sizes, limit, chosen, &arena);
	for (unsigned i = 0; i < 5; i++)
		bits |= chosen[i] ? 1U << i : 0;
	arena_finish(&arena);
	return bits;
}

START_TEST(of_too_many_postings_the_rarest_words_are_read)
{
	static const size_t sizes[5] = {300, 10, 200, 5, 0};
	static const size_t none[5] = {0};
	ck_assert_uint_eq(choose(sizes, 515), 0x1f);
	ck_assert_uint_eq(choose(sizes, 514), 0x17); /* the last, of size 5, finds no room */
	ck_assert_uint_eq(choose(sizes, 510), 0x17);
	ck_assert_uint_eq(choose(sizes, 509), 0x1e);
	ck_assert_uint_eq(choose(sizes, 209), 0x1a);
	ck_assert_uint_eq(choose(sizes, 9), 0x12); /* one always */
	ck_assert_uint_eq(choose(none, 0), 0x1f);
}
END_TEST

START_TEST(an_empty_memory_recalls_nothing)
{
	remember(small, 0);
	assert_nothing("Which vector store?");
	assert_nothing("");
	assert_nothing(NULL);
}
END_TEST

START_TEST(facts_are_ranked_by_the_words_they_share_with_the_question)
{
	const struct fact facts[] = {
		{.entity = SLICE("user"), .key = SLICE("vector_store"), .value = SLICE("ChromaDB")},
		{.entity = SLICE("user"), .key = SLICE("name"), .value = SLICE("Alex")},
		{.entity = SLICE("Julia"), .key = SLICE("profession"), .value = SLICE("painter")},
		{.entity = SLICE("user"), .key = SLICE("store"), .value = SLICE("bakery")},
	};
	float scores[4];
	struct recall_question question;
	recall_read_question(SLICE("Which vector stores do I use?"), 0, &question, &memory.arena);
	recall_rank_facts(&question, facts, 4, scores, &memory.arena);
	ck_assert(scores[0] > scores[3] && scores[3] > 0);
	ck_assert(scores[1] == RECALL_SLIGHT && scores[2] == 0);
	recall_read_question(SLICE("What does Julia do?"), 0, &question, &memory.arena);
	recall_rank_facts(&question, facts, 4, scores, &memory.arena);
	ck_assert(scores[2] > 0 && scores[0] == 0);
	recall_read_question(SLICE("Hello user!"), 0, &question, &memory.arena);
	recall_rank_facts(&question, facts, 4, scores, &memory.arena);
	for (size_t i = 0; i < 4; i++)
		ck_assert(scores[i] == 0);
}
END_TEST

/* Turns of conversations of their own, whose scores come from hints alone. */
static size_t ask_hinted(const char *const *texts, size_t count, const char *question,
			 const struct recall_hint hints[2], struct recall_hit *hits)
{
	arena_finish(&memory.arena);
	memory = (struct recall_fixture){.now = 1700000000000, .hints = hints, .hint_count = 2};
	for (size_t i = 0; i < count; i++)
		recall_fixture_say(&memory, (struct turn){.id = i + 1,
							  .conversation = (uint32_t)i / 2 + 1,
							  .created_at = 1690000000000,
							  .text = slice_of(texts[i])});
	return recall_fixture_ask(&memory, question, hits, 8);
}

static const char *const gardens[] = {
	"The roses need a lot of water in summer, more than one would think of them.",
	"The hedge behind the house grows so high that nobody sees the river any more.",
	"We dig the pond in the week after Easter, as soon as the ground is soft enough.",
	"It was moved to Friday.",
};

START_TEST(a_hit_of_a_quarter_of_the_best_is_given_and_one_of_an_eighth_is_not)
{
	struct recall_hit hits[8];
	const char *mine = "What is my plan for the garden?";
	const struct recall_hint quarter[] = {{0, 1.0f}, {2, 0.25f}};
	const struct recall_hint eighth[] = {{0, 1.0f}, {2, 0.125f}};
	size_t found = ask_hinted(gardens, 3, mine, quarter, hits);
	ck_assert_uint_gt(found, 0);
	ck_assert_uint_eq(hits[found - 1].document, 2);
	found = ask_hinted(gardens, 3, mine, eighth, hits);
	ck_assert_uint_gt(found, 0);
	ck_assert_uint_ne(hits[found - 1].document, 2);
}
END_TEST

START_TEST(what_a_short_turn_that_is_well_found_speaks_of_comes_with_it)
{
	struct recall_hit hits[8];
	const char *anyones = "What is the plan for the garden?";
	const struct recall_hint well[] = {{0, 0.5f}, {3, 0.32f}};
	const struct recall_hint badly[] = {{0, 0.9f}, {3, 0.32f}};
	size_t found = ask_hinted(gardens, 4, anyones, well, hits);
	ck_assert_uint_gt(found, 1);
	ck_assert_uint_eq(hits[found - 1].document, 2);
	found = ask_hinted(gardens, 4, anyones, badly, hits);
	ck_assert_uint_gt(found, 1);
	ck_assert_uint_eq(hits[found - 1].document, 3);
}
END_TEST

UNIT_MAIN("recall", the_turn_that_answers_comes_first_in_a_small_memory, a_greeting_recalls_nothing,
	  a_question_that_says_little_asks_about_what_was_said_before_it,
	  a_question_that_says_enough_goes_before_what_was_said_before_it,
	  thanks_recall_nothing_whatever_came_before,
	  what_has_hardly_to_do_with_a_request_is_not_recalled,
	  far_weaker_hits_than_the_best_are_left_out, what_is_not_live_is_not_found,
	  a_greeting_recalls_nothing_from_a_large_memory_either,
	  an_answer_is_found_by_the_question_before_it,
	  interleaved_conversations_are_not_neighbours, who_is_asked_about_counts_more,
	  a_question_about_the_user_lifts_the_users_own_turns,
	  what_was_said_in_the_period_asked_about_counts_more,
	  a_question_about_a_time_alone_finds_what_was_said_then,
	  equal_hits_come_newest_first_and_at_most_so_many,
	  similar_turns_are_found_without_a_common_word,
	  to_a_model_that_finds_all_texts_alike_few_are_similar, a_huge_question_is_answered,
	  of_too_many_postings_the_rarest_words_are_read, an_empty_memory_recalls_nothing,
	  facts_are_ranked_by_the_words_they_share_with_the_question,
	  a_hit_of_a_quarter_of_the_best_is_given_and_one_of_an_eighth_is_not,
	  what_a_short_turn_that_is_well_found_speaks_of_comes_with_it)
