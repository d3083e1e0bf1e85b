/* A JSON text without what its members hold, made while its bytes pass: what is too large to be
 * kept still says which members it has, and what the plain ones are. Objects and arrays within it
 * come out empty, and strings are cut. */
#ifndef RECALLD_CORE_DIALECT_SKELETON_H
#define RECALLD_CORE_DIALECT_SKELETON_H

#include "core/base/bytes.h"

enum { SKELETON_STRING = 256 }; /* bytes of a string that are kept, and a few more */

/* All zero is the beginning. */
struct skeleton {
	struct buffer out; /* the text so far; `overflowed`: it has too many members */
	size_t depth;
	size_t string_size;   /* of the string that the text is in */
	unsigned escape_left; /* bytes that belong to an escape */
	bool in_string, begins_escape, skips;
};

void skeleton_init(struct skeleton *skeleton, size_t limit);
void skeleton_finish(struct skeleton *skeleton);
/* Begins another text. */
void skeleton_clear(struct skeleton *skeleton);
void skeleton_feed(struct skeleton *skeleton, struct slice bytes);

#endif
