/* The texts of a context: the frames, sections and lines of its block and of its recalled text.
 * Only the context_* files include this. Pieces are measured one by one: text_tokens() of a whole
 * is never more than the sum of its pieces'. All but the closing end with a line break. */
#ifndef RECALLD_CORE_CONTEXT_BLOCK_H
#define RECALLD_CORE_CONTEXT_BLOCK_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"

enum block_section {
	BLOCK_SUMMARY,
	BLOCK_FACTS,
	BLOCK_TURNS,
	BLOCK_SECTIONS,
};

struct slice block_opening(void);
struct slice block_recalled_opening(void);
struct slice block_closing(void); /* of both */
struct slice block_heading(enum block_section section);

/* Appends the lines of facts that are in the order of fact_sort_shown(): one for each key, with all
 * of its values, and until when those held that are no longer current. */
void block_append_facts(struct buffer *out, const struct fact *const *facts, size_t count,
			struct arena *arena);
/* The line of a fact alone. */
struct slice block_fact_line(const struct fact *fact, struct arena *arena);
/* What a fact adds, at most, to the lines of `facts`, in whatever order these are: a value, or
 * `line`, which is its own. */
struct slice block_fact_added(const struct fact *const *facts, size_t count,
			      const struct fact *fact, struct slice line, struct arena *arena);

struct slice block_summary(struct slice text, struct arena *arena);

/* A turn with its text, or a part of it: "user: ...", with further lines indented, so that no text
 * can look like another piece of the block. */
typedef struct slice block_turn_form(const struct turn *turn, struct slice text,
				     struct arena *arena);
block_turn_form block_said;
block_turn_form block_turn; /* "[2026-11-20] user: ..." */

/* As much of the turn's beginning as is sure to cost no more than `room`; empty: too little. */
struct slice block_turn_cut(const struct turn *turn, block_turn_form *form, size_t room,
			    struct arena *arena);

int64_t block_day_number(int64_t at); /* days since 1970-01-01 */
/* "Fri 2026-11-20:", the line under which stands what was said on that day. Without the weekday a
 * model would have to reckon which day "last Saturday" was. */
struct slice block_day(int64_t at, struct arena *arena);

#endif
