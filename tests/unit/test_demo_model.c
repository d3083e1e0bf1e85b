/* Tests the demo model's answers in a chat: what the user said, and nothing else. */
#include "tests/model/brain.h"
#include "tests/unit/demo_fixture.h"

static struct arena arena;

static struct slice ask(const char *system, const char *const *user_turns)
{
	struct message messages[16] = {{ROLE_SYSTEM, slice_of(system)}};
	size_t count = 1;
	for (; *user_turns != NULL; user_turns++)
		messages[count++] = (struct message){ROLE_USER, slice_of(*user_turns)};
	return brain_answer(messages, count, &arena);
}
#define ASK(system, ...) ask(system, (const char *const[]){__VA_ARGS__, NULL})

static void assert_contains(struct slice text, const char *part)
{
	ck_assert_msg(slice_find(text, slice_of(part), 0) < text.size, "\"%s\" is not in \"%.*s\"",
		      part, SLICE_PRINT(text));
}

#define BLOCK(text) "Be brief.\n<user_memory>\nAbout the user.\n" text "\n</user_memory>"
static const char which_store[] = "Can you remind me what vector store I said I was using?";

START_TEST(a_question_is_answered_by_what_the_user_said)
{
	unit_assert_slice(ASK("", "Hi! My name is Alex and I'm building a RAG system in Python.",
			      uses_chroma, "My main challenge is chunking strategy for long PDFs.",
			      which_store),
			  "You told me that you're using ChromaDB for the vector store.");
	assert_contains(ASK("", "I live in Graz.", "I work at Fiat.", "Where do I live?"), "Graz");
	assert_contains(ASK("", "Ich wohne in Köln.", "Ich mag Tee.", "Wo wohne ich?"), "Köln");
	assert_contains(ASK("", "我叫小明。", "我住在北京。", "我住在哪里？"), "北京");
}
END_TEST

START_TEST(people_are_told_what_they_said_in_the_second_person)
{
	const char *question = "What was said of Graz?";
	const struct {
		const char *said, *told;
	} cases[] = {
		{"Actually, I was in Graz with my sister, and she likes me.",
		 "You told me that you were in Graz with your sister, and she likes you."},
		{"We’ve moved to Graz.", "You told me that you've moved to Graz."},
		{"The train to Graz was late, I'm sure.",
		 "You told me that the train to Graz was late, you're sure."},
		{"Graz, not Linz.", "You said: \"Graz, not Linz.\""},
		{"Remember Graz for me.", "You said: \"Remember Graz for me.\""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		unit_assert_slice(ASK("", cases[i].said, question), cases[i].told);
	assert_contains(ASK(BLOCK("Facts:\n- Maria (person) lives_in: Graz"), question),
			"\"Maria (person) lives_in: Graz\"");
	unit_assert_slice(ASK(BLOCK("Facts:\n- goals: see Graz"), question),
			  "You told me your goals: see Graz.");
	unit_assert_slice(ASK(BLOCK("Facts:\n- lives_in: Graz"), "Where do I live?"),
			  "You told me that you live in Graz.");
	unit_assert_slice(
		ASK(BLOCK("Facts:\n- lives_in: Graz\n- works_in: Oslo"), "Where do I work?"),
		"You told me that you work in Oslo.");
}
END_TEST

START_TEST(every_part_of_the_memory_block_is_a_source)
{
	assert_contains(
		ASK(BLOCK("Summary of earlier conversations:\nThe user said: My name is Bo. I'm "
			  "using ChromaDB for the vector store."),
		    which_store),
		"ChromaDB");
	unit_assert_slice(ASK(BLOCK("Facts:\n- name: Bo\n- vector_store: ChromaDB"), which_store),
			  "You told me that your vector store is ChromaDB.");
	unit_assert_slice(
		ASK(BLOCK("Earlier messages:\n[2026-11-20] user: I'm using ChromaDB for the "
			  "vector store.\n[2026-11-20] assistant: I use Milvus as vector store."),
		    which_store),
		"You told me on 2026-11-20 that you're using ChromaDB for the vector store.");
	assert_contains(
		ASK("", BLOCK("Facts:\n- vector store: ChromaDB") "Which vector store is mine?"),
		"ChromaDB");
}
END_TEST

START_TEST(recalled_text_is_a_source_and_no_question)
{
	const char *const turns = "2023-05-08:\nuser: I adopted a cat named Miso.\n"
				  "assistant: You have a tent called Alto.\nWhat a name.\n"
				  "Tue 2023-06-13:\nuser: Where do I live?\n  Two lines:\n"
				  "  my tent is red.\n";
	struct slice recalled = arena_printf(&arena, RECALLED("%s"), turns);
	const char *const asked =
		arena_printf(&arena, "%.*sWhat is my cat named?", SLICE_PRINT(recalled)).data;
	unit_assert_slice(ASK("", asked),
			  "You told me on 2023-05-08 that you adopted a cat named Miso.");
	unit_assert_slice(
		ASK("", arena_printf(&arena, "%.*sWhat colour is my tent?", SLICE_PRINT(recalled))
				.data),
		"You told me on Tue 2023-06-13 that your tent is red.");
	unit_assert_slice(ASK("", asked, "I like tea.", "What is my cat named?"),
			  "You told me on 2023-05-08 that you adopted a cat named Miso.");
	assert_contains(ASK("", arena_printf(&arena, "%.*sThank you.", SLICE_PRINT(recalled)).data),
			"Noted");
	assert_contains(ASK("", RECALLED("- vector_store: ChromaDB") "Which vector store is mine?"),
			"ChromaDB");
	assert_contains(ASK("", RECALLED("[2026-11-20] user: My tent is red.") "My tent's colour?"),
			"red");
}
END_TEST

START_TEST(what_is_not_in_the_request_is_not_known)
{
	assert_contains(ASK("", which_store), "I don't know");
	assert_contains(
		ASK("You are an expert on ChromaDB, a vector store.", "I like tea.", which_store),
		"I don't know");
	assert_contains(ASK("", "My name is Alex.", "What is my dog's name?"), "I don't know");
	assert_contains(ASK("", "My sister lives in Rome.", "Where do I live?"), "I don't know");
	assert_contains(ASK("", "What vector store do I use?", which_store), "I don't know");
	assert_contains(ASK("", "Wo wohne ich?"), "weiß ich nicht");
	assert_contains(ASK("", "我叫什么名字？"), "不知道");
}
END_TEST

START_TEST(the_assistant_is_no_source)
{
	const struct message messages[] = {
		{ROLE_ASSISTANT, SLICE("Your vector store is ChromaDB.")},
		{ROLE_USER, slice_of(which_store)}};
	assert_contains(brain_answer(messages, 2, &arena), "I don't know");
}
END_TEST

START_TEST(what_was_said_later_wins)
{
	assert_contains(ASK("", "I live in Graz.", "I moved to Lisbon.", "Where do I live?"),
			"Lisbon");
	assert_contains(ASK("", uses_chroma, "Actually, it's Qdrant.", which_store), "Qdrant");
	assert_contains(
		ASK(BLOCK("Summary:\nI'm using ChromaDB for the vector store.\nFacts:\n- vector "
			  "store: Qdrant"),
		    which_store),
		"Qdrant");
	assert_contains(
		ASK(BLOCK("Facts:\n- lives_in: Graz"), "I live in Oslo now.", "Where do I live?"),
		"Oslo");
}
END_TEST

START_TEST(facts_about_others_stay_theirs)
{
	const char *system =
		BLOCK("Facts:\n- name: Alex\n- lives_in: Lisbon\n- Anna (person) relation: "
		      "sister\n- Anna (person) lives_in: Rome\n- Maria (person) employer: "
		      "Siemens");
	assert_contains(ASK(system, "Where do I live?"), "Lisbon");
	assert_contains(ASK(system, "Where does my sister live?"), "Rome");
	assert_contains(ASK(system, "Where does Maria work?"), "Siemens");
	assert_contains(ASK(system, "Where do I work?"), "I don't know");
	assert_contains(ASK(system, "Who am I?"), "Alex");
	assert_contains(ASK(system, "Wie heiße ich?"), "Alex");
}
END_TEST

START_TEST(a_statement_is_acknowledged_by_its_own_words)
{
	unit_assert_slice(ASK("", "My cat sleeps."), "Noted: cat, sleeps.");
	unit_assert_slice(ASK("", ""), "Noted.");
}
END_TEST

UNIT_MAIN("demo_model", a_question_is_answered_by_what_the_user_said,
	  people_are_told_what_they_said_in_the_second_person,
	  every_part_of_the_memory_block_is_a_source, recalled_text_is_a_source_and_no_question,
	  what_is_not_in_the_request_is_not_known, the_assistant_is_no_source,
	  what_was_said_later_wins, facts_about_others_stay_theirs,
	  a_statement_is_acknowledged_by_its_own_words)
