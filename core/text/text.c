#include "core/text/text.h"

#include <unictype.h>
#include <unistr.h>

bool text_is_utf8(struct slice text)
{
	return text.size == 0 || u8_check((const uint8_t *)text.data, text.size) == NULL;
}

struct slice text_spaced(struct slice name, struct arena *arena)
{
	char *text = arena_string(arena, name);
	for (size_t i = 0; i < name.size; i++) {
		if (text[i] == '_')
			text[i] = ' ';
	}
	return (struct slice){text, name.size};
}

size_t text_decode_wide(struct slice text, size_t at, uint32_t *character)
{
	const uint8_t *byte = (const uint8_t *)text.data + at;
	int size = u8_mbtoucr(character, byte, text.size - at);
	if (size > 0)
		return (size_t)size;
	*character = 0xFFFD;
	return 1;
}

bool text_is_wide_space(uint32_t character)
{
	return character == 0x85 || character == 0xA0 || character == 0x1680 ||
	       (character >= 0x2000 && character <= 0x200A) || character == 0x2028 ||
	       character == 0x2029 || character == 0x202F || character == 0x205F ||
	       character == 0x3000;
}

/* Characters without ink that no Unicode property marks: the empty Braille cell, note heads,
 * fillers that fonts draw as nothing, and the object placeholder. */
static bool is_blank_glyph(uint32_t character)
{
	return character == 0x2800 || character == 0xFFFC || character == 0x16FE4 ||
	       character == 0x1D159 || (character >= 0x13441 && character <= 0x13446);
}

static bool is_visible(uint32_t character)
{
	if (character > 0x7F &&
	    (uc_is_property_default_ignorable_code_point(character) || is_blank_glyph(character)))
		return false;
	const uint32_t hidden = UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Cs |
				UC_CATEGORY_MASK_Z;
	return !text_is_space(character) && !uc_is_general_category_withtable(character, hidden);
}

bool text_is_visible(struct slice text)
{
	if (text.size == 0 || !text_is_utf8(text))
		return false;
	uint32_t character;
	for (size_t at = 0; at < text.size;) {
		at += text_decode(text, at, &character);
		if (!is_visible(character))
			return false;
	}
	return true;
}

static uint64_t hash_byte(uint64_t hash, char byte)
{
	return (hash ^ (uint8_t)byte) * 0x100000001B3;
}

struct visible_hash {
	uint64_t hash;
	size_t room; /* for this many more bytes */
};

/* FNV-1a over all bytes that are not white space, as far as there is room. */
static void hash_visible(struct visible_hash *visible, struct slice text)
{
	uint64_t hash = visible->hash;
	size_t room = visible->room;
	uint32_t character;
	for (size_t at = 0; at < text.size && room > 0;) {
		for (; at < text.size && text.data[at] > ' ' && text.data[at] < 0x7F && room > 0;
		     room--)
			hash = hash_byte(hash, text.data[at++]);
		if (at == text.size)
			break;
		size_t end = at + text_decode(text, at, &character);
		for (; !text_is_space(character) && at < end && room > 0; at++, room--)
			hash = hash_byte(hash, text.data[at]);
		at = end;
	}
	*visible = (struct visible_hash){hash, room};
}

/* MurmurHash3's finalizer, since FNV leaves the high bits of short texts much alike. */
static uint64_t mix(uint64_t hash)
{
	hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCD;
	hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53;
	return hash ^ hash >> 33;
}

uint64_t text_hash(struct slice text)
{
	const uint64_t basis = 0xCBF29CE484222325;
	struct visible_hash visible = {basis, TEXT_HASHED};
	size_t from = 0;
	struct reasoning_walk walk = {.text = text};
	while (visible.room > 0 && text_next_reasoning(&walk)) {
		hash_visible(&visible, slice_part(text, from, walk.begin));
		from = walk.end;
	}
	hash_visible(&visible, slice_part(text, from, text.size));
	if (visible.hash == basis)
		return 0;
	uint64_t mixed = mix(visible.hash);
	return mixed == 0 ? 1 : mixed;
}
