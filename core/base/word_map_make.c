#include "core/base/word_map_make.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static size_t count_words(const char *words)
{
	size_t count = 1;
	for (; *words != '\0'; words++)
		count += *words == ' ';
	return count;
}

static size_t capacity_of(unsigned map, const struct word_row *rows, size_t count)
{
	size_t words = 0;
	size_t capacity = 2;
	for (size_t i = 0; i < count; i++)
		words += rows[i].map == map && rows[i].words != NULL ? count_words(rows[i].words)
								     : 0;
	while (capacity < 2 * words)
		capacity += capacity;
	return capacity;
}

static void add(struct word_slot *slots, size_t capacity, const struct word_row *row)
{
	for (const char *at = row->words; *at != '\0';) {
		size_t size = strcspn(at, " ");
		uint64_t hash = word_hash((struct slice){at, size});
		size_t slot = (size_t)hash & (capacity - 1);
		while (slots[slot].bits != 0 && slots[slot].hash != hash)
			slot = (slot + 1) & (capacity - 1);
		slots[slot].hash = hash;
		slots[slot].bits |= row->bits;
		at += size + (at[size] == ' ');
	}
}

static bool print_slots(const char *name, unsigned map, const struct word_row *rows, size_t count)
{
	size_t capacity = capacity_of(map, rows, count);
	struct word_slot *slots = calloc(capacity, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].map == map && rows[i].words != NULL)
			add(slots, capacity, &rows[i]);
	}
	printf("static const struct word_slot %s_slots_%u[%zu] = {\n", name, map, capacity);
	for (size_t i = 0; i < capacity; i++) {
		if (slots[i].bits != 0)
			printf("\t[%zu] = {0x%" PRIx64 ", 0x%" PRIx32 "},\n", i, slots[i].hash,
			       slots[i].bits);
	}
	printf("};\n");
	free(slots);
	return true;
}

int word_maps_print(const char *name, unsigned maps, const struct word_row *rows, size_t count)
{
	printf("/* Made while building, of the word lists. */\n");
	for (unsigned i = 0; i < maps; i++) {
		if (!print_slots(name, i, rows, count))
			return EXIT_FAILURE;
	}
	printf("static const struct word_map %s_maps[%u] = {\n", name, maps);
	for (unsigned i = 0; i < maps; i++)
		printf("\t{%s_slots_%u, %zu},\n", name, i, capacity_of(i, rows, count));
	printf("};\n");
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
