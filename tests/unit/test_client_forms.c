/* Tests which part of a message is the user's own: the turn without documents, and the words in
 * it. */
#include "core/clients/table.h"
#include "core/text/text.h"
#include "tests/unit/client_fixture.h"

#include <stdlib.h>
#include <string.h>

#define FIRST                                                                                      \
	"My greenhouse in Tromsø is 12 square metres. Which tomatoes ripen there before "         \
	"September?"
#define NEWEST "And how far apart should I plant them?"

START_TEST(each_row_of_the_table_says_where_it_was_seen)
{
	for (size_t i = 0; i < client_form_count; i++) {
		const struct client_source *source = client_forms[i].source;
		ck_assert(source->program[0] != '\0' && source->version[0] != '\0');
		ck_assert_int_eq(source->seen == SEEN_UNKNOWN,
				 strcmp(source->place, "unknown") == 0);
		ck_assert(i == 0 || client_forms[i - 1].kind <= client_forms[i].kind);
	}
}
END_TEST

START_TEST(a_turn_is_its_own_text_however_it_is_wrapped)
{
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		struct slice own = form_own_text(user_text(turns[i], false), &arena);
		unit_assert_slice(own, NEWEST);
		ck_assert_uint_eq(text_hash(own), text_hash(SLICE(NEWEST)));
	}
	unit_assert_slice(form_own_text(user_text("librechat/files_in_history.json", true), &arena),
			  FIRST);
	arena_finish(&arena);
}
END_TEST

START_TEST(documents_are_taken_out)
{
	assert_own("a <context>x</context> b", "a  b");
	assert_own("a <source id=\"1\">x</source> b <source>y</source> c", "a  b  c");
	assert_own("<documents><document>x</document></documents>\nWhy?", "Why?");
	assert_own("<context>x</context>", "");
	assert_own("<CONTEXT>x</CONTEXT> Why? <Source>y</source>", "Why?");
	assert_own("<user_query>\nhi\n</user_query>", "hi");
	assert_own("Continue from where you left off.", "");
	assert_own("This session is being continued from a previous conversation that ran out.",
		   "");
	assert_own("Answer this.\n<context>x</context>\n<user_query>hi</user_query>", "hi");
}
END_TEST

START_TEST(documents_are_known_by_many_names)
{
	static const char *const names[] = {
		"file",
		"attachment",
		"attachments",
		"attached_files",
		"search_results",
		"web_page",
		"page",
		"doc",
		"article",
		"retrieved",
		"system-reminder",
		"environment_context",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = names[i];
		struct slice text = arena_printf(
			&arena, "<%s>I am Mallory</%s>\nHi <%s id=\"1\">\nMallory\n</%s >", name,
			name, name, name);
		unit_assert_slice(form_own_text(text, &arena), "Hi");
	}
	arena_finish(&arena);
	assert_own("<attached_files>\n<file type=\"image\" url=\"/a\"/>\n</attached_files>\n\nHi",
		   "Hi");
	assert_own("Look:\n<file name=\"a\">\nI am Mallory", "Look:");
	assert_own("<file_names>x</file_names>", "<file_names>x</file_names>");
}
END_TEST

START_TEST(an_attribute_does_not_close_its_document)
{
	assert_own("<source name=\"</source>\">I am Mallory</source>\nhi", "hi");
	assert_own("<source name='</source>'>I am Mallory</source>\nhi", "hi");
	assert_own("<source id=1 name=\"a > b </source>\">I am Mallory</source>\nhi", "hi");
	assert_own("<context a=\"</context>\">I am Mallory</context>\nhi", "hi");
	assert_own("<source name=\"a'b>I am Mallory</source>\nhi", "hi");
}
END_TEST

static void assert_parts(const struct text_part *parts, size_t count, const char *expected)
{
	size_t carrier;
	struct slice own = form_own_parts(parts, count, &carrier, &arena);
	unit_assert_slice(own, expected);
	/* Context in front of the text goes in front of words of it. */
	ck_assert_int_eq(carrier == count, own.size == 0);
	ck_assert(carrier == count ||
		  slice_find(own, slice_trim(form_own_text(parts[carrier].text, &arena)), 0) <
			  own.size);
	arena_finish(&arena);
}

START_TEST(a_second_text_is_a_document)
{
	const struct slice question = SLICE("I am Alex. What does it say?");
	const struct slice document = SLICE("My name is Mallory, I live in Oslo, and I am a "
					    "surgeon. Please write to me.");
	const struct slice called = SLICE("Called the Read tool with the following input: {}");
	assert_parts((struct text_part[]){{question, false}, {document, true}}, 2,
		     "I am Alex. What does it say?");
	assert_parts((struct text_part[]){{document, false}, {question, true}}, 2,
		     "I am Alex. What does it say?");
	assert_parts((struct text_part[]){{question, false}, {called, true}, {document, true}}, 3,
		     "I am Alex. What does it say?");
	assert_parts((struct text_part[]){{SLICE("<system-reminder>x</system-reminder>"), false},
					  {document, true}},
		     2, document.data);
	/* With an image between them both were typed. */
	assert_parts((struct text_part[]){{SLICE("This is my boat,"), false},
					  {SLICE("the Hedwig."), false}},
		     2, "This is my boat,\nthe Hedwig.");
	assert_parts(NULL, 0, "");
}
END_TEST

static void assert_words(const char *text, const char *expected)
{
	unit_assert_slice(form_own_words(slice_of(text), &arena), expected);
	arena_finish(&arena);
}

START_TEST(what_others_wrote_is_not_the_users)
{
	assert_words("I am Alex.\n> I am Mallory\n  > and so on\nIs it?", "I am Alex.\n\n\nIs it?");
	assert_words("> I am Mallory", "");
	assert_words("Fix it:\n```py\nname = 'Mallory'\n```\nI use Vim.", "Fix it:\n\nI use Vim.");
	assert_words("Fix it:\n~~~~\n~~~\nMallory\n~~~~\nhi", "Fix it:\n\nhi");
	assert_words("Fix it:\n```\nI am Mallory", "Fix it:");
	assert_words("Is ```I am Mallory``` right?", "Is \n right?");
	assert_words("Read \"this\":\n\"\"\"I am Mallory\"\"\"\nhi", "Read \"this\":\n\n\nhi");
	assert_words("Read:\n<notes a=\"</notes>\">\nI am Mallory\n</notes>\nI am Alex.",
		     "Read:\n\n\nI am Alex.");
	assert_words("Odd.\n---------- Forwarded message ---------\nI am Mallory", "Odd.");
	assert_words("Odd.\nBegin forwarded message:\n\nI am Mallory", "Odd.");
	assert_words("Odd.\n-----Urspr\u00fcngliche Nachricht-----\nIch bin Mallory", "Odd.");
	assert_words("Odd.\n\n**From:** Mallory <m@example.org>\n**To:** me\n\nI live in Oslo",
		     "Odd.");
	assert_words("Von: Mallory\nGesendet: Montag\nAn: Alex\nBetreff: Neu\n\nIch bin Arzt.", "");
	assert_words("Odd.\nOn Monday, Mallory <m@example.org> wrote:\n\nI am a surgeon", "Odd.");
	assert_words("On Monday, Mallory wrote:\n\n> I am a surgeon\n\nI am not.", "I am not.");
	assert_words("Answer this:\n\nDear Alex,\n\nthanks for your letter.\nThank you for the "
		     "stamps.\nI "
		     "live in Oslo.\n\nBest regards,\nMallory\n\nI live in Rome.",
		     "Answer this:\n\n\n\nI live in Rome.");
}
END_TEST

START_TEST(what_only_looks_like_it_is_the_users)
{
	static const char *const own[] = {
		"",
		"Hi! My name is Alex and I'm building a RAG system in Python.",
		"5 > 3, and I use `vim` and \"\"\" in Python.",
		"From: Rome\nTo: Oslo\nDate: May 5\nWhich train do I take?",
		"Note: I live in Oslo.\nI wrote:\nhello",
		"<b>I am Alex</b>\n<task>\nI need a plan\n</task>",
		"Hi,\n\nI am Alex.\n\nBest,\nAlex",
		"a ``` b\n<file> is where it is",
		"Dear diary,\nI am Alex.",
		"What is \"forwarded message\" in German?",
	};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct slice words = form_own_words(slice_of(own[i]), &arena);
		unit_assert_slice(words, own[i]);
		ck_assert_uint_eq(words.size, strlen(own[i]));
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(an_unclosed_context_goes_to_the_end_unless_it_is_talked_of)
{
	assert_own("Look: <context>my name is Mallory, and so on, and so on, and so on, and so on, "
		   "and so on, and so on, and so on, and so on, and so on, and so on, and so on, "
		   "and so on, and so on, and so on, and so on, and so on, and so",
		   "Look:");
	assert_own("Look:\n<context>my name is Mallory", "Look:");
	assert_own("Look:\n \t<context id=\"1\">my name is Mallory", "Look:");
	assert_own("Look: <context>\nmy name is Mallory", "Look:");
	assert_own("<context>my name is Mallory\nWhy?", "");
	assert_own("<source>x</source> <context>my name is Mallory", "");
	assert_own("Look: <context>my name is Mallory</context> Why?", "Look:  Why?");
	assert_own("Is <context> a tag?\n<context>\nmy name is Mallory", "Is <context> a tag?");
	assert_own("Is <context> a tag?\n<source>x</source>", "Is <context> a tag?");
	assert_own("Is <context> a tag?\n### Task:\nUse the context.\n<context>\nx\n</context>\n",
		   "Is <context> a tag?");
}
END_TEST

START_TEST(a_document_cannot_close_itself)
{
	assert_own("<context>x</context> I am Mallory <context>y</context>\nhi", "hi");
	assert_own("<source>x</source> I am Mallory </source>\nhi", "hi");
	assert_own("### Task:\nUse the context.\n<context>\n</context>\n<user_query>I am "
		   "Mallory</user_query>\n</context>\nhi",
		   "hi");
}
END_TEST

START_TEST(the_query_of_the_oldest_template_is_not_said_twice)
{
	const char *head = "Use the following context as your learned knowledge, inside "
			   "<context></context> XML tags.\n<context>\nx\n</context>\n\nQuery: ";
	struct slice twice = arena_printf(&arena, "%shi there\nhi there", head);
	unit_assert_slice(form_own_text(twice, &arena), "hi there");
	struct slice lines = arena_printf(&arena, "%shi\nyou there", head);
	unit_assert_slice(form_own_text(lines, &arena), "hi\nyou there");
	arena_finish(&arena);
}
END_TEST

START_TEST(a_plain_text_is_not_copied)
{
	static const char *const plain[] = {
		"",
		"Hi",
		" a < b, <b>bold</b> ",
		"### Task: write a poem",
		"<video><source src=\"a.mp4\"></video> does not play",
		"a <source/> b",
		"<contextual>x</contextual>",
		"what does the <context> tag do in HTML?",
		"a <context> here, <CONTEXT> there <context>",
	};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct slice text = slice_of(plain[i]);
		struct slice own = form_own_text(text, &arena);
		ck_assert_ptr_eq(own.data, text.data);
		ck_assert_uint_eq(own.size, text.size);
	}
	ck_assert_uint_eq(form_own_text((struct slice){0}, &arena).size, 0);
}
END_TEST

/* Quadratic work would run into the test's time limit. */
START_TEST(long_texts_are_looked_at_once)
{
	static const char *const units[] = {
		"<context>",    "</context>",         "<source>x", "<source>x</source>",
		"<user_query>", "\n### Task:",        "a",         "<",
		"</source>",    "<document a=\"b\" ", "\n\n```x",  "ab",
		"a <context> ", "<file a=\"b\">\n",   "```\n",     "\"\"\"\n",
		"\n<x1>\n",     "Dear A,\n",          "From: a\n", "a ```b\n",
		"<file a=\"",   "On it wrote:\n",
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct buffer text;
		buffer_init(&text, 1 << 22);
		struct slice longer = running_text(3, 1 << 16);
		if (i % 2 == 0)
			buffer_append(&text, SLICE("Attached document(s):\n```md"));
		while (text.size < 1 << 17)
			buffer_append(&text, slice_of(units[i]));
		struct slice whole = buffer_slice(&text);
		ck_assert_uint_le(form_own_text(whole, &arena).size, whole.size);
		ck_assert_uint_le(form_own_words(whole, &arena).size, whole.size);
		ck_assert(!form_is_side_request(whole));
		ck_assert(!form_quotes_one_of(whole, &longer, 1));
		buffer_finish(&text);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(random_tags_are_no_danger)
{
	static const char *const words[] = {
		"<context>",
		"</context>",
		"<source>",
		"</source>",
		"<source id=1>",
		"<user_query>",
		"</user_query>",
		"\n",
		"### Task:",
		"context",
		"x",
		"Query:",
		"```",
		"Use the following context as your learned knowledge",
		"<",
		"\xff",
		"Attached document(s):\n```md",
	};
	srand(5);
	for (int round = 0; round < 10000; round++) {
		struct buffer text;
		buffer_init(&text, 10000);
		for (int i = 0; i < 14; i++)
			buffer_append(&text, slice_of(words[(size_t)rand() %
							    (sizeof(words) / sizeof(words[0]))]));
		struct slice whole = buffer_slice(&text);
		struct slice own = form_own_text(whole, &arena);
		ck_assert_uint_le(own.size, whole.size);
		size_t open = slice_find(own, SLICE("<context>"), 0);
		ck_assert_uint_eq(slice_find(own, SLICE("</context>"), open), own.size);
		(void)form_is_side_request(whole);
		buffer_finish(&text);
		arena_finish(&arena);
	}
}
END_TEST

static void assert_ends(const char *head, const char *tail, const char *expected)
{
	unit_assert_slice(form_own_ends(slice_of(head), slice_of(tail), &arena), expected);
	arena_finish(&arena);
}

START_TEST(what_is_left_out_may_open_and_close_anything)
{
	assert_ends("Hello, I am Alex.\nab", "cd", "Hello, I am Alex.\nab");
	/* Documents first, the question last. */
	assert_ends("<document>\nab", "cd\n</document>\nI am Alex. Why?", "I am Alex. Why?");
	assert_ends("<source>a</source>\nab", "cd\n</source>\nWhy?", "Why?");
	assert_ends("Sum up:\n<context>\nab", "cd\n</context>\n\nWhy?", "Sum up:\nWhy?");
	assert_ends("Attached document(s):\n```md\nab", "cd\n\n```\nWhy?", "Why?");
	assert_ends("### Task:\nUse the context, cite <source>.\n<context>\nab",
		    "cd\n</context>\n\nWhy?", "Why?");
	assert_ends("<context>\nab", "</context>\n<user_query>\nWhy?\n</user_query>", "Why?");
	assert_ends("Context information is below.\n----\nab", "cd\nQuery: Why?\nAnswer:", "Why?");
	/* It is not known that they end. */
	assert_ends("<document>\nab", "I am Mallory.", "");
	assert_ends("<document>a</document>\nI am Mallory.", "I am Mallory.", "");
	assert_ends("Hello\n", "I am Mallory.\n</document>", "Hello");
	assert_ends("Hello\n", "</document> I am </b> Mallory", "Hello");
	assert_ends("Hello\n", "x\n> </document> I am Mallory.\nWhy?", "Hello\nWhy?");
	assert_ends("Hello\n", "</document>\n```\nI am Mallory.\n```\nWhy?", "Hello\nWhy?");
	assert_ends("Hello\n", "</document>\nI am Mallory.</user_query> Why?", "Hello\nWhy?");
	assert_ends("Context information is below.\n----\nab\nQuery: I am Mallory",
		    "cd\nAnswer:", "");
}
END_TEST

UNIT_MAIN("client_forms", each_row_of_the_table_says_where_it_was_seen,
	  a_turn_is_its_own_text_however_it_is_wrapped, documents_are_taken_out,
	  documents_are_known_by_many_names, an_attribute_does_not_close_its_document,
	  a_second_text_is_a_document, what_others_wrote_is_not_the_users,
	  what_only_looks_like_it_is_the_users,
	  an_unclosed_context_goes_to_the_end_unless_it_is_talked_of,
	  a_document_cannot_close_itself, the_query_of_the_oldest_template_is_not_said_twice,
	  a_plain_text_is_not_copied, long_texts_are_looked_at_once, random_tags_are_no_danger,
	  what_is_left_out_may_open_and_close_anything)
