/* What a user may take in the store. */
#include "core/base/bytes.h"
#include "proxy/portable/forms.h"

#include <stdlib.h>

struct aged {
	int64_t at;
	size_t place;
};

/* The newest first. */
static int compare_aged(const void *a, const void *b)
{
	const struct aged *left = a;
	const struct aged *right = b;
	if (left->at != right->at)
		return left->at < right->at ? 1 : -1;
	return (left->place < right->place) - (left->place > right->place);
}

/* About what a turn takes at least: its record, and the index of its words. */
static uint64_t bytes_of(const struct portable_turn *turn)
{
	enum { OF_RECORDS = 512 };
	return 2 * (uint64_t)turn->turn.text.size + OF_RECORDS;
}

/* Takes out the turns whose id is 0. */
static void close_gaps(struct portable_memory *memory)
{
	size_t kept = 0;
	for (size_t i = 0; i < memory->turn_count; i++) {
		if (memory->turns[i].turn.id != 0)
			memory->turns[kept++] = memory->turns[i];
	}
	memory->turn_count = kept;
}

size_t portable_drop_oldest(struct portable_memory *memory, uint64_t limit)
{
	const size_t count = memory->turn_count;
	struct aged *aged = xcalloc(count + 1, sizeof(*aged));
	uint64_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		aged[i] = (struct aged){memory->turns[i].turn.created_at, i};
		bytes += bytes_of(&memory->turns[i]);
	}
	if (bytes > limit)
		qsort(aged, count, sizeof(*aged), compare_aged);
	for (size_t i = count; i-- > 0 && bytes > limit;) {
		struct portable_turn *oldest = &memory->turns[aged[i].place];
		bytes -= bytes_of(oldest);
		oldest->turn.id = 0;
	}
	free(aged);
	for (size_t i = 0; memory->appends && i < count; i++) {
		const uint64_t asked = memory->turns[i].turn.exchange;
		if (asked != 0 && asked <= count && memory->turns[asked - 1].turn.id == 0)
			memory->turns[i].turn.id = 0; /* an answer goes with its question */
	}
	close_gaps(memory);
	return count - memory->turn_count;
}
