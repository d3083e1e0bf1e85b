/* Tests learning against a person's decisions: pins, suggestions, tombstones. */
#include "core/facts/tombstone.h"
#include "tests/unit/learn_fixture.h"

#include <stdio.h>

static const char lyon[] = "{\"entities\":[{\"key\":\"city\",\"value\":\"Lyon\"}]}";

static struct lesson lesson_with_a_pin(void)
{
	struct lesson lesson = lesson_of("Now I live in Lyon.");
	lesson_knows(&lesson, "home_city", "Rome", HOUR)->pinned = true;
	return lesson;
}

START_TEST(what_contradicts_a_pinned_fact_is_a_suggestion)
{
	struct lesson lesson = lesson_with_a_pin();
	lesson_must(&lesson, lyon, 1, 0);
	lesson_added(&lesson, 0, "user", "home_city", "Lyon");
	const struct fact *suggested = &lesson.learning.changes[0].fact;
	ck_assert_int_eq(suggested->state, FACT_SUGGESTED);
	ck_assert_uint_eq(suggested->superseded_by, 1);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(only_the_newest_suggestion_stays)
{
	struct lesson lesson = lesson_with_a_pin();
	struct fact *nice = lesson_knows(&lesson, "home_city", "Nice", HOUR / 2);
	nice->state = FACT_SUGGESTED;
	lesson_must(&lesson, lyon, 1, 0); /* it was imported, and contradicts nothing */
	nice->superseded_by = 1;
	lesson_must(&lesson, lyon, 2, 0);
	lesson_added(&lesson, 0, "user", "home_city", "Lyon");
	ck_assert_int_eq(lesson.learning.changes[0].fact.state, FACT_SUGGESTED);
	(void)lesson_changed(&lesson, 2, CHANGE_DROP, FACT_SUGGESTED);
	/* Of two in one answer, the last. */
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"city\",\"value\":\"Now\"},"
		    "{\"key\":\"city\",\"value\":\"Lyon\"}]}",
		    2, 0);
	lesson_added(&lesson, 0, "user", "home_city", "Lyon");
	/* A newer one stands against an older turn. */
	lesson.facts[1].observed_at = TEN_O_CLOCK + HOUR;
	lesson_must(&lesson, lyon, 0, 0);
	/* It is said again. */
	lesson.facts[1].observed_at = TEN_O_CLOCK - HOUR;
	lesson.facts[1].value = SLICE("lyon");
	lesson_must(&lesson, lyon, 1, 0);
	const struct change *change = lesson_changed(&lesson, 2, CHANGE_UPDATE, FACT_SUGGESTED);
	ck_assert_uint_eq(change->fact.repeats, 1);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_suggestion_keeps_nothing_from_standing)
{
	struct lesson lesson = lesson_of("Now I live in Lyon.");
	struct fact *suggested = lesson_knows(&lesson, "city", "Nice", -HOUR);
	suggested->state = FACT_SUGGESTED;
	lesson_must(&lesson, lyon, 1, 0);
	ck_assert_int_eq(lesson.learning.changes[0].fact.state, FACT_CURRENT);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_pinned_fact_said_again_only_counts)
{
	struct lesson lesson = lesson_of("I live in Rome until May.");
	lesson_knows(&lesson, "city", "Rome", HOUR)->pinned = true;
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"city\",\"value\":\"Rome\","
		    "\"valid_until\":\"2027-05-01\"}]}",
		    1, 0);
	const struct change *change = lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_CURRENT);
	ck_assert_int_eq(change->fact.expires_at, 0);
	ck_assert_uint_eq(change->fact.repeats, 1);
	ck_assert(change->fact.pinned);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_further_value_joins_a_pinned_one_of_several)
{
	struct lesson lesson = lesson_of("I also have a dog. Just a dog.");
	struct fact *cat = lesson_knows(&lesson, "pet", "cat", HOUR);
	cat->pinned = cat->many = true;
	lesson_must(&lesson, "{\"entities\":[{\"op\":\"add\",\"key\":\"pet\",\"value\":\"dog\"}]}",
		    1, 0);
	ck_assert_int_eq(lesson.learning.changes[0].fact.state, FACT_CURRENT);
	lesson_must(&lesson, "{\"entities\":[{\"op\":\"set\",\"key\":\"pet\",\"value\":\"dog\"}]}",
		    1, 0);
	ck_assert_int_eq(lesson.learning.changes[0].fact.state, FACT_SUGGESTED);
	/* A pinned one stands beside another that is said alone. */
	lesson_knows(&lesson, "pet", "dog", HOUR)->many = true;
	lesson_must(&lesson, "{\"entities\":[{\"op\":\"set\",\"key\":\"pet\",\"value\":\"dog\"}]}",
		    1, 0);
	(void)lesson_changed(&lesson, 2, CHANGE_UPDATE, FACT_CURRENT);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_pinned_fact_is_not_retracted)
{
	struct lesson lesson = lesson_of("I don't live in Rome any more.");
	struct fact *fact = lesson_knows(&lesson, "city", "Rome", HOUR);
	const char *answer =
		"{\"entities\":[{\"op\":\"remove\",\"key\":\"city\",\"value\":\"Rome\","
		"\"quote\":\"I don't live in Rome any more\"}]}";
	lesson_must(&lesson, answer, 1, 0);
	fact->pinned = true;
	lesson_must(&lesson, answer, 0, 0);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(the_user_may_forget_a_pinned_fact_if_the_operator_lets_them)
{
	struct lesson lesson = lesson_of("Please forget that I live in Rome.");
	const char *answer = "{\"entities\":[{\"forget\":true,\"key\":\"city\",\"value\":\"Rome\","
			     "\"quote\":\"forget that I live in Rome\"}]}";
	lesson_knows(&lesson, "city", "Rome", HOUR)->pinned = true;
	ck_assert(lesson_read(&lesson, answer));
	(void)lesson_changed(&lesson, 1, CHANGE_FORGET, FACT_FORGOTTEN);
	lesson.turn.keeps_pinned = true;
	ck_assert(lesson_read(&lesson, answer));
	for (size_t i = 0; i < lesson.learning.change_count; i++)
		ck_assert_int_ne(lesson.learning.changes[i].kind, CHANGE_FORGET);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_value_with_a_tombstone_does_not_come_back)
{
	struct lesson lesson = lesson_of("Now I live in Lyon. My cat is called Lyon.");
	const struct slice salt = SLICE("salt");
	const struct tombstone tombstone = {
		.entity = SLICE("User"),
		.key = SLICE("home_city"),
		.value = tombstone_hash(salt, SLICE("LYON"), &lesson.arena)};
	lesson.turn.tombstones = (struct tombstones){&tombstone, 1, salt};
	lesson_must(&lesson, lyon, 0, 0);
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"cat\",\"value\":\"Lyon\"}]}", 1, 0);
	/* Against a pinned fact it is a suggestion still: a person decides. */
	lesson_knows(&lesson, "city", "Rome", HOUR)->pinned = true;
	lesson_must(&lesson, lyon, 1, 0);
	ck_assert_int_eq(lesson.learning.changes[0].fact.state, FACT_SUGGESTED);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_conversation_is_declined_in_thirteen_languages)
{
	static const struct {
		const char *text;
		bool declines;
	} cases[] = {
		{"Don't remember this conversation.", true},
		{"Please don't save this chat.", true},
		{"Forget this conversation, please.", true},
		{"I don't remember this conversation.", false},
		{"Do you remember this conversation?", false},
		{"Remember this conversation.", false},
		{"Don't remember the conversation with my boss.", false},
		{"Merk dir diese Unterhaltung nicht.", true},
		{"Bitte vergiss dieses Gespräch.", true},
		{"Dieses Gespräch war nett.", false},
		{"Ich vergesse dieses Gespräch nie.", false},
		{"Ne retiens pas cette conversation.", true},
		{"Oublie cette conversation, s'il te plaît.", true},
		{"N'oublie pas cette conversation.", false},
		{"No recuerdes esta conversación.", true},
		{"Olvida esta conversación.", true},
		{"No olvides esta conversación.", false},
		{"Não guarde esta conversa.", true},
		{"Esqueça esta conversa.", true},
		{"Não esqueça esta conversa.", false},
		{"Non ricordare questa conversazione.", true},
		{"Dimentica questa conversazione.", true},
		{"Non dimenticare questa conversazione.", false},
		{"Onthoud dit gesprek niet.", true},
		{"Vergeet dit gesprek.", true},
		{"Vergeet dit gesprek niet.", false},
		{"Не запоминай этот разговор.", true},
		{"Забудь этот разговор.", true},
		{"Не забудь этот разговор.", false},
		{"请不要记住这次对话。", true},
		{"请忘记这次对话。", true},
		{"我记得这次对话。", false},
		{"この会話を覚えないでください。", true},
		{"この会話は忘れてください。", true},
		{"この会話を覚えています。", false},
		{"Ne te souviens pas de cette conversation.", true},
		{"Não lembres desta conversa.", true},
		{"Não se lembre desta conversa.", true},
		{"Bu konuşmayı hatırlama.", true},
		{"Bu sohbeti kaydetme lütfen.", true},
		{"Bu konuşmayı unut.", true},
		{"Bu konuşmayı unutma.", false},
		{"Bu konuşmayı hatırla.", false},
		{"Bu konuşmayı hatırlıyor musun?", false},
		{"لا تتذكر هذه المحادثة.", true},
		{"لا تحفظ هذه المحادثة.", true},
		{"انس هذه المحادثة.", true},
		{"لا تنس هذه المحادثة.", false},
		{"تذكر هذه المحادثة.", false},
		{"Nie zapamiętuj tej rozmowy.", true},
		{"Zapomnij tę rozmowę.", true},
		{"Nie zapomnij tej rozmowy.", false},
		{"My wife said: don't remember this conversation.", false},
		{"Translate: Merk dir dieses Gespräch nicht.", false},
		{"Übersetze: don't remember this conversation", false},
		{"翻译：不要记住这次对话。", false},
		{"One more thing: don't remember this conversation.", true},
		{"Please: forget this conversation.", true},
		{"", false},
	};
	struct arena arena = {0};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(learn_declines(slice_of(cases[i].text), &arena) == cases[i].declines,
			      "%s", cases[i].text);
	/* A long message says more than that. */
	struct buffer text;
	buffer_init(&text, SIZE_MAX);
	for (size_t i = 0; i < 60; i++)
		buffer_append(&text, SLICE("Once more. "));
	buffer_append(&text, SLICE("Don't remember this conversation."));
	ck_assert(!learn_declines(buffer_slice(&text), &arena));
	buffer_finish(&text);
	arena_finish(&arena);
}
END_TEST

START_TEST(a_user_puts_a_fact_right_in_ten_languages)
{
	static const struct {
		const char *text;
		bool corrects;
	} cases[] = {
		{"That's wrong, it is Lyon.", true},
		{"No, that's not right: it is Lyon.", true},
		{"Is that wrong? Is it Lyon?", false},
		{"I am not right-handed. Lyon is nice.", false},
		{"Das stimmt nicht, es ist Lyon.", true},
		{"Das ist falsch, es ist Lyon.", true},
		{"Stimmt das nicht? Ist es Lyon?", false},
		{"Ce n'est pas exact, c'est Lyon.", true},
		{"C'est faux, c'est Lyon.", true},
		{"Est-ce que c'est faux ?", false},
		{"Eso no es correcto, es Lyon.", true},
		{"Eso está mal, es Lyon.", true},
		{"¿Eso no es correcto?", false},
		{"Isso não está certo, é Lyon.", true},
		{"Isso está errado, é Lyon.", true},
		{"Isso não está certo?", false},
		{"Non è giusto, è Lyon.", true},
		{"È sbagliato, è Lyon.", true},
		{"È sbagliato?", false},
		{"Dat klopt niet, het is Lyon.", true},
		{"Dat is fout, het is Lyon.", true},
		{"Klopt dat niet?", false},
		{"Это не так, это Лион.", true},
		{"Это неверно, это Лион.", true},
		{"Это не так?", false},
		{"不对，是里昂。", true},
		{"你说错了，是里昂。", true},
		{"里昂对吗？", false},
		{"違います、リヨンです。", true},
		{"それは間違いです。", true},
		{"リヨンですか？", false},
	};
	struct arena arena = {0};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg((learn_plea(slice_of(cases[i].text), &arena) != LEARN_PLEA_NONE) ==
				      cases[i].corrects,
			      "%s", cases[i].text);
	arena_finish(&arena);
}
END_TEST

/* "It is Lyon" in each: what it is about stands in the answer before. */
START_TEST(what_is_put_right_supersedes_what_was_wrong_in_ten_languages)
{
	static const char *const cases[][2] = {
		{"That's wrong, it is Lyon.", "Lyon"},
		{"Das stimmt nicht, es ist Lyon.", "Lyon"},
		{"C'est faux, c'est Lyon.", "Lyon"},
		{"Eso está mal, es Lyon.", "Lyon"},
		{"Isso está errado, é Lyon.", "Lyon"},
		{"È sbagliato, è Lyon.", "Lyon"},
		{"Dat klopt niet, het is Lyon.", "Lyon"},
		{"Это неверно, это Лион.", "Лион"},
		{"不对，是里昂。", "里昂"},
		{"違います、リヨンです。", "リヨン"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lesson lesson = lesson_of(cases[i][0]);
		const struct turn before = {.role = ROLE_ASSISTANT,
					    .text = SLICE("You live in Rome.")};
		char answer[512];
		lesson.turn.before = &before;
		lesson.turn.before_count = 1;
		lesson_knows(&lesson, "home_city", "Rome", HOUR);
		(void)snprintf(answer, sizeof(answer),
			       "{\"entities\":[{\"key\":\"home_city\",\"value\":\"%s\","
			       "\"quote\":\"%s\"}]}",
			       cases[i][1], cases[i][0]);
		ck_assert(lesson_read(&lesson, answer));
		ck_assert_msg(lesson.learning.change_count == 2, "%s", cases[i][0]);
		(void)lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_SUPERSEDED);
		arena_finish(&lesson.arena);
	}
}
END_TEST

UNIT_MAIN("learn_rights", a_conversation_is_declined_in_thirteen_languages,
	  a_user_puts_a_fact_right_in_ten_languages,
	  what_is_put_right_supersedes_what_was_wrong_in_ten_languages,
	  what_contradicts_a_pinned_fact_is_a_suggestion, only_the_newest_suggestion_stays,
	  a_suggestion_keeps_nothing_from_standing, a_pinned_fact_said_again_only_counts,
	  a_further_value_joins_a_pinned_one_of_several, a_pinned_fact_is_not_retracted,
	  the_user_may_forget_a_pinned_fact_if_the_operator_lets_them,
	  a_value_with_a_tombstone_does_not_come_back)
