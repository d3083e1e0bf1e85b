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

UNIT_MAIN("memory", each_mode_has_its_word, each_mode_uses_what_it_injects, each_role_has_its_word)
