/* What a request recalls from a user's turns, and what it finds. */
#ifndef RECALLD_CORE_RECALL_SEARCH_H
#define RECALLD_CORE_RECALL_SEARCH_H

#include "core/memory/user.h"
#include "core/recall/recall.h"

struct recall {
	struct user_key user;
	const struct recall_question *question;
	uint32_t conversation; /* the request carries its turns from carried_from on; 0: none */
	uint32_t carried_from;
	uint64_t asked_again; /* the exchange being asked again: its turns are left out too; 0: none
			       */
	bool only_conversation; /* only its own turns */
	/* Turns of any conversation with these texts are left out too. */
	struct carried_texts carried;
	const uint64_t *given; /* turns that the request is already given, ascending */
	size_t given_count;
	/* Turns that bear on the question by what was learned from them: `document` is a turn. */
	const struct recall_hint *hints;
	size_t hint_count;
	size_t text_limit; /* about this many bytes of turn text are wanted */
};

enum { STORE_MAX_RECALLED = 200 };

struct recall_result {
	struct recall_hit *scores; /* one for each of `turns` */
	struct turn *turns;        /* best first, without their sessions */
	size_t count;
	size_t ranked; /* how many turns were ranked: of a long memory, those worth it */
};

struct embedded_turn {
	uint64_t turn;
	const int8_t *vector; /* NULL: the model cannot embed it; do not ask again */
};

#endif
