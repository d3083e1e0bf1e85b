/* What of memory fits the budget. Only the context_* files include this.
 *
 * A picker pays for what it takes out of the tokens that are left, and notes everything it takes or
 * drops as an item of the context. */
#ifndef RECALLD_CORE_CONTEXT_PICK_H
#define RECALLD_CORE_CONTEXT_PICK_H

#include "core/context/block.h"
#include "core/context/context.h"

/* A turn that may go in: quoted in the block, or with its answer as turns of its own. */
struct turn_choice {
	const struct turn *turn;
	const struct turn *answer; /* NULL: it is quoted */
	size_t tokens;             /* of both texts as they are */
	struct slice rendered;     /* empty until it is taken */
};

struct picker {
	const struct context_input *input;
	struct context *context;
	struct arena *arena;
	size_t budget; /* tokens: of block and turns */
	size_t left;
	bool framed;   /* the block's first and last lines are paid for */
	bool is_short; /* something would have liked to have more */
	bool opened[BLOCK_SECTIONS];

	const struct fact **facts; /* taken */
	size_t fact_count;
	struct slice summary;      /* taken: rendered */
	struct turn_choice *turns; /* all that may go in, oldest first */
	size_t turn_count;
};

/* Takes `cost` tokens, and those for the section's heading and the frame if it is the first in it.
 */
bool picker_pay(struct picker *picker, enum block_section section, size_t cost);
/* What may be paid for within a section. */
size_t picker_room(const struct picker *picker, enum block_section section);
void picker_take(struct picker *picker, const struct context_item *item);
void picker_drop(struct picker *picker, const struct context_item *item);
/* With who said it before its text, as in what is rendered. `score` as in its item. */
void picker_drop_turn(struct picker *picker, const struct turn *turn, size_t tokens, double score);

/* Facts that `is_wanted` lets in, the best first: by score, then the user's own, then the newest.
 */
typedef bool fact_filter(const struct context_input *input, const struct fact *fact);
const struct fact **facts_by_preference(const struct context_input *input, fact_filter *is_wanted,
					size_t *count, struct arena *arena);
/* How much a fact of the input bears on the question; 0: not at all, or it is not known. */
double fact_score(const struct context_input *input, const struct fact *fact);
/* As it is listed, with its own line, when it costs so many tokens. */
struct context_item fact_item(const struct context_input *input, const struct fact *fact,
			      struct slice line, size_t tokens);
/* Current facts, the best first. */
void pick_facts(struct picker *picker);

/* Whole, or cut at a sentence's end. */
void pick_summary(struct picker *picker);

/* What turns of said_turns.h cost as they go into the request. */
size_t said_turns_tokens(const struct context_input *input, struct slice list, struct arena *arena);

/* Whether it is something that was said and still stands. */
bool turn_is_message(const struct turn *turn);
struct context_item turn_item(const struct turn *turn, size_t tokens);
/* Whether the request itself holds it: by its place in this conversation, or by its text. */
bool turn_is_carried(const struct context_input *input, const struct turn *turn);
/* Whether it stands in the block or goes in as a turn of its own. */
bool turn_is_taken(const struct picker *picker, const struct turn *turn);
/* Finds the turns that may go in. */
void find_turns(struct picker *picker);
/* What all of them would cost. */
size_t turns_wanted(const struct picker *picker);
/* The newest first. */
void pick_turns(struct picker *picker);

/* Whether there is anything that the recalled text could hold. */
bool can_recall(const struct context_input *input);
/* Picks and renders the recalled text, of what the block and the turns do not hold: at most
 * `budget` tokens. */
void pick_recalled(struct picker *picker, size_t budget);

#endif
