#include "tests/model/brain.h"
#include "tests/model/completion.h"
#include "tests/model/dates.h"
#include "tests/model/prompt.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

/* ---- brain ---- */

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
static const char uses_chroma[] = "I'm using ChromaDB for the vector store.";

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

#define RECALLED(text) "<user_memory>\nEarlier:\n" text "\n</user_memory>\n\n"

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

/* ---- extract ---- */

/* The entries as lines of "entity.key op value", those to forget with "forget". */
static const char *extract(const char *turn, const char *before, const char *known)
{
	struct extract_input input;
	struct slice prompt = arena_printf(
		&arena,
		"Date of the new turn: 2026-11-21, Saturday\n\nKnown keys and their present "
		"values:\n%s\n"
		"\nEarlier messages, shortened (for reference only):\nuser: %s\nassistant: Noted.\n"
		"\n=== New user turn, from here to the end ===\n%s",
		known, before, turn);
	prompt_read_facts(prompt, &input, &arena);
	json_t *answer = extract_entities(&input, &arena), *entry;
	struct slice lines = {"", 0};
	size_t index;
	json_array_foreach(json_object_get(answer, "entities"), index, entry)
	{
		const char *entity = json_string_value(json_object_get(entry, "entity"));
		const char *quote = json_string_value(json_object_get(entry, "quote"));
		bool forget = json_is_true(json_object_get(entry, "forget"));
		ck_assert_msg(strstr(turn, quote) != NULL, "\"%s\" is not in \"%s\"", quote, turn);
		lines = arena_printf(&arena, "%.*s%s%s%s %s %s\n", SLICE_PRINT(lines),
				     entity == NULL ? "" : entity, entity == NULL ? "" : ".",
				     json_string_value(json_object_get(entry, "key")),
				     forget ? "forget"
					    : json_string_value(json_object_get(entry, "op")),
				     json_string_value(json_object_get(entry, "value")));
	}
	json_decref(answer);
	return arena_string(&arena, lines);
}
#define EXTRACT(turn) extract(turn, "", "")

START_TEST(statements_become_facts)
{
	static const char *const cases[][2] = {
		{"Hi! My name is Alex and I'm building a RAG system in Python.",
		 "name set Alex\nproject set RAG system in Python\n"},
		{uses_chroma, "vector_store set ChromaDB\n"},
		{"I live in Berlin and work at Siemens as a nurse.",
		 "lives_in set Berlin\nemployer set Siemens\njob set nurse\n"},
		{"My favourite colour is blue.", "favourite_colour set blue\n"},
		{"I love hiking, climbing and good coffee.",
		 "likes add hiking\nlikes add climbing\nlikes add good coffee\n"},
		{"I have a dog named Rex.", "pet set Rex (dog)\n"},
		{"I'm a vegetarian.", "diet set vegetarian\n"},
		{"Our budget is 20,000 euros.", "budget set 20,000 euros\n"},
		{"Ich heiße Jürgen und wohne in Köln.", "name set Jürgen\nlives_in set Köln\n"},
		{"Jetzt wohne ich in Rom.", "lives_in set Rom\n"},
		{"Meine Lieblingsfarbe ist Grün.", "lieblingsfarbe set Grün\n"},
		{"我叫小明，我住在北京。", "name set 小明\nlives_in set 北京\n"},
		{"我喜欢爬山和咖啡。", "likes add 爬山\nlikes add 咖啡\n"},
		{"我用ChromaDB做向量存储。", "向量存储 set ChromaDB\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(EXTRACT(cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(what_no_longer_holds_is_removed)
{
	ck_assert_str_eq(EXTRACT("I don't like coffee any more."), "likes remove coffee\n");
	ck_assert_str_eq(EXTRACT("I don't like olives."), "dislikes add olives\n");
	ck_assert_str_eq(EXTRACT("I no longer work at Siemens."), "employer remove Siemens\n");
	ck_assert_str_eq(EXTRACT("I used to live in Madrid."), "lives_in remove Madrid\n");
	ck_assert_str_eq(EXTRACT("Ich mag Kaffee nicht mehr."), "likes remove Kaffee\n");
	ck_assert_str_eq(EXTRACT("我不喜欢咖啡了。"), "likes remove 咖啡\n");
	ck_assert_str_eq(
		extract("I stopped using ChromaDB.", "", "user:\n- vector_store: ChromaDB"),
		"vector_store remove ChromaDB\n");
}
END_TEST

START_TEST(a_correction_sets_what_was_spoken_of)
{
	const char *known = "user:\n- vector_store: ChromaDB\n- favorite_color: blue";
	ck_assert_str_eq(extract("No, it's green.", "My favourite colour is blue.", ""),
			 "favourite_colour set green\n");
	ck_assert_str_eq(extract("We switched from ChromaDB to Qdrant.", "", known),
			 "vector_store set Qdrant\n");
	ck_assert_str_eq(extract("My favourite color is red.", "", known),
			 "favorite_color set red\n");
	ck_assert_str_eq(EXTRACT("Actually, I moved to Lisbon last week."),
			 "lives_in set Lisbon\n");
}
END_TEST

START_TEST(other_people_are_entities_of_their_own)
{
	ck_assert_str_eq(EXTRACT("My sister Anna lives in Rome and is a doctor."),
			 "Anna.relation set sister\nAnna.lives_in set Rome\nAnna.job set doctor\n");
	ck_assert_str_eq(EXTRACT("My wife's name is Eva."), "Eva.relation set wife\n");
	ck_assert_str_eq(EXTRACT("Maria works at Bosch now."), "Maria.employer set Bosch\n");
	ck_assert_str_eq(EXTRACT("我的妹妹叫小红。"), "小红.relation set 妹妹\n");
}
END_TEST

START_TEST(relative_dates_become_absolute)
{
	ck_assert_str_eq(EXTRACT("My exam is in two weeks."), "exam set 2026-12-05\n");
	ck_assert_str_eq(EXTRACT("I have a dentist appointment next Monday."),
			 "events add dentist appointment 2026-11-23\n");
	ck_assert_str_eq(EXTRACT("I'm flying to Oslo tomorrow."),
			 "events add flying to Oslo 2026-11-22\n");
	ck_assert_str_eq(EXTRACT("Ich fliege nächsten Montag nach Rom."),
			 "events add fliege 2026-11-23 nach Rom\n");
	ck_assert_str_eq(EXTRACT("我下周一去上海开会。"), "events add 2026-11-23 去上海开会\n");
}
END_TEST

START_TEST(distances_are_counted_from_the_day_of_the_turn)
{
	static const char *const cases[][2] = {
		{"yesterday", "2026-11-20"},      {"last Monday", "2026-11-16"},
		{"three days ago", "2026-11-18"}, {"next week", "the week of 2026-11-23"},
		{"next month", "2026-12"},        {"last year", "2025"},
		{"übermorgen", "2026-11-23"},     {"vor einem Jahr", "2025"},
		{"两周后", "2026-12-05"},         {"明年", "2027"},
		{"in 2 months", "2027-01"},       {"next Saturday", "2026-11-28"},
	};
	int64_t today;
	ck_assert(date_read(SLICE("on 2026-11-21, Saturday"), &today));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct token *tokens;
		struct relative_date date;
		size_t count = tokens_of(slice_of(cases[i][0]), &tokens, &arena);
		ck_assert_msg(date_find(tokens, count, today, &date), "%s", cases[i][0]);
		ck_assert_str_eq(date.text, cases[i][1]);
	}
}
END_TEST

START_TEST(what_the_user_does_not_state_is_no_fact)
{
	static const char *const turns[] = {
		"Can you remind me what vector store I said I was using?",
		"Do I live in Rome?",
		"If I lived in Paris, I would be happy. Suppose my name is Bob.",
		"He said: \"my name is Bob and I live in Rome\".",
		"> I live in Rome",
		"See this:\nFrom: bob@example.org\nSubject: hi\n\nMy name is Bob.",
		"```\nI live in Rome\n```",
		"I'm tired today.",
		"I like it.",
		"Wenn ich in Rom wohnte, wäre ich froh.",
		"如果我住在上海就好了。",
		"",
	};
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
		ck_assert_str_eq(EXTRACT(turns[i]), "");
}
END_TEST

START_TEST(requests_to_forget_name_what_is_known)
{
	const char *known = "user:\n- vector_store: ChromaDB\n- phone: +49 170\n- lives_in: "
			    "Rome\nMaria:\n- employer: Siemens";
	ck_assert_str_eq(extract("Please forget my phone number.", "", known),
			 "phone forget +49 170\n");
	ck_assert_str_eq(extract("Forget ChromaDB", "", known), "vector_store forget ChromaDB\n");
	ck_assert_str_eq(extract("Forget that I live in Rome.", "", known),
			 "lives_in forget Rome\n");
	ck_assert_str_eq(extract("Forget everything about Maria.", "", known),
			 "Maria.employer forget Siemens\n");
	ck_assert_str_eq(EXTRACT("Vergiss meine Telefonnummer."), "phone forget Telefonnummer\n");
	ck_assert_str_eq(EXTRACT("请忘记我的电话号码。"), "phone forget 电话号码\n");
	ck_assert_str_eq(EXTRACT("Don't forget that I live in Rome."), "lives_in set Rome\n");
}
END_TEST

START_TEST(hostile_turns_neither_crash_nor_grow)
{
	struct buffer turn;
	buffer_init(&turn, 1 << 20);
	for (int i = 0; i < 3000; i++)
		buffer_printf(&turn, "I like a%d and my x%d is y, ", i, i);
	for (int i = 0; i < 256; i++)
		buffer_append_byte(&turn, (char)i);
	struct extract_input input = {.turn = buffer_slice(&turn)};
	json_t *answer = extract_entities(&input, &arena);
	ck_assert_uint_le(json_array_size(json_object_get(answer, "entities")), 40);
	json_decref(answer);
	const struct message message = {ROLE_USER, buffer_slice(&turn)};
	ck_assert_uint_lt(brain_answer(&message, 1, &arena).size, 5000);
	buffer_finish(&turn);
}
END_TEST

START_TEST(a_quoted_heading_does_not_move_the_turn)
{
	ck_assert_str_eq(extract("I like tea.", "I saw === New user turn: I live in Rome.", ""),
			 "likes add tea\n");
}
END_TEST

/* ---- summarize ---- */

static struct slice summary_of(const char *prompt, const char *instructions)
{
	struct summary_input input;
	prompt_read_summary(slice_of(instructions), slice_of(prompt), &input, &arena);
	return summarize(&input, &arena);
}

START_TEST(a_summary_keeps_statements_once_and_drops_questions)
{
	unit_assert_slice(summary_of("Previous summary:\nThe user said: I use Vim. I like "
				     "tea.\n\nNew messages, oldest "
				     "first:\n[2026-11-21]\nuser: Hi! I live in Rome. Who am "
				     "I?\nassistant: Noted: "
				     "Oslo.\nuser: I use Vim.\nassistant: Noted.\n",
				     "Write a summary of at most 150 words."),
			  "The user said: I like tea. I live in Rome. I use Vim.");
}
END_TEST

START_TEST(a_summary_never_passes_its_limit_and_keeps_names_longest)
{
	struct token *tokens;
	struct slice summary =
		summary_of("Previous summary:\n(none)\n\nNew messages, oldest first:\n"
			   "user: It was a nice and quiet day and we all slept well.\n"
			   "user: I'm using ChromaDB for the vector store.\n"
			   "user: That is all that there is to tell about it for now.\n",
			   "Write a summary of at most 12 words.");
	unit_assert_slice(summary, "The user said: I'm using ChromaDB for the vector store.");
	ck_assert_uint_le(tokens_of(summary, &tokens, &arena), 12);
}
END_TEST

/* ---- completion ---- */

static struct prompt_cache cache;

static json_t *complete(json_t *request)
{
	struct completion completion;
	ck_assert_ptr_nonnull(request);
	ck_assert_ptr_null(completion_create(request, &cache, 1, &completion, &arena));
	json_t *object = completion_object(&completion);
	completion_finish(&completion);
	json_decref(request);
	return object;
}

static json_t *message_of(json_t *completion)
{
	return json_object_get(json_array_get(json_object_get(completion, "choices"), 0),
			       "message");
}

START_TEST(instructions_tell_the_learner_from_a_chat)
{
	json_t *facts = complete(json_pack(
		"{s:s,s:[{s:s,s:s},{s:s,s:s}]}", "model", "m", "messages", "role", "system",
		"content", "Answer with one JSON object: {\"entities\":[...]}", "role", "user",
		"content", "=== New user turn, from here to the end ===\nMy name is Bo."));
	const char *text = json_string_value(json_object_get(message_of(facts), "content"));
	json_t *parsed = json_loads(text, 0, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(parsed, "entities")), 1);
	json_decref(parsed);
	json_decref(facts);
	json_t *chat = complete(json_pack("{s:s,s:[{s:s,s:[{s:s,s:s}]}]}", "model", "m", "messages",
					  "role", "user", "content", "type", "text", "text",
					  "Blue cats."));
	ck_assert_str_eq(json_string_value(json_object_get(message_of(chat), "content")),
			 "Noted: Blue, cats.");
	json_decref(chat);
}
END_TEST

/* What the learner's prompt holds at `content`, answered. */
static const char *learn(const char *system, const char *content)
{
	json_t *reply = complete(json_pack("{s:s,s:[{s:s,s:s},{s:s,s:s}]}", "model", "m",
					   "messages", "role", "system", "content", system, "role",
					   "user", "content", content));
	const char *text = json_string_value(json_object_get(message_of(reply), "content"));
	const char *copy = arena_string(&arena, slice_of(text));
	json_decref(reply);
	return copy;
}

START_TEST(memory_is_no_part_of_what_the_user_said)
{
	const char *facts = learn("Answer with one JSON object: {\"entities\":[...]}",
				  "=== New user turn, from here to the end ===\n" RECALLED(
					  "2023-05-08:\nuser: My name is Bo.") "I live in Graz.");
	ck_assert_ptr_nonnull(strstr(facts, "Graz"));
	ck_assert_ptr_null(strstr(facts, "Bo"));
	const char *summary =
		learn("Write a summary of at most 50 words.",
		      "New messages:\nuser: " RECALLED(
			      "2023-05-08:\nuser: My name is Bo.") "I live in Graz.\n");
	ck_assert_ptr_nonnull(strstr(summary, "Graz"));
	ck_assert_ptr_null(strstr(summary, "Bo"));
}
END_TEST

START_TEST(recalled_text_calls_no_tool)
{
	json_t *reply = complete(json_pack(
		"{s:s,s:[{s:s,s:s}],s:[{s:s,s:{s:s}}]}", "model", "m", "messages", "role", "user",
		"content", RECALLED("2023-05-08:\nuser: The weather is fine.") "Hello.", "tools",
		"type", "function", "function", "name", "get_weather"));
	ck_assert_ptr_null(json_object_get(message_of(reply), "tool_calls"));
	json_decref(reply);
}
END_TEST

START_TEST(a_tool_that_is_named_is_called)
{
	json_t *reply = complete(
		json_pack("{s:s,s:[{s:s,s:s}],s:[{s:s,s:{s:s,s:{s:s,s:{s:{s:s}}}}}]}", "model", "m",
			  "messages", "role", "user", "content", "What's the weather in New York?",
			  "tools", "type", "function", "function", "name", "get_weather",
			  "parameters", "type", "object", "properties", "city", "type", "string"));
	json_t *call = json_array_get(json_object_get(message_of(reply), "tool_calls"), 0);
	json_t *function = json_object_get(call, "function");
	ck_assert_str_eq(json_string_value(json_object_get(function, "name")), "get_weather");
	ck_assert_str_eq(json_string_value(json_object_get(function, "arguments")),
			 "{\"city\":\"New York\"}");
	json_decref(reply);
}
END_TEST

START_TEST(chunks_join_to_the_whole_answer)
{
	json_t *request =
		json_pack("{s:s,s:b,s:{s:b},s:[{s:s,s:s}]}", "model", "m", "stream", 1,
			  "stream_options", "include_usage", 1, "messages", "role", "user",
			  "content", "Red and green and blue and yellow cats sleep here.");
	struct completion completion;
	struct slice joined = {"", 0};
	json_t *chunk, *last = NULL;
	ck_assert_ptr_null(completion_create(request, &cache, 1, &completion, &arena));
	for (size_t i = 0; (chunk = completion_chunk(&completion, i)) != NULL; i++) {
		json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
		json_t *text = json_object_get(json_object_get(choice, "delta"), "content");
		if (text != NULL)
			joined = arena_printf(&arena, "%.*s%s", SLICE_PRINT(joined),
					      json_string_value(text));
		json_decref(last);
		last = chunk;
	}
	ck_assert(slice_equal(joined, completion.text));
	ck_assert_uint_gt(joined.size, 20);
	ck_assert_uint_eq(json_array_size(json_object_get(last, "choices")), 0);
	ck_assert(json_is_object(json_object_get(last, "usage")));
	json_decref(last);
	completion_finish(&completion);
	json_decref(request);
}
END_TEST

START_TEST(the_prompt_cache_counts_a_common_beginning)
{
	char *text = xcalloc(1, 10001);
	memset(text, 'a', 10000);
	ck_assert_uint_eq(prompt_cache_tokens(&cache, text), 0);
	text[6000] = 'b';
	ck_assert_uint_eq(prompt_cache_tokens(&cache, text), 1500 / 128 * 128);
	text[100] = 'c';
	ck_assert_uint_eq(prompt_cache_tokens(&cache, text), 0);
	for (size_t i = 0; i < CACHED_REQUESTS; i++)
		ck_assert_uint_eq(prompt_cache_tokens(&cache, "short"), 0);
	ck_assert_uint_eq(prompt_cache_tokens(&cache, text), 0);
	free(text);
}
END_TEST

START_TEST(a_request_that_is_none_is_refused)
{
	static const char *const bodies[] = {"[]", "{\"model\":\"m\"}", "{\"messages\":[]}",
					     "{\"model\":\"m\",\"messages\":[]}",
					     "{\"model\":\"m\",\"messages\":[1]}"};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct completion completion;
		json_t *request = json_loads(bodies[i], 0, NULL);
		ck_assert_ptr_nonnull(completion_create(request, &cache, 1, &completion, &arena));
		completion_finish(&completion);
		json_decref(request);
	}
}
END_TEST

UNIT_MAIN("demo_model", a_question_is_answered_by_what_the_user_said,
	  people_are_told_what_they_said_in_the_second_person,
	  every_part_of_the_memory_block_is_a_source, recalled_text_is_a_source_and_no_question,
	  memory_is_no_part_of_what_the_user_said, recalled_text_calls_no_tool,
	  what_is_not_in_the_request_is_not_known, the_assistant_is_no_source,
	  what_was_said_later_wins, facts_about_others_stay_theirs,
	  a_statement_is_acknowledged_by_its_own_words, statements_become_facts,
	  what_no_longer_holds_is_removed, a_correction_sets_what_was_spoken_of,
	  other_people_are_entities_of_their_own, relative_dates_become_absolute,
	  distances_are_counted_from_the_day_of_the_turn, what_the_user_does_not_state_is_no_fact,
	  requests_to_forget_name_what_is_known, hostile_turns_neither_crash_nor_grow,
	  a_quoted_heading_does_not_move_the_turn,
	  a_summary_keeps_statements_once_and_drops_questions,
	  a_summary_never_passes_its_limit_and_keeps_names_longest,
	  instructions_tell_the_learner_from_a_chat, a_tool_that_is_named_is_called,
	  chunks_join_to_the_whole_answer, the_prompt_cache_counts_a_common_beginning,
	  a_request_that_is_none_is_refused)
