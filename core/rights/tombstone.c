#include "core/rights/tombstone.h"

#include "core/text/text.h"

#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

static bool ends_sentence(char c)
{
	return c == '.' || c == '!' || c == '?' || c == ',' || c == ';' || c == ':';
}

static struct slice without_ends(struct slice text)
{
	text = slice_trim(text);
	while (text.size > 0 && ends_sentence(text.data[text.size - 1]))
		text = slice_trim(slice_part(text, 0, text.size - 1));
	return text;
}

static struct slice with_single_spaces(struct slice text, struct arena *arena)
{
	struct buffer out;
	bool after_space = false;
	buffer_init(&out, SIZE_MAX);
	for (size_t at = 0, size; at < text.size; at += size) {
		uint32_t character;
		size = text_decode(text, at, &character);
		bool is_space = text_is_space(character);
		if (!is_space)
			buffer_append(&out, slice_part(text, at, at + size));
		else if (!after_space)
			buffer_append_byte(&out, ' ');
		after_space = is_space;
	}
	return arena_take(arena, &out);
}

struct slice rights_fold(struct slice text, struct arena *arena)
{
	size_t size = 0;
	text = without_ends(with_single_spaces(text, arena));
	if (text.size == 0)
		return text;
	uint8_t *folded =
		u8_casefold((const uint8_t *)text.data, text.size, NULL, UNINORM_NFKC, NULL, &size);
	if (folded == NULL)
		out_of_memory(); /* the only way in which it fails */
	struct slice copy = arena_copy(arena, (struct slice){(const char *)folded, size});
	free(folded);
	return copy;
}

static uint64_t hash_of(const struct slice *parts, size_t count, struct arena *arena)
{
	return text_hash(arena_join(arena, parts, count));
}

/* The salt may hold any byte, and text_hash() ignores some. */
static struct slice in_hex(struct slice salt, struct arena *arena)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = arena_alloc(arena, 2 * salt.size + 1);
	for (size_t i = 0; i < salt.size; i++) {
		unsigned char byte = (unsigned char)salt.data[i];
		hex[2 * i] = digits[byte >> 4];
		hex[2 * i + 1] = digits[byte & 15];
	}
	return (struct slice){hex, 2 * salt.size};
}

uint64_t tombstone_hash(struct slice salt, struct slice value, struct arena *arena)
{
	const struct slice parts[] = {in_hex(salt, arena), SLICE("|"), rights_fold(value, arena)};
	return hash_of(parts, 3, arena);
}

uint64_t tombstone_subject(struct slice salt, struct slice entity, struct slice key,
			   struct arena *arena)
{
	const struct slice parts[] = {in_hex(salt, arena), SLICE("|"), rights_fold(entity, arena),
				      SLICE("|"), rights_fold(key, arena)};
	return hash_of(parts, 5, arena);
}

bool tombstones_hold(const struct tombstones *tombstones, struct slice value,
		     bool (*is_subject)(void *cookie, struct slice entity, struct slice key),
		     void *cookie, struct arena *arena)
{
	if (tombstones->count == 0)
		return false;
	const uint64_t hash = tombstone_hash(tombstones->salt, value, arena);
	for (size_t i = 0; i < tombstones->count; i++) {
		const struct tombstone *tombstone = &tombstones->list[i];
		if (tombstone->value == hash &&
		    is_subject(cookie, tombstone->entity, tombstone->key))
			return true;
	}
	return false;
}
