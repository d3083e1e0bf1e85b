#include "tests/unit/learn_fixture.h"

#include <stdio.h>

START_TEST(a_new_fact_has_all_that_the_turn_says)
{
	struct lesson lesson = lesson_of("Hi! My name is Alex and I'm building a RAG system.");
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"Name\",\"value\":\"Alex\",\"confidence\":0.95,"
		    "\"quote\":\"My name is Alex\",\"pii\":true,\"valid_until\":\"2027-01-31\"}]}",
		    1, 0);
	lesson_added(&lesson, 0, "user", "name", "Alex");
	const struct fact *fact = &lesson.learning.changes[0].fact;
	unit_assert_slice(fact->kind, "user");
	unit_assert_slice(fact->quote, "My name is Alex");
	ck_assert(fact->pii && !fact->many);
	ck_assert_uint_eq(fact->exchange, 100);
	ck_assert_int_eq(fact->observed_at, TEN_O_CLOCK);
	ck_assert_int_eq(fact->expires_at, INT64_C(1801439999999)); /* the end of that day */
	ck_assert_int_eq(fact->state, FACT_CURRENT);
	ck_assert(!lesson.learning.hide_exchange);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_correction_supersedes_and_says_by_what)
{
	struct lesson lesson = lesson_of("Actually I moved from ChromaDB to Qdrant.");
	lesson_knows(&lesson, "vector_store", "ChromaDB", HOUR);
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"vector-store\",\"value\":\"Qdrant\","
		    "\"quote\":\"moved from ChromaDB to Qdrant\"}]}",
		    2, 0);
	lesson_added(&lesson, 0, "user", "vector_store", "Qdrant");
	const struct change *old = lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_SUPERSEDED);
	ck_assert_int_eq(old->replaced_by, 0);
	ck_assert_int_eq(old->fact.ended_at, TEN_O_CLOCK);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(the_same_value_again_only_refreshes)
{
	struct lesson lesson = lesson_of("As I said, chroma  db it is: CHROMADB");
	struct fact *known = lesson_knows(&lesson, "vector_store", "ChromaDB", HOUR);
	known->expires_at = TEN_O_CLOCK - 1;
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"vectorStore\",\"value\":\"chromadb\"}]}", 1,
		    0);
	const struct change *change = lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_CURRENT);
	unit_assert_slice(change->fact.value, "ChromaDB");
	ck_assert_int_eq(change->fact.observed_at, TEN_O_CLOCK);
	ck_assert_int_eq(change->fact.expires_at, 0);
	ck_assert_int_eq(change->replaced_by, -1);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_late_older_turn_never_overrides)
{
	struct lesson lesson = lesson_of("I live in Hamburg.");
	lesson_knows(&lesson, "city", "Berlin", -HOUR);
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"city\",\"value\":\"Hamburg\"}]}", 1, 0);
	lesson_added(&lesson, 0, "user", "city", "Hamburg");
	const struct fact *late = &lesson.learning.changes[0].fact;
	ck_assert_int_eq(late->state, FACT_SUPERSEDED);
	ck_assert_int_eq(late->ended_at, TEN_O_CLOCK + HOUR);
	ck_assert_uint_eq(late->superseded_by, 1);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_late_older_turn_that_says_the_same_changes_nothing)
{
	struct lesson lesson = lesson_of("I live in Berlin.");
	lesson_knows(&lesson, "city", "Berlin", -HOUR);
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"city\",\"value\":\"Berlin\"}]}", 0, 0);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_newer_fact_that_has_ended_since_is_still_newer)
{
	struct lesson lesson = lesson_of("I live in Hamburg.");
	struct fact *ended = lesson_knows(&lesson, "city", "Berlin", -HOUR);
	ended->state = FACT_RETRACTED;
	ended->ended_at = TEN_O_CLOCK + 2 * HOUR;
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"city\",\"value\":\"Hamburg\"}]}", 1, 0);
	ck_assert_int_eq(lesson.learning.changes[0].fact.state, FACT_SUPERSEDED);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_newer_retraction_of_an_older_fact_stands_too)
{
	struct lesson lesson = lesson_of("I live in Hamburg.");
	struct fact *ended = lesson_knows(&lesson, "city", "Berlin", HOUR);
	ended->state = FACT_RETRACTED;
	ended->ended_at = TEN_O_CLOCK + HOUR;
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"city\",\"value\":\"Hamburg\"}]}", 1, 0);
	ck_assert_int_eq(lesson.learning.changes[0].fact.state, FACT_SUPERSEDED);
	ck_assert_int_eq(lesson.learning.changes[0].fact.ended_at, TEN_O_CLOCK + HOUR);
	ck_assert_uint_eq(lesson.learning.changes[0].fact.superseded_by, 0);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(of_the_same_instant_the_later_exchange_wins)
{
	for (uint64_t exchange = 99; exchange <= 101; exchange += 2) {
		struct lesson lesson = lesson_of("I live in Hamburg.");
		lesson_knows(&lesson, "city", "Berlin", 0)->exchange = exchange;
		bool wins = exchange < lesson.turn.exchange;
		lesson_must(&lesson, "{\"entities\":[{\"key\":\"city\",\"value\":\"Hamburg\"}]}",
			    wins ? 2 : 1, 0);
		ck_assert_int_eq(lesson.learning.changes[0].fact.state,
				 wins ? FACT_CURRENT : FACT_SUPERSEDED);
		arena_finish(&lesson.arena);
	}
}
END_TEST

START_TEST(one_of_several_stays_beside_the_others)
{
	struct lesson lesson = lesson_of("I also speak Spanish and German.");
	lesson_knows(&lesson, "languages", "German", HOUR);
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"languages\",\"value\":[\"Spanish\",\"german\"]}]}",
		    2, 0);
	lesson_added(&lesson, 0, "user", "languages", "Spanish");
	ck_assert(lesson.learning.changes[0].fact.many);
	lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_CURRENT);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_set_replaces_all_of_several)
{
	struct lesson lesson = lesson_of("I only use Rust now, no more C or Go.");
	lesson_knows(&lesson, "language", "C", HOUR)->many = true;
	lesson_knows(&lesson, "language", "Go", HOUR)->many = true;
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"language\",\"value\":\"Rust\"}]}", 3, 0);
	lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_SUPERSEDED);
	lesson_changed(&lesson, 2, CHANGE_UPDATE, FACT_SUPERSEDED);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(setting_one_of_several_again_ends_the_others)
{
	struct lesson lesson = lesson_of("Only Go from now on.");
	lesson_knows(&lesson, "language", "C", HOUR)->many = true;
	lesson_knows(&lesson, "language", "Go", HOUR)->many = true;
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"language\",\"value\":\"Go\"}]}", 2, 0);
	const struct change *old = lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_SUPERSEDED);
	ck_assert_uint_eq(lesson_change(&lesson, (size_t)old->replaced_by)->fact.id, 2);
	lesson_changed(&lesson, 2, CHANGE_UPDATE, FACT_CURRENT);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_late_addition_stands_beside_newer_ones_but_not_against_a_newer_set)
{
	static const char answer[] =
		"{\"entities\":[{\"key\":\"pets\",\"value\":\"a cat\",\"op\":\"add\"}]}";
	struct lesson beside = lesson_of("I have a cat.");
	lesson_knows(&beside, "pets", "a dog", -HOUR)->many = true;
	lesson_must(&beside, answer, 1, 0);
	ck_assert_int_eq(beside.learning.changes[0].fact.state, FACT_CURRENT);
	struct lesson against = lesson_of("I have a cat.");
	lesson_knows(&against, "pets", "a dog", -HOUR);
	lesson_must(&against, answer, 1, 0);
	ck_assert_int_eq(against.learning.changes[0].fact.state, FACT_SUPERSEDED);
	arena_finish(&beside.arena);
	arena_finish(&against.arena);
}
END_TEST

START_TEST(later_entries_see_what_earlier_ones_did)
{
	struct lesson lesson = lesson_of("Forget Java: I know Python and also Lua now.");
	lesson_knows(&lesson, "language", "Java", HOUR);
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"language\",\"value\":\"Python\"},"
		    "{\"key\":\"language\",\"value\":\"Lua\",\"op\":\"add\"},"
		    "{\"key\":\"language\",\"value\":\"python\",\"op\":\"add\"}]}",
		    3, 0);
	lesson_added(&lesson, 0, "user", "language", "Python");
	lesson_added(&lesson, 1, "user", "language", "Lua");
	ck_assert_int_eq(lesson.learning.changes[0].fact.state, FACT_CURRENT);
	ck_assert_int_eq(lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_SUPERSEDED)->replaced_by,
			 0);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(what_one_answer_sets_twice_ends_with_the_last)
{
	struct lesson lesson = lesson_of("Call me Bob. No, Alex!");
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"name\",\"value\":\"Bob\"},"
		    "{\"key\":\"name\",\"value\":\"Alex\"}]}",
		    2, 0);
	ck_assert_int_eq(lesson.learning.changes[0].fact.state, FACT_SUPERSEDED);
	ck_assert_int_eq(lesson.learning.changes[0].replaced_by, 1);
	ck_assert_int_eq(lesson.learning.changes[1].fact.state, FACT_CURRENT);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_negation_retracts_only_what_it_names)
{
	struct lesson lesson = lesson_of("Ich benutze ChromaDB nicht mehr.");
	lesson_knows(&lesson, "store", "ChromaDB", HOUR)->many = true;
	lesson_knows(&lesson, "store", "Qdrant", HOUR)->many = true;
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"store\",\"value\":\"ChromaDB\",\"op\":\"remove\","
		    "\"quote\":\"benutze ChromaDB nicht mehr\"}]}",
		    1, 0);
	const struct change *change = lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_RETRACTED);
	ck_assert_int_eq(change->fact.ended_at, TEN_O_CLOCK);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_removal_without_a_value_retracts_all_of_its_key)
{
	struct lesson lesson = lesson_of("I have no pets any more.");
	lesson_knows(&lesson, "pets", "a cat", HOUR)->many = true;
	lesson_knows(&lesson, "pets", "a dog", HOUR)->many = true;
	lesson_knows(&lesson, "pets", "a fish", -HOUR)->many = true; /* said later: stays */
	lesson_knows(&lesson, "name", "Alex", HOUR);
	lesson_must(&lesson, "{\"entities\":[{\"key\":\"pets\",\"op\":\"remove\"}]}", 2, 0);
	lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_RETRACTED);
	lesson_changed(&lesson, 2, CHANGE_UPDATE, FACT_RETRACTED);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_removal_finds_a_value_by_its_part_but_prefers_the_very_value)
{
	static const char answer[] =
		"{\"entities\":[{\"key\":\"tool\",\"value\":\"Chroma\",\"op\":\"remove\"}]}";
	struct lesson part = lesson_of("I dropped Chroma.");
	lesson_knows(&part, "tool", "Chroma DB 0.5", HOUR);
	lesson_must(&part, answer, 1, 0);
	struct lesson whole = lesson_of("I dropped Chroma.");
	lesson_knows(&whole, "tool", "Chroma DB 0.5", HOUR);
	lesson_knows(&whole, "tool", "chroma", HOUR);
	lesson_must(&whole, answer, 1, 0);
	lesson_changed(&whole, 2, CHANGE_UPDATE, FACT_RETRACTED);
	struct lesson nothing = lesson_of("I dropped Chroma.");
	lesson_knows(&nothing, "tool", "C", HOUR);
	lesson_must(&nothing, answer, 0, 0);
	arena_finish(&part.arena);
	arena_finish(&whole.arena);
	arena_finish(&nothing.arena);
}
END_TEST

START_TEST(what_was_not_kept_is_in_no_other_facts_quote)
{
	static const char answer[] =
		"[{\"key\":\"city\",\"value\":\"Lisbon\",\"quote\":\"I am in Lisbon, 555 0199\"},"
		"{\"key\":\"phone\",\"value\":\"555 0199\",\"pii\":true,\"quote\":\"555 0199\"},"
		"{\"key\":\"drink\",\"value\":\"tea\",\"quote\":\"I like tea\"}]";
	for (enum pii pii = PII_KEEP; pii <= PII_DROP; pii++) {
		struct lesson lesson = lesson_of("I am in Lisbon, 555 0199. I like tea.");
		lesson.turn.intake.pii = pii;
		lesson_must(&lesson, answer, pii == PII_DROP ? 2 : 3, pii == PII_DROP);
		size_t last = lesson.learning.change_count - 1;
		unit_assert_slice(lesson_change(&lesson, 0)->fact.quote,
				  pii == PII_KEEP ? "I am in Lisbon, 555 0199" : "");
		unit_assert_slice(lesson_change(&lesson, last)->fact.quote, "I like tea");
		arena_finish(&lesson.arena);
	}
}
END_TEST

/* Dates come out absolute, numbers in one form. */
START_TEST(what_was_not_kept_is_in_no_quote_in_the_words_it_was_said_in)
{
	static const char answer[] =
		"[{\"key\":\"name\",\"value\":\"Ann\",\"quote\":\"I am Ann, born on 5 March\"},"
		"{\"key\":\"born\",\"value\":\"1990-03-05\",\"pii\":true,\"quote\":\"born on 5 "
		"March\"},"
		"{\"key\":\"city\",\"value\":\"Lisbon\",\"quote\":\"and live in Lisbon\"}]";
	struct lesson lesson = lesson_of("I am Ann, born on 5 March 1990, and live in Lisbon.");
	lesson.turn.intake.pii = PII_REDACT;
	lesson_must(&lesson, answer, 3, 0);
	unit_assert_slice(lesson_change(&lesson, 0)->fact.value, "Ann");
	unit_assert_slice(lesson_change(&lesson, 0)->fact.quote, "");
	unit_assert_slice(lesson_change(&lesson, 2)->fact.quote, "and live in Lisbon");
	arena_finish(&lesson.arena);
}
END_TEST

/* The turn was stored before the class was to be masked. */
START_TEST(a_class_is_masked_or_dropped_in_a_fact)
{
	static const char answer[] =
		"[{\"key\":\"name\",\"value\":\"Ann\",\"quote\":\"I am Ann, ann@example.com\"},"
		"{\"key\":\"email\",\"value\":\"ann@example.com\",\"quote\":\"ann@example.com\"},"
		"{\"key\":\"illness\",\"value\":\"asthma\",\"pii\":\"health\",\"quote\":\"have "
		"asthma\"},"
		"{\"key\":\"likes\",\"value\":\"figs\",\"pii\":\"tasty\",\"quote\":\"like figs\"}]";
	static const char said[] = "I am Ann, ann@example.com, have asthma and like figs.";
	struct lesson lesson = lesson_of(said);
	lesson.turn.intake.policy.mask = PII_BIT(PII_EMAIL) | PII_BIT(PII_HEALTH);
	lesson_must(&lesson, answer, 5, 0);
	unit_assert_slice(lesson_change(&lesson, 0)->fact.quote, ""); /* says a masked value */
	ck_assert(lesson_change(&lesson, 1)->fact.pii && lesson_change(&lesson, 2)->fact.pii);
	unit_assert_slice(lesson_change(&lesson, 1)->fact.value, "[redacted: email]");
	ck_assert(fact_is_masked(&lesson_change(&lesson, 2)->fact));
	ck_assert(!lesson_change(&lesson, 3)->fact.pii);
	/* A claim of the model alone takes effect from this turn on. */
	ck_assert_int_eq(lesson_change(&lesson, 4)->kind, CHANGE_MASK);
	unit_assert_slice(lesson_change(&lesson, 4)->fact.value, "asthma");
	unit_assert_slice(lesson_change(&lesson, 4)->fact.quote, "have asthma");
	ck_assert_uint_eq(lesson_change(&lesson, 4)->fact.classes, PII_BIT(PII_HEALTH));
	arena_finish(&lesson.arena);
	lesson = lesson_of(said);
	lesson.turn.intake.policy.drop = PII_BIT(PII_EMAIL) | PII_BIT(PII_HEALTH);
	lesson_must(&lesson, answer, 3, 2);
	ck_assert_int_eq(lesson_change(&lesson, 2)->kind, CHANGE_MASK);
	unit_assert_slice(lesson_change(&lesson, 1)->fact.value, "figs");
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_prompt_asks_for_classes_only_where_one_is_wanted)
{
	struct lesson lesson = lesson_of("I have asthma.");
	struct slice plain = learn_facts_prompt(&lesson.turn, &lesson.arena).system;
	ck_assert_uint_eq(slice_find(plain, SLICE("sex_life"), 0), plain.size);
	lesson.turn.intake.policy.mask = PII_BIT(PII_EMAIL);
	unit_assert_slice(learn_facts_prompt(&lesson.turn, &lesson.arena).system, plain.data);
	lesson.turn.intake.policy.hide = PII_BIT(PII_HEALTH);
	struct learn_prompt asks = learn_several_prompt(&lesson.turn, 1, &lesson.arena);
	ck_assert(slice_starts_with(asks.system, plain));
	ck_assert_uint_lt(slice_find(asks.system, SLICE("sex_life"), 0), asks.system.size);
	ck_assert_uint_lt(slice_find(asks.schema, SLICE("\"pii\":{\"type\":[\"boolean\""), 0),
			  asks.schema.size);
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(third_persons_are_entities_of_their_own)
{
	struct lesson lesson = lesson_of("My colleague Maria works at Siemens.");
	lesson_knows(&lesson, "employer", "Bosch", HOUR);
	struct fact *known = lesson_knows(&lesson, "city", "Munich", HOUR);
	known->entity = SLICE("Maria");
	known->kind = SLICE("person");
	lesson_must(&lesson,
		    "{\"entities\":[{\"entity\":\"MARIA\",\"key\":\"employer\","
		    "\"value\":\"Siemens\"}]}",
		    1, 0);
	lesson_added(&lesson, 0, "Maria", "employer", "Siemens");
	unit_assert_slice(lesson.learning.changes[0].fact.kind, "person");
	arena_finish(&lesson.arena);
}
END_TEST

START_TEST(a_user_is_always_of_the_kind_user_and_nobody_else_is)
{
	struct lesson lesson = lesson_of("I am Alex, and Rex is a dog.");
	lesson_must(&lesson,
		    "{\"entities\":[{\"entity\":\"I\",\"kind\":\"person\",\"key\":\"name\","
		    "\"value\":\"Alex\"},{\"entity\":\"Rex\",\"kind\":\"user\","
		    "\"key\":\"species\",\"value\":\"dog\"},{\"entity\":\"Rex\","
		    "\"key\":\"name\",\"value\":\"Rex\",\"kind\":\"ghost\"}]}",
		    3, 0);
	unit_assert_slice(lesson.learning.changes[0].fact.kind, "user");
	unit_assert_slice(lesson.learning.changes[0].fact.entity, "user");
	unit_assert_slice(lesson.learning.changes[1].fact.kind, "thing");
	unit_assert_slice(lesson.learning.changes[2].fact.kind, "thing");
	arena_finish(&lesson.arena);
}
END_TEST

/* How many values of the only key stand after the answer, and that the last of them does. */
static size_t standing_after(const char *user, const char *key, const char *first,
			     const char *second)
{
	struct lesson lesson = lesson_of(user);
	lesson_knows(&lesson, key, "Max", HOUR);
	char answer[512];
	(void)snprintf(answer, sizeof(answer),
		       "{\"entities\":[{\"key\":\"%s\",\"value\":\"%s\"},"
		       "{\"key\":\"%s\",\"value\":\"%s\"}]}",
		       key, first, key, second);
	ck_assert(lesson_read(&lesson, answer));
	size_t standing = 0;
	for (size_t i = 0; i < lesson.learning.change_count; i++) {
		const struct change *change = &lesson.learning.changes[i];
		const bool stands = change->fact.state == FACT_CURRENT;
		standing += stands;
		if (stands && standing == 2)
			ck_assert(change->fact.many && lesson.learning.changes[0].fact.many);
		if (slice_equal(change->fact.value, slice_of(second)))
			ck_assert_msg(stands, "%s", user);
	}
	/* Earlier statements give way. */
	(void)lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_SUPERSEDED);
	arena_finish(&lesson.arena);
	return standing;
}

START_TEST(values_told_side_by_side_are_several_and_others_follow_each_other)
{
	static const struct {
		const char *user;
		const char *key;
		const char *first;
		const char *second;
		size_t standing;
	} cases[] = {
		{"I have two children, Ben and Ida.", "children", "Ben", "Ida", 2},
		{"My kids are Ben (7) and little Ida (4).", "kid", "Ben", "Ida", 2},
		{"My favourite colours are green and blue.", "favorite_color", "green", "blue", 2},
		{"Ich wohne in Ulm und Bern.", "wohnort", "Ulm", "Bern", 2},
		{"I have homes in Ulm and in Bern.", "home", "Ulm", "Bern", 2},
		{"I have homes in Ulm as well as in Bern.", "city", "Ulm", "Bern", 2},
		{"Ich arbeite bei Acme sowie bei Globex.", "arbeitgeber", "Acme", "Globex", 2},
		{"I am both a nurse and a painter.", "job", "nurse", "painter", 2},
		{"I have French as well as Swiss papers.", "nationality", "French", "Swiss", 2},
		{"Ich habe die deutsche und die polnische Staatsangehörigkeit.", "nationalität",
		 "deutsche", "polnische", 2},
		{"Write to a@x.org (work) and b@y.org (home).", "email", "a@x.org", "b@y.org", 2},
		{"I'm a teacher, and I also work as a barista.", "job", "teacher", "barista", 2},
		{"J'habite à Paris ainsi qu'à Lyon; je travaille à Paris et à Lyon.", "ville",
		 "Paris", "Lyon", 2},
		{"Vivo en Madrid y en Sevilla.", "ciudad", "Madrid", "Sevilla", 2},
		{"住在东京和大阪", "城市", "东京", "大阪", 2},
		{"Ik woon in Ulm en in Bern.", "woonplaats", "Ulm", "Bern", 2},
		{"Lavoro per Acme e per Globex.", "azienda", "Acme", "Globex", 2},
		{"Saya tinggal di Ulm dan Bern.", "city", "Ulm", "Bern", 2},
		{"Mieszkam w Ulm i w Bern.", "city", "Ulm", "Bern", 2},
		{"Ik woonde eerst in Ulm en daarna, dan in Bern.", "woonplaats", "Ulm", "Bern", 1},
		{"Ya no vivo en Ulm, en Bern vivo ahora.", "ciudad", "Ulm", "Bern", 1},
		{"Ich wohne nicht in Ulm, ja, Bern.", "wohnort", "Ulm", "Bern", 1},
		{"Ik woonde in Ulm, dan in Bern.", "woonplaats", "Ulm", "Bern", 1},
		{"I live in Ulm and before that I also lived in Bern.", "city", "Ulm", "Bern", 1},
		{"I left Ulm and also moved to Bern.", "city", "Ulm", "Bern", 1},
		{"I left Ulm, and my wife too, and we moved to Bern.", "city", "Ulm", "Bern", 1},
		{"I lived in Ulm and loved it! Later I also moved to Bern.", "city", "Ulm", "Bern",
		 1},
		{"I quit Acme and too late I joined Globex.", "employer", "Acme", "Globex", 1},
		{"I was in Ulm and (now that I moved to Bern) I am happy.", "city", "Ulm", "Bern",
		 1},
		{"I was in Ulm, and (since May) in Bern.", "city", "Ulm", "Bern", 1},
		{"Rome and Bernina were fun. Now I live in Bern.", "city", "Rome", "Bern", 1},
		{"I moved from Ulm to Bern.", "city", "Ulm", "Bern", 1},
		{"I lived in Ulm and then in Bern.", "city", "Ulm", "Bern", 1},
		{"I was in Ulm, now in Bern.", "city", "Ulm", "Bern", 1},
		{"I live in Ulm, no, in Bern.", "city", "Ulm", "Bern", 1},
		{"I left Ulm, and moved to Bern.", "city", "Ulm", "Bern", 1},
		{"I work at Acme, and I don't also work at Globex.", "employer", "Acme", "Globex",
		 1},
		{"I am 34, 35 next week.", "age", "34", "35", 1},
		{"I live in Ulm. Sorry, in Bern.", "city", "Ulm", "Bern", 1},
		{"I used to work on project Lumen. Now my project is Aurora.", "project", "Lumen",
		 "Aurora", 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(standing_after(cases[i].user, cases[i].key, cases[i].first,
					     cases[i].second) == cases[i].standing,
			      "%s", cases[i].user);
}
END_TEST

START_TEST(a_third_value_told_with_two_others_stands_with_them)
{
	struct lesson lesson = lesson_of("My kids are Ben, Ida and Tom.");
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"kids\",\"value\":\"Ben\"},"
		    "{\"key\":\"kids\",\"value\":\"Ida\"},{\"key\":\"Kids\",\"value\":\"Tom\"}]}",
		    3, 0);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(lesson.learning.changes[i].fact.state, FACT_CURRENT);
		ck_assert(lesson.learning.changes[i].fact.many);
	}
	arena_finish(&lesson.arena);
	/* Under keys that have one value as a rule, too; commas alone join three. */
	static const char *const said[] = {
		"I work for Acme, Globex and Initech.", "My employers: Acme, Globex, Initech.",
		"I work for Acme and for Globex, and also work for Initech."};
	for (size_t i = 0; i < 3; i++) {
		lesson = lesson_of(said[i]);
		lesson_must(&lesson,
			    "{\"entities\":[{\"key\":\"employer\",\"value\":\"Acme\"},"
			    "{\"key\":\"company\",\"value\":\"Globex\"},"
			    "{\"key\":\"employer\",\"value\":\"Initech\"}]}",
			    3, 0);
		for (size_t j = 0; j < 3; j++)
			ck_assert_int_eq(lesson.learning.changes[j].fact.state, FACT_CURRENT);
		arena_finish(&lesson.arena);
	}
	lesson = lesson_of("My kids are Ben, Ida and Tom.");
	/* One that was known alone is one of several from now on. */
	lesson_knows(&lesson, "kids", "Ida", HOUR);
	lesson_must(&lesson,
		    "{\"entities\":[{\"key\":\"kids\",\"value\":\"Ben\"},"
		    "{\"key\":\"kids\",\"value\":\"Ida\"}]}",
		    2, 0);
	ck_assert(lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_CURRENT)->fact.many);
	struct fact stored = lesson.facts[0];
	ck_assert(change_update_fact(
		&stored, true, lesson_changed(&lesson, 1, CHANGE_UPDATE, FACT_CURRENT), 0, 100));
	ck_assert(stored.many);
	arena_finish(&lesson.arena);
}
END_TEST

UNIT_MAIN("learn", values_told_side_by_side_are_several_and_others_follow_each_other,
	  a_third_value_told_with_two_others_stands_with_them,
	  a_class_is_masked_or_dropped_in_a_fact,
	  a_prompt_asks_for_classes_only_where_one_is_wanted, a_new_fact_has_all_that_the_turn_says,
	  a_correction_supersedes_and_says_by_what, the_same_value_again_only_refreshes,
	  a_late_older_turn_never_overrides, a_late_older_turn_that_says_the_same_changes_nothing,
	  a_newer_fact_that_has_ended_since_is_still_newer,
	  a_newer_retraction_of_an_older_fact_stands_too,
	  of_the_same_instant_the_later_exchange_wins, one_of_several_stays_beside_the_others,
	  a_set_replaces_all_of_several, setting_one_of_several_again_ends_the_others,
	  a_late_addition_stands_beside_newer_ones_but_not_against_a_newer_set,
	  later_entries_see_what_earlier_ones_did, what_one_answer_sets_twice_ends_with_the_last,
	  a_negation_retracts_only_what_it_names, a_removal_without_a_value_retracts_all_of_its_key,
	  a_removal_finds_a_value_by_its_part_but_prefers_the_very_value,
	  what_was_not_kept_is_in_no_other_facts_quote,
	  what_was_not_kept_is_in_no_quote_in_the_words_it_was_said_in,
	  third_persons_are_entities_of_their_own,
	  a_user_is_always_of_the_kind_user_and_nobody_else_is)
