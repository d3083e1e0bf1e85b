/* A chat of core/chat as a test holds it: settings, a view made by hand, and what comes of them. */
#ifndef RECALLD_TESTS_CHAT_FIXTURE_H
#define RECALLD_TESTS_CHAT_FIXTURE_H

#include "core/chat/chat.h"

#define SYSTEM(text) "{\"role\":\"system\",\"content\":\"" text "\"}"
#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ASSISTANT(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"
#define CALL "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"}]}"
#define RESULT "{\"role\":\"tool\",\"content\":\"fine\"}"

enum { CHAT_NOW = 1000000000 };

/* A test sets asked, settings and view before it asks. */
struct chat_fixture {
	struct arena arena;
	struct chat_asked asked;
	struct chat_settings settings;
	struct memory_view view;
	struct chat chat;
	struct load load;
	struct recall recall;
	struct append append;
};

/* A user "alex" whose requests are given and learned from in `mode`, in conversation 1. */
void chat_fixture_begin(struct chat_fixture *fixture, enum mode mode);
void chat_fixture_end(struct chat_fixture *fixture);

/* `before`: members before the messages, each with a comma; `messages`: those of the array. */
enum chat_verdict chat_fixture_enter(struct chat_fixture *fixture, const char *before,
				     const char *messages);
/* That, and all up to what is decided; memory takes part. */
enum chat_next chat_fixture_decide(struct chat_fixture *fixture, const char *messages);
/* The body as it goes upstream. */
struct slice chat_fixture_inject(struct chat_fixture *fixture);
bool chat_fixture_append(struct chat_fixture *fixture, struct reply reply, bool broke_off);

/* A complete turn of the exchange `id`. */
struct turn chat_fixture_turn(uint64_t id, uint32_t conversation, uint32_t ordinal, enum role role,
			      const char *text);

#endif
