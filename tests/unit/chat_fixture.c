#include "chat_fixture.h"

#include "core/text/text.h"
#include "unit.h"

void chat_fixture_begin(struct chat_fixture *fixture, enum mode mode)
{
	*fixture = (struct chat_fixture){
		.asked = {.identity = {.user = SLICE("alex")}},
		.settings = {.mode = mode,
			     .inject = true,
			     .learn = true,
			     .mode_header = true,
			     .stored_riders = true,
			     .token_rate = 1,
			     .context_tokens = 1000,
			     .conversation_tokens = 4000,
			     .history_tokens = 300,
			     .buffer_messages = 20,
			     .auto_buffer_turns = 4,
			     .auto_hybrid_sessions = 3},
		.view = {.known = true,
			 .conversation = 1,
			 .conversations = 1,
			 .last_active = CHAT_NOW},
	};
}

void chat_fixture_end(struct chat_fixture *fixture)
{
	arena_finish(&fixture->arena);
}

enum chat_verdict chat_fixture_enter(struct chat_fixture *fixture, const char *before,
				     const char *messages)
{
	struct arena *arena = &fixture->arena;
	struct slice body =
		arena_printf(arena, "{\"model\":\"m\",%s\"messages\":[%s]}", before, messages);
	chat_read(&fixture->chat, dialect_of(SLICE("POST"), SLICE("/v1/chat/completions")), body,
		  false, arena);
	return chat_enter(&fixture->chat, &fixture->asked, &fixture->settings, arena);
}

enum chat_next chat_fixture_decide(struct chat_fixture *fixture, const char *messages)
{
	ck_assert_int_eq(chat_fixture_enter(fixture, "", messages), CHAT_LOAD);
	chat_load(&fixture->chat, CHAT_NOW, &fixture->load, &fixture->arena);
	enum chat_next next =
		chat_decide(&fixture->chat, &fixture->view, CHAT_NOW, &fixture->arena);
	if (next == CHAT_RECALL)
		chat_recall(&fixture->chat, &fixture->recall, &fixture->arena);
	return next;
}

struct slice chat_fixture_inject(struct chat_fixture *fixture)
{
	const struct slice *pieces;
	chat_inject(&fixture->chat, NULL, &fixture->arena);
	size_t count = chat_splice(&fixture->chat, &pieces, &fixture->arena);
	return arena_join(&fixture->arena, pieces, count);
}

bool chat_fixture_append(struct chat_fixture *fixture, struct reply reply, bool broke_off)
{
	return chat_append(&fixture->chat, &reply, broke_off, CHAT_NOW, CHAT_NOW + 5,
			   &fixture->append, &fixture->arena);
}

struct turn chat_fixture_turn(uint64_t id, uint32_t conversation, uint32_t ordinal, enum role role,
			      const char *text)
{
	return (struct turn){.id = id,
			     .exchange = id,
			     .conversation = conversation,
			     .ordinal = ordinal,
			     .role = role,
			     .complete = true,
			     .hash = text_hash(slice_of(text)),
			     .text = slice_of(text)};
}
