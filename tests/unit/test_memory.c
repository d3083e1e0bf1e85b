#include "core/memory/given.h"
#include "core/memory/memory.h"
#include "tests/unit/unit.h"

START_TEST(each_mode_has_its_word)
{
	for (enum mode mode = MODE_OFF; mode <= MODE_READONLY; mode++) {
		enum mode read = MODE_OFF;
		ck_assert(mode_read(slice_of(mode_name(mode)), &read));
		ck_assert_int_eq(read, mode);
	}
	enum mode untouched = MODE_VECTOR;
	ck_assert(!mode_read(SLICE("Hybrid"), &untouched));
	ck_assert(!mode_read(SLICE(""), &untouched));
	ck_assert(!mode_read(SLICE("hybrids"), &untouched));
	ck_assert_int_eq(untouched, MODE_VECTOR);
}
END_TEST

START_TEST(each_mode_uses_what_it_injects)
{
	static const struct {
		enum mode mode;
		bool facts, summary, turns, recalls;
	} uses[] = {
		{MODE_OFF, false, false, false, false},
		{MODE_BUFFER, false, false, true, false},
		{MODE_SUMMARY, false, true, true, false},
		{MODE_ENTITY, true, false, false, false},
		{MODE_VECTOR, false, false, false, true},
		{MODE_HYBRID, true, true, true, true},
		{MODE_AUTO, true, true, true, true},
		{MODE_READONLY, false, false, false, false},
	};
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		const char *word = mode_name(uses[i].mode);
		ck_assert_msg(mode_uses_facts(uses[i].mode) == uses[i].facts, "%s", word);
		ck_assert_msg(mode_uses_summary(uses[i].mode) == uses[i].summary, "%s", word);
		ck_assert_msg(mode_uses_turns(uses[i].mode) == uses[i].turns, "%s", word);
		ck_assert_msg(mode_recalls(uses[i].mode) == uses[i].recalls, "%s", word);
	}
}
END_TEST

START_TEST(each_role_has_its_word)
{
	static const char *const words[] = {"system", "developer", "user", "assistant", "tool"};
	for (enum role role = ROLE_SYSTEM; role <= ROLE_TOOL; role++)
		ck_assert_str_eq(role_name(role), words[role]);
}
END_TEST

START_TEST(said_turns_come_back_as_they_were_said)
{
	static const struct {
		enum role role;
		struct slice text;
	} turns[] = {{ROLE_USER, SLICE("1 2:\0\"x\"")},
		     {ROLE_ASSISTANT, SLICE("")},
		     {ROLE_USER, SLICE("0")}};
	static const char *const others[] = {"",      "2",    "2 ",   "2 :a",         "2 1",
					     "2 2:a", "9 0:", " 1:a", "{\"role\":1},"};
	struct buffer out;
	enum role role;
	struct slice text;
	buffer_init(&out, 1024);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
		said_turns_add(&out, turns[i].role, turns[i].text);
	struct slice list = buffer_slice(&out);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		ck_assert(said_turns_take(&list, &role, &text));
		ck_assert_int_eq(role, turns[i].role);
		ck_assert(slice_equal(text, turns[i].text));
	}
	ck_assert(list.size == 0 && !said_turns_take(&list, &role, &text));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		list = slice_of(others[i]);
		ck_assert_msg(!said_turns_take(&list, &role, &text), "%s", others[i]);
	}
	buffer_finish(&out);
}
END_TEST

UNIT_MAIN("memory", said_turns_come_back_as_they_were_said, each_mode_has_its_word,
	  each_mode_uses_what_it_injects, each_role_has_its_word)
