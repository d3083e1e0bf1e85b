#include "tests/unit/store_talk.h"

#include "tests/unit/random.h"

#include <stdio.h>

static struct random chance = {2026};

size_t talk_chance(size_t bound)
{
	return random_below(&chance, bound);
}

/* Words of which some are frequent and most are rare. */
static void say(char *out, size_t size)
{
	size_t words = talk_chance(14);
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < words && used + 16 < size; i++) {
		size_t most = 1 + talk_chance(400);
		size_t word = talk_chance(most);
		used += (size_t)snprintf(out + used, size - used, "word%c%c ",
					 'a' + (char)(word / 20), 'a' + (char)(word % 20));
	}
}

void talk_append(struct fixture *fixture, int64_t now)
{
	char texts[2][512];
	char session[16];
	say(texts[0], sizeof(texts[0]));
	say(texts[1], sizeof(texts[1]));
	(void)snprintf(session, sizeof(session), "chat %u", (unsigned)talk_chance(5));
	struct append append = fixture_exchange(texts[0], texts[1], now);
	append.session = slice_of(session);
	append.ordinal = (uint32_t)fixture_view(fixture, session).next_ordinal;
	append.complete = talk_chance(8) != 0;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

void talk_import(struct fixture *fixture, size_t count)
{
	static char texts[TALK_IMPORT][512];
	struct fixture_turn turns[TALK_IMPORT];
	for (size_t i = 0; i < count; i++) {
		say(texts[i], sizeof(texts[i]));
		turns[i] = (struct fixture_turn){.role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
						 .text = slice_of(texts[i]),
						 .hash = fixture_hash(texts[i]),
						 .created_at = (int64_t)talk_chance(9000),
						 .session = SLICE("of old")};
	}
	ck_assert_int_eq(fixture_import(fixture, turns, count, true), STORE_OK);
}

/* One of the current user turns. */
static struct turn pick(struct oracle *oracle)
{
	for (;;) {
		struct turn *turn = &oracle->turns[talk_chance(oracle->count)];
		if (turn->state == TURN_CURRENT && turn->role == ROLE_USER)
			return *turn;
	}
}

void talk_ask_again(struct oracle *oracle, int64_t now)
{
	char answer[512];
	struct turn turn = pick(oracle);
	say(answer, sizeof(answer));
	struct append append = fixture_exchange("", answer, now);
	append.user_text = turn.text;
	append.user_hash = turn.hash;
	append.same_exchange = turn.id;
	append.conversation = turn.conversation;
	append.ordinal = turn.ordinal;
	ck_assert_int_eq(fixture_append(oracle->fixture, &append), STORE_OK);
	oracle_look(oracle, TURN_SUPERSEDED);
}

void talk_hide(struct oracle *oracle)
{
	(void)fixture_learned(oracle->fixture, pick(oracle).id, NULL, 0, true);
	oracle_look(oracle, TURN_HIDDEN);
}

size_t talk_recall(struct oracle *oracle)
{
	char text[512];
	uint64_t given[20];
	say(text, sizeof(text));
	struct recall_question question = fixture_question(oracle->fixture, text);
	struct recall recall = {.user = fixture_key("alex"),
				.question = &question,
				.conversation = (uint32_t)talk_chance(4),
				.carried_from = (uint32_t)talk_chance(30),
				.given = given,
				.text_limit = talk_chance(3) == 0 ? SIZE_MAX : talk_chance(5000)};
	if (talk_chance(4) == 0)
		recall.carried_from = UINT32_MAX;
	for (uint64_t turn = 0; recall.given_count < 20;)
		given[recall.given_count++] = turn += 1 + talk_chance(100);
	return oracle_check(oracle, &recall);
}
