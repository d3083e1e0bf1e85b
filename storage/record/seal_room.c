#include "storage/record/seal_room.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

enum { CHUNK = 64 * 1024, STEP = alignof(max_align_t) };

struct room_chunk {
	struct room_chunk *before;
	size_t begin; /* what was taken before it */
	size_t capacity;
	alignas(max_align_t) char bytes[];
};

static size_t used(const struct room *room)
{
	return room->taken - room->last->begin;
}

static void add_chunk(struct room *room, size_t least)
{
	size_t capacity = least > CHUNK ? least : CHUNK;
	struct room_chunk *chunk = xmalloc(sizeof(*chunk) + capacity);
	*chunk = (struct room_chunk){room->last, room->taken, capacity};
	room->last = chunk;
}

char *room_take(struct room *room, size_t size)
{
	size_t rounded = (size + STEP) / STEP * STEP;
	if (room->last == NULL || room->last->capacity - used(room) < rounded)
		add_chunk(room, rounded);
	char *taken = room->last->bytes + used(room);
	room->taken += rounded;
	return taken;
}

static void drop_last(struct room *room)
{
	struct room_chunk *chunk = room->last;
	room->last = chunk->before;
	free(chunk);
}

void room_return(struct room *room, size_t taken)
{
	if (taken >= room->taken)
		return;
	while (room->last != NULL && (room->last->begin > taken ||
				      (room->last->begin == taken && room->last->capacity > CHUNK)))
		drop_last(room);
	room->taken = taken;
}

void room_finish(struct room *room)
{
	while (room->last != NULL)
		drop_last(room);
	room->taken = 0;
}
