/* Tests what a chat is given: replays that still hold, and what is left out. */
#include "chat_fixture.h"
#include "core/text/text.h"
#include "unit.h"

struct standing {
	struct chat_fixture f;
	struct fact fact;
	uint64_t id;
};

/* A block stands that was made in this mode, of a fact that is current. */
static void begin_standing(struct standing *s)
{
	chat_fixture_begin(&s->f, MODE_ENTITY);
	s->id = 7;
	s->fact = (struct fact){.id = 7,
				.entity = SLICE("user"),
				.key = SLICE("boat"),
				.value = SLICE("Petrel"),
				.state = FACT_CURRENT,
				.exchange = 3};
	s->f.view.facts = &s->fact;
	s->f.view.fact_count = 1;
	s->f.view.answers = s->f.view.next_ordinal = 1;
	s->f.view.has_frozen = true;
	s->f.view.frozen = (struct frozen){.mode = MODE_ENTITY,
					   .tokens = 10,
					   .block = SLICE("BLOCK"),
					   .facts = &s->id,
					   .fact_count = 1};
}

static bool stands(struct standing *s, const char *messages)
{
	(void)chat_fixture_decide(&s->f, messages);
	bool is_given = unit_has(chat_fixture_inject(&s->f), "BLOCK");
	ck_assert_int_eq(s->f.chat.decided.stands, is_given);
	ck_assert_int_eq(s->f.chat.injected.is_fresh, !is_given);
	chat_fixture_end(&s->f);
	begin_standing(s);
	return is_given;
}

/* An older version froze turns as a chat's messages. */
START_TEST(turns_frozen_as_messages_go_in_as_they_were_frozen)
{
	const char *turns = USER("q") "," ASSISTANT("r") ",";
	struct standing s;
	begin_standing(&s);
	s.f.view.frozen.chat_turns = slice_of(turns);
	(void)chat_fixture_decide(&s.f, SYSTEM("s") "," USER("Q") "," CALL "," RESULT);
	ck_assert(s.f.chat.decided.stands);
	ck_assert(unit_has(chat_fixture_inject(&s.f),
			   "BLOCK\"}," USER("q") "," ASSISTANT("r") "," USER("Q")));
	chat_fixture_end(&s.f);
}
END_TEST

START_TEST(what_was_given_stands_until_something_in_it_changes)
{
	const char *history = USER("a") "," ASSISTANT("b") "," USER("The boat?");
	struct standing s;
	begin_standing(&s);
	ck_assert(stands(&s, history));
	s.f.view.has_frozen = false;
	ck_assert(!stands(&s, history));
	s.f.view.frozen.mode = MODE_VECTOR;
	ck_assert(!stands(&s, history));
	s.f.view.last_active = CHAT_NOW - 60 * 60 * 1000 + 1;
	ck_assert(stands(&s, history));
	s.f.view.last_active = CHAT_NOW - 60 * 60 * 1000;
	ck_assert(!stands(&s, history));
	s.f.view.leaves_out = true;
	ck_assert(!stands(&s, history));
	s.f.view.leaves_out = true;
	s.f.view.answers = 0;
	ck_assert(stands(&s, history));
	s.f.view.frozen.turns = SLICE("x");
	ck_assert(!stands(&s, history));
	s.f.view.frozen.chat_turns = SLICE("{},");
	ck_assert(!stands(&s, history));
	s.f.view.frozen.cut_before = 1;
	ck_assert(!stands(&s, history));
	s.fact.state = FACT_SUPERSEDED;
	ck_assert(!stands(&s, history));
	s.f.view.fact_count = 0;
	ck_assert(!stands(&s, history));
	s.f.view.frozen.tokens = 5000; /* more than the conversation may have now */
	ck_assert(!stands(&s, history));
	chat_fixture_end(&s.f);
}
END_TEST

START_TEST(what_shows_what_no_model_may_be_given_by_now_does_not_stand)
{
	static const struct {
		unsigned hide;
		const char *block;
		bool stands;
	} cases[] = {
		{0, "BLOCK ann@example.com, asthma", true},
		{PII_BIT(PII_IBAN), "BLOCK ann@example.com, asthma", true},
		{PII_BIT(PII_EMAIL), "BLOCK ann@example.com, asthma", false},
		{PII_BIT(PII_HEALTH), "BLOCK ann@example.com, asthma", false},
		{PII_BIT(PII_HEALTH) | PII_BIT(PII_EMAIL), "BLOCK of a boat", true},
	};
	struct standing s;
	begin_standing(&s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.f.settings.pii.hide = cases[i].hide;
		s.f.view.frozen.block = slice_of(cases[i].block);
		s.fact.classes = PII_BIT(PII_HEALTH);
		s.fact.value = SLICE("asthma");
		ck_assert_int_eq(stands(&s, USER("a") "," ASSISTANT("b") "," USER("The boat?")),
				 cases[i].stands);
	}
	chat_fixture_end(&s.f);
}
END_TEST

START_TEST(what_a_refused_request_was_given_stands_for_its_retry_and_is_all_it_gets)
{
	for (int is_retry = 0; is_retry < 2; is_retry++) {
		struct chat_fixture f;
		chat_fixture_begin(&f, MODE_VECTOR);
		f.view.has_frozen = true;
		f.view.frozen.facts = (uint64_t[]){7}; /* which is gone */
		f.view.frozen.fact_count = 1;
		ck_assert_int_eq(chat_fixture_enter(&f, "", USER("The boat?")), CHAT_LOAD);
		f.chat.read.request.is_retry = is_retry != 0;
		chat_load(&f.chat, CHAT_NOW, &f.load, &f.arena);
		ck_assert_int_eq(chat_decide(&f.chat, &f.view, CHAT_NOW, &f.arena),
				 is_retry ? CHAT_READY : CHAT_RECALL);
		ck_assert_int_eq(f.chat.decided.stands, is_retry != 0);
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(what_an_earlier_turn_was_given_stands_with_its_facts)
{
	const char *history = USER("a") "," ASSISTANT("b") "," USER("The boat?");
	const uint64_t gone = 8;
	struct replay replay = {.user_hash = text_hash(SLICE("a")),
				.tokens = 3,
				.text = SLICE("REPLAY"),
				.turns = &(uint64_t){40},
				.turn_count = 1};
	struct standing s;
	begin_standing(&s);
	s.f.view.replays = &replay;
	s.f.view.replay_count = 1;
	(void)chat_fixture_decide(&s.f, history);
	ck_assert(unit_has(chat_fixture_inject(&s.f), "REPLAY"));
	ck_assert_uint_ge(s.f.chat.injected.tokens, 13);
	chat_fixture_end(&s.f);
	begin_standing(&s);
	s.f.view.replays = &replay;
	s.f.view.replay_count = 1;
	replay.facts = &gone;
	replay.fact_count = 1;
	(void)chat_fixture_decide(&s.f, history);
	ck_assert(!s.f.chat.decided.stands);
	ck_assert(!unit_has(chat_fixture_inject(&s.f), "REPLAY"));
	chat_fixture_end(&s.f);
}
END_TEST

START_TEST(a_full_conversation_is_given_its_memory_anew_when_more_is_to_be_recalled)
{
	const char *history = USER("a") "," ASSISTANT("b") "," USER("The boat?");
	struct standing s;
	for (size_t used = 3960; used <= 4000; used += 40) {
		begin_standing(&s);
		s.f.settings.mode = s.f.view.frozen.mode = MODE_VECTOR;
		s.f.view.frozen.tokens = used - 1000;
		ck_assert_int_eq(chat_fixture_decide(&s.f, history), CHAT_RECALL);
		ck_assert(s.f.chat.decided.stands);
		ck_assert_uint_eq(s.f.chat.decided.budget, (4000 - (used - 1000)) / 3);
		s.f.view.frozen.tokens = used;
		ck_assert_int_eq(chat_fixture_decide(&s.f, history), CHAT_RECALL);
		ck_assert_int_eq(s.f.chat.decided.stands, used == 3960);
		chat_fixture_end(&s.f);
	}
}
END_TEST

START_TEST(what_no_model_may_be_given_is_masked_in_turns_and_its_facts_are_left_out)
{
	struct chat_fixture f;
	struct fact facts[] = {
		{.id = 1,
		 .entity = SLICE("user"),
		 .kind = SLICE("user"),
		 .key = SLICE("mail"),
		 .value = SLICE("ann@example.com")},
		{.id = 2,
		 .entity = SLICE("user"),
		 .kind = SLICE("user"),
		 .key = SLICE("likes"),
		 .value = SLICE("figs")},
	};
	for (int hides = 0; hides < 2; hides++) {
		struct fact copies[2] = {facts[0], facts[1]};
		chat_fixture_begin(&f, MODE_HYBRID);
		f.settings.pii.hide = hides != 0 ? PII_BIT(PII_EMAIL) : 0;
		f.view.facts = copies;
		f.view.fact_count = 2;
		f.view.has_summary = true;
		f.view.summary = (struct summary){.text = SLICE("Writes figs to bob@example.com."),
						  .covers = 1};
		(void)chat_fixture_decide(&f, USER("What do you know about my mail and figs?"));
		struct slice body = chat_fixture_inject(&f);
		ck_assert(slice_find(body, SLICE("figs"), 0) < body.size);
		ck_assert_int_eq(slice_find(body, SLICE("ann@example"), 0) == body.size, hides);
		ck_assert_int_eq(slice_find(body, SLICE("bob@example"), 0) == body.size, hides);
		chat_fixture_end(&f);
	}
}
END_TEST

UNIT_MAIN("chat_given", turns_frozen_as_messages_go_in_as_they_were_frozen,
	  what_was_given_stands_until_something_in_it_changes,
	  what_shows_what_no_model_may_be_given_by_now_does_not_stand,
	  what_a_refused_request_was_given_stands_for_its_retry_and_is_all_it_gets,
	  what_an_earlier_turn_was_given_stands_with_its_facts,
	  a_full_conversation_is_given_its_memory_anew_when_more_is_to_be_recalled,
	  what_no_model_may_be_given_is_masked_in_turns_and_its_facts_are_left_out)
