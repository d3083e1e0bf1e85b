#include "tests/unit/unit.h"

#include "tests/unit/recall_fixture.h"

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

UNIT_MAIN("recall", the_turn_that_answers_comes_first_in_a_small_memory, a_greeting_recalls_nothing,
	  what_is_not_live_is_not_found)
