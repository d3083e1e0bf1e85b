/* The memory that recalld put into a message, between <user_memory> and </user_memory>: a summary,
 * facts, and turns of the past with their dates. */
#ifndef RECALLD_TESTS_MODEL_MEMORY_BLOCK_H
#define RECALLD_TESTS_MODEL_MEMORY_BLOCK_H

#include "core/base/bytes.h"

/* Takes the next piece off the front of a message's text: what stands before a block, and the
 * block's inside; either may be empty. A block that is not closed goes to the end; the line breaks
 * behind one are its own. */
void memory_split(struct slice *rest, struct slice *own, struct slice *block);
/* The text that the message's author wrote: all but the blocks. */
struct slice without_memory(struct slice text, struct arena *arena);

struct memory_line {
	enum { MEMORY_SUMMARY, MEMORY_FACT, MEMORY_TURN } kind;
	struct slice text;
	struct slice date; /* of a turn, as it is written; may be empty */
};

/* Where in a block the reader is; all zeroes but `rest`, the block's inside, is its beginning. */
struct memory_reader {
	struct slice rest;
	enum { IN_PREFACE, IN_SUMMARY, IN_FACTS, IN_TURNS } section;
	bool quoting; /* the lines that follow belong to a user's turn */
	struct slice date;
};

/* The next line that tells something of the user: the summary's, a fact without its dash, or a line
 * of a turn of theirs. False: there is none left. */
bool memory_next(struct memory_reader *reader, struct memory_line *line);

#endif
