#include "core/base/word_map.h"

/* FNV-1a with MurmurHash3's finalizer, since FNV leaves the high bits of short words much alike. */
uint64_t word_hash(struct slice word)
{
	uint64_t hash = 0xCBF29CE484222325;
	for (size_t i = 0; i < word.size; i++)
		hash = (hash ^ (uint8_t)word.data[i]) * 0x100000001B3;
	hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCD;
	hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53;
	return hash ^ hash >> 33;
}

uint32_t word_map_find(const struct word_map *map, uint64_t hash)
{
	size_t at = (size_t)hash & (map->capacity - 1);
	while (map->slots[at].bits != 0 && map->slots[at].hash != hash)
		at = (at + 1) & (map->capacity - 1);
	return map->slots[at].bits;
}
