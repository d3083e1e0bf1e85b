/* The block of a context as text: its frame, its sections and their lines. Only the context_* files
 * include this. Pieces are measured one by one: text_tokens() of a whole is never more than the sum
 * of its pieces'. All but the closing end with a line break. */
#ifndef RECALLD_CORE_CONTEXT_BLOCK_H
#define RECALLD_CORE_CONTEXT_BLOCK_H

#include "core/bytes.h"
#include "core/memory.h"

enum block_section {
	BLOCK_SUMMARY,
	BLOCK_FACTS,
	BLOCK_TURNS,
	BLOCK_SECTIONS,
};

struct slice block_opening(void);
struct slice block_closing(void);
struct slice block_heading(enum block_section section);

/* The line of one key: its `count` facts have the same entity and key. */
struct slice block_fact_line(const struct fact *const *facts, size_t count, struct arena *arena);
/* What one more value adds to such a line. */
struct slice block_fact_more(const struct fact *fact, struct arena *arena);

struct slice block_summary(struct slice text, struct arena *arena);

/* "[2026-11-20] user: ...", with further lines indented, so that no text can look like another
 * piece of the block. */
struct slice block_turn(const struct turn *turn, struct slice text, struct arena *arena);

#endif
