#include "core/base/word_map_make.h"
#include "core/context/core_keys_table.h"

enum { COUNT = sizeof(core_keys) / sizeof(core_keys[0]) };

/* The maps give a bit for each rank. */
int main(void)
{
	struct word_row rows[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		rows[i] = (struct word_row){core_keys[i].map, UINT32_C(1) << core_keys[i].rank,
					    core_keys[i].words};
	return word_maps_print("core_keys", CORE_KEY_MAPS, rows, COUNT);
}
