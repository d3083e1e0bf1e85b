/* What a request recalls of a user's turns, and what a recall finds. */
#ifndef RECALLD_CORE_RECALL_SEARCH_H
#define RECALLD_CORE_RECALL_SEARCH_H

#include "core/memory/user.h"
#include "core/recall/recall.h"

struct recall {
	struct user_key user;
	const struct recall_question *question;
	uint32_t conversation; /* its turns from carried_from on are in the request; 0: none */
	uint32_t carried_from;
	uint64_t asked_again;   /* the exchange that is: its turns are left out too; 0: none */
	bool only_conversation; /* nothing of others */
	/* Turns of any conversation that say these are left out too. */
	struct carried_texts carried;
	const uint64_t *given; /* turns that the request is given already, rising */
	size_t given_count;
	size_t text_limit; /* about so many bytes of turns' texts are wanted */
};

enum { STORE_MAX_RECALLED = 200 };

struct recall_result {
	struct recall_hit *scores; /* of `turns`, one each */
	struct turn *turns;        /* the best first, without their sessions */
	size_t count;
	size_t ranked; /* how many turns the user has in the index */
};

struct embedded_turn {
	uint64_t turn;
	const int8_t *vector; /* NULL: the model has none for it; it is not asked for again */
};

#endif
