/* The texts of a context: the frames, sections and lines of its block and of its recalled text.
 * Private to this folder. Pieces are measured one by one: text_tokens() of a whole never exceeds
 * the sum over its pieces. All but the closing end with a line break. */
#ifndef RECALLD_CORE_CHAT_BLOCK_H
#define RECALLD_CORE_CHAT_BLOCK_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"

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
typedef struct slice block_turn_form(const struct turn *turn, struct slice text,
				     struct arena *arena);
block_turn_form block_said;
block_turn_form block_turn; /* "[2026-11-20] user: ..." */

/* As much of the turn's beginning as is sure to cost at most `room`; empty: there is too little
 * room. */
struct slice block_turn_cut(const struct turn *turn, block_turn_form *form, size_t room,
			    struct arena *arena);

int64_t block_day_number(int64_t at); /* days since 1970-01-01 */
/* "Fri 2026-11-20:", the line above what was said on that day. The weekday spares the model working
 * out which day "last Saturday" was. */
struct slice block_day(int64_t at, struct arena *arena);

#endif
