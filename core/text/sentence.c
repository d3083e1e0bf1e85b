#include "core/text/sentence.h"

#include "core/text/text.h"

/* The most bytes per word in natural text; bounds text without spaces. */
enum { MAX_WORD = 48 };

/* A full stop ends a sentence only before white space: "3.5" and "v1.2" stay whole. */
static bool ends_when_spaced(uint32_t character)
{
	return character == '.' || character == '!' || character == '?' || character == 0x2026;
}

static bool ends_always(uint32_t character)
{
	return character == 0x3002 || character == 0xFF01 || character == 0xFF1F ||
	       character == 0x0964;
}

static bool may_close_after(uint32_t character)
{
	return character == '"' || character == '\'' || character == ')' || character == 0x2019 ||
	       character == 0x201D || character == 0x201C || character == 0xBB;
}

size_t sentence_end(struct slice text, size_t limit)
{
	size_t end = 0;
	bool may_end = false;
	uint32_t character;
	for (size_t at = 0; at < text.size && at <= limit;) {
		size_t next = at + text_decode(text, at, &character);
		bool spaced = text_is_space(character);
		if ((may_end && spaced) || character == '\n')
			end = at;
		if (ends_always(character) && next <= limit)
			end = next;
		may_end = ends_when_spaced(character) || (may_end && may_close_after(character));
		at = next;
	}
	return may_end && limit >= text.size ? text.size : end;
}

static bool is_half_a_word(uint32_t character)
{
	return (character >= 0x2E80 && character <= 0xA4CF) ||
	       (character >= 0xF900 && character <= 0xFAFF) || character >= 0x20000;
}

size_t sentence_words_end(struct slice text, unsigned max_words)
{
	size_t halves = 0;
	size_t end = 0;
	bool in_word = false;
	uint32_t character;
	for (size_t at = 0; at < text.size;) {
		size_t next = at + text_decode(text, at, &character);
		bool half = is_half_a_word(character);
		bool spaced = text_is_space(character);
		if (in_word && (spaced || half))
			end = at;
		if (half || (!spaced && !in_word))
			halves += half ? 1 : 2;
		if (halves > 2 * (size_t)max_words || next > (size_t)max_words * MAX_WORD)
			return end > 0 ? end : at;
		if (half)
			end = next;
		in_word = !spaced && !half;
		at = next;
	}
	return text.size;
}
