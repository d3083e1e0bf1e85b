/* Tests what a request to forget takes along. */
#include "core/facts/facts.h"
#include "tests/unit/learn_fixture.h"

START_TEST(forgetting_a_key_erases_its_whole_history)
{
	struct lesson lesson = lesson_of("Please forget where I live.");
	struct fact *old = lesson_knows(&lesson, "home_city", "Hamburg", 2 * HOUR);
	old->state = FACT_SUPERSEDED;
	lesson_knows(&lesson, "home_city", "Berlin", HOUR);
	lesson_knows(&lesson, "name", "Alex", HOUR);
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"home_city\",\"forget\":true,"
		    "\"quote\":\"forget where I live\"}]}",
		    2, 0);
	lesson_changed(&lesson, 1, CHANGE_FORGET, FACT_FORGOTTEN);
	const struct change *change = lesson_changed(&lesson, 2, CHANGE_FORGET, FACT_FORGOTTEN);
	ck_assert_uint_eq(change->fact.value.size + change->fact.quote.size, 0);
	ck_assert_uint_eq(change->fact.exchange, 50);
	ck_assert(lesson.learning.hide_exchange);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(forgetting_by_value_finds_it_under_another_key)
{
	struct lesson lesson = lesson_of("Forget that I like jazz");
	lesson_knows(&lesson, "likes", "chess", HOUR)->many = true;
	lesson_knows(&lesson, "music", "Jazz", HOUR);
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"likes\",\"value\":\"jazz\",\"forget\":true}]}", 1,
		    0);
	lesson_changed(&lesson, 2, CHANGE_FORGET, FACT_FORGOTTEN);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(what_was_said_again_in_the_same_words_is_hidden_with_its_fact)
{
	struct lesson lesson = lesson_of("Please forget my salary, my drink and my food.");
	lesson_knows(&lesson, "salary", "90000 euros", HOUR)->quote =
		SLICE("My salary is 90000 euros");
	lesson_knows(&lesson, "drink", "tea", HOUR)->quote = SLICE("tea");
	lesson_knows(&lesson, "food", "soup", HOUR)->quote = SLICE("I like it too");
	lesson_must(&lesson,
		    "[{\"key\":\"salary\",\"forget\":true,\"quote\":\"forget my salary\"},"
		    "{\"key\":\"drink\",\"forget\":true,\"quote\":\"forget my salary\"},"
		    "{\"key\":\"food\",\"forget\":true,\"quote\":\"forget my salary\"}]",
		    4, 0);
	const struct change *change = lesson_change(&lesson, 3);
	ck_assert_int_eq(change->kind, CHANGE_HIDE);
	unit_assert_slice(change->fact.value, "My salary is 90000 euros");
	ck_assert_int_eq(change->fact.observed_at, TEN_O_CLOCK);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_sentence_that_several_facts_rest_on_is_looked_for_once)
{
	struct lesson lesson = lesson_of("Forget all about me.");
	struct slice both = SLICE("I live in Bern with Maria");
	lesson_knows(&lesson, "city", "Bern, Switzerland", HOUR)->quote = both;
	lesson_knows(&lesson, "partner", "Maria", HOUR)->quote = both;
	lesson_knows(&lesson, "drink", "tea", HOUR)->quote = SLICE("I like tea best");
	lesson_must(&lesson,
		    "[{\"entity\":\"user\",\"forget\":true,\"quote\":\"Forget all about me\"}]", 5,
		    0);
	unit_assert_slice(lesson_change(&lesson, 3)->fact.value, "I live in Bern with Maria");
	unit_assert_slice(lesson_change(&lesson, 4)->fact.value, "I like tea best");
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(what_no_fact_holds_is_hidden_in_the_turns)
{
	struct lesson lesson = lesson_of("Forget that I mentioned Project Nightjar");
	lesson_knows(&lesson, "likes", "chess", HOUR);
	lesson_must(&lesson, "{\"entities\":[{\"value\":\"Project Nightjar\",\"forget\":true}]}", 1,
		    0);
	const struct change *change = lesson_change(&lesson, 0);
	ck_assert_int_eq(change->kind, CHANGE_HIDE);
	unit_assert_slice(change->fact.value, "Project Nightjar");
	ck_assert_int_eq(change->fact.observed_at, TEN_O_CLOCK);
	ck_assert(lesson.learning.hide_exchange);
	struct lesson brief = lesson_of("Forget it, ok");
	lesson_must(&brief, "{\"entities\":[{\"value\":\"it\",\"forget\":true}]}", 0, 1);
	arena_finish(&lesson.arena);
	arena_finish(&brief.arena);
}
END_TEST

START_TEST(a_person_is_forgotten_with_what_names_them)
{
	struct lesson lesson = lesson_of("Forget everything about Maria.");
	struct fact *hers = lesson_knows(&lesson, "employer", "Siemens", HOUR);
	hers->entity = SLICE("Maria");
	lesson_knows(&lesson, "sister", "Maria", HOUR);
	lesson_knows(&lesson, "name", "Alex", HOUR);
	lesson_must(&lesson, "{\"entities\":[{\"entity\":\"maria\",\"forget\":true}]}", 2, 0);
	lesson_changed(&lesson, 1, CHANGE_FORGET, FACT_FORGOTTEN);
	lesson_changed(&lesson, 2, CHANGE_FORGET, FACT_FORGOTTEN);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_part_of_a_word_is_forgotten_under_its_key_only)
{
	struct lesson person = lesson_of("Forget everything about Ann.");
	lesson_knows(&person, "sister", "Joanna", HOUR);
	lesson_knows(&person, "aunt", "Ann from Ulm", HOUR);
	lesson_must(&person, "[{\"entity\":\"Ann\",\"forget\":true}]", 1, 0);
	lesson_changed(&person, 2, CHANGE_FORGET, FACT_FORGOTTEN);
	struct lesson drink = lesson_of("Forget the tea.");
	lesson_knows(&drink, "job", "team lead", HOUR);
	lesson_must(&drink, "[{\"key\":\"drink\",\"value\":\"tea\",\"forget\":true}]", 1, 0);
	ck_assert_int_eq(lesson_change(&drink, 0)->kind, CHANGE_HIDE);
	struct lesson pet = lesson_of("Forget the cat.");
	lesson_knows(&pet, "home", "a flat with two cats", HOUR);
	lesson_must(&pet, "[{\"key\":\"pet\",\"value\":\"cat\",\"forget\":true}]", 1, 0);
	lesson_changed(&pet, 1, CHANGE_FORGET, FACT_FORGOTTEN);
	struct lesson tool = lesson_of("Forget Chroma.");
	lesson_knows(&tool, "tool", "ChromaDB", HOUR);
	lesson_must(&tool, "[{\"key\":\"tool\",\"value\":\"Chroma\",\"forget\":true}]", 1, 0);
	lesson_changed(&tool, 1, CHANGE_FORGET, FACT_FORGOTTEN);
	arena_finish(&person.arena);
	arena_finish(&drink.arena);
	arena_finish(&pet.arena);
	arena_finish(&tool.arena);
}
END_TEST

START_TEST(a_value_that_was_not_kept_is_removed_and_forgotten_under_its_key)
{
	static const char *const answers[] = {
		"[{\"key\":\"phone\",\"value\":\"555 0199\",\"op\":\"remove\",\"pii\":true}]",
		"[{\"key\":\"phone\",\"value\":\"555 0199\",\"forget\":true,\"pii\":true}]",
	};
	static const enum fact_state states[] = {FACT_RETRACTED, FACT_FORGOTTEN};
	for (size_t i = 0; i < 2; i++) {
		struct lesson lesson =
			lesson_of(i == 0 ? "Do not call 555 0199 any more." : "Forget 555 0199.");
		lesson.turn.intake.pii = PII_REDACT;
		fact_mask(lesson_knows(&lesson, "phone", "555 0199", HOUR));
		fact_mask(lesson_knows(&lesson, "address", "Elm Street 5", HOUR));
		lesson_must(&lesson, answers[i], 1, 0);
		lesson_changed(&lesson, 1, i == 0 ? CHANGE_UPDATE : CHANGE_FORGET, states[i]);
		arena_finish(&lesson.arena);
	}
}
END_TEST

START_TEST(everything_about_the_user_can_be_forgotten)
{
	struct lesson lesson = lesson_of("Forget everything you know about me!");
	lesson_knows(&lesson, "name", "Alex", HOUR);
	lesson_knows(&lesson, "city", "Berlin", HOUR)->state = FACT_RETRACTED;
	lesson_must(&lesson,
		    "{\"entities\":[{\"entity\":\"user\",\"forget\":true,"
		    "\"quote\":\"Forget everything you know about me\"}]}",
		    2, 0);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(what_is_learned_and_forgotten_in_one_answer_leaves_nothing)
{
	struct lesson lesson = lesson_of("My pin is 4711. No, forget the pin.");
	lesson_knows(&lesson, "pin", "1234", HOUR);
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"pin\",\"value\":4711},"
		    "{\"key\":\"pin\",\"forget\":true}]}",
		    1, 0);
	lesson_changed(&lesson, 1, CHANGE_FORGET, FACT_FORGOTTEN);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(what_is_told_after_forgetting_is_new)
{
	struct lesson lesson = lesson_of("Forget my address; the address is Elm Street now.");
	lesson_knows(&lesson, "home_address", "Oak Road", HOUR);
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"home_address\",\"forget\":true},"
		    "{\"key\":\"home_address\",\"value\":\"Elm Street\"}]}",
		    2, 0);
	lesson_added(&lesson, 0, "user", "home_address", "Elm Street");
	lesson_changed(&lesson, 1, CHANGE_FORGET, FACT_FORGOTTEN);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(what_no_fact_holds_is_forgotten_where_the_user_said_it)
{
	static const struct {
		const char *before;
		size_t changes;
	} cases[] = {
		{"My PIN hint is my grandmother's birthday. I like tea.", 1},
		{"Today is my grandmother's birthday.", 0},
		{"My PIN hint is a walrus.", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lesson lesson = lesson_of("Please forget what I said about the PIN hint.");
		const struct turn before[] = {
			{.role = ROLE_USER, .text = slice_of(cases[i].before)},
			{.role = ROLE_ASSISTANT, .text = SLICE("Understood.")}};
		lesson.turn.before = before;
		lesson.turn.before_count = 2;
		ck_assert(lesson_read(
			&lesson, "[{\"key\":\"PIN hint\",\"value\":\"my grandmother's birthday\","
				 "\"quote\":\"forget what I said about the PIN hint\","
				 "\"forget\":true}]"));
		ck_assert_uint_eq(lesson.learning.change_count, cases[i].changes);
		if (cases[i].changes > 0) {
			ck_assert_int_eq(lesson_change(&lesson, 0)->kind, CHANGE_HIDE);
			unit_assert_slice(lesson_change(&lesson, 0)->fact.value,
					  "My PIN hint is my grandmother's birthday.");
		}
		arena_finish(&lesson.arena);
	}
}
END_TEST

START_TEST(a_late_request_to_forget_spares_what_was_said_after_it)
{
	struct lesson lesson = lesson_of("Forget my phone number");
	lesson_knows(&lesson, "phone", "111", HOUR);
	lesson_knows(&lesson, "phone", "222", -HOUR);
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"phone\",\"forget\":true}]}", 1, 0);
	lesson_changed(&lesson, 1, CHANGE_FORGET, FACT_FORGOTTEN);
	arena_finish(&lesson.arena);
}
END_TEST

/* The object stands before the verb, and is itself a verb used as a noun. */
START_TEST(a_verb_at_the_end_asks_to_forget)
{
	static const struct {
		const char *user;
		const char *key, *known, *value; /* of the fact, and in the model's answer */
		bool asks;
	} cases[] = {
		{"Lizbon'da yaşadığımı unut.", "city", "Lizbon", "Lizbon", true},
		{"Lizbon’da yaşadığımı unut!", "city", "Lizbon", "Lizbon", true},
		{"Lizbon'da yaşadığımı unut lütfen.", "city", "Lizbon", "", true},
		{"Adresimi sil.", "address", "Gül Sokak 5", "", true},
		{"Zora'yı unut.", "aunt", "Zora", "Zora", true},
		{"Kedimin adının Pamuk olduğunu unut.", "cat", "Pamuk", "Pamuk", true},
		{"Fındığa alerjim olduğunu unutur musun?", "allergy", "fındık", "fındık", true},
		{"Garanti Bankası'nda çalıştığımı sil.", "employer", "Garanti Bankası", "", true},
		{"Doğum günümün 5 Mayıs olduğunu unutun lütfen.", "birthday", "5 Mayıs", "5 Mayıs",
		 true},
		{"Telefon numaramı hafızandan sil.", "phone", "+90 212 555 1234", "", true},
		{"Unohda, että asun Tampereella.", "city", "Tampere", "Tampere", true},
		{"Poista puhelinnumeroni.", "phone", "+358 40 1234567", "", true},
		{"Felejtsd el, hogy Szegeden lakom.", "city", "Szeged", "Szeged", true},
		{"Töröld a címemet.", "address", "Tisza utca 5", "", true},
		{"Kardeşimin adının Emre olduğunu lütfen unut.", "brother", "Emre", "Emre", true},
		{"Ankara'ya taşındığımı unutabilir misin?", "city", "Ankara", "Ankara", true},
		{"E-posta adresimi hafızandan siler misin?", "email", "a@b.example", "", true},
		{"Şekersiz kahve sevdiğimi unut artık.", "drink", "şekersiz kahve",
		 "şekersiz kahve", true},
		{"Maaşımı unutun.", "salary", "50000", "", true},
		{"Unohda, että koirani nimi on Musti.", "dog", "Musti", "Musti", true},
		{"Felejtsd el a telefonszámomat!", "phone", "+36 1 234 5678", "", true},
		{"Töröld, hogy a kutyám neve Bodri.", "dog", "Bodri", "Bodri", true},
		{"Lizbon'da yaşadığımı unutma.", "city", "Lizbon", "Lizbon", false},
		{"Anahtarlarımı hep unuturum.", "keys", "anahtar", "anahtar", false},
		{"Anahtarımı evde unuttum.", "keys", "anahtar", "anahtar", false},
		{"Annem Lizbon'da yaşadığımı hep unutur.", "city", "Lizbon", "Lizbon", false},
		{"Lizbon'da yaşadığımı kim unutur?", "city", "Lizbon", "Lizbon", false},
		{"Lizbon'u asla unutmam.", "city", "Lizbon", "Lizbon", false},
		{"Älä unohda, että asun Tampereella.", "city", "Tampere", "Tampere", false},
		{"Unohdan aina, että asun Tampereella.", "city", "Tampere", "Tampere", false},
		{"Ne felejtsd el, hogy Szegeden lakom.", "city", "Szeged", "Szeged", false},
		{"Elfelejtettem, hogy Szegeden lakom.", "city", "Szeged", "Szeged", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lesson lesson = lesson_of(cases[i].user);
		lesson_knows(&lesson, cases[i].key, cases[i].known, 1000);
		struct slice answer = arena_printf(
			&lesson.arena,
			"[{\"key\":\"%s\",\"value\":\"%s\",\"quote\":\"%s\",\"confidence\":0.95,"
			"\"forget\":true}]",
			cases[i].key, cases[i].value, cases[i].user);
		ck_assert(lesson_read(&lesson, answer.data));
		bool is_gone = lesson.learning.change_count == 1 &&
			       lesson.learning.changes[0].kind == CHANGE_FORGET;
		ck_assert_msg(is_gone == cases[i].asks, "%s", cases[i].user);
		arena_finish(&lesson.arena);
	}
}
END_TEST

START_TEST(the_oldest_hidden_fact_gives_way_to_one_too_many)
{
	enum { FACTS = FACTS_HIDDEN_LIMIT + 1 };
	static struct fact facts[FACTS];
	struct lesson lesson = lesson_of("Please forget what I told you about my pet.");
	for (size_t i = 0; i < FACTS; i++)
		facts[i] = (struct fact){.id = i + 1,
					 .entity = SLICE("user"),
					 .kind = SLICE("user"),
					 .key = SLICE("likes"),
					 .value = SLICE("jazz"),
					 .many = true,
					 .exchange = 10 + i,
					 .observed_at = TEN_O_CLOCK - HOUR,
					 .ended_at = TEN_O_CLOCK - (int64_t)i,
					 .state = FACT_HIDDEN};
	struct fact *current = &facts[FACTS - 1];
	current->key = SLICE("canary");
	current->value = SLICE("Zwingli");
	current->state = FACT_CURRENT;
	lesson.turn.facts = facts;
	const struct slice answer =
		SLICE("[{\"key\":\"canary\",\"value\":\"Zwingli\",\"forget\":true}]");
	for (size_t known = FACTS; known >= FACTS - 1; known--) {
		/* the second time with one hidden fact less */
		lesson.turn.facts = facts + (FACTS - known);
		lesson.turn.fact_count = known;
		ck_assert(learn_facts_read(&lesson.turn, answer, &lesson.learning, &lesson.arena));
		size_t erased = 0;
		for (size_t i = 0; i < lesson.learning.change_count; i++)
			erased += lesson.learning.changes[i].kind == CHANGE_FORGET;
		ck_assert_uint_eq(erased, known == FACTS ? 1 : 0);
		(void)lesson_changed(&lesson, FACTS, CHANGE_CONCEAL, FACT_HIDDEN);
		if (known == FACTS)
			(void)lesson_changed(&lesson, FACTS - 1, CHANGE_FORGET, FACT_FORGOTTEN);
	}
	arena_finish(&lesson.arena);
}
END_TEST

UNIT_MAIN("learn_forget", a_verb_at_the_end_asks_to_forget,
	  forgetting_a_key_erases_its_whole_history, forgetting_by_value_finds_it_under_another_key,
	  what_was_said_again_in_the_same_words_is_hidden_with_its_fact,
	  a_sentence_that_several_facts_rest_on_is_looked_for_once,
	  what_no_fact_holds_is_hidden_in_the_turns, a_person_is_forgotten_with_what_names_them,
	  a_part_of_a_word_is_forgotten_under_its_key_only,
	  a_value_that_was_not_kept_is_removed_and_forgotten_under_its_key,
	  everything_about_the_user_can_be_forgotten,
	  what_is_learned_and_forgotten_in_one_answer_leaves_nothing,
	  what_is_told_after_forgetting_is_new,
	  what_no_fact_holds_is_forgotten_where_the_user_said_it,
	  a_late_request_to_forget_spares_what_was_said_after_it,
	  the_oldest_hidden_fact_gives_way_to_one_too_many)
