/* Picks what fits the budget. Private to this folder.
 *
 * A picker pays for what it takes from the tokens that are left, and records everything that it
 * takes or drops as an item of the context. */
#ifndef RECALLD_CORE_CHAT_PICK_H
#define RECALLD_CORE_CHAT_PICK_H

#include "core/base/bytes.h"
#include "core/chat/context.h"
#include "core/memory/memory.h"

/* ---- the texts of a context ---- */

/* The texts of a context: the frames, sections and lines of its block and of its recalled text.
 * Private to this folder. Pieces are measured one by one: text_tokens() of a whole never exceeds
 * the sum over its pieces. All but the closing end with a line break. */

enum block_section {
	BLOCK_ENDED,
	BLOCK_SUMMARY,
	BLOCK_FACTS,
	BLOCK_TURNS,
	BLOCK_SECTIONS,
};

struct slice block_opening(void);
struct slice block_recalled_opening(void);
struct slice block_closing(void); /* of block and recalled text */
struct slice block_heading(enum block_section section);

/* Appends the lines of facts, which must be in the order of fact_sort_shown(): one line per key
 * with all its values; past values say until when they held. */
void block_append_facts(struct buffer *out, const struct fact *const *facts, size_t count,
			struct arena *arena);
/* The line of a single fact. */
struct slice block_fact_line(const struct fact *fact, struct arena *arena);
/* Says that a fact holds no longer; without its value if that was forgotten. */
struct slice block_ended_line(const struct fact *fact, struct arena *arena);
/* The most that a fact adds to the lines of `facts`, in whatever order these are: a value, or
 * `line`, its own line. */
struct slice block_fact_added(const struct fact *const *facts, size_t count,
			      const struct fact *fact, struct slice line, struct arena *arena);

struct slice block_summary(struct slice text, struct arena *arena);

/* A turn with its text or a part of it: "user: ...". Further lines are indented, so that no text
 * can look like another piece of the block. */
typedef struct slice block_turn_wording(const struct turn *turn, struct slice text,
					struct arena *arena);
block_turn_wording block_said;
block_turn_wording block_turn; /* "[2026-11-20] user: ..." */

/* As much of the turn's beginning as is sure to cost at most `room`; empty: there is too little
 * room. */
struct slice block_turn_cut(const struct turn *turn, block_turn_wording *wording, size_t room,
			    struct arena *arena);

int64_t block_day_number(int64_t at); /* days since 1970-01-01 */
/* "Fri 2026-11-20:", the line above what was said on that day. The weekday spares the model working
 * out which day "last Saturday" was. */
struct slice block_day(int64_t at, struct arena *arena);

/* A turn that may go in: quoted in the block, or as a separate turn with its answer. */
struct turn_choice {
	const struct turn *turn;
	const struct turn *answer; /* NULL: it is quoted */
	size_t tokens;             /* of both texts uncut */
	struct slice rendered;     /* empty until taken */
};

struct picker {
	const struct context_input *input;
	struct context *context;
	struct arena *arena;
	size_t budget; /* tokens: of block and turns */
	size_t left;
	bool framed;   /* the block's first and last lines are paid for */
	bool is_short; /* something wanted more room */
	bool opened[BLOCK_SECTIONS];
	bool gives_summary; /* if there is one */

	struct slice ended;        /* taken and rendered */
	const struct fact **facts; /* taken */
	size_t fact_count;
	struct slice summary;      /* taken and rendered */
	struct turn_choice *turns; /* candidates, oldest first */
	size_t turn_count;
	size_t unrelated; /* facts that were left out since they do not bear on the question */
	size_t looked_at; /* so many turns were looked at for what they say */
	const struct slice *outdated; /* stubs of the newest of the input's outdated facts, see
					 terms_stub(); NULL: not read yet */
	struct facts_hidden *hidden;  /* NULL: not read yet */
};

/* Takes `cost` tokens, plus those of the section's heading and of the frame if it is the first in
 * them. */
bool picker_pay(struct picker *picker, enum block_section section, size_t cost);
/* The tokens of a section's heading, and of the block's frame, unless these are paid for. */
size_t picker_opening(const struct picker *picker, enum block_section section);
/* How many tokens are left for content of a section. */
size_t picker_room(const struct picker *picker, enum block_section section);
void picker_take(struct picker *picker, const struct context_item *item);
/* The receipt shows this many bytes of its text. */
enum { DROPPED_TEXT = 240 };
void picker_drop(struct picker *picker, const struct context_item *item);
/* Records a dropped turn, with its speaker before the text, as it would be rendered. `score` as in
 * its item. */
void picker_drop_turn(struct picker *picker, const struct turn *turn, size_t tokens, double score);

/* ---- what bears on the question ---- */

/* Whether the conversation has the fact already. */
bool fact_is_given(const struct context_input *input, const struct fact *fact);
/* Whether a fact bears on the question, by its words or since all does. */
bool fact_bears(const struct context_input *input, const struct fact *fact);
/* Whether a text bears on the question, by its words. */
bool text_bears(const struct context_input *input, struct slice text, struct arena *arena);

/* Whether the summary goes in: it stands in for what this conversation's request does not carry, or
 * bears on the question. */
bool summary_is_wanted(const struct context_input *input, struct arena *arena);

/* ---- what is picked ---- */

/* Facts that `is_wanted` lets in, the best first: by score, then the user's own, then the newest.
 */
typedef bool fact_filter(const struct context_input *input, const struct fact *fact);
const struct fact **facts_by_preference(const struct context_input *input, fact_filter *is_wanted,
					size_t *count, struct arena *arena);
/* How much a fact of the input bears on the question; 0: not at all, or unknown. */
double fact_score(const struct context_input *input, const struct fact *fact);
/* The item of a fact with its own line, at a cost of `tokens`. */
struct context_item fact_item(const struct context_input *input, const struct fact *fact,
			      struct slice line, size_t tokens);
/* Picks the facts that hold no longer. */
void pick_ended(struct picker *picker);
/* Picks current facts, best first. */
void pick_facts(struct picker *picker);

/* Picks the summary whole, or cut at the end of a sentence. */
void pick_summary(struct picker *picker);

/* The cost of turns (said_turns_add()) in the form in which they enter the request. */
size_t said_turns_tokens(struct slice list, struct arena *arena);

/* Whether the turn was said by the user or the assistant and still stands. */
bool turn_is_message(const struct turn *turn);
struct context_item turn_item(const struct turn *turn, size_t tokens);
/* Whether the request itself holds the turn: by its place in this conversation, or by its text. */
bool turn_is_carried(const struct context_input *input, const struct turn *turn);
/* Whether the turn is in the block or goes in as a separate turn. */
bool turn_is_taken(const struct picker *picker, const struct turn *turn);
/* Finds the candidate turns. */
void find_turns(struct picker *picker);
/* The cost of all candidate turns. */
size_t turns_wanted(const struct picker *picker);
/* Picks turns, newest first. */
void pick_turns(struct picker *picker);

/* Whether there is anything that could be recalled. */
bool can_recall(const struct context_input *input);
/* Picks and renders the recalled text from what the block and the turns do not hold, at most
 * `budget` tokens. */
void pick_recalled(struct picker *picker, size_t budget);

/* ---- what holds no longer ---- */

/* The turn's text; before it stands what of it holds no longer, and since when. */
struct slice turn_marked(struct picker *picker, const struct turn *turn);
/* Whether it tells what is hidden, and so is not given. */
bool turn_is_concealed(struct picker *picker, const struct turn *turn);

#endif
