#include "tests/unit/prompt_fixture.h"

#include <stdlib.h>

START_TEST(a_summary_is_asked_for_with_days_and_speakers)
{
	struct arena arena = {0};
	const struct turn turns[] = {
		{.role = ROLE_USER, .created_at = TEN_O_CLOCK, .text = SLICE("I use\nChromaDB")},
		{.role = ROLE_ASSISTANT, .created_at = TEN_O_CLOCK, .text = SLICE("Good.")},
		{.role = ROLE_USER, .created_at = TEN_O_CLOCK + 86400000, .text = SLICE("Hi")}};
	struct learn_prompt prompt =
		learn_summary_prompt(SLICE("Alex builds a RAG system."), turns, 3, 150, &arena);
	position(prompt.system, "at most 150 words");
	position(prompt.user, "Alex builds a RAG system.");
	position(prompt.user, "[2026-11-21]\nuser: I use ChromaDB\nassistant: Good.\n"
			      "[2026-11-22]\nuser: Hi\n");
	ck_assert_uint_eq(prompt.folded, 3);
	position(learn_summary_prompt((struct slice){0}, turns, 3, 150, &arena).user, "(none)");
	arena_finish(&arena);
}
END_TEST

START_TEST(as_many_turns_as_fit_are_summarized_and_never_none)
{
	struct arena arena = {0};
	char *text = xcalloc(100001, 1);
	struct turn turns[20];
	memset(text, '<', 100000);
	for (size_t i = 0; i < 20; i++)
		turns[i] = (struct turn){.role = ROLE_USER, .text = {text, 3000}};
	turns[19].text = (struct slice){text, 100000};
	const struct slice none = {0};
	const struct slice longest = {text, 100000};
	size_t fits = learn_summary_prompt(none, turns, 20, 150, &arena).folded;
	ck_assert_uint_gt(fits, 2);
	ck_assert_uint_lt(fits, 20);
	ck_assert_uint_eq(learn_summary_prompt(longest, turns + 19, 1, 150, &arena).folded, 1);
	struct learn_prompt prompt = learn_summary_prompt(longest, turns, 20, 150, &arena);
	ck_assert_uint_le(prompt.user.size, 32 * 1024);
	ck_assert_uint_eq(learn_summary_prompt(none, turns, 0, 150, &arena).folded, 0);
	free(text);
	arena_finish(&arena);
}
END_TEST

static void assert_summary(const char *answer, unsigned max_words, const char *expected)
{
	struct arena arena = {0};
	struct slice summary;
	ck_assert(learn_summary_read(slice_of(answer), max_words, &summary, &arena));
	unit_assert_slice(summary, expected);
	arena_finish(&arena);
}

START_TEST(a_summary_is_taken_without_reasoning_and_fences)
{
	assert_summary("<think>Hm.</think>\n\n Alex uses ChromaDB.\n", 150, "Alex uses ChromaDB.");
	assert_summary("```text\nAlex uses ChromaDB.\n```", 150, "Alex uses ChromaDB.");
}
END_TEST

START_TEST(a_summary_that_is_too_long_ends_with_a_sentence)
{
	assert_summary("Alex uses ChromaDB. He has 512 tokens.", 5, "Alex uses ChromaDB.");
	assert_summary("Alex uses ChromaDB and has 512 tokens", 5, "Alex uses ChromaDB and has");
	assert_summary("李明住在上海。他用ChromaDB。", 5, "李明住在上海。");
}
END_TEST

START_TEST(a_summary_of_a_model_that_cannot_end_is_none)
{
	struct buffer answer;
	struct arena arena = {0};
	struct slice summary;
	buffer_init(&answer, SIZE_MAX);
	for (int word = 0; word < 100; word++)
		buffer_append(&answer, SLICE("word "));
	ck_assert(learn_summary_read(buffer_slice(&answer), 10, &summary, &arena));
	ck_assert_uint_eq(summary.size, strlen("word ") * 10 - 1);
	buffer_append(&answer, SLICE("word"));
	ck_assert(!learn_summary_read(buffer_slice(&answer), 10, &summary, &arena));
	buffer_finish(&answer);
	arena_finish(&arena);
}
END_TEST

START_TEST(turns_that_are_copied_are_no_summary)
{
	struct arena arena = {0};
	struct slice summary;
	ck_assert(!learn_summary_read(SLICE("[2026-11-21]\nuser: I use ChromaDB\nassistant: Good."),
				      150, &summary, &arena));
	ck_assert(!learn_summary_read(SLICE("Summary:\n  user: Hi\n  user: I use ChromaDB"), 150,
				      &summary, &arena));
	ck_assert(!learn_summary_read(SLICE("**User**: Hi\n\n**Assistant**: Hello"), 150, &summary,
				      &arena));
	ck_assert(
		!learn_summary_read(SLICE("Nutzer: Hallo\nHelfer: Guten Tag\nNutzer: Ich bin Bo."),
				    150, &summary, &arena));
	arena_finish(&arena);
	assert_summary("Name: Alex\nCity: Bern\nJob: baker", 150,
		       "Name: Alex\nCity: Bern\nJob: baker");
	assert_summary("The user: a baker. The assistant: helps.", 150,
		       "The user: a baker. The assistant: helps.");
	assert_summary("user: Alex uses ChromaDB.\nHe lives in Bern.", 150,
		       "user: Alex uses ChromaDB.\nHe lives in Bern.");
}
END_TEST

static struct fact fact_of(struct slice entity, struct slice value, int64_t observed_at)
{
	return (struct fact){
		.entity = entity, .key = SLICE("key"), .value = value, .observed_at = observed_at};
}

START_TEST(a_summary_keeps_the_newest_names_that_the_old_one_has_and_that_hold)
{
	const struct slice user = SLICE("user");
	struct fact facts[] = {
		fact_of(user, SLICE("ChromaDB"), 9),
		fact_of(SLICE("Maria"), SLICE("Tver"), 8),
		fact_of(user, SLICE("Leeds"), 7), /* the user speaks of it again */
		fact_of(user, SLICE("chess"), 6), /* not in the old summary */
		fact_of(user, SLICE("Milvus"), 5),
		fact_of(user, SLICE("a value too long to be put in the same words again"), 4),
		fact_of(user, SLICE("chromadb"), 3),
	};
	const struct turn turns[] = {
		{.role = ROLE_ASSISTANT, .text = SLICE("ChromaDB it is.")},
		{.role = ROLE_USER, .text = SLICE("I am leaving Leeds.")},
	};
	const struct slice previous =
		SLICE("Alex lives in Leeds and moved from Milvus to ChromaDB. Maria lives in Tver, "
		      "a value too long to be put in the same words again.");
	struct arena arena = {0};
	facts[4].state = FACT_SUPERSEDED;
	struct learn_names names = learn_summary_names(previous, turns, 2, facts, 7, &arena);
	ck_assert_uint_eq(names.count, 3);
	unit_assert_slice(names.list[0], "ChromaDB");
	unit_assert_slice(names.list[1], "Tver");
	unit_assert_slice(names.list[2], "Maria");
	ck_assert(learn_summary_keeps(SLICE("Alex uses chromadb; Maria's home is Tver."), &names,
				      &arena));
	ck_assert(!learn_summary_keeps(SLICE("Alex uses ChromaDB. Maria moved."), &names, &arena));
	ck_assert(!learn_summary_keeps(SLICE("They talked."), &names, &arena));
	struct learn_prompt prompt = {.system = SLICE("Summarize.")};
	learn_summary_ask_names(&prompt, &names, &arena);
	ck_assert(slice_ends_with(prompt.system, SLICE(" too: ChromaDB; Tver; Maria")));
	names = learn_summary_names((struct slice){0}, turns, 2, facts, 7, &arena);
	ck_assert_uint_eq(names.count, 0);
	ck_assert(learn_summary_keeps(SLICE("They talked."), &names, &arena));
	arena_finish(&arena);
}
END_TEST

START_TEST(a_summary_is_told_what_people_corrected)
{
	const struct slice user = SLICE("user");
	struct fact facts[] = {
		fact_of(user, SLICE("Leeds"), 1),  /* corrected, and said in the turns */
		fact_of(user, SLICE("Porto"), 2),  /* the correction */
		fact_of(user, SLICE("Milvus"), 3), /* superseded by learning */
		fact_of(user, SLICE("chess"), 4),  /* retracted, and in the old summary */
		fact_of(user, SLICE("golf"), 5),   /* retracted, and nowhere */
		fact_of(user, SLICE("go"), 6),     /* no longer so, as the user said */
		fact_of(user, SLICE("Bath"), 7),   /* corrected to Leeds before */
	};
	const struct turn turns[] = {
		{.role = ROLE_USER,
		 .text = SLICE("I live in Leeds, not Bath, and use Milvus, not go.")}};
	struct learn_prompt prompt = {.system = SLICE("Summarize."), .folded = 1};
	struct arena arena = {0};
	for (size_t i = 0; i < 7; i++) {
		facts[i].id = i + 1;
		facts[i].key = SLICE("likes");
		facts[i].state = i == 1            ? FACT_CURRENT
				 : i < 3 || i == 6 ? FACT_SUPERSEDED
						   : FACT_RETRACTED;
		facts[i].by = i == 5 ? (struct slice){0} : SLICE("admin");
	}
	facts[0].superseded_by = 2;
	facts[6].superseded_by = 1;
	facts[0].source = facts[1].source = FACT_FROM_CORRECTION;
	learn_summary_tell_corrections(&prompt, SLICE("Alex plays chess."), turns, facts, 7,
				       &arena);
	ck_assert(slice_ends_with(prompt.system,
				  SLICE(": likes of user: Porto, not Bath; likes of user: not "
					"chess; likes of user: Porto, not Leeds")));
	prompt = (struct learn_prompt){.system = SLICE("Summarize.")};
	learn_summary_tell_corrections(&prompt, (struct slice){0}, turns, facts, 7, &arena);
	unit_assert_slice(prompt.system, "Summarize.");
	arena_finish(&arena);
}
END_TEST

START_TEST(a_name_in_another_form_is_kept)
{
	const struct learn_names names = {.list = {SLICE("Тверь")}, .count = 1};
	struct arena arena = {0};
	ck_assert(learn_summary_keeps(SLICE("Фаина живёт в Твери."), &names, &arena));
	arena_finish(&arena);
}
END_TEST

START_TEST(no_more_than_the_newest_names_are_kept)
{
	struct arena arena = {0};
	struct fact facts[12];
	struct buffer previous;
	buffer_init(&previous, SIZE_MAX);
	for (size_t i = 0; i < 12; i++) {
		struct slice name = arena_printf(&arena, "Name%c", (char)('a' + i));
		facts[i] = fact_of(SLICE("user"), name, (int64_t)i);
		buffer_append(&previous, name);
		buffer_append(&previous, SLICE(" "));
	}
	struct learn_names names =
		learn_summary_names(buffer_slice(&previous), NULL, 0, facts, 12, &arena);
	ck_assert_uint_eq(names.count, LEARN_MAX_NAMES);
	unit_assert_slice(names.list[0], "Namel");
	buffer_finish(&previous);
	arena_finish(&arena);
}
END_TEST

START_TEST(an_empty_summary_is_none)
{
	static const char *const answers[] = {"", " \n", "<think>All of it</think>", "```\n```"};
	struct arena arena = {0};
	struct slice summary;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		ck_assert_msg(!learn_summary_read(slice_of(answers[i]), 150, &summary, &arena),
			      "%s", answers[i]);
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("learn_summary", a_summary_is_asked_for_with_days_and_speakers,
	  as_many_turns_as_fit_are_summarized_and_never_none,
	  a_summary_is_taken_without_reasoning_and_fences,
	  a_summary_that_is_too_long_ends_with_a_sentence,
	  a_summary_of_a_model_that_cannot_end_is_none, turns_that_are_copied_are_no_summary,
	  a_summary_keeps_the_newest_names_that_the_old_one_has_and_that_hold,
	  a_summary_is_told_what_people_corrected, a_name_in_another_form_is_kept,
	  no_more_than_the_newest_names_are_kept, an_empty_summary_is_none)
