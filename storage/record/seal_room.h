/* Room for opened values, a stack: what was taken after a mark is given up at once. */
#ifndef RECALLD_STORAGE_RECORD_SEAL_ROOM_H
#define RECALLD_STORAGE_RECORD_SEAL_ROOM_H

#include "core/base/bytes.h"

struct room_chunk;

/* Zero-initialize it. */
struct room {
	struct room_chunk *last;
	size_t taken; /* bytes; a mark is a copy of it */
};

/* Aligned for any type; never NULL. */
char *room_take(struct room *room, size_t size);
/* Gives up all that was taken since `taken` was the mark; nothing if that is given up already. One
 * chunk stays for what is next. */
void room_return(struct room *room, size_t taken);
void room_finish(struct room *room);

#endif
