#include "core/text/label.h"

#include "core/text/text.h"

#include <string.h>
#include <unictype.h>
#include <uninorm.h>

enum { LONGEST_SKIP = 64, LONGEST_NAME = 24 };

/* Names that chat templates write in square brackets. */
static const char *const bracketed[] = {"inst",          "sys",
					"system_prompt", "available_tools",
					"tool_calls",    "tool_results",
					"tool_content",  "model_settings",
					"args",          "call_id",
					"think",         "img",
					"gmask",         NULL};

/* What chat templates and prompts call a speaker. */
static const char *const labels[] = {"system",       "developer", "user",  "human",
				     "assistant",    "ai",        "tool",  "instruction",
				     "instructions", "response",  "input", NULL};

/* Letters of other scripts that look like ASCII letters of the names above, from Unicode's
 * confusables (UTS #39). */
static const struct {
	uint32_t character;
	char letter;
} alike[] = {
	/* Cyrillic */
	{0x430, 'a'},
	{0x410, 'a'},
	{0x435, 'e'},
	{0x415, 'e'},
	{0x456, 'i'},
	{0x406, 'i'},
	{0x458, 'j'},
	{0x43A, 'k'},
	{0x41A, 'k'},
	{0x43C, 'm'},
	{0x41C, 'm'},
	{0x41D, 'h'},
	{0x4BB, 'h'},
	{0x43E, 'o'},
	{0x41E, 'o'},
	{0x440, 'p'},
	{0x420, 'p'},
	{0x441, 'c'},
	{0x421, 'c'},
	{0x455, 's'},
	{0x405, 's'},
	{0x442, 't'},
	{0x422, 't'},
	{0x443, 'y'},
	{0x423, 'y'},
	{0x4AF, 'y'},
	{0x4AE, 'y'},
	{0x445, 'x'},
	{0x425, 'x'},
	{0x501, 'd'},
	{0x51D, 'w'},
	{0x51B, 'q'},
	{0x4CF, 'l'},
	{0x4C0, 'l'},
	{0x475, 'v'},
	{0x474, 'v'},
	{0x433, 'r'},
	{0x43F, 'n'},
	{0x438, 'u'},
	{0x50D, 'g'},
	{0x50C, 'g'},
	/* Greek */
	{0x3B1, 'a'},
	{0x391, 'a'},
	{0x3B5, 'e'},
	{0x395, 'e'},
	{0x397, 'h'},
	{0x3B9, 'i'},
	{0x399, 'i'},
	{0x3BA, 'k'},
	{0x39A, 'k'},
	{0x39C, 'm'},
	{0x39D, 'n'},
	{0x3B7, 'n'},
	{0x3BD, 'v'},
	{0x3BF, 'o'},
	{0x39F, 'o'},
	{0x3C1, 'p'},
	{0x3A1, 'p'},
	{0x3C4, 't'},
	{0x3A4, 't'},
	{0x3C5, 'u'},
	{0x3A5, 'y'},
	{0x3C7, 'x'},
	{0x3A7, 'x'},
	/* Armenian */
	{0x578, 'n'},
	{0x57D, 'u'},
	{0x585, 'o'},
	{0x570, 'h'},
	{0x581, 'g'},
	/* Latin: small capitals and the like */
	{0x131, 'i'},
	{0x251, 'a'},
	{0x261, 'g'},
	{0x26A, 'i'},
	{0x274, 'n'},
	{0x280, 'r'},
	{0x28F, 'y'},
	{0x29C, 'h'},
	{0x29F, 'l'},
	{0x1D00, 'a'},
	{0x1D04, 'c'},
	{0x1D05, 'd'},
	{0x1D07, 'e'},
	{0x1D0B, 'k'},
	{0x1D0D, 'm'},
	{0x1D0F, 'o'},
	{0x1D18, 'p'},
	{0x1D1B, 't'},
	{0x1D1C, 'u'},
	{0x1D20, 'v'},
	{0xA731, 's'},
	{0xA730, 'f'},
	{0x17F, 's'},
};

static char plain_letter(uint32_t character)
{
	if (character >= 'A' && character <= 'Z')
		return (char)(character + ('a' - 'A'));
	bool is_plain = (character >= 'a' && character <= 'z') ||
			(character >= '0' && character <= '9') || character == '_';
	return is_plain ? (char)character : '\0';
}

/* The character without its width, style and accents. */
static uint32_t base_of(uint32_t character)
{
	enum { DEEPEST = 4 };
	for (int i = 0; i < DEEPEST; i++) {
		ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
		int tag;
		if (character < 0x80 || uc_decomposition(character, &tag, parts) <= 0)
			break;
		character = parts[0];
	}
	return character;
}

char text_alike(uint32_t character)
{
	if (character < 0x80)
		return plain_letter(character);
	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
		if (alike[i].character == character)
			return alike[i].letter;
	}
	uint32_t base = base_of(character);
	return base == character ? '\0' : text_alike(base);
}

static bool is_colon(uint32_t character)
{
	static const uint32_t colons[] = {':',    0xFF1A, 0xFE55, 0xFE13, 0x2236,
					  0xA789, 0x2D0,  0x589,  0x5C3};
	for (size_t i = 0; i < sizeof(colons) / sizeof(colons[0]); i++) {
		if (colons[i] == character)
			return true;
	}
	return false;
}

size_t label_skip(struct slice text, size_t at, const char *bytes)
{
	size_t limit = text.size - at > LONGEST_SKIP ? at + LONGEST_SKIP : text.size;
	while (at < limit && strchr(bytes, text.data[at]) != NULL)
		at++;
	return at;
}

/* Reads the name at `at` into `name` in ASCII letters without accents; returns where it ends. */
static size_t read_name(struct slice text, size_t at, char *name, struct slice *read)
{
	const uint32_t marks = UC_CATEGORY_MASK_M;
	size_t size = 0;
	while (at < text.size && size < LONGEST_NAME) {
		uint32_t character;
		size_t next = at + text_decode(text, at, &character);
		char letter = text_alike(character);
		bool is_mark = character >= 0x80 && letter == '\0' && size > 0 &&
			       uc_is_general_category_withtable(character, marks);
		if (letter == '\0' && !is_mark)
			break;
		if (!is_mark)
			name[size++] = letter;
		at = next;
	}
	*read = (struct slice){name, size};
	return at;
}

size_t label_colon(struct slice text, size_t at, bool over_lines, size_t *behind)
{
	char letters[LONGEST_NAME];
	struct slice name;
	uint32_t character = 0;
	size_t begin = label_skip(text, at, " *#\n");
	size_t end = read_name(text, begin, letters, &name);
	*behind = text.size;
	if (!slice_is_any(name, labels))
		return text.size;
	size_t colon = label_skip(text, end, over_lines ? " *\n" : " *");
	if (colon < text.size)
		*behind = colon + text_decode(text, colon, &character);
	return is_colon(character) ? colon : text.size;
}

size_t label_bracket_size(struct slice text, size_t at)
{
	static const struct slice wide[] = {SLICE("\uFF3B"), SLICE("\uFF3D")};
	if (at == text.size)
		return 0;
	if (text.data[at] == '[' || text.data[at] == ']')
		return 1;
	struct slice rest = slice_part(text, at, text.size);
	return slice_starts_with(rest, wide[0]) || slice_starts_with(rest, wide[1]) ? wide[0].size
										    : 0;
}

static bool is_bar(struct slice text, size_t at)
{
	return at < text.size && text.data[at] == '|';
}

size_t label_closing_bracket(struct slice text, size_t at)
{
	char letters[LONGEST_NAME];
	struct slice name;
	size_t begin = label_skip(text, at + label_bracket_size(text, at), "/|");
	size_t end = read_name(text, begin, letters, &name);
	bool is_piped = is_bar(text, begin - 1) && is_bar(text, end);
	end = is_piped ? end + 1 : end;
	bool closes = label_bracket_size(text, end) > 0;
	return closes && (is_piped || slice_is_any(name, bracketed)) ? end : at;
}
