/* True if a turn asks to forget something, and what it names. Private to this folder. */
#ifndef RECALLD_CORE_LEARN_WISH_H
#define RECALLD_CORE_LEARN_WISH_H

#include "core/learn/borne.h"
#include "core/learn/learn.h"

struct wish {
	bool is_asked;
	bool says_all;        /* "everything about ..." */
	bool says_more;       /* the turn says something beside it */
	struct support scope; /* the sentences that ask, and what "forget that" points back to */
	struct said said;     /* the same */
};

struct wish wish_read(const struct learn_turn *turn, const struct said *said, struct arena *arena);

/* True if it names a value, a key by one of its names, or a key by what people say of it ("where I
 * live"). */
bool wish_names_value(const struct wish *wish, struct slice value, struct arena *arena);
bool wish_names_key(const struct wish *wish, struct slice key, struct arena *arena);
/* The words by which it names something, besides those of a value; separated by spaces. */
struct slice wish_beside(const struct wish *wish, struct slice value, struct arena *arena);
/* True if the wish says only what a fact's quote says, in two words or more. */
bool wish_restates(const struct wish *wish, struct slice quote, struct arena *arena);
/* True if the wish names all that is known about the entity: "everything about Maria", "all you
 * know of me". */
bool wish_names_all(const struct wish *wish, struct slice entity, struct arena *arena);
/* True if the wish names the entity and nothing narrower. */
bool wish_names_whole(const struct wish *wish, struct slice entity, struct arena *arena);

#endif
