/* Text: what words are, how much a text costs, how texts are compared. All input is UTF-8; bytes
 * that are not are treated as one unknown character each and never overrun. */
#ifndef RECALLD_CORE_TEXT_TEXT_H
#define RECALLD_CORE_TEXT_TEXT_H

#include "core/base/bytes.h"

bool text_is_utf8(struct slice text);
/* The character at the offset `at`, which must lie within the text: returns how many bytes it
 * takes. A byte that is not UTF-8 reads as U+FFFD and takes one. */
static inline size_t text_decode(struct slice text, size_t at, uint32_t *character);
static inline bool text_is_space(uint32_t character); /* Unicode's White_Space */
/* Whether it is 1 or more characters that can be seen: valid UTF-8, no control, format, surrogate
 * or separator character, no white space (the space included), nothing that Unicode lets a display
 * leave out (variation selectors, fillers) and no glyph without ink. */
bool text_is_visible(struct slice text);

/* An estimate of how many tokens the text is for a current model, from its bytes alone: each byte
 * has a share of a token, by the script that it belongs to (core/text/tokens.c), and the sum is
 * rounded up. So a whole never counts more than the sum of its pieces, wherever it is cut, and no
 * text less than a token for every TOKEN_MOST_BYTES bytes. */
enum { TOKEN_MOST_BYTES = 12 };
size_t text_tokens(struct slice text);
/* The same before it is rounded: the shares of a whole are the sum of its pieces'. */
size_t text_shares(struct slice text);
size_t text_tokens_of(size_t shares);

/* The assistant's text without the reasoning that some servers and clients write into it:
 * <think>...</think>, <thinking>, <reason>, <reasoning>, <thought>, ◁think▷...◁/think▷,
 * <|begin_of_thought|>...<|end_of_thought|> and <details type="reasoning">...</details>. What is
 * not closed is reasoning to the end if the text begins with it, and no reasoning elsewhere; all
 * before a first </think> on a line of its own is reasoning that the prompt's template opened.
 * Unchanged (and uncopied) when there is none. */
struct slice text_without_reasoning(struct slice text, struct arena *arena);

/* Walks over the stretches of reasoning, in order and not overlapping. Start with all zeroes but
 * the text; false: there is no further one. */
struct reasoning_walk {
	struct slice text;
	size_t begin; /* of the reasoning found */
	size_t end;
	unsigned unclosed; /* the forms that are known not to be closed any more, one bit each */
	bool started;
};
bool text_next_reasoning(struct reasoning_walk *walk);

/* A hash by which a turn is known again when it is resent: reasoning (see above) and all white
 * space left out. Never 0 except for a text without anything else. Only the first TEXT_HASHED bytes
 * of what is left count, so the beginning of a huge text has the hash of the whole. Allocates
 * nothing. */
enum { TEXT_HASHED = 1 << 20 };
uint64_t text_hash(struct slice text);

/* Calls `word` for every word of the text, case folded and in NFKC: words as in Unicode UAX #29
 * that hold a letter or a digit, every emoji, and for scripts without spaces (Han, Hiragana,
 * Katakana, Hangul, Thai, Lao, Khmer, Myanmar) each overlapping pair of characters, or the single
 * character of a run of one. A word of more than 256 bytes comes in pieces. Stops early when `word`
 * gives false. */
void text_words(struct slice text, bool (*word)(void *cookie, struct slice word), void *cookie);
bool text_share_word(struct slice a, struct slice b);

/* Letters of scripts that write no spaces between words (Hangul does, but between phrases). */
bool text_is_unspaced(uint32_t character);

/* Whether `part` lies in `whole` when case (folded), compatibility forms (NFKC), the kind and
 * amount of white space, the kind of quotation marks and dashes, and what is invisible (marks of
 * direction, soft hyphens, variants of emoji) are not regarded. An empty part does not. */
bool text_contains(struct slice whole, struct slice part);
/* The same, but where a word goes on beyond the part it does not count: "a cat" is not in "a
 * category". */
bool text_says(struct slice whole, struct slice part);

/* One line, made safe to quote inside a memory block: control, bidirectional and invisible format
 * characters dropped (but joiners that do something where they stand, as within emoji and Persian
 * words), white space runs made one space, ends trimmed, "<" and ">" and chat-template
 * tokens unable to open or close anything, cut at a character boundary to `limit` bytes.
 * The rule: "<" and ">" become "‹" and "›", the brackets of a template's token ("[INST]") become
 * round, and the colon of a role's label at the start of a line or after "##" ("Human:",
 * "### Instruction:") becomes a dash; full-width forms and look-alikes of other scripts count as
 * what they look like. What is inert already stays as it is, mostly uncopied. */
struct slice text_one_line(struct slice text, size_t limit, struct arena *arena);
/* The same for a text of several lines: line breaks and indentation stay, at most one empty line in
 * a row. */
struct slice text_inert(struct slice text, size_t limit, struct arena *arena);

/* A remembered message that is given as a message of its own, word for word but for what chat
 * templates would take for their own: tokens such as "<|im_start|>", "</s>" and "[INST]" lose their
 * brackets as above, and what is invisible goes. Any other "<" stays, and labels do too: the
 * message has its role already. */
struct slice text_disarmed(struct slice text, struct arena *arena);

/* RFC 3339 in UTC, seconds ("2026-11-21T09:30:00Z"); and the date alone. */
struct slice text_time(int64_t at, struct arena *arena);
struct slice text_date(int64_t at, struct arena *arena);
/* Reads RFC 3339 (with offset, with or without a fraction) or a date alone (midnight UTC). */
bool text_read_time(struct slice text, int64_t *at);

/* Most characters are ASCII, and need no call. */
size_t text_decode_wide(struct slice text, size_t at, uint32_t *character);
bool text_is_wide_space(uint32_t character);

static inline size_t text_decode(struct slice text, size_t at, uint32_t *character)
{
	*character = (unsigned char)text.data[at];
	return *character < 0x80 ? 1 : text_decode_wide(text, at, character);
}

static inline bool text_is_space(uint32_t character)
{
	return character < 0x80 ? character == ' ' || (character >= '\t' && character <= '\r')
				: text_is_wide_space(character);
}

#endif
