/* What of memory fits the budget. Only the context_* files include this.
 *
 * A picker pays for what it takes out of the tokens that are left, and notes everything it takes or
 * drops as an item of the context. */
#ifndef RECALLD_CORE_CONTEXT_PICK_H
#define RECALLD_CORE_CONTEXT_PICK_H

#include "core/context.h"
#include "core/context_block.h"

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
	size_t left; /* tokens */
	bool framed; /* the block's first and last lines are paid for */
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

/* The user's facts before those of others, the newest observations first. */
void pick_facts(struct picker *picker);
/* Whole, or cut at a sentence's end. */
void pick_summary(struct picker *picker);

/* Finds the turns that may go in. */
void find_turns(struct picker *picker);
/* What all of them would cost. */
size_t turns_wanted(const struct picker *picker);
/* The newest first. */
void pick_turns(struct picker *picker);

#endif
