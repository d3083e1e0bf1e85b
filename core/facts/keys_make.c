#include "core/base/word_map_make.h"
#include "core/facts/keys_table.h"

enum { COUNT = sizeof(synonyms) / sizeof(synonyms[0]) };

/* The map gives the number of a name's row, from 1. */
int main(void)
{
	struct word_row rows[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		rows[i] = (struct word_row){0, (uint32_t)i + 1, synonyms[i]};
	return word_maps_print("keys", 1, rows, COUNT);
}
