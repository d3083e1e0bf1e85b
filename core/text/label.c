#include "core/text/label.h"

#include "core/text/text.h"

#include <string.h>
#include <uchar.h>
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

/* Names for a speaker in chat templates and prompts. */
static const char *const labels[] = {"system",       "developer", "user",  "human",
				     "assistant",    "ai",        "tool",  "instruction",
				     "instructions", "response",  "input", NULL};

/* Letters of other scripts, each before the ASCII letter of the names above that it looks like,
 * from Unicode's confusables (UTS #39). */
static const char32_t alike[] = U"аaАaеeЕeіiІiјjкkКkмmМmНhһhоoОoрpРpсcСcѕsЅsтtТtуy"
				U"УyүyҮyхxХxԁdԝwԛqӏlӀlѵvѴvгrпnиuԍgԌg"
				U"αaΑaεeΕeΗhιiΙiκkΚkΜmΝnηnνvοoΟoρpΡpτtΤtυuΥyχxΧx"
				U"ոnսuօoհhցg"
				U"ıiɑaɡgɪiɴnʀrʏyʜhʟlᴀaᴄcᴅdᴇeᴋkᴍmᴏoᴘpᴛtᴜuᴠvꜱsꜰfſs";

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
	for (size_t i = 0; alike[i] != 0; i += 2) {
		if (alike[i] == character)
			return (char)alike[i + 1];
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
