/* Splits JSON that arrives in pieces of any size into parts small enough to be read whole.
 *
 * It finds where values begin and end and checks no more: read each part with a parser. The members
 * of the outermost object and the elements of the outermost array are parts, and so are the
 * elements of an array that is such a member. Objects in the list `open` are opened, too: their
 * members are parts, and the elements of their member `inner`. */
#ifndef RECALLD_CORE_JSON_SPLIT_H
#define RECALLD_CORE_JSON_SPLIT_H

#include "core/base/bytes.h"

enum json_part_kind {
	JSON_PART_LIST, /* an array of elements begins: the outermost, or a member; has no text */
	JSON_PART_MEMBER,
	JSON_PART_ELEMENT,
	JSON_PART_OPENED, /* an element begins whose members follow; has no text */
	JSON_PART_INNER_MEMBER,
	JSON_PART_INNER_ELEMENT,
};

struct json_part {
	enum json_part_kind kind;
	/* The outermost object's member, "\"" if that name is empty or too long; empty: the
	 * outermost array. */
	struct slice list;
	struct slice name; /* of an inner member */
	struct slice text; /* the value as it stands */
	bool is_too_long;  /* longer than the limit: there is no text */
};

enum json_split_found {
	JSON_SPLIT_PART,
	JSON_SPLIT_MORE,   /* the piece is used up */
	JSON_SPLIT_BROKEN, /* it is no JSON */
};

enum { JSON_SPLIT_NAME = 64, JSON_SPLIT_LEVELS = 4 };

struct json_split {
	/* Set by the caller: */
	bool is_lines; /* the elements are the outermost values, which are objects */
	const char *open;
	const char *inner;
	size_t limit; /* bytes of a part */

	struct slice piece;
	size_t at;
	struct buffer held; /* what earlier pieces had of the value */
	/* The value that is being passed over: */
	bool in_value, is_key, in_string, is_escaped, is_long;
	size_t begin; /* in the piece */
	size_t depth; /* of its brackets */
	/* The enclosing values: */
	bool in_object[JSON_SPLIT_LEVELS];
	unsigned level;
	unsigned expects;
	size_t outermost; /* values */
	char names[JSON_SPLIT_LEVELS][JSON_SPLIT_NAME + 1];
};

void json_split_init(struct json_split *split, size_t limit);
void json_split_finish(struct json_split *split);
/* Goes on with that piece, once json_split_next() has asked for more; it must live until then. */
void json_split_feed(struct json_split *split, struct slice piece);
/* Finds the next part, which lives until the next call. */
enum json_split_found json_split_next(struct json_split *split, struct json_part *part);
/* Whether the document may end here. */
bool json_split_may_end(const struct json_split *split);

#endif
